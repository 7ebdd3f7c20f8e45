"""The window: what is recorded, when it runs, what it keeps, and what an exception leaves behind."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import pytest

import torchish as torch
from torchish._exec import window as window_module
from torchish._exec.window import THREADS

EAGER = os.environ.get("TORCHISH_EAGER", "0") not in ("", "0")
compiled_only = pytest.mark.skipif(EAGER, reason="about compiled windows")


def compiles() -> int:
    return torch.compiler.stats()["compiles"]


@compiled_only
def test_an_operation_is_pending_until_it_is_read() -> None:
    torch.compiler.synchronize()
    y = torch.ones(3) + 1
    assert y._storage.value.array is None
    assert y.sum().item() == 6.0
    assert y._storage.value.array is not None


@compiled_only
def test_reasons_of_flushes_are_counted() -> None:
    torch.compiler.synchronize()
    torch.compiler.reset_stats()
    (torch.ones(2) + 1).tolist()
    x = torch.arange(4.0)
    kept = x * 2
    torch.nonzero(x > 1)
    again = kept + 1
    torch.compiler.synchronize()
    flushes = torch.compiler.stats()["flushes"]
    assert flushes["materialise"] >= 1
    assert flushes["data_shape"] == 1
    assert flushes["synchronise"] == 1
    assert again.tolist() == [1.0, 3.0, 5.0, 7.0]


@compiled_only
def test_a_result_that_nobody_holds_is_no_output() -> None:
    torch.compiler.synchronize()
    y = torch.ones(3) * 2
    z = y + 1
    del y
    window = THREADS.context.window
    counts = window_module._count_references(window.results)
    held = [n > window_module._UNHELD for n in counts]
    assert held[-1] and sum(held) == 1
    assert z.tolist() == [3.0, 3.0, 3.0]


def test_nothing_forms_a_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        v = y[0]
        v.mul_(3)
        loss = y.sum()
        loss.backward()
        alive = [weakref.ref(t) for t in (x, y, v, loss)]
        node = weakref.ref(loss.grad_fn)
        del x, y, v, loss
        torch.compiler.synchronize()
        assert [r() for r in alive] == [None] * 4
        assert node() is None
    finally:
        gc.enable()


@compiled_only
def test_changing_numbers_compile_nothing_new() -> None:
    x = torch.ones(4, requires_grad=True)
    losses = []

    def step(i: int) -> None:
        loss = (x * (0.5 + i) + i).sum() / (i + 1.5)
        loss.backward()
        with torch.no_grad():
            x.sub_(x.grad, alpha=0.1 / (i + 1))
        x.grad = None
        losses.append(loss.item())

    for i in range(4):
        step(i)
    before = compiles()
    for i in range(4, 24):
        step(i)
    assert compiles() == before
    assert len(set(losses)) == len(losses)


@compiled_only
def test_a_changing_batch_size_compiles_once_a_size() -> None:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step(n: int) -> None:
        optimizer.zero_grad()
        model(torch.ones(n, 3)).sum().backward()
        optimizer.step()

    for n in (2, 3, 4) * 3:
        step(n)
    before = compiles()
    for n in (4, 2, 3) * 4:
        step(n)
    assert compiles() == before


@compiled_only
def test_a_loop_that_never_reads_stays_small() -> None:
    x = torch.zeros(4)
    for _ in range(3000):
        x = x + 1
    before = compiles()
    for _ in range(6000):
        x = x + 1
    assert compiles() - before <= 1
    assert len(THREADS.context.window.code) <= window_module.MOST_INSTRUCTIONS
    assert x.tolist() == [9000.0] * 4


def test_eager_mode_gives_the_same_numbers() -> None:
    def run() -> list[float]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        x = torch.randn(6, 4)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(x).pow(2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    recorded = run()
    with torch.compiler.eager():
        assert run() == pytest.approx(recorded, rel=1e-5)


@compiled_only
def test_an_interrupt_in_a_flush_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.compiler.synchronize()
    x = torch.ones(3)
    y = x * 2
    x.add_(5)
    z = y + x

    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(window_module, "_count_references", interrupted)
        with pytest.raises(KeyboardInterrupt):
            z.tolist()
    assert z.tolist() == [8.0, 8.0, 8.0]
    assert (x.tolist(), y.tolist()) == ([6.0] * 3, [2.0] * 3)


def test_an_error_in_an_operation_changes_nothing() -> None:
    x = torch.ones(3)
    with pytest.raises(RuntimeError, match="must match the size"):
        x.add_(torch.ones(4))
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.ones(3, dtype=torch.int64).mul_(1.5)
    assert x.tolist() == [1.0] * 3 and x._version == 0


def test_an_index_out_of_range_is_an_error_and_undoes_what_came_after() -> None:
    table = torch.arange(6.0)
    index = torch.tensor([1, 2]) + 7  # pending, so the check rides along
    other = torch.zeros(2)
    with pytest.raises(IndexError, match="index 8 is out of bounds for dimension 0 with size 6") as caught:
        found = table[index]
        other.add_(1)
        found.tolist()
    if not EAGER:
        assert any("test_recording.py" in note for note in caught.value.__notes__)
    assert other.tolist() == [0.0, 0.0] and other._version == 0
    assert (table + 1).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_integer_division_by_zero_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        (torch.tensor([4, 5]) // (torch.tensor([1, 1]) - 1)).tolist()


def test_two_threads_train_at_once() -> None:
    def train(seed: int, losses: list[float]) -> None:
        x = torch.linspace(-1, 1, 8).reshape(8, 1) * seed
        weight = torch.zeros(1, 1, requires_grad=True)
        for _ in range(20):
            loss = (x @ weight - 3 * x).pow(2).mean()
            loss.backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
            weight.grad = None
            losses.append(loss.item())

    alone: dict[int, list[float]] = {seed: [] for seed in (1, 2)}
    for seed, losses in alone.items():
        train(seed, losses)
    together: dict[int, list[float]] = {seed: [] for seed in (1, 2)}
    threads = [threading.Thread(target=train, args=item) for item in together.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in alone:
        assert together[seed] == pytest.approx(alone[seed], rel=1e-5)


def test_a_thread_reads_what_another_recorded() -> None:
    y = torch.ones(3) + 1
    seen: list[list[float]] = []
    thread = threading.Thread(target=lambda: seen.append((y * 2).tolist()))
    thread.start()
    thread.join()
    assert seen == [[4.0, 4.0, 4.0]]
    assert (y + 1).tolist() == [3.0, 3.0, 3.0]
