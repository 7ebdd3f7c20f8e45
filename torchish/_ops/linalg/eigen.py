"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..out_rules import UNCHECKED, safely_castable
from ..registry import Tensor, check_of, derivative_check_of, op
from ..scalar_types import is_complex, is_inexact, scalar_name
from .errors import nonfinite, require_lapack, require_square
from .matrices import adjoint, diagonal, product, turns_phase, without_diagonal

# Of Hermitian matrices


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def eigh(A: jax.Array, lower: bool) -> tuple[jax.Array, jax.Array]:
    """Ascending eigenvalues and eigenvectors, of one triangle of ``A``; LAPACK's, and so of PyTorch's signs."""
    if A.size == 0:
        return jnp.zeros(A.shape[:-1], A.real.dtype), A
    V, L = lax.linalg.eigh(A, lower=lower, symmetrize_input=False)
    return L, V


@eigh.defjvp
def _(lower, primals, tangents):
    # As PyTorch's: Hermitian, though a triangle is read. JAX's own rule would read the other triangle too.
    (A,), (dA,) = primals, tangents
    L, V = eigh(A, lower)
    P = product(adjoint(V), (dA + adjoint(dA)) / 2, V)
    eye = jnp.eye(L.shape[-1], dtype=L.real.dtype)  # no division by zero that is thrown away: it has derivatives
    gaps = L[..., None, :] - L[..., :, None]
    return (L, V), (diagonal(P).real, product(V, without_diagonal(P) / (gaps + eye)))


def _require_eigh(A: jax.Array, UPLO: str) -> None:
    require_square(A, "linalg.eigh")
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    require_lapack(A.dtype, "linalg_eigh_cpu")


@op(
    name="linalg_eigh",
    namespaces=(),
    aliases=("linalg.eigh",),
    out=UNCHECKED.but(autograd="_linalg_eigh"),
    node="LinalgEighBackward0",
    returns=("eigenvalues", "eigenvectors"),
)
def linalg_eigh(input: Tensor, UPLO: str = "L") -> tuple[Tensor, Tensor]:
    """The eigenvalues, ascending, and eigenvectors, in columns, of Hermitian matrices.

    The lower triangle is read (the upper where ``UPLO`` is ``U``). Eigenvectors are known up to a factor of absolute
    value 1, and their gradient is finite only where the eigenvalues differ.
    """
    _require_eigh(input, UPLO)
    return eigh(input, UPLO.upper() == "L")


def _depends_on_phase(name: str) -> Exception:
    return RuntimeError(
        f"{name}: The eigenvectors in the complex case are specified up to multiplication by e^{{i phi}}. The specified "
        "loss function depends on this quantity, so it is ill-defined."
    )


@derivative_check_of(linalg_eigh, partial(_depends_on_phase, "linalg_eigh_backward"))
def _(results, gradients):
    complex_vectors = is_complex(results[1].dtype) and gradients[1] is not None
    return turns_phase((results[1], gradients[1])) if complex_vectors else jnp.zeros((), bool)


@op(
    name="linalg_eigvalsh",
    namespaces=(),
    aliases=("linalg.eigvalsh",),
    out=UNCHECKED.but(autograd="_linalg_eigh"),
    node="LinalgEighBackward0",
)
def linalg_eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending."""
    _require_eigh(input, UPLO)
    return eigh(input, UPLO.upper() == "L")[0]


# Of any square matrix


@jax.custom_jvp
def _eig(A: jax.Array) -> tuple[jax.Array, jax.Array]:
    if A.size == 0:
        V = A.astype(jnp.result_type(A.dtype, jnp.complex64))
        return jnp.zeros(A.shape[:-1], V.dtype), V
    L, V = lax.linalg.eig(A, compute_left_eigenvectors=False)
    return L, V


@_eig.defjvp
def _(primals, tangents):
    # PyTorch's: eigenvectors keep length 1, and the factor of absolute value 1 turns as the quotient has it.
    (A,), (dA,) = primals, tangents
    L, V = _eig(A)
    if A.size == 0:
        return (L, V), (jnp.zeros_like(L), jnp.zeros_like(V))
    P = jnp.linalg.solve(V, product(dA.astype(V.dtype), V))
    eye = jnp.eye(L.shape[-1], dtype=L.real.dtype)  # no division by zero that is thrown away: it has derivatives
    gaps = L[..., None, :] - L[..., :, None]
    dV = product(V, without_diagonal(P) / (gaps + eye))
    lengthening = jnp.sum((jnp.conj(V) * dV).real, axis=-2, keepdims=True)
    return (L, V), (diagonal(P), dV - V * lengthening)


def _require_eig(A: jax.Array, name: str) -> None:
    require_square(A, name)
    if not is_inexact(A.dtype):
        raise RuntimeError(f"Unknown Complex ScalarType for {scalar_name(A.dtype)}")
    require_lapack(A.dtype, "linalg_eig_out_cpu")


@op(
    name="linalg_eig",
    namespaces=(),
    aliases=("linalg.eig",),
    out=safely_castable("torch.linalg.eig", "eigenvalues", "eigenvectors"),
    node="LinalgEigBackward0",
    returns=("eigenvalues", "eigenvectors"),
)
def linalg_eig(input: Tensor) -> tuple[Tensor, Tensor]:
    """The eigenvalues, in no order, and eigenvectors of length 1, in columns, of square matrices: always complex.

    The gradient of eigenvectors is finite only where the eigenvalues differ. Infinities and NaN are an error.
    """
    _require_eig(input, "linalg.eig")
    return _eig(input)


@derivative_check_of(linalg_eig, partial(_depends_on_phase, "linalg_eig_backward"))
def _(results, gradients):
    return jnp.zeros((), bool) if gradients[1] is None else turns_phase((results[1], gradients[1]))


@op(
    name="linalg_eigvals",
    namespaces=(),
    aliases=("linalg.eigvals",),
    out=safely_castable("torch.linalg.eigvals", "eigenvalues", lenient=True),
    node="LinalgEigBackward0",
)
def linalg_eigvals(input: Tensor) -> Tensor:
    """The eigenvalues of square matrices, in no order: always complex."""
    _require_eig(input, "linalg.eigvals")
    return _eig(input)[0]


def _not_finite(_witness: int, **_: object) -> Exception:
    return RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@check_of(linalg_eig, _not_finite)
def _(input, **_):
    return nonfinite(input)


@check_of(linalg_eigvals, _not_finite)
def _(input, **_):
    return nonfinite(input)
