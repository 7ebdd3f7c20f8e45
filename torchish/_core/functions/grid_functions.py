"""Grids, shapes and positions: ``meshgrid``, ``atleast_2d``, ``broadcast_shapes``, ``unravel_index``, ``segment_reduce``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._ops.registry import OPS
from ..arguments import as_int
from ..dispatch import call
from ..public import public
from ..size import Size
from ..tensor import Tensor
from ..user_warnings import warn_once
from . import view_functions

# Grids


def _tensors(given: tuple) -> list[Any]:
    """Tensors given one by one or as one sequence."""
    found = list(given[0]) if len(given) == 1 and isinstance(given[0], (list, tuple)) else list(given)
    for i, t in enumerate(found):
        if not isinstance(t, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(t).__name__}")
    return found


@public("torch")
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """For each vector a tensor over the grid of all of them, in which it varies along its own dimension.

    ``indexing``: ``"ij"``, the dimensions in the order of the tensors, or ``"xy"``, the first two exchanged.
    https://docs.pytorch.org/docs/stable/generated/torch.meshgrid.html

    >>> import torchish as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]), indexing="ij")
    (tensor([[1, 1],
            [2, 2]]), tensor([[3, 4],
            [3, 4]]))
    """
    found = _tensors(tensors)
    if indexing is None:
        warn_once("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if not found:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    first = found[0]
    for t in found[1:]:
        if t._aval.dtype != first._aval.dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
        if t._aval.placement is not first._aval.placement:
            raise RuntimeError("meshgrid expects all tensors to have the same device")
    for t in found:
        if t._aval.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t}")
    swap = indexing == "xy" and len(found) > 1
    if swap:
        found[:2] = found[1::-1]
    shape = tuple(t._aval.numel for t in found)
    grids = []
    for d, t in enumerate(found):
        along = view_functions.view(t, *[-1 if k == d else 1 for k in range(len(found))])
        grids.append(view_functions.expand(along, shape))
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def _at_least_1d(t: Tensor) -> Tensor:
    return view_functions.reshape(t, 1) if not t.shape else t


def _at_least_2d(t: Tensor) -> Tensor:
    if not t.shape:
        return view_functions.reshape(t, 1, 1)
    return view_functions.unsqueeze(t, 0) if len(t.shape) == 1 else t


def _at_least_3d(t: Tensor) -> Tensor:
    ndim = len(t.shape)
    if ndim == 0:
        return view_functions.reshape(t, 1, 1, 1)
    if ndim == 1:
        return view_functions.unsqueeze(view_functions.unsqueeze(t, 0), -1)
    return view_functions.unsqueeze(t, -1) if ndim == 2 else t


def _at_least(ndim: int, widen: Any) -> None:
    name = f"atleast_{ndim}d"

    def function(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return widen(tensors[0])
        if len(tensors) == 1 and not isinstance(tensors[0], (list, tuple)):
            got = type(tensors[0]).__name__
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n"
                f" * (Tensor input)\n      didn't match because some of the arguments have invalid types: (!{got}!)\n"
                f" * (tuple of Tensors tensors)\n      didn't match because some of the arguments have invalid types: "
                f"(!{got}!)\n"
            )
        return tuple(widen(t) for t in _tensors(tensors))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Each tensor with {ndim} dimensions at least, of size 1 where it has fewer; a tuple unless there is one alone.\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    public("torch")(function)


_at_least(1, _at_least_1d)
_at_least(2, _at_least_2d)
_at_least(3, _at_least_3d)


# Shapes and positions


@public("torch")
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes broadcast to.

    https://docs.pytorch.org/docs/stable/generated/torch.broadcast_shapes.html

    >>> import torchish as torch
    >>> torch.broadcast_shapes((2,), (3, 1))
    torch.Size([3, 2])
    """
    known: list[tuple[int, ...]] = []
    for shape in shapes:
        if isinstance(shape, (tuple, list)):
            known.append(tuple(n.__index__() for n in shape))
        elif isinstance(shape, int):
            known.append((shape,))
        else:
            raise RuntimeError(f"Input shapes should be of type ints, a tuple of ints, or a list of ints, got {shape}")
    ndim = max(map(len, known), default=0)
    common = [1] * ndim
    for i, shape in enumerate(known):
        for back in range(1, len(shape) + 1):
            n = shape[-back]
            if n < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if n in (1, common[-back]):
                continue
            if common[-back] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {n} at {-back}! Mismatching argument at index {i} "
                    f"had {shape}; but expected shape should be broadcastable to {common}"
                )
            common[-back] = n
    return Size(common)


@public("torch")
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates, one tensor a dimension of ``shape``, of flat positions in a tensor of that shape.

    https://docs.pytorch.org/docs/stable/generated/torch.unravel_index.html

    >>> import torchish as torch
    >>> torch.unravel_index(torch.tensor([4, 5]), (2, 3))
    (tensor([1, 1]), tensor([1, 2]))
    """
    if indices._aval.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, (int, Sequence)) or isinstance(shape, bool):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for n in sizes:
        if not isinstance(n, (int, np.integer)):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    found, flat = [], indices.long()  # type: ignore[attr-defined]
    for d, n in enumerate(sizes):
        step = math.prod(sizes[d + 1 :])
        found.append(flat.div(step, rounding_mode="floor").remainder(int(n)))
    return tuple(found)


@public("torch")
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Any = None,
) -> Tensor:
    """``data`` with its dimension ``axis`` cut into segments, by lengths or offsets, and each of them reduced.

    ``reduce``: ``"sum"``, ``"mean"``, ``"max"``, ``"min"`` or ``"prod"``.

    >>> import torchish as torch
    >>> torch.segment_reduce(torch.tensor([1.0, 2.0, 3.0]), "sum", lengths=torch.tensor([1, 2]))
    tensor([1., 5.])
    """
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    operands = (data, lengths if offsets is None else None, offsets, initial)
    return call(OPS["segment_reduce.of"], operands, (reduce, as_int(axis), bool(unsafe)))


public("torch", name="_segment_reduce")(segment_reduce)
