"""The Cholesky decomposition, and what is computed from its factor."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..out_rules import safely_castable
from ..registry import Tensor, check_of, op
from .errors import (
    LinAlgError,
    batch_element,
    first_bad,
    require_inexact,
    require_lapack,
    require_solver_sizes,
    require_square,
)
from .matrices import adjoint, broadcast_batches, diagonal, product, solve_triangle


def not_positive_definite(name: str, position: int, order: int, batched: bool) -> Exception:
    """The error for matrix ``position`` whose leading minor of this order is not positive."""
    return LinAlgError(
        f"{name}: {batch_element(position, batched)}The factorization could not be completed because the input is not "
        f"positive-definite (the leading minor of order {order} is not positive-definite)."
    )


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _factor(A: jax.Array, upper: bool) -> jax.Array:
    """``L``, of one triangle of ``A``; NaN where a matrix has none."""
    if A.size == 0:
        return A
    return jnp.tril(lax.linalg.cholesky(adjoint(A) if upper else A, symmetrize_input=False))


@_factor.defjvp
def _(upper, primals, tangents):
    # PyTorch's gradient is by all of A although a triangle is read: symmetric, save for imaginary parts on the diagonal
    # of what arrives, which L cannot have.
    (A,), (dA,) = primals, tangents
    L = _factor(A, upper)
    if A.size == 0:
        return L, dA
    X = solve_triangle(L, solve_triangle(L, dA, lower=True), lower=True, left=False, adjoint=True)
    return L, product(L, (jnp.tril(X) + jnp.tril(adjoint(X), -1)) / 2)


def _factor_as_far_as_possible(A: jax.Array) -> tuple[jax.Array, jax.Array]:
    """One matrix, column by column: the factor up to the first pivot that is not positive, and that column's number.

    The failing pivot is left as it is, and what comes after as it was, as LAPACK leaves small matrices.
    """
    n = A.shape[-1]
    rows = jnp.arange(n)

    def column(k, state):
        L, info = state
        done = jnp.where(rows < k, L[k], 0)
        rest = L[:, k] - product(jnp.where(rows[None] < k, L, 0), jnp.conj(done)[:, None])[:, 0]
        pivot = rest[k].real
        good = pivot > 0
        root = jnp.sqrt(jnp.where(good, pivot, 1))
        made = jnp.where(rows == k, jnp.where(good, root, pivot), jnp.where(good, rest / root, L[:, k]))
        made = jnp.where(rows < k, L[:, k], made).astype(A.dtype)
        running = info == 0
        L = jnp.where(running & (rows[None] == k), made[:, None], L)
        return L, jnp.where(running & ~good, k + 1, info)

    L, info = lax.fori_loop(0, n, column, (jnp.tril(A), jnp.zeros((), jnp.int32)))
    return L, info.astype(jnp.int32)


def _factor_and_info(A: jax.Array, upper: bool) -> tuple[jax.Array, jax.Array]:
    """The factor, upper triangular where ``upper``, and which leading minor is not positive, or 0."""
    batch = A.shape[:-2]
    if A.size == 0:
        return A, jnp.zeros(batch, jnp.int32)
    L = _factor(A, upper)
    failed = jnp.isnan(diagonal(L).real).any(-1)
    flat = lax.stop_gradient(adjoint(A) if upper else A).reshape(-1, *A.shape[-2:])
    # The rare case: only then is the number of the column that failed worked out.
    partial_L, info = lax.cond(
        failed.any(),
        jax.vmap(_factor_as_far_as_possible),
        lambda x: (jnp.tril(x), jnp.zeros(x.shape[:1], jnp.int32)),
        flat,
    )
    info = jnp.where(failed, info.reshape(batch), 0)
    L = jnp.where(failed[..., None, None], partial_L.reshape(A.shape), L)
    return (adjoint(L) if upper else L), info


@op(
    namespaces=(),
    name="linalg_cholesky_ex",
    node="LinalgCholeskyExBackward0",
    differentiable=(0,),
    returns=("L", "info"),
)
def linalg_cholesky_ex(input: Tensor, *, upper: bool = False) -> tuple[Tensor, Tensor]:
    """The factor ``L`` of Hermitian positive-definite matrices, ``L @ L.mH == input``, and an int32 for each.

    One triangle is read, the upper where ``upper``, and then ``L`` is upper triangular. ``info`` is 0, or the order of
    the first leading minor that is not positive; then ``L`` is of no use.
    """
    require_square(input, "linalg.cholesky")
    require_inexact(input.dtype, "linalg.cholesky", half=True)
    require_lapack(input.dtype, "cholesky_cpu")
    return _factor_and_info(input, upper)


@op(name="cholesky.info", node="CholeskyBackward0", differentiable=(0,))
def cholesky(input: Tensor, upper: bool = False) -> tuple[Tensor, Tensor]:
    """The factor of ``torch.cholesky``, and the info of ``linalg_cholesky_ex``."""
    require_square(input, "cholesky")
    require_lapack(input.dtype, "cholesky_cpu")
    return _factor_and_info(input, upper)


# From the factor


def _factor_of(L: jax.Array, upper: bool) -> jax.Array:
    """The lower factor in ``L``, of which only a triangle counts."""
    return adjoint(jnp.triu(L)) if upper else jnp.tril(L)


def _tangent_of_product(L: jax.Array, dL: jax.Array, upper: bool) -> jax.Array:
    """The tangent of ``L @ L.mH``. PyTorch's gradient is by all of ``L``, though a triangle is read."""
    half = product(adjoint(L), dL) if upper else product(dL, adjoint(L))
    return half + adjoint(half)


def _solve(B: jax.Array, L: jax.Array, upper: bool) -> jax.Array:
    """The solution of ``A X = B``, with the derivatives of a solution for ``A``, the product of all of ``L``: see above."""
    if B.size == 0:
        return B

    def by_matrix(X: jax.Array) -> jax.Array:
        return product(adjoint(L), L, X) if upper else product(L, adjoint(L), X)

    def solve(_: object, B: jax.Array) -> jax.Array:
        F = _factor_of(L, upper)
        return solve_triangle(F, solve_triangle(F, B, lower=True), lower=True, adjoint=True)

    def solve_transposed(_: object, B: jax.Array) -> jax.Array:
        return jnp.conj(solve(None, jnp.conj(B)))  # A is Hermitian

    return lax.custom_linear_solve(by_matrix, B, solve, solve_transposed)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _inverse(L: jax.Array, upper: bool) -> jax.Array:
    eye = jnp.broadcast_to(jnp.eye(L.shape[-1], dtype=L.dtype), L.shape)
    half = solve_triangle(_factor_of(L, upper), eye, lower=True)
    return product(adjoint(half), half)


@_inverse.defjvp
def _(upper, primals, tangents):
    (L,), (dL,) = primals, tangents
    inverse = _inverse(L, upper)
    return inverse, -product(inverse, _tangent_of_product(L, dL, upper), inverse)


@op(out=safely_castable("cholesky_solve"))
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """``X`` in ``A X = input`` where ``A = L @ L.mH`` and ``input2`` is ``L`` (or ``U = L.mH`` where ``upper``)."""
    for name, x in (("b", input), ("u", input2)):
        if x.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {x.ndim} dimensions instead")
    require_solver_sizes(input, input2, "cholesky_solve")
    B, L = broadcast_batches(input, input2)
    require_lapack(B.dtype, "cholesky_solve_cpu")
    return _solve(B, L, upper)


@op(out=safely_castable("cholesky_inverse"))
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """The inverse of ``L @ L.mH`` where ``input`` is ``L`` (or ``U = L.mH`` where ``upper``). The diagonal has no zero."""
    require_square(input, "cholesky_inverse")
    require_lapack(input.dtype, "cholesky_inverse_out_cpu")
    return _inverse(input, upper)


def _singular_factor(witness: int, input: jax.ShapeDtypeStruct, **_: object) -> Exception:
    position, column = divmod(witness, input.shape[-1])
    return LinAlgError(
        f"cholesky_inverse: {batch_element(position, len(input.shape) > 2)}The diagonal element {column + 1} "
        "is zero, the inversion could not be completed because the input matrix is singular."
    )


@check_of(cholesky_inverse, _singular_factor)
def _(input, **_):
    return first_bad(diagonal(input) == 0)
