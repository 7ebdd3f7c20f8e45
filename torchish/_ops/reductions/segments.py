"""Reductions of consecutive segments of a dimension, and a hash of all elements."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..arrays.indexing import add_at, is_index
from ..arrays.scattering import combine_at
from ..dims import normalize_dim, normalize_dims, require_elements, widen
from ..kernel_dtypes import kind_of, require_dtype
from ..out_rules import Out
from ..registry import Dims, Number, Tensor, check_of, op

_REDUCTIONS = {"sum": 0, "mean": 0, "max": -np.inf, "min": np.inf, "prod": 1}


def _offsets(data: Tensor, lengths: Tensor | None, offsets: Tensor | None, axis: int) -> Tensor:
    """Where each segment starts and the last one ends, in the dimension that is cut."""
    given = offsets if offsets is not None else lengths
    assert given is not None
    if given.ndim > data.ndim:
        raise RuntimeError(
            f"Expected data.dim() >= {'offsets' if offsets is not None else 'lengths'}_value.dim() to be true, but got "
            "false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    if given.ndim - 1 != axis:
        raise RuntimeError(
            f"segment_reduce(): Expected axis to be the last dimension of {'offsets' if offsets is not None else 'lengths'} "
            f"but got {axis}."
        )
    if not is_index(given):
        raise RuntimeError("segment_reduce(): Expected lengths and offsets of dtype int32 or int64")
    if offsets is not None:
        return offsets.astype(np.int64)
    ends = jnp.cumsum(given.astype(np.int64), axis=-1)
    return jnp.concatenate([jnp.zeros((*ends.shape[:-1], 1), np.int64), ends], axis=-1)


def _segments_of(bounds: Tensor, size: int) -> Tensor:
    """The segment that each of ``size`` positions lies in; one past the last for those in none."""
    count = bounds.shape[-1] - 1
    find = lambda b: jnp.searchsorted(b, jnp.arange(size), side="right")  # noqa: E731
    rows = bounds.reshape(math.prod(bounds.shape[:-1]), count + 1)
    found = jax.vmap(find)(rows).astype(np.int64) - 1
    return jnp.where((found < 0) | (found >= count), count, found)


@op(name="segment_reduce.of", node="SegmentReduceBackward0", saves="operands", grad_node="MulBackward0")
def segment_reduce(
    data: Tensor,
    lengths: Tensor | None,
    offsets: Tensor | None,
    initial: Number | None,
    reduce: str,
    axis: int,
    unsafe: bool,
) -> Tensor:
    """``data`` with its dimension ``axis`` cut into segments and each of them reduced: sum, mean, max, min or prod.

    ``lengths`` or ``offsets`` have the dimensions of ``data`` up to ``axis``, the last of which counts segments. What no
    segment covers is left out. ``initial`` begins every reduction; without one an empty segment has the mean NaN.
    Equal extrema share the gradient evenly.
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    require_dtype(data.dtype, "f", "_segment_reduce_cpu")
    axis = normalize_dim(axis, data.ndim)
    bounds = _offsets(data, lengths, offsets, axis)
    count, size = bounds.shape[-1] - 1, data.shape[axis]
    x = widen(data).reshape(math.prod(data.shape[:axis]), size, *data.shape[axis + 1 :])
    segment = _segments_of(bounds, size)
    where = (jnp.arange(x.shape[0])[:, None], segment)
    begin = _REDUCTIONS[reduce] if initial is None else jnp.asarray(initial).astype(x.dtype)
    # One segment more takes what lies in none.
    into = jnp.full((x.shape[0], count + 1, *x.shape[2:]), begin, x.dtype)
    if reduce in ("sum", "mean"):
        found = add_at(into, (0, 1), where, x)
    else:
        kind = {"max": "amax", "min": "amin", "prod": "prod"}[reduce]
        found = combine_at(kind, (0, 1), into, where, x)
    found = found[:, :count].reshape(*data.shape[:axis], count, *data.shape[axis + 1 :])
    if reduce == "mean":
        lengths_of = jnp.diff(bounds, axis=-1).reshape(*bounds.shape[:-1], count, *[1] * (data.ndim - axis - 1))
        empty = jnp.asarray(np.nan if initial is None else begin, x.dtype)
        found = jnp.where(lengths_of == 0, empty, found / jnp.maximum(lengths_of, 1).astype(x.dtype))
    return found.astype(data.dtype)


_UNCOVERED = (
    "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
)


def _lengths_error(witness: int, **_) -> RuntimeError:
    return RuntimeError("lengths contains negative value!" if witness < 0 else _UNCOVERED)


@check_of(segment_reduce, _lengths_error)
def _(
    data: Tensor,
    lengths: Tensor | None,
    offsets: Tensor | None,
    initial: Number | None,
    reduce: str,
    axis: int,
    unsafe: bool,
) -> tuple[Tensor, Tensor]:
    if lengths is None or unsafe or offsets is not None:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    size = data.shape[normalize_dim(axis, data.ndim)]
    least = jnp.min(lengths, initial=0).astype(np.int64)
    return (least < 0) | jnp.any(jnp.sum(lengths, axis=-1) != size), least


@op(out=Out("Expected result to be of dtype uint64, but got {got}", "same", first=False), differentiable=False)
def hash_tensor(input: Tensor, dim: Dims = (), *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """The exclusive or of the elements' bits over ``dim`` (all by default), each widened to 64 bits; uint64."""
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    if input.size == 0 and dim in (None, ()):
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    require_elements(input, dim, "hash_tensor")
    require_dtype(input.dtype, "bifw", "xor_sum_cpu")
    if kind_of(input.dtype) == "f":
        bits = jax.lax.bitcast_convert_type(input.astype(np.float64), np.uint64)
    else:
        bits = input.astype(np.int64).astype(np.uint64)
    axes = normalize_dims(dim, input.ndim)
    found = jax.lax.reduce(bits, np.uint64(0), jax.lax.bitwise_xor, axes)
    return jnp.expand_dims(found, axes) if keepdim else found
