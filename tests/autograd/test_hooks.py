"""Hooks on tensors and nodes: when they run, what they see, what they may change."""

from __future__ import annotations

import gc
import weakref

import pytest
from hook_programs import EXPECTED, PROGRAMS

import torchish as torch


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    assert PROGRAMS[name](torch) == EXPECTED[name]


def broken(*args: object) -> None:
    raise ValueError("no")


@pytest.mark.parametrize("where", ["tensor", "prehook", "post", "leaf"])
def test_an_exception_in_a_hook_leaves_tensors_as_they_were(where: str) -> None:
    x = torch.ones(2, requires_grad=True)
    w = torch.ones(2, requires_grad=True)
    (x * w).sum().backward()
    y = x.exp() * w
    handle = {
        "tensor": lambda: y.register_hook(broken),
        "prehook": lambda: y.grad_fn.register_prehook(broken),
        "post": lambda: y.grad_fn.register_hook(broken),
        "leaf": lambda: x.register_hook(broken),
    }[where]()
    loss = y.sum()
    with pytest.raises(ValueError, match="no"):
        loss.backward(retain_graph=True)
    assert torch.is_grad_enabled()
    assert x.grad.tolist() == [1.0, 1.0]
    before = w.grad.tolist()
    handle.remove()
    loss.backward()
    assert x.grad.tolist() == pytest.approx([1 + 2.7182817] * 2)
    assert w.grad.tolist() == pytest.approx([before[0] + 2.7182817] * 2)


def test_a_hook_may_run_a_backward_of_its_own() -> None:
    x = torch.ones(2, requires_grad=True)
    other = torch.ones(2, requires_grad=True)

    def hook(g: torch.Tensor) -> None:
        with torch.enable_grad():
            (other * g * 5).sum().backward()

    y = x * 2
    y.register_hook(hook)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and other.grad.tolist() == [5.0, 5.0]


def test_hooks_go_with_their_tensor() -> None:
    class Hook:
        def __call__(self, g: torch.Tensor) -> None:
            pass

    gc.disable()
    try:
        hook = Hook()
        kept = weakref.ref(hook)
        y = torch.ones(2, requires_grad=True) * 2
        y.register_hook(hook)
        del hook
        assert kept() is not None
        del y
        torch.compiler.synchronize()
        assert kept() is None
    finally:
        gc.enable()


def test_hooks_do_not_stop_the_numbers_from_agreeing() -> None:
    def gradient(hooked: bool) -> list[float]:
        x = torch.linspace(-1, 1, 5, requires_grad=True)
        y = (x.exp() * x).cumsum(0)
        if hooked:
            y.register_hook(lambda g: None)
        (y * y).mean().backward()
        return x.grad.tolist()

    assert gradient(True) == pytest.approx(gradient(False), rel=1e-6)
