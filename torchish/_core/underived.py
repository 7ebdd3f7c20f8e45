"""Where a gradient would go to something by which an operation has no derivative: an error, when it gets there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._exec.kernel import Kernel, Underived
from .._exec.value import Aval
from .._exec.window import THREADS
from .graph import Edge, Node, next_sequence_number, node_class
from .tensor import Tensor


def refusing_node(error: Callable[[], Exception], aval: Aval, edge: Edge, name: str = "NotImplemented") -> Node:
    """A node for a value of ``aval`` that lets no gradient pass on to ``edge``, but raises what ``error`` makes."""
    node: Any = object.__new__(node_class(name))
    node.vjp = Underived(Kernel("underived", lambda x: (x,), [aval], aval.placement), (0,), error)
    node.saved, node.versions, node.edges = (), (), (edge,)
    node.sequence_nr, node.hooks = next_sequence_number(), None
    node.window, node.position = None, -1
    return node


def not_implemented(what: str) -> Callable[[], Exception]:
    """PyTorch's error about a derivative that its table of derivatives says it lacks."""
    return lambda: NotImplementedError(f"the derivative for '{what}' is not implemented.")


def without_derivative(
    results: Tensor | Sequence[Tensor], inputs: Sequence[Any], name: str, node: str = "NotImplemented"
) -> None:
    """Let ``results``, fresh tensors, require grad without a derivative: ``backward()`` says that ``name`` has none.

    Nothing happens where no input requires grad. ``node``: what the node is called, where PyTorch has one of its own.
    """
    source = next((x for x in inputs if isinstance(x, Tensor) and x.requires_grad), None)
    if source is None or not THREADS.context.grad_enabled:
        return
    edge = source._current_edge()
    assert edge is not None
    if node == "NotImplemented":  # PyTorch's table of derivatives does not know the operation at all

        def error() -> Exception:
            return RuntimeError(f"derivative for aten::{name} is not implemented")
    else:
        error = not_implemented(name)
    for t in (results,) if isinstance(results, Tensor) else results:
        if t._aval.inexact:
            t._edge = (refusing_node(error, t._aval, edge, node), 0)
