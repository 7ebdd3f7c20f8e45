"""backward() and grad(): what they give, what they keep, and that every way to run a graph gives the same."""

from __future__ import annotations

import gc
import math
import sys
import weakref
from collections.abc import Callable

import pytest
from graphs import GRAPHS, START

import torchish as torch
from torchish import Tensor
from torchish.autograd import engine

graphs = pytest.mark.parametrize("name", GRAPHS)


def start() -> Tensor:
    return torch.tensor(START, dtype=torch.float64, requires_grad=True)


def gradient(name: str) -> list[float]:
    x = start()
    GRAPHS[name](torch, x).backward()
    return x.grad.tolist()


# Ways to run a graph


@graphs
def test_one_instruction_and_node_by_node_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taped = gradient(name)
    monkeypatch.setattr(engine, "_fits_a_tape", lambda context, task: False)
    assert gradient(name) == pytest.approx(taped, rel=1e-12, abs=1e-14)


@graphs
def test_several_short_tapes_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gradient(name)
    monkeypatch.setattr(engine, "LONGEST_TAPE", 3)
    assert gradient(name) == pytest.approx(whole, rel=1e-12, abs=1e-14)


@graphs
def test_a_graph_from_an_earlier_window_agrees(name: str) -> None:
    whole = gradient(name)
    x = start()
    y = GRAPHS[name](torch, x)
    y.item()
    y.backward()
    assert x.grad.tolist() == pytest.approx(whole, rel=1e-12, abs=1e-14)


@graphs
def test_compiled_and_interpreted_agree(name: str) -> None:
    recorded = [gradient(name) for _ in range(3)]  # seen often enough to be compiled
    with torch.compiler.eager():
        eager = gradient(name)
    for found in recorded:
        assert found == pytest.approx(eager, rel=1e-9, abs=1e-12)


@graphs
def test_grad_and_backward_agree(name: str) -> None:
    x = start()
    (g,) = torch.autograd.grad(GRAPHS[name](torch, x), x)
    assert x.grad is None and g.tolist() == pytest.approx(gradient(name), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["diamond", "in_place_through_views", "several_results", "matrices", "complex_detour"])
def test_second_derivatives_are_those_of_finite_differences(name: str) -> None:
    def slope(x: Tensor) -> Tensor:
        (g,) = torch.autograd.grad(GRAPHS[name](torch, x), x, create_graph=True)
        return (g * torch.arange(1.0, 5.0)).sum()

    x = start()
    (second,) = torch.autograd.grad(slope(x), x)
    along, step = torch.tensor([1.0, -0.5, 0.25, 2.0], dtype=torch.float64), 1e-6
    up, down = (slope((x.detach() + s * along).requires_grad_()).item() for s in (step, -step))
    assert (second @ along).item() == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-5)


# What is kept and what is freed


def test_gradients_accumulate_in_place() -> None:
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first and first.tolist() == [5.0, 5.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad is not first and x.grad.tolist() == [3.0, 3.0] and first.tolist() == [5.0, 5.0]


def test_a_kept_graph_runs_again() -> None:
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    for n in range(1, 4):
        y.backward(retain_graph=True)
        assert x.grad.tolist() == [2.0 * n] * 2
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


@pytest.mark.parametrize(
    "make",
    [lambda x: x + 1, lambda x: x.view(4), lambda x: x.t(), lambda x: x.mean(), lambda x: -x, lambda x: x[0]],
    ids=["add", "view", "t", "mean", "neg", "select"],
)
def test_a_graph_that_saved_nothing_runs_again(make: Callable[[Tensor], Tensor]) -> None:
    x = torch.ones(2, 2, requires_grad=True)
    y = make(x).sum()
    y.backward()
    once = x.grad.clone()
    y.backward()
    assert x.grad.tolist() == (once * 2).tolist()


def test_only_the_part_that_ran_is_freed() -> None:
    x = torch.ones(2, requires_grad=True)
    shared = x.exp()
    a, b = (shared * 2).sum(), (shared * shared).sum()
    torch.autograd.grad(a, shared)
    b.backward()
    with pytest.raises(RuntimeError, match="second time"):
        a.backward()


def test_two_losses_over_a_shared_part() -> None:
    x = torch.ones(2, requires_grad=True)
    shared = x.exp()
    shared.sum().backward(retain_graph=True)
    (shared * 2).sum().backward()
    assert x.grad.tolist() == pytest.approx([3 * 2.7182817] * 2)


# Arguments


def test_cotangents() -> None:
    x = torch.ones(2, requires_grad=True)
    y, z = x * 2, (x * 3).sum()
    torch.autograd.backward([y, z], [torch.tensor([1.0, 10.0]), None])
    assert x.grad.tolist() == [5.0, 23.0]
    (g,) = torch.autograd.grad([x * 2, x * 3], x, [torch.ones(2), torch.tensor([0.0, 1.0])])
    assert g.tolist() == [2.0, 5.0]


def test_a_cotangent_takes_the_results_dtype() -> None:
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward(torch.tensor(3))
    assert x.grad.tolist() == [6.0, 6.0] and x.grad.dtype is torch.float32


def test_the_same_result_given_twice_counts_twice() -> None:
    x = torch.ones(2, requires_grad=True)
    y = (x * 2).sum()
    assert torch.autograd.grad([y, y], x)[0].tolist() == [4.0, 4.0]


def test_the_same_input_given_twice_is_answered_twice() -> None:
    x = torch.ones(2, requires_grad=True)
    a, b = torch.autograd.grad((x * 2).sum(), [x, x])
    assert a.tolist() == b.tolist() == [2.0, 2.0]


def test_a_result_may_be_an_input() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    g_y, g_x = torch.autograd.grad((y * y).sum(), [y, x])
    assert (g_y.tolist(), g_x.tolist()) == ([4.0, 4.0], [8.0, 8.0])
    (same,) = torch.autograd.grad(y, y, torch.tensor([3.0, 4.0]))
    assert same.tolist() == [3.0, 4.0]


def test_backward_of_a_leaf() -> None:
    x = torch.ones((), requires_grad=True)
    x.backward()
    assert x.grad.item() == 1.0


def test_inputs_limit_what_is_accumulated_and_what_is_freed() -> None:
    a, b = (torch.ones(2, requires_grad=True) for _ in range(2))
    y = a.exp() * 2
    loss = (y * b).sum()
    loss.backward(inputs=[b], retain_graph=True)
    assert a.grad is None and b.grad.tolist() == pytest.approx([2 * 2.7182817] * 2)
    loss.backward(inputs=a)
    assert a.grad.tolist() == pytest.approx([2 * 2.7182817] * 2)


def test_unused_inputs() -> None:
    x, w = (torch.ones(2, requires_grad=True) for _ in range(2))
    used, unused = torch.autograd.grad(x.sum(), (x, w), allow_unused=True)
    assert used.tolist() == [1.0, 1.0] and unused is None
    _, zeros = torch.autograd.grad(x.sum(), (x, w), materialize_grads=True)
    assert zeros.tolist() == [0.0, 0.0] and zeros.shape == w.shape


def test_batched_cotangents_give_a_jacobian() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = torch.stack([x.prod(), x.sum()])
    (jacobian,) = torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True)
    assert jacobian.tolist() == [[6.0, 3.0, 2.0], [1.0, 1.0, 1.0]]
    again = (x * x).sum(0, keepdim=True)
    (rows,) = torch.autograd.grad(again, x, torch.tensor([[1.0], [2.0]]), is_grads_batched=True, create_graph=True)
    (second,) = torch.autograd.grad(rows.sum(), x)
    assert rows.tolist() == [[2.0, 4.0, 6.0], [4.0, 8.0, 12.0]] and second.tolist() == [6.0, 6.0, 6.0]


# Higher orders


def test_orders_of_a_polynomial() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    value, found = x**3, []
    for _ in range(4):
        (value,) = torch.autograd.grad(value, x, create_graph=True)
        found.append(value.item())
    assert found == [12.0, 12.0, 6.0, 0.0]
    assert not value.requires_grad


def test_third_derivatives_of_a_mixed_function() -> None:
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    value = (x * y).sin() * x.exp()
    (by_x,) = torch.autograd.grad(value, x, create_graph=True)
    (by_xy,) = torch.autograd.grad(by_x, y, create_graph=True)
    (by_xyx,) = torch.autograd.grad(by_xy, x)
    a, b = 0.5, 1.5
    s, c, e = math.sin(a * b), math.cos(a * b), math.exp(a)
    expected = e * (c * (a + 1) - a * b * s) + e * (c - b * s * (a + 1) - (b * s + a * b * b * c))
    assert by_xyx.item() == pytest.approx(expected, rel=1e-9)


def test_a_gradient_penalty_trains() -> None:
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    x = torch.tensor([0.5, 0.25], requires_grad=True)
    (g,) = torch.autograd.grad((w * x).tanh().sum(), x, create_graph=True)
    (g.norm() - 1).pow(2).backward()
    assert w.grad is not None and x.grad is not None


def test_backward_with_a_graph_of_its_own() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad and x.grad.tolist() == [3.0, 12.0]
    first, x.grad = x.grad, None
    first.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_create_graph_keeps_the_graph() -> None:
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    torch.autograd.grad(y, x, create_graph=True)
    torch.autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(y, x)


# Size


def test_a_long_chain_neither_recurses_nor_is_freed_recursively() -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    gc.disable()
    try:
        x = torch.ones(1, requires_grad=True)
        y = x
        for _ in range(20_000):
            y = y * 1.0
        first = weakref.ref(y.grad_fn)
        y.backward()
        assert x.grad.tolist() == [1.0]
        del y
        torch.compiler.synchronize()
        assert first() is None
        y = x
        for _ in range(100_000):
            y = y.view(1)
        first = weakref.ref(y.grad_fn)
        del y
        assert first() is None
    finally:
        gc.enable()
        sys.setrecursionlimit(before)


def test_a_wide_graph() -> None:
    x = torch.ones(2, requires_grad=True)
    parts = [x * float(i) for i in range(200)]
    torch.stack(parts).sum().backward()
    assert x.grad.tolist() == [float(sum(range(200)))] * 2


def test_the_cost_of_a_deep_diamond_is_linear() -> None:
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_gradients_that_cancel_are_zero_and_not_missing() -> None:
    x = torch.ones(2, requires_grad=True)
    (x - x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore:std_mean")
@pytest.mark.parametrize("hooked", [False, True])
def test_what_nobody_differentiates_takes_no_part(hooked: bool) -> None:
    # The derivative of one element's deviation is NaN, which a cotangent of 0 would not hide.
    x = torch.ones(1, requires_grad=True)
    _, mean = torch.std_mean(x)
    if hooked:
        mean.register_hook(lambda g: None)
    mean.backward()
    assert x.grad.tolist() == [1.0]


def test_the_gradient_of_a_product_of_one_number_depends_on_it() -> None:
    x = torch.ones(1, requires_grad=True)
    (slope,) = torch.autograd.grad(x.prod(), x, create_graph=True)
    assert slope.requires_grad
    assert torch.autograd.grad(slope, x)[0].tolist() == [0.0]
