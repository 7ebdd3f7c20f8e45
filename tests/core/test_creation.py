"""Tensors from data and from nothing: values, dtypes, shapes and PyTorch's errors."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import torchish as torch

# tensor()


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, torch.int64, ()),
        (1.5, torch.float32, ()),
        (True, torch.bool, ()),
        (1j, torch.complex64, ()),
        ([], torch.float32, (0,)),
        ([[]], torch.float32, (1, 0)),
        ([1, 2], torch.int64, (2,)),
        ([1, 2.0], torch.float32, (2,)),
        ([1, True], torch.int64, (2,)),
        ([True, False], torch.bool, (2,)),
        ([1, 2.0, 3j], torch.complex64, (3,)),
        ((1, (2)), torch.int64, (2,)),
        ([[1, 2], [3, 4]], torch.int64, (2, 2)),
        (((1.0, 2.0),), torch.float32, (1, 2)),
        (range(3), torch.int64, (3,)),
        (np.float64(2), torch.float64, ()),
        (np.arange(3, dtype=np.int16), torch.int16, (3,)),
        ([np.float32(1), np.float32(2)], torch.float32, (2,)),
        ([np.arange(2), np.arange(2)], torch.int64, (2, 2)),
        (2**40, torch.int64, ()),
    ],
    ids=repr,
)
def test_the_dtype_and_shape_of_data(data: Any, dtype: torch.dtype, shape: tuple) -> None:
    t = torch.tensor(data)
    assert t.dtype is dtype and t.shape == shape
    assert t.is_leaf and not t.requires_grad and t._version == 0


def test_tensor_of_tensors() -> None:
    assert torch.tensor([torch.tensor(1), torch.tensor(2)]).tolist() == [1, 2]
    assert torch.tensor([torch.tensor(1.5), 2]).dtype is torch.float32
    x = torch.ones(2)
    with pytest.warns(UserWarning, match="To copy construct from a tensor, it is recommended to use"):
        y = torch.tensor(x)
    y.zero_()
    assert x.tolist() == [1, 1]


def test_numbers_are_converted_to_the_dtype_given() -> None:
    assert torch.tensor([1.9, -1.9], dtype=torch.int32).tolist() == [1, -1]
    assert torch.tensor([0, 2], dtype=torch.bool).tolist() == [False, True]
    assert torch.tensor(3, dtype=torch.complex128).item() == 3 + 0j
    assert torch.tensor([1, 2], dtype=torch.float16).dtype is torch.float16
    assert torch.tensor(0.1, dtype=torch.float64).item() == 0.1
    assert torch.tensor([1.0, 2.0]).to(torch.bfloat16).tolist() == [1, 2]
    assert torch.tensor(math.nan).isnan().item() and torch.tensor(math.inf).item() == math.inf


def test_strange_conversions_give_what_pytorch_gives() -> None:
    assert torch.tensor([math.nan, 1e20, -1e20]).to(torch.int32).tolist() == [-(2**31)] * 3
    assert torch.tensor([-1.0, 300.0]).to(torch.uint8).tolist() == [255, 44]
    assert torch.tensor([300, -1]).to(torch.uint8).tolist() == [44, 255]
    assert torch.tensor([2.5, -2.5]).to(torch.int64).tolist() == [2, -2]


def test_requires_grad_makes_a_leaf() -> None:
    for t in (
        torch.tensor([1.0], requires_grad=True),
        torch.zeros(1, requires_grad=True),
        torch.full((1,), 2.0, requires_grad=True),
        torch.arange(1.0, requires_grad=True),
        torch.eye(1, requires_grad=True),
        torch.zeros(1).new_ones(1, requires_grad=True),
    ):
        assert t.requires_grad and t.is_leaf and t.grad_fn is None


# From nothing


@pytest.mark.parametrize(("name", "value"), [("zeros", 0), ("ones", 1)])
def test_sizes_may_be_given_in_any_form(name: str, value: int) -> None:
    make = getattr(torch, name)
    for t in (make(2, 3), make((2, 3)), make([2, 3]), make(torch.Size([2, 3])), make(size=(2, 3))):
        assert t.shape == (2, 3) and t.dtype is torch.float32
        assert t.tolist() == [[value] * 3] * 2
    assert make(()).shape == () and make(0).shape == (0,)
    assert make(2, dtype=torch.int8).dtype is torch.int8


def test_like_takes_size_dtype_and_device() -> None:
    x = torch.ones(2, 3, dtype=torch.int16)
    assert torch.zeros_like(x).dtype is torch.int16 and torch.zeros_like(x).shape == (2, 3)
    assert torch.ones_like(x, dtype=torch.float64).dtype is torch.float64
    assert torch.full_like(x, 7).tolist() == [[7] * 3] * 2
    assert torch.empty_like(x).shape == (2, 3)
    assert torch.rand_like(x.float()).shape == (2, 3)
    assert not torch.zeros_like(torch.ones(1, requires_grad=True)).requires_grad


def test_new_takes_dtype_and_device() -> None:
    x = torch.ones(1, dtype=torch.float64)
    assert x.new_zeros(2, 3).dtype is torch.float64 and x.new_zeros((2, 3)).shape == (2, 3)
    assert x.new_ones(2).tolist() == [1, 1]
    assert x.new_full((2,), 3).tolist() == [3, 3] and x.new_full((2,), 3).dtype is torch.float64
    assert x.new_tensor([1, 2]).dtype is torch.float64
    assert x.new_empty(3).shape == (3,)


def test_full_takes_its_dtype_from_the_number() -> None:
    assert torch.full((2,), 3).dtype is torch.int64
    assert torch.full((2,), 3.0).dtype is torch.float32
    assert torch.full((2,), True).dtype is torch.bool
    assert torch.full((2,), 1j).dtype is torch.complex64
    assert torch.full((), 3).item() == 3
    assert torch.full((2,), 3, dtype=torch.float16).tolist() == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "values", "dtype"),
    [
        ((3,), [0, 1, 2], torch.int64),
        ((1, 4), [1, 2, 3], torch.int64),
        ((1, 10, 4), [1, 5, 9], torch.int64),
        ((5, 1, -2), [5, 3], torch.int64),
        ((0,), [], torch.int64),
        ((2.5,), [0, 1, 2], torch.float32),
        ((0, 1, 0.25), [0, 0.25, 0.5, 0.75], torch.float32),
        ((1, 2.5, 0.5), [1, 1.5, 2], torch.float32),
        ((-1, 1), [-1, 0], torch.int64),
    ],
)
def test_arange(arguments: tuple, values: list, dtype: torch.dtype) -> None:
    t = torch.arange(*arguments)
    assert t.tolist() == values and t.dtype is dtype


def test_arange_by_name_and_dtype() -> None:
    assert torch.arange(start=1, end=3).tolist() == [1, 2]
    assert torch.arange(3, dtype=torch.float64).dtype is torch.float64
    assert torch.arange(torch.tensor(3)).tolist() == [0, 1, 2]
    assert torch.arange(0, 3, step=2).tolist() == [0, 2]
    for dtype, name in ((torch.bool, "Bool"), (torch.complex64, "ComplexFloat")):
        with pytest.raises(NotImplementedError, match=f"\"arange_cpu\" not implemented for '{name}'"):
            torch.arange(2, dtype=dtype)


def test_ranges_of_floats() -> None:
    assert torch.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert torch.linspace(3, 10, steps=1).tolist() == [3]
    assert torch.linspace(0, 10, 3, dtype=torch.int64).tolist() == [0, 5, 10]
    assert torch.logspace(0, 2, 3).tolist() == [1, 10, 100]
    assert torch.logspace(0, 3, 4, base=2).tolist() == [1, 2, 4, 8]
    with pytest.warns(UserWarning, match="torch.range is deprecated"):
        assert torch.range(1, 3).tolist() == [1, 2, 3]


def test_eye() -> None:
    assert torch.eye(2).tolist() == [[1, 0], [0, 1]]
    assert torch.eye(2, 3, dtype=torch.int64).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_complex_of_two_parts() -> None:
    z = torch.complex(torch.tensor([1.0]), torch.tensor([2.0]))
    assert z.dtype is torch.complex64 and z.tolist() == [1 + 2j]


def test_empty_strided_has_the_strides() -> None:
    t = torch.empty_strided((2, 3), (1, 2))
    assert t.shape == (2, 3) and t.stride() == (1, 2)
    t.copy_(torch.arange(6).view(2, 3))
    assert t.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_empty_may_be_filled() -> None:
    assert torch.empty(2, 2).fill_(3).tolist() == [[3, 3], [3, 3]]


# Old names


def test_old_constructors() -> None:
    assert torch.Tensor(2, 3).shape == (2, 3) and torch.Tensor(2, 3).dtype is torch.float32
    assert torch.Tensor([1, 2]).tolist() == [1, 2] and torch.Tensor([1, 2]).dtype is torch.float32
    assert torch.Tensor().shape == (0,)
    assert torch.LongTensor([1, 2]).dtype is torch.int64
    assert torch.FloatTensor([[1, 2]]).tolist() == [[1, 2]]
    assert torch.DoubleTensor(2).dtype is torch.float64
    assert torch.ByteTensor([1]).dtype is torch.uint8 and torch.BoolTensor([True]).dtype is torch.bool


def test_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        made = (
            torch.zeros(1),
            torch.tensor(1.0),
            torch.rand(1),
            torch.arange(1.0),
            torch.eye(1),
            torch.linspace(0, 1, 2),
        )
        assert {t.dtype for t in made} == {torch.float64}
        assert torch.tensor(1j).dtype is torch.complex128
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_dtype_limits() -> None:
    assert torch.finfo(torch.float32).max == pytest.approx(3.4028234663852886e38)
    assert torch.finfo(torch.float16).eps == 2**-10
    assert torch.iinfo(torch.int8).min == -128 and torch.iinfo(torch.uint8).max == 255
    assert torch.float32.is_floating_point and torch.complex64.is_complex and not torch.int8.is_floating_point
    assert torch.float is torch.float32 and torch.long is torch.int64 and torch.half is torch.float16
    assert repr(torch.float32) == "torch.float32"


# Errors

ERRORS: list[tuple[Callable[[ModuleType], Any], type[Exception], str]] = [
    (lambda t: t.tensor([1, 2], requires_grad=True), RuntimeError, "Only Tensors of floating point and complex dtype can require gradients"),
    (lambda t: t.tensor([[1], [2, 3]]), ValueError, "expected sequence of length 1 at dim 1 (got 2)"),
    (lambda t: t.tensor([1, [2]]), TypeError, "'list' object cannot be interpreted as an integer"),
    (lambda t: t.tensor([1.0, [2]]), TypeError, "must be real number, not list"),
    (lambda t: t.tensor([[1], 2]), TypeError, "not a sequence"),
    (lambda t: t.tensor(1j, dtype=t.float32), TypeError, "must be real number, not complex"),
    (lambda t: t.tensor(300, dtype=t.uint8), RuntimeError, "value cannot be converted to type uint8 without overflow"),
    (lambda t: t.tensor([math.nan], dtype=t.int64), RuntimeError, "value cannot be converted to type int64 without overflow"),
    (lambda t: t.tensor([1, "a"]), TypeError, "new(): invalid data type 'str'"),
    (lambda t: t.tensor(["a"]), ValueError, "too many dimensions 'str'"),
    (lambda t: t.tensor("a"), TypeError, "new(): invalid data type 'str'"),
    (lambda t: t.tensor([None]), RuntimeError, "Could not infer dtype of NoneType"),
    (lambda t: t.tensor({}), RuntimeError, "Could not infer dtype of dict"),
    (lambda t: t.tensor(2**70), ValueError, "Overflow when unpacking long long"),
    (lambda t: t.zeros(2, -3), RuntimeError, "zeros: Dimension size must be non-negative."),
    (lambda t: t.ones(2, -3), RuntimeError, "Trying to create tensor with negative dimension -3: [2, -3]"),
    (lambda t: t.zeros(), TypeError, 'zeros() missing 1 required positional arguments: "size"'),
    (lambda t: t.zeros(2.0), TypeError, "zeros(): argument 'size' (position 1) must be tuple of ints, not float"),
    (lambda t: t.full((2,), "a"), TypeError, "full(): argument 'fill_value' (position 2) must be Number, not str"),
    (lambda t: t.full(2, 1.0), TypeError, "full(): argument 'size' (position 1) must be tuple of ints, not int"),
    (lambda t: t.arange(0, 3, 0), RuntimeError, "step must be nonzero"),
    (lambda t: t.arange(3, 0), RuntimeError, "upper bound and lower bound inconsistent with step sign"),
    (lambda t: t.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
    (lambda t: t.eye(-1), RuntimeError, "n must be greater or equal to 0, got -1"),
    (lambda t: t.ones(2).requires_grad_().long().requires_grad_(), RuntimeError, "only Tensors of floating point dtype can require gradients"),
    (lambda t: t.complex(t.ones(1), t.ones(1, dtype=t.float64)), RuntimeError, "Expected object of scalar type Float but got scalar type Double for second argument"),
    (lambda t: t.set_default_dtype(t.int32), TypeError, "only floating-point types are supported as the default type"),
    (lambda t: t.ones(2, 3).item(), RuntimeError, "a Tensor with 6 elements cannot be converted to Scalar"),
    (lambda t: bool(t.ones(2)), RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    (lambda t: bool(t.ones(0)), RuntimeError, "Boolean value of Tensor with no values is ambiguous"),
    (lambda t: [1, 2][t.ones(1)], TypeError, "only integer tensors of a single element can be converted to an index"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number: int) -> None:
    use, kind, text = ERRORS[number]
    with pytest.raises(kind, match=f"^{re.escape(text)}$"):
        use(torch)


def test_a_range_of_whole_numbers_needs_a_whole_step() -> None:
    with pytest.raises(ValueError, match="step must be nonzero"):
        torch.arange(0, 64, 0.5, out=torch.empty(0, dtype=torch.int64))


def test_a_range_of_whole_numbers_has_whole_bounds_and_steps() -> None:
    assert torch.arange(0, 64, 1.5, dtype=torch.int64).tolist() == list(range(64))
    assert torch.arange(0.5, 6.7, 1.5, dtype=torch.int64).tolist() == [0, 1, 2, 3, 4, 5]
    assert torch.arange(0, 4, 0.5, dtype=torch.int32).tolist() == [0] * 8
