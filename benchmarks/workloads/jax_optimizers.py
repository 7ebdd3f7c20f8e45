"""The optimizers' updates in plain JAX, for the steps written by hand. They follow PyTorch's formulas and defaults."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def sgd(parameters: Any, gradients: Any, lr: float) -> Any:
    return jax.tree.map(lambda p, g: p - lr * g, parameters, gradients)


def momentum(parameters: Any, buffers: Any, gradients: Any, lr: float, weight: float = 0.9) -> tuple[Any, Any]:
    """SGD with momentum; buffers that start at zero give PyTorch's first step too."""
    buffers = jax.tree.map(lambda b, g: weight * b + g, buffers, gradients)
    return sgd(parameters, buffers, lr), buffers


def adam_state(parameters: Any) -> tuple[Any, Any, Any]:
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return zeros, zeros, jnp.zeros((), jnp.int32)


def adam(parameters: Any, state: tuple[Any, Any, Any], gradients: Any, lr: float) -> tuple[Any, tuple[Any, Any, Any]]:
    first, second, count = state
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    size = lr / (1 - 0.9**count)
    correction = jnp.sqrt(1 - 0.999**count)
    parameters = jax.tree.map(
        lambda p, m, v: p - size * m / (jnp.sqrt(v) / correction + 1e-8), parameters, first, second
    )
    return parameters, (first, second, count)
