"""Large arrays that die in a step give their memory to its results; arrays that anybody holds do not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import torchish as torch
from torchish import interop
from torchish._exec import window as window_module
from torchish._exec.donation import LEAST_BYTES
from torchish._exec.window import THREADS

pytestmark = pytest.mark.skipif(THREADS.context.limit == 1, reason="eager mode compiles no windows")
SIDE = math.isqrt(LEAST_BYTES // 4)


@pytest.fixture
def weight() -> torch.Tensor:
    window_module.clear_compiled()
    made = torch.ones(SIDE, SIDE, requires_grad=True)
    for _ in range(3):  # until the step is compiled
        step(made)
    return made


def step(weight: torch.Tensor) -> None:
    (weight * 0.25).sum().backward()
    with torch.no_grad():
        weight -= weight.grad
    weight.grad = None
    torch.compiler.synchronize()


def array_of(weight: torch.Tensor) -> Any:
    return weight._storage.value.array


def is_given_up(weight: torch.Tensor, hold: Any = None) -> bool:
    before = array_of(weight).unsafe_buffer_pointer()
    held = None if hold is None else hold(weight)
    step(weight)
    assert weight[0, 0].item() == 0.0  # four steps of a quarter
    if held is not None:
        assert np.asarray(held)[0, 0] == 0.25
    return array_of(weight).unsafe_buffer_pointer() == before


def test_a_parameter_that_is_overwritten_gives_its_memory_to_the_new_one(weight: torch.Tensor) -> None:
    assert is_given_up(weight)


@pytest.mark.parametrize(
    "hold",
    [lambda w: interop.to_jax(w.detach()), lambda w: w.detach().clone(), lambda w: np.asarray(array_of(w))],
    ids=["the JAX array", "a clone", "NumPy's view of the JAX array"],
)
def test_what_somebody_holds_stays(weight: torch.Tensor, hold: Any) -> None:
    is_given_up(weight, hold)


def test_a_saved_operand_stays_for_its_derivative(weight: torch.Tensor) -> None:
    square = (weight * weight).sum()
    step(weight)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.backward()
    assert square.item() == 0.0625 * SIDE * SIDE


def test_interrupted_before_it_ran_a_step_has_used_nothing_up(
    weight: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(window_module, "_call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step(weight)
    torch.compiler.synchronize()
    assert weight.grad is None or weight.grad[0, 0].item() == 0.25
    assert weight[0, 0].item() == 0.25
