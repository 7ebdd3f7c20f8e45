"""Evaluating a Chebyshev series."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp

from ..registry import Tensor


def chebyshev_series(coefficients: Sequence[float], t: Tensor) -> Tensor:
    """The sum of ``coefficients[k] * T_k(t)`` by Clenshaw's recurrence; ``t`` from -1 to 1."""
    later = latest = jnp.zeros_like(t)
    for c in coefficients[:0:-1]:
        later, latest = 2 * t * later - latest + c, later
    return t * later - latest + coefficients[0]
