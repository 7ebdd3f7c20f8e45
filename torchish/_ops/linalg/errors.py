"""What functions of matrices refuse, in PyTorch's words: arguments when they are called, data when it is there."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..kernel_dtypes import require_dtype
from ..registry import Tensor
from ..scalar_types import is_floating, is_inexact, scalar_name


class LinAlgError(RuntimeError):
    """Raised where a matrix has no inverse, or a decomposition does not converge (``torch.linalg.LinAlgError``)."""


# PyTorch defines the class in C++ and prints this name.
LinAlgError.__module__ = "torch._C"
LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"


def is_half(dtype: Any) -> bool:
    """Whether ``dtype`` is float16 or bfloat16."""
    return is_floating(dtype) and np.dtype(dtype).itemsize == 2


def require_matrix(A: Tensor, name: str, argument: str = "A") -> None:
    """Refuse what has fewer than two dimensions."""
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")


def require_square(A: Any, name: str, argument: str = "A") -> None:
    """Refuse what is no matrix, or not square."""
    require_matrix(A, name, argument)
    require_square_sizes(A, f"{name}: {argument}", argument)


def require_square_sizes(A: Any, subject: str, argument: str = "A") -> None:
    """Refuse a matrix that is not square; ``subject`` begins the text."""
    m, n = A.shape[-2:]
    if m != n:
        raise RuntimeError(f"{subject} must be batches of square matrices, but they are {m} by {n} matrices")


def require_inexact(dtype: Any, name: str, half: bool = False) -> None:
    """Refuse dtypes that are neither floating nor complex, and the half-precision ones unless ``half``."""
    if not is_inexact(dtype):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(dtype)}")
    if not half and is_half(dtype):
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {scalar_name(dtype)}")


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


# Data checks


def first_bad(bad: Tensor, more: Tensor | int = 0, base: int = 1) -> tuple[Tensor, Tensor]:
    """Of a flag for each matrix of a batch, whether any holds, and as the witness the first such matrix.

    ``more``: a number below ``base`` for each matrix, which the witness carries too: it is ``matrix * base + more``.
    """
    if bad.size == 0:
        return no_check()
    flat = bad.reshape(-1)
    first = jnp.argmax(flat)
    detail = jnp.broadcast_to(jnp.asarray(more), bad.shape).reshape(-1)[first]
    return flat.any(), first.astype(np.int64) * base + detail.astype(np.int64)


def no_check() -> tuple[Tensor, Tensor]:
    """The check of an op whose arguments ask for none."""
    return jnp.zeros((), bool), jnp.zeros((), np.int64)


def batch_element(index: int, batched: bool) -> str:
    """``"(Batch element 1): "``: how PyTorch's texts begin where one matrix of a batch is at fault."""
    return f"(Batch element {index}): " if batched else ""


def nonfinite(A: Tensor) -> tuple[Tensor, Tensor]:
    """The check of whatever starts with a singular value decomposition, which ends for finite numbers alone."""
    if 0 in A.shape or not is_inexact(A.dtype):
        return no_check()
    return first_bad(~jnp.isfinite(A).all((-2, -1)))


def svd_error(witness: int, A: Any) -> Exception:
    """The error for the matrix that ``nonfinite`` found."""
    return LinAlgError(
        f"linalg.svd: {batch_element(witness, len(A.shape) > 2)}The algorithm failed to converge because the "
        "input matrix contained non-finite values."
    )
