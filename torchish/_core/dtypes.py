"""``torchish.dtype`` and its instances, one for each entry of ``_ops.scalar_types``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._ops import scalar_types
from .._ops.scalar_types import SCALAR_TYPES, ScalarType
from .arguments import class_name


class dtype:
    """An element type, such as ``torchish.float32``; there is one object of each.

    >>> import torchish as torch
    >>> torch.float64.itemsize, torch.int8.is_floating_point, torch.complex64.to_real()
    (8, False, torch.float32)
    """

    __slots__ = ("_scalar", "is_complex", "is_floating_point", "is_signed", "itemsize", "np")

    def __init__(self, scalar: ScalarType):
        self._scalar = scalar
        self.np = scalar.np_dtype
        self.itemsize = self.np.itemsize
        self.is_floating_point = scalar_types.is_floating(self.np)
        self.is_complex = scalar_types.is_complex(self.np)
        self.is_signed = self.np.kind not in "ub"

    def __repr__(self) -> str:
        return f"torch.{self._scalar.name}"

    def __reduce__(self) -> Any:
        return _by_name, (self._scalar.name,)

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: Any) -> dtype:
        return self

    def to_real(self) -> dtype:
        """The real dtype of the same precision."""
        return of(scalar_types.real_of(self.np))

    def to_complex(self) -> dtype:
        """The complex dtype of the same precision."""
        return self if self.is_complex else of(scalar_types.complex_of(self.np))


DTYPES: dict[str, dtype] = {s.name: dtype(s) for s in SCALAR_TYPES}
ALIASES: dict[str, dtype] = {alias: DTYPES[s.name] for s in SCALAR_TYPES for alias in s.aliases}
_BY_NP: dict[np.dtype, dtype] = {d.np: d for d in DTYPES.values()}


def _by_name(name: str) -> dtype:
    return DTYPES[name]


def of(np_dtype: Any) -> dtype:
    """The dtype object of a NumPy dtype."""
    return _BY_NP[np.dtype(np_dtype)]


def get_default_dtype() -> dtype:
    """The dtype of ``torchish.tensor(1.0)``."""
    return of(scalar_types.default_float())


def to_np(d: Any, function: str = "") -> np.dtype | None:
    """The NumPy dtype of a ``dtype`` argument of ``function``; None stays None."""
    if d is None:
        return None
    if isinstance(d, dtype):
        return d.np
    if d is float:
        return np.dtype(np.float64)
    if d is int:
        return np.dtype(np.int64)
    if d is bool:
        return np.dtype(np.bool_)
    if d is complex:
        return np.dtype(np.complex128)
    what = f"{function}(): argument 'dtype' must be torch.dtype" if function else "dtype must be a torch.dtype"
    raise TypeError(f"{what}, not {class_name(d)}")
