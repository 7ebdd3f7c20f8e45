"""Bessel functions, modified and spherical ones, and Airy's function.

JAX has I0 and I1 alone. The others are computed in float64, whatever the dtype, and rounded once: near 0 from Chebyshev
series, further out from series for the amplitude of their asymptotic forms (``tables.py``).
PyTorch has no derivatives of those whose names do not begin with ``i``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from ..kernel_dtypes import half_in_float32, require_dtype
from ..registry import Tensor, op
from . import tables
from .chebyshev import chebyshev_series

_SPLIT = 5.0  # between the two forms of J and Y
_AIRY_LEFT, _AIRY_RIGHT = -5.0, 2.0  # between the three forms of Ai
_ROOT_PI = math.sqrt(math.pi)


def special_op(name: str, param: str = "input", **options: object) -> Callable[..., Callable[..., Tensor]]:
    """An op of ``torch.special`` alone; ``param`` is its parameter's name."""
    return op(
        name=f"special_{name}",
        aliases=(f"special.{name}",),
        namespaces=(),
        promote=(param,),
        int_to_float=True,
        out=options.pop("out", True),  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )


def _in_float64(name: str, x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """``compute(x)`` in float64, in the dtype of ``x``; float16, bfloat16 and complex numbers are refused."""
    if x.dtype not in (jnp.float32, jnp.float64):
        require_dtype(x.dtype, "", f"{name}_cpu")
    return compute(lax.stop_gradient(x).astype(jnp.float64)).astype(x.dtype)


# J and Y


def _square(x: Tensor) -> Tensor:
    """``x * x`` of an argument for the series of small ones, as their variable; 1 for others."""
    return jnp.where(jnp.abs(x) <= _SPLIT, x * x * (2 / _SPLIT**2) - 1, 1.0)


def _small_j0(x: Tensor) -> Tensor:
    first, second = tables.J0_ZEROS
    u = x * x
    return (u - first) * (u - second) * chebyshev_series(tables.J0_SMALL, _square(x))


def _small_j1(x: Tensor) -> Tensor:
    (first,) = tables.J1_ZEROS
    return x * (x * x - first) * chebyshev_series(tables.J1_SMALL, _square(x))


def _amplitudes(x: Tensor, p: Sequence[float], q: Sequence[float]) -> tuple[Tensor, Tensor]:
    """P and Q of the asymptotic form of a large positive ``x``, with its factor."""
    w = jnp.where(x > _SPLIT, _SPLIT / x, 1.0)
    t = 2 * w * w - 1
    factor = jnp.sqrt(2 / (jnp.pi * x))
    return factor * chebyshev_series(p, t), factor * chebyshev_series(q, t) / x


def _turned(x: Tensor, eighths: int) -> tuple[Tensor, Tensor]:
    """cos and sin of ``x - eighths * pi / 4`` for 1 and 3, without rounding the difference."""
    c, s = jnp.cos(x) * math.sqrt(0.5), jnp.sin(x) * math.sqrt(0.5)
    return (c + s, s - c) if eighths == 1 else (s - c, -(s + c))


def _large(x: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """J and Y of a large positive ``x``."""
    p, q = _amplitudes(x, *((tables.J0_P, tables.J0_Q), (tables.J1_P, tables.J1_Q))[order])
    cos, sin = _turned(x, 2 * order + 1)
    return p * cos - q * sin, p * sin + q * cos


def _j0(x: Tensor) -> Tensor:
    x = jnp.abs(x)
    return jnp.where(x <= _SPLIT, _small_j0(x), _large(x, 0)[0])


def _j1(x: Tensor) -> Tensor:
    large = jnp.where(x < 0, -1, 1) * _large(jnp.abs(x), 1)[0]
    return jnp.where(jnp.abs(x) <= _SPLIT, _small_j1(x), large)


def _y0(x: Tensor) -> Tensor:
    small = chebyshev_series(tables.Y0_SMALL, _square(x)) + 2 / jnp.pi * jnp.log(x) * _small_j0(x)
    return jnp.where(x == 0, -jnp.inf, jnp.where(x <= _SPLIT, small, _large(x, 0)[1]))


def _y1(x: Tensor) -> Tensor:
    small = x * chebyshev_series(tables.Y1_SMALL, _square(x)) + 2 / jnp.pi * (jnp.log(x) * _small_j1(x) - 1 / x)
    return jnp.where(x == 0, -jnp.inf, jnp.where(x <= _SPLIT, small, _large(x, 1)[1]))


@special_op("bessel_j0", differentiable=False)
def special_bessel_j0(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 0. It has no derivative, float16 and complex are refused."""
    return _in_float64("bessel_j0", input, _j0)


@special_op("bessel_j1", differentiable=False)
def special_bessel_j1(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 1. It has no derivative, float16 and complex are refused."""
    return _in_float64("bessel_j1", input, _j1)


@special_op("bessel_y0", differentiable=False)
def special_bessel_y0(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 0: -inf at 0, NaN below. It has no derivative."""
    return _in_float64("bessel_y0", input, _y0)


@special_op("bessel_y1", differentiable=False)
def special_bessel_y1(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 1: -inf at 0, NaN below. It has no derivative."""
    return _in_float64("bessel_y1", input, _y1)


def _spherical_j0(x: Tensor) -> Tensor:
    small = jnp.abs(x) < 0.01
    divisor = jnp.where(small, 1.0, x)
    ratio = jnp.where(jnp.isinf(x), 0.0, jnp.sin(divisor) / divisor)
    return jnp.where(small, 1 - x * x / 6 * (1 - x * x / 20), ratio)


@special_op("spherical_bessel_j0", "x", differentiable=False)
def special_spherical_bessel_j0(x: Tensor) -> Tensor:
    """The spherical Bessel function of the first kind of order 0, ``sin(x) / x``. It has no derivative."""
    return _in_float64("spherical_bessel_j0", x, _spherical_j0)


# I


def _i0(x: Tensor) -> Tensor:
    return jnp.exp(jnp.abs(x)) * lax.bessel_i0e(x)


def _i1(x: Tensor) -> Tensor:
    return jnp.exp(jnp.abs(x)) * lax.bessel_i1e(x)


def _i1_slope(x: Tensor) -> Tensor:
    distinct, divisor = _not_tiny(x)
    return jnp.where(distinct, _differentiable_i0(x) - _differentiable_i1(x) / divisor, 0.5)


def _i1e_slope(x: Tensor) -> Tensor:
    distinct, divisor = _not_tiny(x)
    slope = lax.bessel_i0e(x) - _differentiable_i1e(x) * (jnp.sign(x) + 1 / divisor)
    return jnp.where(distinct, slope, 0.5)


def _not_tiny(x: Tensor) -> tuple[Tensor, Tensor]:
    """Whether ``x`` differs from 0, and ``x`` to divide by; PyTorch counts NaN as 0 here."""
    distinct = jnp.abs(x) > jnp.finfo(x.dtype).eps
    return distinct, jnp.where(distinct, x, 1)


# The derivative of each is made of the others, so that every order exists; at 0 that of an odd one is 1/2.
_differentiable_i0, _differentiable_i1, _differentiable_i1e = map(jax.custom_jvp, (_i0, _i1, lax.bessel_i1e))
_differentiable_i0.defjvps(lambda t, ans, x: t * _differentiable_i1(x))
_differentiable_i1.defjvps(lambda t, ans, x: t * _i1_slope(x))
_differentiable_i1e.defjvps(lambda t, ans, x: t * _i1e_slope(x))


@op(
    promote=("input",),
    int_to_float=True,
    inplace=True,
    out=True,
    aliases=("special.i0",),
    grad_node="MulBackward0",
)
@half_in_float32
def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 0. Complex is refused."""
    require_dtype(input.dtype, "f", "i0_vml_cpu")
    return _differentiable_i0(input)


@special_op("i0e", node="SpecialI0EBackward0", grad_node="MulBackward0")
@half_in_float32
def special_i0e(input: Tensor) -> Tensor:
    """``exp(-|input|) * i0(input)``, which does not overflow."""
    require_dtype(input.dtype, "f", "i0e_cpu")
    return lax.bessel_i0e(input)


@special_op("i1", grad_node="MulBackward0")
@half_in_float32
def special_i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    require_dtype(input.dtype, "f", "i1_cpu")
    return _differentiable_i1(input)


@special_op("i1e", node="SpecialI1EBackward0", grad_node="MulBackward0")
@half_in_float32
def special_i1e(input: Tensor) -> Tensor:
    """``exp(-|input|) * i1(input)``, which does not overflow."""
    require_dtype(input.dtype, "f", "i1e_cpu")
    return _differentiable_i1e(input)


@special_op("modified_bessel_i0", differentiable=False)
def special_modified_bessel_i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 0, without a derivative: see ``i0``."""
    return _in_float64("modified_bessel_i0", input, _i0)


@special_op("modified_bessel_i1", differentiable=False)
def special_modified_bessel_i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1, without a derivative: see ``i1``."""
    return _in_float64("modified_bessel_i1", input, _i1)


# K

_LAST_SMALL = 2.0


def _k_parts(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A small argument, and the variables of the series for small and for large arguments."""
    small = jnp.where(x <= _LAST_SMALL, x, 1.0)
    return small, small * small / 2 - 1, jnp.where(x > _LAST_SMALL, 4 / x - 1, 1.0)


def _k0(x: Tensor, scaled: bool) -> Tensor:
    small, near, far = _k_parts(x)
    low = chebyshev_series(tables.K0_SMALL, near) - jnp.log(small / 2) * _i0(small)
    return _joined(x, low, chebyshev_series(tables.K0_LARGE, far), scaled)


def _k1(x: Tensor, scaled: bool) -> Tensor:
    small, near, far = _k_parts(x)
    low = chebyshev_series(tables.K1_SMALL, near) / small + jnp.log(small / 2) * _i1(small)
    return _joined(x, low, chebyshev_series(tables.K1_LARGE, far), scaled)


def _joined(x: Tensor, low: Tensor, high: Tensor, scaled: bool) -> Tensor:
    """K from its two parts; infinite at 0, NaN below."""
    high = high / jnp.sqrt(x)
    low, high = (low * jnp.exp(x), high) if scaled else (low, high * jnp.exp(-x))
    return jnp.where(x == 0, jnp.inf, jnp.where(x < 0, jnp.nan, jnp.where(x <= _LAST_SMALL, low, high)))


@special_op("modified_bessel_k0", differentiable=False)
def special_modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 0: infinite at 0, NaN below. It has no derivative."""
    return _in_float64("modified_bessel_k0", input, functools.partial(_k0, scaled=False))


@special_op("modified_bessel_k1", differentiable=False)
def special_modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 1: infinite at 0, NaN below. It has no derivative."""
    return _in_float64("modified_bessel_k1", input, functools.partial(_k1, scaled=False))


@special_op("scaled_modified_bessel_k0", "x", differentiable=False)
def special_scaled_modified_bessel_k0(x: Tensor) -> Tensor:
    """``exp(x)`` times the modified Bessel function of the second kind of order 0. It has no derivative."""
    return _in_float64("scaled_modified_bessel_k0", x, functools.partial(_k0, scaled=True))


@special_op("scaled_modified_bessel_k1", "x", differentiable=False)
def special_scaled_modified_bessel_k1(x: Tensor) -> Tensor:
    """``exp(x)`` times the modified Bessel function of the second kind of order 1. It has no derivative."""
    return _in_float64("scaled_modified_bessel_k1", x, functools.partial(_k1, scaled=True))


# Ai


def _airy_ai(x: Tensor) -> Tensor:
    middle_t = (2 * x - _AIRY_LEFT - _AIRY_RIGHT) / (_AIRY_RIGHT - _AIRY_LEFT)
    inside = (x >= _AIRY_LEFT) & (x <= _AIRY_RIGHT)
    middle = chebyshev_series(tables.AIRY_MIDDLE, jnp.where(inside, middle_t, 0.0))
    size = jnp.where(inside, 10.0, jnp.abs(x))
    z = 2 / 3 * size * jnp.sqrt(size)
    root = jnp.sqrt(jnp.sqrt(size))
    right_t = 2 * _two_thirds_power(_AIRY_RIGHT) / z - 1
    right = jnp.exp(-z) / (2 * _ROOT_PI * root) * chebyshev_series(tables.AIRY_RIGHT, jnp.minimum(right_t, 1.0))
    left_t = 2 * jnp.square(_two_thirds_power(_AIRY_LEFT) / z) - 1
    cos, sin = _turned(z, 1)  # of z - pi / 4: sin(z + pi / 4) is its cosine, and cos(z + pi / 4) less its sine
    f = chebyshev_series(tables.AIRY_LEFT_F, jnp.minimum(left_t, 1.0))
    g = chebyshev_series(tables.AIRY_LEFT_G, jnp.minimum(left_t, 1.0)) / z
    left = (f * cos + g * sin) / (_ROOT_PI * root)
    found = jnp.where(inside, middle, jnp.where(x > 0, right, left))
    return jnp.where(jnp.isinf(x), jnp.nan, found)  # PyTorch's convention


def _two_thirds_power(x: float) -> float:
    return 2 / 3 * abs(x) ** 1.5


@special_op("airy_ai", "x", differentiable=False)
def special_airy_ai(x: Tensor) -> Tensor:
    """Airy's function Ai; NaN at infinity. It has no derivative."""
    return _in_float64("airy_ai", x, _airy_ai)
