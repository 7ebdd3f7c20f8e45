"""Factorisation of symmetric and Hermitian matrices that need not be definite: Bunch and Kaufman's, as LAPACK stores it.

JAX has none. Here it is a loop over the columns of the lower triangle, compiled like everything else: blocks of 1 x 1 or
2 x 2 on the diagonal, chosen by the rule of LAPACK's ``sytf2`` and ``hetf2``.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..out_rules import UNCHECKED
from ..registry import Tensor, op
from ..scalar_types import is_complex, scalar_name
from .errors import require_inexact, require_lapack, require_solver_sizes, require_square
from .matrices import broadcast_batches, product

_ALPHA = (1 + math.sqrt(17)) / 8


def _size(x: jax.Array) -> jax.Array:
    """LAPACK's cheap absolute value."""
    return jnp.abs(x.real) + jnp.abs(x.imag) if is_complex(x.dtype) else jnp.abs(x)


def _exchanged(n: int, i: jax.Array, j: jax.Array) -> jax.Array:
    """The numbers below ``n`` with ``i`` and ``j`` exchanged."""
    rows = jnp.arange(n)
    return jnp.where(rows == i, j, jnp.where(rows == j, i, rows))


def _pivot(W: jax.Array, k: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Which row comes to column ``k``'s block, whether the block is 2 x 2, and whether the column is all zero."""
    rows = jnp.arange(W.shape[-1])
    own = _size(W[k, k])
    column = jnp.where(rows > k, _size(W[:, k]), -1)
    largest = jnp.argmax(column)
    below = jnp.maximum(column[largest], 0)
    beside = jnp.where((rows >= k) & (rows != largest), _size(W[largest]), 0).max()
    keep = (own >= _ALPHA * below) | (own * beside >= _ALPHA * below * below)
    single = keep | (_size(W[largest, largest]) >= _ALPHA * beside)
    return jnp.where(keep, k, largest), ~single, jnp.maximum(own, below) == 0


def _inverse_of_block(a: jax.Array, b: jax.Array, c: jax.Array, d: jax.Array) -> tuple[jax.Array, ...]:
    """The inverse of ``[[a, b], [c, d]]``, scaled by ``c`` so that nothing overflows early."""
    scale = jnp.where(c == 0, 1, c)
    a, b, d, one = a / scale, b / scale, d / scale, c / scale
    det = (a * d - b * one) * scale
    return d / det, -b / det, -one / det, a / det


def _factor_one(A: jax.Array, hermitian: bool) -> tuple[jax.Array, jax.Array, jax.Array]:
    n = A.shape[-1]
    rows = jnp.arange(n)
    strict = jnp.tril(A, -1)
    upper = jnp.swapaxes(jnp.conj(strict) if hermitian else strict, -1, -2)
    own = jnp.diagonal(A)
    W = strict + upper + jnp.diag((own.real if hermitian else own).astype(A.dtype))

    def block(state):
        k, W, LD, pivots, info = state
        row, double, nothing = _pivot(W, k)
        second = jnp.minimum(k + 1, n - 1)
        order = _exchanged(n, jnp.where(double, second, k), row)
        W = W[order][:, order]
        a, b, c, d = W[k, k], W[k, second], W[second, k], W[second, second]
        # One column, or two, of L, each zero above the block.
        single = jnp.where(rows > k, W[:, k], 0) / jnp.where(nothing, 1, a)
        p, q, r, s = _inverse_of_block(a, b, c, d)
        left, right = jnp.where(rows > second, W[:, k], 0), jnp.where(rows > second, W[:, second], 0)
        first_column = jnp.where(double, left * p + right * r, single)
        second_column = jnp.where(double, left * q + right * s, 0)
        W = W - first_column[:, None] * W[k] - second_column[:, None] * W[second]
        stored = first_column.at[k].set(a)
        stored = jnp.where(double & (rows == second), c, stored)
        LD = LD.at[:, k].set(stored)
        LD = jnp.where(double & (rows[None] == second), second_column.at[second].set(d)[:, None], LD)
        mark = jnp.where(double, -(row + 1), row + 1).astype(jnp.int32)
        pivots = jnp.where((rows == k) | (double & (rows == second)), mark, pivots)
        info = jnp.where(nothing & (info == 0), k + 1, info).astype(jnp.int32)
        return k + 1 + double.astype(k.dtype), W, LD, pivots, info

    start = (jnp.zeros((), jnp.int64), W, jnp.zeros_like(A), jnp.zeros((n,), jnp.int32), jnp.zeros((), jnp.int32))
    _, _, LD, pivots, info = lax.while_loop(lambda state: state[0] < n, block, start)
    return LD, pivots, info


_NAME = "torch.linalg.ldl_factor_ex"


def _no_factor_derivative(**_: object) -> Exception:
    return RuntimeError("derivative for aten::linalg_ldl_factor_ex is not implemented")


def _no_solve_derivative(**_: object) -> Exception:
    return RuntimeError("derivative for aten::linalg_ldl_solve is not implemented")


@op(
    name="linalg_ldl_factor_ex",
    namespaces=(),
    node="NotImplemented",
    differentiable=(0,),
    returns=("LD", "pivots", "info"),
    refuses_derivative=_no_factor_derivative,
)
def linalg_ldl_factor_ex(input: Tensor, *, hermitian: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """``L`` and ``D`` of ``input == P L D L.mT P.mT`` (``L.mH`` where ``hermitian``) in one matrix, and the interchanges.

    The lower triangle is read. ``pivots`` (int32, from 1) are negative and equal in pairs for the 2 x 2 blocks of ``D``;
    ``info`` is the number of the first block that is exactly zero, or 0.
    """
    require_square(input, _NAME)
    require_inexact(input.dtype, _NAME, half=True)
    require_lapack(input.dtype, "ldl_factor_kernel_cpu")
    batch, n = input.shape[:-2], input.shape[-1]
    if input.size == 0:
        return input, jnp.zeros((*batch, n), jnp.int32), jnp.zeros(batch, jnp.int32)
    flat = input.reshape(-1, n, n)
    LD, pivots, info = jax.vmap(lambda A: _factor_one(A, hermitian))(flat)
    return jnp.tril(LD).reshape(input.shape), pivots.reshape(*batch, n), info.reshape(batch)


def _solve_one(LD: jax.Array, pivots: jax.Array, B: jax.Array, hermitian: bool) -> jax.Array:
    """LAPACK's ``sytrs`` for the lower triangle."""
    n = LD.shape[-1]
    rows = jnp.arange(n)
    turned = jnp.conj if hermitian else lambda x: x

    def column(k: jax.Array, below: jax.Array) -> jax.Array:
        return jnp.where(rows > below, LD[:, k], 0)[:, None]

    def down(state):
        k, B = state
        double = pivots[k] < 0
        second = jnp.minimum(k + 1, n - 1)
        last = jnp.where(double, second, k)
        B = B[_exchanged(n, last, jnp.abs(pivots[k]) - 1)]
        x, y = B[k], B[second]
        B = B - column(k, last) * x - jnp.where(double, column(second, last) * y, 0)
        a, c, d = LD[k, k], LD[second, k], LD[second, second]
        p, q, r, s = _inverse_of_block(a, turned(c), c, d)
        single = x / (a.real if hermitian else a)
        B = B.at[k].set(jnp.where(double, p * x + q * y, single))
        B = jnp.where(double & (rows == second)[:, None], r * x + s * y, B)
        return k + 1 + double.astype(k.dtype), B

    def up(state):
        k, B = state
        double = pivots[k] < 0
        first = jnp.maximum(k - 1, 0)
        both = ((k, True), (first, double))
        sums = [product(jnp.swapaxes(turned(column(i, k)), 0, 1), B) for i, _ in both]
        for (i, applies), total in zip(both, sums, strict=True):
            B = B - jnp.where(applies & (rows == i)[:, None], total, 0)
        return k - 1 - double.astype(k.dtype), B[_exchanged(n, k, jnp.abs(pivots[k]) - 1)]

    zero = jnp.zeros((), jnp.int64)
    _, B = lax.while_loop(lambda state: state[0] < n, down, (zero, B))
    _, B = lax.while_loop(lambda state: state[0] >= 0, up, (zero + n - 1, B))
    return B


@op(
    name="linalg_ldl_solve",
    namespaces=(),
    aliases=("linalg.ldl_solve",),
    out=UNCHECKED.but(lenient=True),
    node="NotImplemented",
    refuses_derivative=_no_solve_derivative,
)
def linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """``X`` in ``A X = B``, of ``A``'s ``ldl_factor``. Batches are broadcast."""
    name = "torch.linalg.ldl_solve"
    require_inexact(LD.dtype, name, half=True)
    require_square(LD, name)
    if B.ndim < 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [-1, 0], but got {-2})")
    require_solver_sizes(B, LD, name)
    if pivots.dtype.kind not in "iub":
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got {scalar_name(pivots.dtype)}")
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    require_lapack(LD.dtype, "ldl_solve_kernel_cpu")
    B, LD = broadcast_batches(B, LD)
    n, batch = LD.shape[-1], LD.shape[:-2]
    if B.size == 0:
        return B
    pivots = jnp.broadcast_to(pivots, (*batch, n)).reshape(-1, n).astype(np.int32)
    solve = jax.vmap(lambda f, p, b: _solve_one(f, p, b, hermitian))
    return solve(LD.reshape(-1, n, n), pivots, B.reshape(-1, *B.shape[-2:])).reshape(B.shape)
