"""Constants and process-wide settings of the ``torch`` namespace."""

from __future__ import annotations

import math
import os
from typing import Any

import ml_dtypes
import numpy as np

from .._ops import scalar_types
from .._ops.registry import OPS
from . import dtypes
from .arguments import class_name
from .dtypes import dtype as Dtype
from .methods import numel
from .tensor import Tensor

e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None


class layout:
    """How elements are stored: ``torch.strided`` alone."""

    def __init__(self, name: str):
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"


strided = layout("strided")
Tensor.layout = property(lambda self: strided, doc="How elements are stored.")  # type: ignore[attr-defined]


class memory_format:
    """An order of dimensions in memory."""

    def __init__(self, name: str, order: tuple[int, ...] | None = None):
        self._name, self.order = name, order

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def holds(self, size: tuple[int, ...], stride: tuple[int, ...]) -> bool:
        """Whether a tensor of this size and stride lies in this order."""
        if self.order is None or len(self.order) != len(size):
            return False
        step = 1
        for dim in self.order:
            if size[dim] != 1:
                if stride[dim] != step:
                    return False
                step *= size[dim]
        return True


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", (1, 3, 2, 0))
channels_last_3d = memory_format("channels_last_3d", (1, 4, 3, 2, 0))


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def typename(obj: Any) -> str:
    """What an object's class is called: ``"torch.FloatTensor"`` for a tensor, else with its module.

    >>> import torchish as torch
    >>> torch.typename(torch.ones(2)), torch.typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return obj.type()
    cls = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(cls, "__module__", "") or ""
    return cls.__qualname__ if module in ("", "builtins") else f"{module}.{cls.__qualname__}"


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is what ``untyped_storage()`` or ``storage()`` gives."""
    from .storage_objects import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def set_default_dtype(d: Dtype) -> None:
    """Let ``torch.tensor(1.0)`` and integer-to-float results be of dtype ``d``."""
    if not isinstance(d, Dtype) or not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    if d.np != scalar_types.default_float():
        scalar_types.set_default_float(d.np)
        for op in OPS.values():
            op.kernels.clear()


def set_default_tensor_type(t: Any) -> None:
    """As ``set_default_dtype``, by the old name of a tensor type (``"torch.DoubleTensor"``)."""
    name = t if isinstance(t, str) else getattr(t, "__name__", str(t))
    scalar = name.rpartition(".")[2].removesuffix("Tensor")
    found = next((d for d in dtypes.DTYPES.values() if d._scalar.scalar_name == scalar), None)
    if found is None:
        raise TypeError(f"invalid type object: {t}")
    set_default_dtype(found)


def get_num_threads() -> int:
    """The number of CPU threads that XLA may use."""
    return os.cpu_count() or 1


def set_num_threads(num: int) -> None:
    """Accepted for compatibility: XLA takes its number of threads at the start of the process."""
    if not isinstance(num, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")


def _dtype_of(function: str, given: Any) -> Dtype:
    if not isinstance(given, Dtype) and given not in (float, int, bool, complex):
        raise TypeError(f"{function}(): argument 'type' (position 1) must be torch.dtype, not {class_name(given)}")
    return dtypes.of(dtypes.to_np(given))


class _Info:
    dtype: str

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.dtype == self.dtype  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'torch.{type(self).__name__}' object has no attribute '{name}'")


class finfo(_Info):
    """Numerical limits of a floating dtype.

    >>> import torchish as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, dtype: Dtype | None = None):
        d = dtypes.get_default_dtype() if dtype is None else _dtype_of("finfo", dtype)
        if not (d.is_floating_point or d.is_complex):
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        info: Any = ml_dtypes.finfo(d.to_real().np if d.is_complex else d.np)
        self.bits, self.eps, self.max, self.min = info.bits, float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(f"1e-{info.precision}")
        self.dtype = (d.to_real() if d.is_complex else d)._scalar.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo(_Info):
    """Numerical limits of an integer dtype."""

    def __init__(self, *given: Any, **named: Any):
        if len(given) + len(named) != 1:
            raise TypeError('iinfo() missing 1 required positional arguments: "type"')
        type = _dtype_of("iinfo", given[0] if given else named["type"])
        if type.np.kind == "b":
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if type.np.kind not in "iu":
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        info = np.iinfo(type.np)
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), type._scalar.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


__all__ = ["numel"]
