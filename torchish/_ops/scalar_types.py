"""What PyTorch calls each NumPy/JAX dtype, and the one dtype that a setting can change.

Op bodies see NumPy dtypes only. PyTorch's error texts speak of "Float" and "Long", its printed
dtypes of ``torch.float32``: both names come from this table, and ``torchish.dtype`` is built on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np


class ScalarType(NamedTuple):
    """One element type: PyTorch's dtype name, its names in C++, other dtype names, and NumPy's dtype."""

    name: str
    scalar_name: str
    cpp_name: str
    aliases: tuple[str, ...]
    np_dtype: np.dtype


SCALAR_TYPES: tuple[ScalarType, ...] = tuple(
    ScalarType(name, scalar, cpp, aliases, np.dtype(np_type))
    for name, scalar, cpp, aliases, np_type in (
        ("uint8", "Byte", "unsigned char", (), np.uint8),
        ("int8", "Char", "signed char", (), np.int8),
        ("int16", "Short", "short int", ("short",), np.int16),
        ("int32", "Int", "int", ("int",), np.int32),
        ("int64", "Long", "long int", ("long",), np.int64),
        ("float16", "Half", "c10::Half", ("half",), np.float16),
        ("float32", "Float", "float", ("float",), np.float32),
        ("float64", "Double", "double", ("double",), np.float64),
        ("complex64", "ComplexFloat", "c10::complex<float>", ("cfloat",), np.complex64),
        ("complex128", "ComplexDouble", "c10::complex<double>", ("cdouble",), np.complex128),
        ("bool", "Bool", "bool", (), np.bool_),
        ("bfloat16", "BFloat16", "c10::BFloat16", (), ml_dtypes.bfloat16),
        ("uint16", "UInt16", "short unsigned int", (), np.uint16),
        ("uint32", "UInt32", "unsigned int", (), np.uint32),
        ("uint64", "UInt64", "long unsigned int", (), np.uint64),
    )
)

BY_NP_DTYPE: dict[np.dtype, ScalarType] = {s.np_dtype: s for s in SCALAR_TYPES}

_FITTING_NAMES = {"float32": "float", "float64": "double", "complex64": "c10::complex<float>", "int32": "int"}


def check_fits(value: Any, dtype: np.dtype) -> None:
    """Raise PyTorch's error where a Python number cannot become one of ``dtype``, as a fill needs it.

    Fractions are cut, negative numbers wrap in unsigned dtypes, and everything fits half precision and bool.
    """
    if dtype.kind == "b":
        return
    if value.__class__ is int and not -(1 << 63) <= value < 1 << 63:
        raise OverflowError("int too big to convert")
    fits, name = True, _FITTING_NAMES.get(dtype.name, f"{dtype.name}_t")
    if value.__class__ is complex and dtype.kind != "c":
        fits, value = value.imag == 0, value.real
        name = "double" if dtype.itemsize == 2 and dtype.kind in "fV" else name
    if fits and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fits = (-limits.max if dtype.kind == "u" else limits.min) <= value <= limits.max
    elif fits and dtype in (np.float32, np.complex64):
        largest = float(np.finfo(np.float32).max)
        parts = (value.real, value.imag)
        fits = not any(largest < abs(part) < float("inf") for part in parts)
    if not fits:
        raise RuntimeError(f"value cannot be converted to type {name} without overflow")


_default_float = np.dtype(np.float32)


def default_float() -> np.dtype:
    """The dtype that integers take where an op yields floats (``torch.get_default_dtype()``)."""
    return _default_float


def set_default_float(dtype: np.dtype) -> None:
    global _default_float
    _default_float = np.dtype(dtype)


def scalar_name(dtype) -> str:
    """``"Float"``, ``"Long"``, ...: the C++ name that PyTorch's error texts use.

    >>> scalar_name(np.int64)
    'Long'
    """
    return BY_NP_DTYPE[np.dtype(dtype)].scalar_name


def torch_name(dtype) -> str:
    """``"torch.float32"``, ...: the printed form of PyTorch's dtype.

    >>> torch_name(np.float32)
    'torch.float32'
    """
    return "torch." + BY_NP_DTYPE[np.dtype(dtype)].name


def is_bool(dtype) -> bool:
    return np.dtype(dtype).kind == "b"


def is_integral(dtype) -> bool:
    """Whether ``dtype`` is an integer or bool."""
    return np.dtype(dtype).kind in "iub"


def is_complex(dtype) -> bool:
    return np.dtype(dtype).kind == "c"


def is_floating(dtype) -> bool:
    """Whether ``dtype`` is a real floating type (bfloat16 included, whose NumPy kind is ``V``)."""
    kind = np.dtype(dtype).kind
    return kind == "f" or kind == "V"


def is_inexact(dtype) -> bool:
    """Whether ``dtype`` can carry a gradient: floating or complex."""
    return np.dtype(dtype).kind in "fcV"


def complex_of(dtype) -> np.dtype:
    """The complex dtype whose parts have the floating ``dtype``; NotImplementedError for float16.

    >>> complex_of(np.float32)
    dtype('complex64')
    """
    if np.dtype(dtype) == np.float16:
        raise NotImplementedError("torchish: complex32 (ComplexHalf) is a dtype that JAX does not have")
    return np.dtype(np.complex128 if np.dtype(dtype) == np.float64 else np.complex64)


def real_of(dtype) -> np.dtype:
    """The real counterpart of a complex dtype; any other dtype itself."""
    dtype = np.dtype(dtype)
    if dtype.kind != "c":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
