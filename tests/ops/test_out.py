"""``out=``: answers recorded from PyTorch 2.13; ``tests/contract/test_out_rules.py`` holds all ops against PyTorch itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import torchish as torch

F = torch.nn.functional

# name: (call, the dtype of out, the exception's text)
REFUSED_DTYPES: dict[str, tuple[Callable[[Any, Any], Any], Any, str]] = {
    "castable": (
        lambda x, out: torch.add(x, x, out=out),
        torch.int64,
        "result type Float can't be cast to the desired output type Long",
    ),
    "names of C++": (
        lambda x, out: torch.mm(x, x, out=out),
        torch.float64,
        "Expected out tensor to have dtype float, but got double instead",
    ),
    "half": (
        lambda x, out: torch.tril(x, out=out),
        torch.float16,
        "Expected out tensor to have dtype float, but got c10::Half instead",
    ),
    "complex": (
        lambda x, out: torch.softmax(x, 0, out=out),
        torch.complex64,
        "Expected out tensor to have dtype float, but got c10::complex<float> instead",
    ),
    "dtype of sum": (
        lambda x, out: torch.sum(x, 0, dtype=torch.float64, out=out),
        torch.uint8,
        "Expected out tensor to have dtype double, but got unsigned char instead",
    ),
    "found": (lambda x, out: torch.neg(x, out=out), torch.float64, "Found dtype Double but expected Float"),
    "clamp by numbers": (
        lambda x, out: torch.clamp(x, 0.0, out=out),
        torch.float64,
        "Found dtype Double but expected Float",
    ),
    "dot": (
        lambda x, out: torch.dot(x[0], x[0], out=out),
        torch.float64,
        "result dtype Double does not match input dtype Float",
    ),
    "where": (
        lambda x, out: torch.where(x > 0, x, x, out=out),
        torch.float64,
        "Expected out type to be Float but got Double",
    ),
    "take": (
        lambda x, out: torch.take(x, torch.tensor([0]), out=out),
        torch.float64,
        "take(): self and out expected to have the same dtype, but got self.dtype = Float and out.dtype = Double",
    ),
    "signbit": (
        lambda x, out: torch.signbit(x, out=out),
        torch.uint8,
        "signbit does not support non-boolean outputs.",
    ),
    "float_power": (
        lambda x, out: torch.float_power(x, 2, out=out),
        torch.float32,
        "the output given to float_power has dtype Float but the operation's result requires dtype Double",
    ),
    "masked_select": (
        lambda x, out: torch.masked_select(x, x > 0, out=out),
        torch.float64,
        "masked_select(): self and result must have the same scalar type",
    ),
    "nonzero": (
        lambda x, out: torch.nonzero(x, out=out),
        torch.float64,
        "nonzero: Expected out tensor to have scalar type Long but got scalar typeDouble",
    ),
    "complex of parts": (
        lambda x, out: torch.complex(x, x, out=out),
        torch.complex128,
        "Expected object of scalar type ComplexFloat but got scalar type ComplexDouble for argument 'out'",
    ),
    "median": (
        lambda x, out: torch.median(x, 0, out=(out, torch.empty(0, dtype=torch.int64))),
        torch.bfloat16,
        "Expected tensor for 'values' to have the same type as tensor for argument #2 'self'; but type "
        "CPUBFloat16Type does not equal torch.FloatTensor (while checking arguments for median)",
    ),
    "searchsorted": (
        lambda x, out: torch.searchsorted(x, x, out_int32=True, out=out),
        torch.int64,
        "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on "
        "whether out_int32 flag is True, but we got output tensor's dtype Long and out_int32 flag is True",
    ),
    "linspace": (
        lambda x, out: torch.linspace(0, 1, 3, dtype=torch.float32, out=out),
        torch.float64,
        "dtype Float does not match dtype of out parameter (Double)",
    ),
    "ones": (
        lambda x, out: torch.ones(3, dtype=torch.float32, out=out),
        torch.float64,
        "dtype Float does not match dtype of out parameter (Double)",
    ),
}


@pytest.mark.parametrize(("call", "dtype", "text"), REFUSED_DTYPES.values(), ids=REFUSED_DTYPES)
def test_a_dtype_of_out_is_refused(call: Callable[[Any, Any], Any], dtype: Any, text: str) -> None:
    x, out = torch.eye(2), torch.zeros(2, 2, dtype=dtype)
    with pytest.raises(RuntimeError) as error:
        call(x, out)
    assert str(error.value) == text
    assert out.shape == (2, 2) and not out.any()


def test_cat_refuses_a_dtype_with_a_type_error() -> None:
    text = r"torch\.cat\(\): input types can't be cast to the desired output type Long"
    for join in (torch.cat, torch.stack, torch.hstack):
        with pytest.raises(TypeError, match=text):
            join([torch.ones(2)], out=torch.empty(0, dtype=torch.int64))


def test_sums_are_taken_in_the_dtype_of_out() -> None:
    x = torch.tensor([[0.6, 1.7], [2.6, 3.0]])
    assert torch.sum(x, 0, out=torch.empty(2, dtype=torch.int64)).tolist() == [2, 4]
    assert torch.prod(x, 0, out=torch.empty(2, dtype=torch.int64)).tolist() == [0, 3]
    assert torch.cumsum(x, 0, out=torch.empty(2, 2, dtype=torch.int32)).tolist() == [[0, 1], [2, 4]]
    assert torch.sum(x, 0, out=torch.empty(2, dtype=torch.float64)).tolist() == [3.1999999284744263, 4.700000047683716]
    assert torch.eq(x, 3, out=torch.empty(2, 2, dtype=torch.uint8)).tolist() == [[0, 0], [0, 1]]


OVERLAP = "more than one element of the written-to tensor refers to a single memory location"
PARTIAL = "some elements of the input tensor and the written-to tensor refer to a single memory location"


def test_an_expanded_out_is_refused_by_most() -> None:
    x, index = torch.ones(3), torch.tensor([0, 1, 2])
    for call in (
        lambda out: torch.add(x, 1, out=out),
        lambda out: torch.cat([x], out=out),
        lambda out: torch.mm(x[None], torch.ones(3, 3), out=out[None]),
        lambda out: torch.cumsum(x, 0, out=out),
        lambda out: torch.sort(x, out=(out, torch.empty(0, dtype=torch.int64))),
        lambda out: torch.gather(x, 0, index, out=out),
        lambda out: torch.index_select(x, 0, index, out=out),
        lambda out: torch.masked_select(x, x > 0, out=out),
    ):
        out = torch.zeros(1).expand(3)
        with pytest.raises(RuntimeError, match=OVERLAP):
            call(out)
        assert not out.any()
    torch.sum(torch.ones(2, 3), 0, out=torch.zeros(1).expand(3))


def test_out_in_the_memory_of_an_operand() -> None:
    memory = torch.arange(4.0)
    with pytest.raises(RuntimeError, match=PARTIAL):
        torch.add(memory[:3], 1, out=memory[1:])
    with pytest.raises(RuntimeError, match=PARTIAL):
        torch.cat([memory], out=memory)
    with pytest.raises(RuntimeError, match=PARTIAL):
        torch.stack([memory[:2], torch.ones(2)], out=memory.view(2, 2))
    with pytest.raises(RuntimeError, match=PARTIAL):
        torch.gather(memory, 0, torch.tensor([0, 0, 0, 0]), out=memory)
    with pytest.raises(RuntimeError, match=PARTIAL):
        torch.masked_select(memory, memory > 0, out=memory)
    assert memory.tolist() == [0, 1, 2, 3]
    assert torch.add(memory, 1, out=memory) is memory
    square = torch.ones(2, 2)
    assert torch.mm(square, square, out=square).tolist() == [[2, 2], [2, 2]]


def test_gradients() -> None:
    leaf, plain = torch.ones(2, requires_grad=True), torch.ones(2)
    text = (
        r"\(\): functions with out=\.\.\. arguments don't support automatic differentiation, but one of the arguments"
    )
    for call, name in (
        (lambda: torch.square(leaf, out=torch.empty(2)), "pow"),
        (lambda: torch.hstack([leaf], out=torch.empty(2)), "cat"),
        (lambda: torch.masked_select(leaf, leaf > 0, out=torch.empty(2)), "masked_select"),
        (lambda: torch.complex(leaf, plain, out=torch.empty(2, dtype=torch.complex64)), "complex"),
        (lambda: torch.heaviside(plain, plain, out=torch.empty(2, requires_grad=True)), "aten::heaviside"),
        (lambda: torch.softmax(plain, 0, out=torch.empty(2, requires_grad=True)), "aten::softmax"),
        (lambda: torch.ones(2, out=torch.empty(2, requires_grad=True)), "aten::ones"),
    ):
        with pytest.raises(RuntimeError, match="^" + name + text):
            call()
    for function in (torch.softmax, torch.log_softmax):
        assert not function(leaf, 0, out=torch.empty(2)).requires_grad
    assert not torch.heaviside(leaf, plain, out=torch.empty(2)).requires_grad
    product = torch.tensordot(leaf, 2 * plain, 1, out=torch.empty(()))
    assert type(product.grad_fn).__name__ == "CopyBackwards"
    product.backward()
    assert leaf.grad.tolist() == [2, 2]
    with torch.no_grad():
        assert torch.add(leaf, 1, out=torch.empty(2, requires_grad=True)).tolist() == [2, 2]


def test_resizing_warns_but_where_tensors_are_made_from_nothing() -> None:
    for call in (
        lambda out: torch.add(torch.ones(2), 1, out=out),
        lambda out: torch.nonzero(torch.ones(2), out=out.long()),
        lambda out: torch.complex(torch.ones(2), torch.ones(2), out=out + 0j),
    ):
        with pytest.warns(
            UserWarning, match=r"was resized since it had shape \[5\], which does not match the required"
        ):
            call(torch.ones(5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.ones(2, out=torch.zeros(5)).tolist() == [1, 1]
        assert torch.linspace(0, 1, 2, out=torch.zeros(5)).tolist() == [0, 1]
        assert torch.eye(1, out=torch.zeros(5)).tolist() == [[1]]
    text = r"The number of elements in the out tensor of shape \[5\] is 5 which does not match the computed number of"
    with pytest.warns(UserWarning, match=text):
        assert torch.arange(2, out=torch.zeros(5)).tolist() == [0, 1]


def test_another_shape_is_taken_in_place_where_memory_has_room() -> None:
    x = torch.arange(12.0)
    part = x[2:10]
    with pytest.warns(UserWarning, match="was resized"):
        torch.add(torch.ones(2, 2), 1, out=part)
    assert part.tolist() == [[2, 2], [2, 2]] and (part.stride(), part.storage_offset()) == ((2, 1), 2)
    assert x.tolist() == [0, 1, 2, 2, 2, 2, 6, 7, 8, 9, 10, 11]
    index = torch.arange(4)
    with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor"):
        torch.gather(index.clone(), 0, index[1:], out=index[:1])
    empty, full = torch.zeros(0), torch.ones(2, 3)
    for out in (empty, full):
        with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor"):
            torch.cat((empty, full), out=out)
    assert empty.tolist() == [] and full.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_resize_stays_in_memory_that_has_room() -> None:
    x = torch.arange(12.0)
    part = x[:3]
    assert part.resize_(4).tolist() == [0, 1, 2, 3] and part.data_ptr() == x.data_ptr()
    part.fill_(9.0)
    assert x[:5].tolist() == [9, 9, 9, 9, 4]
    assert part.resize_(0).tolist() == [] and part.resize_(2, 2).tolist() == [[9, 9], [9, 9]]
    turned = torch.zeros(2, 3).t()
    turned.resize_(2, 2).fill_(5.0)
    assert turned.is_contiguous() and turned.tolist() == [[5, 5], [5, 5]]
    grown = torch.arange(3.0).resize_(2, 2)
    assert grown.shape == (2, 2) and grown.flatten()[:3].tolist() == [0, 1, 2]


def test_several_results() -> None:
    x = torch.tensor([2.0, 1.0])
    values, indices = torch.empty(2), torch.empty(2, dtype=torch.int64)
    made = torch.sort(x, out=(values, indices))
    assert made.values is values and made.indices is indices and type(made).__name__ == "sort_out"
    assert repr(made) == "torch.return_types.sort_out(\nvalues=tensor([1., 2.]),\nindices=tensor([1, 0]))"
    with pytest.raises(TypeError, match=r"^expected tuple of 2 elements but got 1$"):
        torch.sort(x, out=(values,))
    with pytest.raises(TypeError, match=r"topk\(\): argument 'out' must be tuple of Tensors, not Tensor"):
        torch.topk(x, 1, out=values)
    with pytest.raises(TypeError, match=r"add\(\): argument 'out' must be Tensor, not tuple"):
        torch.add(x, x, out=(values,))


def test_functions_that_take_no_out() -> None:
    with pytest.raises(TypeError):
        torch.argsort(torch.ones(2), out=torch.empty(2, dtype=torch.int64))
    with pytest.raises(TypeError):
        torch.prod(torch.ones(2), out=torch.empty(()))
    with pytest.raises(RuntimeError, match=r"^nonzero does not support the out kwarg when as_tuple is True$"):
        torch.nonzero(torch.ones(2), as_tuple=True, out=torch.empty(2, dtype=torch.int64))
