"""Warnings that PyTorch gives once a process, unless ``set_warn_always`` says otherwise."""

from __future__ import annotations

import warnings

import numpy as np

_given: set[str] = set()
_always = False


def warn_once(text: str, stacklevel: int = 2) -> None:
    """Give a UserWarning the first time that it is asked for; ``stacklevel`` as ``warnings.warn`` counts it."""
    if _always or text not in _given:
        _given.add(text)
        warnings.warn(text, UserWarning, stacklevel=stacklevel + 1)


def set_warn_always(b: bool) -> None:
    """Whether warnings that PyTorch gives once a process are given each time."""
    global _always
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _always = b


def is_warn_always_enabled() -> bool:
    """Whether warnings that PyTorch gives once a process are given each time."""
    return _always


def warn_of_complex(source: np.dtype, target: np.dtype) -> None:
    """Where a conversion drops imaginary parts."""
    if source.kind == "c" and target.kind not in "cb":
        warn_once("Casting complex values to real discards the imaginary part", stacklevel=4)


def forget() -> None:
    """As if none had been given: for tests."""
    _given.clear()
