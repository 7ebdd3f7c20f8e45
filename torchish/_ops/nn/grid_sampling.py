"""Reading an image or a volume at the points of a grid, and the grids of affine maps.

Points are ``(x, y)`` or ``(x, y, z)`` with -1 and 1 at the borders: at the corner elements' centres with
``align_corners``, else at their edges. Half types are computed in float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import normalize_dim, widen
from ..elementwise.casting import convert
from ..kernel_dtypes import require_dtype
from ..registry import Size, Tensor, op
from ..scalar_types import is_floating, scalar_name

# What PyTorch's numbers for the modes mean.
_BILINEAR, _NEAREST, _BICUBIC = range(3)
_ZEROS, _BORDER, _REFLECTION = range(3)


def _position(coordinate: Tensor, size: int, align_corners: bool) -> Tensor:
    """A coordinate in elements."""
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)
    return ((coordinate + 1) * size - 1) / 2


def _clipped(position: Tensor, size: int) -> Tensor:
    """Within the borders; there and beyond the derivative is 0. NaN becomes 0."""
    zero = jnp.zeros((), position.dtype)
    last = jnp.asarray(size - 1, position.dtype)
    return jnp.where(position > 0, jnp.where(position < last, position, last), zero)


def _reflected(position: Tensor, size: int, align_corners: bool) -> Tensor:
    """Reflected at the borders as often as it takes; the derivative changes its sign each time."""
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return jnp.zeros_like(position)
    distance = position - low
    distance = jnp.where(distance < 0, -distance, distance)
    flips = lax.stop_gradient(jnp.floor(distance / span))
    rest = distance - flips * span
    return jnp.where(flips % 2 == 0, rest + low, span - rest + low)


def _padded(position: Tensor, size: int, padding_mode: int, align_corners: bool) -> Tensor:
    if padding_mode == _BORDER:
        return _clipped(position, size)
    if padding_mode == _REFLECTION:
        return _clipped(_reflected(position, size, align_corners), size)
    return position


def _read(rows: Tensor, sizes: Sequence[int], taps: Sequence[Tensor]) -> Tensor:
    """The elements at whole positions, zero where there are none: ``(batch, points, taps..., channels)``.

    ``rows`` holds the input as ``(batch, elements, channels)``; ``taps`` the positions along each axis, as floats,
    ``(batch, points, taps)``: every combination of them is read.
    """
    n = len(sizes)
    inside, flat = jnp.asarray(True), jnp.asarray(0, np.int32 if rows.shape[1] < 2**31 else np.int64)
    for i, (tap, size) in enumerate(zip(taps, sizes, strict=True)):
        there = (tap >= 0) & (tap <= size - 1)
        whole = jnp.where(there, tap, 0).astype(flat.dtype)
        inside = inside & _laid_along(there, i, n)
        flat = flat * size + _laid_along(whole, i, n)
    found = jax.vmap(lambda table, index: jnp.take(table, index, axis=0, mode="clip"))(rows, flat)
    return jnp.where(inside[..., None], found, 0)


def _laid_along(x: Tensor, i: int, n: int) -> Tensor:
    """``(batch, points, taps)`` with the taps along the ``i``-th of ``n`` axes."""
    return x.reshape(*x.shape[:2], *[x.shape[2] if j == i else 1 for j in range(n)])


def _weighted(values: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """The sum over all taps, each weighted by the product of its weights along the axes."""
    n = len(weights)
    total = _laid_along(weights[0], 0, n)
    for i in range(1, n):
        total = total * _laid_along(weights[i], i, n)
    return (values * total[..., None]).sum(tuple(range(2, 2 + n)))


def _taps(position: Tensor, offsets: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The whole positions at ``offsets`` from the one at or before ``position``, and how far it is from that one."""
    floor = lax.stop_gradient(jnp.floor(position))
    return floor[..., None] + np.asarray(offsets, position.dtype), position - floor


def _linear_sample(rows: Tensor, sizes: Sequence[int], at: Sequence[Tensor]) -> Tensor:
    if len(sizes) == 3:  # a point that is NaN or infinite reads zeros in a volume, NaN in an image
        at = [jnp.where(jnp.isfinite(p), p, -2) for p in at]
    places, shares = zip(*(_taps(p, (0, 1)) for p in at), strict=True)
    return _weighted(_read(rows, sizes, places), [jnp.stack([1 - share, share], -1) for share in shares])


def _nearest_sample(rows: Tensor, sizes: Sequence[int], at: Sequence[Tensor]) -> Tensor:
    return _read(rows, sizes, [jnp.round(p)[..., None] for p in at]).reshape(*at[0].shape, rows.shape[-1])


def _cubic_weights(share: Tensor) -> Tensor:
    """Keys' kernel with ``a = -0.75`` at distances ``1 + share``, ``share``, ``1 - share`` and ``2 - share``."""
    a = -0.75

    def near(x: Tensor) -> Tensor:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Tensor) -> Tensor:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return jnp.stack([far(share + 1), near(share), near(1 - share), far(2 - share)], -1)


def _cubic_sample(
    rows: Tensor, sizes: Sequence[int], at: Sequence[Tensor], padding_mode: int, align_corners: bool
) -> Tensor:
    places, shares = zip(*(_taps(p, (-1, 0, 1, 2)) for p in at), strict=True)
    padded = [_padded(p, size, padding_mode, align_corners) for p, size in zip(places, sizes, strict=True)]
    return _weighted(_read(rows, sizes, padded), [_cubic_weights(share) for share in shares])


def _check(input: Tensor, grid: Tensor, n: int) -> None:
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, "
            f"but got grid with sizes {list(grid.shape)}"
        )
    for dim in range(2, input.ndim):
        if input.shape[dim] == 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {dim} being empty"
            )
    if input.ndim != n + 2 or grid.ndim != input.ndim:
        raise RuntimeError(
            f"grid_sampler(): expected {n + 2}D input and grid with same number of dimensions, but got input with "
            f"sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
        )


def _sample(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool, n: int
) -> Tensor:
    _check(input, grid, n)
    if n == 3 and interpolation_mode == _BICUBIC:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    require_dtype(input.dtype, "f", "grid_sampler_2d_cpu_kernel_impl" if n == 2 else "grid_sampler3d_cpu")
    if grid.dtype != input.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(grid.dtype)}")
    sizes = input.shape[2:]
    batch, channels, points = input.shape[0], input.shape[1], grid.shape[1:-1]
    rows = widen(input).reshape(batch, channels, int(np.prod(sizes))).swapaxes(1, 2)
    flat = widen(grid).reshape(batch, int(np.prod(points)), n)
    # The grid's last axis goes from the last spatial axis to the first.
    at = [_position(flat[..., n - 1 - i], size, align_corners) for i, size in enumerate(sizes)]
    if interpolation_mode == _BICUBIC:
        result = _cubic_sample(rows, sizes, at, padding_mode, align_corners)
    else:
        at = [_padded(p, size, padding_mode, align_corners) for p, size in zip(at, sizes, strict=True)]
        sample = _linear_sample if interpolation_mode == _BILINEAR else _nearest_sample
        result = sample(rows, sizes, at)
    return result.swapaxes(1, 2).reshape(batch, channels, *points).astype(input.dtype)


@op(namespaces=("torch",), node="GridSampler2DBackward0", grad_node="GridSampler2DBackwardBackward0")
def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Images ``(N, C, H, W)`` at the points ``(N, h, w, 2)`` of a grid: ``(N, C, h, w)``.

    ``interpolation_mode`` is 0 for bilinear, 1 for nearest, 2 for bicubic; ``padding_mode`` 0 for zeros outside,
    1 for the border's elements, 2 for reflection.
    """
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners, 2)


@op(namespaces=("torch",), node="GridSampler3DBackward0", grad_node="GridSampler3DBackwardBackward0")
def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Volumes ``(N, C, D, H, W)`` at the points ``(N, d, h, w, 3)`` of a grid, as ``grid_sampler_2d`` without bicubic."""
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners, 3)


def _line(count: int, align_corners: bool) -> np.ndarray:
    """``count`` coordinates from border to border."""
    if count <= 1:
        return np.zeros(count)
    line = np.linspace(-1.0, 1.0, count)
    return line if align_corners else line * (count - 1) / count


@op(namespaces=("torch",), grad_node="AffineGridGeneratorBackward0")
def affine_grid_generator(theta: Tensor, size: Size, align_corners: bool) -> Tensor:
    """The points of a grid of the spatial sizes in ``size`` after the affine maps ``theta``, ``(N, n, n + 1)``."""
    if len(size) not in (4, 5):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    n = len(size) - 2
    normalize_dim(2, theta.ndim)
    if theta.shape[0] != size[0] or theta.shape[2] != n + 1:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{size[0]}, {n + 1}] but got: "
            f"[{theta.shape[0]}, {theta.shape[2]}]."
        )
    spatial = size[2:]
    lines = [_line(count, align_corners) for count in spatial]
    mesh = np.meshgrid(*lines, indexing="ij")[::-1]
    base = np.stack([*mesh, np.ones(spatial)], -1).reshape(-1, n + 1)
    points = convert(jnp.asarray(base), theta.dtype)
    precision = lax.Precision.HIGHEST if is_floating(theta.dtype) else None
    made = jnp.einsum("pk,nrk->npr", widen(points), widen(theta), precision=precision)
    return made.astype(theta.dtype).reshape(size[0], *spatial, theta.shape[1])
