"""Gathering and scattering: one index for each element, and reductions into indexed positions.

A gather reads ``out[i][j] = input[index[i][j]][j]``, a scatter writes the other way round. No negative
indices here: PyTorch refuses them.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .. import scalar_types
from ..dims import at_least_1d, iota, normalize_dim
from ..inplace_rules import BY_INDEX
from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import GATHERED, SCATTERED
from ..registry import Number, Tensor, check_of, op
from .indexing import (
    IN_BOUNDS,
    add_at,
    at,
    bounds_error,
    check_slices,
    gather_along,
    in_range_of_dim,
    is_index,
    overwrite,
    read,
    scalar_as,
    shown_shape,
    written,
)


def _along(index: Tensor, axis: int) -> tuple[Tensor, ...]:
    """Coordinates for ``x[i0, ..., index[i0, i1, ...], ...]``: every other dimension by its own position."""
    return tuple(index if d == axis else iota(index.shape, d) for d in range(index.ndim))


def _all_dims(x: Tensor) -> tuple[int, ...]:
    return tuple(range(x.ndim))


# --- gather and scatter: one index for each element -----------------------------------------------


def _check_ranks(input: Tensor, index: Tensor, src: Tensor | None, name: str, self_name: str) -> None:
    if index.size == 0:
        return
    if not is_index(index):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    rank = max(index.ndim, 1)
    if rank != max(input.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {self_name} tensor")
    if src is not None and rank != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")


@op(out=GATHERED, grad_node="ScatterAddBackward0")
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim`` 0, likewise for others. The shape is ``index``'s.

    ``index`` (int64 or int32) may be smaller than ``input`` in the other dimensions. No negative indices.
    """
    axis = normalize_dim(dim, input.ndim)
    _check_ranks(input, index, None, "gather", "input")
    if index.size == 0:
        return jnp.zeros(index.shape, input.dtype)
    for d in range(index.ndim):
        if d != axis and index.shape[d] > input.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {shown_shape(index.shape)} to be no larger than "
                f"self {shown_shape(input.shape)} apart from dimension {axis}"
            )
    # In float32, so that the elements that meet again in the gradient are summed so.
    take = half_in_float32(lambda x: gather_along(at_least_1d(x), at_least_1d(index), axis))
    return take(input).reshape(index.shape)


check_of(gather, bounds_error)(in_range_of_dim)


def _scatter_operands(input: Tensor, dim: int, index: Tensor, src: Tensor | None):
    """``(x, dims, coordinates, values)`` of a scatter, its shapes and dtypes checked; None where it writes nothing."""
    axis = normalize_dim(dim, input.ndim)
    _check_ranks(input, index, src, "scatter", "self")
    if src is not None and src.dtype != input.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if index.size == 0:
        return None
    x, i = at_least_1d(input), at_least_1d(index)
    values = None if src is None else at_least_1d(src)
    for d in range(i.ndim):
        if (d != axis and i.shape[d] > x.shape[d]) or (values is not None and i.shape[d] > values.shape[d]):
            tail = f" and to be no larger size than src {shown_shape(src.shape)}" if src is not None else ""
            raise RuntimeError(
                f"Expected index {shown_shape(index.shape)} to be no larger than self {shown_shape(input.shape)} "
                f"apart from dimension {axis}{tail}"
            )
    if values is not None:
        values = jax.lax.slice(values, (0,) * i.ndim, i.shape)
    return x, _all_dims(x), _along(i, axis), values


@op(name="scatter.src", inplace=BY_INDEX, out=SCATTERED, node="ScatterBackward0", grad_node="ScatterBackward1")
def scatter_src(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``input`` with ``out[index[i][j]][j] = src[i][j]`` for ``dim`` 0, likewise for others.

    Where an index occurs twice the last value is kept; the gradient goes to all of them.
    """
    operands = _scatter_operands(input, dim, index, src)
    if operands is None:
        return input
    return overwrite(operands[1], operands[0], operands[2], operands[3]).reshape(input.shape)


@op(
    name="scatter.value",
    fits=True,
    inplace=BY_INDEX,
    out=SCATTERED,
    node="ScatterBackward1",
    grad_node="ScatterBackward1",
)
def scatter_value(input: Tensor, dim: int, index: Tensor, value: Number) -> Tensor:
    """``input`` with the number ``value`` written at ``index`` along ``dim``."""
    operands = _scatter_operands(input, dim, index, None)
    fill = scalar_as(value, input.dtype)
    if operands is None:
        return input
    x, dims, where, _ = operands
    return jnp.where(written(x, dims, where), fill, x).reshape(input.shape)


def _scatter_reduced(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str) -> Tensor:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")


@op(name="scatter.src_reduce", inplace=BY_INDEX, out=SCATTERED, node="ScatterBackward2", differentiable=False)
def scatter_src_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str) -> Tensor:
    """``scatter`` that adds (``reduce="add"``) or multiplies instead of writing; no derivative."""
    return _scatter_reduced(input, dim, index, src, reduce)


@op(name="scatter.value_reduce", inplace=BY_INDEX, out=SCATTERED, node="ScatterBackward3", differentiable=False)
def scatter_value_reduce(input: Tensor, dim: int, index: Tensor, value: Number, reduce: str) -> Tensor:
    """``scatter`` of a number that adds (``reduce="add"``) or multiplies; no derivative."""
    src = jnp.broadcast_to(scalar_as(value, input.dtype), index.shape)
    return _scatter_reduced(input, dim, index, src, reduce)


@op(inplace=BY_INDEX, out=SCATTERED, grad_node="GatherBackward0")
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``input`` with ``src`` added at ``index`` along ``dim``: ``out[index[i][j]][j] += src[i][j]`` for ``dim`` 0."""
    operands = _scatter_operands(input, dim, index, src)
    if operands is None:
        return input
    x, dims, where, values = operands
    return add_at(x, dims, where, values).reshape(input.shape)


@op(inplace=BY_INDEX, out=SCATTERED, grad_node="DivBackward0")
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """``input`` with ``src`` reduced into it at ``index`` along ``dim``.

    ``reduce``: sum, prod, mean, amax or amin. ``include_self=False``: what ``input`` holds at the
    positions written does not take part. Equal extrema share the gradient evenly.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    operands = _scatter_operands(input, dim, index, src)
    if operands is None:
        return input
    x, dims, where, values = operands
    taken = {"mean": "ifc", "amax": "bif", "amin": "bif"}.get(reduce, "bifc")
    require_dtype(x.dtype, taken, "scatter_gather_tensor_cpu" + (f"_reduce_{reduce}" if len(taken) == 3 else ""))
    return _reduce_into(x, dims, where, values, reduce, include_self).reshape(input.shape)


for _scatter in (scatter_src, scatter_value, scatter_src_reduce, scatter_value_reduce, scatter_add, scatter_reduce):
    check_of(_scatter, bounds_error)(in_range_of_dim)


# --- reducing into positions ------------------------------------------------------------------------


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def combine_at(kind: str, dims: tuple[int, ...], x: Tensor, indices: tuple[Tensor, ...], src: Tensor) -> Tensor:
    """``x`` multiplied by, or taken the extremum with, ``src`` at ``indices``."""
    ref = at(x, dims, indices)
    return {"prod": ref.mul, "amax": ref.max, "amin": ref.min}[kind](src, mode=IN_BOUNDS)


@combine_at.defjvp
def _(kind, dims, primals, tangents):
    """A product's slope is the product of the others, also past one zero; extrema are shared among equals."""
    (x, indices, src), (x_t, _, src_t) = primals, tangents
    result = combine_at(kind, dims, x, indices, src)
    nothing = jnp.zeros_like(x)
    if kind == "prod":
        is_zero = src == 0
        zeros = add_at(nothing, dims, indices, is_zero.astype(x.dtype))
        lone_zero = is_zero & (read(zeros, dims, indices) == 1)
        nonzero_x = jnp.where(x == 0, jnp.ones((), x.dtype), x)
        x_slope = combine_at(kind, dims, nonzero_x, indices, src) / nonzero_x
        others = combine_at(kind, dims, x, indices, jnp.where(lone_zero, jnp.ones((), x.dtype), src))
        quotient = read(result, dims, indices) / jnp.where(is_zero, jnp.ones((), x.dtype), src)
        src_slope = jnp.where(lone_zero, read(others, dims, indices), quotient)
    else:
        x_hit = (x == result).astype(x.dtype)
        src_hit = (src == read(result, dims, indices)).astype(x.dtype)
        share = 1 / (x_hit + add_at(nothing, dims, indices, src_hit))
        x_slope, src_slope = x_hit * share, src_hit * read(share, dims, indices)
    return result, x_slope * x_t + add_at(jnp.zeros_like(x_t), dims, indices, src_slope * src_t)


def _identity(reduce: str, dtype: np.dtype) -> object:
    """What leaves the other operand of a reduction unchanged."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if scalar_types.is_bool(dtype):
        return reduce == "amin"
    if scalar_types.is_integral(dtype):
        return jnp.iinfo(dtype).min if reduce == "amax" else jnp.iinfo(dtype).max
    return -np.inf if reduce == "amax" else np.inf


def _reduce_into(
    x: Tensor, dims: tuple[int, ...], indices: tuple[Tensor, ...], src: Tensor, reduce: str, include_self: bool
) -> Tensor:
    if reduce == "prod" and scalar_types.is_bool(x.dtype):
        reduce = "amin"
    if not include_self:
        x = jnp.where(written(x, dims, indices), jnp.asarray(_identity(reduce, x.dtype), x.dtype), x)
    if reduce in ("prod", "amax", "amin"):
        return combine_at(reduce, dims, x, indices, src)
    total = add_at(x, dims, indices, src)
    if reduce == "sum":
        return total
    ones = jnp.ones(x.shape if include_self else (), np.int64)
    count = add_at(jnp.broadcast_to(ones * include_self, x.shape), dims, indices, jnp.ones(src.shape, np.int64))
    count = jnp.maximum(count, 1).astype(total.dtype)
    return total // count if scalar_types.is_integral(total.dtype) else total / count


@op(inplace=BY_INDEX, out=SCATTERED.but(first=False), grad_node="DivBackward0")
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """``input`` with ``source``'s slices reduced into its slices at ``index``: prod, mean, amax or amin."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    axis = normalize_dim(dim, input.ndim)
    check_slices(input, index, source, axis)
    for which, taken, kernel in (
        ("mean", "ifc", "div_floor_cpu"),
        ("amax", "bif", "maximum_cpu"),
        ("amin", "bif", "minimum_cpu"),
    ):
        if reduce == which:
            require_dtype(input.dtype, taken, kernel)
    x, where = at_least_1d(input), (at_least_1d(index),)
    return _reduce_into(x, (axis,), where, at_least_1d(source), reduce, include_self).reshape(input.shape)


@check_of(index_reduce, lambda witness, **_: IndexError("index out of range in self"))
def _(input: Tensor, dim: int, index: Tensor, **_) -> tuple[Tensor, Tensor]:
    return in_range_of_dim(input, dim, index)
