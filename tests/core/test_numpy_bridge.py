"""NumPy arrays and tensors share memory, both ways, as long as both live."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import torchish as torch


def raises(kind: type[Exception], text: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


# numpy()


def test_an_array_sees_what_is_written_to_its_tensor() -> None:
    t = torch.ones(3)
    a = t.numpy()
    t.add_(1)
    t[0] = 7
    assert a.tolist() == [7, 2, 2]


def test_a_tensor_sees_what_is_written_to_its_array() -> None:
    t = torch.ones(3)
    a = t.numpy()
    a[1] = 5
    np.multiply(a, 2, out=a)
    assert t.tolist() == [2, 10, 2]
    assert (t + 1).tolist() == [3, 11, 3]


def test_what_was_computed_before_a_write_does_not_change() -> None:
    t = torch.ones(3)
    a = t.numpy()
    before = t * 2
    a[:] = 100
    assert before.tolist() == [2, 2, 2]
    assert (t * 2).tolist() == [200, 200, 200]


def test_arrays_of_views_share_with_the_base() -> None:
    t = torch.arange(6.0).view(2, 3).clone()
    row, turned, step = t[1].numpy(), t.t().numpy(), t[:, ::2].numpy()
    row[0] = -1
    assert turned[0, 1] == -1 and step[1, 0] == -1 and t[1, 0].item() == -1
    t.zero_()
    assert not row.any() and not turned.any() and not step.any()
    assert turned.strides == (4, 12)


def test_arrays_of_aliases_are_one_memory() -> None:
    t = torch.zeros(2)
    a, b, c = t.numpy(), t.detach().numpy(), np.asarray(t)
    a[0] = 1
    assert b[0] == c[0] == 1
    assert np.shares_memory(a, b) and np.shares_memory(a, c)


def test_a_tensor_outlives_its_array() -> None:
    t = torch.ones(3)
    a = t.numpy()
    a[0] = 5
    del a
    gc.collect()
    t.add_(1)
    assert t.tolist() == [6, 2, 2]


def test_an_array_outlives_its_tensor() -> None:
    t = torch.ones(3)
    a = t[1:].numpy()
    t.mul_(3)
    del t
    gc.collect()
    a += 1
    assert a.tolist() == [4, 4]


def test_a_view_of_the_array_is_enough_to_share() -> None:
    t = torch.zeros(4)
    part = t.numpy()[1:3]
    part += 1
    assert t.tolist() == [0, 1, 1, 0]
    t.add_(1)
    assert part.tolist() == [2, 2]


def test_a_loop_that_reads_and_writes_both_sides() -> None:
    t = torch.zeros(2)
    a = t.numpy()
    for _ in range(5):
        t += 1
        a *= 2
        assert t.tolist() == a.tolist()
    assert a.tolist() == [62, 62]


@pytest.mark.parametrize(
    "dtype",
    ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool", "complex64", "complex128"],
)
def test_dtypes_cross_over(dtype: str) -> None:
    t = torch.ones(2, dtype=getattr(torch, dtype))
    assert t.numpy().dtype == np.dtype(dtype)
    assert torch.from_numpy(np.ones(2, dtype)).dtype is getattr(torch, dtype)
    assert torch.from_numpy(np.ones(2, dtype)).tolist() == t.tolist()


def test_a_0_dim_tensor_shares_too() -> None:
    t = torch.tensor(3)
    a = t.numpy()
    assert a.shape == () and a.dtype == np.int64
    a[...] = 4
    assert t.item() == 4


def test_an_empty_tensor() -> None:
    assert torch.zeros(0, 3).numpy().shape == (0, 3)
    assert torch.from_numpy(np.zeros((2, 0))).shape == (2, 0)


def test_force_gives_an_array_of_anything() -> None:
    x = torch.ones(2, requires_grad=True)
    assert x.numpy(force=True).tolist() == [1, 1]
    assert (x * 2).numpy(force=True).tolist() == [2, 2]


def test_numpy_of_a_tensor_that_requires_grad_is_refused() -> None:
    x = torch.ones(2, requires_grad=True)
    for use in (lambda: x.numpy(), lambda: (x * 2).numpy(), lambda: np.asarray(x), lambda: np.array(x)):
        with raises(
            RuntimeError, "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        ):
            use()
    assert x.detach().numpy().tolist() == [1, 1]


def test_numpy_lacks_bfloat16() -> None:
    with raises(TypeError, "Got unsupported ScalarType BFloat16"):
        torch.ones(2, dtype=torch.bfloat16).numpy()


# from_numpy and its kin


def test_from_numpy_shares() -> None:
    a = np.ones(3, np.float32)
    t = torch.from_numpy(a)
    np.add(a, 1, out=a)
    assert t.tolist() == [2, 2, 2]
    t.mul_(5)
    assert a.tolist() == [10, 10, 10]
    t[1:].zero_()
    assert a.tolist() == [10, 0, 0]


def test_from_numpy_keeps_strides() -> None:
    a = np.arange(6.0).reshape(2, 3)
    t = torch.from_numpy(a.T)
    assert t.shape == (3, 2) and t.stride() == (1, 3) and not t.is_contiguous()
    t[0] = 9
    assert a[:, 0].tolist() == [9, 9]
    part = torch.from_numpy(a[:, 1:])
    part.zero_()
    assert a.tolist() == [[9, 0, 0], [9, 0, 0]]
    every = torch.from_numpy(a[:, ::2])
    every[0, 1] = 5
    a[1, 2] = 6
    assert every.stride() == (3, 2) and every.tolist() == [[9, 5], [9, 6]]
    assert a.tolist() == [[9, 0, 5], [9, 0, 6]]


def test_an_array_that_must_not_be_written_is_warned_of() -> None:
    program = """
import warnings
import numpy as np
import torchish as torch
a = np.ones(2, np.float32)
a.flags.writeable = False
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    t = torch.from_numpy(a)
    torch.as_tensor(a)
print(len(caught), str(caught[0].message).partition(",")[0])
t.add_(1)
print(t.tolist())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["1 The given NumPy array is not writable", "[2.0, 2.0]"]


def test_as_tensor_shares_where_nothing_is_converted() -> None:
    a = np.ones(2, np.float64)
    torch.as_tensor(a).mul_(3)
    assert a.tolist() == [3, 3]
    torch.as_tensor(a, dtype=torch.float32).mul_(3)
    assert a.tolist() == [3, 3]
    torch.asarray(a).add_(1)
    assert a.tolist() == [4, 4]
    t = torch.ones(2)
    assert torch.as_tensor(t) is t


def test_tensor_copies() -> None:
    a = np.ones(2)
    t = torch.tensor(a)
    a[0] = 5
    assert t.tolist() == [1, 1] and t.dtype is torch.float64
    assert torch.Tensor(a).dtype is torch.float32


def test_gradients_flow_past_shared_memory() -> None:
    a = np.array([1.0, 2.0], np.float32)
    t = torch.from_numpy(a).requires_grad_()
    y = t * t
    a[:] = 0  # PyTorch saves the memory itself: what the derivative reads is what it holds then
    y.sum().backward()
    assert y.tolist() == [1, 4]
    assert t.grad is not None and t.is_leaf


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: torch.from_numpy([1.0]), TypeError, "expected np.ndarray (got list)"),
        (lambda: torch.from_numpy(np.array(["a"])), TypeError, "can't convert np.ndarray of type numpy.str_. The only supported types are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."),
        (lambda: torch.tensor(np.array([None])), TypeError, "can't convert np.ndarray of type numpy.object_. The only supported types are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."),
        (lambda: torch.from_numpy(np.arange(3)[::-1]), ValueError, "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently supported. (You can probably work around this by making a copy of your array  with array.copy().) "),
    ],
)  # fmt: skip
def test_what_does_not_become_a_tensor(make: Any, kind: type[Exception], text: str) -> None:
    with raises(kind, text):
        make()


# NumPy functions and scalars


def test_numpy_functions_take_tensors() -> None:
    t = torch.tensor([1.0, 4.0])
    assert np.sqrt(t.numpy()).tolist() == [1, 2]
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.array(t).tolist() == [1, 4]
    assert np.mean(np.asarray(t)) == 2.5
    assert np.allclose(t, [1, 4])


def test_array_of_a_tensor_is_a_copy() -> None:
    t = torch.zeros(2)
    a = np.array(t)
    a[0] = 5
    assert t.tolist() == [0, 0]


def test_numpy_scalars_are_numbers() -> None:
    t = torch.tensor([1.0, 2.0])
    assert (t * np.float64(2)).dtype is torch.float32
    assert (t + np.int64(1)).tolist() == [2, 3]
    assert t[np.int64(1)].item() == 2
    assert torch.full((2,), np.float32(0.5)).tolist() == [0.5, 0.5]
    assert torch.tensor(np.float32(0.5)).dtype is torch.float32
    assert torch.tensor(np.float64(0.5)).dtype is torch.float64
    assert torch.tensor([np.float64(0.5)]).dtype is torch.float64
    assert torch.zeros(np.int64(2), np.int32(3)).shape == (2, 3)


def test_a_tensor_is_a_list_of_tensors_to_python() -> None:
    t = torch.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in t] == [[1, 2], [3, 4]]
    _, second = t
    assert second.tolist() == [3, 4]
    assert max(torch.tensor([1, 5, 2])).item() == 5
    assert 3 in t and 9 not in t
    assert len(t) == 2
    assert [10, 20, 30][torch.tensor(1)] == 20
    assert list(range(torch.tensor(3))) == [0, 1, 2]


def test_numpys_functions_and_operators_of_a_tensor_give_tensors() -> None:
    x, a = torch.ones(2), np.arange(2.0)
    assert torch.equal(x + a, torch.tensor([1.0, 2.0], dtype=torch.float64))
    assert torch.equal(x @ a, torch.tensor(1.0, dtype=torch.float64))
    assert (np.add(x, a) == torch.tensor([1.0, 2.0])).all()
    assert np.negative(x).dtype is torch.float32
    assert np.isnan(x).dtype is torch.uint8
    with pytest.raises(TypeError, match="unsupported operand type"):
        a * x


def test_a_0_dim_tensor_stays_one_after_numpy_has_looked() -> None:
    t = torch.tensor(3)
    assert (t + np.array([1.0, 2.0])).tolist() == [4.0, 5.0]
    assert (t + torch.tensor(True)).shape == ()


def test_an_array_is_not_assigned_to_an_element() -> None:
    x = torch.zeros(2, 3)
    with pytest.raises(TypeError, match=r"can't assign a numpy.ndarray to a torch.FloatTensor"):
        x[0] = np.arange(3.0)
