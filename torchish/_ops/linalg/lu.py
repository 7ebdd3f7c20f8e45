"""LU decompositions, and the equations solved with them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import broadcast_shapes
from ..out_rules import UNCHECKED
from ..registry import Tensor, check_of, op
from ..scalar_types import scalar_name
from .errors import batch_element, require_inexact, require_lapack, require_matching, require_matrix, require_square
from .matrices import adjoint as adjoint_of
from .matrices import diagonal, solve_triangle


def singular(name: str, position: int, order: int, batched: bool) -> Exception:
    """The error for matrix ``position`` whose ``U`` has a zero at ``order`` on the diagonal."""
    return RuntimeError(
        f"{name}: {batch_element(position, batched)}U[{order},{order}] is zero and using it on lu_solve would result in a "
        "division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
        "linalg.lu_factor_ex(A, pivot)"
    )


def _require_lu(A: jax.Array, pivot: bool, name: str) -> None:
    if A.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    require_lapack(A.dtype, "lu_cpu")


def _factor(A: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """``LU``, the interchanges counted from 0, and the permutation that they make."""
    m, n = A.shape[-2:]
    if A.size == 0:
        batch = A.shape[:-2]
        rows = jnp.arange(m, dtype=jnp.int32)
        k = min(m, n)
        return A, jnp.broadcast_to(rows[:k], (*batch, k)), jnp.broadcast_to(rows, (*batch, m))
    LU, pivots, order = lax.linalg.lu(A)
    return LU, pivots, order


def _lower(LU: jax.Array, k: int) -> jax.Array:
    return jnp.tril(LU[..., :, :k], -1) + jnp.eye(LU.shape[-2], k, dtype=LU.dtype)


def _upper(LU: jax.Array, k: int) -> jax.Array:
    return jnp.triu(LU[..., :k, :])


def _permutation_matrix(order: jax.Array, dtype: np.dtype) -> jax.Array:
    """``P`` with ``P @ X[order] == X``."""
    return (jnp.arange(order.shape[-1])[:, None] == order[..., None, :]).astype(dtype)


@op(
    name="linalg_lu",
    namespaces=(),
    aliases=("linalg.lu",),
    out=UNCHECKED.but(expanded=(1,)),
    node="LinalgLuBackward0",
    differentiable=(1, 2),
    returns=("P", "L", "U"),
)
def linalg_lu(A: Tensor, *, pivot: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """``A == P @ L @ U``: a permutation, unit lower and upper triangular. ``pivot=False`` is not for CPU tensors."""
    _require_lu(A, pivot, "linalg.lu")
    LU, _, order = _factor(A)
    k = min(A.shape[-2:])
    return _permutation_matrix(order, A.dtype), _lower(LU, k), _upper(LU, k)


@op(
    name="linalg_lu_factor_ex",
    namespaces=(),
    node="LinalgLuFactorExBackward0",
    differentiable=(0,),
    returns=("LU", "pivots", "info"),
)
def linalg_lu_factor_ex(A: Tensor, *, pivot: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """``L`` below and ``U`` in the upper triangle of one matrix, the row interchanges as LAPACK counts them (int32, from
    1), and the number of the first zero on the diagonal of ``U``, or 0."""
    _require_lu(A, pivot, "torch.lu_factor")
    LU, pivots, _ = _factor(A)
    zero = diagonal(LU) == 0
    if zero.shape[-1] == 0:
        info = jnp.zeros(A.shape[:-2], jnp.int32)
    else:
        info = jnp.where(zero.any(-1), jnp.argmax(zero, -1) + 1, 0).astype(jnp.int32)
    return LU, pivots.astype(jnp.int32) + 1, info


def _order(pivots: jax.Array, m: int) -> jax.Array:
    """The permutation of ``m`` rows that interchanges counted from 1 make."""
    if pivots.size == 0 or m == 0:
        return jnp.broadcast_to(jnp.arange(m, dtype=jnp.int32), (*pivots.shape[:-1], m))
    return lax.linalg.lu_pivots_to_permutation(pivots.astype(jnp.int32) - 1, m)


@op(
    returns=("P", "L", "U"),
    out=UNCHECKED.but(expanded=(1, 2)),
    namespaces=("torch",),
    differentiable=(1, 2),
    node="LuUnpackBackward0",
)
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """``P``, ``L`` and ``U`` of what ``lu_factor`` gives; empty tensors for what is not asked for."""
    if LU_data.ndim < 2:
        raise RuntimeError(
            f"torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: {list(LU_data.shape)} instead"
        )
    if unpack_pivots and LU_pivots.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function "
            "is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    m, n = LU_data.shape[-2:]
    nothing = jnp.zeros((0,), LU_data.dtype)
    P = _permutation_matrix(_order(LU_pivots, m), LU_data.dtype) if unpack_pivots else nothing
    if not unpack_data:
        return P, nothing, nothing
    return P, _lower(LU_data, min(m, n)), _upper(LU_data, min(m, n))


@check_of(
    lu_unpack,
    lambda *_, **__: RuntimeError(
        "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of "
        "lu_factor?"
    ),
)
def _(LU_data, LU_pivots, unpack_pivots, **_):
    if not unpack_pivots:
        return jnp.zeros((), bool), jnp.zeros((), jnp.int64)
    return ((LU_pivots < 1) | (LU_pivots > LU_data.shape[-2])).any(), jnp.zeros((), jnp.int64)


@op(name="linalg_lu_solve", namespaces=(), aliases=("linalg.lu_solve",), out=UNCHECKED)
def linalg_lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """``X`` in ``A X = B``, of ``A``'s ``lu_factor``: ``X A = B`` unless ``left``, ``A``'s adjoint in its place where
    ``adjoint``. Batches are broadcast."""
    name = "linalg.lu_solve"
    require_inexact(LU.dtype, "torch.linalg.lu_solve", half=True)
    if LU.dtype != B.dtype:
        raise RuntimeError(
            f"{name}: Expected LU and B to have the same dtype, but found LU of type {scalar_name(LU.dtype)} and B of "
            f"type {scalar_name(B.dtype)} instead"
        )
    if pivots.dtype != np.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    require_square(LU, "torch.linalg.lu_solve")
    require_matrix(B, name, "B")
    require_matching(LU, B, name, left)
    if pivots.shape[-1:] != LU.shape[-1:]:
        raise RuntimeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    if pivots.shape[:-1] != LU.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    require_lapack(LU.dtype, "linalg.lu_solve_cpu")
    if not left:  # X A = B is A^H X^H = B^H
        return adjoint_of(_solve(LU, pivots, adjoint_of(B), not adjoint))
    return _solve(LU, pivots, B, adjoint)


def _solve(LU: jax.Array, pivots: jax.Array, B: jax.Array, adjoint: bool) -> jax.Array:
    batch = broadcast_shapes(B.shape[:-2], LU.shape[:-2])
    B = jnp.broadcast_to(B, (*batch, *B.shape[-2:]))
    order = jnp.broadcast_to(_order(pivots, LU.shape[-1]), (*batch, LU.shape[-1]))
    if B.size == 0:
        return solve_triangle(LU, B, lower=False)
    if adjoint:
        X = solve_triangle(LU, B, lower=False, adjoint=True)
        X = solve_triangle(LU, X, lower=True, adjoint=True, unit=True)
        return jnp.take_along_axis(X, jnp.argsort(order, -1)[..., None], -2)
    B = jnp.take_along_axis(B, order[..., None], -2)
    return solve_triangle(LU, solve_triangle(LU, B, lower=True, unit=True), lower=False)


def _bad_pivots(witness: int, **_: object) -> Exception:
    bound = "smaller or equal to LU.size(-2)" if witness else "greater or equal to 1"
    return RuntimeError(f"Pivots given to lu_solve must all be {bound}. Did you properly pass the result of lu_factor?")


@check_of(linalg_lu_solve, _bad_pivots)
def _(LU, pivots, **_):
    low, high = (pivots < 1).any(), (pivots > LU.shape[-2]).any()
    return low | high, jnp.where(low, 0, 1).astype(jnp.int64)
