"""What the window compiles and how often, what it frees, and what a failure inside it leaves behind.

``test_recording.py`` beside this has the first principles; here are the loops, the graphs and the failures around them.
"""

from __future__ import annotations

import gc
import os
import signal
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import torchish as torch
from torchish._core.graph import GraphNode
from torchish._core.storage import Storage
from torchish._exec import kernel as kernel_module
from torchish._exec import window as window_module
from torchish._exec.cache import LeastRecentlyUsed
from torchish._exec.statistics import Reason
from torchish._exec.value import Value
from torchish._exec.window import THREADS
from torchish._ops.registry import OPS

EAGER = os.environ.get("TORCHISH_EAGER", "0") not in ("", "0")
compiled_only = pytest.mark.skipif(EAGER, reason="about compiled windows")


def compiles_of(step: Callable[[int], Any], warm: int, measured: int) -> int:
    """How many programs ``measured`` more steps compile after ``warm`` steps."""
    for i in range(warm):
        step(i)
    before = torch.compiler.stats()["compiles"]
    for i in range(warm, warm + measured):
        step(i)
    return torch.compiler.stats()["compiles"] - before


# Why a window runs


@compiled_only
@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (lambda x: x.item(), "materialise"),
        (lambda x: bool(x > 0), "materialise"),
        (lambda x: repr(x), "materialise"),
        (lambda x: x.numpy(), "materialise"),
        (lambda x: x.unsqueeze(0).nonzero(), "data_shape"),
        (lambda x: x.unsqueeze(0)[x.unsqueeze(0) > 0], "data_shape"),
        (lambda x: torch.compiler.synchronize(), "synchronise"),
        (lambda x: (x * torch.ones((), requires_grad=True)).backward(), "step_end"),
    ],
)
def test_each_way_to_look_is_counted_under_its_reason(read: Callable[[Any], Any], reason: str) -> None:
    x = torch.ones(()) * 3
    read(x)
    flushes = torch.compiler.stats()["flushes"]
    assert flushes[reason] == 1
    assert set(flushes) <= {r.name.lower() for r in Reason}


@compiled_only
def test_an_optimizer_step_ends_the_window_in_place_of_backward() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(2):
        (weight * weight).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.compiler.reset_stats()
    (weight * weight).sum().backward()
    optimizer.step()
    assert torch.compiler.stats()["flushes"] == {"step_end": 1}
    assert torch.compiler.stats()["windows"] == 1


@compiled_only
def test_a_full_window_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(THREADS.context, "limit", 16)
    x = torch.zeros(2)
    for _ in range(40):
        x = x + 1
    assert torch.compiler.stats()["flushes"]["full"] == 2
    assert x.tolist() == [40.0, 40.0]


@compiled_only
def test_the_next_device_flushes_the_window() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no second device")
    x = torch.ones(2) + 1
    (torch.ones(2, device="cuda") + 1).sum()
    assert torch.compiler.stats()["flushes"]["device"] >= 1
    assert x.tolist() == [2.0, 2.0]


def test_eager_mode_runs_every_operation_at_once() -> None:
    with torch.compiler.eager():
        y = torch.ones(3) * 2
        assert y._storage.value.array is not None
        before = torch.compiler.stats()["flushes"]["eager"]
        y = y + 1
        assert torch.compiler.stats()["flushes"]["eager"] == before + 1


# What is compiled


@compiled_only
def test_a_learning_rate_schedule_compiles_nothing_new() -> None:
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    x = torch.ones(3, 4)

    def step(i: int) -> None:
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
        schedule.step()

    assert compiles_of(step, warm=5, measured=10) == 0


@compiled_only
@pytest.mark.parametrize("kind", [int, float, bool, complex], ids=lambda k: k.__name__)
def test_a_python_number_is_an_operand(kind: type) -> None:
    x = torch.ones(3, dtype=torch.complex64 if kind is complex else torch.float32)
    totals = set()

    def step(i: int) -> None:
        number = kind(i % 2) if kind is bool else kind(i)
        y = (x + number) * number
        totals.add(torch.where(y == 0, number, y).sum().item())

    assert compiles_of(step, warm=4, measured=12) == 0
    assert len(totals) == (2 if kind is bool else 16)


@compiled_only
def test_numbers_in_keyword_arguments_and_assignments_are_operands() -> None:
    x = torch.ones(4)

    def step(i: int) -> None:
        y = torch.add(x, x, alpha=i + 0.5)
        y = torch.addcmul(y, x, x, value=0.1 * i)
        y[1] = 0.25 * i
        y.clamp_(0, i + 1.0)
        y = torch.nn.functional.leaky_relu(y, 0.01 * i)
        y.tolist()

    assert compiles_of(step, warm=4, measured=12) == 0


@compiled_only
def test_an_index_that_counts_up_compiles_nothing_new() -> None:
    table = torch.arange(40.0).reshape(20, 2)

    def step(i: int) -> None:
        row = table[i] + 1
        assert row.tolist() == [2.0 * i + 1, 2.0 * i + 2]

    assert compiles_of(step, warm=4, measured=12) == 0


@compiled_only
def test_the_compile_log_names_what_differed() -> None:
    def step(n: int) -> None:
        ((torch.ones(n) + 1) * 2).tolist()

    for n in (3, 3, 3, 5, 5, 5):
        step(n)
    log = torch.compiler.stats()["compile_log"]
    assert log, "nothing was compiled"
    assert "float32[5]" in log[-1]["difference"]
    assert "test_window.py" in log[-1]["line"]


def test_the_cache_forgets_what_was_used_the_longest_ago() -> None:
    cache: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)


@compiled_only
def test_programs_beyond_the_cache_are_compiled_again_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    small: LeastRecentlyUsed[Any, Any] = LeastRecentlyUsed(2)
    monkeypatch.setattr(window_module, "_compiled", small)
    for _ in range(3):
        for n in (2, 3, 4):
            assert ((torch.ones(n) + 1) * 2).tolist() == [4.0] * n
    assert len(small) == 2


# What is kept


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def living(*classes: type) -> int:
    return sum(issubclass(type(x), classes) for x in gc.get_objects())


def plain_training() -> None:
    x = torch.ones(3, requires_grad=True)
    (x * x).sum().backward()


def views_in_place() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    y[0].mul_(3)
    y.t()[1] = 5.0
    a, b = y.split(1)
    (a + b).sum().backward()


def higher_order() -> None:
    x = torch.ones(3, requires_grad=True)
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    h.sum().backward()


def gradient_with_a_graph() -> None:
    x = torch.ones(3, requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad


def hooks() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    x.register_post_accumulate_grad_hook(lambda p: None)
    (y * y).sum().backward()


def optimizer_steps() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()


def kept_graph() -> None:
    x = torch.ones(3, requires_grad=True)
    y = (x.exp() * x).sum()
    y.backward(retain_graph=True)


def never_differentiated() -> None:
    x = torch.ones(3, requires_grad=True)
    x.max(0)
    x.sort()
    (x @ x).exp()


@pytest.mark.parametrize(
    "work",
    [
        plain_training,
        views_in_place,
        higher_order,
        gradient_with_a_graph,
        hooks,
        optimizer_steps,
        kept_graph,
        never_differentiated,
    ],
    ids=lambda f: f.__name__,
)
def test_reference_counting_alone_frees_everything(work: Callable[[], None]) -> None:
    work()  # what is made once (generators, constants, kernels) is made here
    torch.compiler.synchronize()
    classes = (torch.Tensor, Storage, Value, GraphNode)
    with no_collector():
        before = living(*classes)
        work()
        torch.compiler.synchronize()
        assert living(*classes) == before


def test_data_goes_when_its_last_holder_goes() -> None:
    with no_collector():
        x = torch.ones(3, requires_grad=True)
        y = x.exp()
        node = weakref.ref(y.grad_fn)
        z = y * 2
        del y
        assert node() is not None, "z's history needs it"
        del z
        assert node() is None


@compiled_only
def test_a_training_loop_that_never_reads_stays_flat() -> None:
    weight = torch.ones(4, requires_grad=True)
    running = torch.zeros(())

    def step(i: int) -> None:
        nonlocal running
        loss = (weight * weight).sum()
        running = running + loss.detach()
        loss.backward()
        with torch.no_grad():
            weight.sub_(weight.grad, alpha=0.01)
        weight.grad = None

    assert compiles_of(step, warm=30, measured=1) <= 1
    gc.collect()
    before = living(Value, Storage, GraphNode)
    assert compiles_of(step, warm=0, measured=200) == 0
    gc.collect()
    assert living(Value, Storage, GraphNode) <= before + 20


# What a failure leaves behind


def interrupted(*args: object, **kwargs: object) -> None:
    raise KeyboardInterrupt


@compiled_only
@pytest.mark.parametrize("compiled", [False, True], ids=["interpreted", "compiled"])
def test_an_interrupt_while_a_window_runs_loses_nothing(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    window_module.clear_compiled()
    x = torch.ones(3, requires_grad=True)
    shared = torch.zeros(3)
    loss = (x * 2 + shared).exp().sum()
    shared.add_(5)
    with monkeypatch.context() as patch:
        if compiled:
            patch.setattr(window_module, "_worth_compiling", lambda *args: True)
            patch.setattr(window_module, "lower", lambda *args: interrupted)
        else:
            patch.setattr(window_module, "_worth_compiling", lambda *args: False)
            patch.setattr(window_module, "interpret", interrupted)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                loss.item()
        (gradient,) = torch.autograd.grad(loss, x)
        with pytest.raises(KeyboardInterrupt):
            torch.compiler.synchronize()
    assert loss.item() == pytest.approx(3 * np.exp(2.0), rel=1e-6)
    assert gradient.tolist() == pytest.approx([2 * np.exp(2.0)] * 3, rel=1e-6)
    assert shared.tolist() == [5.0] * 3


@compiled_only
def test_programs_of_kernels_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.compiler.synchronize()
    monkeypatch.setattr(window_module, "_worth_compiling", lambda *args: False)
    monkeypatch.setattr(kernel_module, "_loaded", loaded := deque())
    monkeypatch.setattr(kernel_module, "MOST_LOADED", 4)
    for n in (301, 302, 303, 304, 305, 306, 301):
        assert (torch.ones(n) * 3).neg().sum().item() == -3.0 * n
    kernels = [k for op in ("mul", "neg") for k in OPS[op].kernels.values() if 300 < k.out_avals[0].numel < 307]
    assert len(kernels) == 12 and len(loaded) == 4
    assert [k for k in kernels if k.warm] == [k for k in kernels if k._drop in loaded]
    assert sum(k.jitted._cache_size() for k in kernels) == sum(k.warm for k in kernels)
    for n in range(301, 311):  # data checks have programs too
        assert torch.ones(n).gather(0, torch.tensor([n - 1])).item() == 1.0
    checked = [k for k in OPS["gather"].kernels.values() if 300 < k.in_avals[0].numel < 311]
    assert len(checked) == 10 and len(loaded) == 4
    assert sum(k._check_jitted._cache_size() for k in checked) == sum(k._check_warm for k in checked) < 10


@compiled_only
def test_a_signal_in_the_middle_of_a_window_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    window_module.clear_compiled()
    torch.compiler.synchronize()  # what other tests left pending may have an exp2 of its own
    x = torch.arange(3.0)
    total = (x * 2).exp2().sum()
    kernel = next(kernel for kernel, _ in window_module.THREADS.context.window.code if kernel.name == "exp2")
    run = kernel.jitted

    def signalled(*operands: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return run(*operands)

    with monkeypatch.context() as patch:
        patch.setattr(window_module, "_worth_compiling", lambda *args: False)
        patch.setattr(kernel, "jitted", signalled)
        with pytest.raises(KeyboardInterrupt):
            total.item()
    x.add_(1)
    assert total.item() == 21.0
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_an_interrupt_while_a_window_ends_leaves_the_thread_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.arange(3.0) + 1
    finished = window_module.THREADS.context.window
    with monkeypatch.context() as patch:
        patch.setattr(window_module, "Window", interrupted)
        with pytest.raises(KeyboardInterrupt):
            torch.compiler.synchronize()
            window_module._retire(finished)  # eager mode has run it already
    assert (x * 2).tolist() == [2.0, 4.0, 6.0]


def broken(*args: object, **kwargs: object) -> None:
    raise RuntimeError("out of memory")


@compiled_only
def test_where_an_operation_cannot_run_those_before_it_have_and_later_ones_raise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window_module.clear_compiled()
    x = torch.arange(3.0)
    before = x * 2
    after = before.exp2() + 1
    kernel = next(kernel for kernel, _ in window_module.THREADS.context.window.code if kernel.name == "exp2")
    with monkeypatch.context() as patch:
        patch.setattr(window_module, "_worth_compiling", lambda *args: True)
        patch.setattr(window_module, "lower", lambda *args: broken)
        patch.setattr(kernel, "jitted", broken)
        with pytest.raises(RuntimeError, match="out of memory"):
            after.sum().item()
    assert before.tolist() == [0.0, 2.0, 4.0]
    with pytest.raises(RuntimeError, match="out of memory"):
        after.tolist()
    assert (before.exp2() + 1).tolist() == [2.0, 5.0, 17.0]


@compiled_only
def test_a_step_that_fails_as_a_whole_runs_op_by_op_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    window_module.clear_compiled()
    total = (torch.arange(3.0) * 2).exp2().sum()
    with monkeypatch.context() as patch:
        patch.setattr(window_module, "_worth_compiling", lambda *args: True)
        patch.setattr(window_module, "lower", lambda *args: broken)
        with pytest.warns(RuntimeWarning, match="ran a step op by op, for as a whole it failed: out of memory"):
            assert total.item() == 21.0


def out_of_range(kind: str) -> tuple[Callable[[], torch.Tensor], type[Exception], str]:
    table = torch.arange(6.0)
    bad = torch.tensor([0, 1]) + 8
    zero = torch.tensor([1, 2]) * 0
    grid = table.reshape(2, 3)
    cases: dict[str, tuple[Callable[[], torch.Tensor], type[Exception], str]] = {
        "index": (lambda: table[bad], IndexError, "index 8 is out of bounds for dimension 0 with size 6"),
        "gather": (
            lambda: table.gather(0, bad),
            RuntimeError,
            "index 8 is out of bounds for dimension 0 with size 6",
        ),
        "embedding": (
            lambda: torch.nn.functional.embedding(bad, grid),
            IndexError,
            "index out of range in self",
        ),
        "index_select": (lambda: table.index_select(0, bad), IndexError, "index out of range in self"),
        "scatter": (
            lambda: table.scatter(0, bad, torch.ones(2)),
            RuntimeError,
            "index 8 is out of bounds for dimension 0 with size 6",
        ),
        "floor_divide": (lambda: torch.tensor([4, 5]) // zero, RuntimeError, "ZeroDivisionError"),
        "remainder": (lambda: torch.tensor([4, 5]) % zero, RuntimeError, "ZeroDivisionError"),
        "cross_entropy": (
            lambda: torch.nn.functional.cross_entropy(grid, bad),
            IndexError,
            "Target 8 is out of bounds.",
        ),
    }
    return cases[kind]


CHECKED = [
    "index",
    "gather",
    "embedding",
    "index_select",
    "scatter",
    "floor_divide",
    "remainder",
    "cross_entropy",
]


@pytest.mark.parametrize("kind", CHECKED)
def test_a_check_on_pending_data_raises_at_the_next_flush(kind: str) -> None:
    run, error, text = out_of_range(kind)
    with pytest.raises(error) as caught:
        run().tolist()
    assert str(caught.value) == text
    if not EAGER:
        assert [note for note in caught.value.__notes__ if "test_window.py" in note]


@pytest.mark.parametrize("kind", CHECKED)
def test_a_check_on_data_at_hand_raises_at_once(kind: str) -> None:
    run, error, text = out_of_range(kind)
    torch.compiler.synchronize()
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value) == text


def test_a_failed_check_leaves_every_tensor_as_it_was() -> None:
    weight = torch.ones(3, requires_grad=True)
    other = torch.ones(3, requires_grad=True)
    (other * 2).sum().backward()
    plain, early = torch.zeros(3), torch.zeros(3)
    view = plain[1:]
    bad = torch.tensor([0, 1, 9]) + 0
    with pytest.raises(IndexError, match="index 9 is out of bounds"):
        early.add_(1)
        found = weight[bad]
        plain.add_(1)
        view.mul_(7)
        with torch.no_grad():
            weight.mul_(2)
        (found * other).sum().backward()
        torch.compiler.synchronize()
    assert early.tolist() == [1.0] * 3, "written before the failing operation"
    assert plain.tolist() == [0.0] * 3 and view.tolist() == [0.0] * 2
    assert plain._version == 0
    assert weight.tolist() == [1.0] * 3 and weight._version == 0
    assert weight.grad is None
    assert other.grad.tolist() == [2.0] * 3
    (weight * other).sum().backward()
    assert weight.grad.tolist() == [1.0] * 3 and other.grad.tolist() == [3.0] * 3


def test_a_failed_check_gives_history_back() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    bad = torch.tensor([7]) + 0
    with pytest.raises(IndexError):
        x.detach()[bad]
        y.mul_(5)
        y[0] = 1.0
        y.tolist()
    assert type(y.grad_fn).__name__ == "MulBackward0" and y.tolist() == [2.0] * 3
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 3


@compiled_only
def test_what_came_after_a_failed_check_raises_again_when_read() -> None:
    bad = torch.tensor([9]) + 0
    table = torch.arange(3.0)
    found = table[bad]
    after = found + 1
    for _ in range(2):
        with pytest.raises(IndexError, match="index 9 is out of bounds"):
            after.tolist()


@compiled_only
def test_the_same_step_runs_after_a_failed_check() -> None:
    table = torch.arange(5.0)

    def step(i: int) -> float:
        index = torch.tensor([i]) + 1
        return (table[index] * 2).sum().item()

    for i in (0, 1, 2):
        assert step(i) == 2.0 * (i + 1)
    with pytest.raises(IndexError, match="index 5 is out of bounds for dimension 0 with size 5"):
        step(4)
    assert step(3) == 8.0


def test_an_error_of_shapes_in_the_middle_of_a_step_changes_nothing() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        y @ torch.ones(2, 3)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        y.add_(torch.ones(4, 2, 3))
    with pytest.raises(RuntimeError, match="expanded size of the tensor"):
        y[0] = torch.ones(5)
    assert y._version == 0 and type(y.grad_fn).__name__ == "MulBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2
