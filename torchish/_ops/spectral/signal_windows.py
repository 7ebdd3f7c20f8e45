"""The one window function that is not made of everyday operations: Kaiser's, of modified Bessel functions."""

from __future__ import annotations

import jax.numpy as jnp
from jax.scipy.special import i0e

from ..kernel_dtypes import half_in_float32
from ..registry import Number, Tensor, op


@op(name="kaiser_window.at", promote=("position",), node="DivBackward0", grad_node="MulBackward0")
@half_in_float32
def kaiser_window_at(position: Tensor, half_width: Number, beta: Number) -> Tensor:
    """Kaiser's window at ``position``, counted from its start: ``i0(beta * sqrt(1 - x**2)) / i0(beta)``.

    ``x`` runs from -1 to 1 over twice the ``half_width``.
    """
    x = position / half_width - 1
    beta = jnp.abs(beta)
    inner = beta * jnp.sqrt(jnp.maximum(1 - x * x, 0))
    # i0e is i0 without its growth: large beta would overflow.
    return jnp.exp(inner - beta) * i0e(inner) / i0e(beta)
