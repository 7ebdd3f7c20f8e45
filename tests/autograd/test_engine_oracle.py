"""Graphs, hooks and refusals of this folder under real PyTorch: the same numbers, the same order, the same words."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from graphs import GRAPHS, START
from hook_programs import EXPECTED, PROGRAMS
from refusals import REFUSALS, Refusal

import torchish

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle


def derivatives(backend: Any, name: str) -> list[list[float]]:
    """The value, the gradient, and the gradient of the gradient's weighted sum."""
    x = backend.tensor(START, dtype=backend.float64, requires_grad=True)
    value = GRAPHS[name](backend, x)
    (g,) = backend.autograd.grad(value, x, create_graph=True)
    slope = (g * backend.arange(1.0, 5.0)).sum()
    found = [[value.item()], g.tolist()]
    if slope.requires_grad:
        (second,) = backend.autograd.grad(slope, x, allow_unused=True, materialize_grads=True)
        found.append(second.tolist())
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_first_and_second_derivatives(name: str) -> None:
    # float32 on the way costs digits.
    rel = 1e-5 if name in ("mixed_dtypes", "detours") else 1e-10
    expected, got = derivatives(torch, name), derivatives(torchish, name)
    for wanted, found in zip(expected, got, strict=True):
        assert found == pytest.approx(wanted, rel=rel, abs=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
def test_hooks(name: str) -> None:
    assert PROGRAMS[name](torch) == EXPECTED[name] == PROGRAMS[name](torchish)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda r: r.name)
def test_refusals(refusal: Refusal) -> None:
    with warnings.catch_warnings(), pytest.raises(refusal.error) as caught:
        warnings.simplefilter("ignore", FutureWarning)
        refusal.run(torch)
    assert (type(caught.value), str(caught.value)) == (refusal.error, refusal.text)


def names(node: Any) -> Any:
    return None if node is None else [type(node).__name__, *[(names(n), i) for n, i in node.next_functions]]


@pytest.mark.parametrize(
    "name", ["chain", "diamond", "many_uses", "in_place", "recurrent", "complex_detour", "detours"]
)
def test_the_graphs_themselves(name: str) -> None:
    graphs = []
    for backend in (torch, torchish):
        x = backend.tensor(START, dtype=backend.float64, requires_grad=True)
        graphs.append(names(GRAPHS[name](backend, x).grad_fn))
    assert graphs[0] == graphs[1]
