"""Warnings at the user's line, and those that PyTorch gives once a process unless ``set_warn_always`` says otherwise."""

from __future__ import annotations

import sys
import warnings

import numpy as np

_given: set[str] = set()
_always = False


def warn(text: str) -> None:
    """Give a UserWarning where the machinery was called from, however deep in it this is."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_MACHINERY):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)


_MACHINERY = ("torchish._core", "torchish.autograd")


def warn_once(text: str) -> None:
    """``warn`` the first time that it is asked for."""
    if _always or text not in _given:
        _given.add(text)
        warn(text)


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
        warn_once("Casting complex values to real discards the imaginary part")


def forget() -> None:
    """As if none had been given: for tests."""
    _given.clear()
