"""Norms of matrices, condition numbers, and slices scaled down to a norm."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..dims import cast, normalize_dim, widen
from ..out_rules import ALL, EXPECTED, Out, safely_castable
from ..reductions.reduction import amax, amin, linalg_vector_norm, norm
from ..registry import DType, Number, Size, Tensor, check_of, op
from ..scalar_types import is_complex, is_inexact, is_integral, real_of, scalar_name
from .errors import no_check, nonfinite, require_inexact, require_matrix, require_square, svd_error
from .inverses import inverse, zero_pivot
from .pseudo_inverses import singular_values

_NAME = "linalg.matrix_norm"


def shown(ord: Any) -> str:
    """An order as PyTorch's error texts show it."""
    return ord if isinstance(ord, str) else f"{float(ord):g}"


def _check_order(ord: Any) -> None:
    if ord not in ("fro", "nuc") if isinstance(ord, str) else abs(ord) not in (1, 2, math.inf):
        raise RuntimeError(f"{_NAME}: Order {shown(ord)} not supported.")


def _matrix_dims(input: Tensor, dim: Size) -> tuple[int, int]:
    if len(dim) != 2:
        raise RuntimeError(f"{_NAME}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    rows, columns = (normalize_dim(d, input.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"{_NAME}: dims must be different. Got ({rows}, {columns})")
    return rows, columns


def _check_dtype(input: Tensor, dtype: DType) -> None:
    if dtype is None:
        return
    name = scalar_name
    if not is_inexact(dtype):
        raise RuntimeError(f"{_NAME}: dtype should be floating point or complex, but got {name(dtype)}")
    if is_complex(dtype) != is_complex(input.dtype):
        kind = "complex" if is_complex(input.dtype) else "real"
        raise RuntimeError(f"{_NAME}: dtype should be {kind} for {kind} inputs, but got {name(dtype)}")
    if jnp.promote_types(input.dtype, dtype) != dtype:
        raise RuntimeError(
            f"{_NAME}: the dtype of the input ({name(input.dtype)}) should be convertible without narrowing to the "
            f"specified dtype ({name(dtype)})"
        )


def by_singular_values(ord: Any) -> bool:
    """Whether a norm of this order is one of singular values."""
    return ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2)


def _norm_node(ord: float | str, **_: Any) -> str:
    if isinstance(ord, str):
        return "SumBackward1" if ord == "nuc" else "LinalgVectorNormBackward0"
    return "AmaxBackward0" if ord > 0 else "AminBackward0"


def _extremum(ord: float, x: Tensor, axis: int, keepdim: bool) -> Tensor:
    """The largest element along ``axis`` for a positive order, 0 of none; the smallest for a negative one."""
    if ord < 0:
        if x.size == 0 and x.shape[axis] == 0:
            raise IndexError(f"amin(): Expected reduction dim {axis} to have non-zero size.")
        return amin(x, axis, keepdim)
    if x.shape[axis]:
        return amax(x, axis, keepdim)
    empty = jnp.sum(x, axis=axis, keepdims=keepdim)
    return jnp.zeros(empty.shape, x.dtype)


@op(
    namespaces=(),
    out=Out("linalg.matrix_norm expected out tensor dtype {want} but got: {got}", "same", shared=ALL, copies=True),
    node=_norm_node,
    grad_node="MulBackward0",
)
def linalg_matrix_norm(
    input: Tensor, ord: float | str = "fro", dim: Size = (-2, -1), keepdim: bool = False, *, dtype: DType = None
) -> Tensor:
    """A norm of the matrices that the two dimensions ``dim`` span; real.

    ``"fro"``: of all elements as a vector; ``"nuc"``: the sum of singular values; 2 and -2: the largest and smallest of
    them; 1 and -1: the largest and smallest sum of magnitudes in a column; ``inf`` and ``-inf``: in a row.
    """
    _check_order(ord)
    require_matrix(input, _NAME)
    require_inexact(input.dtype, _NAME, half=not by_singular_values(ord))
    rows, columns = _matrix_dims(input, dim)
    _check_dtype(input, dtype)
    x = cast(input, dtype)
    if ord == "fro":
        return linalg_vector_norm(x, 2, (rows, columns), keepdim)
    if by_singular_values(ord):
        values = singular_values(jnp.moveaxis(x, (rows, columns), (-2, -1)))
        result = jnp.sum(values, axis=-1) if isinstance(ord, str) else _extremum(ord, values, -1, False)
        return jnp.expand_dims(result, (rows, columns)) if keepdim else result
    assert not isinstance(ord, str)
    summed, compared = (columns, rows) if math.isinf(ord) else (rows, columns)
    sums = linalg_vector_norm(x, 1, summed, keepdim)
    return _extremum(ord, sums, compared - (not keepdim and summed < compared), keepdim)


def _norm_check(input: Tensor, ord: float | str = "fro", dim: Size = (-2, -1), **_: Any) -> tuple[Tensor, Tensor]:
    return nonfinite(jnp.moveaxis(input, dim, (-2, -1))) if by_singular_values(ord) else no_check()


check_of(linalg_matrix_norm, lambda witness, input, **_: svd_error(witness, input))(_norm_check)


@check_of(norm, lambda witness, input, **_: svd_error(witness, input))
def _(input: Tensor, p: Any = "fro", dim: Any = None, **_: Any) -> tuple[Tensor, Tensor]:
    return _norm_check(input, "nuc" if p == "nuc" else "fro", (-2, -1) if dim is None or isinstance(dim, int) else dim)


# Condition numbers


def _cond_node(p: Any, **_: Any) -> str:
    if p is None or p in (2, -2):
        return "SqueezeBackward1"
    return "MulBackward0" if p == "nuc" else "NanToNumBackward0"


def _by_extremes(p: Any) -> bool:
    return p is None or (not isinstance(p, str) and abs(p) == 2)


def _check_cond(input: Tensor, p: Any) -> bool:
    """Refuse what PyTorch's ``cond`` refuses; returns whether the matrices have no elements."""
    name = f"linalg.cond(ord={shown(p)})" if p is not None else ""
    if isinstance(p, str):
        require_square(input, name)
        if p not in ("fro", "nuc"):
            raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
        return input.size == 0
    if input.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is not None and abs(p) not in (1, 2, math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {shown(p)}")
    if input.size and not _by_extremes(p):
        require_square(input, name)
    return input.size == 0


@op(
    namespaces=(),
    aliases=("linalg.cond",),
    out=safely_castable("linalg.cond", copies=True),
    node=_cond_node,
    grad_node="MmBackward0",
)
def linalg_cond(input: Tensor, p: float | str | None = None) -> Tensor:
    """How much a matrix magnifies relative errors: its ``p``-norm times that of its inverse; infinite if it has none.

    For ``p`` None, 2 and -2 it is the ratio of the extreme singular values; the matrix need not be square then.
    """
    if _check_cond(input, p):
        return jnp.zeros(input.shape[:-2], real_of(input.dtype))
    if _by_extremes(p):
        s = singular_values(input)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    if p == "nuc":
        s = singular_values(input)
        return jnp.sum(s, axis=-1) * jnp.sum(1 / s, axis=-1)
    require_inexact(input.dtype, "linalg.inv")
    magnified = linalg_matrix_norm(input, p) * linalg_matrix_norm(inverse(input), p)  # type: ignore[arg-type]
    none = (zero_pivot(input) > 0) | jnp.isnan(magnified)
    return jnp.where(none, jnp.full((), jnp.inf, magnified.dtype), magnified)


@check_of(linalg_cond, lambda witness, input, **_: svd_error(witness, input))
def _(input: Tensor, p: Any = None) -> tuple[Tensor, Tensor]:
    return nonfinite(input) if _by_extremes(p) or p == "nuc" else no_check()


# Scaling to a norm


@op(inplace=True, out=EXPECTED.but(first=False), grad_node="WhereBackward0")
def renorm(input: Tensor, p: float, dim: int, maxnorm: Number) -> Tensor:
    """``input`` with each slice along ``dim`` whose ``p``-norm is above ``maxnorm`` scaled down to it."""
    if isinstance(p, complex):
        raise RuntimeError("renorm: p must be real-valued")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    limit = jnp.asarray(maxnorm)
    if is_complex(limit.dtype):
        raise RuntimeError("renorm: maxnorm must be real-valued")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    axis = normalize_dim(dim, input.ndim)
    others = tuple(i for i in range(input.ndim) if i != axis)
    if input.size == 0:
        require_inexact(input.dtype, "linalg.vector_norm", half=True)
        return input
    x = widen(input)
    if not is_inexact(x.dtype):
        require_inexact(x.dtype, "linalg.vector_norm")
    sizes = linalg_vector_norm(x, p, others, True)
    limit = limit.astype(sizes.dtype)
    over = sizes > limit
    # PyTorch's constant keeps the scaled norm from ending above the limit.
    scale = jnp.where(over, limit / (jnp.where(over, sizes, jnp.ones((), sizes.dtype)) + 1e-7), 1)
    return (x * scale.astype(x.dtype)).astype(input.dtype)


def _maxnorm_error(witness: int, maxnorm: Any, **_: Any) -> Exception:
    value = witness if maxnorm is int else float(np.int64(witness).view(np.float64))
    return RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {value:g}")


@check_of(renorm, _maxnorm_error)
def _(maxnorm: Number, **_: Any) -> tuple[Tensor, Tensor]:
    value = jnp.asarray(maxnorm)
    if is_complex(value.dtype):
        return jnp.zeros((), bool), jnp.zeros((), np.int64)
    bits = value if is_integral(value.dtype) else value.astype(np.float64).view(np.int64)
    return value < 0, bits.astype(np.int64)
