"""First and second derivatives of op bodies, compiled, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from torchish._ops.registry import OPS


def f32(*values: float) -> jax.Array:
    return jnp.array(values, jnp.float32)


def i64(*values: int) -> jax.Array:
    return jnp.array(values, jnp.int64)


def gradients(fn: Callable[..., jax.Array], *primals: jax.Array) -> list[Any]:
    """The gradient of the sum of ``fn``'s result by each of ``primals``, as lists."""

    @jax.jit
    def pull_ones(*xs: jax.Array) -> tuple[jax.Array, ...]:
        out, pull = jax.vjp(fn, *xs)
        return pull(jnp.ones_like(out))

    return [np.asarray(g).tolist() for g in pull_ones(*primals)]


def gradient(fn: Callable[..., jax.Array], x: jax.Array) -> Any:
    return gradients(fn, x)[0]


def second_derivative(fn: Callable[[jax.Array], jax.Array], x: jax.Array) -> Any:
    """Of an elementwise ``fn``, in each element of ``x``."""
    return gradient(lambda y: jax.vjp(fn, y)[1](jnp.ones_like(fn(y)))[0], x)


def check_fires(op_name: str, *operands: Any, **arguments: Any) -> bool:
    """Whether the op's data check finds these operands bad."""
    bad, _ = OPS[op_name].check(*operands, **arguments)  # type: ignore[misc]
    return bool(bad)


def check_error(op_name: str, *operands: Any, **arguments: Any) -> Exception:
    """The exception of the op's data check."""
    op = OPS[op_name]
    _, witness = op.check(*operands, **arguments)  # type: ignore[misc]
    structs = [jax.ShapeDtypeStruct(x.shape, x.dtype) if isinstance(x, jax.Array) else x for x in operands]
    named = dict(zip([p.name for p in op.params], structs, strict=False))
    return op.check_error(int(witness), **named, **arguments)  # type: ignore[misc]
