"""Warnings that PyTorch gives once a process, whatever the filters say."""

from __future__ import annotations

import warnings

import numpy as np

_GIVEN: set[str] = set()


def warn_once(text: str, stacklevel: int = 2) -> None:
    """Give this UserWarning unless it has been given. ``stacklevel`` as in ``warnings.warn``, from the caller."""
    if text in _GIVEN:
        return
    _GIVEN.add(text)
    warnings.warn(text, UserWarning, stacklevel=stacklevel + 1)


def warn_of_complex(source: np.dtype, target: np.dtype) -> None:
    """Where a conversion drops imaginary parts."""
    if source.kind == "c" and target.kind not in "cb":
        warn_once("Casting complex values to real discards the imaginary part", stacklevel=4)


def forget() -> None:
    """As if none had been given: for tests."""
    _GIVEN.clear()
