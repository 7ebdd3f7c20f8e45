"""What PyTorch refuses, and what it warns of, with the texts recorded from PyTorch 2.13."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import torchish as torch
from torchish._core.user_warnings import forget
from torchish.utils.hooks import RemovableHandle

nn = torch.nn


@pytest.fixture(autouse=True)
def none_given_yet() -> Iterator[None]:
    """Some warnings come once a process."""
    forget()
    yield
    forget()


def put(t: Any, index: Any, value: Any) -> Any:
    t[index] = value
    return t


bytes_, mask = torch.ones(2, dtype=torch.uint8), torch.tensor([True, False])

UNFIT: dict[str, tuple[Callable[[], Any], str]] = {
    "complex in float": (lambda: put(torch.ones(2), 0, 1j), "float"),
    "complex in half": (lambda: put(torch.ones(2).half(), 0, 1j), "double"),
    "complex in slice": (lambda: put(torch.ones(2), slice(None), 1j), "float"),
    "complex filled": (lambda: torch.ones(2).double().fill_(1j), "double"),
    "300 in uint8": (lambda: put(bytes_.clone(), 0, 300), "uint8_t"),
    "-256 in uint8": (lambda: put(bytes_.clone(), 0, -256), "uint8_t"),
    "255.5 in uint8": (lambda: put(bytes_.clone(), 0, 255.5), "uint8_t"),
    "300 under a mask": (lambda: put(bytes_.clone(), mask, 300), "uint8_t"),
    "300 at an index": (lambda: put(bytes_.clone(), torch.tensor([0]), 300), "uint8_t"),
    "300 filled": (lambda: bytes_.clone().fill_(300), "uint8_t"),
    "300 masked_fill": (lambda: bytes_.masked_fill(mask, 300), "uint8_t"),
    "300 index_fill": (lambda: bytes_.index_fill(0, torch.tensor([0]), 300), "uint8_t"),
    "300 scatter": (lambda: bytes_.scatter(0, torch.tensor([0]), 300), "uint8_t"),
    "300 full": (lambda: torch.full((2,), 300, dtype=torch.uint8), "uint8_t"),
    "300 new_full": (lambda: bytes_.new_full((2,), 300), "uint8_t"),
    "3e9 in int32": (lambda: put(torch.ones(2).int(), 0, 3e9), "int"),
    "nan in int64": (lambda: put(torch.ones(2).long(), 0, float("nan")), "int64_t"),
    "1e300 in float": (lambda: put(torch.ones(2), 0, 1e300), "float"),
    "1e300 in complex64": (lambda: put(torch.ones(2) + 0j, 0, 1e300), "c10::complex<float>"),
    "float of 1j": (lambda: float(torch.tensor(1j)), "double"),
    "int of 1j": (lambda: int(torch.tensor(1j)), "int64_t"),
}


@pytest.mark.parametrize(("call", "name"), UNFIT.values(), ids=UNFIT)
def test_numbers_that_do_not_fit(call: Callable[[], Any], name: str) -> None:
    with pytest.raises(RuntimeError) as error:
        call()
    assert str(error.value) == f"value cannot be converted to type {name} without overflow"


def test_numbers_that_do_fit() -> None:
    assert put(bytes_.clone(), 0, -1).tolist() == [255, 1]
    assert put(torch.ones(2).int(), 0, 1.7).tolist() == [1, 1]
    assert put(torch.ones(2).bool(), 0, 1j).tolist() == [True, True]
    assert put(torch.ones(2), 0, 2 + 0j).tolist() == [2, 1]
    assert put(torch.ones(2), 0, float("inf")).tolist() == [float("inf"), 1]
    assert put(torch.ones(2).half(), 0, 1e9).tolist() == [float("inf"), 1]
    assert int(torch.tensor(1 + 0j)) == 1


x = torch.ones(2, 3)
leaf = torch.ones(2, requires_grad=True)

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "keepdim": (lambda: torch.sum(x, 0, 1), TypeError, "sum(): argument 'keepdim' (position 3) must be bool, not int"),
    "keepdim of max": (
        lambda: torch.max(x, 0, 1),
        TypeError,
        "max(): argument 'keepdim' (position 3) must be bool, not int",
    ),
    "largest": (
        lambda: torch.topk(x, 1, 0, 1),
        TypeError,
        "topk(): argument 'largest' (position 4) must be bool, not int",
    ),
    "dim": (lambda: torch.cumsum(x, 1.0), TypeError, "cumsum(): argument 'dim' (position 2) must be int, not float"),
    "dim of cat": (lambda: torch.cat([x], "a"), TypeError, "cat(): argument 'dim' (position 2) must be int, not str"),
    "dim that is a bool": (
        lambda: torch.softmax(x, True),
        TypeError,
        "softmax(): argument 'dim' (position 2) must be int, not bool",
    ),
    "set_grad_enabled": (
        lambda: torch.set_grad_enabled(1),
        TypeError,
        "set_grad_enabled(): argument 'enabled' (position 1) must be bool, not int",
    ),
    "int of two": (
        lambda: int(torch.ones(2)),
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    "float of two": (
        lambda: float(torch.ones(2)),
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    "index of 2**70": (lambda: x[2**70], ValueError, "Overflow when unpacking long long"),
    "store of 2**70": (lambda: put(x.int(), 0, 2**70), ValueError, "Overflow when unpacking long long"),
    "sum with 2**70": (lambda: x + 2**70, OverflowError, "int too big to convert"),
    "full of 2**70": (lambda: torch.full((1,), 2**70), OverflowError, "int too big to convert"),
    "del": (lambda: x.__delitem__(0), TypeError, "Tensor does not support deleting items"),
    "cat of a number": (
        lambda: torch.cat([x, 3]),
        TypeError,
        "expected Tensor as element 1 in argument 0, but got int",
    ),
    "cat of None": (
        lambda: torch.cat([x, None]),
        TypeError,
        "expected Tensor as element 1 in argument 0, but got NoneType",
    ),
    "cat of lists": (
        lambda: torch.cat([[x]]),
        TypeError,
        "expected Tensor as element 0 in argument 0, but got list",
    ),
    "hstack of text": (
        lambda: torch.hstack([x, "a"]),
        TypeError,
        "expected Tensor as element 1 in argument 0, but got str",
    ),
    "cat of one": (
        lambda: torch.cat(x),
        TypeError,
        "cat(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor",
    ),
    "stack of a number": (
        lambda: torch.stack(3),
        TypeError,
        "stack(): argument 'tensors' (position 1) must be tuple of Tensors, not int",
    ),
    "view": (lambda: x.view(3, -2), RuntimeError, "invalid shape dimension -2 at index 1 of shape [3, -2]"),
    "masked_select": (
        lambda: torch.masked_select(x, torch.ones(3, 2).bool()),
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1",
    ),
    "rand_like": (
        lambda: torch.rand_like(3),
        TypeError,
        "rand_like(): argument 'input' (position 1) must be Tensor, not int",
    ),
    "zeros_like": (
        lambda: torch.zeros_like([1]),
        TypeError,
        "zeros_like(): argument 'input' (position 1) must be Tensor, not list",
    ),
    "dtype of ones": (
        lambda: torch.ones(2, dtype="float32"),
        TypeError,
        "ones(): argument 'dtype' must be torch.dtype, not str",
    ),
    "dtype of softmax": (
        lambda: x.softmax(0, dtype=3),
        TypeError,
        "softmax(): argument 'dtype' must be torch.dtype, not int",
    ),
    "grad of text": (
        lambda: torch.autograd.grad(leaf.sum(), "a"),
        RuntimeError,
        "all inputs have to be Tensors or GradientEdges, but got str",
    ),
    "grad of no tensor": (
        lambda: torch.autograd.grad("y", leaf),
        AssertionError,
        "Expected output to be a torch.Tensor",
    ),
    "finfo of an integer": (
        lambda: torch.finfo(torch.int32),
        TypeError,
        "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'",
    ),
    "iinfo of a float": (
        lambda: torch.iinfo(torch.float32),
        TypeError,
        "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'",
    ),
    "iinfo of bool": (lambda: torch.iinfo(torch.bool), TypeError, "torch.bool is not supported by torch.iinfo"),
    "finfo of a number": (
        lambda: torch.finfo(1),
        TypeError,
        "finfo(): argument 'type' (position 1) must be torch.dtype, not int",
    ),
    "attribute of finfo": (
        lambda: torch.finfo(torch.float32).foo,
        AttributeError,
        "'torch.finfo' object has no attribute 'foo'",
    ),
    "Conv2d": (
        lambda: nn.Conv2d(),
        TypeError,
        "Conv2d.__init__() missing 3 required positional arguments: 'in_channels', 'out_channels', and 'kernel_size'",
    ),
    "ReLU": (lambda: nn.ReLU(foo=1), TypeError, "ReLU.__init__() got an unexpected keyword argument 'foo'"),
    "ReflectionPad2d": (
        lambda: nn.ReflectionPad2d(),
        TypeError,
        "ReflectionPad2d.__init__() missing 1 required positional argument: 'padding'",
    ),
    "BatchNorm2d": (
        lambda: nn.BatchNorm2d(),
        TypeError,
        "_BatchNorm.__init__() missing 1 required positional argument: 'num_features'",
    ),
    "CELU": (lambda: nn.CELU(foo=1), TypeError, "CELU.__init__() got an unexpected keyword argument 'foo'"),
    "LazyConv2d": (
        lambda: nn.LazyConv2d(),
        TypeError,
        "LazyConv2d.__init__() missing 2 required positional arguments: 'out_channels' and 'kernel_size'",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert type(raised.value) is error and str(raised.value) == text


def test_a_list_of_floats_is_an_index() -> None:
    assert torch.arange(3)[[1.5]].tolist() == [1]
    assert torch.arange(3)[[2.9, -0.5]].tolist() == [2, 0]


@pytest.mark.parametrize("capturable", [torch.optim.Adam, torch.optim.AdamW])
def test_capturable_is_for_accelerators(capturable: Any) -> None:
    parameter = nn.Parameter(torch.ones(2))
    optimizer = capturable([parameter], capturable=True)
    parameter.grad = torch.ones(2)
    with pytest.raises(AssertionError, match="If capturable=True, params and state_steps must be on supported devices"):
        optimizer.step()


# Warnings


def warned(call: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(w.message) for w in caught]


def test_warnings_that_come_once() -> None:
    c, loss = torch.tensor([1 + 2j]), lambda: (leaf * leaf).sum()
    for call, start in (
        (
            lambda: loss().backward(create_graph=True),
            "Using backward() with create_graph=True will create a reference cycle",
        ),
        (lambda: torch.ones(2).T, "The use of `x.T` on tensors of dimension other than 2"),
        (lambda: torch.tensor(1.0).T, "Tensor.T is deprecated on 0-D tensors."),
        (lambda: float(loss()), "Converting a tensor with requires_grad=True to a scalar may lead to unexpected"),
        (lambda: c.float(), "Casting complex values to real discards the imaginary part"),
    ):
        (text,) = warned(call)
        assert text.startswith(start)
        assert warned(call) == []
    forget()
    assert warned(lambda: torch.ones(1).copy_(c)) == ["Casting complex values to real discards the imaginary part"]
    assert warned(lambda: (int(loss()), loss().item(), c.bool(), torch.ones(2, 2).T)) == []


def test_too_few_degrees_of_freedom() -> None:
    text = (
        ": degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel divided "
        "by output numel)."
    )
    one = torch.ones(1, 3)
    assert warned(lambda: torch.std(one[:, 0])) == ["std()" + text]
    assert warned(lambda: one.var(0)) == ["var()" + text]
    assert warned(lambda: torch.var_mean(one, (0,))) == ["var_mean()" + text]
    assert warned(lambda: torch.std(one, correction=3)) == ["std()" + text]
    assert warned(lambda: (torch.var(one, 0, unbiased=False), one.std(1), torch.var(one))) == []


def test_a_list_that_counts_as_a_tuple() -> None:
    t = torch.arange(6).view(2, 3)
    for index, expected in (
        ([[0, 1], [0, 1]], [0, 4]),
        ([torch.tensor([0]), torch.tensor([1])], [1]),
        ([slice(0, 1), 0], [0]),
        ([..., 0], [0, 3]),
    ):
        found = []
        (text,) = warned(lambda index=index, found=found: found.append(t[index]))
        assert text.startswith("Using a non-tuple sequence for multidimensional indexing is deprecated")
        assert found[0].tolist() == expected
    assert warned(lambda: t[[0, 1]]) == []
    assert torch.zeros(40)[[[0]] * 33].shape == (33, 1)


# Names


def test_one_class_of_handles() -> None:
    layer, optimizer = nn.Linear(2, 2), torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
    out = layer(torch.ones(1, 2))
    for handle in (
        layer.register_forward_hook(lambda *args: None),
        leaf.register_hook(lambda g: None),
        out.grad_fn.register_hook(lambda *args: None),
        optimizer.register_step_pre_hook(lambda *args: None),
    ):
        assert type(handle) is RemovableHandle
        handle.remove()


def test_names() -> None:
    assert torch.optim.lr_scheduler.StepLR.__module__ == "torchish.optim.lr_scheduler"
    with torch.set_grad_enabled(False) as _:
        pass
    assert repr(torch.set_grad_enabled(True)) == "torch.autograd.grad_mode.set_grad_enabled(mode=True)"
    assert type(nn.functional.huber_loss(leaf, torch.zeros(2)).grad_fn).__name__ == "HuberLossBackward0"
    assert repr(torch.finfo(torch.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, tiny=6.10352e-05, "
        "dtype=float16)"
    )
    assert torch.finfo(torch.bfloat16).resolution == 0.01
    assert torch.finfo(float) == torch.finfo(torch.float64)


def test_a_backward_hook_of_a_linear_layer_sees_the_gradients_of_addmm() -> None:
    layer, seen = nn.Linear(2, 3), []

    def hook(module: Any, grad_input: Any, grad_output: Any) -> Any:
        seen.append([None if g is None else tuple(g.shape) for g in grad_input])
        bias, _, weight = grad_input
        return bias, None, 2 * weight

    layer.register_backward_hook(hook)
    with pytest.warns(
        FutureWarning, match=re.escape("when the forward contains multiple autograd Nodes is deprecated")
    ):
        out = layer(torch.ones(4, 2))
    out.sum().backward()
    assert seen == [[(3,), None, (2, 3)]]
    assert layer.weight.grad.tolist() == [[8, 8]] * 3 and layer.bias.grad.tolist() == [4] * 3
