"""Reverse-mode differentiation: ``backward``, ``grad``, hooks and grad modes. ``engine.py`` runs the graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from .._core.dispatch import wrap
from .._core.graph import NOWHERE_EDGE, Edge, RemovableHandle
from .._core.tensor import Tensor
from .._core.user_warnings import warn_once
from .._exec.value import Aval
from .._exec.window import THREADS, backward_ended
from . import engine
from .grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled

__all__ = [
    "RemovableHandle",
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]

_NOT_USED = (
    "The differentiated Tensor at index {} appears to not have been used in the graph. Set allow_unused=True if this "
    "is the desired behavior."
)

Root = tuple[Edge, Tensor | None, Aval]


def _as_tuple(x: Any) -> tuple:
    if isinstance(x, Tensor):
        return (x,)
    return tuple(x)


def _roots(outputs: Sequence[Tensor], gradients: Any) -> list[Root]:
    """Where the pass starts: the outputs' edges with their cotangents; None is an implicit one."""
    if gradients is None:
        given: tuple = (None,) * len(outputs)
    else:
        given = (gradients,) if isinstance(gradients, Tensor) else tuple(gradients)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    roots: list[Root] = []
    for i, (out, gradient) in enumerate(zip(outputs, given, strict=True)):
        if not isinstance(out, Tensor):
            raise AssertionError("Expected output to be a torch.Tensor")
        aval = out._aval
        if gradient is not None:
            _check_gradient(i, out, gradient)
        elif (aval.numel != 1 or aval.dtype.kind == "c") and out.requires_grad:
            if aval.numel != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {out.dtype}")
        edge = out._current_edge()
        if edge is None or edge is NOWHERE_EDGE:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        roots.append((edge, gradient, aval))
    return roots if len(roots) == 1 else _distinct(roots)


def _check_gradient(i: int, out: Tensor, gradient: Any) -> None:
    if not isinstance(gradient, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if gradient.shape != out.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {gradient.shape} and output[{i}] has a shape of "
            f"{out.shape}."
        )
    if out.dtype.is_complex != gradient.dtype.is_complex:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{i}] has a dtype of {gradient.dtype} and output[{i}] has a dtype of {out.dtype}."
        )


def _distinct(roots: list[Root]) -> list[Root]:
    """The same output given twice counts twice: the cotangents of one edge are added."""
    found: dict[tuple[int, int], Root] = {}
    for edge, gradient, aval in roots:
        key = (id(edge[0]), edge[1])
        if key in found:
            known = found[key][1]
            left = known if known is not None else engine._ones(aval)
            right = gradient if gradient is not None else engine._ones(aval)
            found[key] = (edge, left + right, aval)  # type: ignore[operator]
        else:
            found[key] = (edge, gradient, aval)
    return list(found.values())


def _captures(inputs: Sequence[Tensor]) -> dict[tuple[int, int], int]:
    captures: dict[tuple[int, int], int] = {}
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
        edge = x._current_edge()
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        if edge is not NOWHERE_EDGE:
            captures.setdefault((id(edge[0]), edge[1]), i)
    return captures


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves they came from (or of ``inputs`` alone).

    https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html

    Args:
        tensors: what to differentiate; each a scalar, or with its cotangent in ``grad_tensors``.
        grad_tensors: cotangents, of the tensors' shapes.
        retain_graph: keep the graph for another pass; ``create_graph`` unless given.
        create_graph: record the pass itself, for derivatives of higher order.
        inputs: the tensors whose ``grad`` is wanted.

    Raises:
        RuntimeError: as PyTorch does, on non-scalar outputs without cotangents, on a freed graph, on saved tensors
            that were modified in place.

    >>> import torchish as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables
    wanted = None
    if inputs is not None:
        wanted = _as_tuple(inputs)
        if not wanted:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    context = THREADS.context
    roots = _roots(_as_tuple(tensors), grad_tensors)
    for x in wanted or ():  # they may lie in the middle of the graph
        x.retain_grad()
    captures = None if wanted is None else _captures(wanted)
    if create_graph:
        warn_once(_MAKES_A_CYCLE)
    task = engine.Task(
        roots,
        keep_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        captures=captures,
        accumulate=True,
    )
    del roots
    engine.run(task)
    del task
    if context.trace is None:
        backward_ended(context)


_MAKES_A_CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which "
    "can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use "
    "this function, make sure to reset the .grad fields of your parameters to None after use to break the cycle and avoid "
    "the leak."
)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``; no ``grad`` field is touched.

    https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html

    >>> import torchish as torch
    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> (g,) = torch.autograd.grad(x**2, x, create_graph=True)
    >>> torch.autograd.grad(g, x)
    (tensor([2.]),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
            "parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    outs, ins = _as_tuple(outputs), _as_tuple(inputs)
    if not ins:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if is_grads_batched:
        return _batched(outs, ins, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    task = engine.Task(
        _roots(outs, grad_outputs),
        keep_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        captures=_captures(ins),
        accumulate=False,
    )
    captured = engine.run(task)
    assert task.captures is not None
    results: list[Tensor | None] = []
    for i, x in enumerate(ins):
        edge = x._current_edge()
        assert edge is not None
        capture = task.captures.get((id(edge[0]), edge[1]))
        found = None if capture is None else captured.get(capture)
        if found is None and materialize_grads:
            found = wrap(engine._ones(x._aval)._value()) * 0  # type: ignore[operator]
        if found is None and not allow_unused:
            raise RuntimeError(_NOT_USED.format(i))
        results.append(found)
    return tuple(results)


def _batched(outs, ins, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads):
    """One pass for each entry of the cotangents' first dimension, stacked."""
    from .._core.generate import OP_FUNCTIONS

    batches = _as_tuple(grad_outputs)
    for i, (batch, out) in enumerate(zip(batches, outs, strict=True)):
        if batch.shape[1:] != out.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. "
                "The sizes of the remaining dimensions are expected to match the shape of corresponding output, but a "
                f"mismatch was detected: grad_output[{i}] has a shape of {batch.shape[2:]} and output[{i}] has a shape of "
                f"{out.shape}. If you only want some tensors in `grad_output` to be considered batched, consider using "
                "vmap."
            )
    n = batches[0].shape[0]
    rows = []
    for i in range(n):
        keep = True if i < n - 1 else retain_graph
        cotangents = [g[i] for g in batches]
        rows.append(
            grad(outs, ins, cotangents, keep, create_graph, True, allow_unused, materialize_grads=materialize_grads)
        )
    return tuple(
        None if column[0] is None else OP_FUNCTIONS["stack"](list(column)) for column in zip(*rows, strict=True)
    )
