"""PyTorch's conventions where naive JAX has others, one case each; the oracle tests hold the cases to PyTorch."""

from __future__ import annotations

import complex_gradients
import gradients_at_kinks
import indices_and_integers
import pytest
import types_of_results
from convention import NAN, Case, Refusal, check, check_refusal

import torchish

MODULES = (gradients_at_kinks, complex_gradients, indices_and_integers, types_of_results)
CASES = [
    pytest.param(case, id=f"{module.__name__}: {case.name}")
    for module in MODULES
    for case in getattr(module, "CASES", ())
]
REFUSALS = [
    pytest.param(case, id=f"{module.__name__}: {case.name}")
    for module in MODULES
    for case in getattr(module, "REFUSALS", ())
]

pytestmark = pytest.mark.filterwarnings("ignore:.*degrees of freedom")


@pytest.mark.parametrize("case", CASES)
def test_the_convention_is_pytorchs(case: Case) -> None:
    check(torchish, case)


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_pytorch_has_the_convention(case: Case) -> None:
    check(pytest.importorskip("torch"), case)


@pytest.mark.parametrize("case", REFUSALS)
def test_it_is_refused(case: Refusal) -> None:
    check_refusal(torchish, case)


@pytest.mark.oracle
@pytest.mark.parametrize("case", REFUSALS)
def test_pytorch_refuses_it(case: Refusal) -> None:
    check_refusal(pytest.importorskip("torch"), case)


def test_maximum_keeps_nan_in_a_compiled_window() -> None:
    """XLA on CPU has a fast minimum and maximum that drop NaN."""
    for _ in range(3):  # recorded alike each time: compiled at the second sight
        x = torchish.tensor([1.0, NAN, 3.0]) * 2
        assert torchish.isnan(torchish.maximum(x, torchish.zeros(3)) + 1).tolist() == [False, True, False]
        assert x.max().isnan().item() and torchish.minimum(x, x + 1)[1].isnan().item()


def test_a_refused_write_leaves_the_tensor() -> None:
    x = torchish.arange(3.0)
    x += 1  # pending when the index is checked
    with pytest.raises(IndexError):
        x[torchish.tensor([7])] = 5.0
        x.tolist()
    assert x.tolist() == [1.0, 2.0, 3.0]
