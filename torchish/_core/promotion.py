"""PyTorch's type promotion.

Operands fall in three ranks: tensors with dimensions, 0-dim tensors, Python numbers. Within a rank all
dtypes are joined; a lower rank counts only where it is of a higher category (bool < integer < floating <
complex) than the ranks above. So ``float16[1] + float32[]`` is float16, and ``int32[1] * 2.5`` is float32.
"""

from __future__ import annotations

from collections.abc import Iterable

import ml_dtypes
import numpy as np

from .._ops import scalar_types

BOOL = np.dtype(np.bool_)
_HALF, _BFLOAT16, _FLOAT, _DOUBLE = (np.dtype(t) for t in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64))


def category(dtype: np.dtype) -> int:
    """0 bool, 1 integer, 2 floating, 3 complex."""
    return {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}[dtype.kind]


def complex_of(dtype: np.dtype) -> np.dtype:
    """The complex dtype whose parts hold ``dtype``."""
    return np.dtype(np.complex128 if dtype == _DOUBLE else np.complex64)


def join(a: np.dtype, b: np.dtype) -> np.dtype:
    """``torch.promote_types``: the smallest dtype that both convert to."""
    if a == b:
        return a
    low, high = sorted((a, b), key=category)
    if any(d.kind == "u" and d.itemsize > 1 for d in (a, b)) and category(high) != 2:
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{scalar_types.BY_NP_DTYPE[a].scalar_name} and {scalar_types.BY_NP_DTYPE[b].scalar_name}"
        )
    if category(high) == 3:
        if category(low) < 2:
            return high
        parts = join(scalar_types.real_of(low), scalar_types.real_of(high))
        return complex_of(parts)
    if category(high) == 2:
        if category(low) < 2:
            return high
        if {a, b} == {_HALF, _BFLOAT16}:
            return _FLOAT
        return a if a.itemsize > b.itemsize else b
    if category(low) == 0:
        return high
    if a.kind == b.kind:
        return a if a.itemsize > b.itemsize else b
    signed = b if a.kind == "u" else a
    return signed if signed.itemsize > 1 else np.dtype(np.int16)


def number_dtype(cls: type) -> np.dtype:
    """The dtype that a Python number has in promotion."""
    if cls is bool:
        return BOOL
    if cls is int:
        return np.dtype(np.int64)
    default = scalar_types.default_float()
    return complex_of(default) if cls is complex else default


def _over(high: np.dtype | None, low: np.dtype | None) -> np.dtype | None:
    """The join of two ranks, of which ``high`` decides within a category."""
    if high is None or low is None:
        return high if low is None else low
    if category(low) <= category(high):
        return high
    if category(high) == 2:
        return complex_of(high)
    return low if category(low) > 1 else join(high, low)


def result_type(operands: Iterable[tuple[np.dtype, int]]) -> np.dtype:
    """The common dtype of operands given as (dtype, rank); rank 2 has dimensions, 1 is 0-dim, 0 a number."""
    ranks: list[np.dtype | None] = [None, None, None]
    for dtype, rank in operands:
        known = ranks[rank]
        ranks[rank] = dtype if known is None else join(known, dtype)
    common = _over(_over(ranks[2], ranks[1]), ranks[0])
    assert common is not None
    return common


def can_cast(source: np.dtype, target: np.dtype) -> bool:
    """Whether a result of ``source`` may be written into a tensor of ``target``."""
    a, b = category(source), category(target)
    return a <= b
