"""``torch.backends.mha``: whether attention in evaluation gives what PyTorch's fast path gives.

Where a mask hides all keys of a query, that is NaN, and zeros in padded places after a ``TransformerEncoder``.
"""

from __future__ import annotations

__all__ = ["get_fastpath_enabled", "set_fastpath_enabled"]

_is_fastpath_enabled = True


def get_fastpath_enabled() -> bool:
    """Whether it does."""
    return _is_fastpath_enabled


def set_fastpath_enabled(value: bool) -> None:
    """Say whether it shall."""
    global _is_fastpath_enabled
    _is_fastpath_enabled = value
