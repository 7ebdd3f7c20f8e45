"""NumPy's names of arguments, which PyTorch takes as well: ``x.sum(axis=0, keepdims=True)``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_PYTORCH_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def accepting_numpy_names(function: F) -> F:
    """``function``, which also takes ``axis`` for ``dim`` and ``keepdims`` for ``keepdim``, where it has those."""
    parameters = inspect.signature(function).parameters
    names = {theirs: ours for theirs, ours in _PYTORCH_NAMES.items() if ours in parameters and theirs not in parameters}
    if not names:
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in names.items():
                if theirs in kwargs:
                    kwargs.setdefault(ours, kwargs.pop(theirs))
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]
