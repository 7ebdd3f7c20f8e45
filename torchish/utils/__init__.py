"""Utilities, as ``torch.utils``."""

from __future__ import annotations

from . import data, dlpack, hooks

__all__ = ["data", "dlpack", "hooks"]
