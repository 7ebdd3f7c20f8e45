"""Equations whose matrix is triangular."""

from __future__ import annotations

import jax.numpy as jnp

from ..out_rules import Out
from ..registry import Tensor, op
from .errors import require_equation_sizes, require_lapack, require_solver_sizes
from .matrices import broadcast_batches, solve_triangle


@op(
    name="linalg_solve_triangular",
    namespaces=(),
    aliases=("linalg.solve_triangular",),
    out=Out("expected scalar type {want} but found {got}", "same", shared=("input",), first=False),
)
def linalg_solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """``X`` in ``A X = B`` (``X A = B`` unless ``left``) for triangular ``A``, the ``input``.

    Only the triangle that ``upper`` says is read; where ``unitriangular``, ones are taken for the diagonal. A zero on the
    diagonal is no error: the result has infinities or NaN.
    """
    require_equation_sizes(input, B, "linalg.solve_triangular", left)
    require_lapack(input.dtype, "triangular_solve_cpu")
    # PyTorch takes B of another dtype, and has the result in A's.
    return solve_triangle(input, B.astype(input.dtype), lower=not upper, left=left, unit=bool(unitriangular))


@op(name="triangular_solve.pair", node="TriangularSolveBackward0", returns=("solution", "cloned_coefficient"))
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple[Tensor, Tensor]:
    """``X`` in ``A X = input`` for triangular ``A`` (its transpose where ``transpose``), and ``A`` as it was used."""
    for name, x in (("b", input), ("A", A)):
        if x.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {x.ndim} dimensions "
                "instead"
            )
    require_solver_sizes(input, A, "triangular_solve")
    require_lapack(A.dtype, "triangular_solve_cpu")
    b, A = broadcast_batches(input, A)
    flipped = jnp.swapaxes(A, -1, -2) if transpose else A
    return solve_triangle(flipped, b, lower=upper == transpose, unit=bool(unitriangular)), A
