"""Arithmetic and selection on broadcast operands: add, div, remainder, maximum, clamp, where, ...

Operands that promote arrive in their common dtype. Where PyTorch's derivative is not the one that JAX
gives (ties, bounds, 0 / 0, large divisors), the value carries a ``jax.custom_jvp`` rule beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..broadcasting import check_broadcast
from ..kernel_dtypes import half_in_float32, require_dtype, rounded
from ..out_rules import CASTABLE, HEAVISIDE, Out, by_numbers, lerp_rule
from ..quotients import quotient
from ..registry import Number, Tensor, check_of, op, validation_of
from ..scalar_types import default_float, is_bool, is_complex, is_integral, scalar_name


def by_number(*params: str, number: str, tensor: str) -> Callable[..., str]:
    """A node's name where PyTorch has one node for a Python number and another for a tensor.

    ``numbers``, among the static arguments, holds the names of the operands given as Python numbers.
    """

    def node(numbers: tuple[str, ...] = (), **_: Any) -> str:
        return number if any(p in numbers for p in params) else tensor

    return node


def _like(tangent: Tensor, result: Tensor) -> Tensor:
    return jnp.broadcast_to(tangent, result.shape)


# Sums and products


def _scaled(other: Tensor, alpha: Number) -> Tensor:
    return other if isinstance(alpha, int) and alpha == 1 else other * jnp.asarray(alpha, other.dtype)


def refuse_bool_subtraction(dtype: Any) -> None:
    if is_bool(dtype):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )


def refuse_bool_operand(dtype: Any) -> None:
    """Refuse to subtract where one operand is bool, as PyTorch does before it promotes them."""
    if is_bool(dtype):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )


@op(promote=("input", "other"), inplace=True, out=True, takes_numbers=True)
@half_in_float32
def add(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``input + alpha * other``, broadcast. For bools: or."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "bifc", "add_stub")
    return input + _scaled(other, alpha)


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    aliases=("subtract",),
    grad_node="NegBackward0",
    takes_numbers=True,
)
@half_in_float32
def sub(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``input - alpha * other``, broadcast. Bools are refused."""
    check_broadcast(input, other)
    refuse_bool_subtraction(input.dtype)
    require_dtype(input.dtype, "ifc", "add_stub")
    return input - _scaled(other, alpha)


@op(
    promote=("input", "other"),
    namespaces=("torch",),
    node=by_number("other", number="RsubBackward1", tensor="RsubBackward0"),
    grad_node="NegBackward0",
)
@half_in_float32
def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``other - alpha * input``, broadcast: what ``1 - tensor`` calls."""
    check_broadcast(other, input)
    refuse_bool_subtraction(input.dtype)
    require_dtype(input.dtype, "ifc", "add_stub")
    return other - _scaled(input, alpha)


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    aliases=("multiply",),
    grad_node="MulBackward0",
    takes_numbers=True,
    wide_numbers=True,
)
@half_in_float32
def mul(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * other``, broadcast. For bools: and."""
    check_broadcast(input, other)
    return input * other


@op(promote=("input", "tensor1", "tensor2"), inplace=True, out=True, grad_node="MulBackward0", wide_numbers=True)
@half_in_float32
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``, broadcast."""
    check_broadcast(input, tensor1, tensor2)
    require_dtype(input.dtype, "ifc", "addcmul_cpu_out")
    return input + _scaled(tensor1, value) * tensor2


@op(promote=("input", "tensor1", "tensor2"), inplace=True, out=True, grad_node="MulBackward0", wide_numbers=True)
@half_in_float32
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``, broadcast. Integers are refused."""
    if is_integral(input.dtype):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value "
            "* tensor1 / tensor2), for all dtypes."
        )
    check_broadcast(input, tensor1, tensor2)
    return input + quotient(_scaled(tensor1, value), tensor2)


@op(
    inplace=True,
    out=lerp_rule,
    node=by_number("weight", number="LerpBackward0", tensor="LerpBackward1"),
    grad_node="MulBackward0",
)
@half_in_float32
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """``input + weight * (end - input)``, broadcast; the tensors have one dtype.

    From a weight of 0.5 on it is computed from ``end`` backwards, so that weight 1 gives ``end`` exactly.
    """
    for name, x in (("end", end), ("weight", weight)):
        # A Python number as weight arrives as a 0-dim number and takes the dtype of the tensors.
        if x.dtype != input.dtype and not (name == "weight" and x.ndim == 0):
            raise RuntimeError(
                f"expected dtype {scalar_name(input.dtype).lower()} for `{name}` "
                f"but got dtype {scalar_name(x.dtype).lower()}"
            )
    require_dtype(input.dtype, "fc", "lerp_kernel_tensor" if weight.ndim else "lerp_kernel_scalar")
    check_broadcast(input, end, weight)
    weight = weight.astype(input.dtype)
    step = end - input
    return jnp.where(jnp.abs(weight) < 0.5, input + weight * step, end - step * (1 - weight))


# Division


@jax.custom_jvp
def _floor_quotient(a: Tensor, b: Tensor) -> Tensor:
    """The floor of the exact quotient of floats, which the rounded quotient's floor can miss by one."""
    mod = rounded(lax.rem(a, b))
    div = rounded(quotient(rounded(a - mod), b))
    div = jnp.where((mod != 0) & ((b < 0) != (mod < 0)), div - 1, div)
    floor = jnp.floor(div)
    floor = jnp.where(div - floor > 0.5, floor + 1, floor)
    whole = quotient(a, b)
    return jnp.where(b == 0, whole, jnp.where(div == 0, jnp.copysign(jnp.zeros_like(div), whole), floor))


# A rounded quotient is flat, at its steps too.
_floor_quotient.defjvps(lambda t, ans, a, b: jnp.zeros_like(ans), lambda t, ans, a, b: jnp.zeros_like(ans))


def _divide_floor(a: Tensor, b: Tensor) -> Tensor:
    require_dtype(a.dtype, "if", "div_floor_cpu")
    if is_integral(a.dtype):
        return jnp.floor_divide(a, b)
    a, b = jnp.broadcast_arrays(a, b)
    return _floor_quotient(a, b)


def _divide_trunc(a: Tensor, b: Tensor) -> Tensor:
    require_dtype(a.dtype, "if", "div_trunc_cpu")
    if is_integral(a.dtype):
        return lax.div(*jnp.broadcast_arrays(a, b))
    return jnp.trunc(rounded(quotient(lax.stop_gradient(a), lax.stop_gradient(b))))


def _by_step_or_once(divide: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor) -> Tensor:
    """Two half tensors are divided with a rounding after each step, one by a number with a single one, as in PyTorch."""
    return divide(a, b) if a.dtype == b.dtype else half_in_float32(divide)(a, b)


def divide(a: Tensor, b: Tensor) -> Tensor:
    """``a / b``, of integers in the default floating dtype."""
    if is_integral(a.dtype):
        a, b = a.astype(default_float()), b.astype(default_float())
    return quotient(a, b)


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    aliases=("divide",),
    node=lambda rounding_mode=None, **_: "DivBackward2" if rounding_mode else "DivBackward0",
    grad_node="DivBackward0",
    takes_numbers=True,
    wide_numbers=True,
)
def div(input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``, broadcast; rounded where ``rounding_mode`` is ``"trunc"`` or ``"floor"``.

    Without rounding, integers give the default floating dtype; rounded, they stay integers and a
    divisor of 0 raises RuntimeError ("ZeroDivisionError").
    """
    check_broadcast(input, other)
    if rounding_mode is None:
        return half_in_float32(divide)(input, other)
    if rounding_mode == "floor":
        return _by_step_or_once(_divide_floor, input, other)
    if rounding_mode == "trunc":
        return _by_step_or_once(_divide_trunc, input, other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@op(
    promote=("input", "other"),
    int_to_float=True,
    inplace=True,
    out=CASTABLE.but(autograd="div"),
    node="DivBackward0",
    grad_node="DivBackward0",
    wide_numbers=True,
)
@half_in_float32
def true_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input / other``, broadcast; integers give the default floating dtype."""
    check_broadcast(input, other)
    return quotient(input, other)


@op(
    promote=("input", "other"),
    inplace=True,
    out=CASTABLE.but(lenient=True),
    differentiable=False,
    takes_numbers=True,
    wide_numbers=True,
)
def floor_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The floor of ``input / other``, broadcast. An integer divisor of 0 raises RuntimeError ("ZeroDivisionError")."""
    check_broadcast(input, other)
    return _by_step_or_once(_divide_floor, input, other)


@jax.custom_jvp
def _modulus(a: Tensor, b: Tensor) -> Tensor:
    mod = lax.rem(*jnp.broadcast_arrays(a, b))
    return jnp.where((mod != 0) & ((b < 0) != (mod < 0)), mod + b, mod)


_modulus.defjvps(lambda t, ans, a, b: _like(t, ans), lambda t, ans, a, b: -_divide_floor(a, b) * t)


@jax.custom_jvp
def _c_modulus(a: Tensor, b: Tensor) -> Tensor:
    return lax.rem(*jnp.broadcast_arrays(a, b))


_c_modulus.defjvps(lambda t, ans, a, b: _like(t, ans), lambda t, ans, a, b: -_divide_trunc(a, b) * t)


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    node=by_number("other", number="RemainderBackward0", tensor="RemainderBackward1"),
    grad_node="MulBackward0",
)
@half_in_float32
def remainder(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input - floor(input / other) * other``, broadcast: Python's ``%``, with the sign of ``other``.

    An integer divisor of 0 raises RuntimeError ("ZeroDivisionError").
    """
    check_broadcast(input, other)
    require_dtype(input.dtype, "if", "remainder_cpu")
    return _modulus(input, other)


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    node=by_number("other", number="FmodBackward0", tensor="FmodBackward1"),
    grad_node="MulBackward0",
)
@half_in_float32
def fmod(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input - trunc(input / other) * other``, broadcast: C's ``fmod``, with the sign of ``input``.

    An integer divisor of 0 raises RuntimeError ("ZeroDivisionError").
    """
    check_broadcast(input, other)
    require_dtype(input.dtype, "if", "fmod_cpu")
    return _c_modulus(input, other)


def _zero_divisor(input: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    bad = jnp.any(other == 0) if is_integral(other.dtype) else jnp.zeros((), bool)
    return bad, jnp.zeros((), jnp.int64)


def _zero_divisor_of_div(input: Tensor, other: Tensor, *, rounding_mode: str | None = None) -> tuple[Tensor, Tensor]:
    bad, witness = _zero_divisor(input, other)
    return bad & (rounding_mode is not None), witness


for _op_body, _check in (
    (div, _zero_divisor_of_div),
    (floor_divide, _zero_divisor),
    (remainder, _zero_divisor),
    (fmod, _zero_divisor),
):
    check_of(_op_body, lambda witness, **_: RuntimeError("ZeroDivisionError"))(_check)


# Selection


def _refuse_complex(name: str, dtype: Any) -> None:
    if is_complex(dtype):
        raise RuntimeError(f"{name} not implemented for complex tensors.")


@jax.custom_jvp
def _maximum(a: Tensor, b: Tensor) -> Tensor:
    return jnp.maximum(a, b)


@jax.custom_jvp
def _minimum(a: Tensor, b: Tensor) -> Tensor:
    return jnp.minimum(a, b)


# PyTorch's convention: a tie splits the gradient in two; where an operand is NaN both get all of it.
_maximum.defjvps(
    lambda t, ans, a, b: jnp.where(a == b, t / 2, jnp.where(a < b, 0, t)),
    lambda t, ans, a, b: jnp.where(a == b, t / 2, jnp.where(a > b, 0, t)),
)
_minimum.defjvps(
    lambda t, ans, a, b: jnp.where(a == b, t / 2, jnp.where(a > b, 0, t)),
    lambda t, ans, a, b: jnp.where(a == b, t / 2, jnp.where(a < b, 0, t)),
)


@op(promote=("input", "other"), out=True, grad_node="MaskedFillBackward0")
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements, broadcast; NaN where either is NaN. Complex is refused."""
    _refuse_complex("maximum", input.dtype)
    require_dtype(input.dtype, "bif", "maximum_cpu")
    check_broadcast(input, other)
    return _maximum(input, other)


@op(promote=("input", "other"), out=True, grad_node="MaskedFillBackward0")
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements, broadcast; NaN where either is NaN. Complex is refused."""
    _refuse_complex("minimum", input.dtype)
    require_dtype(input.dtype, "bif", "minimum_cpu")
    check_broadcast(input, other)
    return _minimum(input, other)


@op(promote=("input", "other"), out=True, grad_node="MaskedFillBackward0")
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements, broadcast; the other one where one is NaN. A tie's gradient goes to ``input``."""
    _refuse_complex("fmax", input.dtype)
    require_dtype(input.dtype, "bif", "maximum_cpu")
    check_broadcast(input, other)
    return jnp.where((input >= other) | jnp.isnan(other), input, other)


@op(promote=("input", "other"), out=True, grad_node="MaskedFillBackward0")
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements, broadcast; the other one where one is NaN. A tie's gradient goes to ``input``."""
    _refuse_complex("fmin", input.dtype)
    require_dtype(input.dtype, "bif", "minimum_cpu")
    check_broadcast(input, other)
    return jnp.where((input <= other) | jnp.isnan(other), input, other)


@jax.custom_jvp
def _clamp(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return jnp.minimum(jnp.maximum(x, low), high)


@jax.custom_jvp
def _clamp_low(x: Tensor, low: Tensor) -> Tensor:
    return jnp.maximum(x, low)


@jax.custom_jvp
def _clamp_high(x: Tensor, high: Tensor) -> Tensor:
    return jnp.minimum(x, high)


# PyTorch's convention: on a bound the gradient is all the input's; a NaN gets none.
_clamp.defjvps(
    lambda t, ans, x, low, high: jnp.where((x >= low) & (x <= high), t, 0),
    lambda t, ans, x, low, high: jnp.where((x < low) & (low < high), t, 0),
    lambda t, ans, x, low, high: jnp.where((x > high) | (high < low), t, 0),
)
_clamp_low.defjvps(
    lambda t, ans, x, low: jnp.where(x >= low, t, 0),
    lambda t, ans, x, low: jnp.where(x < low, t, 0),
)
_clamp_high.defjvps(
    lambda t, ans, x, high: jnp.where(x <= high, t, 0),
    lambda t, ans, x, high: jnp.where(x > high, t, 0),
)


def _clamp_between(x: Tensor, low: Tensor | None, high: Tensor | None) -> Tensor:
    check_broadcast(*(b for b in (x, low, high) if b is not None))
    if low is None:
        return _clamp_high(x, high)
    return _clamp_low(x, low) if high is None else _clamp(x, low, high)


def _refuse_complex_clamp(dtype: Any) -> None:
    if is_complex(dtype):
        raise NotImplementedError("clamp is not supported for complex types")


@op(
    promote=("input", "min", "max"),
    inplace=True,
    out=by_numbers("min", "max"),
    aliases=("clip",),
    node=by_number("min", "max", number="ClampBackward1", tensor="ClampBackward0"),
    grad_node="WhereBackward0",
)
def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
    """``input`` limited to [min, max], broadcast; ``max`` where ``min > max``. NaN stays NaN."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    _refuse_complex_clamp(input.dtype)
    if min is None or max is None:
        require_dtype(input.dtype, "bif", "minimum_cpu" if min is None else "maximum_cpu")
    else:
        require_dtype(input.dtype, "if", "clamp_cpu")
    return _clamp_between(input, min, max)


@op(
    promote=("input", "min"),
    inplace=True,
    out=by_numbers("min"),
    node=by_number("min", number="ClampMinBackward0", tensor="ClampMinBackward1"),
    grad_node="WhereBackward0",
)
def clamp_min(input: Tensor, min: Tensor | Number) -> Tensor:
    """``input``, but at least ``min``, broadcast."""
    if min.ndim == 0:
        _refuse_complex_clamp(input.dtype)
    require_dtype(input.dtype, "bif", "maximum_cpu")
    return _clamp_between(input, min, None)


@op(
    promote=("input", "max"),
    inplace=True,
    out=by_numbers("max"),
    node=by_number("max", number="ClampMaxBackward0", tensor="ClampMaxBackward1"),
    grad_node="WhereBackward0",
)
def clamp_max(input: Tensor, max: Tensor | Number) -> Tensor:
    """``input``, but at most ``max``, broadcast."""
    if max.ndim == 0:
        _refuse_complex_clamp(input.dtype)
    require_dtype(input.dtype, "bif", "minimum_cpu")
    return _clamp_between(input, None, max)


@op(
    promote=("input", "other"),
    namespaces=(),
    out=Out("Expected out type to be {want} but got {got}", "same"),
    grad_node="WhereBackward0",
)
def where(condition: Tensor, input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input`` where ``condition``, else ``other``, broadcast. The condition is bool (or uint8)."""
    if condition.dtype not in (jnp.bool_, jnp.uint8):
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{scalar_name(condition.dtype)}"
        )
    check_broadcast(condition, input, other)
    return half_in_float32(jnp.where)(condition.astype(bool), input, other)


@op(inplace=True, out=HEAVISIDE, differentiable=False)
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 where ``input`` is negative, ``values`` where it is 0, 1 where it is positive; one dtype, broadcast."""
    if is_complex(input.dtype) or is_complex(values.dtype):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    require_dtype(input.dtype, "bif", "heaviside_cpu")
    check_broadcast(input, values)
    return jnp.where(input == 0, values, (input > 0).astype(input.dtype))


@validation_of(sub)
@validation_of(rsub)
def _no_bool_operand(dtypes: dict[str, Any]) -> None:
    """Promotion would hide a bool operand beside another."""
    if is_bool(dtypes["input"]) and is_bool(dtypes["other"]):
        return  # the body's error is another
    for name in ("input", "other"):
        refuse_bool_operand(dtypes[name])
