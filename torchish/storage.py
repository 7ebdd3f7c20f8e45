"""Tensors' memory. https://docs.pytorch.org/docs/stable/storage.html"""

from __future__ import annotations

from ._core.storage_objects import TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
