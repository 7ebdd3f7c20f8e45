"""Resampling of an axis: which elements of the input make each element of the output, and with what weights.

Everything here is computed on the host from sizes and scales, in the precision in which PyTorch computes it, for a
position that falls between two elements is decided by the last bit. ``interpolation.py`` applies the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Taps(NamedTuple):
    """For each output element, ``positions`` in the input and their ``weights``, both ``(taps, outputs)``."""

    positions: np.ndarray
    weights: np.ndarray


def _scale(size: int, count: int, factor: float | None, dtype: Any) -> Any:
    """Input elements for each output element: the reciprocal of a given factor, else the ratio of the sizes."""
    if factor is not None and factor > 0:
        return np.asarray(1.0 / factor).astype(dtype)
    return np.asarray(size).astype(dtype) / np.asarray(count).astype(dtype)


def _linear_scale(size: int, count: int, align_corners: bool, factor: float | None, dtype: Any) -> Any:
    if not align_corners:
        return _scale(size, count, factor, dtype)
    return np.asarray(size - 1).astype(dtype) / np.asarray(count - 1).astype(dtype) if count > 1 else dtype.type(0)


def nearest_positions(size: int, count: int, factor: float | None, exact: bool) -> np.ndarray:
    """The one element that each output element copies; ``exact`` measures from the elements' centres."""
    outputs = np.arange(count)
    if count == size:
        return outputs
    if count == 2 * size and not exact:
        return outputs >> 1
    scale = _scale(size, count, factor, np.dtype(np.float32))
    at = outputs.astype(np.float32)
    at = (at + np.float32(0.5)) * scale if exact else at * scale
    return np.minimum(np.floor(at).astype(np.int64), size - 1)


def _sources(size: int, count: int, align_corners: bool, factor: float | None, dtype: Any, cubic: bool) -> Any:
    """Where in the input, in elements, each output element lies."""
    scale = _linear_scale(size, count, align_corners, factor, dtype)
    outputs = np.arange(count).astype(dtype)
    if align_corners:
        return outputs * scale
    half = dtype.type(0.5)
    at = scale * (outputs + half) - half
    return at if cubic else np.maximum(at, dtype.type(0))


def linear_taps(size: int, count: int, align_corners: bool, factor: float | None, dtype: Any) -> Taps:
    """The two neighbours of each output element, weighted by nearness."""
    if count == size:
        same = np.arange(count)[None]
        return Taps(same, np.ones((1, count), dtype))
    at = _sources(size, count, align_corners, factor, dtype, cubic=False)
    first = np.minimum(np.floor(at).astype(np.int64), size - 1)
    share = np.clip(at - first.astype(dtype), dtype.type(0), dtype.type(1))
    return Taps(np.stack([first, np.minimum(first + 1, size - 1)]), np.stack([1 - share, share]).astype(dtype))


def _keys(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic kernel."""
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0 * x))


def cubic_taps(size: int, count: int, align_corners: bool, factor: float | None, dtype: Any) -> Taps:
    """Four neighbours, weighted by the cubic kernel with ``a = -0.75``; beyond the border its element is repeated."""
    at = _sources(size, count, align_corners, factor, dtype, cubic=True)
    first = np.floor(at)
    share = at - first
    offsets = np.arange(-1, 3)
    positions = np.clip(first.astype(np.int64) + offsets[:, None], 0, size - 1)
    return Taps(positions, _keys(share - offsets[:, None].astype(dtype), -0.75).astype(dtype))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x: np.ndarray) -> np.ndarray:
    return _keys(x, -0.5)


def _lanczos(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


# The kernels of antialiased resampling, and over how many elements each reaches.
_FILTERS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
    "bilinear": (_triangle, 2),
    "bicubic": (_cubic, 4),
    "lanczos": (_lanczos, 6),
}


def antialiased_taps(size: int, count: int, align_corners: bool, factor: float | None, dtype: Any, kernel: str) -> Taps:
    """All elements within reach of the kernel, which widens where the output is smaller; the weights sum to 1."""
    filter_, reach = _FILTERS[kernel]
    scale = _linear_scale(size, count, align_corners, factor, dtype)
    half = dtype.type(0.5)
    widened = max(scale, dtype.type(1))
    support = dtype.type(reach) * half * widened
    centres = scale * (np.arange(count).astype(dtype) + half)
    starts = np.maximum((centres - support + half).astype(np.int64), 0)
    most = math.ceil(support) * 2 + 1
    counts = np.clip(np.minimum((centres + support + half).astype(np.int64), size) - starts, 0, most)
    taps = np.arange(max(int(counts.max()), 1))[:, None]
    used = taps < counts
    distances = (taps + starts - centres + half) / widened
    weights = np.where(used, filter_(distances), 0).astype(dtype)
    total = weights.sum(0)
    weights = weights / np.where(total == 0, 1, total)
    return Taps(np.clip(starts + taps, 0, size - 1), weights.astype(dtype))


def merged(taps: Taps) -> Taps:
    """The same taps, those of one output element that read the same input element added up in the first of them."""
    positions, weights = taps.positions, taps.weights.copy()
    for later in range(1, len(positions)):
        for earlier in range(later):
            same = positions[earlier] == positions[later]
            weights[earlier] += np.where(same, weights[later], 0)
            weights[later] = np.where(same, 0, weights[later])
    return Taps(positions, weights)


def fixed_point(taps: Taps) -> tuple[Taps, int]:
    """Weights as integers over ``2 ** bits``, the most bits with which the largest stays below ``2 ** 15``."""
    taps = merged(taps)
    largest = float(taps.weights.max())
    bits = 0
    while bits < 22 and int(0.5 + largest * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    scaled = taps.weights * (1 << bits)
    return Taps(taps.positions, np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5)).astype(np.int32)), bits
