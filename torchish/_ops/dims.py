"""Dimension arguments: PyTorch's ranges, its errors, and 0-dim tensors, which count as having one dimension."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from . import scalar_types


def normalize_dim(dim: int, ndim: int) -> int:
    """``dim`` counted from the front. A 0-dim tensor accepts 0 and -1, both meaning 0.

    >>> normalize_dim(-1, 3)
    2
    """
    rank = max(ndim, 1)
    if not -rank <= dim < rank:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {dim})")
    return dim % rank


def normalize_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The axes to reduce, ascending. ``None`` and ``()`` mean all of them; a 0-dim tensor has none."""
    dims = (dim,) if isinstance(dim, int) else tuple(dim or range(ndim))
    axes = distinct_dims(dims, ndim)
    return tuple(sorted(axes)) if ndim else ()


def distinct_dims(dims: Sequence[int], ndim: int) -> tuple[int, ...]:
    """``dims`` counted from the front, in the order given; a repeated one is an error."""
    axes = tuple(normalize_dim(d, ndim) for d in dims)
    for axis in axes:
        if axes.count(axis) > 1:
            raise RuntimeError(f"dim {axis} appears multiple times in the list of dims")
    return axes


def at_least_1d(x: jax.Array) -> jax.Array:
    """``x``, a 0-dim array as an array of one element."""
    return x.reshape(1) if x.ndim == 0 else x


def size_of(x: jax.Array, axes: Sequence[int]) -> int:
    """How many elements a reduction over ``axes`` reads for each result."""
    return math.prod(x.shape[axis] for axis in axes)


def require_elements(x: jax.Array, dim: int | Sequence[int] | None, name: str) -> None:
    """Refuse to reduce nothing where the reduction has no identity (max, median, ...)."""
    if x.size:
        return
    if dim is None or dim == ():
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )
    for axis in normalize_dims(dim, x.ndim):
        if x.shape[axis] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")


def iota(shape: Sequence[int], axis: int) -> jax.Array:
    """Each element's position along ``axis``: int32 where that is enough, which XLA vectorises better."""
    dtype = np.int32 if shape[axis] < 2**31 else np.int64
    return jax.lax.broadcasted_iota(dtype, tuple(shape), axis)


def is_nan(x: jax.Array) -> jax.Array:
    """Where ``x`` is NaN; nowhere for integers and bools."""
    return jnp.isnan(x) if scalar_types.is_inexact(x.dtype) else jnp.zeros(x.shape, bool)


def cast(x: jax.Array, dtype: np.dtype | None) -> jax.Array:
    """``x`` as ``dtype``; a complex array going to a real dtype loses its imaginary part."""
    if dtype is None or x.dtype == dtype:
        return x
    if scalar_types.is_complex(x.dtype) and not scalar_types.is_complex(dtype):
        x = jnp.real(x) if dtype != np.bool_ else x != 0
    return x.astype(dtype)


def widen(x: jax.Array) -> jax.Array:
    """Half-precision floats as float32, in which PyTorch accumulates them; anything else as it is."""
    return x.astype(np.float32) if scalar_types.is_floating(x.dtype) and x.dtype.itemsize == 2 else x
