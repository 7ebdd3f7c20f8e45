"""Avals and Values: the immutable data beneath every Storage."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from .placement import Placement

try:  # what device_put comes to: called as such, it takes a sixth of the time
    from jax._src.interpreters.pxla import batched_device_put
except ImportError:  # it is no public name
    batched_device_put = None  # type: ignore[assignment]


class Aval:
    """What is known of a Value without its data: shape, dtype and placement. Interned: identity is equality."""

    __slots__ = ("dtype", "inexact", "nbytes", "ndim", "numel", "placement", "shape", "struct")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, placement: Placement):
        self.shape, self.dtype, self.placement = shape, dtype, placement
        self.ndim, self.numel = len(shape), math.prod(shape)
        self.nbytes = self.numel * dtype.itemsize
        self.inexact = dtype.kind in "fcV"
        self.struct = jax.ShapeDtypeStruct(shape, dtype)

    def __repr__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]@{self.placement}"


_avals: dict[tuple[tuple[int, ...], np.dtype, Placement], Aval] = {}


def aval_of(shape: tuple[int, ...], dtype: np.dtype, placement: Placement) -> Aval:
    """The one Aval of this shape, dtype and placement."""
    key = (shape, dtype, placement)
    found = _avals.get(key)
    if found is None:
        found = _avals.setdefault(key, Aval(shape, dtype, placement))
    return found


class Value:
    """Immutable data of known shape and dtype, concrete or pending.

    ``array`` is a ``jax.Array`` (inside a JAX transformation, a tracer), or None while the Value is
    pending. ``window`` and ``slot`` say where it stands while it is a result or an input of a window.
    """

    __slots__ = ("array", "aval", "slot", "window")

    def __init__(self, array: Any, aval: Aval):
        self.array, self.aval = array, aval
        self.window: Any = None
        self.slot = 0

    def __repr__(self) -> str:
        return f"<Value {self.aval!r}{' pending' if self.array is None else ''}>"


def concrete(array: Any, placement: Placement) -> Value:
    """A Value that holds ``array``, a jax.Array (or tracer) that lies on ``placement``."""
    return Value(array, aval_of(array.shape, array.dtype, placement))


def from_numpy(array: np.ndarray, placement: Placement) -> Value:
    """A Value of ``array``'s data, which nobody may change from now on: JAX may keep its memory."""
    aval = aval_of(array.shape, array.dtype, placement)
    return Value(put(array, aval), aval)


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that XLA takes over without a copy: its CPU client wants memory at a multiple of 64 bytes."""
    nbytes = math.prod(shape) * dtype.itemsize
    memory = np.empty(nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + nbytes].view(dtype).reshape(shape)


def put(array: np.ndarray, aval: Aval) -> jax.Array:
    """``array`` on the device of ``aval``, which is its own otherwise."""
    device = aval.placement.jax_device
    if batched_device_put is None:
        return jax.device_put(array, device)
    abstract = jax.core.ShapedArray(aval.shape, aval.dtype)
    return batched_device_put(abstract, aval.placement.sharding, [array], [device])
