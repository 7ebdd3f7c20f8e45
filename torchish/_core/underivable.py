"""Results of operations whose derivative PyTorch lacks: they require grad, and ``backward()`` says what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._exec.kernel import Kernel
from .._exec.window import THREADS, record
from .dispatch import make_node
from .graph import node_class
from .tensor import Tensor

_KERNELS: dict[Any, Kernel] = {}


def without_derivative(
    results: Tensor | Sequence[Tensor], inputs: Sequence[Any], name: str, node: str = "NotImplemented"
) -> None:
    """Give ``results``, fresh tensors, a node whose backward raises that the derivative for ``name`` is missing.

    Nothing happens where no input requires grad. ``node``: what the node is called, where PyTorch has one of its own.
    """
    context = THREADS.context
    source = next((x for x in inputs if isinstance(x, Tensor) and x.requires_grad), None)
    if source is None or not context.grad_enabled:
        return
    edge = source._current_edge()

    def refuse(*_: Any) -> None:
        if node == "NotImplemented":
            raise RuntimeError(f"derivative for aten::{name} is not implemented")
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    for t in (results,) if isinstance(results, Tensor) else results:
        aval = t._aval
        if not aval.inexact or edge is None:
            continue
        kernel = _KERNELS.get(aval)
        if kernel is None:
            kernel = _KERNELS[aval] = Kernel("without_derivative", lambda x: (x,), [aval], aval.placement)
        value = t._value()
        record(context, kernel, (value,))
        made = make_node(context, kernel, (value,), [0], [edge], [None])
        made.__class__ = node_class(node)
        made.register_prehook(refuse)
        t._edge = (made, 0)
