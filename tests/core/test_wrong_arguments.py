"""Arguments of a wrong class: PyTorch's texts, recorded from PyTorch 2.13 and held against it where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import torchish

X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]

# The call, on a library and a tensor of shape (2, 3), and the TypeError's text.
REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "method": (lambda m, x: x.add("a"), "add(): argument 'other' (position 1) must be Tensor, not str"),
    "function": (lambda m, x: m.add(x, "a"), "add(): argument 'other' (position 2) must be Tensor, not str"),
    "first": (lambda m, x: m.exp(3), "exp(): argument 'input' (position 1) must be Tensor, not int"),
    "in place": (lambda m, x: x.add_("a"), "add_(): argument 'other' (position 1) must be Tensor, not str"),
    "number": (lambda m, x: x.mm(3), "mm(): argument 'mat2' (position 1) must be Tensor, not int"),
    "list": (
        lambda m, x: x.index_select(0, [0]),
        "index_select(): argument 'index' (position 2) must be Tensor, not list",
    ),
    "none": (lambda m, x: x.mm(None), "mm(): argument 'mat2' (position 1) must be Tensor, not NoneType"),
    "int": (lambda m, x: x.topk("a"), "topk(): argument 'k' (position 1) must be int, not str"),
    "int of a view": (lambda m, x: x.unsqueeze("a"), "unsqueeze(): argument 'dim' (position 1) must be int, not str"),
    "second int": (lambda m, x: x.transpose(0, "a"), "transpose(): argument 'dim1' (position 2) must be int, not str"),
    "int of a scan": (lambda m, x: x.cumsum(1.5), "cumsum(): argument 'dim' (position 1) must be int, not float"),
    "ints": (lambda m, x: x.flip("a"), "flip(): argument 'dims' (position 1) must be tuple of ints, not str"),
    "several ints": (
        lambda m, x: x.repeat("a"),
        "repeat(): argument 'repeats' (position 1) must be tuple of ints, not str",
    ),
    "bool": (lambda m, x: m.argmax(x, 0, 1), "argmax(): argument 'keepdim' (position 3) must be bool, not int"),
    "keyword alone": (
        lambda m, x: m.linalg.inv_ex(x[:, :2], check_errors=1),
        "linalg_inv_ex(): argument 'check_errors' must be bool, not int",
    ),
    "one too many": (lambda m, x: m.exp(x, 1), "exp() takes 1 positional argument but 2 were given"),
    "one too many for a method": (lambda m, x: x.matmul(x, x), "matmul() takes 1 positional argument but 2 were given"),
    "two too many": (
        lambda m, x: x.topk(1, 1, True, True, 5, 6),
        "topk() takes from 1 to 4 positional arguments but 6 were given",
    ),
    "method takes none": (lambda m, x: x.exp(1), "TensorBase.exp() takes no arguments (1 given)"),
    "method takes no out": (lambda m, x: x.add(x, out=x), "add() got an unexpected keyword argument 'out'"),
    "method takes nothing": (lambda m, x: x.exp(out=x), "TensorBase.exp() takes no keyword arguments"),
}


def tensor(library: Any) -> Any:
    return library.tensor(X)


@pytest.mark.parametrize("case", REFUSED)
def test_the_text_is_pytorchs(case: str) -> None:
    call, text = REFUSED[case]
    x = tensor(torchish)
    with pytest.raises(TypeError) as caught:
        call(torchish, x)
    assert str(caught.value) == text
    assert type(caught.value) is TypeError
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert x.tolist() == X


@pytest.mark.oracle
@pytest.mark.parametrize("case", REFUSED)
def test_the_record_is_right(case: str) -> None:
    torch = pytest.importorskip("torch")
    call, text = REFUSED[case]
    with pytest.raises(TypeError) as caught:
        call(torch, tensor(torch))
    assert str(caught.value).splitlines()[0] == text


def test_a_call_of_right_arguments_fails_with_its_own_error() -> None:
    x = tensor(torchish)
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        x.mm(x)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.unsqueeze(7)
    index = torchish.tensor(1)
    assert x.sum(index).tolist() == [6.0, 15.0]  # a tensor that is an integer is an int
