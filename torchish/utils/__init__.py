"""Utilities, as ``torch.utils``."""

from . import hooks
