"""The CPU, with the functions that every device's module has. https://docs.pytorch.org/docs/stable/cpu.html"""

from __future__ import annotations

from typing import Any

from . import compiler

__all__ = ["current_device", "device_count", "is_available", "set_device", "synchronize"]


def is_available() -> bool:
    """Whether there is a CPU."""
    return True


def device_count() -> int:
    """One: all processors together."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def set_device(device: Any) -> None:
    """There is one CPU to set."""


def synchronize(device: Any = None) -> None:
    """Run what is pending."""
    compiler.synchronize()
