"""Padding, by a constant, by reflection, by the edge, or around the end."""

from __future__ import annotations

from typing import Any

from torchish._core.tensor import Tensor

from .. import functional as F
from ._sizes import ntuple
from .module import Module

__all__ = [
    f"{kind}Pad{n}d" for kind in ("Circular", "Constant", "Reflection", "Replication", "Zero") for n in (1, 2, 3)
]


class _Pad(Module):
    """Pads the last ``spatial_dims`` dimensions.

    Args:
        padding: one number, or two for each dimension, the last dimension's first.
    """

    spatial_dims: int
    mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = ntuple(padding, 2 * self.spatial_dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self.spatial_dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, self.mode)


class _ConstantPad(_Pad):
    """Pads the last dimensions with ``value``."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class CircularPad1d(_CircularPad):
    __doc__ = _Pad.__doc__
    spatial_dims = 1


class CircularPad2d(_CircularPad):
    __doc__ = _Pad.__doc__
    spatial_dims = 2


class CircularPad3d(_CircularPad):
    __doc__ = _Pad.__doc__
    spatial_dims = 3


class ConstantPad1d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    spatial_dims = 1


class ConstantPad2d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    spatial_dims = 2


class ConstantPad3d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    spatial_dims = 3


class ReflectionPad1d(_Pad):
    __doc__ = _Pad.__doc__
    spatial_dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    __doc__ = _Pad.__doc__
    spatial_dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    __doc__ = _Pad.__doc__
    spatial_dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    __doc__ = _Pad.__doc__
    spatial_dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    __doc__ = _Pad.__doc__
    spatial_dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    __doc__ = _Pad.__doc__
    spatial_dims = 3
    mode = "replicate"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    __doc__ = _Pad.__doc__


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    __doc__ = _Pad.__doc__


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    __doc__ = _Pad.__doc__
