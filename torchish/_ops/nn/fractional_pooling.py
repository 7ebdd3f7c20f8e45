"""Fractional max pooling: windows of one size whose places follow from random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import normalize_dim
from ..registry import Dims, Tensor, op
from ..scalar_types import is_floating, scalar_name

_AXES = {2: ("height", "width"), 3: ("time", "height", "width")}


def _sizes(value: Any, n: int, argument: str) -> tuple[int, ...]:
    sizes = (value,) * n if isinstance(value, int) else tuple(value)
    if len(sizes) != n:
        word = "" if n == 2 else "three "
        raise RuntimeError(f"fractional_max_pool{n}d: {argument} must either be a single Int or tuple of {word}Ints")
    return sizes


def _check(input: Tensor, samples: Tensor, n: int, kernel: Sequence[int], counts: Sequence[int]) -> None:
    normalize_dim(-n - 1, input.ndim)
    name = f"fractional_max_pool{n}d"
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(input.shape)}")
    for dim in range(input.ndim - n - 1, input.ndim):
        if input.shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got"
                f"{list(input.shape)} with dimension {dim} being empty."
            )
    label = name if n == 2 else f"{name}_out"
    for axis, size, k, count in zip(_AXES[n], input.shape[-n:], kernel, counts, strict=True):
        if count + k - 1 > size - (n == 3):  # of a volume PyTorch wants one element more
            raise RuntimeError(f"{label}(): pool {axis} {k} too large relative to input {axis} {size}")
    if samples.dtype != input.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    batch = input.shape[0] if input.ndim == n + 2 else 1
    if samples.shape[0] < batch:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if samples.shape[1] != input.shape[-n - 1]:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if samples.shape[2] != n:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {n}; got {samples.shape[2]}.")
    if not is_floating(input.dtype):
        raise NotImplementedError(f"\"{name}_out_frame\" not implemented for '{scalar_name(input.dtype)}'")


def _starts(sample: Tensor, size: int, kernel: int, count: int) -> Tensor:
    """Where the windows along one axis begin, ``(planes, count)``, in the dtype in which PyTorch computes it."""
    if count < 2:
        return jnp.full((*sample.shape, count), size - kernel, np.int64)
    step = jnp.asarray(size - kernel, sample.dtype) / jnp.asarray(count - 1, sample.dtype)
    steps = jnp.arange(count - 1).astype(sample.dtype)
    starts = ((sample[:, None] + steps) * step).astype(np.int64) - (sample * step).astype(np.int64)[:, None]
    return jnp.concatenate([starts, jnp.full((sample.shape[0], 1), size - kernel, np.int64)], 1)


def _winner(values: Tensor) -> Tensor:
    """Where along the last axis the first maximum is, or the last NaN."""
    missing = jnp.isnan(values)
    last = values.shape[-1] - 1 - jnp.argmax(missing[..., ::-1], -1, keepdims=True)
    return jnp.where(missing.any(-1, keepdims=True), last, jnp.argmax(values, -1, keepdims=True))


def _pool(input: Tensor, samples: Tensor, n: int, kernel_size: Any, output_size: Any) -> tuple[Tensor, Tensor]:
    kernel, counts = _sizes(kernel_size, n, "kernel_size"), _sizes(output_size, n, "output_size")
    _check(input, samples, n, kernel, counts)
    sizes, lead = input.shape[-n:], input.shape[:-n]
    planes = math.prod(lead)
    chosen = lax.stop_gradient(samples[: input.shape[0] if input.ndim == n + 2 else 1]).reshape(planes, n)
    # PyTorch's two samples of an image are for its width and its height, the three of a volume for time, height, width.
    order = (1, 0) if n == 2 else (0, 1, 2)
    flat = jnp.zeros((planes, *[1] * (2 * n)), np.int64)
    for i, (size, k, count) in enumerate(zip(sizes, kernel, counts, strict=True)):
        reads = _starts(chosen[:, order[i]], size, k, count)[..., None] + np.arange(max(k, 1))
        shape = [1] * (2 * n)
        shape[i], shape[n + i] = count, max(k, 1)
        flat = flat * size + reads.reshape(planes, *shape)
    windows = flat.reshape(planes, math.prod(counts), math.prod(max(k, 1) for k in kernel))
    values = jax.vmap(lambda plane, index: jnp.take(plane, index, mode="clip"))(
        input.reshape(planes, math.prod(sizes)), windows
    )
    winner = _winner(lax.stop_gradient(values))
    best, where = (jnp.take_along_axis(x, winner, -1)[..., 0] for x in (values, windows))
    return best.reshape(*lead, *counts), where.reshape(*lead, *counts)


@op(name="fractional_max_pool2d.indices", differentiable=(0,), node="FractionalMaxPool2DBackward0")
def fractional_max_pool2d_indices(
    input: Tensor, samples: Tensor, kernel_size: Dims, output_size: Dims
) -> tuple[Tensor, Tensor]:
    """The maxima of windows of images and their positions (int64); ``samples`` is ``(batch, channels, 2)``."""
    return _pool(input, samples, 2, kernel_size, output_size)


@op(name="fractional_max_pool3d.indices", differentiable=(0,), node="FractionalMaxPool3DBackward0")
def fractional_max_pool3d_indices(
    input: Tensor, samples: Tensor, kernel_size: Dims, output_size: Dims
) -> tuple[Tensor, Tensor]:
    """The maxima of windows of volumes and their positions (int64); ``samples`` is ``(batch, channels, 3)``."""
    return _pool(input, samples, 3, kernel_size, output_size)
