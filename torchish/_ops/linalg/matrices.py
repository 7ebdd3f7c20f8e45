"""What functions of matrices have in common: adjoints, products, diagonals, triangles."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from ..broadcasting import broadcast_shapes
from ..precision import FULL
from ..scalar_types import is_complex


def broadcast_batches(*matrices: jax.Array) -> list[jax.Array]:
    """The matrices with their leading dimensions broadcast together."""
    batch = broadcast_shapes(*(x.shape[:-2] for x in matrices))
    return [jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in matrices]


def adjoint(x: jax.Array) -> jax.Array:
    """The conjugate transpose of each matrix."""
    x = jnp.swapaxes(x, -1, -2)
    return jnp.conj(x) if is_complex(x.dtype) else x


def product(*matrices: jax.Array) -> jax.Array:
    """The matrix product, from the left, in full precision."""
    result, *rest = matrices
    for x in rest:
        result = jnp.matmul(result, x, precision=FULL)
    return result


def diagonal(x: jax.Array) -> jax.Array:
    return jnp.diagonal(x, axis1=-2, axis2=-1)


def add_to_diagonal(x: jax.Array, d: jax.Array) -> jax.Array:
    """``x`` with the vectors ``d`` added along its diagonals."""
    return x + d[..., None] * jnp.eye(x.shape[-2], x.shape[-1], dtype=x.dtype)


def without_diagonal(x: jax.Array) -> jax.Array:
    """``x`` with zeros on its diagonals, whatever was there (infinities too)."""
    return jnp.where(jnp.eye(x.shape[-2], x.shape[-1], dtype=bool), jnp.zeros((), x.dtype), x)


def solve_triangle(
    A: jax.Array, B: jax.Array, *, lower: bool, left: bool = True, adjoint: bool = False, unit: bool = False
) -> jax.Array:
    """``X`` in ``A X = B`` (``X A = B`` unless ``left``; ``A``'s adjoint in ``A``'s place), batches broadcast."""
    B, A = broadcast_batches(B, A)
    if B.size == 0 or A.size == 0:
        return jnp.zeros_like(B) + _nothing(A)
    return lax.linalg.triangular_solve(
        A,
        B,
        left_side=left,
        lower=lower,
        transpose_a=adjoint,
        conjugate_a=adjoint and is_complex(A.dtype),
        unit_diagonal=unit,
    )


def _nothing(A: jax.Array) -> jax.Array:
    """Zero, as a function of ``A``: the result has a derivative by it also where nothing is to be solved."""
    return jnp.sum(A[..., :0])


def turns_phase(*pairs: tuple[jax.Array, jax.Array | None]) -> jax.Array:
    """Whether gradients of complex (pairs of) vectors, in columns, depend on their common factor of absolute value 1.

    Each of ``pairs`` is the vectors and their gradient. The tolerance is PyTorch's.
    """
    turn = sum(jnp.sum((jnp.conj(V) * g).imag, axis=-2) for V, g in pairs if g is not None)
    return (jnp.abs(turn) > 1e-2).any()
