"""``unfold`` and ``fold``: an image's patches as columns, and back; ``max_unpool`` and ``lp_pool``.

``fold`` is the transpose of ``unfold``, and is computed as that: overlapping elements add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import normalize_dim, widen
from ..kernel_dtypes import require_dtype
from ..registry import Dims, Size, Tensor, check_of, op
from ..scalar_types import is_inexact, scalar_name
from .conv import output_sizes, patches
from .pooling import avg_pool1d, avg_pool2d, avg_pool3d, refuse_average


def _pair(value: Any, name: str) -> tuple[int, int]:
    values = (value,) * 2 if isinstance(value, int) else tuple(value)
    if len(values) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(values)}")
    return values


def _parameters(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, tuple[int, int]]:
    found = {
        "kernel_size": _pair(kernel_size, "kernel_size"),
        "dilation": _pair(dilation, "dilation"),
        "padding": _pair(padding, "padding"),
        "stride": _pair(stride, "stride"),
    }
    for name, short in (("kernel_size", "kernel"), ("stride", "stride"), ("dilation", "dilation")):
        height, width = found[name]
        if height <= 0 or width <= 0:
            raise RuntimeError(
                f"{name.replace('_', ' ')} should be greater than zero, "
                f"but got {short}_height: {height} {short}_width: {width}"
            )
    height, width = found["padding"]
    if height < 0 or width < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {height} pad_width: {width}")
    return found


def _columns(image: Tensor, given: dict[str, tuple[int, int]]) -> Tensor:
    """``(batch, channels, height, width)`` as ``(batch, channels * kernel, positions)``."""
    pads = tuple((p, p) for p in given["padding"])
    taken = patches(image, given["kernel_size"], given["stride"], given["dilation"], pads)
    stacked = jnp.stack(taken, 2)
    positions = stacked.shape[3] * stacked.shape[4]
    return stacked.reshape(image.shape[0], image.shape[1] * len(taken), positions)


def _block_counts(sizes: Sequence[int], given: dict[str, tuple[int, int]]) -> list[int]:
    padded = [m + 2 * p for m, p in zip(sizes, given["padding"], strict=True)]
    return output_sizes(padded, given["kernel_size"], given["stride"], given["dilation"])


@op(namespaces=("nn.functional",), node="Im2ColBackward0", grad_node="Col2ImBackward0")
def unfold(input: Tensor, kernel_size: Dims, dilation: Dims = 1, padding: Dims = 0, stride: Dims = 1) -> Tensor:
    """The patches of ``(batch, channels, height, width)`` as columns ``(batch, channels * kernel, positions)``.

    The batch may be absent.
    """
    given = _parameters(kernel_size, dilation, padding, stride)
    if input.ndim < 3:
        normalize_dim(input.ndim, input.ndim)
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input.shape)}"
        )
    counts = _block_counts(input.shape[-2:], given)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(input.shape[-2:])}, kernel_size={given['kernel_size']}, "
            f"dilation={given['dilation']}, padding={given['padding']}, calculated shape of the array of sliding blocks "
            f"as {tuple(counts)}, but its components must be at least one."
        )
    require_dtype(input.dtype, "bfc", "im2col_out_cpu")
    columns = _columns(input if input.ndim == 4 else input[None], given)
    return columns if input.ndim == 4 else columns[0]


@op(namespaces=("nn.functional",), node="Col2ImBackward0", grad_node="Im2ColBackward0")
def fold(
    input: Tensor, output_size: Dims, kernel_size: Dims, dilation: Dims = 1, padding: Dims = 0, stride: Dims = 1
) -> Tensor:
    """Columns ``(batch, channels * kernel, positions)`` added up into ``(batch, channels, *output_size)``."""
    size = _pair(output_size, "output_size")
    given = _parameters(kernel_size, dilation, padding, stride)
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    _check_blocks(input, size, given)
    require_dtype(input.dtype, "bfc", "col2im_out_cpu")
    x = input if input.ndim == 3 else input[None]
    channels = x.shape[1] // int(np.prod(given["kernel_size"]))
    image = jax.ShapeDtypeStruct((x.shape[0], channels, *size), x.dtype)
    (folded,) = jax.linear_transpose(lambda y: _columns(y, given), image)(x)
    return folded if input.ndim == 3 else folded[0]


def _check_blocks(input: Tensor, size: tuple[int, int], given: dict[str, tuple[int, int]]) -> None:
    rows, positions = input.shape[-2:]
    kernel = given["kernel_size"]
    if rows % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={rows} and kernel_size={kernel}."
        )
    high, wide = _block_counts(size, given)
    if high * wide != positions or min(high, wide) < 1:
        parameters = ", ".join(f"{name}={given[name]}" for name in ("kernel_size", "dilation", "padding", "stride"))
        raise RuntimeError(
            f"Given output_size={size}, {parameters}, expected size of input's dimension 2 to match the calculated "
            f"number of sliding blocks {high} * {wide} = {high * wide}, but got input.size(2)={positions}."
        )


@jax.custom_jvp
def _placed(values: Tensor, indices: Tensor, background: Tensor) -> Tensor:
    """``background`` ``(rows, n)`` with the values of each row at its indices."""
    rows = jnp.arange(values.shape[0])[:, None]
    return background.at[rows, indices].set(values, mode="drop")


@_placed.defjvp
def _(primals, tangents):
    """Every value has the gradient of its place, also where two have the same: PyTorch gathers."""
    values, indices, background = primals
    rows = jnp.arange(values.shape[0])[:, None]
    tangent = jnp.zeros_like(background).at[rows, indices].add(tangents[0], mode="drop")
    return _placed(values, indices, background), tangent


def _unpooled_sizes(n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any) -> list[int]:
    """The sizes that a pooling with these parameters may have started from."""
    kernel, strides, pads = (
        (v,) * n if isinstance(v, int) else tuple(v)
        for v in (kernel_size, kernel_size if stride is None else stride, padding)
    )
    rows = zip(input.shape[-n:], kernel, strides, pads, strict=True)
    default = [(m - 1) * s + k - 2 * p for m, k, s, p in rows]
    if output_size is None:
        return default
    sizes = list(output_size)
    if len(sizes) == n + 2:
        sizes = sizes[2:]
    if len(sizes) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, "
            f"but it has a length of '{len(sizes)}'"
        )
    for d in range(n):
        low, high = default[d] - strides[d], default[d] + strides[d]
        if not low < sizes[d] < high:
            shown = tuple(sizes)
            raise ValueError(f'invalid output_size "{shown}" (dim {d} must be between {low} and {high})')
    return sizes


def _max_unpool(
    n: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    sizes = _unpooled_sizes(n, input, kernel_size, stride, padding, output_size)
    kernel_dims = max(n, 2)
    shown = input.ndim + (n == 1)
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Input to max_unpooling{kernel_dims}d should be a {kernel_dims + 1}d or {kernel_dims + 2}d Tensor, "
            f"but got a tensor with {shown} dimensions."
        )
    require_dtype(input.dtype, "f", f"max_unpool{kernel_dims}d")
    if indices.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {scalar_name(indices.dtype)}")
    if indices.shape != input.shape:
        # PyTorch unpools one dimension as two, of which the second has size 1.
        wanted, got = ([*x.shape, *([1] if n == 1 else [])] for x in (input, indices))
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({wanted}) "
            f"but got indices tensor with shape: {got}"
        )
    for d in range(input.ndim - n - 1, input.ndim):
        if input.shape[d] == 0:
            raise RuntimeError(
                f"max_unpooling{kernel_dims}d_forward_out_cpu(): Expected input to have non-zero size for non-batch "
                f"dimensions, but got {list(input.shape)} with dimension {d} being empty."
            )
    lead = input.shape[:-n]
    rows = int(np.prod(lead))
    background = jnp.zeros((rows, int(np.prod(sizes))), input.dtype)
    taken = int(np.prod(input.shape[-n:]))
    placed = _placed(input.reshape(rows, taken), indices.reshape(rows, taken), background)
    return placed.reshape(*lead, *sizes)


def _unpool_error(n: int) -> Any:
    def error(witness: int, input: Any, **given: Any) -> Exception:
        names = ("kernel_size", "stride", "padding", "output_size")
        sizes = _unpooled_sizes(n, input, *(given[name] for name in names))
        volume = "x".join(map(str, [*sizes, 1] if n == 1 else sizes))
        return RuntimeError(f"Found an invalid max index: {witness} (output volumes are of size {volume})")

    return error


def _bad_index(n: int) -> Any:
    def check(
        input: Tensor,
        indices: Tensor,
        kernel_size: Dims,
        stride: Dims = None,
        padding: Dims = 0,
        output_size: Size | None = None,
    ) -> tuple[Tensor, Tensor]:
        volume = int(np.prod(_unpooled_sizes(n, input, kernel_size, stride, padding, output_size)))
        flat = indices.reshape(-1)
        if flat.size == 0:
            return jnp.zeros((), bool), jnp.zeros((), np.int64)
        bad = (flat < 0) | (flat >= volume)
        return bad.any(), flat[jnp.argmax(bad)]

    return check


@op(namespaces=("nn.functional",), node="SqueezeBackward1", grad_node="SqueezeBackward1")
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    output_size: Size | None = None,
) -> Tensor:
    """The partial inverse of ``max_pool1d``: maxima back at their ``indices``, zeros elsewhere.

    ``output_size`` says which of the lengths that pool to the input's is wanted.
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


@op(namespaces=("nn.functional",), node="MaxUnpool2DBackward0", grad_node="ViewBackward0")
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    output_size: Size | None = None,
) -> Tensor:
    """``max_unpool1d`` over the last two dimensions."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


@op(namespaces=("nn.functional",), node="MaxUnpool3DBackward0", grad_node="ViewBackward0")
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    output_size: Size | None = None,
) -> Tensor:
    """``max_unpool1d`` over the last three dimensions."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


for _n, _op in enumerate((max_unpool1d, max_unpool2d, max_unpool3d), 1):
    check_of(_op, _unpool_error(_n))(_bad_index(_n))


def _lp_pool(n: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    p = int(norm_type) if float(norm_type).is_integer() else norm_type
    if is_inexact(input.dtype):  # before half types are widened
        refuse_average(input.dtype, n)
    x = widen(input)
    powers = lax.integer_pow(x, p) if isinstance(p, int) else x ** jnp.asarray(p, x.dtype)
    average = (avg_pool1d, avg_pool2d, avg_pool3d)[n - 1](powers, kernel_size, stride, 0, ceil_mode)
    kernel = (kernel_size,) * n if isinstance(kernel_size, int) else tuple(kernel_size)
    # A sum of exactly 0 is cut off from the gradient, which would be infinite there.
    total = jnp.where(average == 0, jnp.zeros((), x.dtype), average) * int(np.prod(kernel))
    return (total ** jnp.asarray(1 / norm_type, x.dtype)).astype(input.dtype)


@op(namespaces=("nn.functional",), node="PowBackward0", grad_node="MulBackward0")
def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Dims, stride: Dims = None, ceil_mode: bool = False
) -> Tensor:
    """The ``norm_type``-norm of each window of the last dimension."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


@op(namespaces=("nn.functional",), node="PowBackward0", grad_node="MulBackward0")
def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Dims, stride: Dims = None, ceil_mode: bool = False
) -> Tensor:
    """``lp_pool1d`` over the last two dimensions."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


@op(namespaces=("nn.functional",), node="PowBackward0", grad_node="MulBackward0")
def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Dims, stride: Dims = None, ceil_mode: bool = False
) -> Tensor:
    """``lp_pool1d`` over the last three dimensions."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
