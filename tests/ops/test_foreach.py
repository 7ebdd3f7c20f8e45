"""``torch._foreach_*``: the same as the function on each tensor, and PyTorch's checks of the lists."""

from __future__ import annotations

import math

import pytest

import torchish as torch

NAMES = [n for n in dir(torch) if n.startswith("_foreach_")]


def lists(*tensors):
    return [t.tolist() for t in tensors]


def some():
    return [torch.tensor([1.0, -2.0]), torch.tensor([0.5])]


@pytest.mark.parametrize("name", ["abs", "exp", "neg", "sign", "trunc", "erf", "sigmoid", "reciprocal"])
def test_of_one(name):
    expected = lists(*(getattr(torch, name)(x) for x in some()))
    made = getattr(torch, f"_foreach_{name}")(some())
    assert isinstance(made, tuple) and lists(*made) == expected
    given = some()
    assert getattr(torch, f"_foreach_{name}_")(given) is given and lists(*given) == expected


@pytest.mark.parametrize("other", [2.0, [2.0, 3.0], [torch.tensor(2.0), torch.tensor([3.0])], torch.tensor(2.0)])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "clamp_max", "pow"])
def test_with_other(name, other):
    others = other if isinstance(other, list) else [other, other]
    single = {"maximum": torch.clamp_min}.get(name, getattr(torch, name))
    expected = lists(*(single(x, y) for x, y in zip(some(), others, strict=True)))
    assert lists(*getattr(torch, f"_foreach_{name}")(some(), other)) == expected
    given = some()
    getattr(torch, f"_foreach_{name}_")(given, other)
    assert lists(*given) == expected


def test_keywords():
    x = some()
    assert lists(*torch._foreach_add(x, x, alpha=2)) == [[3, -6], [1.5]]
    assert lists(*torch._foreach_add(x, scalar=1)) == [[2, -1], [1.5]]
    assert lists(*torch._foreach_mul(x, scalars=[2, 4])) == [[2, -4], [2]]
    assert lists(*torch._foreach_lerp(x, x, weight=0.3)) == lists(*x)
    assert lists(*torch._foreach_addcmul(x, x, x, value=2)) == [[3, 6], [1]]
    assert lists(*torch._foreach_addcmul(x, x, x, scalars=[1, 2])) == [[2, 2], [1]]
    assert lists(*torch._foreach_addcdiv(x, x, x, torch.tensor([1.0, 2.0]))) == [[2, -1], [2.5]]


def test_without_an_inplace_form():
    x = some()
    assert lists(*torch._foreach_norm(x, 1)) == [3, 0.5]
    assert lists(*torch._foreach_norm(x, math.inf)) == [2, 0.5]
    assert lists(*torch._foreach_max(x)) == [1, 0.5]
    assert lists(*torch._foreach_powsum(x, 2)) == [5, 0.25]
    assert lists(*torch._foreach_mm([torch.eye(2)], [torch.ones(2, 2)])) == [[[1, 1], [1, 1]]]
    copies = torch._foreach_clone(x)
    torch._foreach_zero_(x)
    assert lists(*x) == [[0, 0], [0]] and lists(*copies) == [[1, -2], [0.5]]
    torch._foreach_copy_(x, copies)
    assert lists(*x) == [[1, -2], [0.5]]


def test_a_number_to_the_powers():
    assert lists(*torch._foreach_pow(2, [torch.tensor([1.0, 3.0])])) == [[2, 8]]


def test_gradients():
    x = [torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0], requires_grad=True)]
    sum(y.sum() for y in torch._foreach_mul(x, x)).backward()
    assert lists(*(t.grad for t in x)) == [[2, 4], [6]]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        torch._foreach_add_(x, 1)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: torch._foreach_exp([]), RuntimeError, "Tensor list must have at least one tensor."),
        (lambda x: torch._foreach_add(x, [1]), RuntimeError, "same number of elements as scalar list"),
        (lambda x: torch._foreach_add(x, x[:1]), RuntimeError, "same number of tensors, got 2 and 1"),
        (lambda x: torch._foreach_exp(x[0]), TypeError, "argument 'self' .* must be tuple of Tensors, not Tensor"),
        (lambda x: torch._foreach_exp([1.0]), TypeError, "expected Tensor as element 0 in argument 0, but got float"),
        (lambda x: torch._foreach_mul(x, x[0]), RuntimeError, "expected to be 0 dim but it has 1 dimensions and 2"),
        (lambda x: torch._foreach_add(x, "a"), TypeError, "invalid combination of arguments"),
        (lambda x: torch._foreach_addcmul(x, x, x, torch.ones(3)), RuntimeError, "input of length 2 but got 3"),
        (lambda x: torch._foreach_max([torch.empty(0)]), RuntimeError, "cannot compute the maximum of an empty"),
        (lambda x: torch._foreach_mul(x, x, alpha=2), TypeError, "unexpected keyword argument 'alpha'"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call(some())


@pytest.mark.oracle
def test_the_names_are_pytorchs():
    real = pytest.importorskip("torch")
    assert set(NAMES) == {n for n in dir(real) if n.startswith("_foreach_")}
