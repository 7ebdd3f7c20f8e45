"""Distances of all pairs of rows: ``cdist`` of two sets, ``pdist`` within one."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..broadcasting import broadcast_shapes
from ..precision import matmul_precision
from ..reductions.reduction import p_norm
from ..registry import Tensor, op
from ..scalar_types import is_floating, scalar_name
from .errors import require_lapack

_MODES = {
    None: 0,
    "use_mm_for_euclid_dist_if_necessary": 0,
    "use_mm_for_euclid_dist": 1,
    "donot_use_mm_for_euclid_dist": 2,
}
# Sets of more rows than this have their Euclidean distances from a matrix product, which rounds more.
_FEW_ROWS = 25


def _length(p: float, difference: Tensor) -> Tensor:
    """The ``p``-norm along the last dimension."""
    if difference.shape[-1] == 0:
        return jnp.zeros(difference.shape[:-1], difference.dtype)
    if math.isinf(p):
        return _largest(difference)
    return jnp.squeeze(p_norm(float(p), (difference.ndim - 1,), difference), -1)


@jax.custom_jvp
def _largest(x: Tensor) -> Tensor:
    return jnp.max(jnp.abs(x), axis=-1)


@_largest.defjvp
def _(primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """Each of several equal coordinates has the whole derivative, where a norm's would be shared among them."""
    (x,), (t,) = primals, tangents
    largest = _largest(x)
    return largest, jnp.sum(jnp.sign(x) * (jnp.abs(x) == largest[..., None]) * t, axis=-1)


@jax.custom_jvp
def _euclidean(x1: Tensor, x2: Tensor) -> Tensor:
    """Euclidean distances from ``|a|**2 - 2 a b + |b|**2``."""
    squares = [jnp.sum(x * x, axis=-1) for x in (x1, x2)]
    products = jnp.matmul(x1, jnp.swapaxes(x2, -1, -2), precision=matmul_precision())
    squared = squares[0][..., :, None] - 2 * products + squares[1][..., None, :]
    return jnp.sqrt(jnp.where(squared < 0, jnp.zeros((), squared.dtype), squared))


@_euclidean.defjvp
def _(primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """0 at distance 0, where a square root has no slope."""
    (x1, x2), (t1, t2) = primals, tangents
    distance = _euclidean(x1, x2)

    def product(a: Tensor, b: Tensor) -> Tensor:
        return jnp.matmul(a, jnp.swapaxes(b, -1, -2), precision=matmul_precision())

    slope = jnp.sum(x1 * t1, axis=-1)[..., :, None] - product(t1, x2)
    slope = slope - product(x1, t2) + jnp.sum(x2 * t2, axis=-1)[..., None, :]
    zero = distance == 0
    return distance, jnp.where(zero, 0, slope / jnp.where(zero, jnp.ones((), distance.dtype), distance))


def _check_sets(x1: Tensor, x2: Tensor, p: float) -> None:
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    for name, x in (("X1", x1), ("X2", x2)):
        if not is_floating(x.dtype):
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {scalar_name(x.dtype)}")
    if not p >= 0:
        raise RuntimeError("cdist only supports non-negative p values")


@op(namespaces=("torch",), saves="operands", grad_node="AddBackward0")
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The ``p``-norm distance of each row of ``x1`` and each row of ``x2``; batches broadcast.

    The derivative is 0 at distance 0. Euclidean distances of more than 25 rows come from a matrix product unless
    ``compute_mode`` is ``"donot_use_mm_for_euclid_dist"``.
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    _check_sets(x1, x2, p)
    batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    if x1.dtype != x2.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(x1.dtype)} but found {scalar_name(x2.dtype)}")
    rows, others = x1.shape[-2], x2.shape[-2]
    mode = _MODES[compute_mode]
    by_product = p == 2 and (mode == 1 or (mode == 0 and max(rows, others) > _FEW_ROWS))
    if 0 in (*batch, rows, others, x1.shape[-1]):
        return jnp.zeros((*batch, rows, others), x1.dtype)
    if by_product:
        wide = [x.astype(np.float32) if x.dtype.itemsize == 2 else x for x in (x1, x2)]
        a, b = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in wide)
        return _euclidean(a, b).astype(x1.dtype)
    require_lapack(x1.dtype, "cdist")
    return _length(p, x1[..., :, None, :] - x2[..., None, :, :])


@op(namespaces=("torch", "nn.functional"), saves="operands", grad_node="PdistBackwardBackward0")
def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The ``p``-norm distances of all pairs of rows: of row 0 to each later one, then of row 1, and so on."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not is_floating(input.dtype):
        raise RuntimeError("pdist only supports floating-point dtypes")
    if not p >= 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = _pairs(input.shape[0])
    if first.shape[0] == 0 or input.shape[1] == 0:
        return jnp.zeros(first.shape, input.dtype)
    require_lapack(input.dtype, "pdist")
    return _length(p, input[first] - input[second])


def _pairs(n: int) -> tuple[Tensor, Tensor]:
    """The two rows of each pair, computed where they are used: as constants they would fill the program."""
    count = n * (n - 1) // 2
    pair = jax.lax.iota(np.int64, count)
    row = jax.lax.iota(np.int64, n)
    starts = row * (2 * n - row - 1) // 2
    first = jnp.searchsorted(starts, pair, side="right") - 1 if count else pair
    # The last row begins no pair: its start is the count, beyond all of them.
    return first, pair - starts[first] + first + 1 if count else pair
