"""The singular value decomposition."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..registry import Tensor, check_of, derivative_check_of, op
from ..scalar_types import is_complex
from .errors import nonfinite, require_inexact, require_lapack, require_matrix, svd_error
from .matrices import adjoint, diagonal, product, turns_phase


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def svd(A: jax.Array, full: bool) -> tuple[jax.Array, jax.Array, jax.Array]:
    """``U``, ``S`` and ``Vh``; LAPACK's, also for matrices without elements."""
    m, n = A.shape[-2:]
    k, batch = min(m, n), A.shape[:-2]
    if A.size == 0:
        U = jnp.broadcast_to(jnp.eye(m, m if full else k, dtype=A.dtype), (*batch, m, m if full else k))
        Vh = jnp.broadcast_to(jnp.eye(n if full else k, n, dtype=A.dtype), (*batch, n if full else k, n))
        return U, jnp.zeros((*batch, k), A.real.dtype), Vh
    return tuple(lax.linalg.svd(A, full_matrices=full))


@svd.defjvp
def _(full, primals, tangents):
    # PyTorch's: of full matrices, the columns beyond the singular values have no derivative; of a complex pair of
    # singular vectors, the phase turns half in each.
    (A,), (dA,) = primals, tangents
    U, S, Vh = svd(A, full)
    if A.size == 0:
        return (U, S, Vh), (jnp.zeros_like(U), jnp.zeros_like(S), jnp.zeros_like(Vh))
    m, n = A.shape[-2:]
    k = min(m, n)
    Uk, Vk = U[..., :k], adjoint(Vh[..., :k, :])
    P = product(adjoint(Uk), dA, Vk)
    row, column = S[..., None, :], S[..., :, None]
    eye = jnp.eye(k, dtype=bool)
    gaps = jnp.where(eye, 1, (row - column) * (row + column))
    left = jnp.where(eye, 0, (P * row + column * adjoint(P)) / gaps)
    right = jnp.where(eye, 0, (column * P + adjoint(P) * row) / gaps)
    if is_complex(A.dtype):
        phase = jnp.where(eye, 1j * diagonal(P).imag[..., None] / (2 * column), 0).astype(A.dtype)
        left, right = left + phase, right - phase
    dU, dV = product(Uk, left), product(Vk, right)
    if m > k:
        outside = product(dA, Vk)
        dU = dU + (outside - product(Uk, product(adjoint(Uk), outside))) / row
    if n > k:
        outside = product(adjoint(dA), Uk)
        dV = dV + (outside - product(Vk, product(adjoint(Vk), outside))) / row
    dU = jnp.pad(dU, [(0, 0)] * (U.ndim - 1) + [(0, U.shape[-1] - k)])
    dV = jnp.pad(dV, [(0, 0)] * (U.ndim - 1) + [(0, Vh.shape[-2] - k)])
    return (U, S, Vh), (dU, diagonal(P).real, adjoint(dV))


@jax.custom_jvp
def singular_values(A: jax.Array) -> jax.Array:
    if A.size == 0:
        return svd(A, False)[1]
    return lax.linalg.svd(A, full_matrices=False, compute_uv=False)


@singular_values.defjvp
def _(primals, tangents):
    (A,), (dA,) = primals, tangents
    U, S, Vh = svd(A, False)
    return S, diagonal(product(adjoint(U), dA, adjoint(Vh))).real


def _require_svd(A: jax.Array) -> None:
    require_matrix(A, "linalg.svd")
    require_inexact(A.dtype, "linalg.svd", half=True)
    require_lapack(A.dtype, "linalg_svd_cpu")


@op(name="linalg_svd", namespaces=(), returns=("U", "S", "Vh"))
def linalg_svd(A: Tensor, full_matrices: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """``A == U @ diag(S) @ Vh`` with orthonormal ``U`` and ``Vh`` and descending ``S``.

    ``U`` and ``Vh`` are square where ``full_matrices``, else they have as many columns and rows as there are singular
    values. Pairs of singular vectors are known up to a factor of absolute value 1, and their gradient is finite only
    where the singular values differ. Infinities and NaN are an error.
    """
    _require_svd(A)
    return svd(A, bool(full_matrices))


@op(name="linalg_svdvals", namespaces=(), node="LinalgSvdBackward0")
def linalg_svdvals(A: Tensor) -> Tensor:
    """The singular values, descending. Their gradient is finite also where some are equal."""
    _require_svd(A)
    return singular_values(A)


for _op_body in (linalg_svd, linalg_svdvals):
    check_of(_op_body, lambda witness, A, **_: svd_error(witness, A))(lambda A, **_: nonfinite(A))


def _depends_on_phase() -> Exception:
    return RuntimeError(
        "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The "
        "specified loss function depends on this phase term, making it ill-defined."
    )


@derivative_check_of(linalg_svd, _depends_on_phase)
def _(results, gradients):
    (U, S, Vh), (gU, _, gVh) = results, gradients
    if not is_complex(U.dtype) or (gU is None and gVh is None) or S.size == 0:
        return jnp.zeros((), bool)
    k = S.shape[-1]
    left = None if gU is None else gU[..., :k]
    right = None if gVh is None else adjoint(gVh[..., :k, :])
    return turns_phase((U[..., :k], left), (adjoint(Vh[..., :k, :]), right))
