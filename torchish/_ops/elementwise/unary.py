"""Functions of one array, element by element: exp, log, sin, floor, round, abs, erf, lgamma, ...

Ops defined by ``_float_op`` promote integers to the default floating dtype. Where PyTorch's derivative is
not the one that JAX gives, the value carries a ``jax.custom_jvp`` rule beside it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import CASTABLE, FOUND, Out, abs_rule
from ..quotients import quotient
from ..registry import Number, Tensor, op
from ..scalar_types import is_bool, is_complex, is_floating, is_integral

_float_op = functools.partial(
    op, promote=("input",), int_to_float=True, inplace=True, out=True, grad_node="MulBackward0"
)
_with_functional = ("torch", "Tensor", "nn.functional")

LN_2 = math.log(2)


# Exponentials and logarithms


@_float_op(saves="result")
def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""
    return jnp.exp(input)


@_float_op(aliases=("special.exp2",), saves="result", grad_node="MulBackward1")
@half_in_float32
def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""
    return jnp.exp2(input)


@_float_op(aliases=("special.expm1",), saves="result")
def expm1(input: Tensor) -> Tensor:
    """``exp(input) - 1``, exact near 0."""
    return jnp.expm1(input)


@_float_op(grad_node="DivBackward0")
def log(input: Tensor) -> Tensor:
    """The natural logarithm."""
    return jnp.log(input)


@jax.custom_jvp
def _real_log2(x: Tensor) -> Tensor:
    # log(x) / log(2) misses some powers of two by one bit, and their floor by one: split off the exponent.
    mantissa, exponent = jnp.frexp(x)
    low = mantissa < math.sqrt(0.5)
    mantissa = jnp.where(low, 2 * mantissa, mantissa)
    exponent = jnp.where(low & (x > 0), exponent - 1, exponent)
    return exponent.astype(x.dtype) + jnp.log(mantissa) / LN_2


_real_log2.defjvps(lambda t, ans, x: t / (x * LN_2))


@_float_op(grad_node="DivBackward0")
@half_in_float32
def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2, exact at powers of two."""
    return jnp.log(input) / LN_2 if is_complex(input.dtype) else _real_log2(input)


@_float_op(grad_node="DivBackward0")
@half_in_float32
def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return jnp.log10(input)


@_float_op(aliases=("special.log1p",), grad_node="DivBackward0", node="Log1PBackward0")
def log1p(input: Tensor) -> Tensor:
    """``log(1 + input)``, exact near 0."""
    return jnp.log1p(input)


# Powers


@_float_op(saves="result", grad_node="DivBackward0")
def sqrt(input: Tensor) -> Tensor:
    """The square root; NaN for negative numbers. Its derivative at 0 is infinite."""
    return jnp.sqrt(input)


@jax.custom_jvp
def _rsqrt(x: Tensor) -> Tensor:
    return lax.rsqrt(x)


# The cube of the result: at -0.0, where the result is -inf, PyTorch's derivative is +inf.
_rsqrt.defjvps(lambda t, ans, x: t * (-0.5 * (ans * ans * ans)))


@_float_op(saves="result")
def rsqrt(input: Tensor) -> Tensor:
    """One over the square root."""
    return _rsqrt(input)


@jax.custom_jvp
def _reciprocal(x: Tensor) -> Tensor:
    return 1 / x


_reciprocal.defjvps(lambda t, ans, x: -t * (ans * ans))


@_float_op(saves="result")
def reciprocal(input: Tensor) -> Tensor:
    """``1 / input``."""
    return _reciprocal(input)


@op(inplace=True, out=CASTABLE.but(autograd="pow"), node="PowBackward0", grad_node="MulBackward0")
def square(input: Tensor) -> Tensor:
    """``input * input``; bools give int64."""
    if is_bool(input.dtype):
        input = input.astype(jnp.int64)
    require_dtype(input.dtype, "ifc", "pow")
    return jnp.square(input)


# Trigonometric and hyperbolic functions


@_float_op()
def sin(input: Tensor) -> Tensor:
    """The sine of radians."""
    return jnp.sin(input)


@_float_op()
def cos(input: Tensor) -> Tensor:
    """The cosine of radians."""
    return jnp.cos(input)


@_float_op(saves="result")
def tan(input: Tensor) -> Tensor:
    """The tangent of radians."""
    return jnp.tan(input)


@_float_op(aliases=("arcsin",))
def asin(input: Tensor) -> Tensor:
    """The angle in radians whose sine is ``input``."""
    return jnp.arcsin(input)


@_float_op(aliases=("arccos",))
def acos(input: Tensor) -> Tensor:
    """The angle in radians whose cosine is ``input``."""
    return jnp.arccos(input)


@_float_op(aliases=("arctan",), grad_node="DivBackward0")
def atan(input: Tensor) -> Tensor:
    """The angle in radians whose tangent is ``input``."""
    return jnp.arctan(input)


@_float_op()
def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return jnp.sinh(input)


@_float_op()
def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return jnp.cosh(input)


@_float_op(saves="result", namespaces=_with_functional, grad_node="TanhBackwardBackward0")
def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return jnp.tanh(input)


@_float_op(aliases=("arcsinh",))
def asinh(input: Tensor) -> Tensor:
    """The number whose hyperbolic sine is ``input``."""
    return jnp.arcsinh(input)


@_float_op(aliases=("arccosh",))
def acosh(input: Tensor) -> Tensor:
    """The number whose hyperbolic cosine is ``input``; NaN below 1."""
    return jnp.arccosh(input)


@_float_op(aliases=("arctanh",), grad_node="DivBackward0")
def atanh(input: Tensor) -> Tensor:
    """The number whose hyperbolic tangent is ``input``."""
    return jnp.arctanh(input)


@_float_op(aliases=("special.sinc",), grad_node="WhereBackward0")
@half_in_float32
def sinc(input: Tensor) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at 0."""
    zero = input == 0
    scaled = jnp.pi * jnp.where(zero, 1, input)
    return jnp.where(zero, 1, jnp.sin(scaled) / scaled)


@_float_op(grad_node="MulBackward1", node="Deg2RadBackward0")
@half_in_float32
def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians. Complex is refused."""
    if is_complex(input.dtype):
        raise RuntimeError("deg2rad is not supported for complex tensors.")
    return input * (math.pi / 180)


@_float_op(grad_node="MulBackward1", node="Rad2DegBackward0")
@half_in_float32
def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees. Complex is refused."""
    if is_complex(input.dtype):
        raise RuntimeError("rad2deg is not supported for complex tensors.")
    return input * (180 / math.pi)


# The logistic function, the error function, the gamma function


@_float_op(
    aliases=("special.expit",), saves="result", namespaces=_with_functional, grad_node="SigmoidBackwardBackward0"
)
def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return lax.logistic(input)


@jax.custom_jvp
def _logit(x: Tensor) -> Tensor:
    return jnp.log(x / (1 - x))


# PyTorch's convention: outside [0, 1], where the value is NaN, the derivative is NaN too.
_logit.defjvps(lambda t, ans, x: t * jnp.where((x < 0) | (x > 1), jnp.nan, 1 / (x * (1 - x))))


@jax.custom_jvp
def _logit_within(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return _logit(jnp.where(x < low, low, jnp.where(x > high, high, x)))


# PyTorch's convention: on a limit the derivative is the logit's, beyond it (and for NaN) 0.
_logit_within.defjvps(
    lambda t, ans, x, low, high: t * jnp.where((x >= low) & (x <= high), 1 / (x * (1 - x)), 0), None, None
)


@_float_op(aliases=("special.logit",), grad_node="WhereBackward0")
@half_in_float32
def logit(input: Tensor, eps: Number | None = None) -> Tensor:
    """``log(input / (1 - input))``, of ``input`` limited to [eps, 1 - eps] where ``eps`` is given."""
    require_dtype(input.dtype, "f", "logit_cpu")
    if eps is None:
        return _logit(input)
    low = jnp.asarray(eps, input.dtype)
    return _logit_within(input, low, 1 - low)


@_float_op(aliases=("special.erf",))
def erf(input: Tensor) -> Tensor:
    """The error function. Complex is refused."""
    require_dtype(input.dtype, "f", "erf_vml_cpu")
    return lax.erf(input)


@_float_op(aliases=("special.erfc",))
def erfc(input: Tensor) -> Tensor:
    """``1 - erf(input)``, exact where that is small. Complex is refused."""
    require_dtype(input.dtype, "f", "erfc_vml_cpu")
    return lax.erfc(input)


@_float_op(aliases=("special.erfinv",))
def erfinv(input: Tensor) -> Tensor:
    """The number whose error function is ``input``; infinite at -1 and 1. Complex is refused."""
    require_dtype(input.dtype, "f", "erfinv_vml_cpu")
    return lax.erf_inv(input)


@jax.custom_jvp
def differentiable_digamma(x: Tensor) -> Tensor:
    return jnp.where(x == 0, jnp.copysign(jnp.inf, -x), lax.digamma(x))


def trigamma(x: Tensor) -> Tensor:
    """The derivative of ``digamma``; below one half by reflection, where the series does not converge."""
    at_infinity = x == jnp.inf
    reflected = x < 0.5
    right = jax.scipy.special.polygamma(1, jnp.where(at_infinity, 1, jnp.where(reflected, 1 - x, x)))
    sine = jnp.sin(jnp.pi * jnp.where(reflected, x - jnp.round(x), 0.5))
    return jnp.where(at_infinity, 0, jnp.where(reflected, jnp.square(jnp.pi / sine) - right, right))


differentiable_digamma.defjvps(lambda t, ans, x: t * trigamma(x))


@_float_op(aliases=("special.digamma", "special.psi"))
@half_in_float32
def digamma(input: Tensor) -> Tensor:
    """The derivative of ``lgamma``; infinite at 0, NaN at negative integers. Complex is refused."""
    require_dtype(input.dtype, "f", "digamma")
    return differentiable_digamma(input)


@jax.custom_jvp
def differentiable_lgamma(x: Tensor) -> Tensor:
    return lax.lgamma(x)


differentiable_lgamma.defjvps(lambda t, ans, x: t * differentiable_digamma(x))


@_float_op(aliases=("special.gammaln",))
@half_in_float32
def lgamma(input: Tensor) -> Tensor:
    """The logarithm of the gamma function's absolute value. Complex is refused."""
    require_dtype(input.dtype, "f", "lgamma_vml_cpu")
    return differentiable_lgamma(input)


# Signs and complex parts


@op(inplace=True, out=FOUND, aliases=("negative",), grad_node="NegBackward0")
def neg(input: Tensor) -> Tensor:
    """``-input``. Bools are refused."""
    refuse_bool_negation(input.dtype)
    require_dtype(input.dtype, "ifc", "neg_cpu")
    return -input


def refuse_bool_negation(dtype: Any) -> None:
    if is_bool(dtype):
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )


@op(grad_node=None)
def positive(input: Tensor) -> Tensor:
    """``input`` itself. Bools are refused."""
    if is_bool(input.dtype):
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@jax.custom_jvp
def _complex_sign(z: Tensor) -> Tensor:
    zero = z == 0
    return jnp.where(zero, 0, z / jnp.where(zero, 1, lax.abs(z)).astype(z.dtype))


@_complex_sign.defjvp
def _complex_sign_jvp(primals: Any, tangents: Any) -> Any:
    # What moves z along its own direction does not count; at 0 the derivative is 0. Dividing by the
    # absolute value, never by its square, keeps tiny numbers from overflowing.
    (z,), (t,) = primals, tangents
    sign = _complex_sign(z)
    across = t - sign * jnp.real(jnp.conj(sign) * t)
    return sign, jnp.where(z == 0, 0, across / jnp.where(z == 0, 1, _abs(z)).astype(z.dtype))


def _sign(x: Tensor) -> Tensor:
    """-1, 0 or 1, and 0 for NaN; of a complex number, the number of absolute value 1 in its direction."""
    if is_complex(x.dtype):
        return _complex_sign(x)
    if is_bool(x.dtype):
        return x
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


@jax.custom_jvp
def _abs(x: Tensor) -> Tensor:
    return jnp.abs(x)


# PyTorch's convention: the derivative at 0 is 0, for complex numbers too.
_abs.defjvps(lambda t, ans, x: jnp.real(jnp.conj(_sign(x)) * t) if is_complex(x.dtype) else t * _sign(x))


@op(inplace=True, out=abs_rule, aliases=("absolute",), grad_node="MulBackward0")
def abs(input: Tensor) -> Tensor:
    """The absolute value; of complex numbers, in their real dtype."""
    require_dtype(input.dtype, "ifc", "abs_cpu")
    return _abs(input)


@op(inplace=True, out=FOUND)
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of each element, 0 for NaN. Complex is refused: see ``sgn``."""
    if is_complex(input.dtype):
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    require_dtype(input.dtype, "bif", "sign_cpu")
    return _sign(input)


@op(inplace=True, out=FOUND, grad_node="MaskedFillBackward0")
def sgn(input: Tensor) -> Tensor:
    """``sign``, and for complex numbers ``input / |input|``, 0 at 0."""
    require_dtype(input.dtype, "bifc", "sign_cpu")
    return _sign(input)


def _real_angle(x: Tensor) -> Tensor:
    return jnp.where(x < 0, jnp.pi, jnp.where(jnp.isnan(x), x, 0)).astype(x.dtype)


@jax.custom_jvp
def _complex_angle(z: Tensor) -> Tensor:
    return lax.atan2(jnp.imag(z), jnp.real(z))


@_complex_angle.defjvp
def _complex_angle_jvp(primals: Any, tangents: Any) -> Any:
    # PyTorch's convention: the derivative at 0 is 0.
    (z,), (t,) = primals, tangents
    return _complex_angle(z), jnp.where(z == 0, 0, jnp.imag(t / jnp.where(z == 0, 1, z)))


@op(promote=("input",), int_to_float=True, out=True, grad_node="WhereBackward0")
def angle(input: Tensor) -> Tensor:
    """The angle of each number in the complex plane, in radians: for real numbers 0 or pi, with no derivative."""
    return _complex_angle(input) if is_complex(input.dtype) else _real_angle(lax.stop_gradient(input))


@op(inplace=True, out=FOUND.but(lenient=True), grad_node="ConjPhysicalBackward0")
def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate, computed at once; real numbers stay as they are."""
    return jnp.conj(input)


# Rounding: flat, so that the derivative is 0


def _require_rounding(dtype: Any, name: str) -> None:
    if is_complex(dtype):
        raise NotImplementedError(f"{name} is not supported for complex inputs")
    require_dtype(dtype, "iwf", f"{name}_vml_cpu")


@op(inplace=True, out=FOUND)
def floor(input: Tensor) -> Tensor:
    """The largest integer not above each element; integers stay as they are."""
    _require_rounding(input.dtype, "floor")
    return jnp.floor(input) if is_floating(input.dtype) else input


@op(inplace=True, out=FOUND)
def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below each element; integers stay as they are."""
    _require_rounding(input.dtype, "ceil")
    return jnp.ceil(input) if is_floating(input.dtype) else input


@op(inplace=True, out=FOUND, aliases=("fix",))
def trunc(input: Tensor) -> Tensor:
    """Each element without its fraction; integers stay as they are."""
    _require_rounding(input.dtype, "trunc")
    return jnp.trunc(input) if is_floating(input.dtype) else input


@op(inplace=True, out=FOUND)
def frac(input: Tensor) -> Tensor:
    """The fraction of each element, with its sign. Integers are refused."""
    require_dtype(input.dtype, "f", "frac_cpu")
    return input - jnp.trunc(input)


@op(
    inplace=True,
    out=FOUND,
    aliases=("special.round",),
    node=lambda decimals=0, **_: "RoundBackward1" if decimals else "RoundBackward0",
)
@half_in_float32
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element rounded to ``decimals`` places, ties to even; negative ``decimals`` round to tens, hundreds, ..."""
    if decimals == 0:
        require_dtype(input.dtype, "iwf", "round_vml_cpu")
        return lax.round(input, lax.RoundingMethod.TO_NEAREST_EVEN) if is_floating(input.dtype) else input
    require_dtype(input.dtype, "f", "round_cpu")
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    if decimals > 0:
        return quotient(jnp.round(input * scale), jnp.asarray(scale, input.dtype))
    return jnp.round(quotient(input, jnp.asarray(scale, input.dtype))) * scale


# Replacing values


def _finite(x: Tensor, nan: Number | None, posinf: Number | None, neginf: Number | None) -> Tensor:
    limits = jnp.finfo(x.dtype)
    nan = jnp.asarray(0 if nan is None else nan, x.dtype)
    posinf = jnp.asarray(limits.max if posinf is None else posinf, x.dtype)
    neginf = jnp.asarray(limits.min if neginf is None else neginf, x.dtype)
    return jnp.where(jnp.isnan(x), nan, jnp.where(x == jnp.inf, posinf, jnp.where(x == -jnp.inf, neginf, x)))


@op(
    inplace=True,
    out=Out("nan_to_num: dtype of out: {got} should be same as input: {want}", "same"),
    grad_node="MulBackward0",
)
def nan_to_num(
    input: Tensor, nan: Number | None = None, posinf: Number | None = None, neginf: Number | None = None
) -> Tensor:
    """NaN replaced by ``nan`` (0), infinities by ``posinf`` and ``neginf`` (the dtype's largest and smallest numbers).

    Complex numbers part by part; the replaced elements have derivative 0.
    """
    if is_integral(input.dtype):
        return input
    if is_complex(input.dtype):
        parts = (_finite(part, nan, posinf, neginf) for part in (jnp.real(input), jnp.imag(input)))
        return lax.complex(*parts)
    return _finite(input, nan, posinf, neginf)
