"""Convolutions and transposed convolutions in one, two and three dimensions.

XLA's convolution on CPU loses to a matrix product where the columns (the input's patches, one row an element
of the kernel) are small; where they are large, copying them costs more than it saves. So on CPU the lowering
goes by shape: a product over channels for 1x1 kernels, columns and one product for small problems, XLA's own
convolution for all others. The derivatives follow the chosen form: the input gradient scatters columns back by
shifted sums, the weight gradient is one product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..kernel_dtypes import half_in_float32, require_dtype
from ..linalg.matmul import cpp_name
from ..precision import conv_precision
from ..registry import Dims, Tensor, op
from ..scalar_types import is_complex, is_inexact, scalar_name

Pads = tuple[tuple[int, int], ...]

# Elements of the columns up to which a product beats XLA's convolution on CPU, forward and backward together.
MAX_COLUMN_ELEMENTS = 2_500_000


def spatial(value: Any, name: str, n: int, dims: int | None = None) -> tuple[int, ...]:
    """An int or a tuple of ints as ``n`` ints; ``dims`` is what the weight says that ``n`` should be."""
    values = (value,) * n if isinstance(value, int) else tuple(value)
    wanted = n if dims is None else dims
    if len(values) == 1:
        return values * wanted
    if len(values) != wanted:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {wanted} values "
            f"to match the convolution dimensions, but got {name}={list(values)}"
        )
    return values


def _check_ranks(input: Tensor, weight: Tensor, bias: Tensor | None, name: str, n: int, groups: int) -> None:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, "
            f"but got input of size: {list(input.shape)}"
        )
    if bias is not None and bias.dtype != input.dtype and not name.startswith("conv_transpose"):
        raise RuntimeError(
            f"Input type ({cpp_name(input.dtype)}) and bias type ({cpp_name(bias.dtype)}) should be the same"
        )
    if weight.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def _check_numbers(input: Tensor, weight: Tensor, **numbers: tuple[int, ...]) -> None:
    """Refuse strides, paddings and dilations that no convolution takes, and a weight of another rank."""
    if min(numbers["padding"]) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(numbers.get("output_padding", (0,))) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(numbers["stride"]) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(numbers["dilation"]) < 0:
        raise RuntimeError("dilation should be greater than zero")
    if weight.ndim != input.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight {list(weight.shape)}, "
            f"but got {input.ndim}-dimensional input of size {list(input.shape)} instead"
        )


def _check_bias(weight: Tensor, bias: Tensor | None, channels: int, given: str) -> None:
    if bias is not None and bias.shape != (channels,):
        raise RuntimeError(
            f"Given {given}weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {channels} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )


def _check_dtypes(input: Tensor, weight: Tensor, kernel: str, kinds: str) -> None:
    if weight.dtype != input.dtype:
        if is_complex(input.dtype):
            raise RuntimeError(
                f"Input type (CPU{scalar_name(input.dtype)}Type) and weight type "
                f"(torch.{scalar_name(weight.dtype)}Tensor) should be the same"
            )
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(weight.dtype)}")
    if input.size:
        require_dtype(input.dtype, kinds, kernel)


def _sizes(values: Any) -> str:
    return "(" + " x ".join(str(v) for v in values) + ")"


def _check_groups(weight: Tensor, groups: int) -> None:
    if weight.shape[0] < groups or weight.shape[0] == 0:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, "
            f"but got weight of size {list(weight.shape)} instead"
        )
    if weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{list(weight.shape)}] instead"
        )


def _check_shapes(input: Tensor, weight: Tensor, dilation: tuple[int, ...], pads: Pads, groups: int) -> None:
    """Refuse channels that do not fit, and kernels larger than the input."""
    _check_groups(weight, groups)
    channels = weight.shape[1] * groups
    if input.shape[1] != channels:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{channels} channels, but got {input.shape[1]} channels instead"
        )
    padded = [s + a + b for s, (a, b) in zip(input.shape[2:], pads, strict=True)]
    kernel = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)]
    if any(p < k for p, k in zip(padded, kernel, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: {_sizes(padded)}. Kernel size: {_sizes(kernel)}. "
            "Kernel size can't be greater than actual input size"
        )
    if 0 in weight.shape[2:]:
        names = ("depth", "height", "width")[-len(kernel) :]
        sizes = " ".join(f"kernel_{name}: {k}" for name, k in zip(names, weight.shape[2:], strict=True))
        raise RuntimeError(f"kernel size should be greater than zero, but got {sizes}")
    if 0 in dilation:
        shown = [*dilation] if len(dilation) > 1 else [1, *dilation]
        raise RuntimeError(f"dilation should be greater than zero, but got {shown}")


def _pads(padding: Any, n: int, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Pads:
    """The padding before and after each dimension; for ``'same'`` an odd one goes after."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in spatial(padding, "padding", n))
    if padding == "valid":
        return ((0, 0),) * n
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def _xla(x: Tensor, w: Tensor, stride: Any, pads: Pads, dilation: Any, groups: int, lhs_dilation: Any = None) -> Tensor:
    letters = "DHW"[-(w.ndim - 2) :]
    return lax.conv_general_dilated(
        x,
        w,
        stride,
        pads,
        lhs_dilation=lhs_dilation,
        rhs_dilation=dilation,
        dimension_numbers=("NC" + letters, "OI" + letters, "NC" + letters),
        feature_group_count=groups,
        precision=conv_precision(),
    )


def _pointwise(x: Tensor, w: Tensor) -> Tensor:
    """A convolution with a kernel of one element: a product over channels, image by image."""
    images = x.reshape(*x.shape[:2], -1)
    return jnp.matmul(w.reshape(w.shape[:2]), images, precision=conv_precision()).reshape(
        x.shape[0], w.shape[0], *x.shape[2:]
    )


def patches(x: Tensor, kernel: tuple[int, ...], stride: Any, dilation: Any, pads: Pads, value: Any = 0) -> list[Tensor]:
    """For each element of the kernel, in row-major order, what of ``x`` it meets at each output position.

    The last ``len(kernel)`` dimensions of ``x`` are spatial.
    """
    lead = x.ndim - len(kernel)
    if any(p != (0, 0) for p in pads):
        x = jnp.pad(x, [(0, 0)] * lead + list(pads), constant_values=value)
    outs = output_sizes(x.shape[lead:], kernel, stride, dilation)
    found = []
    for offsets in np.ndindex(*kernel):
        start = [o * d for o, d in zip(offsets, dilation, strict=True)]
        stop = [b + (n - 1) * s + 1 for b, n, s in zip(start, outs, stride, strict=True)]
        found.append(lax.slice(x, [0] * lead + start, [*x.shape[:lead], *stop], [1] * lead + [int(s) for s in stride]))
    return found


def output_sizes(sizes: Any, kernel: Any, stride: Any, dilation: Any) -> list[int]:
    """How many positions the kernel has along each dimension of a padded input."""
    return [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)]


def _columns(x: Tensor, w: Tensor, stride: Any, pads: Pads, dilation: Any) -> Tensor:
    """A convolution as one matrix product: ``(out, in * kernel)`` by ``(in * kernel, batch * positions)``."""
    channels_first = jnp.swapaxes(x, 0, 1)
    taken = patches(channels_first, w.shape[2:], stride, dilation, pads)
    columns = jnp.stack(taken, 1).reshape(w[0].size, -1)
    product = jnp.matmul(w.reshape(w.shape[0], -1), columns, precision=conv_precision())
    return jnp.swapaxes(product.reshape(w.shape[0], *taken[0].shape[1:]), 0, 1)


def _convolve(x: Tensor, w: Tensor, stride: Any, pads: Pads, dilation: Any, groups: int) -> Tensor:
    """The convolution of checked operands, by the lowering that suits their shapes."""
    if jax.default_backend() != "cpu" or groups != 1 or not is_inexact(x.dtype) or x.size == 0 or w.size == 0:
        return _xla(x, w, stride, pads, dilation, groups)
    kernel = w.shape[2:]
    padded = [n + a + b for n, (a, b) in zip(x.shape[2:], pads, strict=True)]
    outs = output_sizes(padded, kernel, stride, dilation)
    if all(k == s == 1 and p == (0, 0) for k, s, p in zip(kernel, stride, pads, strict=True)):
        return _pointwise(x, w)
    if w[0].size * x.shape[0] * int(np.prod(outs)) <= MAX_COLUMN_ELEMENTS:
        return _columns(x, w, stride, pads, dilation)
    return _xla(x, w, stride, pads, dilation, groups)


def _convolved(f: Callable[..., Tensor], x: Tensor, w: Tensor, bias: Tensor | None, batched: bool) -> Tensor:
    """``f(x, w)`` plus ``bias``, half types accumulated in float32 (``f`` on an accelerator does that by itself)."""

    def biased(x: Tensor, w: Tensor, bias: Tensor | None) -> Tensor:
        y = f(x, w)
        if bias is None:
            return y
        return half_in_float32(jnp.add)(y, bias.astype(y.dtype).reshape(-1, *[1] * (y.ndim - 2)))

    y = (half_in_float32(biased) if jax.default_backend() == "cpu" else biased)(x, w, bias)
    return y if batched else y[0]


def _conv(
    n: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    _check_ranks(input, weight, bias, f"conv{n}d", n, groups)
    if isinstance(padding, str) and weight.ndim != input.ndim and input.ndim == n + 2:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight{list(weight.shape)}, "
            f"but got {input.ndim}-dimensional input of size {list(input.shape)} instead"
        )
    dims = weight.ndim - 2
    x = input if input.ndim == n + 2 else input[None]
    stride, dilation = spatial(stride, "stride", n, dims), spatial(dilation, "dilation", n, dims)
    pads = _pads(padding, n, weight.shape[2:], stride, dilation)
    _check_numbers(x, weight, stride=stride, dilation=dilation, padding=tuple(p for pair in pads for p in pair))
    _check_shapes(x, weight, dilation, pads, groups)
    _check_bias(weight, bias, weight.shape[0], "")
    if any(d != 1 for d in dilation):
        _check_dtypes(x, weight, "slow_conv_dilated<>", "lfc")
    else:
        _check_dtypes(x, weight, "compute_columns3d" if n == 3 else "slow_conv2d_cpu", "ifc")
    convolve = functools.partial(_convolve, stride=stride, pads=pads, dilation=dilation, groups=groups)
    return _convolved(convolve, x, weight, bias, input.ndim == n + 2)


def _conv_transpose(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    _check_ranks(input, weight, bias, f"conv_transpose{n}d", n, groups)
    if isinstance(padding, str):
        raise TypeError(f"conv_transpose{n}d(): argument 'padding' must be tuple of ints, not str")
    dims = weight.ndim - 2
    x = input if input.ndim == n + 2 else input[None]
    stride, padding = spatial(stride, "stride", n, dims), spatial(padding, "padding", n, dims)
    output_padding = spatial(output_padding, "output_padding", n, dims)
    dilation = spatial(dilation, "dilation", n, dims)
    _check_numbers(x, weight, stride=stride, dilation=dilation, padding=padding, output_padding=output_padding)
    _check_transposed(x, weight, stride, padding, output_padding, dilation, groups)
    _check_bias(weight, bias, weight.shape[1] * groups, "transposed=1, ")
    _check_dtypes(x, weight, f"slow_conv_transpose{max(n, 2)}d_out_cpu", "lfc")
    # The gradient of a convolution: a stride-1 convolution of the input, spread by the stride, with the kernel
    # flipped and its channel dimensions swapped within each group.
    inputs, outputs = x.shape[1] // groups, weight.shape[1]
    kernel = weight.reshape(groups, inputs, outputs, *weight.shape[2:]).swapaxes(1, 2)
    kernel = jnp.flip(kernel.reshape(groups * outputs, inputs, *weight.shape[2:]), tuple(range(2, n + 2)))
    pads = tuple(
        (d * (k - 1) - p, d * (k - 1) - p + extra)
        for d, k, p, extra in zip(dilation, weight.shape[2:], padding, output_padding, strict=True)
    )
    convolve = functools.partial(
        _xla, stride=(1,) * n, pads=pads, dilation=dilation, groups=groups, lhs_dilation=stride
    )
    return _convolved(convolve, x, kernel, bias, input.ndim == n + 2)


def _check_transposed(
    x: Tensor, weight: Tensor, stride: Any, padding: Any, output_padding: Any, dilation: Any, groups: int
) -> None:
    if x.shape[1] != weight.shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input{list(x.shape)} to have "
            f"{weight.shape[0]} channels, but got {x.shape[1]} channels instead"
        )
    _check_groups(weight, groups)
    # A one-dimensional convolution is reported as a two-dimensional one of height 1.
    names = ("depth", "height", "width")[-max(len(stride), 2) :]
    if 0 in dilation:
        rows = zip(names, ((1,) * 2 + tuple(dilation))[-len(names) :], strict=True)
        shown = ", ".join(f"dilation_{name}: {d}" for name, d in rows)
        raise RuntimeError(f"dilation should be greater than zero, but got {shown}")
    if any(e >= s and e >= d for e, s, d in zip(output_padding, stride, dilation, strict=True)):
        fields = (("output_padding", output_padding, 0), ("stride", stride, 1), ("dilation", dilation, 1))
        shown = " ".join(
            f"{field}_{name}: {v}"
            for field, values, filler in fields
            for name, v in zip(names, ((filler,) * 2 + tuple(values))[-len(names) :], strict=True)
        )
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {shown}")
    sizes = x.shape[2:]
    rows = zip(sizes, stride, padding, dilation, weight.shape[2:], output_padding, strict=True)
    outs = [(m - 1) * s - 2 * p + d * (k - 1) + e + 1 for m, s, p, d, k, e in rows]  # type: ignore[misc]
    if any(m < 1 for m in outs):
        raise RuntimeError(
            f"Given input size per channel: {_sizes(sizes)}. Calculated output size per channel: {_sizes(outs)}. "
            "Output size is too small"
        )


def _node(n: int) -> Callable[..., str]:
    def name(ndims: tuple[int | None, ...], **_: Any) -> str:
        return "SqueezeBackward1" if ndims[0] == n + 1 else "ConvolutionBackward0"

    return name


NAMESPACES = ("torch", "nn.functional")
GRAD_NODE = "ConvolutionBackwardBackward0"


@op(namespaces=NAMESPACES, node=_node(1), grad_node=GRAD_NODE)
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of ``(batch, in, length)`` with ``(out, in / groups, kernel)``; the batch may be absent.

    ``padding`` is a number of zeros on both sides, ``'valid'`` (none) or ``'same'`` (as many as keep the length).
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


@op(namespaces=NAMESPACES, node=_node(2), grad_node=GRAD_NODE)
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> Tensor:
    """``conv1d`` over two spatial dimensions: ``(batch, in, height, width)`` with ``(out, in / groups, kh, kw)``."""
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


@op(namespaces=NAMESPACES, node=_node(3), grad_node=GRAD_NODE)
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims | str = 0,
    dilation: Dims = 1,
    groups: int = 1,
) -> Tensor:
    """``conv1d`` over three spatial dimensions."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


@op(namespaces=NAMESPACES, node=_node(1), grad_node=GRAD_NODE)
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> Tensor:
    """The transpose of ``conv1d``: ``(batch, in, length)`` with ``(in, out / groups, kernel)``.

    The length becomes ``(length - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1``.
    """
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@op(namespaces=NAMESPACES, node=_node(2), grad_node=GRAD_NODE)
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> Tensor:
    """``conv_transpose1d`` over two spatial dimensions."""
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@op(namespaces=NAMESPACES, node=_node(3), grad_node=GRAD_NODE)
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Dims = 1,
    padding: Dims = 0,
    output_padding: Dims = 0,
    groups: int = 1,
    dilation: Dims = 1,
) -> Tensor:
    """``conv_transpose1d`` over three spatial dimensions."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


@op(namespaces=NAMESPACES, node="ConvTbcBackward0", grad_node="ConvTbcBackwardBackward0")
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """The cross-correlation of ``(time, batch, in)`` with ``(kernel, in, out)``: ``(time, batch, out)``."""
    if input.ndim != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if weight.ndim != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if bias.ndim != 1:
        raise RuntimeError("Bias must be 1-D")
    if input.shape[2] != weight.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if weight.shape[2] != bias.shape[0]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    made = _conv(1, input.transpose(1, 2, 0), weight.transpose(2, 1, 0), bias, 1, pad, 1, 1)
    return made.transpose(2, 0, 1)
