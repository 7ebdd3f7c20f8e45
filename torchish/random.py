"""Seeds and generator state. https://docs.pytorch.org/docs/stable/random.html"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._core.creation import tensor_of_array
from ._core.device import placement_of
from ._core.functions.random_functions import seed_devices
from ._core.generator import Generator as _Generator
from ._core.generator import default_generator
from ._core.methods import host_array
from ._core.tensor import Tensor

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


class Generator(_Generator):
    """A source of random numbers with its own state. https://docs.pytorch.org/docs/stable/generated/torch.Generator.html"""

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor, in PyTorch's layout."""
        return tensor_of_array(self.state_bytes(), placement_of("cpu"))

    def set_state(self, new_state: Tensor) -> None:
        """Go on from a state that ``get_state`` gave."""
        self.set_state_bytes(np.array(host_array(new_state)))


default_generator.__class__ = Generator


def manual_seed(seed: int) -> Any:
    """Start the random numbers over from ``seed``; on the CPU they are PyTorch's, bit for bit.

    >>> import torchish as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    number = int(seed)
    default_generator.manual_seed(number)
    seed_devices(number)
    return default_generator


def seed() -> int:
    """Start the random numbers over from a random seed, which is returned."""
    number = default_generator.seed()
    seed_devices(number)
    return number


def initial_seed() -> int:
    """The seed that the random numbers started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The CPU generator's state as a uint8 tensor."""
    return default_generator.get_state()  # type: ignore[attr-defined]


def set_rng_state(new_state: Tensor) -> None:
    """Go on from a state that ``get_rng_state`` gave."""
    default_generator.set_state(new_state)  # type: ignore[attr-defined]


@contextlib.contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, _caller: str = "", _devices_kw: str = "", device_type: str = "cuda"
) -> Iterator[None]:
    """Leave the random numbers as they were, at the end of the block."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
