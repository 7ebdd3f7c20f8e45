"""What every test needs before jax is imported: four CPU devices, of which the further ones stand in for CUDA ones."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest

# Asked once, before any test installs torchish under the name `torch`.
TORCH_IS_HERE = importlib.util.find_spec("torch") is not None

DEVICE_COUNT_FLAG = "--xla_force_host_platform_device_count"

# The default device of all tests, for a run on an accelerator. Those that look at data through NumPy are for the CPU.
DEVICE = os.environ.get("TORCHISH_TEST_DEVICE")

if DEVICE is None:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("TORCHISH_CUDA_PLATFORM", "cpu")
if DEVICE_COUNT_FLAG not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {DEVICE_COUNT_FLAG}=4".strip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``oracle`` compare with real PyTorch: skip them where it is not installed."""
    if TORCH_IS_HERE:
        return
    skip = pytest.mark.skip(reason="PyTorch is not installed")
    for item in items:
        if item.get_closest_marker("oracle"):
            item.add_marker(skip)


@pytest.fixture(autouse=DEVICE is not None)
def default_device() -> Iterator[None]:
    """What a test makes lies on the device that the run is for."""
    import torchish

    torchish.set_default_device(DEVICE)
    yield
    torchish.set_default_device(None)
