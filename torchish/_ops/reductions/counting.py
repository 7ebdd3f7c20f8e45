"""Counting elements: histograms, and positions of what is not zero in a result of fixed size."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from ..dims import widen
from ..kernel_dtypes import require_dtype
from ..out_rules import HISTOGRAM, Out
from ..registry import Number, Tensor, Tensors, check_of, op

# --- the range of a histogram -------------------------------------------------------------------------


def _extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the greatest element; 0 and 1 where there is none."""
    if x.size == 0:
        return jnp.zeros((), x.dtype), jnp.ones((), x.dtype)
    return jnp.min(x), jnp.max(x)


def _not_finite(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Whether a range has an end that is no number; the witness packs both ends as float32."""
    ends = jax.lax.bitcast_convert_type(jnp.stack([low, high]).astype(np.float32), np.int32).astype(np.int64)
    packed = (ends[0] << 32) | (ends[1] & np.int64(0xFFFFFFFF))
    return ~(jnp.isfinite(low) & jnp.isfinite(high)), packed


def _shown_range(witness: int) -> str:
    ends = np.array([(witness >> 32) & 0xFFFFFFFF, witness & 0xFFFFFFFF], np.uint32).view(np.float32)
    return f"[{ends[0]:g}, {ends[1]:g}]"


def _apart(low: Tensor, high: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """A range of one value, widened by ``margin`` at both ends."""
    same = low == high
    return jnp.where(same, low - margin, low), jnp.where(same, high + margin, high)


# --- histc --------------------------------------------------------------------------------------------


@op(name="histc.counts", out=HISTOGRAM, differentiable=False)
def histc(input: Tensor, bins: int, low: Number | None = None, high: Number | None = None) -> Tensor:
    """How many elements lie in each of ``bins`` equal parts of the range; without one, that of the data.

    An element on the border of two bins belongs to the upper one, the end of the range to the last. Elements outside
    do not count, nor does NaN.
    """
    if low is None:
        require_dtype(input.dtype, "iwfb", "aminmax_cpu")
    require_dtype(input.dtype, "f", "histogram_cpu")
    x = widen(input).reshape(-1)
    first, last = _apart(*_range_of_counts(x, low, high), 1.0)
    as_stored = _rounded_to(input.dtype)
    place = as_stored(as_stored(as_stored(x - first) * bins) / as_stored(last - first)).astype(np.int64)
    inside = (x >= first) & (x <= last)
    # Positions beyond the last bin are dropped; the end of the range itself is not beyond.
    place = jnp.where(inside, jnp.minimum(place, bins - 1), bins)
    counts = jnp.zeros(bins, np.int64).at[place].add(1, mode="drop")
    return counts.astype(input.dtype)


def _rounded_to(dtype: np.dtype) -> Callable[[Tensor], Tensor]:
    """A rounding to ``dtype`` of what is computed in float32: PyTorch places halves in steps that each round."""
    if dtype.itemsize >= 4:
        return lambda x: x
    info = jnp.finfo(dtype)
    return lambda x: jax.lax.reduce_precision(x, info.nexp, info.nmant)


def _range_of_counts(x: Tensor, low: Number | None, high: Number | None) -> tuple[Tensor, Tensor]:
    if low is None or high is None:
        return _extremes(x) if x.size else (jnp.zeros((), x.dtype), jnp.zeros((), x.dtype))
    return jnp.asarray(low).astype(x.dtype), jnp.asarray(high).astype(x.dtype)


@check_of(histc, lambda witness, **_: RuntimeError(f"torch.histc: range of {_shown_range(witness)} is not finite"))
def _(input: Tensor, bins: int, low: Number | None = None, high: Number | None = None) -> tuple[Tensor, Tensor]:
    if low is not None:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    return _not_finite(*_range_of_counts(widen(input), low, high))


# --- histogram and histogramdd ------------------------------------------------------------------------


@op(name="histogram.edges", differentiable=False)
def bin_edges(
    input: Tensor, bins: int, dimension: int, low: Number | None = None, high: Number | None = None
) -> Tensor:
    """The ``bins + 1`` edges of equal bins over the range; without one, over that of the data."""
    require_dtype(input.dtype, "f" if input.dtype.itemsize >= 4 else "", "histogramdd")
    ends = (low, high) if low is not None else _extremes(input)
    low, high = (jnp.asarray(end).astype(input.dtype) for end in ends)
    first, last = _apart(low, high, 0.5)
    step = (last - first) / bins
    i = jnp.arange(bins + 1)
    # Counted from the nearer end, as PyTorch's linspace does.
    up, down = first + step * i.astype(input.dtype), last - step * (bins - i).astype(input.dtype)
    return jnp.where(i < (bins + 1) // 2, up, down).astype(input.dtype)


def _edges_error(witness: int, dimension: int, **_) -> RuntimeError:
    return RuntimeError(f"torch.histogramdd: dimension {dimension}'s range {_shown_range(witness)} is not finite")


@check_of(bin_edges, _edges_error)
def _(
    input: Tensor, bins: int, dimension: int, low: Number | None = None, high: Number | None = None
) -> tuple[Tensor, Tensor]:
    if low is not None:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    return _not_finite(*_extremes(input))


@op(name="histogramdd.counts", differentiable=False)
def histogramdd(input: Tensor, edges: Tensors, weight: Tensor | None = None, density: bool = False) -> Tensor:
    """The (weighted) count of points, the rows of ``input``, in each box that the edges of every dimension make.

    The boxes are closed below; the last one of a dimension is closed above too. ``density``: divided by the total and
    by each box's volume, so that it integrates to 1.
    """
    require_dtype(input.dtype, "f" if input.dtype.itemsize >= 4 else "", "histogramdd")
    shape = tuple(e.shape[0] - 1 for e in edges)
    points = input.reshape(-1, len(edges))
    inside = jnp.ones(points.shape[0], bool)
    flat = jnp.zeros(points.shape[0], np.int64)
    for d, edge in enumerate(edges):
        x = points[:, d]
        inside = inside & (x >= edge[0]) & (x <= edge[-1])
        place = jnp.searchsorted(edge, x, side="right").astype(np.int64) - 1
        flat = flat * shape[d] + jnp.clip(place, 0, shape[d] - 1)
    total = math.prod(shape)
    flat = jnp.where(inside, flat, total)
    amount = jnp.ones((), input.dtype) if weight is None else weight.reshape(-1)
    counts = jnp.zeros(total, input.dtype).at[flat].add(amount, mode="drop").reshape(shape)
    return _density(counts, edges) if density else counts


def _density(counts: Tensor, edges: Tensors) -> Tensor:
    counts = counts / jnp.sum(counts)
    for d, edge in enumerate(edges):
        counts = counts / jnp.diff(edge).reshape([-1 if k == d else 1 for k in range(counts.ndim)])
    return counts


# --- positions ----------------------------------------------------------------------------------------


@op(
    out=Out(
        "nonzero_static: Expected out tensor to have scalar type {want} but got scalar type{got}", "same", first=False
    ),
    differentiable=False,
)
def nonzero_static(input: Tensor, *, size: int, fill_value: Number = -1) -> Tensor:
    """The coordinates of the first ``size`` nonzero elements, one a row; where there are fewer, ``fill_value``."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    if input.ndim == 0 or size == 0:
        return jnp.zeros((size, input.ndim), np.int64)
    found = jnp.nonzero(input, size=size, fill_value=0)
    filled = jnp.arange(size) >= jnp.count_nonzero(input)
    rows = jnp.stack([f.astype(np.int64) for f in found], axis=1)
    return jnp.where(filled[:, None], jnp.asarray(fill_value).astype(np.int64), rows)
