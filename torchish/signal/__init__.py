"""Signal processing. https://docs.pytorch.org/docs/stable/signal.html"""

from __future__ import annotations

from . import windows

__all__ = ["windows"]
