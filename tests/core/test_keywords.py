"""Arguments by keyword: NumPy's names beside PyTorch's, and what is refused in which words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import torchish

CALLS = [
    lambda t, x: t.sum(x, axis=0, keepdims=True),
    lambda t, x: x.sum(axis=1),
    lambda t, x: t.add(x=x, other=x),
    lambda t, x: t.add(x1=x, x2=x, alpha=2),
    lambda t, x: t.mul(a=x, other=2),
    lambda t, x: t.softmax(x, axis=0),
    lambda t, x: t.cat([x, x], axis=1),
    lambda t, x: t.max(x, axis=0).values,
    lambda t, x: x.std(axis=0, keepdims=True),
    lambda t, x: x.unsqueeze(axis=0),
    lambda t, x: t.flip(x, dims=(0,)),
    lambda t, x: x.clone().add_(x2=x),
    lambda t, x: t.cumsum(x, axis=1, dtype=t.float64),
]

REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda t, x: t.dot(x[0]), 'dot() missing 1 required positional arguments: "tensor"'),
    (lambda t, x: t.mv(), 'mv() missing 2 required positional argument: "input", "vec"'),
    (lambda t, x: t.exp(x, foo=1), "exp() got an unexpected keyword argument 'foo'"),
    (lambda t, x: t.dot(x[0], foo=x[0]), 'dot() missing 1 required positional arguments: "tensor"'),
    (lambda t, x: x.gather(axis=0), 'gather() missing 1 required positional arguments: "index"'),
]


@pytest.mark.parametrize("call", CALLS)
def test_numpys_names_mean_pytorchs_parameters(call: Callable[..., Any]) -> None:
    x = torchish.tensor([[1.0, 2.0, 4.0], [3.0, 5.0, 9.0]])
    assert torchish.is_tensor(call(torchish, x))


@pytest.mark.oracle
@pytest.mark.parametrize("call", CALLS)
def test_they_give_what_pytorch_gives(call: Callable[..., Any]) -> None:
    torch = pytest.importorskip("torch")
    data = [[1.0, 2.0, 4.0], [3.0, 5.0, 9.0]]
    wanted = call(torch, torch.tensor(data))
    got = call(torchish, torchish.tensor(data))
    assert str(got.dtype) == str(wanted.dtype) and tuple(got.shape) == tuple(wanted.shape)
    torch.testing.assert_close(torch.tensor(got.tolist(), dtype=wanted.dtype), wanted)


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_what_is_missing_or_unknown_is_refused_in_pytorchs_words(call: Callable[..., Any], text: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(torchish, torchish.ones(2, 3))
    assert str(caught.value) == text


@pytest.mark.oracle
@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_the_words_are_pytorchs(call: Callable[..., Any], text: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError) as caught:
        call(torch, torch.ones(2, 3))
    assert str(caught.value).splitlines()[0] == text


def test_an_argument_is_given_once() -> None:
    x = torchish.ones(2, 3)
    with pytest.raises(TypeError, match="multiple values for argument 'dim'"):
        x.sum(0, axis=0)


def test_a_function_shows_its_parameters_and_name() -> None:
    assert list(inspect.signature(torchish.cumsum).parameters) == ["input", "dim", "dtype", "out"]
    assert torchish.where.__name__ == "where"
