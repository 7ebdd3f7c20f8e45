"""Python data as arrays: nested sequences, numbers, arrays and tensors, with PyTorch's inference of shape and dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._ops import scalar_types
from .tensor import Tensor


def infer_dtype(kinds: set[type]) -> np.dtype:
    if complex in kinds:
        return np.dtype(np.complex128 if scalar_types.default_float() == np.float64 else np.complex64)
    if float in kinds:
        return scalar_types.default_float()
    if int in kinds:
        return np.dtype(np.int64)
    if bool in kinds:
        return np.dtype(np.bool_)
    return scalar_types.default_float()


def _scan(data: Any, kinds: set[type]) -> tuple[int, ...]:
    """The shape of nested sequences; the classes of their numbers go to ``kinds``."""
    if isinstance(data, (list, tuple)):
        if not data:
            return (0,)
        first = _scan(data[0], kinds)
        for item in data[1:]:
            other = _scan(item, kinds)
            if other != first:
                dim = next((i for i, (a, b) in enumerate(zip(first, other, strict=False)) if a != b), 0)
                if len(first) != len(other):
                    raise ValueError(
                        f"expected sequence of length {first[0] if first else 0} at dim 1 (got {len(item)})"
                        if isinstance(item, (list, tuple)) and first
                        else "only one element tensors can be converted to Python scalars"
                        if isinstance(item, Tensor)
                        else f"must be real number, not {type(item).__name__}"
                    )
                raise ValueError(f"expected sequence of length {first[dim]} at dim {dim + 1} (got {other[dim]})")
        return (len(data), *first)
    if isinstance(data, Tensor):
        kinds.add(kind_of_dtype(data._aval.dtype))
        return tuple(data.shape)
    if isinstance(data, np.ndarray):
        kinds.add(kind_of_dtype(data.dtype))
        return data.shape
    if isinstance(data, (bool, np.bool_)):
        kinds.add(bool)
    elif isinstance(data, (int, np.integer)):
        kinds.add(int)
    elif isinstance(data, (float, np.floating)):
        kinds.add(float)
    elif isinstance(data, (complex, np.complexfloating)):
        kinds.add(complex)
    elif isinstance(data, str):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        return _scan(list(data), kinds)
    else:
        if data is None:
            raise RuntimeError("Could not infer dtype of NoneType")
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    return ()


def kind_of_dtype(dtype: np.dtype) -> type:
    return {"b": bool, "i": int, "u": int, "f": float, "V": float, "c": complex}[dtype.kind]


def _plain(data: Any) -> Any:
    """Nested sequences with tensors and arrays replaced by lists."""
    if isinstance(data, (list, tuple)):
        return [_plain(x) for x in data]
    if isinstance(data, Tensor):
        return data.tolist()  # type: ignore[attr-defined]
    return data


def array_from_data(data: Any, dtype: np.dtype | None) -> np.ndarray:
    """A fresh array of Python data, with PyTorch's inference of shape and dtype."""
    if isinstance(data, np.ndarray):
        if data.dtype not in scalar_types.BY_NP_DTYPE:
            raise TypeError(numpy_type_error(data.dtype))
        return converted(np.array(data, order="C"), dtype)
    if isinstance(data, np.generic) and data.dtype in scalar_types.BY_NP_DTYPE:
        return converted(np.array(data), dtype)
    kinds: set[type] = set()
    shape = _scan(data, kinds)
    if kinds == {float} and isinstance(data, (list, tuple)) and dtype is None and _holds_double(data):
        dtype = np.dtype(np.float64)
    target = dtype or infer_dtype(kinds)
    plain = data if kinds <= {int, float, bool, complex} and not _has_tensors(data) else _plain(data)
    if target.kind in "iu" and float in kinds | {float}:
        wide = np.array(plain, dtype=object if kinds == {int} else None)
        if wide.dtype == object:
            _check_range(wide, target)
            return wide.astype(np.int64).astype(target).reshape(shape) if wide.size else np.empty(shape, target)
        return converted(wide, target).reshape(shape)
    if target.kind != "c" and complex in kinds:
        raise RuntimeError("value cannot be converted to type " + scalar_types.BY_NP_DTYPE[target].name)
    return np.array(plain, dtype=target).reshape(shape)


def _has_tensors(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_has_tensors(x) for x in data)
    return isinstance(data, Tensor) or not isinstance(data, (int, float, bool, complex, np.ndarray))


def _holds_double(data: Any) -> bool:
    """A list of NumPy float64 scalars or arrays is a float64 tensor; Python floats are the default dtype."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.float64, np.ndarray)) and data.dtype == np.float64


def _check_range(array: np.ndarray, target: np.dtype) -> None:
    if array.size and not (-(1 << 63) <= array.min() and array.max() < 1 << 64):
        raise RuntimeError("Overflow when unpacking long long")
    info = np.iinfo(target)
    if (
        array.size
        and target.itemsize < 8
        and (array.min() < info.min - (info.max + 1) * (target.kind == "u") or array.max() > info.max)
    ):
        raise RuntimeError(f"value cannot be converted to type {_c_name(target)} without overflow")


def _c_name(dtype: np.dtype) -> str:
    return {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int"}.get(dtype.name, dtype.name)


def converted(array: np.ndarray, dtype: np.dtype | None) -> np.ndarray:
    if dtype is None or array.dtype == dtype:
        return array
    if dtype.kind in "iu" and array.dtype.kind in "fV":
        with np.errstate(invalid="ignore"):
            return array.astype(np.int64).astype(dtype)
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    return array.astype(dtype)


def numpy_type_error(dtype: np.dtype) -> str:
    return (
        f"can't convert np.ndarray of type {dtype.type.__module__}.{dtype.type.__name__}. The only supported types are: "
        "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, "
        "and bool."
    )
