"""Sizes given as one number or as one a dimension."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """``value`` as a tuple: an iterable as it is, anything else repeated ``n`` times."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def reversed_pairs(values: Iterable[Any]) -> tuple[Any, ...]:
    """Each value twice, last dimension first: the padding of both sides as ``F.pad`` takes it."""
    return tuple(value for value in reversed(tuple(values)) for _ in range(2))
