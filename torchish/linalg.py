"""Linear algebra. https://docs.pytorch.org/docs/stable/linalg.html"""

from __future__ import annotations

import typing as _typing

from ._core.load import PUBLIC
from ._ops.linalg.errors import LinAlgError

globals().update(PUBLIC["linalg"])
__all__ = sorted((*PUBLIC["linalg"], LinAlgError.__name__.lstrip("_")))

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any: ...
