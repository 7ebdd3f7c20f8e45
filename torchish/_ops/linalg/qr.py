"""QR and the Householder reflections that it is made of."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..out_rules import ALL, UNCHECKED, Out, safely_castable
from ..registry import Tensor, op
from ..scalar_types import is_complex, scalar_name
from .errors import require_inexact, require_lapack, require_matrix
from .matrices import adjoint, diagonal, product, solve_triangle


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def qr(A: jax.Array, complete: bool) -> tuple[jax.Array, jax.Array]:
    m, n = A.shape[-2:]
    if A.size == 0:  # LAPACK takes no matrix without elements
        k = m if complete else min(m, n)
        Q = jnp.broadcast_to(jnp.eye(m, k, dtype=A.dtype), (*A.shape[:-2], m, k))
        return Q, jnp.zeros((*A.shape[:-2], k, n), A.dtype)
    Q, R = lax.linalg.qr(A, full_matrices=complete)
    return Q, R


@qr.defjvp
def _(complete, primals, tangents):
    # JAX knows the derivative of tall matrices alone. Of a wide one the first columns decide Q.
    (A,), (dA,) = primals, tangents
    Q, R = qr(A, complete)
    if A.size == 0:
        return (Q, R), (jnp.zeros_like(Q), jnp.zeros_like(R))
    m, n = A.shape[-2:]
    k = min(m, n)
    R1, dA1 = R[..., :k, :k], dA[..., :k]
    X = solve_triangle(R1, dA1, lower=False, left=False)
    QX = product(adjoint(Q), X)
    low = jnp.tril(QX, -1)
    turn = low - adjoint(low)
    if is_complex(A.dtype):
        # R's diagonal is real, and stays so.
        turn = turn + 1j * jnp.eye(k) * diagonal(QX).imag[..., None]
    turn = turn.astype(A.dtype)
    dQ = product(Q, turn)
    if m > n:
        dQ = dQ + X - product(Q, QX)
    dR = product(QX - turn, R1)
    if n > k:
        rest = product(adjoint(dQ), A[..., k:]) + product(adjoint(Q), dA[..., k:])
        dR = jnp.concatenate([jnp.triu(dR), rest], -1)
    return (Q, R), (dQ, jnp.triu(dR))


def _no_derivative(input, mode: str = "reduced", **_: object) -> Exception | None:
    if mode == "r":
        return RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
            "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    m, n = input.shape[-2:]
    if mode == "complete" and m > n:
        return RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    return None


@op(
    name="linalg_qr",
    namespaces=(),
    aliases=("linalg.qr",),
    out=UNCHECKED,
    node="LinalgQrBackward0",
    returns=("Q", "R"),
    refuses_derivative=lambda A, mode, **_: _no_derivative(A, mode),
)
def linalg_qr(A: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """``A`` as a matrix of orthonormal columns times an upper triangular one.

    ``mode``: ``reduced`` (``Q`` is m x k, ``R`` k x n, k the smaller of m and n), ``complete`` (m x m, m x n), or ``r``:
    ``R`` of ``reduced`` alone, and an empty ``Q``.
    """
    require_matrix(A, "linalg.qr")
    require_inexact(A.dtype, "linalg.qr", half=True)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    require_lapack(A.dtype, "geqrf_cpu")
    Q, R = qr(A, mode == "complete")
    return (jnp.zeros((0,), A.dtype) if mode == "r" else Q), R


# Reflections


@op(
    out=safely_castable("torch.geqrf", "a", "tau"),
    returns=("a", "tau"),
    refuses_derivative=lambda **_: NotImplementedError(_GEQRF),
)
def geqrf(input: Tensor) -> tuple[Tensor, Tensor]:
    """QR as LAPACK stores it: ``R`` in the upper triangle, below it the vectors of the reflections ``I - tau v v.mH``."""
    if input.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    require_lapack(input.dtype, "geqrf_cpu")
    if input.size == 0:
        return input, jnp.zeros((*input.shape[:-2], min(input.shape[-2:])), input.dtype)
    a, tau = jnp.linalg.qr(input, mode="raw")
    return jnp.swapaxes(a, -1, -2), tau


_GEQRF = "the derivative for 'geqrf' is not implemented."


def _compact(V: jax.Array, tau: jax.Array) -> tuple[jax.Array, jax.Array]:
    """``V`` and ``T`` with ``H_1 H_2 ... H_k = I - V T V.mH``, of the reflections stored below the diagonal of ``V``."""
    k = tau.shape[-1]
    V = jnp.tril(V[..., :k], -1) + jnp.eye(V.shape[-2], k, dtype=V.dtype)
    scale = tau[..., :, None]
    T = solve_triangle(
        scale * jnp.triu(product(adjoint(V), V), 1), scale * jnp.eye(k, dtype=V.dtype), lower=False, unit=True
    )
    return V, T


def _require_reflections(input: jax.Array, tau: jax.Array, name: str) -> None:
    if tau.ndim != input.ndim - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {input.ndim}"
        )
    if tau.shape[:-1] != input.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )


@op(
    name="linalg_householder_product",
    namespaces=(),
    aliases=("linalg.householder_product",),
    out=safely_castable("torch.linalg.householder_product"),
)
def linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first columns of the product of the reflections that ``geqrf`` gives: ``Q``, in ``input``'s shape."""
    name = "torch.linalg.householder_product"
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if input.shape[-2] < input.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if tau.ndim == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    if input.shape[-1] < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    _require_reflections(input, tau, name)
    if tau.dtype != input.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {scalar_name(tau.dtype)} does not match input dtype {scalar_name(input.dtype)}"
        )
    require_lapack(input.dtype, "orgqr_cpu")
    m, n = input.shape[-2:]
    V, T = _compact(input, tau)
    return jnp.eye(m, n, dtype=input.dtype) - product(V, product(T, adjoint(V[..., :n, :])))


@op(
    out=Out(
        "torch.ormqr: Expected input and result to have the same dtype, but input has dtype{want} and result has dtype {got}",
        "same",
        shared=ALL,
    )
)
def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """``Q @ other`` (``other @ Q`` unless ``left``), ``Q`` the whole product of ``geqrf``'s reflections, its adjoint where
    ``transpose``. ``input2`` is ``tau``, ``input3`` is ``other``."""
    tau, other = input2, input3
    name = "torch.ormqr"
    for what, x in (("input", input), ("other", other)):
        if x.ndim < 2:
            raise RuntimeError(f"{name}: {what} must have at least 2 dimensions.")
    side = -2 if left else -1
    if other.shape[side] != input.shape[-2]:
        raise RuntimeError(f"{name}: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.shape[-1] != min(input.shape[-2:]):
        raise RuntimeError(f"{name}: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])")
    _require_reflections(input, tau, name)
    if other.ndim != input.ndim:
        raise RuntimeError(
            f"{name}: Expected other to have the same number of dimensions as input, but got other.ndim equal to "
            f"{other.ndim} and input.ndim is equal to {input.ndim}"
        )
    if other.shape[:-2] != input.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.shape[:-2])}"
        )
    for what, x in (("tau", tau), ("other", other)):
        if x.dtype != input.dtype:
            raise RuntimeError(
                f"{name}: Expected input and {what} to have the same dtype, but input has dtype"
                f"{scalar_name(input.dtype)} and {what} has dtype {scalar_name(x.dtype)}"
            )
    require_lapack(input.dtype, "ormqr_cpu")
    V, T = _compact(input, tau)
    if transpose:
        T = adjoint(T)
    if left:
        return other - product(V, product(T, product(adjoint(V), other)))
    return other - product(product(product(other, V), T), adjoint(V))
