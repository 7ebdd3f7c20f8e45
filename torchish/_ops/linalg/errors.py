"""What the functions of ``torch.linalg`` refuse, in PyTorch's words."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

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


def require_square(A: Tensor, name: str) -> None:
    """Refuse what is not a matrix, or a batch of matrices, with as many rows as columns."""
    require_matrix(A, name)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )


def require_inexact(dtype: Any, name: str, half: bool = False) -> None:
    """Refuse dtypes that are neither floating nor complex, and the half-precision ones unless ``half``."""
    if not is_inexact(dtype):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(dtype)}")
    if not half and is_half(dtype):
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {scalar_name(dtype)}")


def refuse_half(dtype: Any, kernel: str) -> None:
    """Refuse float16 and bfloat16, for which LAPACK has no routine, as the CPU kernel ``kernel`` does."""
    if is_half(dtype):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(dtype)}'")


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


def batch_element(A: Any, index: int) -> str:
    """``"(Batch element 1): "`` where ``A`` is a batch of matrices."""
    return f"(Batch element {index}): " if len(A.shape) > 2 else ""


def nonfinite(A: Tensor) -> tuple[Tensor, Tensor]:
    """The check of whatever starts with a singular value decomposition, which ends for finite numbers alone."""
    if 0 in A.shape or not is_inexact(A.dtype):
        return no_check()
    return first_bad(~jnp.isfinite(A).all((-2, -1)))


def svd_error(witness: int, A: Any) -> Exception:
    """The error for the matrix that ``nonfinite`` found."""
    return LinAlgError(
        f"linalg.svd: {batch_element(A, witness)}The algorithm failed to converge because the input matrix contained "
        "non-finite values."
    )
