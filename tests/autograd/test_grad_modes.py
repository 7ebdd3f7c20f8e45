"""no_grad, enable_grad, set_grad_enabled and inference_mode: as contexts, as decorators, around generators."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
import pytest

import torchish as torch


@pytest.fixture(autouse=True)
def modes_are_given_back() -> Iterator[None]:
    yield
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


def records() -> bool:
    """Whether an operation is recorded now, which must be what ``is_grad_enabled`` says."""
    recorded = (torch.ones(1, requires_grad=True) * 2).requires_grad
    assert recorded == torch.is_grad_enabled()
    return recorded


MODES: list[tuple[str, Callable[[], Any], bool]] = [
    ("no_grad", lambda: torch.no_grad(), False),
    ("enable_grad", lambda: torch.enable_grad(), True),
    ("set_grad_enabled on", lambda: torch.set_grad_enabled(True), True),
    ("set_grad_enabled off", lambda: torch.set_grad_enabled(False), False),
    ("inference_mode", lambda: torch.inference_mode(), False),
    ("inference_mode off", lambda: torch.inference_mode(False), True),
    ("autograd.no_grad", lambda: torch.autograd.no_grad(), False),
]
modes = pytest.mark.parametrize(("mode", "on"), [m[1:] for m in MODES], ids=[m[0] for m in MODES])


@modes
@pytest.mark.parametrize("outside", [True, False])
def test_a_context_holds_until_its_end(mode: Callable[[], Any], on: bool, outside: bool) -> None:
    with torch.set_grad_enabled(outside):
        with mode():
            assert records() == on
        assert records() == outside
        with pytest.raises(ValueError, match="left"), mode():
            raise ValueError("left")
        assert records() == outside


@modes
def test_a_decorator_holds_for_each_call(mode: Callable[[], Any], on: bool) -> None:
    @mode()
    def f(x: int, *, y: int = 2) -> tuple[bool, int]:
        """What f says."""
        return records(), x + y

    assert f(1) == (on, 3) and f(1, y=5) == (on, 6)
    assert (f.__name__, f.__doc__) == ("f", "What f says.")
    assert records()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode], ids=lambda m: m.__name__)
def test_a_decorator_without_parentheses(mode: Any) -> None:
    @mode
    def f() -> bool:
        return records()

    assert f() is False and f.__name__ == "f"


def test_a_recursive_function_under_a_mode() -> None:
    @torch.no_grad()
    def f(n: int) -> list[bool]:
        return [records()] if n == 0 else [*f(n - 1), records()]

    assert f(3) == [False] * 4


@modes
def test_a_generator_runs_under_the_mode_and_its_consumer_does_not(mode: Callable[[], Any], on: bool) -> None:
    log: list[Any] = []

    @mode()
    def numbers() -> Generator[int, str, str]:
        try:
            log.append(records())
            got = yield 1
            log.append((got, records()))
            try:
                yield 2
            except ValueError:
                log.append(("caught", records()))
            yield 3
        finally:
            log.append(("finally", records()))
        return "end"

    outside = not on
    with torch.set_grad_enabled(outside):
        g = numbers()
        assert (next(g), records()) == (1, outside)
        assert (g.send("sent"), records()) == (2, outside)
        assert (g.throw(ValueError()), records()) == (3, outside)
        with pytest.raises(StopIteration) as stop:
            next(g)
        assert stop.value.value == "end"
        assert log == [on, ("sent", on), ("caught", on), ("finally", on)]
        closed = numbers()
        next(closed)
        closed.close()
        assert log[-1] == ("finally", on) and records() == outside


def test_set_grad_enabled_as_a_function() -> None:
    try:
        torch.set_grad_enabled(False)
        assert not records()
    finally:
        torch.set_grad_enabled(True)
    assert records()


def test_modes_nest() -> None:
    with torch.no_grad():
        with torch.enable_grad():
            assert records()
            with torch.no_grad():
                assert not records()
            assert records()
        assert not records()


def test_a_decorated_class_warns() -> None:
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):

        @torch.no_grad()
        class A:
            def __init__(self) -> None:
                self.recorded = records()

    assert A().recorded is False


def test_tensors_made_under_no_grad_may_require_grad() -> None:
    with torch.no_grad():
        x = torch.ones(2, requires_grad=True)
        x.add_(1)
        assert x.is_leaf and x.requires_grad and not (x * 2).requires_grad
    assert (x * 2).requires_grad


# Inference mode


def test_what_inference_mode_makes_is_marked() -> None:
    normal = torch.ones(2)
    with torch.inference_mode():
        made = [
            torch.ones(2),
            torch.tensor([1.0]),
            torch.randn(2),
            torch.from_numpy(np.ones(2)),
            normal * 2,
            normal.clone(),
            normal.reshape(2, 1) + 1,
            torch.eye(2).max(0).values,
            torch.zeros_like(normal),
            torch.nn.Parameter(torch.ones(1)),
        ]
        shared = [normal, normal[0], normal.view(2, 1), normal.detach()]
    assert [t.is_inference() for t in made] == [True] * len(made)
    assert [t.is_inference() for t in shared] == [False] * len(shared)
    assert torch.is_inference(made[0])


def test_views_of_inference_tensors_are_inference_tensors_and_copies_are_not() -> None:
    with torch.inference_mode():
        a = torch.ones(2, 2)
    assert [t.is_inference() for t in (a.view(4), a.t(), a[0], a.detach(), a.data)] == [True] * 5
    assert [t.is_inference() for t in (a + 1, a.clone(), a @ a)] == [False] * 3


def test_inference_tensors_serve_where_nothing_is_saved() -> None:
    with torch.inference_mode():
        a = torch.ones(2, 2)
        a.add_(1)
        a[0] = 5.0
    w = torch.ones(2, 2, requires_grad=True)
    (w + a).view(-1).sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    normal = torch.zeros(2, 2)
    normal.copy_(a).add_(a)
    assert normal.tolist() == [[10.0, 10.0], [4.0, 4.0]]


def test_normal_tensors_may_be_written_in_inference_mode() -> None:
    x = torch.ones(2)
    with torch.inference_mode():
        x.add_(1)
        v = x[0]
    v.add_(1)
    assert x.tolist() == [3.0, 2.0] and not x.is_inference()


def test_nothing_is_recorded_in_inference_mode_whatever_is_said_inside() -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
        with torch.enable_grad():
            assert not (x * 2).requires_grad
        with torch.inference_mode(False):
            y = x * 2
            assert y.requires_grad and not y.is_inference()
        assert not (x * 2).requires_grad


def test_a_refused_operation_leaves_its_tensors_alone() -> None:
    with torch.inference_mode():
        a = torch.ones(2)
    y = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        y.mul_(a)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        a.mul_(3)
    assert y.tolist() == [2.0, 2.0] and y._version == 0 and type(y.grad_fn).__name__ == "MulBackward0"
    assert a.tolist() == [1.0, 1.0]
