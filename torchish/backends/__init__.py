"""What computes: settings of PyTorch's backends that mean something to XLA. https://docs.pytorch.org/docs/stable/backends.html"""

from __future__ import annotations

from . import cuda, cudnn, mha

__all__ = ["cuda", "cudnn", "mha"]
