"""What DataLoader is made of, under PyTorch's own names of these modules."""

from __future__ import annotations

from . import collate, fetch, pin_memory, worker

__all__ = ["collate", "fetch", "pin_memory", "worker"]
