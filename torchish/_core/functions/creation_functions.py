"""More ways to make tensors: indices of triangles, layouts of one's own, and memory that something else owns."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..arguments import as_int, as_size
from ..creation import _filled, _host, _nonnegative, _np_dtype, empty_strided, from_numpy_array, tensor
from ..device import placement_of
from ..dtypes import get_default_dtype, to_np
from ..geometry import Geometry
from ..public import public
from ..random_checks import unimplemented
from ..tensor import NUMBER_CLASSES, Tensor, View, requiring_grad
from ..user_warnings import warn_once
from .conversion import convert

# Indices of triangles


def _triangle(name: str, lower: bool) -> None:
    def function(
        row: int,
        col: int,
        offset: int = 0,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        for which, size in (("row", row), ("col", col)):
            if as_int(size) < 0:
                raise RuntimeError(f"{which} must be non-negative, got{size}")
        np_dtype = _np_dtype(dtype, np.int64)
        if np_dtype not in (np.int64, np.int32):
            raise unimplemented(name, np_dtype)
        below = np.arange(as_int(col)) - np.arange(as_int(row))[:, None] <= as_int(offset) - (not lower)
        return _host(lambda: np.stack(np.nonzero(below == lower)), np_dtype, None, device, False)

    which = "lower" if lower else "upper"
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The positions of a ``row`` x ``col`` matrix's {which} triangle, as two rows of int64 (or int32).\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    public("torch")(function)


_triangle("tril_indices", True)
_triangle("triu_indices", False)


# Single elements and layouts


@public("Tensor")
def new_empty_strided(
    self: Tensor,
    size: Any,
    stride: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of the given size and stride, of unspecified content, of this tensor's dtype and on its device.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_empty_strided.html

    >>> import torchish as torch
    >>> torch.ones(2, dtype=torch.float64).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    like = {"dtype": dtype or self.dtype, "device": self.device if device is None else device}
    return empty_strided(size, stride, layout=layout, requires_grad=requires_grad, pin_memory=pin_memory, **like)


@public("torch")
def scalar_tensor(
    s: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A 0-dim tensor of a number, of the default floating dtype unless ``dtype`` says otherwise."""
    if isinstance(s, Tensor) and s._aval.ndim == 0:
        s = s.item()  # type: ignore[attr-defined]
    if not isinstance(s, np.generic) and s.__class__ not in NUMBER_CLASSES:
        raise TypeError(f"scalar_tensor(): argument 's' (position 1) must be Number, not {type(s).__name__}")
    number = s.item() if isinstance(s, np.generic) else s
    np_dtype = _np_dtype(dtype)
    if isinstance(number, complex) and np_dtype.kind != "c":
        raise RuntimeError(
            f"value cannot be converted to type {_C_NAMES.get(np_dtype.name, np_dtype.name)} without overflow"
        )
    return _filled((), number, np_dtype, device, requires_grad)


_C_NAMES = {"float32": "float", "float64": "double", "int64": "int64_t", "int32": "int"}


@public("torch")
def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of the given size, of unspecified content, with its dimensions in memory in the order ``physical_layout``.

    https://docs.pytorch.org/docs/stable/generated/torch.empty_permuted.html

    >>> import torchish as torch
    >>> torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
    (3, 1, 6)
    """
    size, order = as_size(size), as_size(physical_layout)
    ndim = len(size)
    if len(order) != ndim:
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {ndim} is not equal to len(physical_layout) = {len(order)}"
        )
    seen: set[int] = set()
    for i, d in enumerate(order):
        if not 0 <= d < ndim:
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {ndim - 1}, but got {d} at index {i}).  NB: "
                "negative dims not currently supported; file an issue if you want it."
            )
        if d in seen:
            raise RuntimeError("Duplicate dim not allowed")
        seen.add(d)
    physical = _nonnegative([size[d] for d in order], "empty")
    t = _filled(physical, 0, _np_dtype(dtype), device, False)
    by_dim = dict(zip(order, t._geometry().stride, strict=True))
    g = Geometry(size, tuple(by_dim[d] for d in range(ndim)), 0, t._aval.dtype)
    t._view = View(g, None, g, 0)
    return requiring_grad(t) if requires_grad else t


# Memory that something else owns

_READ_ONLY = (
    "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to "
    "the underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its "
    "data or make it writable before converting it to a tensor. This type of warning will be suppressed for the rest "
    "of this program."
)


def _sharing(array: np.ndarray, message: str = "") -> Tensor:
    """A tensor over an array's memory, which may be read-only: then a write to the tensor leaves it as it is."""
    if not array.flags.writeable and message:
        warn_once(message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return from_numpy_array(array)


@public("torch")
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A vector over the memory of an object that has the buffer protocol, from byte ``offset`` on.

    https://docs.pytorch.org/docs/stable/generated/torch.frombuffer.html

    >>> import array, torchish as torch
    >>> torch.frombuffer(array.array("i", [1, 2, 3]), dtype=torch.int32, offset=4)
    tensor([2, 3], dtype=torch.int32)
    """
    np_dtype = _np_dtype(dtype)
    try:
        length = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    item = np_dtype.itemsize
    if length == 0 or count == 0:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count < 0:
        if (length - offset) % item:
            raise ValueError(
                f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of element "
                f"size ({item})"
            )
        count = (length - offset) // item
    elif count * item > length - offset:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({length} bytes)"
        )
    t = _sharing(np.frombuffer(buffer, np_dtype, count, offset), _READ_ONLY)
    return requiring_grad(t) if requires_grad else t


@public("torch")
def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A vector of ``size`` elements mapped from a file; ``shared``: what is written to it goes into the file.

    A shared file is made, or made longer, where it is not long enough.
    https://docs.pytorch.org/docs/stable/generated/torch.from_file.html
    """
    np_dtype, count = _np_dtype(dtype), size or 0
    path = Path(filename)
    if shared:
        path.touch()
    elif not path.exists():
        raise RuntimeError(f"unable to open file <{filename}> in read-only mode: No such file or directory (2)")
    if count == 0:
        return _filled((0,), 0, np_dtype, device, False)
    if not shared and path.stat().st_size < count * np_dtype.itemsize:
        raise RuntimeError(f"file <{filename}> size <{path.stat().st_size}> is smaller than the required mapping size")
    mapped = np.memmap(path, np_dtype, "r+" if shared else "c", shape=(count,))
    return _sharing(np.asarray(mapped))


@public("torch")
def asarray(
    obj: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """A tensor of anything that holds numbers: sharing memory where it can, unless ``copy`` says to, or not to.

    Tensors, arrays and DLPack capsules are shared, so are buffers, whose elements are of ``dtype`` (the default dtype
    unless given). Numbers and sequences are copied. ``requires_grad=False`` takes the result out of the graph.
    https://docs.pytorch.org/docs/stable/generated/torch.asarray.html

    Raises:
        ValueError: for ``copy=False`` where a copy is needed.

    >>> import torchish as torch
    >>> torch.asarray(bytearray([1, 0, 2, 0]), dtype=torch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    shared = _as_shared(obj, dtype)
    if shared is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return tensor(obj, dtype=dtype, device=device, requires_grad=bool(requires_grad))
    wanted = shared.dtype if dtype is None else dtype
    place = shared._aval.placement if device is None else placement_of(device)
    if copy is False and place is not shared._aval.placement:
        raise ValueError(f"can't alias tensor from device '{shared.device}' to '{place}'.")
    if copy is False and wanted is not shared.dtype:
        names = [d._scalar.scalar_name for d in (shared.dtype, wanted)]
        raise ValueError(f"can't alias tensor with dtype '{names[0]}' into dtype '{names[1]}'.")
    made = convert(shared, to_np(wanted), place, bool(copy))
    if requires_grad is None and shared.requires_grad:
        warn_once(
            "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
            "requires_grad=False explicitly to get the old behavior and silence this warning."
        )
        return made
    if requires_grad:
        return made if made.requires_grad else made.requires_grad_()
    return made.detach() if made.requires_grad else made


def _as_shared(obj: Any, dtype: Any) -> Tensor | None:
    """A tensor over ``obj``'s memory; None for numbers and sequences, which have none."""
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, np.ndarray):
        return from_numpy_array(obj)
    if _is_capsule(obj) or isinstance(obj, jax.Array):
        return _imported(obj)
    if isinstance(obj, (np.generic, str)):
        return None
    try:
        memoryview(obj)
    except TypeError:
        return None
    return frombuffer(obj, dtype=dtype or get_default_dtype())


# DLPack


class _Capsule:
    """A capsule on the CPU as an object that exports it, which is what NumPy imports."""

    def __init__(self, capsule: Any):
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def _is_capsule(x: Any) -> bool:
    return type(x).__name__ == "PyCapsule"


@public("torch")
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of an array of another library, or of a DLPack capsule.

    What lies on an accelerator, and what NumPy has no dtype for, comes as JAX imports it: its data is shared until
    either side writes.
    https://docs.pytorch.org/docs/stable/generated/torch.from_dlpack.html

    >>> import numpy, torchish as torch
    >>> torch.from_dlpack(numpy.arange(3))
    tensor([0, 1, 2])
    """
    made = _imported(ext_tensor)
    if device is not None:
        made = made.to(device)  # type: ignore[attr-defined]
    return made.clone() if copy else made  # type: ignore[attr-defined]


def _imported(source: Any) -> Tensor:
    if isinstance(source, Tensor):
        return source.detach()
    if isinstance(source, jax.Array):
        from ...interop import from_jax

        return from_jax(source)
    if _is_capsule(source):
        if "used_dltensor" in repr(source):
            raise RuntimeError(_INVALID_CAPSULE)
        source = _Capsule(source)
    elif not hasattr(source, "__dlpack__"):
        raise RuntimeError(_INVALID_CAPSULE)
    kind, _ = source.__dlpack_device__()
    if kind == 1:
        try:
            return _sharing(np.from_dlpack(source))
        except (BufferError, RuntimeError):  # bfloat16, which NumPy does not import
            pass
    from ...interop import from_jax

    return from_jax(jax.dlpack.from_dlpack(source))


_INVALID_CAPSULE = (
    "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have "
    "already constructed a tensor from it once."
)


def _exporter(t: Tensor) -> Any:
    """The object whose memory is the tensor's: NumPy's array on the CPU, JAX's elsewhere and for bfloat16."""
    from ...interop import to_jax

    aval = t._aval
    if t.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    on_host = aval.placement.type == "cpu" and aval.dtype.kind != "V"
    return t.numpy() if on_host else to_jax(t)  # type: ignore[attr-defined]


@public("Tensor")
def __dlpack__(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: Any = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of the tensor's memory, for another library to import."""
    exporter = _exporter(self)
    if isinstance(exporter, np.ndarray):
        given: dict[str, Any] = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        return exporter.__dlpack__(stream=stream, **{k: v for k, v in given.items() if v is not None})
    return exporter.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


@public("Tensor")
def __dlpack_device__(self: Tensor) -> tuple[Any, int]:
    """The kind and the index of the device that the memory lies on, in DLPack's numbers."""
    placement = self._aval.placement
    if placement.type == "cpu":
        return np.empty(0).__dlpack_device__()
    return (2, placement.index) if placement.type == "cuda" else _exporter(self).__dlpack_device__()


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of the tensor's memory, which ``from_dlpack`` of any library takes once."""
    return __dlpack__(tensor)
