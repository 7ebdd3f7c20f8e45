"""Python data as arrays: nested sequences, numbers, arrays and tensors, with PyTorch's inference of shape and dtype."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._ops import scalar_types
from . import promotion
from .tensor import Tensor


def infer_dtype(kinds: set[type]) -> np.dtype:
    """The dtype of Python numbers of these classes."""
    if complex in kinds:
        return promotion.number_dtype(complex)
    if float in kinds:
        return scalar_types.default_float()
    if int in kinds:
        return np.dtype(np.int64)
    if bool in kinds:
        return np.dtype(np.bool_)
    return scalar_types.default_float()


def kind_of_dtype(dtype: np.dtype) -> type:
    return {"b": bool, "i": int, "u": int, "f": float, "V": float, "c": complex}[dtype.kind]


def array_from_data(data: Any, dtype: np.dtype | None) -> np.ndarray:
    """A fresh array of Python data, with PyTorch's inference of shape and dtype."""
    if isinstance(data, np.ndarray):
        if data.dtype not in scalar_types.BY_NP_DTYPE:
            raise TypeError(numpy_type_error(data.dtype))
        return converted(np.array(data, order="C"), dtype)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    shape = _shape_of(data)
    found: set[Any] = set()
    _collect_dtypes(data, found)
    target = dtype or _common_dtype(found)
    if 0 in shape:
        return np.empty(shape, target)
    numbers: list[Any] = []
    _flatten(data, shape, 0, numbers)
    return _stored(numbers, target).reshape(shape)


def _is_sequence(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return True
    if isinstance(x, np.ndarray):
        return x.ndim > 0
    if isinstance(x, (int, float, complex, Tensor, np.generic, Mapping, bytes)):
        return False
    return hasattr(x, "__len__") and hasattr(x, "__getitem__")


def _shape_of(data: Any) -> tuple[int, ...]:
    """The shape that the first entries say; the others are held to it later."""
    shape = []
    while _is_sequence(data):
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
        if isinstance(data, (str, bytes)):
            raise ValueError(f"too many dimensions '{type(data).__name__}'")
    return tuple(shape)


_PYTHON_NUMBERS = frozenset({bool, int, float, complex})


def _collect_dtypes(data: Any, found: set[Any]) -> None:
    """The classes of Python numbers in ``data``, and the dtypes of NumPy's and of tensors."""
    if isinstance(data, (list, tuple)):
        for x in data:
            if x.__class__ in _PYTHON_NUMBERS:
                found.add(x.__class__)
            else:
                _collect_dtypes(x, found)
    elif isinstance(data, (np.ndarray, np.generic)):
        found.add(data.dtype)
    elif isinstance(data, Tensor):
        found.add(data._aval.dtype)
    elif isinstance(data, (bool, int, float, complex)):
        found.add(next(c for c in (bool, int, float, complex) if isinstance(data, c)))
    elif isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    elif _is_sequence(data):
        _collect_dtypes(list(data), found)
    else:
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _common_dtype(found: set[Any]) -> np.dtype:
    dtypes = [promotion.number_dtype(x) if isinstance(x, type) else x for x in found]
    return functools.reduce(promotion.join, dtypes) if dtypes else scalar_types.default_float()


def _flatten(data: Any, shape: tuple[int, ...], dim: int, numbers: list[Any]) -> None:
    if dim == len(shape):
        numbers.append(data)
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[dim]:
        raise ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    if dim == len(shape) - 1:
        numbers.extend(data)
    else:
        for x in data:
            _flatten(x, shape, dim + 1, numbers)


def _number(x: Any, target: np.dtype) -> Any:
    """An entry as a Python number."""
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, Tensor) and x._aval.numel == 1:
        return x.item()  # type: ignore[attr-defined]
    if isinstance(x, Tensor) and target.kind in "iu":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    if isinstance(x, Tensor):
        raise ValueError("only one element tensors can be converted to Python scalars")
    if isinstance(x, (bool, int, float, complex)):
        return x
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return x.item()
    if target.kind in "iub":
        raise TypeError(f"'{type(x).__name__}' object cannot be interpreted as an integer")
    raise TypeError(f"must be real number, not {type(x).__name__}")


def _stored(numbers: list[Any], target: np.dtype) -> np.ndarray:
    """Numbers as a flat array of ``target``."""
    if not set(map(type, numbers)) <= _PYTHON_NUMBERS:
        numbers = [_number(x, target) for x in numbers]
    if target.kind == "b":
        return np.array(numbers).astype(np.bool_)
    if target.kind == "c":
        return np.array(numbers, np.complex128).astype(target)
    if any(isinstance(x, complex) for x in numbers):
        if target.kind in "iu":
            raise TypeError("'complex' object cannot be interpreted as an integer")
        raise TypeError("must be real number, not complex")
    if target.kind not in "iu":
        with np.errstate(over="ignore"):
            return np.array(numbers, np.float64).astype(target)
    if any(isinstance(x, float) for x in numbers):
        values = np.array(numbers, np.float64)
    elif target == np.uint64:
        _check_uint64(numbers)
        return np.array(numbers, np.uint64)
    else:
        try:
            values = np.array(numbers, np.int64)
        except OverflowError:
            raise ValueError("Overflow when unpacking long long") from None
    info = np.iinfo(target)
    low = -info.max if target.kind == "u" else info.min  # PyTorch lets negative numbers wrap
    if not np.all((values >= low) & (values <= info.max)):
        raise RuntimeError(f"value cannot be converted to type {target.name} without overflow")
    return values.astype(np.int64).astype(target)


def _check_uint64(numbers: list[int]) -> None:
    if min(numbers) < 0:
        raise OverflowError("can't convert negative int to unsigned")
    if max(numbers) >= 1 << 64:
        raise OverflowError("int too big to convert")


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
