"""Activation functions: relu and its kin, gelu, silu, softplus, the shrinkages, glu, softmax.

PyTorch fixes the slope at each kink; where it differs from what JAX derives, the value carries a
``jax.custom_jvp`` rule beside it. The ``inplace`` flags of ``nn.functional`` are not the ops' concern.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from ..dims import cast, normalize_dim
from ..elementwise.comparison import number_bits, number_of_bits
from ..elementwise.pointwise import divide, refuse_bool_operand
from ..elementwise.unary import abs as absolute
from ..elementwise.unary import neg
from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import ALL, CASTABLE, FOUND, LOG_SIGMOID, SOFTMAX
from ..quotients import quotient
from ..registry import DType, Number, Tensor, check_of, op
from ..scalar_types import default_float, is_bool, is_complex, is_floating, is_integral, scalar_name

_functional = functools.partial(op, namespaces=("nn.functional",))

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def _number(value: Number, like: Tensor) -> Tensor:
    return jnp.asarray(value, like.dtype)


# Rectifiers and limits: the slope at each kink is PyTorch's


def _refuse_clamping(dtype: object, kernel: str) -> None:
    if is_complex(dtype):
        raise NotImplementedError("clamp is not supported for complex types")
    require_dtype(dtype, "if", kernel)


@jax.custom_jvp
def _rectify(x: Tensor) -> Tensor:
    return jnp.maximum(x, 0)


# At 0 the slope is 0; a NaN passes its gradient on.
_rectify.defjvps(lambda t, ans, x: jnp.where(ans <= 0, 0, t))


@op(
    namespaces=("torch", "Tensor", "nn.functional"),
    inplace=True,
    saves="result",
    grad_node="ThresholdBackwardBackward0",
)
def relu(input: Tensor) -> Tensor:
    """``input`` where it is positive, else 0. Bools are refused."""
    if is_bool(input.dtype):
        raise RuntimeError("Boolean inputs not supported for relu")
    _refuse_clamping(input.dtype, "clamp_min_scalar_cpu")
    return _rectify(input)


@jax.custom_jvp
def _limit(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return jnp.minimum(jnp.maximum(x, low), high)


# On a limit the slope is 0; a NaN passes its gradient on.
_limit.defjvps(lambda t, ans, x, low, high: jnp.where((x <= low) | (x >= high), 0, t), None, None)


def _hardtanh(x: Tensor, low: Number, high: Number) -> Tensor:
    if is_bool(x.dtype):
        raise RuntimeError("Bool inputs not supported for hardtanh")
    _refuse_clamping(x.dtype, "clamp_scalar_cpu")
    return _limit(x, _number(low, x), _number(high, x))


_NEGATIVE_LIMITS = "cannot do hardtanh on an unsigned type with negative limits"


@_functional(saves="operands", inplace=True, grad_node="HardtanhBackwardBackward0")
def hardtanh(input: Tensor, min_val: Number = -1.0, max_val: Number = 1.0) -> Tensor:
    """``input`` limited to [min_val, max_val]. Bools, and negative limits of unsigned integers, are refused."""
    if input.dtype == jnp.uint8 and isinstance(min_val, float):
        raise RuntimeError(_NEGATIVE_LIMITS)
    return _hardtanh(input, min_val, max_val)


def _hardtanh_error(witness: int, **_: object) -> Exception:
    return ValueError("min_val cannot be greater than max_val") if witness else RuntimeError(_NEGATIVE_LIMITS)


@check_of(hardtanh, _hardtanh_error)
def _bad_limits(input: Tensor, min_val: Number = -1.0, max_val: Number = 1.0) -> tuple[Tensor, Tensor]:
    low, high = jnp.asarray(min_val), jnp.asarray(max_val)
    crossed = low > high
    negative = ((low < 0) | (high < 0)) & (input.dtype == jnp.uint8)
    return crossed | negative, crossed.astype(jnp.int64)


@_functional(saves="operands", node="HardtanhBackward0", grad_node="HardtanhBackwardBackward0")
def relu6(input: Tensor) -> Tensor:
    """``input`` limited to [0, 6]. Bools are refused."""
    return _hardtanh(input, 0, 6)


@_functional(inplace=True, grad_node="LeakyReluBackwardBackward0")
@half_in_float32
def leaky_relu(input: Tensor, negative_slope: Number = 0.01) -> Tensor:
    """``input`` where it is positive, else ``negative_slope * input``; the slope at 0 is ``negative_slope``."""
    require_dtype(input.dtype, "f", "leaky_relu_cpu")
    return jnp.where(input > 0, input, input * _number(negative_slope, input))


@op(
    namespaces=("torch", "Tensor", "nn.functional"),
    node="PreluKernelBackward0",
    grad_node="PreluKernelBackwardBackward0",
)
@half_in_float32
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input`` where it is positive, else ``weight * input``, with one weight, or one for each channel (dim 1)."""
    if input.dtype != weight.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {scalar_name(input.dtype)} and {scalar_name(weight.dtype)}"
        )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if weight.size != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if channels != weight.size:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. "
                f"Found parameter numbers = {weight.size} and channel size = {channels}."
            )
    require_dtype(input.dtype, "f", "prelu_cpu")
    channel_shape = (-1,) + (1,) * (input.ndim - 2) if input.ndim > 1 else (1,) * input.ndim
    return jnp.where(input > 0, input, weight.reshape(channel_shape) * input)


@op(
    namespaces=("torch", "nn.functional"),
    inplace=True,
    out=CASTABLE.but(shared=ALL, expanded=True),
    grad_node="ThresholdBackwardBackward0",
)
def threshold(input: Tensor, threshold: Number, value: Number) -> Tensor:
    """``input`` where it is above ``threshold``, else ``value``; NaN stays."""
    require_dtype(input.dtype, "if", "threshold_cpu")
    return jnp.where(input <= _number(threshold, input), _number(value, input), input)


# Exponential units


@jax.custom_jvp
def _elu(x: Tensor, alpha: Tensor, input_scale: Tensor) -> Tensor:
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.minimum(x, 0) * input_scale))


def _elu_slope(x: Tensor, alpha: Tensor, input_scale: Tensor) -> Tensor:
    # At 0 this is the slope of the left side, whose own derivative at 0 counts as 0.
    left = alpha * input_scale * jnp.exp(jnp.where(x < 0, x, 0) * input_scale)
    return jnp.where(x <= 0, left, 1)


_elu.defjvps(lambda t, ans, x, alpha, input_scale: t * _elu_slope(x, alpha, input_scale), None, None)


@_functional(inplace=True, grad_node="EluBackwardBackward0")
@half_in_float32
def elu(input: Tensor, alpha: Number = 1.0) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input) - 1)``."""
    require_dtype(input.dtype, "f", "elu_cpu")
    return _elu(input, _number(alpha, input), _number(1, input))


@op(namespaces=("torch", "nn.functional"), inplace=True, node="EluBackward0", grad_node="EluBackwardBackward0")
@half_in_float32
def selu(input: Tensor) -> Tensor:
    """``elu`` with the two constants that keep zero mean and unit variance through layers."""
    require_dtype(input.dtype, "f", "elu_cpu")
    return _SELU_SCALE * _elu(input, _number(_SELU_ALPHA, input), _number(1, input))


@op(namespaces=("torch", "nn.functional"), inplace=True, grad_node="EluBackwardBackward0")
@half_in_float32
def celu(input: Tensor, alpha: Number = 1.0) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input / alpha) - 1)``; ``alpha`` 0 raises RuntimeError."""
    require_dtype(input.dtype, "f", "elu_cpu")
    alpha = _number(alpha, input)
    return _elu(input, alpha, 1 / alpha)


@check_of(celu, lambda witness, **_: RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU"))
def _zero_alpha(input: Tensor, alpha: Number = 1.0) -> tuple[Tensor, Tensor]:
    return jnp.asarray(alpha) == 0, jnp.zeros((), jnp.int64)


# Smooth rectifiers


@_functional(out=FOUND, grad_node="GeluBackwardBackward0")
@half_in_float32
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """``input`` times the normal distribution's cumulative function, exact or by ``approximate="tanh"``."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    require_dtype(input.dtype, "f", "GeluKernelImpl")
    if approximate == "none":
        return input * (0.5 * (1 + lax.erf(input * math.sqrt(0.5))))
    inner = math.sqrt(2 / math.pi) * (input + 0.044715 * (input * input * input))
    return 0.5 * input * (1 + jnp.tanh(inner))


@_functional(grad_node="MulBackward0")
@half_in_float32
def silu(input: Tensor) -> Tensor:
    """``input * sigmoid(input)``."""
    require_dtype(input.dtype, "fc", "silu_cpu")
    return input * lax.logistic(input)


@_functional(grad_node="MulBackward0")
@half_in_float32
def mish(input: Tensor) -> Tensor:
    """``input * tanh(log(1 + exp(input)))``."""
    require_dtype(input.dtype, "f", "mish_cpu")
    return input * jnp.tanh(jnp.logaddexp(input, 0))


@_functional(out=FOUND, grad_node="SoftplusBackwardBackward0")
@half_in_float32
def softplus(input: Tensor, beta: Number = 1, threshold: Number = 20) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``, and ``input`` where ``beta * input`` is above ``threshold``."""
    require_dtype(input.dtype, "f", "softplus_cpu")
    beta, threshold = _number(beta, input), _number(threshold, input)
    linear = input * beta > threshold
    scaled = jnp.where(linear, 0, input) * beta
    return jnp.where(linear, input, jnp.log1p(jnp.exp(scaled)) / beta)


@jax.custom_jvp
def _log_sigmoid(x: Tensor) -> Tensor:
    return jnp.minimum(x, 0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


_log_sigmoid.defjvps(lambda t, ans, x: t * lax.logistic(-x))


@_functional(out=LOG_SIGMOID, node="LogSigmoidBackward0", grad_node="LogSigmoidBackwardBackward0")
@half_in_float32
def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(input))`` without overflow."""
    require_dtype(input.dtype, "f", "log_sigmoid_cpu")
    return _log_sigmoid(input)


@_functional(node="DivBackward0", grad_node="AddBackward0")
def softsign(input: Tensor) -> Tensor:
    """``input / (1 + |input|)``. Bools are refused."""
    return divide(input, 1 + absolute(input).astype(input.dtype))


# Piecewise approximations


@jax.custom_jvp
def _hard_sigmoid(x: Tensor) -> Tensor:
    return jnp.clip(x + 3, 0, 6) / 6


# At -3 and 3 the slope is 0; a NaN stops the gradient.
_hard_sigmoid.defjvps(lambda t, ans, x: jnp.where((x > -3) & (x < 3), t / 6, 0))


@_functional()
@half_in_float32
def hardsigmoid(input: Tensor) -> Tensor:
    """``input / 6 + 1 / 2`` limited to [0, 1]."""
    require_dtype(input.dtype, "f", "hardsigmoid_cpu")
    return _hard_sigmoid(input)


@jax.custom_jvp
def _hard_swish(x: Tensor) -> Tensor:
    return x * jnp.clip(x + 3, 0, 6) / 6


# At -3 the slope is 0, at 3 it is 1; a NaN passes its gradient on.
_hard_swish.defjvps(lambda t, ans, x: t * jnp.where(x <= -3, 0, jnp.where(x < 3, x / 3 + 0.5, 1)))


@_functional(grad_node="HardswishBackwardBackward0")
@half_in_float32
def hardswish(input: Tensor) -> Tensor:
    """``input * hardsigmoid(input)``."""
    require_dtype(input.dtype, "f", "hardswish_cpu")
    return _hard_swish(input)


# Shrinkages


@_functional(node="SubBackward0", grad_node="AddBackward0")
def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``. Bools are refused."""
    refuse_bool_operand(input.dtype)
    x = input.astype(default_float()) if is_integral(input.dtype) else input
    return x - jnp.tanh(x)


@op(
    namespaces=("torch", "Tensor", "nn.functional"),
    out=FOUND,
    grad_node="HardshrinkBackwardBackward0",
    saves="operands",
)
def hardshrink(input: Tensor, lambd: Number = 0.5) -> Tensor:
    """``input``, and 0 where it lies in [-lambd, lambd]; NaN stays."""
    require_dtype(input.dtype, "f", "hardshrink_cpu")
    lambd = _number(lambd, input)
    return jnp.where((input >= -lambd) & (input <= lambd), 0, input)


@_functional(saves="operands", out=FOUND, grad_node="SoftshrinkBackwardBackward0")
@half_in_float32
def softshrink(input: Tensor, lambd: Number = 0.5) -> Tensor:
    """``input`` moved by ``lambd`` towards 0, and 0 where it lies in [-lambd, lambd]. ``lambd`` is not negative."""
    require_dtype(input.dtype, "f", "softshrink_check")
    lambd = _number(lambd, input)
    within = (input >= -lambd) & (input <= lambd)
    shrunk = jnp.where(input > 0, input - lambd, input + lambd)
    return jnp.where(within, 0, shrunk)


def _softshrink_error(witness: int, input: Tensor, **_: object) -> Exception:
    return RuntimeError(
        f"lambda must be in range [0, {float(jnp.finfo(input.dtype).max):g}] for input dtype "
        f"{scalar_name(input.dtype)}, but found {number_of_bits(witness):g}"
    )


@check_of(softshrink, _softshrink_error)
def _lambda_out_of_range(input: Tensor, lambd: Number = 0.5) -> tuple[Tensor, Tensor]:
    lambd = jnp.asarray(lambd, jnp.float64)
    within = (lambd >= 0) & (lambd <= float(jnp.finfo(input.dtype).max))
    return ~within, number_bits(lambd)


# Along a dimension


@_functional(grad_node="GluBackwardBackward0")
@half_in_float32
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of ``input`` along ``dim`` times the sigmoid of the second half. The size must be even."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = normalize_dim(dim, input.ndim)
    size = input.shape[axis]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {size}")
    require_dtype(input.dtype, "f", "glu_cpu")
    value, gate = jnp.split(input, 2, axis=axis)
    return value * lax.logistic(gate)


def _along_dim(normalize: Callable[..., Tensor], input: Tensor, dim: int, dtype: DType, kernel: str) -> Tensor:
    x = cast(input, dtype)
    axis = normalize_dim(dim, x.ndim)
    if not is_floating(x.dtype):
        last = "lastdim_kernel_impl" if axis == max(x.ndim, 1) - 1 else "kernel_impl"
        require_dtype(x.dtype, "f", f"{kernel}_{last}")
    if x.size == 0:
        return x
    wide = half_in_float32(lambda y: normalize(y, axis=axis))
    return wide(x.reshape(1)).reshape(()) if x.ndim == 0 else wide(x)


def _softmax(x: Tensor, axis: int) -> Tensor:
    powers = jnp.exp(x - lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True)))
    return quotient(powers, jnp.sum(powers, axis=axis, keepdims=True))


def _log_softmax(x: Tensor, axis: int) -> Tensor:
    shifted = x - lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    return shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=axis, keepdims=True))


@op(
    aliases=("special.softmax",),
    namespaces=("torch", "Tensor"),
    out=SOFTMAX,
    saves="result",
    grad_node="SoftmaxBackwardDataBackward0",
)
def softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """``exp(input)`` divided by its sum along ``dim``; NaN where all of them are -inf.

    With ``dtype`` the input is cast first. Integers without a ``dtype`` are refused.
    """
    return _along_dim(_softmax, input, dim, dtype, "softmax")


@op(
    aliases=("special.log_softmax",),
    namespaces=("torch", "Tensor"),
    out=SOFTMAX,
    saves="result",
    grad_node="LogSoftmaxBackwardDataBackward0",
)
def log_softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """``log(softmax(input, dim))`` without overflow. With ``dtype`` the input is cast first."""
    return _along_dim(_log_softmax, input, dim, dtype, "log_softmax")


@_functional(saves="result", node="SoftmaxBackward0", grad_node="NegBackward0")
def softmin(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """``softmax(-input, dim)``. Bools are refused."""
    return softmax(neg(input), dim, dtype)
