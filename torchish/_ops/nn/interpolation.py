"""Interpolation to another size: nearest, linear, cubic and antialiased, of ``(batch, channels, ...)``.

Each spatial axis is resampled by itself with the tables of ``resampling.py``. Half types are computed in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..dims import widen
from ..kernel_dtypes import kind_of, require_dtype
from ..registry import Size, Tensor, op
from ..scalar_types import scalar_name
from .resampling import Taps, antialiased_taps, cubic_taps, fixed_point, linear_taps, nearest_positions

# With more taps than this one gather and one sum are used instead of a term for each.
_MAX_UNROLLED = 8
_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def _output_size(input: Tensor, output_size: Size | None, factors: tuple[float, ...] | None) -> tuple[int, ...]:
    """The spatial sizes of the result, given or by factors, after PyTorch's checks."""
    spatial = input.shape[2:]
    n = len(spatial)
    if output_size is None:
        if factors is None:
            raise RuntimeError("Must specify exactly one of output_size and scale_factors")
        output_size = tuple(int(size * factor) for size, factor in zip(spatial, factors, strict=True))
    if len(output_size) != n:
        raise RuntimeError(f"It is expected output_size equals to {n}, but got size {len(output_size)}")
    if min(*spatial, *output_size) <= 0:
        given, wanted = (
            ", ".join(f"{letter}: {size}" for letter, size in zip(_LETTERS[n], sizes, strict=True))
            for sizes in (spatial, output_size)
        )
        joint = " and " if n == 1 else " "
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({given}){joint}output ({wanted})"
        )
    if input.shape[1] == 0:
        raise RuntimeError(f"Non-empty {n + 2}D data tensor expected but got a tensor with sizes {list(input.shape)}")
    return output_size


def _require_rank(input: Tensor, ranks: Sequence[int]) -> None:
    if input.ndim not in ranks:
        raise RuntimeError(f"It is expected input_size equals to {ranks[0]}, but got size {input.ndim}")


def _copied(x: Tensor, axis: int, positions: np.ndarray) -> Tensor:
    """``x`` at ``positions`` of ``axis``; whole repetitions without a gather, whose gradient is then a plain sum."""
    size, count = x.shape[axis], len(positions)
    if count == size and (positions == np.arange(count)).all():
        return x
    if count % size == 0 and (positions == np.arange(count) // (count // size)).all():
        lead, rest = x.shape[: axis + 1], x.shape[axis + 1 :]
        repeated = jnp.broadcast_to(jnp.expand_dims(x, axis + 1), (*lead, count // size, *rest))
        return repeated.reshape(*x.shape[:axis], count, *rest)
    return jnp.take(x, jnp.asarray(positions), axis=axis, mode="clip")


def _resampled(x: Tensor, axis: int, taps: Taps) -> Tensor:
    """The weighted sums of the taps along ``axis``."""
    layout = [-1 if i == axis else 1 for i in range(x.ndim)]
    if len(taps.positions) > _MAX_UNROLLED:
        taken = jnp.take(x, jnp.asarray(taps.positions.reshape(-1)), axis=axis, mode="clip")
        taken = taken.reshape(*x.shape[:axis], *taps.positions.shape, *x.shape[axis + 1 :])
        return (taken * jnp.asarray(taps.weights).reshape(*taps.weights.shape, *layout[axis + 1 :])).sum(axis)
    total = None
    for positions, weights in zip(taps.positions, taps.weights, strict=True):
        term = _copied(x, axis, positions)
        if (weights != 1).any():
            term = term * jnp.asarray(weights).reshape(layout)
        total = term if total is None else total + term
    assert total is not None
    return total


def _interpolated(
    input: Tensor, sizes: Sequence[int], factors: tuple[float, ...] | None, taps_of: Callable[..., Taps]
) -> Tensor:
    """``input`` with each spatial axis resampled, the last one first; in its own dtype again."""
    x = input if input.dtype == np.uint8 else widen(input)
    for i in reversed(range(len(sizes))):
        size, factor = input.shape[2 + i], None if factors is None else factors[i]
        if input.dtype != np.uint8:
            x = _resampled(x, 2 + i, taps_of(size, sizes[i], factor, np.dtype(x.dtype)))
        elif size != sizes[i]:
            x = _resampled_bytes(x, 2 + i, taps_of(size, sizes[i], factor, np.dtype(np.float64)))
    return x.astype(input.dtype)


def _resampled_bytes(x: Tensor, axis: int, taps: Taps) -> Tensor:
    """Bytes resampled in fixed point and rounded, as image libraries do and PyTorch after them."""
    taps, bits = fixed_point(taps)
    total = _resampled(x.astype(np.int32), axis, taps)
    return jnp.clip((total + (1 << bits >> 1)) >> bits, 0, 255).astype(np.uint8)


_LINEAR = {3: "UpsampleLinear1D", 4: "UpsampleBilinear2D", 5: "UpsampleTrilinear3D"}


def _nearest_node(exact: bool, ndims: tuple[int | None, ...], **_: Any) -> str:
    return f"UpsampleNearest{'Exact' if exact else ''}{(ndims[0] or 2) - 2}DBackward0"


def _linear_node(ndims: tuple[int | None, ...], **_: Any) -> str:
    return f"{_LINEAR.get(ndims[0] or 0, '')}Backward0"


@op(name="interpolate.nearest", saves="nothing", node=_nearest_node)
def interpolate_nearest(
    input: Tensor, output_size: Size | None, scale_factors: tuple[float, ...] | None = None, exact: bool = False
) -> Tensor:
    """The nearest element for each of the result; without ``exact``, the one at or before it."""
    sizes = _output_size(input, output_size, scale_factors)
    if kind_of(input.dtype) != "f" and input.dtype != np.uint8:
        require_dtype(
            input.dtype,
            "f",
            "upsample_nearest2d_channels_last" if input.ndim == 4 else "compute_indices_weights_nearest",
        )
    x = input
    for i, count in enumerate(sizes):
        factor = None if scale_factors is None else scale_factors[i]
        x = _copied(x, 2 + i, nearest_positions(input.shape[2 + i], count, factor, exact))
    return x


@op(name="interpolate.linear", saves="nothing", node=_linear_node)
def interpolate_linear(
    input: Tensor,
    output_size: Size | None,
    align_corners: bool = False,
    scale_factors: tuple[float, ...] | None = None,
) -> Tensor:
    """Linear interpolation along each axis: of bytes in two dimensions alone, in fixed point."""
    sizes = _output_size(input, output_size, scale_factors)
    if input.ndim != 4 or input.dtype != np.uint8:
        kernel = "upsample_bilinear2d_channels_last" if input.ndim == 4 else "compute_indices_weights_linear"
        require_dtype(input.dtype, "f", kernel)

    def taps_of(size: int, count: int, factor: float | None, dtype: Any) -> Taps:
        return linear_taps(size, count, align_corners, factor, dtype)

    return _interpolated(input, sizes, scale_factors, taps_of)


@op(name="interpolate.cubic", saves="nothing", node="UpsampleBicubic2DBackward0")
def interpolate_cubic(
    input: Tensor,
    output_size: Size | None,
    align_corners: bool = False,
    scale_factors: tuple[float, ...] | None = None,
) -> Tensor:
    """Cubic interpolation (``a = -0.75``) of images; of bytes in fixed point."""
    sizes = _output_size(input, output_size, scale_factors)
    if input.dtype != np.uint8:
        require_dtype(input.dtype, "f", "compute_indices_weights_cubic")

    def taps_of(size: int, count: int, factor: float | None, dtype: Any) -> Taps:
        return cubic_taps(size, count, align_corners, factor, dtype)

    return _interpolated(input, sizes, scale_factors, taps_of)


_ANTIALIASED = {"bilinear": "Bilinear", "bicubic": "Bicubic", "lanczos": "Lanczos"}


@op(
    name="interpolate.antialiased",
    saves="nothing",
    node=lambda kernel, **_: f"Upsample{_ANTIALIASED[kernel]}2DAaBackward0",
)
def interpolate_antialiased(
    input: Tensor,
    output_size: Size | None,
    align_corners: bool = False,
    scale_factors: tuple[float, ...] | None = None,
    kernel: str = "bilinear",
) -> Tensor:
    """Images by a kernel that widens where they shrink: ``bilinear``, ``bicubic`` (``a = -0.5``) or ``lanczos``.

    Half types are refused.
    """
    _require_rank(input, (4,))
    sizes = _output_size(input, output_size, scale_factors)
    if input.dtype not in (np.float32, np.float64, np.uint8):
        raise NotImplementedError(f"\"compute_index_ranges_weights\" not implemented for '{scalar_name(input.dtype)}'")

    def taps_of(size: int, count: int, factor: float | None, dtype: Any) -> Taps:
        return antialiased_taps(size, count, align_corners, factor, dtype, kernel)

    return _interpolated(input, sizes, scale_factors, taps_of)
