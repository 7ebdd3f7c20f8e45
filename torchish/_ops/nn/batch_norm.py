"""The operators behind batch normalization, which return the statistics too, and gradients that are operators."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import normalize_dim, widen
from ..registry import DType, Number, Tensor, op
from ..scalar_types import default_float, is_integral, scalar_name
from .norm import affine, as_number, check_batch_norm, moved, standardized


@op(name="native_batch_norm.train", differentiable=(0,), node="NativeBatchNormBackward0")
def native_batch_norm_train(
    input: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    momentum: Number = 0.1,
    eps: Number = 1e-5,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Batch normalization by the batch's statistics.

    Returns the output, the means, the reciprocal standard deviations, and the new running statistics.
    """
    check_batch_norm(input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    axes = [i for i in range(input.ndim) if i != 1]
    values = input.size // max(input.shape[1], 1)
    x = widen(input)
    if values:
        standard, mean, variance = standardized(x, axes, eps)
    else:  # of nothing PyTorch makes statistics of zeros
        standard, mean = x, jnp.zeros((input.shape[1],), x.dtype)
        variance = mean
    output = affine(standard, weight, bias, (-1, *[1] * (input.ndim - 2)))
    inverse = lax.rsqrt(variance + as_number(eps, x.dtype)).reshape(-1)
    unbiased = variance * (values / max(values - 1, 1))
    statistics = next((p.dtype for p in (weight, bias, running_mean) if p is not None), input.dtype)
    return (
        output.astype(input.dtype),
        lax.stop_gradient(mean.reshape(-1)).astype(statistics),
        lax.stop_gradient(inverse).astype(statistics),
        moved(running_mean, mean.reshape(-1), momentum),
        moved(running_var, unbiased.reshape(-1), momentum),
    )


@op(namespaces=("torch",), node="NativeDropoutBackwardBackward0")
def native_dropout_backward(grad_output: Tensor, mask: Tensor, scale: Number) -> Tensor:
    """``grad_output * mask * scale``: the gradient of dropout. Integers give the default floating dtype."""
    if is_integral(grad_output.dtype):
        grad_output = grad_output.astype(default_float())
    factor = jnp.asarray(scale).astype(widen(grad_output).dtype)
    return (widen(grad_output) * mask.astype(factor.dtype) * factor).astype(grad_output.dtype)


@op(name="native_dropout.masked", node="NativeDropoutBackward0", grad_node="NativeDropoutBackwardBackward0")
def native_dropout_masked(input: Tensor, mask: Tensor, scale: Number) -> Tensor:
    """``input`` where the mask holds, times ``scale``."""
    return native_dropout_backward(input, mask, scale)


def _check_softmax_backward(grad_output: Tensor, output: Tensor, dtype: DType) -> None:
    if grad_output.shape != output.shape:
        raise RuntimeError(
            f"Expected tensor for argument #1 'grad' to have same size as tensor for argument #2 'output'; but "
            f"{list(grad_output.shape)} does not equal {list(output.shape)} (while checking arguments for "
            "softmax_backward)"
        )
    for other in (output.dtype, dtype):
        if other is not None and other != grad_output.dtype:
            raise RuntimeError(f"expected scalar type {scalar_name(grad_output.dtype)} but found {scalar_name(other)}")


@op(namespaces=("torch",), node="SoftmaxBackwardDataBackward0")
def _softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: DType) -> Tensor:
    """The gradient of softmax along ``dim``, of its result's gradient and its result."""
    _check_softmax_backward(grad_output, output, input_dtype)
    axis = normalize_dim(dim, output.ndim)
    g, y = widen(grad_output), widen(output)
    total = (g * y).sum(axis, keepdims=True) if output.ndim else g * y
    return (y * (g - total)).astype(np.dtype(grad_output.dtype))


@op(name="_safe_softmax", namespaces=("torch",), node="SafeSoftmaxBackward0")
def safe_softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """``softmax`` along ``dim``; zeros where everything along it is minus infinity."""
    x: Any = widen(input if dtype is None else input.astype(dtype))
    axis = normalize_dim(dim, x.ndim)
    flat = x.reshape(1) if x.ndim == 0 else x
    largest = lax.stop_gradient(flat.max(axis, keepdims=True))
    hidden = jnp.isneginf(largest)
    powers = jnp.exp(flat - jnp.where(hidden, jnp.zeros_like(largest), largest))
    total = powers.sum(axis, keepdims=True)
    made = powers / jnp.where(hidden, jnp.ones_like(total), total)
    return made.reshape(input.shape).astype(input.dtype if dtype is None else dtype)
