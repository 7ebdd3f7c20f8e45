"""Linear algebra. https://docs.pytorch.org/docs/stable/linalg.html"""

from __future__ import annotations

import typing as _typing

from ._core.load import PUBLIC

globals().update(PUBLIC["linalg"])
__all__ = sorted(PUBLIC["linalg"])

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any: ...
