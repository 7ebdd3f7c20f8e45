"""Comparisons, tests of elements, and logic: ops with no derivative.

Broadcast operands that promote arrive in their common dtype; the results are bool except where said.
"""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import check_broadcast
from ..kernel_dtypes import require_dtype
from ..out_rules import ANY, FOUND, booleans_only
from ..registry import Number, Tensor, check_of, op
from ..scalar_types import default_float, is_bool, is_complex, is_floating, is_inexact, is_integral, scalar_name

_comparison = functools.partial(op, promote=("input", "other"), inplace=True, out=ANY, differentiable=False)
_logical = functools.partial(op, inplace=True, out=ANY, differentiable=False)


@_comparison()
def eq(input: Tensor, other: Tensor | Number) -> Tensor:
    """Whether ``input == other``, broadcast."""
    check_broadcast(input, other)
    return input == other


@_comparison(aliases=("not_equal",))
def ne(input: Tensor, other: Tensor | Number) -> Tensor:
    """Whether ``input != other``, broadcast."""
    check_broadcast(input, other)
    return input != other


@_comparison(aliases=("less",))
def lt(input: Tensor, other: Tensor | Number) -> Tensor:
    """Whether ``input < other``, broadcast. Complex is refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "bif", "lt_cpu")
    return input < other


@_comparison(aliases=("less_equal",))
def le(input: Tensor, other: Tensor | Number) -> Tensor:
    """Whether ``input <= other``, broadcast. Complex is refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "bif", "le_cpu")
    return input <= other


@_comparison(aliases=("greater",))
def gt(input: Tensor, other: Tensor | Number) -> Tensor:
    """Whether ``input > other``, broadcast. Complex is refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "bif", "gt_cpu")
    return input > other


@_comparison(aliases=("greater_equal",))
def ge(input: Tensor, other: Tensor | Number) -> Tensor:
    """Whether ``input >= other``, broadcast. Complex is refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "bif", "ge_cpu")
    return input >= other


@op(differentiable=False)
def isclose(
    input: Tensor, other: Tensor, rtol: Number = 1e-05, atol: Number = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, broadcast; one dtype. Infinities are close to themselves.

    NaN is close to NaN where ``equal_nan``. A negative tolerance raises RuntimeError.
    """
    if input.dtype != other.dtype:
        raise RuntimeError(f"{scalar_name(input.dtype)} did not match {scalar_name(other.dtype)}")
    check_broadcast(input, other)
    same = input == other
    if equal_nan and is_inexact(input.dtype):
        same |= jnp.isnan(input) & jnp.isnan(other)
    if is_integral(input.dtype):
        input, other = input.astype(default_float()), other.astype(default_float())
    distance = jnp.abs(input - other)
    # Numbers without a dtype of their own: the allowed distance keeps the precision of the tensors.
    rtol, atol = jnp.asarray(rtol, distance.dtype), jnp.asarray(atol, distance.dtype)
    # With both tolerances 0 equality alone counts, as it does anyway: the distance is then 0.
    return same | (jnp.isfinite(distance) & (distance <= atol + jnp.abs(rtol * other)))


def number_bits(number: Number) -> Tensor:
    """A number as an int64 of a double's bits: how a data check hands a float to its error."""
    return lax.bitcast_convert_type(jnp.asarray(number, jnp.float64), jnp.int64)


def number_of_bits(bits: int) -> float:
    return float(np.int64(bits).view(np.float64))


def _isclose_error(witness: int, **_: Any) -> Exception:
    name = "atol" if witness & 1 else "rtol"
    return RuntimeError(f"{name} must be greater than or equal to zero, but got {number_of_bits(witness & ~1):g}")


@check_of(isclose, _isclose_error)
def _negative_tolerance(
    input: Tensor, other: Tensor, rtol: Number = 1e-05, atol: Number = 1e-08, equal_nan: bool = False
) -> tuple[Tensor, Tensor]:
    rtol_bad, atol_bad = jnp.asarray(rtol) < 0, jnp.asarray(atol) < 0
    # The witness is the tolerance's bits, its lowest bit saying which of the two it is.
    witness = jnp.where(rtol_bad, number_bits(rtol) & ~1, number_bits(atol) | 1)
    return rtol_bad | atol_bad, witness


@op(differentiable=False)
def isnan(input: Tensor) -> Tensor:
    """Whether each element is NaN (for complex: in either part)."""
    return jnp.isnan(input)


@op(differentiable=False)
def isinf(input: Tensor) -> Tensor:
    """Whether each element is infinite (for complex: in either part)."""
    return jnp.isinf(input)


@op(differentiable=False)
def isfinite(input: Tensor) -> Tensor:
    """Whether each element is neither infinite nor NaN."""
    return jnp.isfinite(input)


@op(out=booleans_only("isposinf"), differentiable=False)
def isposinf(input: Tensor) -> Tensor:
    """Whether each element is positive infinity. Complex is refused."""
    if is_complex(input.dtype):
        raise RuntimeError("isposinf does not support complex inputs.")
    return input == jnp.inf if is_floating(input.dtype) else jnp.zeros(input.shape, bool)


@op(out=booleans_only("isneginf"), differentiable=False)
def isneginf(input: Tensor) -> Tensor:
    """Whether each element is negative infinity. Complex is refused."""
    if is_complex(input.dtype):
        raise RuntimeError("isneginf does not support complex inputs.")
    return input == -jnp.inf if is_floating(input.dtype) else jnp.zeros(input.shape, bool)


@op(differentiable=False)
def isreal(input: Tensor) -> Tensor:
    """Whether each element has no imaginary part."""
    return jnp.imag(input) == 0


@op(out=booleans_only("signbit"), differentiable=False)
def signbit(input: Tensor) -> Tensor:
    """Whether the sign bit is set: for negative numbers, -0.0 and negative NaN. Complex is refused."""
    if is_complex(input.dtype):
        raise NotImplementedError("signbit is not implemented for complex tensors.")
    if is_bool(input.dtype):
        return jnp.zeros(input.shape, bool)
    return jnp.signbit(input) if is_floating(input.dtype) else input < 0


@_logical()
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both elements are nonzero, broadcast; the dtypes may differ."""
    check_broadcast(input, other)
    return _truth(input, "logical_and_cpu") & _truth(other, "logical_and_cpu")


@_logical()
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether one of two elements is nonzero, or both, broadcast; the dtypes may differ."""
    check_broadcast(input, other)
    return _truth(input, "logical_or_cpu") | _truth(other, "logical_or_cpu")


@_logical()
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one of two elements is nonzero, broadcast; the dtypes may differ."""
    check_broadcast(input, other)
    return _truth(input, "logical_xor_cpu") ^ _truth(other, "logical_xor_cpu")


@_logical()
def logical_not(input: Tensor) -> Tensor:
    """Whether each element is zero."""
    return ~_truth(input, "logical_not_cpu")


def _truth(x: Tensor, kernel: str) -> Tensor:
    require_dtype(x.dtype, "bifc", kernel)
    return x != 0


@_comparison(out=True)
def bitwise_and(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits set in both integers (or bools), broadcast; in their common dtype."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "biw", "bitwise_and_cpu")
    return input & other


@_comparison(out=True)
def bitwise_or(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits set in one of two integers (or bools), or in both, broadcast; in their common dtype."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "biw", "bitwise_or_cpu")
    return input | other


@_comparison(out=True)
def bitwise_xor(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits set in exactly one of two integers (or bools), broadcast; in their common dtype."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "biw", "bitwise_xor_cpu")
    return input ^ other


@_logical(out=FOUND)
def bitwise_not(input: Tensor) -> Tensor:
    """Every bit of an integer inverted; for bools: not."""
    require_dtype(input.dtype, "bi", "bitwise_not_cpu")
    return ~input


def _bit_width(x: Tensor) -> int:
    return 8 * x.dtype.itemsize


@_comparison(out=True)
def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input << other`` of integers, broadcast; 0 where the shift is negative or as wide as the dtype."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "i", "lshift_cpu")
    outside = (other < 0) | (other >= _bit_width(input))
    return jnp.where(outside, 0, jnp.left_shift(input, jnp.where(outside, 0, other)))


@_comparison(out=True)
def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input >> other`` of integers, with the sign kept, broadcast.

    A shift that is negative or as wide as the dtype leaves the sign alone: 0 or -1.
    """
    check_broadcast(input, other)
    require_dtype(input.dtype, "i", "rshift_cpu")
    outside = (other < 0) | (other >= _bit_width(input))
    shifted = jnp.right_shift(input, jnp.where(outside, 0, other))
    return jnp.where(outside, jnp.where(input < 0, -1, 0).astype(input.dtype), shifted)
