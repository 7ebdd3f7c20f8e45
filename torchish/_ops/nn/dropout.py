"""Dropout and random slopes, given the mask or the slopes: whoever calls these draws them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import widen
from ..kernel_dtypes import require_dtype
from ..registry import Number, Tensor, op

# The value that SELU gives to what alpha dropout drops, negated: 1.0507009873554805 * 1.6732632423543772.
_SATURATION = 1.7580993408473766


@op(name="dropout.masked", node="MulBackward0", grad_node="MulBackward0")
def dropout_masked(input: Tensor, mask: Tensor, p: Number) -> Tensor:
    """``input * (mask / (1 - p))``, in this order of rounding; the mask says what stays. With ``p`` 1 nothing does."""
    rest = (1 - jnp.asarray(p, np.float64)).astype(input.dtype)
    share = mask.astype(input.dtype) / jnp.where(rest == 0, jnp.ones((), input.dtype), rest)
    return input * share


@op(name="alpha_dropout.masked", node="AddBackward0", grad_node="MulBackward0")
def alpha_dropout_masked(input: Tensor, mask: Tensor, p: Number) -> Tensor:
    """What the mask drops becomes SELU's negative limit; then scaled and shifted to keep mean 0 and variance 1."""
    drop = jnp.asarray(p, np.float64)
    scale = 1 / jnp.sqrt((_SATURATION**2 * drop + 1) * (1 - drop))
    kept = mask.astype(input.dtype)
    shift = (_SATURATION * scale).astype(input.dtype)
    offset = (_SATURATION * scale * drop).astype(input.dtype)
    return input * (kept * scale.astype(input.dtype)) + ((kept - 1) * shift + offset)


@op(name="rrelu.mean", node="RreluWithNoiseBackward0", grad_node="LeakyReluBackwardBackward0")
def rrelu_mean(input: Tensor, slope: Number) -> Tensor:
    """``input`` where it is positive, elsewhere times ``slope``."""
    require_dtype(input.dtype, "f", "leaky_relu_cpu")
    x = widen(input)
    return jnp.where(x > 0, x, x * jnp.asarray(slope).astype(x.dtype)).astype(input.dtype)


@op(name="rrelu.noise", node="RreluWithNoiseBackward0")
def rrelu_noise(input: Tensor, slopes: Tensor) -> Tensor:
    """``input`` where it is positive, elsewhere times the next of the ``slopes``, of which there are enough."""
    flat = input.reshape(-1)
    drops = flat <= 0
    turn = jnp.maximum(jnp.cumsum(drops) - 1, 0)
    noise = jnp.where(drops, lax.stop_gradient(slopes)[turn] if flat.size else slopes, 1).astype(input.dtype)
    return input * noise.reshape(input.shape)
