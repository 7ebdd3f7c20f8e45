"""The GPU that JAX sees. https://docs.pytorch.org/docs/stable/cuda.html"""

from __future__ import annotations

from typing import Any

from . import compiler
from ._core.device import device as _device
from ._core.functions.random_functions import seed_devices
from ._exec import placement as _placements

__all__ = [
    "current_device",
    "device_count",
    "get_device_name",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available() -> bool:
    """Whether JAX sees a GPU."""
    return device_count() > 0


def device_count() -> int:
    """How many GPUs JAX sees."""
    return len(_placements.devices("cuda"))


def current_device() -> int:
    """The index of the GPU that ``cuda`` means: the first."""
    if not is_available():
        raise AssertionError("Torch not compiled with CUDA enabled")
    return 0


def get_device_name(device: Any = None) -> str:
    """What the GPU calls itself."""
    index = 0 if device is None else _device(device).index or 0
    return _placements.placement("cuda", index).jax_device.device_kind


def synchronize(device: Any = None) -> None:
    """Run what is pending."""
    compiler.synchronize()


def manual_seed(seed: int) -> None:
    """Seed the GPU's random numbers."""
    seed_devices(seed)


def manual_seed_all(seed: int) -> None:
    """Seed all GPUs' random numbers."""
    seed_devices(seed)


def empty_cache() -> None:
    """Nothing to do: XLA manages the GPU's memory."""
