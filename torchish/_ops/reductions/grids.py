"""Integrals and derivatives of sampled functions: the trapezoidal rule, and differences of neighbours."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import check_broadcast
from ..registry import Number, Tensor, op
from ..scalar_types import default_float, is_bool, is_complex, is_inexact, is_integral


def _at(x: Tensor, axis: int, start: int, length: int = 1) -> Tensor:
    return lax.slice_in_dim(x, start, start + max(length, 0), axis=axis)


def _quotient_dtype(dtype: Any) -> np.dtype:
    """The dtype that a tensor of ``dtype`` has after a division."""
    return np.dtype(dtype) if is_inexact(dtype) else default_float()


def _as_step(number: Number, dtype: np.dtype) -> Tensor:
    """A number in ``dtype``, or, where it is complex and that is not, in the complex dtype of the same precision."""
    number = jnp.asarray(number)
    if is_complex(number.dtype) and not is_complex(dtype):
        dtype = np.dtype(np.complex128 if dtype == np.float64 else np.complex64)
    return number.astype(dtype)


# The trapezoidal rule


def _pairs(y: Tensor, axis: int) -> Tensor:
    """The sums of neighbours."""
    n = y.shape[axis]
    return _at(y, axis, 0, n - 1) + _at(y, axis, 1, n - 1)


def _areas(y: Tensor, x: Tensor, axis: int) -> Tensor:
    """Twice the areas between neighbours, of samples ``y`` at ``x``, which broadcast."""
    m = x.shape[axis]
    steps = _at(x, axis, min(1, m), m - 1) - _at(x, axis, 0, m - 1)
    pairs = _pairs(y, axis)
    check_broadcast(pairs, steps)
    common = jnp.promote_types(pairs.dtype, steps.dtype)
    return pairs.astype(common) * steps.astype(common)


def _sum(x: Tensor, axis: int) -> Tensor:
    return jnp.sum(x, axis, dtype=np.int64 if is_integral(x.dtype) else x.dtype)


@op(name="trapezoid.x", node="DivBackward1", grad_node="MulBackward0")
def trapezoid_x(y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The integral of samples ``y`` at ``x`` along ``dim``, by the trapezoidal rule."""
    total = _sum(_areas(y, x, dim), dim)
    return total.astype(_quotient_dtype(total.dtype)) / 2


@op(name="trapezoid.dx", node="MulBackward1", grad_node="MulBackward0")
def trapezoid_dx(y: Tensor, dx: Number, dim: int) -> Tensor:
    """The integral of samples ``y`` that lie ``dx`` apart along ``dim``, by the trapezoidal rule."""
    n, dtype = y.shape[dim], _quotient_dtype(y.dtype)
    ends = _at(y, dim, 0) + _at(y, dim, n - 1)
    return (_sum(y, dim).astype(dtype) - ends.squeeze(dim).astype(dtype) / 2) * _as_step(dx, dtype)


@op(name="cumulative_trapezoid.x", node="CumsumBackward0", grad_node="MulBackward0")
def cumulative_trapezoid_x(y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The integrals of samples ``y`` at ``x`` along ``dim`` up to each but the first."""
    areas = _areas(y, x, dim)
    return jnp.cumsum(areas.astype(_quotient_dtype(areas.dtype)) / 2, dim)


@op(name="cumulative_trapezoid.dx", node="CumsumBackward0", grad_node="MulBackward0")
def cumulative_trapezoid_dx(y: Tensor, dx: Number, dim: int) -> Tensor:
    """The integrals of samples ``y`` that lie ``dx`` apart along ``dim``, up to each but the first."""
    dtype = _quotient_dtype(y.dtype)
    return jnp.cumsum(_pairs(y, dim).astype(dtype) * (_as_step(dx, dtype) / 2), dim)


# Derivatives


def _refuse_bool(x: Tensor) -> None:
    if is_bool(x.dtype):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )


@op(name="gradient.even", node="CatBackward0", grad_node="MulBackward0")
def gradient_even(input: Tensor, step: Number, dim: int, edge_order: int = 1) -> Tensor:
    """The derivative along ``dim`` of samples ``step`` apart: central differences, one-sided ones at the edges."""
    _refuse_bool(input)
    n, dtype = input.shape[dim], _quotient_dtype(input.dtype)

    def at(start: int, length: int = 1) -> Tensor:
        return _at(input, dim, start, length)

    middle = (at(2, n - 2) - at(0, n - 2)).astype(dtype) / 2
    if edge_order == 1:
        first, last = (at(1) - at(0)).astype(dtype), (at(n - 1) - at(n - 2)).astype(dtype)
    else:
        a, b, c = (at(i).astype(dtype) for i in range(3))
        first = 2 * b - (1.5 * a + 0.5 * c)
        a, b, c = (at(n - 3 + i).astype(dtype) for i in range(3))
        last = 1.5 * c + 0.5 * a - 2 * b
    step = _as_step(step, dtype)
    return lax.concatenate([(x / step) for x in (first, middle, last)], dim)


@op(name="gradient.uneven", promote=("input", "x"), int_to_float=True, node="CatBackward0", grad_node="MulBackward0")
def gradient_uneven(input: Tensor, x: Tensor, dim: int, edge_order: int = 1) -> Tensor:
    """The derivative along ``dim`` of samples at ``x``, a vector: that of the parabola through three neighbours."""
    n, m = input.shape[dim], x.shape[0]
    x = x.reshape([-1 if i == dim else 1 for i in range(input.ndim)])

    def at(start: int, length: int = 1) -> Tensor:
        return _at(input, dim, start, length)

    def step(start: int, length: int = 1) -> Tensor:
        return _at(x, dim, start + 1, length) - _at(x, dim, start, length)

    before, after = step(0, m - 2), step(1, m - 2)
    middle = (
        at(0, n - 2) * (-after / (before * (before + after)))
        + at(1, n - 2) * ((after - before) / (before * after))
        + at(2, n - 2) * (before / (after * (before + after)))
    )
    if edge_order == 1:
        first, last = (at(1) - at(0)) / step(0), (at(n - 1) - at(n - 2)) / step(m - 2)
    else:
        a, b = step(0), step(1)
        first = at(0) * (-(2 * a + b) / (a * (a + b))) + at(1) * ((a + b) / (a * b)) - at(2) * (a / (b * (a + b)))
        a, b = step(m - 3), step(m - 2)
        last = (
            at(n - 3) * (b / (a * (a + b)))
            - at(n - 2) * ((a + b) / (a * b))
            + at(n - 1) * ((a + 2 * b) / (b * (a + b)))
        )
    return jnp.concatenate([first, middle, last], dim)
