"""``torch.FloatTensor``, ``torch.LongTensor``, ...: the old classes of tensors by dtype, of which no tensor is an instance
by class: ``isinstance`` asks for the dtype and the device."""

from __future__ import annotations

from typing import Any

from . import dtypes
from .creation import legacy_of
from .public import publish
from .tensor import Tensor


class TensorType(type):
    """The class of the old tensor types; calling one makes a tensor of its dtype on the CPU."""

    _legacy_dtype: dtypes.dtype

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        return legacy_of(Tensor, cls._legacy_dtype.np, args, device)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls._legacy_dtype and instance.device.type == "cpu"

    @property
    def dtype(cls) -> dtypes.dtype:
        return cls._legacy_dtype


for _dtype in dict.fromkeys(dtypes.DTYPES.values()):
    _name = f"{_dtype._scalar.scalar_name}Tensor"
    if not _name.startswith(("UInt", "Complex")):
        publish("torch", _name, TensorType(_name, (), {"_legacy_dtype": _dtype, "__module__": "torch"}))
