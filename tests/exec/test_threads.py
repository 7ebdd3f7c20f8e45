"""Several threads at once: each has a window of its own, and may read what another has recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import torchish as torch


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """Run the works at once, each in a thread; their results, or the first of their errors."""
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []

    def run(i: int) -> None:
        try:
            results[i] = works[i]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return results


def train(scale: float, steps: int = 15) -> list[float]:
    inputs = torch.linspace(-1, 1, 12).reshape(6, 2) * scale
    weight = torch.full((2, 1), 0.5, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.05, momentum=0.9)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((inputs @ weight).tanh() - 1).pow(2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_threads_that_train_at_once_get_what_each_gets_alone() -> None:
    scales = [1.0, 2.0, 3.0]
    alone = [train(scale) for scale in scales]
    together = in_threads(*[lambda scale=scale: train(scale) for scale in scales])
    for expected, got in zip(alone, together, strict=True):
        assert got == pytest.approx(expected, rel=1e-5)


def test_threads_that_read_each_others_pending_tensors_do_not_hang() -> None:
    barrier = threading.Barrier(2)
    made: dict[int, torch.Tensor] = {}

    def work(me: int) -> float:
        total = 0.0
        for i in range(30):
            made[me] = torch.full((3,), float(i)) + me
            barrier.wait(30)
            total += (made[1 - me] * 2).sum().item()
            barrier.wait(30)
        return total

    assert in_threads(lambda: work(0), lambda: work(1)) == [6.0 * (435 + 30), 6.0 * 435]


def test_a_tensor_outlives_the_thread_that_recorded_it() -> None:
    (y,) = in_threads(lambda: torch.ones(3) * 4)
    assert (y + 1).tolist() == [5.0] * 3


def test_backward_runs_in_another_thread_than_the_forward_pass() -> None:
    x = torch.ones(3, requires_grad=True)
    loss = (x * x * 2).sum()
    in_threads(loss.backward)
    assert x.grad is not None and x.grad.tolist() == [4.0] * 3


def test_gradients_of_threads_that_share_a_leaf_add_up() -> None:
    x = torch.ones(3, requires_grad=True)
    lock = threading.Lock()

    def work() -> None:
        for _ in range(5):
            loss = (x * 2).sum()
            with lock:
                loss.backward()

    in_threads(work, work)
    assert x.grad is not None and x.grad.tolist() == [20.0] * 3


def test_modes_belong_to_a_thread() -> None:
    with torch.no_grad(), torch.inference_mode():
        inside = in_threads(lambda: (torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        assert inside == [(True, False)]
    with torch.compiler.eager():
        (limit,) = in_threads(lambda: (torch.ones(2, requires_grad=True) * 2).requires_grad)
        assert limit


def test_an_error_in_one_thread_leaves_the_others_alone() -> None:
    table = torch.arange(3.0)

    def fail() -> str:
        with pytest.raises(IndexError) as caught:
            table[torch.tensor([5]) + 0].tolist()
        return str(caught.value)

    results = in_threads(fail, lambda: (table * 2).tolist())
    assert results == ["index 5 is out of bounds for dimension 0 with size 3", [0.0, 2.0, 4.0]]
