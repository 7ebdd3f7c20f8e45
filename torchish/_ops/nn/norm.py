"""Normalization: batch, layer, group, instance, root-mean-square and local response, and ``normalize``.

Half types are normalized in float32. Running statistics are written in place by PyTorch; here they go in and
their new values come out, and whoever calls the op writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import at_least_1d, normalize_dim, widen
from ..kernel_dtypes import require_dtype
from ..linalg.matmul import size_at
from ..out_rules import CASTABLE
from ..quotients import quotient
from ..reductions.reduction import linalg_vector_norm
from ..registry import Ints, Number, Size, Tensor, op
from ..scalar_types import default_float, is_integral
from .pooling import refuse_average
from .windows import Window, sum_over


def _check_parameter_dtypes(input: Tensor, *parameters: Tensor | None) -> None:
    """Parameters have the input's dtype; a half input may have float32 ones."""
    half = input.dtype.itemsize == 2
    for p in parameters:
        if p is None or p.dtype == input.dtype or (half and p.dtype == np.float32):
            continue
        if p.dtype == np.float32:
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")


def as_number(value: Number, dtype: Any) -> Tensor:
    return jnp.asarray(value).astype(dtype)


def standardized(x: Tensor, axes: Sequence[int], eps: Number) -> tuple[Tensor, Tensor, Tensor]:
    """``x`` with mean 0 and variance 1 over ``axes``; the mean and the (biased) variance that it had."""
    mean = x.mean(axes, keepdims=True)
    centered = x - mean
    variance = (centered * centered).mean(axes, keepdims=True)
    return centered * lax.rsqrt(variance + as_number(eps, x.dtype)), mean, variance


def affine(x: Tensor, weight: Tensor | None, bias: Tensor | None, shape: Sequence[int]) -> Tensor:
    """``x * weight + bias``, the parameters laid out as ``shape``."""
    if weight is not None:
        x = x * weight.astype(x.dtype).reshape(shape)
    if bias is not None:
        x = x + bias.astype(x.dtype).reshape(shape)
    return x


def check_batch_norm(input: Tensor, **parameters: Tensor | None) -> None:
    size_at(input, 1)
    for name, p in parameters.items():
        if p is not None and p.size != input.shape[1]:
            raise RuntimeError(f"{name} should contain {input.shape[1]} elements not {p.size}")
    require_dtype(input.dtype, "f", "batch_norm")
    _check_parameter_dtypes(input, *parameters.values())


def moved(running: Tensor | None, batch: Tensor, momentum: Number) -> Tensor:
    """The running statistic moved towards the batch's; without one, the batch's."""
    batch = lax.stop_gradient(batch)
    if running is None:
        return batch
    m = as_number(momentum, batch.dtype)
    return (m * batch + (1 - m) * running.astype(batch.dtype)).astype(running.dtype)


@op(name="batch_norm.train", differentiable=(0,), node="NativeBatchNormBackward0")
def batch_norm_train(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    momentum: Number = 0.1,
    eps: Number = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Each channel (dimension 1) with mean 0 and variance 1 over the batch, and the new running statistics.

    The batch's biased variance normalizes; its unbiased one goes into the running variance, weighted by
    ``momentum``. Without running statistics the batch's own come out. One value a channel is refused.
    """
    if input.size == 0:  # nothing to learn from: the statistics stay
        kept = [jnp.zeros(0, input.dtype) if s is None else s for s in (running_mean, running_var)]
        return input, kept[0], kept[1]
    values = input.size // size_at(input, 1)
    if values == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(input.shape)})"
        )
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    check_batch_norm(input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    axes = [i for i in range(input.ndim) if i != 1]
    standard, mean, variance = standardized(widen(input), axes, eps)
    output = affine(standard, weight, bias, (-1, *[1] * (input.ndim - 2)))
    unbiased = variance * (values / max(values - 1, 1))
    return (
        output.astype(input.dtype),
        moved(running_mean, mean.reshape(-1), momentum),
        moved(running_var, unbiased.reshape(-1), momentum),
    )


@op(name="batch_norm.eval", node="NativeBatchNormBackward0")
def batch_norm_eval(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: Number = 1e-5,
) -> Tensor:
    """Each channel (dimension 1) normalized by the running statistics."""
    for name, statistic in (("running_mean", running_mean), ("running_var", running_var)):
        if statistic is None:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
    if input.size == 0:
        return input
    check_batch_norm(input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    assert running_mean is not None and running_var is not None
    x = widen(input)
    shape = (-1, *[1] * (input.ndim - 2))
    inverse = lax.rsqrt(running_var.astype(x.dtype) + as_number(eps, x.dtype))
    centered = x - running_mean.astype(x.dtype).reshape(shape)
    return affine(centered * inverse.reshape(shape), weight, bias, shape).astype(input.dtype)


def _check_normalized_shape(
    input: Tensor, shape: Size, weight: Tensor | None, bias: Tensor | None, separator: str
) -> None:
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and p.shape != tuple(shape):
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(p.shape)} "
                f"and normalized_shape = {list(shape)}"
            )
    if input.shape[max(input.ndim - len(shape), 0) :] != tuple(shape):
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*{separator}"
            f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}"
        )


@op(namespaces=("torch", "nn.functional"), node="NativeLayerNormBackward0")
def layer_norm(
    input: Tensor,
    normalized_shape: Ints,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: Number = 1e-5,
) -> Tensor:
    """The last dimensions, of sizes ``normalized_shape``, with mean 0 and variance 1; then scaled and shifted."""
    return native_layer_norm(input, normalized_shape, weight, bias, eps)[0]


@op(namespaces=("torch",), differentiable=(0,))
def native_layer_norm(
    input: Tensor, normalized_shape: Ints, weight: Tensor | None, bias: Tensor | None, eps: Number
) -> tuple[Tensor, Tensor, Tensor]:
    """``layer_norm``, the means, and the reciprocals of the standard deviations."""
    _check_normalized_shape(input, normalized_shape, weight, bias, ", ")
    require_dtype(input.dtype, "f", "LayerNormKernelImpl")
    _check_parameter_dtypes(input, weight, bias)
    x = widen(input)
    axes = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    standard, mean, variance = standardized(x, axes, eps)
    inverse = lax.rsqrt(variance + as_number(eps, x.dtype))
    statistics = next((p.dtype for p in (weight, bias) if p is not None), input.dtype)
    return (
        affine(standard, weight, bias, normalized_shape).astype(input.dtype),
        lax.stop_gradient(mean).astype(statistics),
        lax.stop_gradient(inverse).astype(statistics),
    )


@op(namespaces=("torch", "nn.functional"), node="NativeGroupNormBackward0", grad_node="ViewBackward0")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: Number = 1e-5
) -> Tensor:
    """Groups of channels (dimension 1), each with mean 0 and variance 1; then each channel scaled and shifted."""
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    size = [input.shape[0] * input.shape[1] // num_groups, num_groups, *input.shape[2:]]
    if size[0] * int(np.prod(size[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")
    batch, channels = input.shape[:2]
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and p.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(p.shape)} and input of shape {list(input.shape)}"
            )
    require_dtype(input.dtype, "f", "GroupNormKernelImpl")
    _check_parameter_dtypes(input, weight, bias)
    return _grouped(input, batch, channels, num_groups, weight, bias, eps)[0]


def _grouped(
    input: Tensor, batch: int, channels: int, groups: int, weight: Tensor | None, bias: Tensor | None, eps: Number
) -> tuple[Tensor, Tensor, Tensor]:
    x = widen(input).reshape(batch, groups, -1) if input.size else widen(input).reshape(batch, groups, 0)
    standard, mean, variance = standardized(x, (2,), eps)
    output = affine(standard.reshape(input.shape), weight, bias, (-1, *[1] * (input.ndim - 2)))
    inverse = lax.rsqrt(variance + as_number(eps, x.dtype))
    return output.astype(input.dtype), mean.reshape(batch, groups), inverse.reshape(batch, groups)


@op(namespaces=("torch",), grad_node="ViewBackward0")
def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: Number
) -> tuple[Tensor, Tensor, Tensor]:
    """``group_norm`` of an input seen as ``(N, C, HxW)``, the means, and the reciprocal standard deviations."""
    require_dtype(input.dtype, "f", "GroupNormKernelImpl")
    _check_parameter_dtypes(input, weight, bias)
    output, mean, inverse = _grouped(input.reshape(N, C, HxW), N, C, group, weight, bias, eps)
    statistics = next((p.dtype for p in (weight, bias) if p is not None), input.dtype)
    return output.reshape(input.shape), mean.astype(statistics), inverse.astype(statistics)


def _check_instance_norm(input: Tensor, **parameters: Tensor | None) -> None:
    for name, p in parameters.items():
        if p is not None and p.size != size_at(input, 1):
            total = input.shape[0] * input.shape[1]
            raise RuntimeError(f"{name} should contain {total} elements not {p.size * input.shape[0]}")
    require_dtype(input.dtype, "f", "batch_norm")
    _check_parameter_dtypes(input, *parameters.values())


@op(name="instance_norm.train", node="ViewBackward0", grad_node="ViewBackward0")
def instance_norm_train(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    momentum: Number = 0.1,
    eps: Number = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Each channel of each sample with mean 0 and variance 1, and the new running statistics.

    These move towards the average over the samples of the means and of the unbiased variances.
    """
    values = int(np.prod(input.shape[2:]))
    _check_instance_norm(input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    standard, mean, variance = standardized(widen(input), tuple(range(2, input.ndim)), eps)
    output = affine(standard, weight, bias, (-1, *[1] * (input.ndim - 2)))
    unbiased = variance * (values / max(values - 1, 1))
    per_channel = (input.shape[0], input.shape[1])
    return (
        output.astype(input.dtype),
        moved(running_mean, mean.reshape(per_channel).mean(0), momentum),
        moved(running_var, unbiased.reshape(per_channel).mean(0), momentum),
    )


@op(name="instance_norm.eval", node="ViewBackward0", grad_node="ViewBackward0")
def instance_norm_eval(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: Number = 1e-5,
) -> Tensor:
    """Each channel normalized by the running statistics."""
    if running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    _check_instance_norm(input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    return batch_norm_eval(input, running_mean, running_var, weight, bias, eps)


@op(namespaces=("torch", "nn.functional"), node="MulBackward0", grad_node="AddBackward0")
def rms_norm(input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, eps: Number | None = None) -> Tensor:
    """The last dimensions divided by their root mean square; ``eps`` is the dtype's own unless given."""
    _check_normalized_shape(input, normalized_shape, weight, None, "")
    require_dtype(input.dtype, "fc", "rms_norm")
    x = widen(input)
    axes = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    eps = jnp.finfo(x.dtype).eps if eps is None else eps
    y = x * lax.rsqrt((x * x).mean(axes, keepdims=True) + as_number(eps, x.dtype))
    return affine(y, weight, None, normalized_shape).astype(input.dtype)


@op(namespaces=("nn.functional",), node="DivBackward0", grad_node="AddBackward0")
def local_response_norm(input: Tensor, size: int, alpha: Number = 1e-4, beta: Number = 0.75, k: Number = 1.0) -> Tensor:
    """``input / (k + alpha * average) ** beta``, the average being of the squares of ``size`` neighbouring channels."""
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.ndim} dimensions)"
        )
    if input.size == 0:
        return input
    if size <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got kH: {size} kW: 1")
    refuse_average(input.dtype, 2 if input.ndim == 3 else 3)
    pads = [(0, 0), (size // 2, (size - 1) // 2)] + [(0, 0)] * (input.ndim - 2)
    squares = jnp.pad(input * input, pads)
    total = sum_over(squares, 1, Window(size, 1, 0, 1, input.shape[1]))
    if is_integral(input.dtype):  # the average of integers is rounded towards zero
        average, dtype = lax.div(total, jnp.full_like(total, size)), default_float()
    else:
        average, dtype = total / size, input.dtype
    base = average.astype(dtype) * as_number(alpha, dtype) + as_number(k, dtype)
    return input.astype(dtype) / base ** as_number(beta, dtype)


@op(namespaces=("nn.functional",), node="DivBackward0", grad_node="AddBackward0", out=CASTABLE.but(autograd="div"))
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: Number = 1e-12) -> Tensor:
    """``input`` divided by its p-norm along ``dim``, or by ``eps`` where that is smaller."""
    normalize_dim(dim, input.ndim)
    x = at_least_1d(input)
    norm = linalg_vector_norm(x, p, dim, True)
    least = as_number(eps, norm.dtype)
    return quotient(x, jnp.where(norm < least, least, norm)).reshape(input.shape)
