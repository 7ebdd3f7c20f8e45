"""Handles of hooks, as ``torch.utils.hooks``."""

from .._core.graph import RemovableHandle

__all__ = ["RemovableHandle"]
