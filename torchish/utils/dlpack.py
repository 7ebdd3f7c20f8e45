"""Memory shared with other libraries. https://docs.pytorch.org/docs/stable/dlpack.html"""

from __future__ import annotations

from .._core.functions.creation_functions import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
