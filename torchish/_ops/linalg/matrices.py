"""What functions of matrices have in common: argument checks with PyTorch's texts, adjoints, products, triangles."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..broadcasting import broadcast_shapes
from ..kernel_dtypes import require_dtype
from ..precision import FULL
from ..scalar_types import is_complex, is_inexact, scalar_name
from .errors import require_matrix

# Arguments


def require_square(A: Any, name: str, argument: str = "A") -> None:
    """Refuse what is no matrix, or not square."""
    require_matrix(A, name, argument)
    require_square_sizes(A, f"{name}: {argument}", argument)


def require_square_sizes(A: Any, subject: str, argument: str = "A") -> None:
    """Refuse a matrix that is not square; ``subject`` begins the text."""
    m, n = A.shape[-2:]
    if m != n:
        raise RuntimeError(f"{subject} must be batches of square matrices, but they are {m} by {n} matrices")


def require_inexact(A: Any, name: str) -> None:
    """Refuse integers and bools, as the functions do that say so before they choose a kernel."""
    if not is_inexact(A.dtype):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(A.dtype)}")


def require_lapack(dtype: Any, kernel: str) -> None:
    """Refuse dtypes that LAPACK does not have: half types, integers, bools."""
    require_dtype(dtype, "fc" if dtype.itemsize > 2 else "", kernel)


def require_solver_sizes(b: Any, A: Any, name: str) -> None:
    """The checks of the older solvers: ``A`` square, of ``b``'s dtype and height."""
    if A.dtype != b.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {scalar_name(b.dtype)} and A of type "
            f"{scalar_name(A.dtype)} instead."
        )
    require_square_sizes(A, "A")
    if A.shape[-2] != b.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {A.shape[-1]} by {A.shape[-1]} but each b matrix "
            f"is {b.shape[-2]} by {b.shape[-1]}"
        )


def require_equation_sizes(A: Any, B: Any, name: str, left: bool) -> None:
    """The checks of the newer solvers: both matrices, ``A`` square and of a size that fits ``B``."""
    require_square(A, name)
    require_matrix(B, name, "B")
    require_matching(A, B, name, left)


def require_matching(A: Any, B: Any, name: str, left: bool) -> None:
    if A.shape[-2] != B.shape[-2 if left else -1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )


def broadcast_batches(*matrices: jax.Array) -> list[jax.Array]:
    """The matrices with their leading dimensions broadcast together."""
    batch = broadcast_shapes(*(x.shape[:-2] for x in matrices))
    return [jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in matrices]


# Arithmetic


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


# Data checks


def first_bad(bad: jax.Array) -> tuple[jax.Array, jax.Array]:
    """``(any, position of the first)`` of flags, as data checks answer: the position counts all elements."""
    flat = bad.reshape(-1)
    if not flat.size:
        return jnp.zeros((), bool), jnp.zeros((), jnp.int64)
    return flat.any(), jnp.argmax(flat).astype(jnp.int64)


def batch_label(position: int, batched: bool) -> str:
    """How PyTorch's texts begin where one matrix of a batch is at fault."""
    return f"(Batch element {position}): " if batched else ""


def turns_phase(*pairs: tuple[jax.Array, jax.Array | None]) -> jax.Array:
    """Whether gradients of complex (pairs of) vectors, in columns, depend on their common factor of absolute value 1.

    Each of ``pairs`` is the vectors and their gradient. The tolerance is PyTorch's.
    """
    turn = sum(jnp.sum((jnp.conj(V) * g).imag, axis=-2) for V, g in pairs if g is not None)
    return (jnp.abs(turn) > 1e-2).any()


def is_nonfinite(A: jax.Array) -> jax.Array:
    """Whether each matrix has an infinity or NaN."""
    return ~jnp.isfinite(A).all(axis=(-2, -1))
