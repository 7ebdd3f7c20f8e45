"""The backward pass as one instruction and node by node give the same numbers, on graphs of all kinds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import torchish as torch
from torchish import Tensor
from torchish.autograd import engine


def diamond(x: Tensor) -> Tensor:
    y = x * 2
    return (y.sin() * y.exp() + y).sum()


def in_place(x: Tensor) -> Tensor:
    y = x * 3
    y.mul_(x)
    y[0] = x[1] * 2
    y[1:].add_(x[:-1])
    return (y * y).sum()


def views(x: Tensor) -> Tensor:
    square = torch.outer(x, x)
    a, b = square.t().chunk(2, 1)
    return (a @ b.t()).diagonal().sum() + square.expand(2, 4, 4)[1].sum()


def several_results(x: Tensor) -> Tensor:
    values, indices = x.sort(descending=True)
    top = x.max(0)
    return (values * torch.arange(4.0)).sum() + top.values * 3 + (indices * 0).sum()


def reused(x: Tensor) -> Tensor:
    h = x
    for _ in range(5):
        h = torch.tanh(h * x + h)
    return h.mean()


GRAPHS = [diamond, in_place, views, several_results, reused]


def gradient(graph: Callable[[Tensor], Tensor], hooked: bool) -> list[float]:
    x = torch.tensor([0.3, -0.7, 1.1, 0.2], requires_grad=True)
    loss = graph(x)
    if hooked:
        loss.register_hook(lambda g: None)
    loss.backward()
    assert x.grad is not None
    return x.grad.tolist()


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda g: g.__name__)
def test_both_ways_give_the_same_gradient(graph: Callable[[Tensor], Tensor]) -> None:
    assert gradient(graph, hooked=True) == pytest.approx(gradient(graph, hooked=False), rel=1e-5)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda g: g.__name__)
def test_the_gradient_is_that_of_finite_differences(graph: Callable[[Tensor], Tensor]) -> None:
    start = torch.tensor([0.3, -0.7, 1.1, 0.2], dtype=torch.float64)
    x = start.clone().requires_grad_()
    (found,) = torch.autograd.grad(graph(x), x)
    step = 1e-6
    for i in range(4):
        up, down = start.clone(), start.clone()
        up[i] += step
        down[i] -= step
        with torch.no_grad():
            slope = (graph(up) - graph(down)).item() / (2 * step)
        assert found[i].item() == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_a_long_graph_is_several_tapes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gradient(reused, hooked=False)
    monkeypatch.setattr(engine, "LONGEST_TAPE", 3)
    assert gradient(reused, hooked=False) == pytest.approx(whole, rel=1e-4)
    assert gradient(in_place, hooked=False) == pytest.approx(gradient(in_place, hooked=True), rel=1e-5)


@pytest.mark.parametrize("hooked", [False, True], ids=["tapes", "node by node"])
def test_a_chain_of_a_hundred_thousand_nodes(hooked: bool) -> None:
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    if hooked:
        y.register_hook(lambda gradient: None)
    y.backward()
    assert x.grad is not None and x.grad.tolist() == [1.0]
    del y


def test_third_derivatives() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    value = x**4
    found = []
    for _ in range(3):
        (value,) = torch.autograd.grad(value, x, create_graph=True)
        found.append(value.item())
    assert found == [32.0, 48.0, 48.0]


def test_inputs_limit_what_is_accumulated() -> None:
    a = torch.ones(2, requires_grad=True)
    b = torch.ones(2, requires_grad=True)
    (a * b * 3).sum().backward(inputs=[b])
    assert a.grad is None
    assert b.grad is not None and b.grad.tolist() == [3.0, 3.0]


def test_an_exception_in_a_hook_leaves_gradients_alone() -> None:
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    y = x * 3

    def broken(gradient: Tensor) -> None:
        raise ValueError("no")

    y.register_hook(broken)
    with pytest.raises(ValueError, match="no"):
        y.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2.0, 2.0]
