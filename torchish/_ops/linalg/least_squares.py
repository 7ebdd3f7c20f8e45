"""Least squares."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from ..broadcasting import broadcast_shapes
from ..registry import Number, Tensor, check_of, op
from ..scalar_types import scalar_name
from .errors import LinAlgError, batch_element, first_bad
from .matrices import adjoint, broadcast_batches, diagonal, product, solve_triangle
from .qr import qr
from .svd import svd

_NAME = "torch.linalg.lstsq"
_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def _by_svd(A: jax.Array, rcond: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The pseudo-inverse, the rank and the singular values; those below ``rcond`` times the largest count as zero."""
    U, S, Vh = svd(A, False)
    largest = S.max(-1, keepdims=True, initial=0)
    kept = S > rcond * largest
    inverses = jnp.where(kept, 1 / jnp.where(kept, S, 1), 0).astype(A.dtype)
    return product(adjoint(Vh) * inverses[..., None, :], adjoint(U)), kept.sum(-1), S


def _is_zero(A: jax.Array) -> jax.Array:
    return (A == 0).all((-2, -1))


@jax.custom_jvp
def _pseudo_inverse(A: jax.Array) -> jax.Array:
    eps = jnp.finfo(A.dtype).eps * max(A.shape[-2:])
    return _by_svd(A, jnp.asarray(eps))[0]


@_pseudo_inverse.defjvp
def _(primals, tangents):
    (A,), (dA,) = primals, tangents
    P = _pseudo_inverse(A)
    Pt, dAt = adjoint(P), adjoint(dA)
    columns = product(P, Pt, dAt)
    rows = product(dAt, Pt, P)
    dP = columns - product(columns, A, P) + rows - product(P, A, rows) - product(P, dA, P)
    return P, dP


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def _solve(A: jax.Array, B: jax.Array, rcond: jax.Array, driver: str) -> jax.Array:
    if driver != "gels":
        return product(_by_svd(A, rcond)[0], B)
    if A.shape[-2] >= A.shape[-1]:
        Q, R = qr(A, False)
        X = solve_triangle(R, product(adjoint(Q), B), lower=False)
    else:
        Q, R = qr(adjoint(A), False)
        X = product(Q, solve_triangle(R, B, lower=False, adjoint=True))
    return jnp.where(_is_zero(A)[..., None, None], 0, X)  # as LAPACK has it


@_solve.defjvp
def _(driver, primals, tangents):
    # PyTorch's, whatever the driver: that of pinv(A) @ B.
    A, B, rcond = primals
    dA, dB, _ = tangents
    P, dP = jax.jvp(_pseudo_inverse, (A,), (dA,))
    return _solve(A, B, rcond, driver), product(dP, B) + product(P, dB)


def is_vector(input, b) -> bool:
    """Whether ``b`` holds vectors rather than matrices."""
    return b.ndim == 1 or (input.ndim - 1 == b.ndim and input.shape[:-1] == b.shape)


def _require(input: jax.Array, b: jax.Array, driver: str | None) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{_NAME}: input must have at least 2 dimensions.")
    if b.ndim < 1:
        raise RuntimeError(f"{_NAME}: other must have at least 1 dimension.")
    if input.dtype != b.dtype:
        raise RuntimeError(
            f"{_NAME}: Expected input and other to have the same dtype, but got input's dtype "
            f"{scalar_name(input.dtype)} and other's dtype {scalar_name(b.dtype)}"
        )
    if not 0 <= input.ndim - b.ndim <= 1:
        raise RuntimeError(
            f"{_NAME}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    if input.shape[-2] != b.shape[-1 if is_vector(input, b) else -2]:
        raise RuntimeError(f"{_NAME}: input.size(-2) should match other.size(-2)")
    if input.ndim > b.ndim and not is_vector(input, b):
        broadcast_shapes(input.shape[:-2], b.shape[:-1])
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(f"{_NAME}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    if input.dtype.kind not in "fc" or input.dtype.itemsize < 4:
        raise RuntimeError("This function doesn't handle types other than float and double")


@op(
    name="linalg_lstsq",
    namespaces=(),
    differentiable=(0, 1),
    returns=("solution", "residuals", "rank", "singular_values"),
)
def linalg_lstsq(
    input: Tensor, b: Tensor, rcond: Number | None = None, *, driver: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The ``X`` of least norm that minimises ``|input @ X - b|``, its residuals, the rank and the singular values.

    Where ``driver`` is ``gels``, ``input`` has full rank and QR solves; else the singular values do, of which those
    below ``rcond`` times the largest are zero (``gelsy``, PyTorch's default on CPU, finds the rank by another
    decomposition there, with the same result unless the rank is in doubt). Residuals are those of tall matrices.
    """
    _require(input, b, driver)
    driver = driver or "gelsy"
    vector = is_vector(input, b)
    A, B = broadcast_batches(input, b[..., None] if vector else b)
    m, n = A.shape[-2:]
    real = A.real.dtype
    eps = jnp.finfo(real).eps
    cutoff = jnp.asarray(eps * max(m, n) if rcond is None else rcond).astype(real)
    cutoff = jnp.where(cutoff < 0, jnp.asarray(eps, real), cutoff)
    X = _solve(A, B, cutoff, driver)
    nothing = jnp.zeros((0,), real)
    residuals = rank = singular_values = nothing
    if m > n and driver != "gelsy":
        rest = product(A, X) - B
        residuals = (rest * jnp.conj(rest)).real.sum(-2)
        if driver == "gels" and n == 0:
            residuals = jnp.zeros_like(residuals)
    if driver == "gels":
        return (X[..., 0] if vector else X), residuals, rank.astype(jnp.int64), singular_values
    _, rank, S = _by_svd(jax.lax.stop_gradient(A), cutoff)
    if B.size == 0:  # LAPACK looks no further
        rank = jnp.zeros_like(rank)
    if driver != "gelsy":
        singular_values = S
    return (X[..., 0] if vector else X), residuals, rank.astype(jnp.int64), singular_values


def _not_of_full_rank(witness: int, input: jax.ShapeDtypeStruct, **_: object) -> Exception:
    position, column = divmod(witness, min(input.shape[-2:]))
    return LinAlgError(
        f"{_NAME}: {batch_element(position, len(input.shape) > 2)}The least squares solution could not be computed because "
        f"the input matrix does not have full rank (error code: {column + 1})."
    )


@check_of(linalg_lstsq, _not_of_full_rank)
def _(input, driver, **_):
    if driver != "gels" or input.size == 0:
        return jnp.zeros((), bool), jnp.zeros((), jnp.int64)
    m, n = input.shape[-2:]
    pivots = diagonal(qr(input if m >= n else adjoint(input), False)[1])
    return first_bad((pivots == 0) & ~_is_zero(input)[..., None])
