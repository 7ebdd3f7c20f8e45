"""What an argument of an op may be said to be: numbers of a kind, in a shape."""

from __future__ import annotations

from typing import Any, NamedTuple


class Floats(NamedTuple):
    """Different float64 numbers between ``low`` and ``high``: inside the domain of most functions, away from kinks."""

    shape: tuple[int, ...]
    low: float = 0.15
    high: float = 0.9


class Ints(NamedTuple):
    """int64 numbers from ``low`` to below ``high``."""

    shape: tuple[int, ...]
    high: int = 3
    low: int = 0


class Permutation(NamedTuple):
    """0, 1, ..., n - 1 in another order: indices of which no two are the same."""

    n: int


class Bools(NamedTuple):
    shape: tuple[int, ...]


class Fixed(NamedTuple):
    """These very numbers."""

    data: Any


def f(*shape: int, low: float = 0.15, high: float = 0.9) -> Floats:
    return Floats(shape, low, high)


def i(*shape: int, high: int = 3, low: int = 0) -> Ints:
    return Ints(shape, high, low)


SQUARE = f(3, 3)
