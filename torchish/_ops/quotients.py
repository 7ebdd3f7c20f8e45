"""Quotients rounded once, as IEEE 754 has them and PyTorch gives them.

XLA rewrites ``a / broadcast(b)`` into ``a * broadcast(1 / b)``, and ``a / sqrt(b)`` into ``a * rsqrt(b)``, which round
twice: a quarter of the results are off in the last bit, ``x / x.max()`` does not reach 1, and ``trunc(49 / 49)`` is 0.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

Tensor = jax.Array


def quotient(a: Tensor, b: Tensor) -> Tensor:
    """``a / b``, broadcast. Floating operands of one dtype; others are divided as they are."""
    if not jnp.issubdtype(a.dtype, jnp.floating) or a.dtype != b.dtype:
        return a / b
    return _quotient(a, b)


@jax.custom_jvp
def _quotient(a: Tensor, b: Tensor) -> Tensor:
    # The divisor is made to depend on ``a``, where only NaN can tell, so that no rule for divisors applies to it.
    return a / jnp.where(a == a, b, jnp.full((), jnp.nan, b.dtype))


# By ``a`` without a use of ``a``: the gradient of a mean saves nothing.
_quotient.defjvps(lambda t, ans, a, b: t / b, lambda t, ans, a, b: -t * (ans / b))
