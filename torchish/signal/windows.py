"""Window functions. https://docs.pytorch.org/docs/stable/signal.html"""

from __future__ import annotations

import typing as _typing

from .._core.load import PUBLIC

globals().update(PUBLIC["signal.windows"])
__all__ = sorted(PUBLIC["signal.windows"])

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any: ...
