"""Special functions. https://docs.pytorch.org/docs/stable/special.html"""

from __future__ import annotations

import typing as _typing

from ._core.load import PUBLIC

globals().update(PUBLIC["special"])
__all__ = sorted(PUBLIC["special"])

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any: ...
