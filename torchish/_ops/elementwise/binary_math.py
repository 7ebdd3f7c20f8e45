"""Functions of two variables on broadcast operands: powers, atan2, hypot, logaddexp, xlogy, gcd, ...

Operands that promote arrive in their common dtype. Where PyTorch's derivative is not the one that JAX
gives (at 0, at infinity), the value carries a ``jax.custom_jvp`` rule beside it.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax

from ..broadcasting import check_broadcast
from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import LDEXP, Out
from ..registry import Number, Tensor, op
from ..scalar_types import default_float, is_bool, is_complex, is_inexact, is_integral
from .pointwise import by_number

# Float exponents worth a program of their own: each is a product, a quotient or a root.
STATIC_FLOAT_EXPONENTS = frozenset({0.0, 0.5, 1.0, 2.0, 3.0, -0.5, -1.0, -2.0})


# Powers


@jax.custom_jvp
def _float_pow(base: Tensor, exponent: Tensor) -> Tensor:
    return lax.pow(*jnp.broadcast_arrays(base, exponent))


# PyTorch's convention: an exponent of 0 has derivative 0 by the base, also at base 0; and a base of 0
# has derivative 0 by the exponent wherever the power is finite.
_float_pow.defjvps(
    lambda t, ans, base, exponent: t * jnp.where(exponent == 0, 0, exponent * _float_pow(base, exponent - 1)),
    lambda t, ans, base, exponent: t * jnp.where((base == 0) & (jnp.real(exponent) >= 0), 0, ans * jnp.log(base)),
)


def _integer_pow(base: Tensor, exponent: Tensor) -> Tensor:
    """Integers to integer powers; a negative power is the reciprocal, rounded to zero."""
    power = jnp.power(base, jnp.maximum(exponent, 0))
    sign_of_minus_one = jnp.where(exponent % 2 == 0, 1, -1).astype(base.dtype)
    reciprocal = jnp.where(base == 1, 1, jnp.where(base == -1, sign_of_minus_one, 0)).astype(base.dtype)
    return jnp.where(exponent < 0, reciprocal, power)


@half_in_float32
def _pow(base: Tensor, exponent: Tensor) -> Tensor:
    check_broadcast(base, exponent)
    require_dtype(base.dtype, "ifc", "pow")
    return _integer_pow(base, exponent) if is_integral(base.dtype) else _float_pow(base, exponent)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _known_power(base: Tensor, exponent: int) -> Tensor:
    if exponent == 0:
        # Ones that depend on the base, so that a further derivative is 0 and not an error, as in PyTorch.
        return jnp.where(base == base, jnp.ones_like(base), jnp.ones_like(base))
    return base if exponent == 1 else lax.integer_pow(base, exponent)


@_known_power.defjvp
def _(exponent: int, primals: tuple[Tensor], tangents: tuple[Tensor]) -> tuple[Tensor, Tensor]:
    (base,), (t,) = primals, tangents
    if exponent == 0:
        return _known_power(base, 0), jnp.zeros_like(t)
    return _known_power(base, exponent), t * (jnp.asarray(exponent, base.dtype) * _known_power(base, exponent - 1))


@op(name="pow.tensor_scalar", inplace=True, out=True, node="PowBackward0", grad_node="MulBackward0")
@half_in_float32
def pow_tensor_scalar(input: Tensor, exponent: int | float) -> Tensor:
    """``input`` to a power known when the program is compiled: an int, or one of ``STATIC_FLOAT_EXPONENTS``.

    Integers to a float power give the default floating dtype; to a negative int power they raise.
    """
    if is_integral(input.dtype):
        if isinstance(exponent, float):
            input = input.astype(default_float())
        elif exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        elif is_bool(input.dtype) and not isinstance(exponent, bool):
            input = input.astype(jnp.int64)
    if not is_inexact(input.dtype) and (exponent == 0 or exponent == 1):
        return input if exponent else jnp.ones_like(input)
    require_dtype(input.dtype, "ifc", "pow")
    if exponent == 0.5:
        return lax.sqrt(input)
    if exponent == -0.5:
        return lax.rsqrt(input)
    return _known_power(input, int(exponent)) if is_inexact(input.dtype) else lax.integer_pow(input, int(exponent))


@op(
    name="pow.tensor_number",
    promote=("input", "exponent"),
    inplace=True,
    out=True,
    node="PowBackward0",
    grad_node="MulBackward0",
)
def pow_tensor_number(input: Tensor, exponent: Number) -> Tensor:
    """``input`` to a power given as a Python number at run time."""
    return _pow(input, exponent)


@op(
    name="pow.tensor_tensor",
    promote=("input", "exponent"),
    inplace=True,
    out=True,
    node="PowBackward1",
    grad_node="WhereBackward0",
)
def pow_tensor_tensor(input: Tensor, exponent: Tensor) -> Tensor:
    """``input ** exponent``, broadcast."""
    return _pow(input, exponent)


@op(name="pow.scalar", promote=("input", "exponent"), out=True, node="PowBackward2", grad_node="MulBackward0")
def pow_scalar(input: Number, exponent: Tensor) -> Tensor:
    """A Python number to the power of each element of ``exponent``."""
    return _pow(input, exponent)


@op(
    inplace=True,
    out=Out(
        "the output given to float_power has dtype {got} but the operation's result requires dtype {want}",
        "same",
        autograd="pow",
    ),
    node=lambda numbers=(), **_: f"PowBackward{2 if 'input' in numbers else 0 if 'exponent' in numbers else 1}",
    grad_node="ToCopyBackward0",
)
def float_power(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """``input ** exponent``, broadcast, always in double precision: float64, or complex128 where one is complex."""
    dtype = jnp.complex128 if is_complex(input.dtype) or is_complex(exponent.dtype) else jnp.float64
    check_broadcast(input, exponent)
    return _float_pow(input.astype(dtype), exponent.astype(dtype))


@op(
    promote=("input", "other"),
    int_to_float=True,
    inplace=True,
    out=LDEXP,
    grad_node="MulBackward0",
)
@half_in_float32
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2 ** other``, broadcast, in floating point."""
    check_broadcast(input, other)
    return input * _float_pow(jnp.full_like(other, 2), other)


# Functions of two variables. In a rule the mask is on the factor, not on the product with the tangent:
# transposed, a masked product would still multiply an infinite factor by 0.


@jax.custom_jvp
def _atan2(y: Tensor, x: Tensor) -> Tensor:
    return lax.atan2(*jnp.broadcast_arrays(y, x))


def _inverse_square_norm(y: Tensor, x: Tensor) -> Tensor:
    square = y * y + x * x
    return jnp.where(square == 0, 0, 1 / jnp.where(square == 0, 1, square))


# PyTorch's convention: the derivative at (0, 0) is 0.
_atan2.defjvps(
    lambda t, ans, y, x: t * x * _inverse_square_norm(y, x),
    lambda t, ans, y, x: -t * y * _inverse_square_norm(y, x),
)


@op(
    promote=("input", "other"),
    int_to_float=True,
    inplace=True,
    out=True,
    aliases=("arctan2",),
    grad_node="MulBackward0",
)
@half_in_float32
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input) in radians, in (-pi, pi], broadcast."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "atan2_cpu")
    return _atan2(input, other)


@jax.custom_jvp
def _hypot(a: Tensor, b: Tensor) -> Tensor:
    return jnp.hypot(a, b)


# PyTorch's convention: NaN at (0, 0).
_hypot.defjvps(lambda t, ans, a, b: t * (a / ans), lambda t, ans, a, b: t * (b / ans))


@op(promote=("input", "other"), inplace=True, out=True, grad_node="DivBackward0")
@half_in_float32
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """``sqrt(input ** 2 + other ** 2)``, broadcast, without overflow in between. Integers are refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "hypot_cpu")
    return _hypot(input, other)


@jax.custom_jvp
def _logaddexp(a: Tensor, b: Tensor) -> Tensor:
    if not is_complex(a.dtype):
        return jnp.logaddexp(a, b)
    # JAX brings the imaginary part into (-pi, pi]; PyTorch keeps that of the operand with the larger real part.
    a_larger = jnp.real(a) >= jnp.real(b)
    larger, smaller = jnp.where(a_larger, a, b), jnp.where(a_larger, b, a)
    return larger + jnp.log1p(jnp.exp(smaller - larger))


# PyTorch's convention: NaN where both are infinite and equal.
_logaddexp.defjvps(lambda t, ans, a, b: t / (1 + jnp.exp(b - a)), lambda t, ans, a, b: t / (1 + jnp.exp(a - b)))


@op(promote=("input", "other"), out=True, grad_node="DivBackward0")
@half_in_float32
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(exp(input) + exp(other))``, broadcast, without overflow in between. Integers are refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "fc", "logaddexp_cpu")
    return _logaddexp(input, other)


@jax.custom_jvp
def _logaddexp2(a: Tensor, b: Tensor) -> Tensor:
    return jnp.logaddexp2(a, b)


_logaddexp2.defjvps(lambda t, ans, a, b: t / (1 + jnp.exp2(b - a)), lambda t, ans, a, b: t / (1 + jnp.exp2(a - b)))


@op(promote=("input", "other"), out=True, grad_node="DivBackward0")
@half_in_float32
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2 ** input + 2 ** other)``, broadcast, without overflow in between. Integers are refused."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "logaddexp2_cpu")
    return _logaddexp2(input, other)


@jax.custom_jvp
def _xlogy(a: Tensor, b: Tensor) -> Tensor:
    return jnp.where((a == 0) & ~jnp.isnan(b), 0, a * jnp.log(b))


# PyTorch's convention: the derivative by a is 0 where a is 0 and the logarithm does not exist.
_xlogy.defjvps(
    lambda t, ans, a, b: t * jnp.where((a == 0) & (b <= 0), 0, jnp.log(b)),
    lambda t, ans, a, b: t * a / b,
)


@op(
    promote=("input", "other"),
    int_to_float=True,
    inplace=True,
    out=True,
    aliases=("special.xlogy",),
    node=lambda numbers=(), **_: f"XlogyBackward{1 if 'input' in numbers else 2 if 'other' in numbers else 0}",
    grad_node="DivBackward0",
)
@half_in_float32
def xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * log(other)``, broadcast; 0 where ``input`` is 0, unless ``other`` is NaN."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "xlogy_cpu")
    return _xlogy(input, other)


@jax.custom_jvp
def _copysign(a: Tensor, b: Tensor) -> Tensor:
    return jnp.copysign(a, b)


# PyTorch's convention: 0 at a = 0; the sign's source has derivative 0. The ratio is 1 or -1, and flat.
_copysign.defjvps(
    lambda t, ans, a, b: t * lax.stop_gradient(jnp.where(a == 0, 0, ans / a)),
    lambda t, ans, a, b: jnp.zeros_like(ans),
)


@op(
    promote=("input", "other"),
    int_to_float=True,
    inplace=True,
    out=True,
    node=by_number("other", number="CopysignBackward1", tensor="CopysignBackward0"),
    grad_node="MulBackward0",
)
def copysign(input: Tensor, other: Tensor | Number) -> Tensor:
    """The magnitude of ``input`` with the sign of ``other`` (that of -0.0 too), broadcast."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "copysign_cpu")
    return _copysign(input, other)


@jax.custom_jvp
def _nextafter(a: Tensor, b: Tensor) -> Tensor:
    return jnp.nextafter(a, b)


_nextafter.defjvps(lambda t, ans, a, b: jnp.where(a == b, 0, t), lambda t, ans, a, b: jnp.zeros_like(ans))


@op(promote=("input", "other"), inplace=True, out=True, grad_node="WhereBackward0")
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next floating-point number after ``input`` towards ``other``, broadcast."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "nextafter_cpu")
    return _nextafter(input, other)


@op(promote=("input", "other"), inplace=True, out=True, differentiable=False)
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor of integers, not negative, broadcast."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "i", "gcd_cpu")
    return jnp.gcd(input, other)


@op(promote=("input", "other"), inplace=True, out=True, differentiable=False)
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple of integers, not negative, broadcast."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "i", "lcm_cpu")
    return jnp.lcm(input, other)
