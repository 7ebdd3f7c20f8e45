"""Writing into a part of a copy, and joining chunks: what views do in place, as functions of their operands."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..dims import normalize_dim
from ..elementwise.casting import convert
from ..out_rules import ALL, CONCATENATED
from ..registry import Number, Size, Tensor, Tensors, op
from .indexing import overwrite


def _require_shape(src: Tensor, shape: Size) -> None:
    if src.shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {list(src.shape)}, slice size = {list(shape)}"
        )


@op(name="select_scatter.at", node="SelectScatterBackward0", grad_node="SelectScatterBackward0")
def select_scatter(input: Tensor, src: Tensor, index: Number, dim: int) -> Tensor:
    """``input`` with ``src`` in place of its slice at ``index``, which is in range, of dimension ``dim``."""
    _require_shape(src, input.shape[:dim] + input.shape[dim + 1 :])
    return jax.lax.dynamic_update_index_in_dim(input, convert(src, input.dtype), index, dim)


@op(name="slice_scatter.at", out=True, node="SliceScatterBackward0", grad_node="SliceScatterBackward0")
def slice_scatter(input: Tensor, src: Tensor, start: Number, dim: int, length: int, step: int) -> Tensor:
    """``input`` with ``src`` in place of ``length`` slices of dimension ``dim``, from ``start`` in steps of ``step``."""
    _require_shape(src, (*input.shape[:dim], length, *input.shape[dim + 1 :]))
    src = convert(src, input.dtype)
    if step == 1:
        return jax.lax.dynamic_update_slice_in_dim(input, src, start, dim)
    where = jnp.asarray(start) + step * jnp.arange(length)
    key = (slice(None),) * dim
    return input.at[(*key, where)].set(src, unique_indices=True, indices_are_sorted=True)


@op(grad_node="DiagonalScatterBackward0")
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """``input`` with ``src`` in place of the diagonal of two dimensions, which is the last dimension of ``src``."""
    first, second = normalize_dim(dim1, input.ndim), normalize_dim(dim2, input.ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    rows, columns = input.shape[first], input.shape[second]
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    rest = tuple(n for d, n in enumerate(input.shape) if d not in (first, second))
    _require_shape(src, (*rest, length))
    x = jnp.moveaxis(input, (first, second), (-2, -1))
    steps = np.arange(length)
    x = x.at[..., steps + max(-offset, 0), steps + max(offset, 0)].set(convert(src, input.dtype), unique_indices=True)
    return jnp.moveaxis(x, (-2, -1), (first, second))


@op(name="as_strided_scatter.flat", node="AsStridedScatterBackward0", grad_node="AsStridedScatterBackward0")
def as_strided_scatter(input: Tensor, src: Tensor, offset: Number, size: Size, stride: Size) -> Tensor:
    """``input``, whose elements lie in order, with ``src`` at the places that size, stride and offset describe.

    Where a place is written twice, both elements of ``src`` get its gradient. ``input``'s is that of the places that are
    kept; PyTorch 2.13 gives that of the places that are overwritten instead, which is no derivative of anything.
    """
    _require_shape(src, size)
    where = jnp.asarray(offset).astype(np.int64)
    for d, (n, s) in enumerate(zip(size, stride, strict=True)):
        where = where + jnp.arange(n).reshape([-1 if k == d else 1 for k in range(len(size))]) * s
    where = jnp.broadcast_to(where, size)
    values = convert(src, input.dtype).reshape(-1)
    return overwrite((0,), input.reshape(-1), (where.reshape(-1),), values).reshape(input.shape)


@op(
    namespaces=("torch",),
    out=CONCATENATED.but(apart=(), shared=ALL, autograd="_chunk_cat", lenient=True),
    node="CatBackward0",
    grad_node="AddBackward0",
)
def _chunk_cat(tensors: Tensors, dim: int, num_chunks: int) -> Tensor:
    """Each tensor cut into ``num_chunks`` along ``dim``, filled up with zeros, and the chunks joined, flattened.

    The result has the dimensions before ``dim``, then the chunks, then all that belongs to one.
    """
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    if num_chunks < 1:
        raise RuntimeError(f"_chunk_cat expects positive num_chunks, got {num_chunks}")
    if any(t.dtype != tensors[0].dtype for t in tensors):
        raise RuntimeError("_chunk_cat expects all input tensors with the same dtype")
    if any(t.size == 0 for t in tensors):
        raise RuntimeError("_chunk_cat expects non-empty tensor")
    axis = normalize_dim(dim, tensors[0].ndim)
    lead = tensors[0].shape[:axis]
    parts = []
    for t in tensors:
        if axis >= t.ndim:
            raise RuntimeError(f"_chunk_cat expects dim < input.dim(), got {dim} and a tensor of {t.ndim} dimensions")
        if t.shape[:axis] != lead:
            raise RuntimeError("_chunk_cat expects same sizes of 0,...,dim-1 dimensions")
        missing = -t.shape[axis] % num_chunks
        padded = jnp.pad(t, [(0, missing if d == axis else 0) for d in range(t.ndim)])
        parts.append(padded.reshape(*lead, num_chunks, math.prod(padded.shape[axis:]) // num_chunks))
    return jnp.concatenate(parts, axis=-1)
