"""Inverses and linear systems, from the LU decomposition.

A singular matrix is one for which the decomposition meets a pivot that is exactly zero. Which ones do depends on
rounding, as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import broadcast_shapes
from ..out_rules import EXPECTED, UNCHECKED, safely_castable
from ..precision import FULL
from ..registry import Dims, Tensor, check_of, op
from ..scalar_types import scalar_name
from .errors import (
    LinAlgError,
    batch_element,
    first_bad,
    no_check,
    require_inexact,
    require_lapack,
    require_matrix,
    require_square,
)

Check = tuple[Tensor, Tensor]


@jax.custom_jvp
def inverse(A: Tensor) -> Tensor:
    """The inverse of each matrix; not finite where there is none."""
    return A if 0 in A.shape else jnp.linalg.inv(A)


@inverse.defjvp
def _(primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """From the inverse itself: solving with the factors again, as JAX would, costs more."""
    (A,), (t,) = primals, tangents
    x = inverse(A)
    return x, -jnp.matmul(jnp.matmul(x, t, precision=FULL), x, precision=FULL)


def zero_pivot(A: Tensor) -> Tensor:
    """For each matrix the number of its first pivot that is zero, counted from 1; 0 where none is."""
    if 0 in A.shape:
        return jnp.zeros(A.shape[:-2], np.int32)
    zero = jnp.diagonal(lax.linalg.lu(A)[0], axis1=-2, axis2=-1) == 0
    return jnp.where(zero.any(-1), jnp.argmax(zero, axis=-1) + 1, 0).astype(np.int32)


def singular(A: Tensor) -> Check:
    """The check of an inversion: the witness says the matrix and its zero pivot."""
    pivot = zero_pivot(A)
    return first_bad(pivot > 0, pivot, A.shape[-1] + 1)


def inversion_error(name: str, A: Any, witness: int) -> Exception:
    """The error for what ``singular`` found, in the function ``name``."""
    matrix, pivot = divmod(witness, A.shape[-1] + 1)
    return LinAlgError(
        f"{name}: {batch_element(matrix, len(A.shape) > 2)}The diagonal element {pivot} is zero, the inversion "
        "could not be completed because the input matrix is singular."
    )


def solver_error(name: str, A: Any, witness: int) -> Exception:
    """The error of a solver for what ``singular`` found."""
    matrix = batch_element(witness // (A.shape[-1] + 1), len(A.shape) > 2)
    return LinAlgError(f"{name}: {matrix}The solver failed because the input matrix is singular.")


def _require_invertible(A: Tensor) -> None:
    require_square(A, "linalg.inv")
    require_inexact(A.dtype, "linalg.inv")


@op(
    namespaces=(),
    aliases=("linalg.inv",),
    out=UNCHECKED.but(autograd="linalg_inv_ex"),
    node="LinalgInvExBackward0",
    grad_node="NegBackward0",
    saves="result",
)
def linalg_inv(A: Tensor) -> Tensor:
    """The inverse of each square matrix in the last two dimensions; ``LinAlgError`` where one is singular."""
    _require_invertible(A)
    return inverse(A)


@check_of(linalg_inv, lambda witness, A: inversion_error("linalg.inv", A, witness))
def _(A: Tensor) -> Check:
    return singular(A)


@op(
    namespaces=(),
    aliases=("linalg.inv_ex",),
    out=UNCHECKED,
    returns=("inverse", "info"),
    differentiable=(0,),
    grad_node="NegBackward0",
)
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False) -> tuple[Tensor, Tensor]:
    """The inverse of each matrix and, as int32, the number of the pivot that is zero: 0 where there is an inverse.

    Nothing is refused unless ``check_errors``; the inverse of a singular matrix is not finite.
    """
    _require_invertible(A)
    return inverse(A), zero_pivot(A)


@check_of(linalg_inv_ex, lambda witness, A, **_: inversion_error("linalg.inv_ex", A, witness))
def _(A: Tensor, check_errors: bool = False) -> Check:
    return singular(A) if check_errors else no_check()


# Linear systems


def _is_vector(A: Tensor, B: Tensor) -> bool:
    """Whether the right-hand side is one vector for each matrix, not a matrix."""
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])


def _check_system(A: Tensor, B: Tensor, left: bool) -> None:
    require_inexact(A.dtype, "linalg.solve", half=True)
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type {scalar_name(A.dtype)} and B "
            f"of type {scalar_name(B.dtype)} instead"
        )
    require_square(A, "linalg.solve")
    require_matrix(B, "linalg.solve", "B")
    if A.shape[-2] != B.shape[-2 if left else -1]:
        sizes = f"{A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]}"
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(f"linalg.solve: Incompatible shapes of A and B for the equation {equation} ({sizes})")
    require_lapack(A.dtype, "lu_cpu")


def solve(A: Tensor, B: Tensor, left: bool = True) -> Tensor:
    """``X`` in ``A X = B``, or in ``X A = B``; batches broadcast."""
    if A.ndim < 2:
        require_square(A, "linalg.solve")
    vector = _is_vector(A, B)
    B = B[..., None] if vector else B
    _check_system(A, B, left)
    batch = broadcast_shapes(B.shape[:-2], A.shape[:-2])
    B = jnp.broadcast_to(B, (*batch, *B.shape[-2:]))
    A = jnp.broadcast_to(A, (*batch, *A.shape[-2:]))
    if 0 in B.shape:
        x = B
    elif left:
        x = jnp.linalg.solve(A, B)
    else:
        x = jnp.swapaxes(jnp.linalg.solve(jnp.swapaxes(A, -1, -2), jnp.swapaxes(B, -1, -2)), -1, -2)
    return x[..., 0] if vector else x


@op(
    namespaces=(),
    aliases=("linalg.solve",),
    out=UNCHECKED.but(autograd="_linalg_solve_ex"),
    node="LinalgSolveExBackward0",
    grad_node="AddBackward0",
)
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """``X`` in ``A X = B`` (``X A = B`` unless ``left``), for each matrix of the batches, which broadcast.

    ``B`` counts as vectors where it is 1-D, or has the shape of ``A`` without its last dimension.
    """
    return solve(A, B, left)


@check_of(linalg_solve, lambda witness, A, **_: solver_error("torch.linalg.solve", A, witness))
def _(A: Tensor, **_: Any) -> Check:
    return singular(A)


@op(
    namespaces=(),
    aliases=("linalg.solve_ex",),
    out=EXPECTED.but(shared=("A",), autograd="_linalg_solve_ex"),
    returns=("result", "info"),
    differentiable=(0,),
    grad_node="AddBackward0",
)
def linalg_solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> tuple[Tensor, Tensor]:
    """``torch.linalg.solve`` and, as int32, the number of the pivot that is zero: 0 where there is a solution."""
    return solve(A, B, left), zero_pivot(A)


@check_of(linalg_solve_ex, lambda witness, A, **_: solver_error("torch.linalg.solve_ex", A, witness))
def _(A: Tensor, check_errors: bool = False, **_: Any) -> Check:
    return singular(A) if check_errors else no_check()


# Tensors as matrices


def _as_matrix(input: Tensor, ind: int) -> Tensor:
    """``input`` with its first ``ind`` dimensions as rows and the others as columns."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > input.ndim:
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {input.ndim}")
    rows, columns = math.prod(input.shape[:ind]), math.prod(input.shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    return input.reshape(rows, columns)


@op(
    namespaces=(),
    aliases=("linalg.tensorinv",),
    out=safely_castable("tensorinv", copies=True),
    node="ReshapeAliasBackward0",
    grad_node="ViewBackward0",
)
def linalg_tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse for ``tensordot``: of ``input`` as a matrix whose rows are its first ``ind`` dimensions."""
    matrix = _as_matrix(input, ind)
    _require_invertible(matrix)
    return inverse(matrix).reshape(*input.shape[ind:], *input.shape[:ind])


def _tensorinv_error(witness: int, input: Any, ind: int = 2) -> Exception:
    n = math.prod(input.shape[:ind])
    return inversion_error("inv", jax.ShapeDtypeStruct((n, n), input.dtype), witness)


@check_of(linalg_tensorinv, _tensorinv_error)
def _(input: Tensor, ind: int = 2) -> Check:
    return singular(_as_matrix(input, ind))


def _tensor_system(input: Tensor, other: Tensor, dims: Dims) -> tuple[Tensor, tuple[int, ...]]:
    """The matrix of a ``tensorsolve``, and the shape of its result."""
    if dims is not None:
        moved = (dims,) if isinstance(dims, int) else tuple(dims)
        input = jnp.moveaxis(input, moved, range(-len(moved), 0))
    shape = input.shape[other.ndim :]
    n = math.prod(shape)
    if n != other.size:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {n} != {other.size}"
        )
    return input.reshape(n, n), shape


@op(
    namespaces=(),
    aliases=("linalg.tensorsolve",),
    out=safely_castable("tensorsolve", copies=True),
    node="ViewBackward0",
    grad_node="AddBackward0",
)
def linalg_tensorsolve(input: Tensor, other: Tensor, dims: Dims = None) -> Tensor:
    """``X`` for which ``tensordot(input, X, X.ndim)`` is ``other``; ``dims`` of ``input`` are moved to the end first."""
    matrix, shape = _tensor_system(input, other, dims)
    return solve(matrix, other.reshape(-1)).reshape(shape)


@check_of(
    linalg_tensorsolve,
    lambda witness, **_: LinAlgError("torch.linalg.solve: The solver failed because the input matrix is singular."),
)
def _(input: Tensor, other: Tensor, dims: Dims = None) -> Check:
    return singular(_tensor_system(input, other, dims)[0])
