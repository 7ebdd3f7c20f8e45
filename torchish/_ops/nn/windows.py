"""Sliding windows, one axis at a time.

Every pooling here is separable: a window over height and width is a window over the width of each row, then one
over the height of the results. That holds for the maximum with PyTorch's rules too (the first of equal values in
row-major order wins, a NaN beats everything, the last NaN wins), and it makes a 3x3 window four comparisons
instead of eight. The running comparison is plain ``where``, so that the gradient goes to the winner alone, and
XLA fuses the whole into a few loops; its own ``reduce_window`` has a slow gradient on CPU.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..registry import Tensor
from ..scalar_types import is_inexact

# Windows up to this size are unrolled into slices; larger ones are gathered or left to XLA.
MAX_UNROLLED = 16


class Window(NamedTuple):
    """The windows along one axis: their size and placing, and how many there are."""

    size: int
    stride: int
    padding: int
    dilation: int
    count: int  # type: ignore[assignment]

    def positions(self) -> np.ndarray:
        """Where each tap of each window lies: ``(count, size)``, negative in the padding."""
        starts = np.arange(self.count) * self.stride - self.padding
        return starts[:, None] + np.arange(self.size) * self.dilation

    def tiles(self, length: int) -> bool:
        """Whether the windows cut an axis of this length into equal pieces."""
        return (
            self.size == self.stride and self.dilation == 1 and self.padding == 0 and self.size * self.count == length
        )


def window_count(length: int, size: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows fit; with ``ceil_mode`` also a last one that starts inside and ends beyond."""
    reach = length + 2 * padding - dilation * (size - 1) - 1
    count = (reach + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= length + padding:
        count -= 1
    return count


def adaptive_bounds(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first position and the end of each of ``count`` windows that cover an axis evenly."""
    i = np.arange(count)
    return i * length // max(count, 1), -((-(i + 1) * length) // max(count, 1))


def adaptive_window(length: int, count: int) -> Window | None:
    """The equal windows that an adaptive pooling amounts to, where the sizes divide."""
    if count == 0 or length % count:
        return None
    size = length // count
    return Window(size, size, 0, 1, count)


def adaptive_positions(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the taps of adaptive windows, ``(count, largest)``, and which of them count."""
    starts, ends = adaptive_bounds(length, count)
    largest = int((ends - starts).max(initial=0))
    positions = starts[:, None] + np.arange(largest)
    valid = positions < ends[:, None]
    return np.where(valid, positions, starts[:, None]), valid


def lowest(dtype: np.dtype) -> np.generic:
    """The value that never wins a maximum: minus infinity, or the smallest integer."""
    return dtype.type(-np.inf) if is_inexact(dtype) else np.iinfo(dtype).min  # type: ignore[return-value]


def _pad_axis(x: Tensor, axis: int, window: Window, value: np.generic) -> Tensor:
    length = x.shape[axis]
    last = (window.count - 1) * window.stride + (window.size - 1) * window.dilation + 1
    after = last - window.padding - length
    if window.padding == 0 and after <= 0:
        return x
    config = [(0, 0, 0)] * x.ndim
    config[axis] = (window.padding, max(after, 0), 0)
    return lax.pad(x, jnp.asarray(value, x.dtype), config)


def _tap(x: Tensor, axis: int, window: Window, j: int) -> Tensor:
    start = j * window.dilation
    stop = start + (window.count - 1) * window.stride + 1
    return lax.slice_in_dim(x, start, max(stop, start), window.stride, axis)


def _along(values: np.ndarray, axis: int, ndim: int) -> Tensor:
    """A one-dimensional constant laid along ``axis`` of ``ndim``."""
    return jnp.asarray(values).reshape([-1 if i == axis else 1 for i in range(ndim)])


def _wins(candidate: Tensor, best: Tensor) -> Tensor:
    bigger = candidate > best
    return bigger | jnp.isnan(candidate) if is_inexact(candidate.dtype) else bigger


def max_over(x: Tensor, carried: list[Tensor], axis: int, window: Window) -> tuple[Tensor, list[Tensor]]:
    """The maxima of the windows along ``axis``, and what ``carried`` holds where they come from.

    The position along ``axis`` of each maximum is prepended to the carried arrays. All are recomputed from the
    comparisons, so those that are not used cost nothing.
    """
    if window.size > MAX_UNROLLED:
        positions = window.positions()
        valid = (positions >= 0) & (positions < x.shape[axis])
        return max_at(x, carried, axis, positions.clip(0, max(x.shape[axis] - 1, 0)), valid)
    positions = window.positions()
    first_valid = np.argmax(positions >= 0, axis=1)
    padded = _pad_axis(x, axis, window, lowest(x.dtype))
    moved = [_pad_axis(c, axis, window, np.int32(0)) for c in carried]
    best = _tap(padded, axis, window, 0)
    chosen = [_tap(c, axis, window, 0) for c in moved]
    where = jnp.broadcast_to(_along(positions[:, 0].astype(np.int32), axis, x.ndim), best.shape)
    for j in range(1, window.size):
        candidate = _tap(padded, axis, window, j)
        take = _wins(candidate, best)
        if (first_valid == j).any():
            take = take | _along(first_valid == j, axis, x.ndim)
        best = jnp.where(take, candidate, best)
        chosen = [jnp.where(take, _tap(c, axis, window, j), old) for c, old in zip(moved, chosen, strict=True)]
        where = jnp.where(take, _along(positions[:, j].astype(np.int32), axis, x.ndim), where)
    return best, [where, *chosen]


def _taken(x: Tensor, axis: int, positions: np.ndarray) -> Tensor:
    """``x`` at ``positions`` of ``axis``, which becomes two axes: the window and its taps."""
    taken = jnp.take(x, jnp.asarray(positions.reshape(-1)), axis=axis, mode="clip")
    return taken.reshape(*x.shape[:axis], *positions.shape, *x.shape[axis + 1 :])


def max_at(
    x: Tensor, carried: list[Tensor], axis: int, positions: np.ndarray, valid: np.ndarray
) -> tuple[Tensor, list[Tensor]]:
    """``max_over`` for any windows: the taps at ``positions``, ``(count, size)``, that are ``valid``."""
    taps = _taken(x, axis, positions)
    mask = _along_table(valid, axis, taps.ndim)
    winner = jnp.argmax(jnp.where(mask, taps, lowest(x.dtype)), axis=axis + 1, keepdims=True)  # type: ignore[call-overload]

    def pick(array: Tensor) -> Tensor:
        return jnp.take_along_axis(array, winner, axis=axis + 1).squeeze(axis + 1)

    where = _along_table(positions.astype(np.int32), axis, taps.ndim)
    return pick(taps), [pick(jnp.broadcast_to(where, taps.shape)), *(pick(_taken(c, axis, positions)) for c in carried)]


def sum_over(x: Tensor, axis: int, window: Window) -> Tensor:
    """The sums of the windows along ``axis``, the padding counting as zero."""
    if window.tiles(x.shape[axis]):
        cut = x.reshape(*x.shape[:axis], window.count, window.size, *x.shape[axis + 1 :])
        return cut.sum(axis + 1, dtype=x.dtype)
    padded = _pad_axis(x, axis, window, x.dtype.type(0))
    if window.size > MAX_UNROLLED:
        size, stride = [1] * x.ndim, [1] * x.ndim
        size[axis], stride[axis] = window.size, window.stride
        used = (window.count - 1) * window.stride + window.size
        return lax.reduce_window(
            lax.slice_in_dim(padded, 0, used, axis=axis), x.dtype.type(0), lax.add, size, stride, "VALID"
        )
    total = _tap(padded, axis, window, 0)
    for j in range(1, window.size):
        total = total + _tap(padded, axis, window, j)
    return total


def sum_at(x: Tensor, axis: int, positions: np.ndarray, valid: np.ndarray) -> Tensor:
    """The sums of the taps at ``positions`` that are ``valid``."""
    mask = _along_table(valid, axis, x.ndim + 1)
    return jnp.where(mask, _taken(x, axis, positions), jnp.zeros((), x.dtype)).sum(axis + 1, dtype=x.dtype)


def _along_table(table: np.ndarray, axis: int, ndim: int) -> Tensor:
    """A two-dimensional constant laid along ``axis`` and the next of ``ndim``."""
    return jnp.asarray(table).reshape([1] * axis + [*table.shape] + [1] * (ndim - axis - 2))
