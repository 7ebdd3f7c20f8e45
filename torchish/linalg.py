"""Linear algebra. https://docs.pytorch.org/docs/stable/linalg.html"""

from __future__ import annotations

from ._core.load import PUBLIC

globals().update(PUBLIC["linalg"])
__all__ = sorted(PUBLIC["linalg"])
