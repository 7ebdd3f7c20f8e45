"""What a workload is: a step in PyTorch's API, the same step in plain JAX, from the same initial arrays.

All backends start from the same NumPy arrays and see the same data in the same order, so that after the same number of
steps they report the same loss: the runner checks it, which shows that each backend did the work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Job(Protocol):
    """A workload set up under one backend."""

    def step(self) -> None:
        """One training step. A variant that reads its loss reads it here."""

    def finish(self) -> float:
        """Wait until all work is done (the parameters too, not the loss alone) and give the last loss."""


@dataclass(frozen=True)
class Workload:
    """``torch_job`` is given the module that plays PyTorch's part: torch itself or torchish."""

    name: str
    title: str
    steps: int  # in one round
    torch_job: Callable[[Any], Job]
    jax_job: Callable[[], Job]


@dataclass
class TorchJob:
    """A step that returns its loss tensor, with the parameters it updates."""

    train: Callable[[], Any]
    parameters: list[Any]
    read_loss: bool
    loss: Any = None

    def step(self) -> None:
        self.loss = self.train()
        if self.read_loss:
            self.loss.item()

    def finish(self) -> float:
        self.parameters[-1].detach().sum().item()
        return self.loss.item()


@dataclass
class JaxJob:
    """A step that maps its state to the next state and the loss; ``batches`` gives the arguments of each step."""

    train: Callable[..., tuple[Any, Any]]
    state: Any
    batches: Callable[[], tuple[Any, ...]]
    read_loss: bool
    loss: Any = None

    def step(self) -> None:
        self.state, self.loss = self.train(self.state, *self.batches())
        if self.read_loss:
            self.loss.item()

    def finish(self) -> float:
        import jax

        jax.block_until_ready(self.state)
        return self.loss.item()


def linear_arrays(random: np.random.Generator, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Weight of shape (outputs, inputs) and bias, float32, uniform within 1/sqrt(inputs)."""
    bound = inputs**-0.5
    weight = random.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
    return weight, random.uniform(-bound, bound, outputs).astype(np.float32)


def load_parameters(torch: Any, parameters: list[Any], arrays: list[np.ndarray]) -> None:
    """Copy the initial arrays into a module's parameters."""
    with torch.no_grad():
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.copy_(torch.from_numpy(array))
