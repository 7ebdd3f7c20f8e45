"""Constructors that several layers share, under the name that PyTorch's errors call each of them by."""

from __future__ import annotations

import types
from typing import Any

# Classes whose constructor stands in PyTorch in each of their subclasses.
_SHARED = frozenset(
    {
        "ELU",
        "_AlongDim",
        "_AvgPoolNd",
        "_ConstantPad",
        "_Conv",
        "_ConvTransposeNd",
        "_FractionalMaxPoolNd",
        "_Inplace",
        "_LazyConv",
        "_LazyConvTranspose",
        "_MaxUnpoolNd",
        "_Pad",
        "_ZeroPad",
    }
)


def name_own_init(cls: Any) -> None:
    """Give a layer a constructor of its own name where it inherits one: ``Conv2d.__init__() missing ...``."""
    if not cls.__module__.startswith("torchish.nn.") or "__init__" in cls.__dict__ or cls.__name__ in _SHARED:
        return
    shared = cls.__init__
    owner = shared.__qualname__.partition(".")[0]
    name = cls.__name__ if owner in _SHARED else "_BatchNorm" if cls.__name__ == "_BatchNorm" else None
    if name is None:
        return
    own = types.FunctionType(shared.__code__, shared.__globals__, "__init__", shared.__defaults__, shared.__closure__)
    own.__kwdefaults__, own.__annotations__, own.__doc__ = shared.__kwdefaults__, shared.__annotations__, shared.__doc__
    own.__module__, own.__qualname__ = shared.__module__, f"{name}.__init__"
    cls.__init__ = own
