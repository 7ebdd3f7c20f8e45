"""``torchish.Size``."""

from __future__ import annotations

import math
from typing import Any


def _as_size(n: Any, position: int) -> int:
    try:
        return n.__index__()
    except (AttributeError, TypeError):
        found = type(n).__name__
        raise TypeError(f"torch.Size() takes an iterable of 'int' (item {position} is '{found}')") from None


class Size(tuple):
    """A tensor's shape: a tuple of ints that prints as ``torch.Size([2, 3])``.

    >>> Size([2, 3]).numel()
    6
    """

    __slots__ = ()

    def __new__(cls, iterable: Any = (), /) -> Size:
        return super().__new__(cls, [n if n.__class__ is int else _as_size(n, i) for i, n in enumerate(iterable)])

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size((*self, *other))

    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size((*other, *self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple(self) * times)

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)
