"""Some of the singular values and eigenvalues of large matrices, from random subspaces."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..._ops.registry import OPS
from ..dispatch import call
from ..generate import OP_FUNCTIONS
from ..public import PUBLIC, public
from ..tensor import Tensor


def _orthonormal(X: Tensor) -> Tensor:
    return OP_FUNCTIONS["linalg_qr"](X)[0]


def _basis(A: Any, q: int, niter: int, M: Any) -> Tensor:
    """``q`` orthonormal columns whose span holds most of what ``A - M`` maps to (Halko and others, 2009, 4.4)."""

    def times(B: Any, C: Any, X: Tensor) -> Tensor:
        return B @ X if C is None else B @ X - C @ X

    A_adjoint, M_adjoint = A.mH, None if M is None else M.mH
    R = PUBLIC["torch"]["randn"](A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = _orthonormal(times(A, M, R))
    for _ in range(niter):
        Q = _orthonormal(times(A_adjoint, M_adjoint, Q))
        Q = _orthonormal(times(A, M, Q))
    return Q


@public("torch")
def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> tuple[Tensor, Tensor, Tensor]:
    """``(U, S, V)``, about ``q`` of the largest singular values of ``A - M`` and their vectors, from a random subspace.
    https://docs.pytorch.org/docs/stable/generated/torch.svd_lowrank.html

    >>> import torchish as torch
    >>> U, S, V = torch.svd_lowrank(torch.ones(4, 3), q=1)
    >>> S
    tensor([3.4641])
    """
    m, n = A.shape[-2:]
    if M is not None:
        M = M.broadcast_to(A.size())
    if m < n:
        A, M = A.mH, None if M is None else M.mH
    Q = _basis(A, 6 if q is None else q, 2 if niter is None else niter, M)
    B = Q.mH @ A  # type: ignore[attr-defined]
    if M is not None:
        B = B - Q.mH @ M  # type: ignore[attr-defined]
    U, S, Vh = PUBLIC["linalg"]["svd"](B, full_matrices=False)
    U, V = Q @ U, Vh.mH  # type: ignore[operator]
    return (V, S, U) if m < n else (U, S, V)


@public("torch")
def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """``svd_lowrank`` of ``A`` less the means of its columns (where ``center``): its principal components.
    https://docs.pytorch.org/docs/stable/generated/torch.pca_lowrank.html

    >>> import torchish as torch
    >>> U, S, V = torch.pca_lowrank(torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 0.0]]), q=1)
    >>> S
    tensor([2.8284])
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = A - A.mean(dim=-2, keepdim=True)
    return svd_lowrank(A, q, niter=niter)


@public("torch")
def lobpcg(
    A: Any,
    k: int | None = None,
    B: Any = None,
    X: Any = None,
    n: int | None = None,
    iK: Any = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: None = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """``(E, X)``: the ``k`` largest (or smallest) eigenvalues of Hermitian positive-definite ``A``, or of ``A x = e B x``,
    and their vectors. https://docs.pytorch.org/docs/stable/generated/torch.lobpcg.html

    The search begins at ``X``, or at ``n`` random columns. Every ``method`` is the same here, orthogonal and robust, with
    no parameters of its own, and ``tracker`` is not called. Without ``niter`` it ends after ``1000 + 10 m`` steps at most.

    >>> import torchish as torch
    >>> E, X = torch.lobpcg(torch.diag(torch.arange(1.0, 10.0)), k=2)
    >>> (E - torch.tensor([9.0, 8.0])).abs().max() < 1e-4
    tensor(True)
    """
    m = A.shape[-1]
    if A.shape[-2] != m:
        raise AssertionError(f"A must be square, got shape {A.shape}")
    if B is not None and B.shape != A.shape:
        raise AssertionError(f"A and B must have same shape, got {A.shape} vs {B.shape}")
    if k is None:
        k = 1 if X is None else X.shape[-1]
    if n is None:
        n = k if X is None else X.shape[-1]
    if m < 3 * n:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
            f"requested eigenpairs (={n})"
        )
    if X is None:
        X = PUBLIC["torch"]["randn"](*A.shape[:-2], m, n, dtype=A.dtype, device=A.device)
    elif X.shape != (*A.shape[:-2], m, n):
        raise AssertionError(f"X shape mismatch: got {X.shape}, expected {(*A.shape[:-2], m, n)}")
    if not tol or tol < 0:
        tol = float(jnp.finfo(A._aval.dtype).eps) ** 0.5
    steps = niter if niter is not None and niter > 0 else 1000 + 10 * m
    static = (min(k, n), largest is not False, steps)
    return call(OPS["lobpcg.iterate"], (A, B, X, iK, float(tol)), static)
