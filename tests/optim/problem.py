"""The small problem that the optimizer tests minimise, in torchish and, for comparison, in PyTorch."""

from __future__ import annotations

from typing import Any

import torchish

STEPS = 8


def make(lib: Any, dtype: str = "float32") -> tuple[Any, Any, Any]:
    """A weight, a bias and an input, the same in any ``lib``."""
    dtype = getattr(lib, dtype)
    weight = lib.tensor([[-1.0, -0.6, -0.2], [0.2, 0.6, 1.0]], dtype=dtype, requires_grad=True)
    bias = lib.tensor([0.5, 0.0, -0.5], dtype=dtype, requires_grad=True)
    return weight, bias, lib.tensor([[1.0, -2.0], [0.5, 0.25]], dtype=dtype)


def loss_of(weight: Any, bias: Any, x: Any) -> Any:
    return ((x @ weight + bias).sigmoid() - 0.3).pow(2).sum()


def minimise(optimizer: str, options: dict[str, Any], lib: Any = torchish, dtype: str = "float32") -> tuple[list, Any]:
    """The parameters after ``STEPS`` steps as one list, and the optimizer."""
    weight, bias, x = make(lib, dtype)
    given = {k: lib.tensor(v.tolist()) if hasattr(v, "tolist") else v for k, v in options.items()}
    made = getattr(lib.optim, optimizer)([weight, bias], **given)
    for _ in range(STEPS):
        made.zero_grad()
        loss_of(weight, bias, x).backward()
        made.step()
    return [*weight.flatten().tolist(), *bias.tolist()], made
