"""A copy with a part replaced: ``select_scatter``, ``slice_scatter``, ``as_strided_scatter``; reads and writes under a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._ops.registry import OPS
from ..arguments import as_int, as_size
from ..dispatch import call
from ..geometry import is_contiguous
from ..inplace import call_out
from ..public import public
from ..tensor import Tensor
from ..views import wrap_dim
from . import view_functions
from .overloads import _by_dims


def _run(op_name: str, operands: tuple, static: tuple, out: Any) -> Tensor:
    op = OPS[op_name]
    return call(op, operands, static) if out is None else call_out(op, operands, static, out)


@public()
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """``input`` with ``src`` in place of its slice at ``index`` of dimension ``dim``.

    https://docs.pytorch.org/docs/stable/generated/torch.select_scatter.html

    >>> import torchish as torch
    >>> torch.select_scatter(torch.zeros(2, 2), torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    view_functions.select(input.detach(), dim, index)
    d, i = wrap_dim(as_int(dim), len(input.shape)), as_int(index)
    return call(OPS["select_scatter.at"], (input, src, i % input.shape[d]), (d,))


@public()
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """``input`` with ``src`` in place of its slices from ``start`` to ``end`` of dimension ``dim``.

    https://docs.pytorch.org/docs/stable/generated/torch.slice_scatter.html

    >>> import torchish as torch
    >>> torch.slice_scatter(torch.zeros(4), torch.ones(2), 0, 1, 3)
    tensor([0., 1., 1., 0.])
    """
    d = wrap_dim(as_int(dim), len(input.shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    bounds = range(input.shape[d])[slice(as_int(start), as_int(end), as_int(step))]
    first = min(bounds.start, input.shape[d] - len(bounds))
    return _run("slice_scatter.at", (input, src, first), (d, len(bounds), as_int(step)), out)


@public()
def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """``input`` with ``src`` at the places of its Storage that size, stride and offset describe.

    https://docs.pytorch.org/docs/stable/generated/torch.as_strided_scatter.html
    """
    view_functions.as_strided(input.detach(), size, stride, storage_offset)
    geometry = input._geometry()
    offset = geometry.offset if storage_offset is None else as_int(storage_offset)
    static = (as_size(size), as_size(stride))
    if is_contiguous(geometry.size, geometry.stride):
        made = call(OPS["as_strided_scatter.flat"], (input, src, offset - geometry.offset), static)
    else:
        length = 1 + sum((n - 1) * s for n, s in zip(geometry.size, geometry.stride, strict=True))
        memory = view_functions.as_strided(input, (length,), (1,), geometry.offset)
        written = call(OPS["as_strided_scatter.flat"], (memory, src, offset - geometry.offset), static)
        made = view_functions.as_strided(written, geometry.size, geometry.stride, 0)
    return made if out is None else out.resize_(made.shape).copy_(made)  # type: ignore[attr-defined]


# Under a mask, at indices that need be in range only where it holds


def _clamped(input: Tensor, indices: Sequence[Any]) -> tuple[tuple[int, ...], list[Tensor]]:
    dims, found = _by_dims(input, indices)
    return dims, [i.clamp(-input.shape[d], input.shape[d] - 1) for d, i in zip(dims, found, strict=True)]  # type: ignore[attr-defined]


@public("torch")
def _unsafe_masked_index(self: Tensor, mask: Tensor, indices: Sequence[Any], fill: Any) -> Tensor:
    """``self[indices]`` where ``mask`` holds, ``fill`` elsewhere; only where it holds need indices be in range."""
    if self._aval.numel == 0:
        return self.new_full(mask.shape, fill)  # type: ignore[attr-defined]
    dims, found = _clamped(self, indices)
    return call(OPS["index"], (self, found), (dims,)).masked_fill(mask.logical_not(), fill)  # type: ignore[attr-defined]


@public("torch")
def _unsafe_masked_index_put_accumulate(input: Tensor, mask: Tensor, indices: Sequence[Any], values: Tensor) -> Tensor:
    """``input`` with ``values`` added at ``indices`` where ``mask`` holds."""
    if input._aval.numel == 0:
        return input.clone()  # type: ignore[attr-defined]
    dims, found = _clamped(input, indices)
    masked = values.masked_fill(mask.logical_not(), 0)  # type: ignore[attr-defined]
    return call(OPS["index_put.dims"], (input, found, masked), (dims, True))
