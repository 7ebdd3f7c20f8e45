"""Quantiles: order statistics at a fraction of the way, interpolated between neighbours."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..arrays.indexing import IN_BOUNDS
from ..dims import normalize_dim
from ..registry import Number, Tensor, check_of, op
from .sorting import permutation


def _along_last(x: Tensor, dim: int | None) -> tuple[Tensor, tuple[int, ...]]:
    """``x`` with the dimension to reduce as its last, and the shape that ``keepdim`` leaves."""
    if dim is None or x.ndim == 0:
        if dim is not None:
            normalize_dim(dim, 0)
        return x.reshape(-1), (1,) * x.ndim
    axis = normalize_dim(dim, x.ndim)
    return jnp.moveaxis(x, axis, -1), tuple(1 if d == axis else n for d, n in enumerate(x.shape))


def _ranks(x: Tensor, q: Tensor, ignore_nan: bool) -> Tensor:
    """Where in the sorted last dimension each quantile lies; at its end, where NaNs are, if one counts."""
    nan = jnp.isnan(x)
    last = x.shape[-1] - 1
    if ignore_nan:
        present = jnp.sum(~nan, axis=-1, keepdims=True).astype(x.dtype)
        return jnp.maximum(q * (present - 1), 0)
    return jnp.where(jnp.any(nan, axis=-1, keepdims=True), jnp.asarray(last, x.dtype), q * last)


def _lerp(low: Tensor, high: Tensor, weight: Tensor) -> Tensor:
    """PyTorch's lerp, which starts from the nearer end."""
    step = high - low
    return jnp.where(weight < 0.5, low + weight * step, high - step * (1 - weight))


def _at(x: Tensor, order: Tensor, rank: Tensor) -> Tensor:
    """The elements of these whole ranks. They alone are gathered, so that their gradient is as small as they are."""
    place = jnp.take_along_axis(order, rank.astype(np.int64), -1, mode=IN_BOUNDS)
    return jnp.take_along_axis(x, place, -1, mode=IN_BOUNDS)


@op(name="quantile.of", out=True, node="SqueezeBackward4", grad_node="UnsqueezeBackward0")
def quantile(
    input: Tensor, q: Tensor | Number, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Tensor:
    """The ``q``-quantiles along ``dim`` (of all elements without): a leading dimension for those of a vector ``q``.

    A slice with a NaN has the quantile NaN, unless ``ignore_nan`` leaves NaNs out. ``interpolation``: linear, lower,
    higher, midpoint or nearest.
    """
    q = jnp.asarray(q).astype(input.dtype)
    x, kept = _along_last(input, dim)
    order = permutation(jax.lax.stop_gradient(x), x.ndim - 1)
    rank = jnp.broadcast_to(_ranks(x, q.reshape(-1), ignore_nan), (*x.shape[:-1], q.size))
    if interpolation in ("lower", "higher", "nearest"):
        rounded = {"lower": jnp.floor, "higher": jnp.ceil, "nearest": jnp.round}[interpolation](rank)
        found = _at(x, order, rounded)
    else:
        below = jax.lax.stop_gradient(jnp.floor(rank))
        weight = rank - below if interpolation == "linear" else jnp.full_like(rank, 0.5)
        found = _lerp(_at(x, order, below), _at(x, order, jnp.ceil(rank)), weight)
    found = jnp.moveaxis(found, -1, 0)
    shape = kept if keepdim else found.shape[1:]
    return found.reshape((*q.shape, *shape))


@check_of(quantile, lambda witness, **_: RuntimeError("quantile() q values must be in the range [0, 1]"))
def _(input: Tensor, q: Tensor | Number, **_) -> tuple[Tensor, Tensor]:
    return jnp.any(~((q >= 0) & (q <= 1))), jnp.asarray(0, np.int64)
