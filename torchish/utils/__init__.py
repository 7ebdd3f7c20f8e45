"""Utilities, as ``torch.utils``."""

from __future__ import annotations

from . import dlpack, hooks

__all__ = ["dlpack", "hooks"]
