"""Matrix decompositions."""

from __future__ import annotations

import jax.numpy as jnp

from .registry import Tensor, op


@op(name="linalg_qr", namespaces=(), node="LinalgQrBackward0", returns=("Q", "R"))
def linalg_qr(A: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """``A`` as a matrix of orthonormal columns times an upper triangular one; ``mode`` as NumPy's."""
    if A.ndim < 2:
        raise RuntimeError(
            f"linalg.qr: The input tensor A must have at least 2 dimensions. Got a tensor with {A.ndim} dimensions."
        )
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    if mode == "r":
        return jnp.zeros((0,), A.dtype), jnp.linalg.qr(A, mode="r")
    q, r = jnp.linalg.qr(A, mode=mode)
    return q, r
