"""Static arguments as users give them: sizes as lists or one by one, dims as tensors, NumPy integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def as_int(x: Any) -> Any:
    """An int argument; anything that is no integer stays, for the op to refuse."""
    if isinstance(x, (bool, float, str)):
        return x
    try:
        return x.__index__()
    except (AttributeError, TypeError):
        return x


def class_name(x: Any) -> str:
    """What PyTorch's errors call an argument's class: ``numpy.ndarray``, ``torch.dtype``, ``int``."""
    cls = type(x)
    module = cls.__module__.partition(".")[0]
    if module == "numpy":
        return f"numpy.{cls.__name__}"
    return (
        f"torch.{cls.__name__}"
        if module == "torchish" and cls.__name__ in ("dtype", "device", "Size")
        else cls.__name__
    )


def as_bool(x: Any, function: str, name: str, position: int) -> bool:
    """A bool argument, and nothing that merely counts as true or false."""
    if x.__class__ is not bool:
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be bool, not {class_name(x)}")
    return x


def must_be_int(x: Any, function: str, name: str, position: int) -> int:
    """An int argument: an integer of any kind, but no bool."""
    found = as_int(x)
    if found.__class__ is not int:
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be int, not {class_name(x)}")
    return found


def as_size(x: Any) -> Any:
    """A tuple of ints from a sequence of integers, or from one."""
    if isinstance(x, (list, tuple)):
        return tuple([n if n.__class__ is int else _size_entry(n) for n in x])
    if isinstance(x, np.ndarray) and x.dtype.kind in "iu":
        return tuple(int(n) for n in x)
    if hasattr(x, "__index__"):
        return (x.__index__(),) if not isinstance(x, bool) else (int(x),)
    return x


def as_ints(x: Any, function: str, argument: str, position: int) -> tuple[int, ...]:
    """A tuple of ints from a sequence of integers; one integer alone is refused, as PyTorch does for its ``int[]``."""
    where = f"{function}(): argument '{argument}' (position {position}) must be tuple of ints, "
    if not isinstance(x, (list, tuple)):
        raise TypeError(f"{where}not {type(x).__name__}")
    for i, n in enumerate(x):
        if isinstance(n, (bool, float, str)) or not hasattr(n, "__index__"):
            raise TypeError(f"{where}but found element of type {type(n).__name__} at pos {i}")
    return tuple([n.__index__() for n in x])


def _size_entry(n: Any) -> Any:
    if isinstance(n, (list, tuple)):  # pairs, as pad and tensordot take them
        return as_size(n)
    if isinstance(n, (float, str)) or n is None:
        return n
    return n.__index__()


def as_dims(x: Any) -> Any:
    """An int, a tuple of ints or None."""
    if isinstance(x, (list, tuple)):
        return as_size(x)
    return as_int(x)


def unpack(given: Sequence[Any]) -> Any:
    """Sizes given one by one or as one sequence: ``view(2, 3)`` or ``view((2, 3))``."""
    if len(given) == 1 and not isinstance(given[0], int) and hasattr(given[0], "__iter__") and not _is_scalar(given[0]):
        return tuple(given[0])
    return tuple(given)


def named_size(function: str, argument: str, named: dict[str, Any]) -> Any:
    """The one argument that sizes given one by one may be given as by name; TypeError for another name."""
    for name in named:
        if name != argument:
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
    return named[argument]


def _is_scalar(x: Any) -> bool:
    return hasattr(x, "ndim") and x.ndim == 0
