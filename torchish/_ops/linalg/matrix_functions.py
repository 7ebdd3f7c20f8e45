"""Functions of matrices: powers, the exponential, chains of products, traces; and products of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..broadcasting import check_broadcast
from ..dims import at_least_1d, normalize_dim, widen
from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import ALL, EXPECTED, MATRIX_POWER, Out
from ..reductions.scan import cumprod
from ..registry import Tensor, Tensors, check_of, op
from ..scalar_types import is_bool, is_complex, is_integral, real_of, scalar_name
from .errors import is_half, no_check, require_inexact, require_square
from .inverses import inverse, inversion_error, singular
from .matmul import cpp_name, matmul, size_at
from .matrices import product

# Powers


def _power_node(n: int, ndims: tuple[int | None, ...], **_: Any) -> str:
    by_power = {0: "CopyBackwards", 1: "CloneBackward0", -1: "LinalgInvExBackward0"}
    return by_power.get(n, "MmBackward0" if ndims[0] == 2 else "UnsafeViewBackward0")


def _positive_power(A: Tensor, n: int) -> Tensor:
    """``A`` to the ``n``-th, by squaring: one product for each binary digit, and one more for each that is set."""
    if n == 3:
        return matmul(matmul(A, A), A)
    if n == 1:
        return A
    half = _positive_power(matmul(A, A), n // 2)
    return matmul(half, A) if n % 2 else half


@op(namespaces=(), aliases=("linalg.matrix_power",), out=MATRIX_POWER, node=_power_node, grad_node="AddBackward0")
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
    return singular(input) if n < 0 else no_check()


# The exponential

# Up to these norms a Taylor polynomial of degree 18 is exact to the last bit in single and in double precision
# (Bader, Blanes and Casas, Computing the matrix exponential with an optimized Taylor polynomial approximation, 2019).
_SINGLE, _DOUBLE = 3.01, 1.09
_MOST_SQUARINGS = 64


def _taylor(A: Tensor) -> Tensor:
    """The Taylor polynomial of degree 18 of ``exp(A)``: a cubic in ``A**6``, in seven products."""
    powers = [jnp.broadcast_to(jnp.eye(A.shape[-1], dtype=A.dtype), A.shape), A]
    while len(powers) < 7:
        powers.append(product(powers[-1], A))

    def block(first: int) -> Tensor:
        return sum((powers[i] / math.factorial(first + i) for i in range(1, 6)), powers[0] / math.factorial(first))

    result = block(12) + powers[6] / math.factorial(18)
    return block(0) + product(powers[6], block(6) + product(powers[6], result))


def _exponential(A: Tensor) -> Tensor:
    """By scaling and squaring: the polynomial holds near zero, and ``exp(A)`` is ``exp(A / 2)`` squared."""
    bound = _SINGLE if np.dtype(real_of(A.dtype)) == np.float32 else _DOUBLE
    size = jax.lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(A), axis=-2), axis=-1))
    halvings = jnp.ceil(jnp.log2(size / bound))
    halvings = jnp.where(jnp.isfinite(halvings), jnp.clip(halvings, 0, _MOST_SQUARINGS), 0)
    squarings = halvings.astype(np.int32)
    # exp2 would not be exact on every platform.
    scale = jnp.ldexp(jnp.ones((), size.dtype), -squarings)
    result = _taylor(A * scale[..., None, None].astype(A.dtype))
    most = jnp.max(squarings)

    def squared(x: Tensor, i: Tensor) -> tuple[Tensor, None]:
        def go_on(y: Tensor) -> Tensor:
            return jnp.where((i < squarings)[..., None, None], product(y, y), y)

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

    def span(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        k = split[i][j]
        return product(span(i, k), span(k + 1, j))

    return span(0, len(matrices) - 1).reshape(shape)


@op(
    namespaces=(),
    aliases=("linalg.multi_dot",),
    out=Out(
        "multi_dot(): expected out tensor to have dtype {c_want} but got {c_got}", "same", shared=ALL, autograd="mm"
    ),
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
    x = at_least_1d(x)
    n = x.shape[-1] if N is None else N
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


@op(
    namespaces=(),
    aliases=("linalg.vecdot",),
    out=Out(
        "linalg.vecdot: Expected out of dtype{want} but found {got}", "same", expanded=True, shared=ALL, autograd="sum"
    ),
    node="SumBackward1",
    grad_node="AddBackward0",
)
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
    out=EXPECTED.but(apart=ALL, first=False),
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
