"""Functions of matrices: powers, the exponential, chains of products, traces; and products of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .broadcasting import check_broadcast
from .dims import at_least_1d, normalize_dim, widen
from .inverses import inverse, inversion_error, singular
from .kernel_dtypes import half_in_float32, require_dtype
from .linalg_errors import first_bad, is_half, require_inexact, require_square
from .matmul import PRECISION, cpp_name, matmul, size_at
from .registry import Tensor, Tensors, check_of, op
from .scalar_types import is_bool, is_complex, is_integral, real_of, scalar_name
from .scan import cumprod


def _product(a: Tensor, b: Tensor) -> Tensor:
    return jnp.matmul(a, b, precision=PRECISION)


# Powers


def _power_node(n: int, ndims: tuple[int | None, ...], **_: Any) -> str:
    by_power = {0: "CopyBackwards", 1: "CloneBackward0", -1: "LinalgInvExBackward0"}
    return by_power.get(n, "MmBackward0" if ndims[0] == 2 else "UnsafeViewBackward0")


def _positive_power(A: Tensor, n: int) -> Tensor:
    """``A`` to the ``n``-th, by squaring: one product for each binary digit, and one more for each that is set."""
    if n == 3:
        return matmul(matmul(A, A), A)
    result = None
    while True:
        if n % 2:
            result = A if result is None else matmul(result, A)
        n //= 2
        if not n:
            return result
        A = matmul(A, A)


@op(namespaces=(), aliases=("linalg.matrix_power",), out=True, node=_power_node, grad_node="AddBackward0")
def linalg_matrix_power(input: Tensor, n: int) -> Tensor:
    """The ``n``-th power of each square matrix: the identity for 0, powers of the inverse for negative ``n``."""
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    require_square(input, "linalg.matrix_power")
    if n == 0:
        return jnp.broadcast_to(jnp.eye(input.shape[-1], dtype=input.dtype), input.shape)
    if n < 0:
        require_inexact(input.dtype, "linalg.inv")
        return _positive_power(inverse(input), -n)
    return _positive_power(input, n)


@check_of(linalg_matrix_power, lambda witness, input, **_: inversion_error("linalg.inv", input, witness))
def _(input: Tensor, n: int) -> tuple[Tensor, Tensor]:
    return singular(input) if n < 0 else first_bad(jnp.zeros((0,), bool))


# The exponential

# The coefficients of Pade approximants of exp, and the largest norm for which they are exact to the last bit
# (Higham, The scaling and squaring method for the matrix exponential revisited, 2005).
_PADE_7 = (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0)
_PADE_13 = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0),
    *(10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)
_SINGLE, _DOUBLE = (_PADE_7, 3.925724783138660), (_PADE_13, 5.371920351148152)
_MOST_SQUARINGS = 64


def _pade(A: Tensor, c: Sequence[float]) -> Tensor:
    """The Pade approximant of ``exp(A)``."""
    identity = jnp.eye(A.shape[-1], dtype=A.dtype)
    squared = _product(A, A)
    powers = [identity, squared]
    while len(powers) < 4:
        powers.append(_product(powers[-1], squared))
    if len(c) == len(_PADE_7):
        odd = sum(c[2 * i + 1] * powers[i] for i in range(4))
        even = sum(c[2 * i] * powers[i] for i in range(4))
    else:
        sixth = powers[3]
        odd = _product(sixth, c[13] * sixth + c[11] * powers[2] + c[9] * squared)
        odd = odd + sum(c[2 * i + 1] * powers[i] for i in range(4))
        even = _product(sixth, c[12] * sixth + c[10] * powers[2] + c[8] * squared)
        even = even + sum(c[2 * i] * powers[i] for i in range(4))
    u = _product(A, odd)
    return jnp.linalg.solve(even - u, even + u)


def _exponential(A: Tensor) -> Tensor:
    """By scaling and squaring: the approximant holds near zero, and ``exp(A)`` is ``exp(A / 2)`` squared."""
    single = np.dtype(real_of(A.dtype)) == np.float32
    coefficients, bound = _SINGLE if single else _DOUBLE
    size = jax.lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(A), axis=-2), axis=-1))
    halvings = jnp.ceil(jnp.log2(size / bound))
    halvings = jnp.where(jnp.isfinite(halvings), jnp.clip(halvings, 0, _MOST_SQUARINGS), 0)
    result = _pade(A * jnp.exp2(-halvings)[..., None, None].astype(A.dtype), coefficients)
    squarings = halvings.astype(np.int32)
    most = jnp.max(squarings)

    def squared(x: Tensor, i: Tensor) -> tuple[Tensor, None]:
        def go_on(y: Tensor) -> Tensor:
            return jnp.where((i < squarings)[..., None, None], _product(y, y), y)

        # A loop of fixed length has a derivative; its steps beyond the last squaring do nothing.
        return jax.lax.cond(i < most, go_on, lambda y: y, x), None

    return jax.lax.scan(squared, result, jnp.arange(_MOST_SQUARINGS, dtype=np.int32))[0]


@op(
    name="linalg_matrix_exp",
    namespaces=(),
    aliases=("linalg.matrix_exp",),
    node="LinalgMatrixExpBackward0",
    grad_node="SliceBackward0",
)
@half_in_float32
def linalg_matrix_exp(input: Tensor) -> Tensor:
    """The sum of ``A**k / k!`` over all ``k``, for each square matrix."""
    require_square(input, "linalg.matrix_exp")
    require_inexact(input.dtype, "linalg.matrix_exp", half=True)
    return input if input.size == 0 else _exponential(input)


# Chains


def _check_chain(tensors: Sequence[Tensor]) -> None:
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    for name, x in (("first", tensors[0]), ("last", tensors[-1])):
        if x.ndim not in (1, 2):
            raise RuntimeError(f"multi_dot(): the {name} tensor must be 1D or 2D but got {x.ndim}D")
    for i, x in enumerate(tensors[1:-1], 1):
        if x.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {x.ndim}D")
    for i, x in enumerate(tensors[1:], 1):
        if x.dtype != tensors[0].dtype:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{cpp_name(tensors[0].dtype)} and tensor {i} {cpp_name(x.dtype)}"
            )
    for i, (a, b) in enumerate(zip(tensors, tensors[1:], strict=False)):
        if a.shape[-1] != b.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a.shape)} and {list(b.shape)} cannot be "
                "multiplied"
            )
    require_dtype(tensors[0].dtype, "iwfc", "addmm_impl_cpu_")


def _best_splits(sizes: Sequence[int]) -> list[list[int]]:
    """Where to split each run of matrices for the fewest multiplications; matrix ``i`` is sizes[i] by sizes[i + 1]."""
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


def chain(tensors: Sequence[Tensor]) -> Tensor:
    """The product of all the matrices, in the order that takes the fewest multiplications."""
    matrices = list(tensors)
    shape = [*tensors[0].shape[:-1], *tensors[-1].shape[1:]]
    matrices[0] = matrices[0].reshape(-1, matrices[0].shape[-1]) if matrices[0].ndim == 1 else matrices[0]
    matrices[-1] = matrices[-1][:, None] if matrices[-1].ndim == 1 else matrices[-1]
    split = _best_splits([matrices[0].shape[0], *(m.shape[1] for m in matrices)])

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        k = split[i][j]
        return _product(product(i, k), product(k + 1, j))

    return product(0, len(matrices) - 1).reshape(shape)


@op(
    namespaces=(),
    aliases=("linalg.multi_dot",),
    out=True,
    node="ViewBackward0",
    grad_node="AddBackward0",
)
def linalg_multi_dot(tensors: Tensors) -> Tensor:
    """The product of two or more matrices, in the order that takes the fewest multiplications.

    The first may be a vector, which is a row, and the last one too, which is a column; the result has no such dimension.
    """
    _check_chain(tensors)
    return chain(tensors)


# Sums and products


@op(grad_node="MulBackward0")
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal; int64 for integers."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    require_dtype(input.dtype, "ifc", "trace")
    dtype = np.dtype(np.int64) if is_integral(input.dtype) else input.dtype
    return jnp.sum(widen(jnp.diagonal(input).astype(dtype))).astype(dtype)


def powers_of(x: Tensor, n: int) -> Tensor:
    """``x**0`` to ``x**(n - 1)`` along a new last dimension, each from the one before."""
    ones = jnp.ones((*x.shape, 1), x.dtype)
    if n < 2:
        return ones[..., :n]
    rest = jnp.broadcast_to(x[..., None], (*x.shape, n - 1))
    return jnp.concatenate([ones, cumprod(rest, -1)], axis=-1)


@op(namespaces=(), aliases=("linalg.vander",), node="CatBackward0", grad_node="SqueezeBackward1")
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0 to ``N - 1`` of each element, along a new last dimension; ``N`` is the last dimension's size if absent.

    Integers give int64.
    """
    if is_bool(x.dtype) or is_half(x.dtype):
        raise RuntimeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {scalar_name(x.dtype)}"
        )
    n = (x.shape[-1] if x.ndim else 1) if N is None else N
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    return powers_of(x.astype(np.int64) if is_integral(x.dtype) else x, n)


def _vander_node(increasing: bool, **_: Any) -> str:
    return "CatBackward0" if increasing else "FlipBackward0"


@op(namespaces=("torch",), node=_vander_node, grad_node="SqueezeBackward1")
@half_in_float32
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each element of a vector, one row an element: from the highest, ``N - 1``, to 0, as in NumPy."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = x.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    powers = powers_of(x.astype(np.int64) if is_integral(x.dtype) else x, n)
    return powers if increasing else powers[:, ::-1]


@op(namespaces=(), aliases=("linalg.vecdot",), out=True, node="SumBackward1", grad_node="AddBackward0")
@half_in_float32
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sum of ``conj(x) * y`` along ``dim``, which broadcast."""
    require_inexact(x.dtype, "linalg.vecdot", half=True)
    if x.dtype != y.dtype:
        raise RuntimeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {scalar_name(x.dtype)} and y "
            f"of type {scalar_name(y.dtype)} instead"
        )
    shape = check_broadcast(x, y)
    normalize_dim(dim, len(shape))
    if is_complex(x.dtype):
        x = jnp.conj(x)
    return jnp.sum(at_least_1d(x * y), axis=dim)


@op(
    namespaces=(),
    aliases=("linalg.cross",),
    out=True,
    node="LinalgCrossBackward0",
    grad_node="AddBackward0",
)
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product of the vectors of length 3 along ``dim``; other dimensions broadcast."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    a_size, b_size = size_at(input, dim), size_at(other, dim)
    if a_size != 3 or b_size != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a_size} and {b_size}")
    shape = check_broadcast(input, other)
    if input.dtype != other.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(other.dtype)}")
    require_dtype(input.dtype, "ifc", "cross")
    return _cross(jnp.broadcast_to(input, shape), jnp.broadcast_to(other, shape), normalize_dim(dim, len(shape)))


@half_in_float32
def _cross(a: Tensor, b: Tensor, axis: int) -> Tensor:
    def turned(x: Tensor, by: int) -> Tensor:
        return jnp.roll(x, by, axis=axis)

    return turned(a, -1) * turned(b, -2) - turned(a, -2) * turned(b, -1)
