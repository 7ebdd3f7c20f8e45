"""Pseudo-inverses and ranks: what depends on which singular values count as zero."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..broadcasting import broadcast_shapes
from ..out_rules import safely_castable
from ..registry import Number, Tensor, check_of, op
from ..scalar_types import is_complex, is_inexact, real_of, scalar_name
from .errors import no_check, nonfinite, require_inexact, require_lapack, require_square, svd_error
from .matrices import adjoint, product


def singular_values(A: Tensor) -> Tensor:
    """The singular values of each matrix, descending, with the refusals of ``torch.linalg.svd``."""
    require_inexact(A.dtype, "linalg.svd", half=True)
    require_lapack(A.dtype, "linalg_svd_cpu")
    if 0 in A.shape:
        return jnp.zeros((*A.shape[:-2], min(A.shape[-2:])), real_of(A.dtype))
    return jnp.linalg.svd(A, full_matrices=False, compute_uv=False)


def _eigh(A: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvectors and eigenvalues, read from the lower triangle as PyTorch does."""
    require_square(A, "linalg.eigh")
    return jax.lax.linalg.eigh(A, lower=True, symmetrize_input=False)


def _tolerances(A: Tensor, atol: Tensor | Number | None, rtol: Tensor | Number | None) -> tuple[Tensor, Tensor]:
    """Both tolerances as arrays; the relative one is the dtype's own where none is given, or the absolute one is 0."""
    real = real_of(A.dtype)
    default = jnp.asarray(jnp.finfo(A.dtype).eps * max(A.shape[-2:]), real)
    absolute = jnp.zeros((), real) if atol is None else jnp.asarray(atol).astype(real)
    if rtol is not None:
        return absolute, jnp.asarray(rtol).astype(real)
    return absolute, jnp.where(absolute > 0, jnp.zeros((), real), default)


def _check_tolerances(name: str, atol: Any, rtol: Any) -> None:
    for argument, value in (("atol", atol), ("rtol", rtol)):
        if value is not None and is_complex(jnp.asarray(value).dtype):
            raise RuntimeError(
                f"{name}: {argument} tensor of complex type is not supported. Got {scalar_name(value.dtype)}"
            )


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _pinv(hermitian: bool, A: Tensor, atol: Tensor, rtol: Tensor) -> Tensor:
    if hermitian:
        left, values = _eigh(A)
        right = left
        size = jnp.abs(values)
    else:
        left, values, vh = jnp.linalg.svd(A, full_matrices=False)
        right = adjoint(vh)
        size = values
    bound = jnp.maximum(atol[..., None], rtol[..., None] * jnp.max(size, axis=-1, keepdims=True))
    kept = size > bound
    inverted = jnp.where(kept, 1 / jnp.where(kept, values, jnp.ones((), values.dtype)), 0)
    # A NaN is no size at all: it is not dropped as small ones are.
    inverted = jnp.where(jnp.isnan(size), size, inverted).astype(A.dtype)
    return product(right * inverted[..., None, :], adjoint(left))


@_pinv.defjvp
def _(hermitian: bool, primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """Golub and Pereyra's formula for matrices of constant rank; it needs no derivative of singular vectors."""
    A, atol, rtol = primals
    t = tangents[0]
    p = _pinv(hermitian, A, atol, rtol)
    ph, th = adjoint(p), adjoint(t)
    from_left = product(product(p, ph), th)
    from_right = product(th, product(ph, p))
    slope = from_left - product(product(from_left, A), p) + from_right - product(p, product(A, from_right))
    return p, slope - product(product(p, t), p)


@op(namespaces=(), out=safely_castable("linalg.pinv"), node="LinalgPinvBackward0", grad_node="AddBackward0")
def linalg_pinv(
    input: Tensor, *, atol: Tensor | Number | None = None, rtol: Tensor | Number | None = None, hermitian: bool = False
) -> Tensor:
    """The Moore-Penrose inverse of each matrix, with singular values of at most ``max(atol, rtol * largest)`` as zeros.

    ``rtol`` is ``eps * max(m, n)`` unless it or a positive ``atol`` is given; both may be one number for each matrix.
    ``hermitian``: the lower triangle stands for the matrix. The derivative holds where the rank does not change.
    """
    if input.ndim < 2 or not is_inexact(input.dtype) or np.dtype(input.dtype).itemsize == 2:
        raise RuntimeError(
            f"linalg.pinv({scalar_name(input.dtype)}{{{list(input.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    _check_tolerances("torch.linalg.pinv", atol, rtol)
    if input.size == 0:
        return jnp.swapaxes(input, -1, -2)
    if hermitian:
        require_square(input, "linalg.eigh")
    absolute, relative = _tolerances(input, atol, rtol)
    broadcast_shapes(absolute.shape, input.shape[:-2])
    broadcast_shapes(relative.shape, input.shape[:-2])
    return _pinv(hermitian, input, absolute, relative)


def _svd_check(input: Tensor, hermitian: bool = False, **_: Any) -> tuple[Tensor, Tensor]:
    return no_check() if hermitian else nonfinite(input)


check_of(linalg_pinv, lambda witness, input, **_: svd_error(witness, input))(_svd_check)


@op(namespaces=(), out=safely_castable("torch.linalg.matrix_rank"), differentiable=False)
def linalg_matrix_rank(
    input: Tensor, *, atol: Tensor | Number | None = None, rtol: Tensor | Number | None = None, hermitian: bool = False
) -> Tensor:
    """How many singular values of each matrix are above ``max(atol, rtol * largest)``, as int64.

    ``rtol`` is ``eps * max(m, n)`` unless it or a positive ``atol`` is given; both may be one number for each matrix.
    ``hermitian``: eigenvalues of the lower triangle take the place of singular values.
    """
    if input.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    _check_tolerances("torch.linalg.matrix_rank", atol, rtol)
    if not is_inexact(input.dtype) or np.dtype(input.dtype).itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    absolute, relative = _tolerances(input, atol, rtol)
    if input.size == 0:
        return jnp.zeros(input.shape[:-2], np.int64)
    size = jnp.abs(_eigh(input)[1]) if hermitian else singular_values(input)
    for tolerance in (absolute, relative):
        broadcast_shapes(tolerance.shape, size.shape[:-1])
    bound = jnp.maximum(absolute, relative * jnp.max(size, axis=-1))
    return jnp.sum(size > bound[..., None], axis=-1, dtype=np.int64)


check_of(linalg_matrix_rank, lambda witness, input, **_: svd_error(witness, input))(_svd_check)
