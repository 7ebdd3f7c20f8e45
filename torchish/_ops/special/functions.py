"""Entropy, the normal distribution, the scaled error function, incomplete gamma functions, zeta and polygamma functions."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy import special as jax_special

from ..broadcasting import check_broadcast
from ..elementwise.unary import differentiable_digamma, differentiable_lgamma, trigamma
from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import ALL, CASTABLE, mvlgamma_rule
from ..registry import Number, Tensor, op
from ..scalar_types import default_float, is_bool
from .bessel import special_op
from .chebyshev import chebyshev_series
from .tables import ERFCX

_ROOT_HALF = math.sqrt(0.5)


def _refuse_half(dtype: Any, kernel: str) -> None:
    if dtype not in (jnp.float32, jnp.float64):
        require_dtype(dtype, "", kernel)


# Entropy and the normal distribution


@jax.custom_jvp
def _entr(x: Tensor) -> Tensor:
    inside = -x * jnp.log(jnp.where(x > 0, x, 1))
    return jnp.where(jnp.isnan(x) | (x > 0), inside, jnp.where(x == 0, 0, -jnp.inf))


# The formula's own derivative below 0 too, where it is NaN; at 0 it is infinite.
_entr.defjvps(lambda t, ans, x: t * (-jnp.log(x) - 1))


@special_op("entr", grad_node="MulBackward0")
@half_in_float32
def special_entr(input: Tensor) -> Tensor:
    """``-input * log(input)``, 0 at 0 and -inf for negative numbers."""
    require_dtype(input.dtype, "f", "entr_cpu")
    return _entr(input)


@special_op("ndtr", out=CASTABLE.but(shared=ALL, copies=True), node="MulBackward1", grad_node="MulBackward1")
@half_in_float32
def special_ndtr(input: Tensor) -> Tensor:
    """The distribution function of the standard normal distribution. In the left tail ``log_ndtr`` is exact."""
    require_dtype(input.dtype, "f", "erf_vml_cpu")
    return (1 + lax.erf(input * _ROOT_HALF)) * 0.5


@jax.custom_jvp
def _log_ndtr(x: Tensor) -> Tensor:
    scaled = x * _ROOT_HALF
    left = scaled < -1
    tail = jnp.log(_erfcx(jnp.where(left, -scaled, 1)) / 2) - scaled * scaled
    return jnp.where(left, tail, jnp.log1p(-lax.erfc(jnp.where(left, 0, scaled)) / 2))


@jax.custom_jvp
def _density_ratio(x: Tensor) -> Tensor:
    """The normal distribution's density divided by its distribution function."""
    return math.sqrt(2 / math.pi) / _erfcx(-x * _ROOT_HALF)


_log_ndtr.defjvps(lambda t, ans, x: t * _density_ratio(x))
# In terms of itself: the derivative of the quotient would be inf / inf from 40 on.
_density_ratio.defjvps(lambda t, ans, x: -t * ans * (ans + x))


@special_op("log_ndtr", grad_node="MulBackward0")
def special_log_ndtr(input: Tensor) -> Tensor:
    """The logarithm of the standard normal distribution function, exact in both tails. Half precision is refused."""
    _refuse_half(input.dtype, "log_ndtr_cpu")
    return _log_ndtr(input)


@jax.custom_jvp
def _ndtri(p: Tensor) -> Tensor:
    return jax_special.ndtri(p)


_ndtri.defjvps(lambda t, ans, p: t * (math.sqrt(2 * math.pi) * jnp.exp(jnp.square(_ndtri(p)) / 2)))


@special_op("ndtri", grad_node="MulBackward0")
def special_ndtri(input: Tensor) -> Tensor:
    """The quantile of the standard normal distribution; NaN outside of [0, 1]. Half precision is refused."""
    _refuse_half(input.dtype, "ndtri_cpu")
    return _ndtri(input)


@jax.custom_jvp
def _erfcx(x: Tensor) -> Tensor:
    size = jnp.abs(x).astype(jnp.float64)
    t = jnp.where(jnp.isinf(size), 1, (size - 3.75) / (size + 3.75))
    right = chebyshev_series(ERFCX, t) / (1 + 2 * size)
    left = 2 * jnp.exp(jnp.square(x.astype(jnp.float64))) - right
    return jnp.where(x < 0, left, right).astype(x.dtype)


_erfcx.defjvps(lambda t, ans, x: t * (2 * x * _erfcx(x) - 2 / math.sqrt(math.pi)))


@special_op("erfcx", grad_node="MulBackward0")
def special_erfcx(input: Tensor) -> Tensor:
    """``exp(input ** 2) * erfc(input)``, which does not underflow. Half precision is refused."""
    _refuse_half(input.dtype, "erfcx_cpu")
    return _erfcx(input)


@jax.custom_jvp
def _xlog1py(a: Tensor, b: Tensor) -> Tensor:
    return jnp.where((a == 0) & ~jnp.isnan(b), 0, a * jnp.log1p(b))


# PyTorch's convention: the derivative by a is 0 where a is 0 and the logarithm does not exist.
_xlog1py.defjvps(
    lambda t, ans, a, b: t * jnp.where((a == 0) & (b <= -1), 0, jnp.log1p(b)),
    lambda t, ans, a, b: t * a / (b + 1),
)


def _by_operands(name: str) -> Any:
    """The node's name with 0 for two tensors, 1 where the first operand is a number, 2 where the second one is."""
    return lambda numbers=(), **_: f"{name}Backward{1 if 'input' in numbers else 2 if 'other' in numbers else 0}"


@op(
    name="special_xlog1py",
    aliases=("special.xlog1py",),
    namespaces=(),
    promote=("input", "other"),
    int_to_float=True,
    out=True,
    node=_by_operands("SpecialXlog1Py"),
    grad_node="DivBackward0",
)
@half_in_float32
def special_xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * log1p(other)``, broadcast; 0 where ``input`` is 0, unless ``other`` is NaN."""
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "xlog1py_cpu")
    return _xlog1py(input, other)


# The gamma function's relatives


@op(
    inplace=True,
    out=mvlgamma_rule,
    aliases=("special.multigammaln",),
    grad_node="MulBackward0",
)
@half_in_float32
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension ``p``; integers give the default floating dtype."""
    if is_bool(input.dtype):
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    if not isinstance(p, int) or isinstance(p, bool):
        raise TypeError(f"mvlgamma(): argument 'p' (position 2) must be int, not {type(p).__name__}")
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return _mvlgamma(input, p)


def _mvlgamma(x: Tensor, p: int) -> Tensor:
    require_dtype(x.dtype, "if", "arange_cpu")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype(default_float())
    shifts = jnp.arange(p, dtype=x.dtype) / -2
    return jnp.sum(differentiable_lgamma(x[..., None] + shifts), axis=-1) + p * (p - 1) / 4 * math.log(math.pi)


def _without_derivative(t: Tensor, ans: Tensor, *_: Tensor) -> Tensor:
    return t * jnp.full_like(ans, jnp.nan)


def _of_infinite_order(a: Tensor, x: Tensor, limit: float) -> Tensor:
    return jnp.where((a > 0) & (x >= 0) & (x < jnp.inf), limit, jnp.nan)


@jax.custom_jvp
def _igamma(a: Tensor, x: Tensor) -> Tensor:
    return jnp.where(jnp.isinf(a), _of_infinite_order(a, x, 0.0), lax.igamma(a, x))


@jax.custom_jvp
def _igammac(a: Tensor, x: Tensor) -> Tensor:
    return jnp.where(jnp.isinf(a), _of_infinite_order(a, x, 1.0), lax.igammac(a, x))


def _gamma_density(a: Tensor, x: Tensor) -> Tensor:
    return jnp.exp((a - 1) * jnp.log(x) - x - differentiable_lgamma(a))


_igamma.defjvps(_without_derivative, lambda t, ans, a, x: t * _gamma_density(a, x))
_igammac.defjvps(_without_derivative, lambda t, ans, a, x: -t * _gamma_density(a, x))


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    aliases=("special.gammainc",),
    grad_node="MulBackward0",
    underived={"input": "igamma: input"},
)
@half_in_float32
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The regularised lower incomplete gamma function of order ``input`` at ``other``, broadcast.

    Integers are refused. It has a derivative by ``other`` alone.
    """
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "igamma_cpu")
    return _igamma(*jnp.broadcast_arrays(input, other))


@op(
    promote=("input", "other"),
    inplace=True,
    out=True,
    aliases=("special.gammaincc",),
    grad_node="MulBackward0",
    underived={"input": "igammac: input"},
)
@half_in_float32
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """The regularised upper incomplete gamma function of order ``input`` at ``other``, broadcast.

    Integers are refused. It has a derivative by ``other`` alone.
    """
    check_broadcast(input, other)
    require_dtype(input.dtype, "f", "igammac_cpu")
    return _igammac(*jnp.broadcast_arrays(input, other))


# Zeta and polygamma functions


@jax.custom_jvp
def _zeta(x: Tensor, q: Tensor) -> Tensor:
    return _zeta_in_float64(x.astype(jnp.float64), q.astype(jnp.float64)).astype(x.dtype)


def _zeta_in_float64(x: Tensor, q: Tensor) -> Tensor:
    """``lax.zeta``, which is right for positive ``q``, and what it makes of others.

    Of a negative ``q`` the terms up to 0 are those of 1 - fraction, with the sign of (-1) ** x, as far as 1 - q: they
    exist for whole ``x`` alone. At 0 and below it a whole ``q`` is a pole.
    """
    below, whole = q < 0, jnp.floor(q)

    def with_negative() -> Tensor:
        fraction = jnp.where(below & (q > whole), q - whole, 0.5)
        starts = jnp.stack([fraction, 1 - fraction, jnp.where(below, 1 - q, 1), jnp.where(below, 1, q)])
        beyond, first, last, positive = lax.zeta(jnp.broadcast_to(x, starts.shape), starts)
        negative = beyond + jnp.where(x % 2 == 1, last - first, first - last)
        return jnp.where(below, jnp.where(x == jnp.floor(x), negative, jnp.nan), positive)

    found = lax.cond(jnp.any(below), with_negative, lambda: lax.zeta(x, q))
    pole = (x == 1) | ((q <= 0) & (q == whole)) | ((x == jnp.inf) & (q < 1))
    return jnp.where(x < 1, jnp.nan, jnp.where(pole, jnp.inf, found))


_zeta.defjvps(_without_derivative, lambda t, ans, x, q: -t * x * _zeta(x + 1, q))


@op(
    name="special_zeta",
    aliases=("special.zeta",),
    namespaces=(),
    promote=("input", "other"),
    int_to_float=True,
    out=True,
    node=_by_operands("SpecialZeta"),
    grad_node="MulBackward0",
    underived={"input": "zeta"},
)
def special_zeta(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The Hurwitz zeta function: the sum over k of ``(k + other) ** -input``, broadcast.

    Infinite at ``input`` 1, NaN below. It has a derivative by ``other`` alone; half precision is refused.
    """
    check_broadcast(input, other)
    _refuse_half(input.dtype, "zeta_cpu")
    return _zeta(*jnp.broadcast_arrays(input, other))


def _polygamma(n: int, x: Tensor) -> Tensor:
    if n == 0:
        return differentiable_digamma(x)
    if n == 1:
        return trigamma(x)
    factorial = math.gamma(n + 1) if n < 171 else math.inf
    return (factorial if n % 2 else -factorial) * _zeta(jnp.full_like(x, n + 1), x)


@op(
    name="polygamma.n",
    promote=("input",),
    int_to_float=True,
    inplace=True,
    out=True,
    node="PolygammaBackward0",
    grad_node="MulBackward0",
)
@half_in_float32
def polygamma(input: Tensor, n: int) -> Tensor:
    """The ``n``-th derivative of ``digamma``; of order 0, ``digamma`` itself. Complex is refused."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    require_dtype(input.dtype, "f", ("digamma", "trigamma", "polygamma")[min(n, 2)])
    return _polygamma(n, input)
