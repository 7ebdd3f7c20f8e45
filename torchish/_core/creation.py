"""Tensors from data and from nothing: tensor, as_tensor, from_numpy, zeros, full, arange, eye, ..."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._exec.kernel import Kernel
from .._exec.placement import Placement
from .._exec.value import Aval, Value, aval_of, from_numpy
from .._exec.window import THREADS, record
from .._ops import scalar_types
from . import dtypes
from .arguments import as_size, unpack
from .device import placement_of
from .dispatch import wrap
from .geometry import Geometry
from .inplace import check_made_out, give_made_out
from .public import public
from .python_data import array_from_data, converted, infer_dtype, kind_of_dtype, numpy_type_error
from .size import Size
from .storage import from_shared
from .tensor import Tensor, View, aval_of_argument, requiring_grad
from .user_warnings import warn, warn_once

# Values


def full_value(aval: Aval, number: Any) -> Value:
    """A recorded Value of ``aval`` with ``number`` in every place."""
    kernel = _FULL.get((aval, number.__class__))
    if kernel is None:
        body: Callable[..., tuple] = lambda x: (jnp.broadcast_to(_number_in(x, aval.dtype), aval.shape),)  # noqa: E731
        kernel = _FULL[aval, number.__class__] = Kernel("full", body, [number.__class__], aval.placement)
    return record(THREADS.context, kernel, (number,))


_FULL: dict[tuple[Aval, type], Kernel] = {}


def _number_in(x: Any, dtype: np.dtype) -> Any:
    from .._ops.elementwise.casting import convert

    return convert(x, dtype)


def tensor_of_array(array: np.ndarray, placement: Placement, requires_grad: bool = False) -> Tensor:
    """A Tensor of an array that nobody else holds."""
    t = wrap(from_numpy(array, placement))
    return requiring_grad(t) if requires_grad else t


def _np_dtype(dtype: Any, default: Any = None, function: str = "") -> np.dtype:
    found = dtypes.to_np(dtype, function)
    return found if found is not None else np.dtype(default or scalar_types.default_float())


def _nonnegative(size: Sequence[int], name: str) -> tuple[int, ...]:
    for n in size:
        if n < 0 and name == "zeros":
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(size)}")
    return tuple(size)


# From data


@public("torch")
def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A leaf tensor that copies ``data``: a number, nested sequences of numbers, an array or a tensor.

    https://docs.pytorch.org/docs/stable/generated/torch.tensor.html

    >>> import torchish as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if isinstance(data, Tensor):
        warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
        )
        copied = data.detach().clone()  # type: ignore[attr-defined]
        copied = copied.to(dtype=dtype or data.dtype, device=device if device is not None else data.device)
        return requiring_grad(copied) if requires_grad else copied
    array = array_from_data(data, dtypes.to_np(dtype, "tensor"))
    return tensor_of_array(array, placement_of(device), requires_grad)


@public("torch")
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor: shared where it is a tensor or array of that dtype, copied otherwise."""
    if isinstance(data, Tensor):
        return data.to(dtype=dtype or data.dtype, device=device if device is not None else data.device)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray):
        shared = from_numpy_array(data)
        return shared.to(dtype=dtype or shared.dtype, device=device if device is not None else shared.device)  # type: ignore[attr-defined]
    return tensor(data, dtype=dtype, device=device)


@public("torch", name="from_numpy")
def from_numpy_array(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares ``ndarray``'s memory: each sees the other's writes."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if ndarray.dtype not in scalar_types.BY_NP_DTYPE or not ndarray.dtype.isnative:
        raise TypeError(numpy_type_error(ndarray.dtype))
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not ndarray.flags.writeable:
        warn_once(_NOT_WRITABLE)
    t = object.__new__(Tensor)
    t._view = t._edge = t._grad = t._extra = None
    if ndarray.flags.c_contiguous:
        t._storage = from_shared(ndarray, placement_of("cpu"))
        return t
    step = ndarray.itemsize
    if any(s % step for s in ndarray.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
            "memory."
        )
    strides = tuple(s // step for s in ndarray.strides)
    length = 1 + sum((n - 1) * s for n, s in zip(ndarray.shape, strides, strict=True))
    memory = np.lib.stride_tricks.as_strided(ndarray, (length,), (step,))
    t._storage = from_shared(memory, placement_of("cpu"))
    g = Geometry(ndarray.shape, strides, 0, ndarray.dtype)
    t._view = View(g, None, g, 0)
    return t


_NOT_WRITABLE = (
    "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to "
    "this tensor will result in undefined behavior. You may want to copy the array to protect its data or make it "
    "writable before converting it to a tensor. This type of warning will be suppressed for the rest of this program."
)


# From nothing


def _filled(
    size: Sequence[int], number: Any, dtype: np.dtype, device: Any, requires_grad: bool, name: str = ""
) -> Tensor:
    scalar_types.check_fits(number, dtype)
    aval = aval_of(_nonnegative(as_size(size), name), dtype, placement_of(device))
    t = wrap(full_value(aval, number))
    return requiring_grad(t) if requires_grad else t


def _sizes(given: tuple, name: str) -> tuple[int, ...]:
    if not given:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    if len(given) == 1 and (given[0] is None or isinstance(given[0], (bool, float, str))):
        got = type(given[0]).__name__
        raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {got}")
    size = unpack(given)
    for i, n in enumerate(size):
        if isinstance(n, (float, str)) or n is None:
            raise TypeError(
                f"{name}(): argument 'size' failed to unpack the object at pos {i + 1} with error "
                f'"type must be tuple of ints,but got {type(n).__name__}"'
            )
    return as_size(size)


def _maker(name: str, number: int, what: str) -> None:
    def make(
        *sizes: Any,
        size: Any = None,
        out: Any = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        shape = _sizes(sizes if size is None else (size,), name)
        if out is not None:
            np_dtype = check_made_out(name, out, dtype, device)
            return give_made_out(_filled(shape, number, np_dtype, out.device, False, name), out, requires_grad)
        return _filled(shape, number, _np_dtype(dtype, None, name), device, requires_grad, name)

    def make_like(
        input: Tensor,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        memory_format: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        aval = aval_of_argument(f"{name}_like", input)
        return _filled(
            aval.shape,
            number,
            _np_dtype(dtype, aval.dtype, f"{name}_like"),
            device if device is not None else aval.placement,
            requires_grad,
        )

    def new(
        self: Tensor,
        *size: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        aval = self._aval
        return _filled(
            _sizes(size, f"new_{name}"),
            number,
            _np_dtype(dtype, aval.dtype),
            device if device is not None else aval.placement,
            requires_grad,
        )

    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"A tensor of the given size{what}.\n\nhttps://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    make_like.__name__ = make_like.__qualname__ = f"{name}_like"
    make_like.__doc__ = f"A tensor of ``input``'s size, dtype and device{what}."
    new.__name__ = new.__qualname__ = f"new_{name}"
    new.__doc__ = f"A tensor of this one's dtype and device{what}."
    public("torch")(make)
    public("torch")(make_like)
    public("Tensor")(new)


_maker("zeros", 0, ", all 0")
_maker("ones", 1, ", all 1")
# PyTorch leaves the memory as it is found; zeros are one of the values that it may hold.
_maker("empty", 0, ", of unspecified content (here: zeros)")


def _number_of(value: Any, dtype: Any) -> tuple[Any, np.dtype]:
    if isinstance(value, Tensor):
        value = value.item()  # type: ignore[attr-defined]
    elif not isinstance(value, (bool, int, float, complex, np.generic)):
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    found = dtypes.to_np(dtype, "full")
    if found is None and isinstance(value, int):
        scalar_types.check_fits(value, np.dtype(np.int64))
    if found is None:
        found = infer_dtype({kind_of_dtype(np.asarray(value).dtype)})
    return (value.item() if isinstance(value, np.generic) else value), found


@public("torch")
def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of the given size with ``fill_value`` in every place; its dtype is the number's unless given."""
    if isinstance(size, int):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    value, np_dtype = _number_of(fill_value, dtype)
    if out is not None:
        np_dtype = check_made_out("full", out, dtype, device)
        return give_made_out(_filled(size, value, np_dtype, out.device, False), out, requires_grad)
    return _filled(size, value, np_dtype, device, requires_grad)


@public("torch")
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of ``input``'s size, dtype and device with ``fill_value`` in every place."""
    aval = aval_of_argument("full_like", input)
    value, np_dtype = _number_of(fill_value, dtype or input.dtype)
    return _filled(aval.shape, value, np_dtype, device if device is not None else aval.placement, requires_grad)


@public("Tensor")
def new_full(
    self: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of this one's dtype and device with ``fill_value`` in every place."""
    aval = self._aval
    value, np_dtype = _number_of(fill_value, dtype or self.dtype)
    return _filled(size, value, np_dtype, device if device is not None else aval.placement, requires_grad)


@public("Tensor")
def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor that copies ``data``, of this one's dtype and device."""
    return tensor(
        data,
        dtype=dtype or self.dtype,
        device=device if device is not None else self.device,
        requires_grad=requires_grad,
    )


def _host(compute: Callable[[], np.ndarray], dtype: np.dtype, out: Any, device: Any, requires_grad: bool) -> Tensor:
    array = converted(compute(), dtype)
    if out is not None:
        return give_made_out(tensor_of_array(array, placement_of(out.device)), out, requires_grad)
    return tensor_of_array(array, placement_of(device), requires_grad)


def _plain_number(x: Any) -> Any:
    return x.item() if isinstance(x, (Tensor, np.generic)) else x  # type: ignore[attr-defined]


@public("torch")
def arange(
    *args: Any,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    start: Any = None,
    end: Any = None,
    step: Any = None,
) -> Tensor:
    """``start, start + step, ...`` up to but without ``end``. Integers give int64.

    >>> import torchish as torch
    >>> torch.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    given = [_plain_number(a) for a in args]
    if len(args) > 3 or (not args and end is None):
        got = ", ".join(type(a).__name__ for a in args)
        raise TypeError(f"arange() received an invalid combination of arguments - got ({got})")
    for name, number in zip(("end",) if len(given) == 1 else ("start", "end", "step"), given, strict=False):
        if not isinstance(number, (int, float)):
            where = ("start", "end", "step").index(name) + 1 if len(given) > 1 else 1
            raise TypeError(
                f"arange(): argument '{name}' (position {where}) must be Number, not {type(number).__name__}"
            )
    if isinstance(dtype, dtypes.dtype) and (dtype.is_complex or dtype is dtypes.DTYPES["bool"]):
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{scalar_types.scalar_name(dtype.np)}'")
    if len(given) == 1:
        first, last, by = 0 if start is None else start, given[0], 1 if step is None else step
    else:
        values = [*given, *[None] * (3 - len(given))]
        first = values[0] if values[0] is not None else (0 if start is None else start)
        last = values[1] if values[1] is not None else end
        by = values[2] if values[2] is not None else (1 if step is None else step)
    first, last, by = (_plain_number(x) for x in (first, last, by))
    if by == 0:
        raise RuntimeError("step must be nonzero")
    for bound in (first, last):
        if not math.isfinite(bound):
            raise RuntimeError(f"unsupported range: {float(first):g} -> {float(last):g}")
    if (by > 0 and last < first) or (by < 0 and last > first):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    integral = all(isinstance(x, int) for x in (first, last, by))
    np_dtype = _np_dtype(dtype, np.int64 if integral else None)
    if out is not None:
        np_dtype = check_made_out("arange", out, dtype, device)
    if np_dtype == np.int64 and not integral:  # PyTorch counts in the dtype itself, which here is exact
        first, last, by, integral = int(first), int(last), int(by), True
        if by == 0:
            raise ValueError("step must be nonzero")
    count = math.ceil((last - first) / by) if not integral else -(-(last - first) // by)

    if out is not None and out._aval.numel not in (0, count):
        warn(
            f"The number of elements in the out tensor of shape {list(out.shape)} is {out._aval.numel} which does not "
            f"match the computed number of elements {count}. Note that this may occur as a result of rounding error. "
            f"The out tensor will be resized to a tensor of shape ({count},)."
        )

    def compute() -> np.ndarray:
        if np_dtype.kind in "iu":
            return np.arange(count, dtype=np.int64) * int(by) + int(first)
        return np.arange(count, dtype=np.float64) * by + first

    return _host(compute, np_dtype, out, device, requires_grad)


@public("torch", name="range")
def range_(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``start, start + step, ...`` up to and with ``end`` (deprecated in PyTorch in favour of ``arange``)."""
    warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end)."
    )
    count = math.floor((end - start) / step) + 1
    np_dtype = _np_dtype(dtype) if out is None else check_made_out("range", out, dtype, device)
    return _host(lambda: np.arange(count) * step + start, np_dtype, out, device, requires_grad)


def _linspace(start: float, end: float, steps: int, dtype: np.dtype) -> np.ndarray:
    """PyTorch's steps: counted from the start in the first half, from the end in the second."""
    if steps < 2:
        return np.full((steps,), start)
    if dtype.kind in "iu":
        step: Any = np.float32((end - start) / (steps - 1)) if dtype.itemsize < 8 else (end - start) / (steps - 1)
        i = np.arange(steps)
        up, down = np.trunc(start + step * i), np.trunc(end - step * (steps - i - 1))
        return np.where(i < steps // 2, up, down)
    real = scalar_types.real_of(dtype)
    kind: Any = np.float64 if real == np.float64 or (dtype.kind == "c" and real == np.float64) else np.float32
    if dtype.kind == "c":
        kind = np.complex128 if real == np.float64 else np.complex64
    first, last = kind(start), kind(end)
    step = kind((last - first) / kind(steps - 1))
    wide = np.complex128 if dtype.kind == "c" else np.float64
    i = np.arange(steps)
    # One rounding for multiply and add, as the fused instruction gives.
    up = wide(first) + wide(step) * i
    down = wide(last) - wide(step) * (steps - i - 1)
    return np.where(i < steps // 2, up, down).astype(kind)


@public("torch")
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``steps`` numbers evenly from ``start`` to ``end``, both included."""
    first, last = _plain_number(start), _plain_number(end)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    default = infer_dtype({complex}) if isinstance(first, complex) or isinstance(last, complex) else None
    np_dtype = _np_dtype(dtype, default) if out is None else check_made_out("linspace", out, dtype, device)
    return _host(lambda: _linspace(first, last, steps, np_dtype), np_dtype, out, device, requires_grad)


@public("torch")
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``base`` to powers spaced evenly from ``start`` to ``end``."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    np_dtype = _np_dtype(dtype) if out is None else check_made_out("logspace", out, dtype, device)
    exponents = _linspace(float(_plain_number(start)), float(_plain_number(end)), steps, np.dtype(np.float64))
    return _host(lambda: np.power(float(base), exponents), np_dtype, out, device, requires_grad)


@public("torch")
def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The identity: ones on the diagonal of an ``n`` by ``m`` matrix."""
    if isinstance(n, float):
        raise TypeError(f"eye(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n}")
    if m is not None and m < 0:
        raise RuntimeError(f"m must be greater or equal to 0, got {m}")
    np_dtype = _np_dtype(dtype) if out is None else check_made_out("eye", out, dtype, device)
    return _host(lambda: np.eye(n, m, dtype=np.int64), np_dtype, out, device, requires_grad)


@public("torch")
def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of the given size and stride, of unspecified content."""
    size, stride = as_size(size), as_size(stride)
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    length = 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    t = _filled((length,), 0, _np_dtype(dtype), device, False)
    g = Geometry(size, stride, 0, t._aval.dtype)
    t._view = View(g, None, g, 0)
    return requiring_grad(t) if requires_grad else t


def legacy_tensor(cls: type, *args: Any, device: Any = None) -> Tensor:
    """``torch.Tensor(2, 3)``, ``torch.Tensor([1.0, 2.0])``, ``torch.Tensor(other)``: default dtype, uninitialised or data."""
    return legacy_of(cls, scalar_types.default_float(), args, device)


def legacy_of(cls: type, dtype: np.dtype, args: tuple, device: Any = None) -> Tensor:
    if not args:
        t = _filled((0,), 0, dtype, device, False)
    elif len(args) == 1 and isinstance(args[0], Tensor):
        t = args[0].detach()
    elif len(args) == 1 and isinstance(args[0], (list, tuple, np.ndarray)) and not isinstance(args[0], Size):
        t = tensor_of_array(array_from_data(args[0], dtype), placement_of(device))
    else:
        t = _filled(_sizes(args, "new"), 0, dtype, device, False)
    if cls is not Tensor and isinstance(cls, type) and issubclass(cls, Tensor):
        made = object.__new__(cls)
        made._storage, made._view = t._storage, t._view
        made._edge = made._grad = made._extra = None
        return made
    return t
