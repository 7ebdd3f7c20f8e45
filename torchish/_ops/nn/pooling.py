"""Pooling: the maximum, average or p-norm of sliding and of adaptive windows.

The last one, two or three dimensions are spatial; those before (channels, and the batch where there is one) are
left alone. ``windows.py`` does the work, axis by axis; here are parameters, refusals and PyTorch's conventions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..kernel_dtypes import require_dtype
from ..out_rules import UNCHECKED, UNCHECKED_EXPANDED
from ..reductions.reduction import require_mean_dtype
from ..registry import Dims, Tensor, op
from ..scalar_types import is_inexact, is_integral
from .windows import (
    Window,
    adaptive_bounds,
    adaptive_positions,
    adaptive_window,
    max_at,
    max_over,
    sum_at,
    sum_over,
    window_count,
)

_WORDS = {1: "one", 2: "two", 3: "three"}


def _ints(value: Any, n: int, name: str, argument: str) -> tuple[int, ...]:
    """An int, or a tuple of one or ``n`` ints, as ``n`` ints."""
    values = (value,) if isinstance(value, int) else tuple(value)
    if len(values) == 1:
        return values * n
    if len(values) != n:
        if n == 1 and name == "max_pool1d":
            raise RuntimeError(
                f"max_pool1d() {argument} must be an int, list of ints or tuple of ints of size 1 "
                f"but got size {len(values)}"
            )
        if n == 1:
            raise RuntimeError(f"{name}() argument '{argument}' should contain one int (got {len(values)})")
        either = "omitted, a single int" if argument == "stride" else "a single int"
        verb = "be either" if argument == "dilation" else "either be"
        raise RuntimeError(f"{name}: {argument} must {verb} {either}, or a tuple of {_WORDS[n]} ints")
    return values


def _windows(
    input: Tensor, n: int, name: str, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> list[Window]:
    """The windows along each spatial axis, after PyTorch's checks of parameters and shapes."""
    kernel = _ints(kernel_size, n, name, "kernel_size")
    strides = kernel if stride is None or stride == () else _ints(stride, n, name, "stride")
    pads = _ints(padding, n, name, "padding")
    dilations = _ints(dilation, n, name, "dilation")
    if name == "max_pool1d":
        _check_max_pool1d(input, kernel[0], strides[0], pads[0], dilations[0])
    else:
        _check_parameters(input, n, name, kernel, strides, pads, dilations)
    rows = zip(input.shape[-n:], kernel, strides, pads, dilations, strict=True)
    counts = [window_count(m, k, s, p, d, ceil_mode) for m, k, s, p, d in rows]
    _check_counts(input, n, name, kernel, counts)
    return [Window(*w) for w in zip(kernel, strides, pads, dilations, counts, strict=True)]


def _check_max_pool1d(input: Tensor, kernel: int, stride: int, padding: int, dilation: int) -> None:
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, "
            f"but got:{list(input.shape)}"
        )
    for argument, value in (("kernel_size", kernel), ("stride", stride)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {argument} must be greater than zero, but got {value}")
    if padding < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {padding}")
    if padding > kernel // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={padding} "
            f"and kernel_size={kernel}"
        )
    if dilation <= 0:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {dilation}")
    require_dtype(input.dtype, "f", "max_pool1d_impl")


def _check_parameters(input: Tensor, n: int, name: str, kernel: Any, strides: Any, pads: Any, dilations: Any) -> None:
    if n == 1 and input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {name.removesuffix('_with_indices')})"
        )
    if n > 1 and input.ndim not in (n + 1, n + 2):
        if name == "avg_pool2d" and input.ndim < 3:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but got -3)"
            )
        raise RuntimeError(f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input")
    if 0 in strides:
        raise RuntimeError("stride should not be zero")
    for k, p, d in zip(kernel, pads, dilations, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, "
                f"but got pad={p}, kernel_size={k} and dilation={d}"
            )
    letters = "THW"[-max(n, 2) :]
    for label, values in (("kernel size", kernel), ("stride", strides), ("dilation", dilations)):
        if min(values) <= 0:
            short = {"kernel size": "k", "stride": "d", "dilation": "dilation"}[label]
            padded = ((1,) * 2 + tuple(values))[-len(letters) :]
            shown = " ".join(f"{short}{c}: {v}" for c, v in zip(letters, padded, strict=True))
            raise RuntimeError(f"{label} should be greater than zero, but got {shown}")
    if n == 3 and 0 in input.shape[-4:]:
        raise RuntimeError(
            f"{name}_with_indices_out_cpu_template(): Expected input's non-batch dimensions to have positive length, "
            f"but input has a shape of {list(input.shape)} and non-batch dimension 0 has length zero!"
        )
    if n < 3 and 0 in input.shape[-n - 1 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, "
            f"but got:{list(input.shape)}"
        )


def _check_counts(input: Tensor, n: int, name: str, kernel: Sequence[int], counts: Sequence[int]) -> None:
    if min(counts) >= 1:
        return
    if name == "max_pool1d":
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {counts[0]}")
    if name == "avg_pool3d":
        sizes = " ".join(f"{c}: {v}" for c, v in zip("THW", input.shape[-3:], strict=True))
        shown = " ".join(f"k{c}: {v}" for c, v in zip("THW", kernel, strict=True))
        raise RuntimeError(f"input image ({sizes}) smaller than kernel size ({shown})")
    filler = (1,) if n == 1 else ()
    given = (input.shape[-n - 1], *filler, *input.shape[-n:])
    computed = (input.shape[-n - 1], *filler, *counts)
    raise RuntimeError(
        f"Given input size: ({'x'.join(map(str, given))}). Calculated output size: "
        f"({'x'.join(map(str, computed))}). Output size is too small"
    )


def _max(input: Tensor, windows: list[Window]) -> tuple[Tensor, Tensor]:
    """The maxima, and where in the flattened spatial dimensions each comes from."""
    n = len(windows)
    best, positions = input, []  # type: ignore[var-annotated]
    for axis in reversed(range(n)):
        best, positions = max_over(best, positions, input.ndim - n + axis, windows[axis])
    return best, _flat(positions, input.shape[-n:])


def _flat(positions: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    flat = positions[0].astype(np.int64)
    for position, size in zip(positions[1:], sizes[1:], strict=True):
        flat = flat * size + position
    return flat


def _max_pool(
    n: int, name: str, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Tensor, Tensor]:
    windows = _windows(input, n, name, kernel_size, stride, padding, dilation, ceil_mode)
    require_dtype(input.dtype, "if", f"max_pool{max(n, 2)}d")
    return _max(input, windows)


@op(saves="operands", namespaces=("torch",), node="SqueezeBackward1", grad_node="SqueezeBackward1")
def max_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The maximum of each window of the last dimension of ``(batch, channels, length)``; the batch may be absent.

    The stride is the window's size unless given. The padding is minus infinity. A NaN wins, and the gradient goes
    to the first of equal maxima.
    """
    return _max_pool(1, "max_pool1d", input, kernel_size, stride, padding, dilation, ceil_mode)[0]


@op(saves="operands", namespaces=("torch",), node="MaxPool2DWithIndicesBackward0")
def max_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """``max_pool1d`` over the last two dimensions."""
    return _max_pool(2, "max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)[0]


@op(saves="operands", namespaces=("torch",), node="MaxPool3DWithIndicesBackward0")
def max_pool3d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """``max_pool1d`` over the last three dimensions."""
    return _max_pool(3, "max_pool3d", input, kernel_size, stride, padding, dilation, ceil_mode)[0]


@op(saves="operands", namespaces=("torch",), node="SqueezeBackward1", grad_node="SqueezeBackward1")
def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool1d``, and the position (int64) of each maximum in the last dimension."""
    return _max_pool(1, "max_pool1d_with_indices", input, kernel_size, stride, padding, dilation, ceil_mode)


@op(saves="operands", namespaces=(), node="MaxPool2DWithIndicesBackward0")
def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool2d``, and the position (int64) of each maximum in the flattened last two dimensions."""
    return _max_pool(2, "max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)


@op(saves="operands", namespaces=(), node="MaxPool3DWithIndicesBackward0")
def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool3d``, and the position (int64) of each maximum in the flattened last three dimensions."""
    return _max_pool(3, "max_pool3d", input, kernel_size, stride, padding, dilation, ceil_mode)


def _accumulated(input: Tensor) -> Tensor:
    """Half types as float32, in which they are summed."""
    return input.astype(np.float32) if input.dtype.itemsize == 2 and is_inexact(input.dtype) else input


def _divisors(windows: list[Window], sizes: Sequence[int], count_include_pad: bool) -> np.ndarray:
    """How many elements each window has: those in the input, with ``count_include_pad`` those in the padding too.

    What a last window has beyond the padding (``ceil_mode``) never counts.
    """
    total = np.ones((1,) * len(windows), np.int64)
    for axis, (w, size) in enumerate(zip(windows, sizes, strict=True)):
        starts = np.arange(w.count) * w.stride - w.padding
        ends = np.minimum(starts + w.size, size + w.padding)
        if not count_include_pad:
            starts, ends = starts.clip(0), ends.clip(max=size)
        shape = [1] * len(windows)
        shape[axis] = w.count
        total = total * (ends - starts).reshape(shape)
    return total


def refuse_average(dtype: np.dtype, n: int) -> None:
    """Refuse the dtypes that PyTorch's averages over windows of ``n`` dimensions do not take."""
    if n == 3:
        require_dtype(dtype, "ld", "avg_pool3d_out_frame")
    else:
        require_dtype(dtype, "lf", "avg_pool2d")


def _avg_pool(
    n: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    windows = _windows(input, n, f"avg_pool{n}d", kernel_size, stride, padding, 1, ceil_mode)
    refuse_average(input.dtype, n)
    total = _accumulated(input)
    for axis, window in enumerate(windows):
        total = sum_over(total, input.ndim - n + axis, window)
    divisors = _divisors(windows, input.shape[-n:], count_include_pad)
    if divisor_override is not None:
        divisors = np.full((1,) * n, divisor_override)
    elif (divisors == divisors.flat[0]).all():
        divisors = divisors[(slice(0, 1),) * n]
    divisor = jnp.asarray(divisors, total.dtype)
    if is_integral(input.dtype):
        return lax.div(total, jnp.broadcast_to(divisor, total.shape))
    return (total / divisor).astype(input.dtype)


@op(saves="operands", namespaces=("torch", "nn.functional"), node="SqueezeBackward1", grad_node="SqueezeBackward1")
def avg_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window of the last dimension; the zeros of the padding count unless told otherwise."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@op(out=UNCHECKED, saves="operands", namespaces=("nn.functional",), node="AvgPool2DBackward0")
def avg_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """``avg_pool1d`` over the last two dimensions; ``divisor_override`` replaces the number of elements."""
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@op(out=UNCHECKED_EXPANDED, saves="operands", namespaces=("nn.functional",), node="AvgPool3DBackward0")
def avg_pool3d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """``avg_pool2d`` over the last three dimensions."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _adaptive_counts(input: Tensor, output_size: Any, n: int, name: str) -> list[int]:
    """How many windows each spatial axis gets; None keeps an axis as it is."""
    average = name.startswith("adaptive_avg")
    sizes = (output_size,) * n if isinstance(output_size, int) or output_size is None else tuple(output_size)
    if n == 1 and len(sizes) != 1:
        raise RuntimeError(f"{name}() argument 'output_size' should contain one int (got {len(sizes)})")
    if n > 1 and isinstance(output_size, tuple) and input.ndim <= len(sizes):
        raise ValueError(f"Input dimension should be at least {len(sizes) + 1}")
    if len(sizes) != n:
        text = ": output_size" if average else "(): internal error: output_size.size()"
        raise RuntimeError(f"{name}{text} must be {n}")
    if n == 1 and input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {name})"
        )
    if n > 1 and input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(input.shape)}")
    counts = [size if size is not None else m for size, m in zip(sizes, input.shape[-n:], strict=True)]
    _check_adaptive(input, counts, n, name, average)
    return counts


def _check_adaptive(input: Tensor, counts: list[int], n: int, name: str, average: bool) -> None:
    if min(counts) < 0:
        if average:
            shown = {1: "1, {}", 2: "{}, {}", 3: "{}, {},{}"}[n].format(*counts)
            raise RuntimeError(
                f"adaptive_avg_pool{max(n, 2)}d: elements of output_size must be greater than or equal to 0 "
                f"but received {{{shown}}}"
            )
        shape = [*input.shape[:-n], *([1] if n == 1 else []), *counts]
        shown = next(c for c in counts if c < 0)  # type: ignore[assignment]
        raise RuntimeError(f"Trying to create tensor with negative dimension {shown}: {shape}")
    for dim in range(input.ndim - n, input.ndim):
        if input.shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, "
                f"but input has sizes {list(input.shape)} with dimension {dim} being empty"
            )
    if average and all(count == 1 for count in counts):
        require_mean_dtype(input.dtype)
    else:
        kernel = f"adaptive_{'avg' if average else 'max'}_pool"
        require_dtype(input.dtype, "f", f"{kernel}3d_cpu" if n == 3 else f"{kernel}2d")


def _adaptive_avg(n: int, input: Tensor, output_size: Any) -> Tensor:
    counts = _adaptive_counts(input, output_size, n, f"adaptive_avg_pool{n}d")
    x = _accumulated(input)
    for i, count in enumerate(counts):
        axis = input.ndim - n + i
        length = input.shape[axis]
        window = adaptive_window(length, count)
        x = sum_over(x, axis, window) if window else sum_at(x, axis, *adaptive_positions(length, count))
        starts, ends = adaptive_bounds(length, count)
        sizes = jnp.asarray(ends - starts, x.dtype)
        x = x / sizes.reshape([-1 if d == axis else 1 for d in range(x.ndim)])
    return x.astype(input.dtype)


def _adaptive_avg_node(n: int) -> Any:
    def name(output_size: Any, **_: Any) -> str:
        sizes = output_size if isinstance(output_size, tuple) else (output_size,)
        return "MeanBackward1" if all(s == 1 for s in sizes) else f"AdaptiveAvgPool{n}DBackward0"

    return name


@op(saves="operands", namespaces=("torch", "nn.functional"), node="SqueezeBackward1", grad_node="SqueezeBackward1")
def adaptive_avg_pool1d(input: Tensor, output_size: Dims) -> Tensor:
    """The averages of ``output_size`` windows that cover the last dimension evenly, overlapping where they must."""
    return _adaptive_avg(1, input, output_size)


@op(saves="operands", namespaces=("nn.functional",), node=_adaptive_avg_node(2))
def adaptive_avg_pool2d(input: Tensor, output_size: Dims) -> Tensor:
    """``adaptive_avg_pool1d`` over the last two dimensions; None in ``output_size`` keeps a dimension."""
    return _adaptive_avg(2, input, output_size)


@op(saves="operands", namespaces=("nn.functional",), node=_adaptive_avg_node(3))
def adaptive_avg_pool3d(input: Tensor, output_size: Dims) -> Tensor:
    """``adaptive_avg_pool2d`` over the last three dimensions."""
    return _adaptive_avg(3, input, output_size)


def _adaptive_max(n: int, input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    counts = _adaptive_counts(input, output_size, n, f"adaptive_max_pool{n}d")
    best, positions = input, []  # type: ignore[var-annotated]
    for i in reversed(range(n)):
        axis = input.ndim - n + i
        length = input.shape[axis]
        window = adaptive_window(length, counts[i])
        if window:
            best, positions = max_over(best, positions, axis, window)
        else:
            best, positions = max_at(best, positions, axis, *adaptive_positions(length, counts[i]))
    return best, _flat(positions, input.shape[-n:])


@op(name="adaptive_max_pool1d.indices", saves="operands", node="SqueezeBackward1", grad_node="SqueezeBackward1")
def adaptive_max_pool1d_indices(input: Tensor, output_size: Dims) -> tuple[Tensor, Tensor]:
    """The maxima of ``output_size`` windows that cover the last dimension evenly, and their positions (int64)."""
    return _adaptive_max(1, input, output_size)


@op(name="adaptive_max_pool2d.indices", saves="operands", node="AdaptiveMaxPool2DBackward0")
def adaptive_max_pool2d_indices(input: Tensor, output_size: Dims) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool1d`` over the last two dimensions, positions counted in the flattened two."""
    return _adaptive_max(2, input, output_size)


@op(name="adaptive_max_pool3d.indices", saves="operands", node="AdaptiveMaxPool3DBackward0")
def adaptive_max_pool3d_indices(input: Tensor, output_size: Dims) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool2d`` over the last three dimensions."""
    return _adaptive_max(3, input, output_size)
