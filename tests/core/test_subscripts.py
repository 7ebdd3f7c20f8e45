"""``x[index]`` and ``x[index] = value``: all forms of an index read and write what NumPy's do, with PyTorch's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchish as torch

SHAPE = (3, 4, 5)
MASK = np.arange(12).reshape(3, 4) % 3 == 0

# Index as NumPy takes it; arrays become tensors for torchish.
INDICES: dict[str, Any] = {
    "int": 1,
    "negative int": -1,
    "ints": (0, -2, 3),
    "numpy int": np.int64(2),
    "slice": slice(1, 3),
    "slice beyond the end": slice(1, 100),
    "empty slice": slice(3, 1),
    "negative slice": slice(-2, None),
    "slice with a step": slice(None, None, 2),
    "all": slice(None),
    "ellipsis": ...,
    "ellipsis then int": (..., 1),
    "int, ellipsis, int": (1, ..., 2),
    "ellipsis of nothing": (0, 1, 2, ...),
    "none": None,
    "none and ints": (None, 1, None, 2),
    "none last": (slice(1, 2), ..., None),
    "no index at all": (),
    "int and slice": (slice(None), 2, slice(1, 4)),
    "list": [0, 2],
    "list with repeats": [2, 0, 2],
    "negative list": [-1, 0],
    "two lists": ([0, 2], [1, 3]),
    "list and int": ([0, 2], 1),
    "list and slice": (slice(None), [3, 0]),
    "lists apart": ([0, 2], slice(None), [1, 4]),
    "list after none": (None, [0, 1]),
    "lists that broadcast": ([[0], [2]], [1, 3]),
    "array": np.array([2, 1]),
    "array of two dimensions": np.array([[0, 1], [2, 0]]),
    "0-dim array": np.array(2),
    "array of int32": np.array([1, 2], dtype=np.int32),
    "arrays and slice with a step": (np.array([0, 1]), slice(None, None, 3)),
    "three arrays": (np.array([0, 1]), np.array([1, 2]), np.array([2, 3])),
    "empty list": [],
    "mask of all": np.arange(60).reshape(SHAPE) % 7 == 0,
    "mask of two dimensions": MASK,
    "mask of one dimension": np.array([True, False, True]),
    "mask of the last dimension": (..., np.array([True, False, True, False, True])),
    "mask in the middle": (slice(None), np.array([False, True, True, False])),
    "mask and int": (np.array([True, False, True]), 1),
    "mask and list": (np.array([True, False, True]), [1, 2]),
    "mask of nothing": np.zeros(SHAPE, dtype=bool),
    "list of bools": [True, False, True],
    "true": True,
    "false": False,
}


def as_tensors(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(as_tensors(i) for i in index)
    return torch.tensor(index) if isinstance(index, np.ndarray) else index


def grid() -> tuple[np.ndarray, torch.Tensor]:
    array = np.arange(60, dtype=np.float32).reshape(SHAPE)
    return array.copy(), torch.tensor(array)


@pytest.mark.parametrize("name", INDICES)
def test_reading(name: str) -> None:
    array, t = grid()
    expected = array[INDICES[name]]
    got = t[as_tensors(INDICES[name])]
    assert tuple(got.shape) == expected.shape
    assert got.tolist() == expected.tolist()


@pytest.mark.parametrize("name", INDICES)
def test_reading_a_view_that_is_not_contiguous(name: str) -> None:
    array, t = np.arange(60, dtype=np.float32).reshape(5, 4, 3), torch.arange(60.0).view(5, 4, 3)
    assert t.permute(2, 1, 0)[as_tensors(INDICES[name])].tolist() == array.transpose(2, 1, 0)[INDICES[name]].tolist()


@pytest.mark.parametrize("name", INDICES)
def test_writing_a_number(name: str) -> None:
    array, t = grid()
    array[INDICES[name]] = -1
    t[as_tensors(INDICES[name])] = -1
    assert t.tolist() == array.tolist()


# Which of two writes to one place wins is open.
@pytest.mark.parametrize("name", [name for name in INDICES if "repeats" not in name])
def test_writing_a_tensor_of_the_same_shape(name: str) -> None:
    array, t = grid()
    new = -np.arange(array[INDICES[name]].size, dtype=np.float32).reshape(array[INDICES[name]].shape) - 1
    array[INDICES[name]] = new
    t[as_tensors(INDICES[name])] = torch.tensor(new)
    assert t.tolist() == array.tolist()


@pytest.mark.parametrize("name", INDICES)
def test_writing_a_0_dim_tensor(name: str) -> None:
    array, t = grid()
    array[INDICES[name]] = 7
    t[as_tensors(INDICES[name])] = torch.tensor(7.0)
    assert t.tolist() == array.tolist()


@pytest.mark.parametrize("name", INDICES)
def test_adding_where_an_index_reads(name: str) -> None:
    array, t = grid()
    array[INDICES[name]] += 100
    t[as_tensors(INDICES[name])] += 100
    assert t.tolist() == array.tolist()


@pytest.mark.parametrize("name", INDICES)
def test_the_gradient_of_reading_goes_to_the_elements_read(name: str) -> None:
    array, t = grid()
    expected = np.zeros(60, dtype=np.float32)
    np.add.at(expected, array[INDICES[name]].astype(int).reshape(-1), 1)
    t.requires_grad_()
    t[as_tensors(INDICES[name])].sum().backward()
    assert t.grad.flatten().tolist() == expected.tolist()


def test_a_value_is_broadcast_to_what_is_written() -> None:
    array, t = grid()
    array[1:, 2] = np.arange(5)
    t[1:, 2] = torch.arange(5.0)
    array[[0, 2]] = np.arange(5)
    t[[0, 2]] = torch.arange(5.0)
    array[:, [1, 3], 2] = np.array([[5], [6], [7]])
    t[:, [1, 3], 2] = torch.tensor([[5.0], [6.0], [7.0]])
    assert t.tolist() == array.tolist()


def test_dimensions_of_size_1_in_front_of_a_value_are_dropped() -> None:
    x = torch.zeros(3)
    x[:] = torch.ones(1, 1, 3)
    x[[0, 1]] = torch.tensor([[5.0, 6.0]])
    assert x.tolist() == [5, 6, 1]


def test_a_written_value_is_converted() -> None:
    x = torch.zeros(3, dtype=torch.int64)
    x[0] = 2.9
    x[1:] = torch.tensor([-1.5, 1.5])
    assert x.tolist() == [2, -1, 1]
    x[x < 0] = 3.7
    assert x.tolist() == [2, 3, 1]
    y = torch.zeros(2)
    y[0], y[1] = True, np.float64(2.5)
    assert y.tolist() == [1, 2.5]


def test_a_numpy_array_is_written() -> None:
    x = torch.zeros(2, 2)
    x[0] = torch.as_tensor(np.array([1.0, 2.0], dtype=np.float32))
    assert x.tolist() == [[1, 2], [0, 0]]


def test_an_int_is_no_index_list() -> None:
    """Where NumPy puts the dimension of a list that stands apart from an int first, PyTorch leaves it in its place."""
    array, t = grid()
    assert t[1, :, [1, 4]].tolist() == array[1][:, [1, 4]].tolist()


def test_a_0_dim_tensor_is_an_int() -> None:
    x = torch.arange(4)
    i = torch.tensor(2)
    assert x[i].item() == 2
    assert x[i : i + 2].tolist() == [2, 3]
    x[i] = 9
    assert x.tolist() == [0, 1, 9, 3]


def test_a_0_dim_tensor_takes_masks_none_and_ellipsis() -> None:
    x = torch.tensor(5.0)
    assert x[...].item() == 5 and x[()].item() == 5
    assert x[None].tolist() == [5]
    assert x[True].tolist() == [5] and x[False].tolist() == []
    x[...] = 6.0
    x[x > 5] = 7.0
    assert x.item() == 7


def test_a_byte_mask_works_with_a_warning() -> None:
    x = torch.arange(3)
    with pytest.warns(UserWarning, match="indexing with dtype torch.uint8 is now deprecated"):
        assert x[torch.tensor([1, 0, 1], dtype=torch.uint8)].tolist() == [0, 2]


def test_repeated_indices_add_their_gradients() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x[[0, 0, 1]] * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [11, 100]


def test_index_put_accumulates() -> None:
    x = torch.zeros(3)
    x.index_put_((torch.tensor([0, 0, 2]),), torch.ones(3), accumulate=True)
    assert x.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("index", "rank"),
    [((), 3), (0, 2), ((0, 0), 1), ((0, 0, 0), 0), (None, 4), ((..., None, None), 5), ((slice(1), [0, 1]), 3)],
)
def test_the_rank_of_a_result(index: Any, rank: int) -> None:
    assert grid()[1][index].dim() == rank


INVALID = "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {})"
ERRORS: list[tuple[Callable[[torch.Tensor], Any], type[Exception], str]] = [
    (lambda x: x[3], IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    (lambda x: x[-4], IndexError, "index -4 is out of bounds for dimension 0 with size 3"),
    (lambda x: x[0, 4], IndexError, "index 4 is out of bounds for dimension 1 with size 4"),
    (lambda x: x[..., 5], IndexError, "index 5 is out of bounds for dimension 1 with size 5"),
    (lambda x: x[0, :, 5], IndexError, "index 5 is out of bounds for dimension 2 with size 5"),
    (lambda x: x[None, 0, 4], IndexError, "index 4 is out of bounds for dimension 2 with size 4"),
    (lambda x: x[0, 0, 0, 0], IndexError, "too many indices for tensor of dimension 3"),
    (lambda x: x[[3]], IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    (lambda x: x[:, [-5]], IndexError, "index -5 is out of bounds for dimension 0 with size 4"),
    (lambda x: x[torch.tensor([7])], IndexError, "index 7 is out of bounds for dimension 0 with size 3"),
    (lambda x: x[[0, 1], [0, 1, 2]], IndexError, "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]"),
    (lambda x: x[1.0], IndexError, INVALID.format("float")),
    (lambda x: x["a"], TypeError, "new(): invalid data type 'str'"),
    (lambda x: x[{}], IndexError, INVALID.format("dict")),
    (lambda x: x[0, 2.5], IndexError, INVALID.format("float")),
    (lambda x: x[torch.tensor([1.0])], IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    (lambda x: x[::-1], ValueError, "step must be greater than zero"),
    (lambda x: x[::0], ValueError, "slice step cannot be zero"),
    (lambda x: x["a":], TypeError, "slice indices must be integers or None or have an __index__ method"),
    (lambda x: x[1.0:], TypeError, "slice indices must be integers or None or have an __index__ method"),
    (lambda x: x[torch.tensor([True, False])], IndexError, "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3, 4, 5] at index 0"),
    (lambda x: x[:, torch.tensor([True, False])], IndexError, "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3, 4, 5] at index 1"),
    (lambda x: x[0, 0, 0][0], IndexError, "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"),
    (lambda x: x[0, 0, 0][:], IndexError, "slice() cannot be applied to a 0-dim tensor."),
    (lambda x: x[0, 0, 0][0, 0], IndexError, "too many indices for tensor of dimension 0"),
    (lambda x: torch.zeros(0)[[0]], IndexError, "index is out of bounds for dimension with size 0"),
    (lambda x: x.__setitem__(9, 1.0), IndexError, "index 9 is out of bounds for dimension 0 with size 3"),
    (lambda x: x.__setitem__([9], 1.0), IndexError, "index 9 is out of bounds for dimension 0 with size 3"),
    (lambda x: x.__setitem__(0, torch.ones(3)), RuntimeError, "The expanded size of the tensor (5) must match the existing size (3) at non-singleton dimension 1.  Target sizes: [4, 5].  Tensor sizes: [3]"),
    (lambda x: x.__setitem__((0, 0), torch.ones(2, 5)), RuntimeError, "expand(torch.FloatTensor{[2, 5]}, size=[5]): the number of sizes provided (1) must be greater or equal to the number of dimensions in the tensor (2)"),
    (lambda x: x.__setitem__([0, 1], torch.ones(3, 5)), RuntimeError, "shape mismatch: value tensor of shape [3, 5] cannot be broadcast to indexing result of shape [2, 4, 5]"),
    (lambda x: x.__setitem__([0, 1], torch.ones(5, dtype=torch.float64)), RuntimeError, "Index put requires the source and destination dtypes match, got Float for the destination and Double for the source."),
    (lambda x: x.__setitem__(0, [1.0]), TypeError, "can't assign a list to a torch.FloatTensor"),
    (lambda x: x.__setitem__(0, "a"), TypeError, "can't assign a str to a torch.FloatTensor"),
    (lambda x: x.__setitem__(0, None), TypeError, "can't assign a NoneType to a torch.FloatTensor"),
    (lambda x: iter(x[0, 0, 0]), TypeError, "iteration over a 0-d tensor"),
    (lambda x: len(x[0, 0, 0]), TypeError, "len() of a 0-d tensor"),
    (lambda x: x.select(0, 3), IndexError, "select(): index 3 out of range for tensor of size [3, 4, 5] at dimension 0"),
    (lambda x: x.select(3, 0), IndexError, "Dimension out of range (expected to be in range of [-3, 2], but got 3)"),
    (lambda x: x.narrow(0, 2, 2), RuntimeError, "start (2) + length (2) exceeds dimension size (3)."),
    (lambda x: x.gather(0, torch.tensor([[[3]]])), RuntimeError, "index 3 is out of bounds for dimension 0 with size 3"),
    (lambda x: x.index_select(0, torch.tensor([3])), IndexError, "index out of range in self"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number: int) -> None:
    use, kind, text = ERRORS[number]
    x = grid()[1]
    with pytest.raises(kind, match=f"^{re.escape(text)}$"):
        use(x)
    assert x.tolist() == grid()[0].tolist()


def test_an_index_out_of_range_among_pending_data_is_found_when_it_is_needed() -> None:
    x = torch.arange(3.0)
    with pytest.raises(IndexError, match="index 3 is out of bounds for dimension 0 with size 3"):
        x[torch.arange(3) + 1].tolist()  # the index has no data before
    assert x.tolist() == [0, 1, 2]
