"""Determinants, from the LU decomposition, with derivatives that hold for singular matrices too."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..out_rules import EXPECTED
from ..precision import FULL
from ..registry import Tensor, op
from ..scalar_types import is_complex, real_of
from .errors import require_inexact, require_lapack, require_square
from .inverses import inverse
from .matrices import adjoint, product


def _lu_diagonal(A: Tensor) -> tuple[Tensor, Tensor]:
    """The diagonal of ``U`` in ``P A = L U``, and the sign of the permutation."""
    lu, pivots, _ = lax.linalg.lu(A)
    swaps = jnp.sum(pivots != jnp.arange(A.shape[-1], dtype=pivots.dtype), axis=-1)
    sign = (1 - 2 * (swaps % 2)).astype(real_of(A.dtype))
    return jnp.diagonal(lu, axis1=-2, axis2=-1), sign


def _trace_of_product(a: Tensor, b: Tensor) -> Tensor:
    return jnp.sum(jnp.swapaxes(a, -1, -2) * b, axis=(-2, -1))


@jax.custom_jvp
def determinant(A: Tensor) -> Tensor:
    """The determinant of each matrix; 1 for those without elements."""
    if A.shape[-1] == 0:
        return jnp.ones(A.shape[:-2], A.dtype)
    diagonal, sign = _lu_diagonal(A)
    return jnp.prod(diagonal, axis=-1) * sign


@determinant.defjvp
def _(primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """Jacobi's formula. The adjugate is a polynomial in the matrix: nothing is divided by the determinant."""
    (A,), (t,) = primals, tangents
    return determinant(A), _trace_of_product(_adjugate(A), t)


@jax.custom_jvp
def _adjugate(A: Tensor) -> Tensor:
    """``det(A) * inv(A)``; where a matrix of the batch is about singular, what that tends to."""
    if 0 in A.shape:
        return A
    eps = float(jnp.finfo(A.dtype).eps)
    return lax.cond(_about_singular(A, 100 * eps), _adjugate_of_any, _adjugate_of_regular, A)


def _about_singular(A: Tensor, bound: float) -> Tensor:
    """Whether a matrix of the batch has a pivot below ``bound`` times its largest one."""
    size = jnp.abs(_lu_diagonal(A)[0])
    return jnp.any(jnp.min(size, axis=-1) <= bound * jnp.max(size, axis=-1))


def _adjugate_of_regular(A: Tensor) -> Tensor:
    return determinant(A)[..., None, None] * inverse(A)


def _rotations(A: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The singular value decomposition, and the determinant of its two unitary matrices together."""
    u, s, vh = jnp.linalg.svd(A, full_matrices=False)
    return u, s, vh, (determinant(u) * determinant(vh))[..., None, None]


def _adjugate_of_any(A: Tensor) -> Tensor:
    """``adj(U S Vh)`` is ``det(U) det(Vh) V adj(S) Uh``, and that of a diagonal matrix is plain."""
    u, s, vh, scale = _rotations(A)
    return scale * product(adjoint(vh) * _others(s)[..., None, :], adjoint(u))


def _others(s: Tensor) -> Tensor:
    """For each element the product of all the others, without a division."""
    one = jnp.ones_like(s[..., :1])
    before = jnp.cumprod(jnp.concatenate([one, s[..., :-1]], axis=-1), axis=-1)
    after = jnp.cumprod(jnp.concatenate([one, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def _others_of_pairs(s: Tensor) -> Tensor:
    """For each two elements the product of all the others; zeros on the diagonal."""
    n = s.shape[-1]
    position = jnp.arange(n)
    one = jnp.ones_like(s[..., :1])
    before = jnp.cumprod(jnp.concatenate([one, s[..., :-1]], axis=-1), axis=-1)
    after = jnp.cumprod(jnp.concatenate([one, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    later = jnp.where(position > position[:, None], s[..., None, :], jnp.ones((), s.dtype))
    through = jnp.cumprod(later, axis=-1)
    between = jnp.concatenate([jnp.ones_like(through[..., :1]), through[..., :-1]], axis=-1)
    upper = jnp.triu(before[..., :, None] * between * after[..., None, :], 1)
    return upper + jnp.swapaxes(upper, -1, -2)


@_adjugate.defjvp
def _(primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    (A,), (t,) = primals, tangents
    if 0 in A.shape:
        return A, t
    # The terms of the regular formula cancel long before the pivots vanish.
    bound = float(jnp.finfo(A.dtype).eps) ** 0.5
    return _adjugate(A), lax.cond(_about_singular(A, bound), _adjugate_slope_of_any, _adjugate_slope, A, t)


def _adjugate_slope(A: Tensor, t: Tensor) -> Tensor:
    x = inverse(A)
    turned = _trace_of_product(x, t)[..., None, None] * x - product(product(x, t), x)
    return determinant(A)[..., None, None] * turned


def _adjugate_slope_of_any(A: Tensor, t: Tensor) -> Tensor:
    """The same in the basis of the singular vectors, where only products of singular values are left."""
    u, s, vh, scale = _rotations(A)
    e = product(product(adjoint(u), t), adjoint(vh))
    pairs = _others_of_pairs(s).astype(A.dtype)
    diagonal = jnp.einsum("...ij,...j->...i", pairs, jnp.diagonal(e, axis1=-2, axis2=-1), precision=FULL)
    inner = diagonal[..., None] * jnp.eye(A.shape[-1], dtype=A.dtype) - pairs * e
    return scale * product(product(adjoint(vh), inner), adjoint(u))


@jax.custom_jvp
def sign_and_log(A: Tensor) -> tuple[Tensor, Tensor]:
    """The determinant's sign (or direction, if complex) and the logarithm of its magnitude."""
    real = real_of(A.dtype)
    if A.shape[-1] == 0:
        return jnp.ones(A.shape[:-2], A.dtype), jnp.zeros(A.shape[:-2], real)
    diagonal, sign = _lu_diagonal(A)
    signs = jnp.where(jnp.isnan(diagonal), jnp.zeros((), A.dtype), jnp.sign(diagonal))
    return jnp.prod(signs, axis=-1) * sign, jnp.sum(jnp.log(jnp.abs(diagonal)), axis=-1)


@sign_and_log.defjvp
def _(primals: Any, tangents: Any) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    (A,), (t,) = primals, tangents
    sign, log = sign_and_log(A)
    slope = _trace_of_product(inverse(A), t)
    if not is_complex(A.dtype):
        return (sign, log), (jnp.zeros_like(sign), slope)
    return (sign, log), (1j * jnp.imag(slope) * sign, jnp.real(slope))


@op(
    namespaces=(),
    aliases=("linalg.det",),
    out=EXPECTED.but(autograd="_linalg_det", first=False),
    node="LinalgDetBackward0",
    grad_node="LinalgSolveExBackward0",
)
def linalg_det(A: Tensor) -> Tensor:
    """The determinant of each square matrix in the last two dimensions; 1 where they have no elements.

    The derivative is that of the polynomial which a determinant is, for singular matrices too.
    """
    require_square(A, "linalg.det")
    require_inexact(A.dtype, "linalg.det", half=True)
    require_lapack(A.dtype, "lu_cpu")
    return determinant(A)


def _slogdet(A: Tensor, name: str) -> tuple[Tensor, Tensor]:
    require_square(A, name)
    require_inexact(A.dtype, name)
    return sign_and_log(A)


@op(
    namespaces=(),
    aliases=("linalg.slogdet",),
    out=EXPECTED.but(autograd="_linalg_slogdet"),
    returns=("sign", "logabsdet"),
    grad_node="LinalgSolveExBackward0",
)
def linalg_slogdet(A: Tensor) -> tuple[Tensor, Tensor]:
    """The sign of the determinant and the logarithm of its magnitude, which does not overflow.

    A complex determinant has a direction of magnitude 1 for its sign. Singular matrices give 0 and ``-inf``.
    """
    return _slogdet(A, "linalg.slogdet")


@op(
    out=EXPECTED.but(autograd="_linalg_slogdet"),
    returns=("sign", "logabsdet"),
    node="LinalgSlogdetBackward0",
    grad_node="LinalgSolveExBackward0",
)
def slogdet(input: Tensor) -> tuple[Tensor, Tensor]:
    """``torch.linalg.slogdet`` under its older name."""
    return _slogdet(input, "linalg.slogdet")


@op(node="WhereBackward0", grad_node="LinalgSolveExBackward0")
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant: NaN where that is negative, ``-inf`` where it is 0."""
    sign, log = _slogdet(input, "logdet")
    if is_complex(input.dtype):
        return jnp.log(sign) + log
    return jnp.where(sign == -1, jnp.full((), jnp.nan, log.dtype), log)
