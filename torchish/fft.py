"""Discrete Fourier transforms. https://docs.pytorch.org/docs/stable/fft.html"""

from __future__ import annotations

import typing as _typing

from ._core.load import PUBLIC

globals().update(PUBLIC["fft"])
__all__ = sorted(PUBLIC["fft"])

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any: ...
