"""Conversion and copying: ``to``, ``float()``, ``cpu()``, ``type``, ``copy_``, ``clone``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._exec.placement import Placement
from ..._exec.value import aval_of
from ..._exec.window import THREADS
from ..._ops.registry import OPS
from .. import dtypes
from ..device import device as Device
from ..device import placement_of
from ..device_copy import copy_node
from ..dispatch import wrap
from ..dtypes import dtype as Dtype
from ..generate import OP_FUNCTIONS
from ..indexing import copy_into
from ..inplace import call_inplace, has_room, take_shape
from ..public import public
from ..storage import on_device
from ..tensor import Tensor
from ..user_warnings import warn_of_complex


def to_placement(t: Tensor, placement: Placement) -> Tensor:
    """A copy of ``t`` on another device."""
    made = wrap(on_device(t._value(), placement))
    edge = t._current_edge()
    context = THREADS.context
    if edge is not None and context.grad_enabled:
        made._edge = (copy_node(t._storage.aval.placement, made._storage.aval, edge), 0)
    return made


def convert(t: Tensor, dtype: np.dtype | None, placement: Placement | None, copy: bool = False) -> Tensor:
    """``t`` in another dtype and on another device; ``t`` itself where neither changes."""
    made = t
    if dtype is not None and dtype != t._aval.dtype:
        warn_of_complex(t._aval.dtype, dtype)
        made = OP_FUNCTIONS["to.dtype"](made, dtypes.of(dtype))
    if placement is not None and placement is not t._storage.aval.placement:
        made = to_placement(made, placement)
    return OP_FUNCTIONS["clone"](made) if copy and made is t else made


@public("Tensor")
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The tensor in another dtype or on another device: ``to(dtype)``, ``to(device, dtype)``, ``to(other)``."""
    dtype, device, copy = kwargs.get("dtype"), kwargs.get("device"), kwargs.get("copy", False)
    if "other" in kwargs:
        args = (kwargs["other"], *args)
    for position, arg in enumerate(args):
        if isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif isinstance(arg, (str, Device, int)) and not isinstance(arg, bool) and position == 0:
            device = arg
        elif isinstance(arg, Dtype) or arg in (float, int, bool, complex):
            dtype = arg
        elif isinstance(arg, bool):
            if position >= 2:
                copy = arg
        elif arg is not None:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(arg).__name__})")
    return convert(self, dtypes.to_np(dtype), None if device is None else placement_of(device), bool(copy))


def _dtype_method(name: str, dtype: Dtype) -> None:
    def method(self: Tensor, memory_format: Any = None) -> Tensor:
        return convert(self, dtype.np, None)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as ``{dtype}``."
    public("Tensor")(method)


for _name, _dtype in {
    "float": dtypes.DTYPES["float32"],
    "double": dtypes.DTYPES["float64"],
    "half": dtypes.DTYPES["float16"],
    "bfloat16": dtypes.DTYPES["bfloat16"],
    "long": dtypes.DTYPES["int64"],
    "int": dtypes.DTYPES["int32"],
    "short": dtypes.DTYPES["int16"],
    "char": dtypes.DTYPES["int8"],
    "byte": dtypes.DTYPES["uint8"],
    "bool": dtypes.DTYPES["bool"],
    "cfloat": dtypes.DTYPES["complex64"],
    "cdouble": dtypes.DTYPES["complex128"],
}.items():
    _dtype_method(_name, _dtype)


@public("Tensor")
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor on the CPU."""
    return convert(self, None, placement_of("cpu"))


@public("Tensor")
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """The tensor on the GPU that JAX sees."""
    return convert(self, None, placement_of("cuda" if device is None else device))


@public("Tensor")
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in ``other``'s dtype and on its device."""
    return convert(self, other._aval.dtype, other._storage.aval.placement)


@public("Tensor", name="type")
def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, ``"torch.FloatTensor"``; with ``dtype``, a conversion."""
    if dtype is None:
        prefix = "torch.cuda." if self._storage.aval.placement.type == "cuda" else "torch."
        return f"{prefix}{self.dtype._scalar.scalar_name}Tensor"
    if isinstance(dtype, str):
        scalar = dtype.rpartition(".")[2].removesuffix("Tensor")
        dtype = next((d for d in dtypes.DTYPES.values() if d._scalar.scalar_name == scalar), None)
        if dtype is None:
            raise ValueError(f"invalid type: '{scalar}'")
    if isinstance(dtype, type) and hasattr(dtype, "_legacy_dtype"):
        dtype = dtype._legacy_dtype
    return convert(self, dtypes.to_np(dtype), None)


@public("Tensor")
def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write ``src``, broadcast and converted, into this tensor; returns it."""
    if not isinstance(src, Tensor):
        from ..creation import tensor

        src = tensor(src)
    return copy_into(self, src)


@public("Tensor")
def resize_(self: Tensor, *sizes: Any, size: Any = None, memory_format: Any = None) -> Tensor:
    """Give this tensor another size in place; elements are kept in order, new ones are unspecified.

    It stays where it is in memory, which other tensors may view, if that has room; a larger one gets memory of its own.
    """
    from ..arguments import as_size, unpack
    from ..creation import full_value
    from ..storage import Storage

    shape = as_size(unpack(sizes) if size is None else size)
    aval = self._aval
    if shape == aval.shape:
        return self
    if any(n < 0 for n in shape):
        raise RuntimeError("numel: integer multiplication overflow")
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if has_room(self, shape):
        take_shape(self, shape)
        return self
    n = int(np.prod(shape, dtype=np.int64))
    with_data = aval.numel > 0 and n > 0
    flat = self.detach().reshape(-1) if with_data else None  # type: ignore[attr-defined]
    fresh = wrap(full_value(aval_of((n,), aval.dtype, aval.placement), 0))
    if flat is not None:
        kept = min(n, aval.numel)
        copy_into(fresh[:kept], flat[:kept])  # type: ignore[index]
    shaped = fresh.view(shape).contiguous()  # type: ignore[attr-defined]
    self._storage, self._view = Storage(shaped._value()), None
    return self


@public("Tensor")
def set_(
    self: Tensor, source: Any = None, storage_offset: int = 0, size: Sequence[int] = (), stride: Any = ()
) -> Tensor:
    """Make this tensor share another's Storage, size and stride; or a storage's elements."""
    from ..storage_objects import TypedStorage, UntypedStorage, vector_over

    if isinstance(source, (TypedStorage, UntypedStorage)):
        source = vector_over(source._vector._storage, self._aval.dtype)
    if not isinstance(source, Tensor):
        raise TypeError(f"set_() takes a Tensor here, not {type(source).__name__}")
    if size:
        source = source.as_strided(size, stride, storage_offset)  # type: ignore[attr-defined]
    self.data = source.detach()
    return self


@public()
def fill_(input: Tensor, value: Any) -> Tensor:
    """Write ``value``, a number or a 0-dim tensor, into every place."""
    name = "FillBackward3" if isinstance(value, Tensor) else "FillBackward2"
    return call_inplace(OPS["fill"], (input, value), (), name)


@public()
def zero_(input: Tensor) -> Tensor:
    """Write zeros into the tensor."""
    return OP_FUNCTIONS["zero_"](input)
