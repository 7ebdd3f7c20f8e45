"""A few extreme eigenpairs by the locally optimal block preconditioned conjugate gradient method."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..registry import Number, Tensor, op
from .eigen import eigh
from .matrices import add_to_diagonal, adjoint, diagonal, product


def _orthonormal(S: jax.Array, B: jax.Array | None) -> tuple[jax.Array, jax.Array]:
    """``C`` with ``(S C)^H B (S C)`` the identity, and which of its columns count: directions that ``S`` lacks are 0."""
    BS = S if B is None else product(B, S)
    gram = product(adjoint(S), BS)
    lengths = jnp.sqrt(jnp.maximum(diagonal(gram).real, 0))
    scale = jnp.where(lengths > 0, 1 / jnp.where(lengths > 0, lengths, 1), 0).astype(S.dtype)
    V, L = lax.linalg.eigh(gram * scale[:, None] * scale[None], lower=True, symmetrize_input=True)
    counts = L > L[-1] * S.shape[-1] * jnp.finfo(S.dtype).eps
    roots = jnp.where(counts, 1 / jnp.sqrt(jnp.where(counts, L, 1)), 0)
    return scale[:, None] * V * roots.astype(S.dtype), counts


def _extremes(S: jax.Array, A: jax.Array, B: jax.Array | None, n: int) -> tuple[jax.Array, jax.Array]:
    """The ``n`` largest Ritz values in the span of ``S``, descending, and their vectors as combinations of its columns."""
    C, counts = _orthonormal(S, B)
    SC = product(S, C)
    H = product(adjoint(SC), A, SC)
    low = -2 * jnp.abs(H).sum() - 1  # what does not count is never among the largest
    H = add_to_diagonal(H, jnp.where(counts, 0, low).astype(H.dtype))
    V, L = lax.linalg.eigh(H, lower=True, symmetrize_input=True)
    return L[::-1][:n], product(C, V[:, ::-1][:, :n])


def _run(
    A: jax.Array, B: jax.Array | None, X: jax.Array, iK: jax.Array | None, k: int, niter: int, tol: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The largest eigenpairs of one matrix."""
    n = X.shape[-1]
    size_A = jnp.linalg.norm(A)
    size_B = 1.0 if B is None else jnp.linalg.norm(B)

    def residual(E, X):
        R = product(A, X) - (X if B is None else product(B, X)) * E.astype(X.dtype)
        bound = (size_A + size_B * jnp.abs(E)) * jnp.linalg.norm(X, axis=0)
        return R, (jnp.linalg.norm(R, axis=0) / jnp.where(bound > 0, bound, 1))[:k]

    def step(state):
        i, E, X, P, _ = state
        R, _ = residual(E, X)
        W = R if iK is None else product(iK, R)
        S = jnp.concatenate([X, W, P], -1)
        E, C = _extremes(S, A, B, n)
        P = product(S[:, n:], C[n:])
        X = product(S, C)
        return i + 1, E, X, P, (residual(E, X)[1] >= tol).any()

    E, C = _extremes(X, A, B, n)
    X = product(X, C)
    start = (jnp.zeros((), jnp.int64), E, X, jnp.zeros_like(X), (residual(E, X)[1] >= tol).any())
    _, E, X, _, _ = lax.while_loop(lambda state: state[4] & (state[0] < niter), step, start)
    return E[:k], X[:, :k]


@partial(jax.custom_jvp, nondiff_argnums=(5, 6, 7))
def _pairs(A, B, X, iK, tol, k: int, largest: bool, niter: int):
    flat = [None if x is None else x.reshape(-1, *x.shape[-2:]) for x in (A if largest else -A, B, X, iK)]
    axes = tuple(None if x is None else 0 for x in flat)
    E, V = jax.vmap(lambda a, b, x, p: _run(a, b, x, p, k, niter, tol), axes)(*flat)
    batch = A.shape[:-2]
    return (E if largest else -E).reshape(*batch, k), V.reshape(*batch, A.shape[-1], k)


@_pairs.defjvp
def _(k, largest, niter, primals, tangents):
    # By all eigenpairs, as that of eigh: the vectors turn towards those that were not asked for, too.
    A, B, X, iK, tol = primals
    dA = tangents[0]
    E, V = _pairs(A, B, X, iK, tol, k, largest, niter)
    dA = (dA + adjoint(dA)) / 2
    change = product(dA, V)
    L, U = eigh((A + adjoint(A)) / 2, True)
    gaps = E[..., None, :] - L[..., :, None]
    order = jnp.arange(A.shape[-1])[:, None]
    own = order == (A.shape[-1] - 1 - jnp.arange(k) if largest else jnp.arange(k))
    turn = jnp.where(own, 0, product(adjoint(U), change) / jnp.where(own, 1, gaps))
    return (E, V), ((jnp.conj(V) * change).real.sum(-2), product(U, turn))


def _no_derivative(B, **_: object) -> Exception | None:
    if B is None:
        return None
    return ValueError("lobpcg.backward does not support backward with B != I yet.")


@op(name="lobpcg.iterate", node="LOBPCGAutogradFunctionBackward", refuses_derivative=_no_derivative)
def lobpcg_iterate(
    A: Tensor,
    B: Tensor | None,
    X: Tensor,
    iK: Tensor | None,
    tol: Number,
    *,
    k: int,
    largest: bool,
    niter: int,
) -> tuple[Tensor, Tensor]:
    """``k`` extreme eigenpairs of Hermitian ``A`` (of ``A x = e B x``), begun at the columns of ``X``, preconditioned by
    ``iK``: until the residuals are below ``tol`` or ``niter`` steps are done. The derivative is by ``A``, and takes all of its eigenpairs."""
    return _pairs(A, B, X, iK, lax.stop_gradient(tol).astype(A.real.dtype), k, largest, niter)
