"""Views share memory with their base, for reading and for writing, as they do in PyTorch."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

import torchish as torch

# The traps of other layers between PyTorch and JAX.


def test_a_diamond_shaped_graph_is_differentiated_once() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    (y * y + y).backward()
    assert x.grad.item() == 4 * 27 + 2 * 3


def test_multiplying_in_place_keeps_the_gradient() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [6, 6, 6]


def test_in_place_on_a_view_gives_the_right_gradients() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y[0].mul_(10)
    y[1:].add_(y[0])
    (y * y).sum().backward()
    # y = [20 x0, 2 x1 + 20 x0, 2 x2 + 20 x0]
    assert x.grad.tolist() == [2 * 20 * 20 + 2 * (2 * 22 * 20), 2 * 22 * 2, 2 * 22 * 2]


def test_transpose_then_reshape_copies_in_the_order_of_the_transpose() -> None:
    x = torch.arange(6).view(2, 3)
    flat = x.transpose(0, 1).reshape(-1)
    assert flat.tolist() == [0, 3, 1, 4, 2, 5]
    flat.zero_()
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_as_strided_shares_the_memory_and_the_version() -> None:
    x = torch.zeros(6)
    v = x.as_strided((2, 2), (3, 1), 1)
    v.fill_(5)
    assert x.tolist() == [0, 5, 5, 0, 5, 5]
    x[1] = 7
    assert v.tolist() == [[7, 5], [5, 5]]
    assert x._version == v._version == 2


def test_filling_a_row_changes_the_matrix() -> None:
    x = torch.zeros(2, 2)
    x[0].fill_(7)
    assert x.tolist() == [[7, 7], [0, 0]]


def test_adding_to_a_row_of_the_transpose_changes_a_column() -> None:
    x = torch.zeros(2, 2)
    x.t()[0] += 1
    assert x.tolist() == [[1, 0], [1, 0]]


def test_multiplying_a_row_of_a_view_changes_the_base() -> None:
    x = torch.ones(4)
    x.view(2, 2)[0].mul_(5)
    assert x.tolist() == [5, 5, 1, 1]


def test_zeroing_a_chunk_changes_the_base() -> None:
    x = torch.ones(4)
    torch.chunk(x, 2)[1].zero_()
    assert x.tolist() == [1, 1, 0, 0]


def test_detach_shares_memory_and_version() -> None:
    x = torch.ones(2, requires_grad=True) * 1
    d = x.detach()
    d.mul_(3)
    assert x.tolist() == [3, 3]
    assert x._version == d._version == 1
    assert not d.requires_grad and d.is_leaf and d._base is None


def test_a_write_through_detach_is_noticed_by_backward() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    z = (y * y).sum()
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def test_data_shares_memory_but_not_the_version() -> None:
    x = torch.ones(2, requires_grad=True)
    x.data.mul_(100)
    assert x.tolist() == [100, 100]
    assert x._version == 0 and x.is_leaf and x.requires_grad


def test_a_write_through_data_reaches_what_was_saved() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    y = x * x
    x.data.fill_(5)
    y.backward()
    assert x.grad.item() == 10


def test_batch_norm_statistics_move() -> None:
    norm = torch.nn.BatchNorm1d(2)
    mean = norm.running_mean
    norm(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert norm.running_mean is mean
    assert mean.tolist() == pytest.approx([0.2, 0.4])
    assert norm.num_batches_tracked.item() == 1


def test_int64_stays_int64_beyond_32_bits() -> None:
    big = torch.tensor([2**40])
    assert (big + 1).tolist() == [2**40 + 1]
    assert big.dtype is torch.int64
    assert (big * 2).sum().item() == 2**41
    assert torch.arange(3).dtype is torch.int64


def test_a_seed_decides_the_numbers() -> None:
    torch.manual_seed(3)
    first = torch.rand(3).tolist()
    second = torch.rand(3).tolist()
    torch.manual_seed(3)
    assert torch.rand(3).tolist() == first
    assert first != second


def test_random_numbers_differ_from_step_to_step_of_a_compiled_loop() -> None:
    drawn = []
    for _ in range(5):
        drawn.append((torch.rand(2) * 1).tolist())
    assert len({tuple(d) for d in drawn}) == 5


# Every kind of view reads and writes its base.

VIEWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "alias": lambda x: x[...],
    "int index": lambda x: x[1],
    "negative index": lambda x: x[-1],
    "two ints": lambda x: x[1, 2],
    "slice": lambda x: x[1:, :3],
    "slice with a step": lambda x: x[:, ::2],
    "slice after int": lambda x: x[0, 1:3],
    "none": lambda x: x[None],
    "none in the middle": lambda x: x[:, None, 1:],
    "ellipsis": lambda x: x[..., 2],
    "select": lambda x: x.select(1, 2),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "view": lambda x: x.view(2, 6),
    "view of one dimension": lambda x: x.view(-1)[3:7],
    "view as": lambda x: x.view_as(torch.empty(4, 3)),
    "reshape": lambda x: x.reshape(6, 2),
    "flatten": lambda x: x.flatten(),
    "ravel": lambda x: x.ravel(),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "transpose": lambda x: x.transpose(0, 1)[1:],
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "permute": lambda x: x.view(3, 2, 2).permute(2, 0, 1),
    "movedim": lambda x: x.view(3, 2, 2).movedim(0, 2),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x[1:2].squeeze(),
    "diagonal": lambda x: x.diagonal(),
    "lower diagonal": lambda x: x.diagonal(-1),
    "unbind": lambda x: x.unbind(1)[2],
    "chunk": lambda x: x.chunk(2, 1)[1],
    "split": lambda x: x.split([1, 3], 1)[1],
    "tensor_split": lambda x: x.tensor_split(3, 1)[0],
    "unfold": lambda x: x.unfold(1, 2, 2),
    "as_strided": lambda x: x.as_strided((2, 2), (5, 2), 1),
    "view of a view of a view": lambda x: (
        x.t()[1:].view(3, 3)[::2, 1] if x.t()[1:].is_contiguous() else x.t()[1:][::2, 1]
    ),
    "detach": lambda x: x.detach(),
    "detached row": lambda x: x[1].detach(),
    "data": lambda x: x.data,
    "iteration": lambda x: list(x)[1],
}


def _grid() -> torch.Tensor:
    return torch.arange(12.0).view(3, 4).clone()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_sees_what_is_written_to_its_base(name: str) -> None:
    x = _grid()
    v = VIEWS[name](x)
    before = v.tolist()
    x.add_(100)
    assert torch.tensor(v.tolist()).sub(100).tolist() == before


@pytest.mark.parametrize("name", VIEWS)
def test_the_base_sees_what_is_written_to_a_view(name: str) -> None:
    x = _grid()
    numbers = VIEWS[name](x).flatten().tolist()  # which elements the view has: each holds its own number
    VIEWS[name](x).mul_(-1).sub_(50)
    expected = [-n - 50 if n in numbers else n for n in map(float, range(12))]
    assert x.flatten().tolist() == expected


@pytest.mark.parametrize("name", [n for n in VIEWS if n not in ("detach", "detached row", "data")])
def test_a_view_knows_its_base_and_shares_its_version(name: str) -> None:
    x = _grid()
    v = VIEWS[name](x)
    assert v._base is x and v._is_view()
    v.add_(1)
    x.add_(1)
    assert v._version == x._version == 2


@pytest.mark.parametrize("name", VIEWS)
def test_the_gradient_of_a_view_goes_to_its_places(name: str) -> None:
    x = _grid().requires_grad_()
    v = VIEWS[name](x)
    if not v.requires_grad:
        return
    numbers = v.flatten().tolist()
    (v * v).sum().backward()
    assert x.grad.flatten().tolist() == [2 * n if n in numbers else 0 for n in map(float, range(12))]


def test_real_and_imaginary_parts_are_views() -> None:
    z = torch.tensor([1 + 2j, 3 + 4j])
    z.real.add_(10)
    z.imag[1] = 0
    assert z.tolist() == [11 + 2j, 13 + 0j]
    pairs = torch.view_as_real(z)
    pairs[0, 1] = -1
    assert z[0].item() == 11 - 1j
    assert torch.view_as_complex(pairs).data_ptr() == z.data_ptr()


def test_a_view_of_another_dtype_shares_the_bytes() -> None:
    x = torch.tensor([1.0, -2.0])
    bits = x.view(torch.int32)
    assert bits.tolist() == [0x3F800000, -0x40000000]
    bits[0] = 0x40400000
    assert x.tolist() == [3, -2]
    assert x.view(torch.uint8).shape == (8,)


def test_an_expanded_tensor_shares_its_one_element() -> None:
    x = torch.tensor([[1.0], [2.0]])
    e = x.expand(2, 3)
    x[0, 0] = 9
    assert e.tolist() == [[9, 9, 9], [2, 2, 2]]
    assert e.stride() == (1, 0)


def test_reshape_of_an_expanded_tensor_copies() -> None:
    x = torch.tensor([1.0, 2.0])
    flat = x.expand(2, 2).reshape(-1)
    flat.zero_()
    assert x.tolist() == [1, 2]


def test_contiguous_is_the_tensor_itself_or_a_copy() -> None:
    x = torch.zeros(2, 3)
    assert x.contiguous() is x
    copy = x.t().contiguous()
    copy.fill_(1)
    assert x.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_clone_and_arithmetic_share_nothing() -> None:
    x = torch.ones(2)
    for made in (x.clone(), x + 0, x * 1, x.to(torch.float64), torch.cat([x]), x[[0, 1]], x[x > 0]):
        made.zero_()
    assert x.tolist() == [1, 1]


def test_to_and_float_give_the_tensor_itself_where_nothing_changes() -> None:
    x = torch.ones(2)
    assert x.to(torch.float32) is x
    assert x.float() is x
    assert x.cpu() is x
    assert x.to(x) is x
    assert x.to(torch.float32, copy=True) is not x


def test_setting_an_element_through_two_views_of_the_same_place() -> None:
    x = torch.zeros(4)
    a, b = x[1:3], x.view(2, 2)
    a[0] = 1
    assert b[0, 1].item() == 1
    b[0, 1] = 2
    assert a.tolist() == [2, 0]


def test_turning_the_base_itself_leaves_views_on_the_same_memory() -> None:
    x = torch.arange(6.0).view(2, 3).clone()
    row = x[1]
    x.t_()
    assert x.shape == (3, 2)
    row.zero_()
    assert x.tolist() == [[0, 0], [1, 0], [2, 0]]
    x[:, 1] = 5
    assert row.tolist() == [5, 5, 5]


def test_data_ptr_tells_which_tensors_share_a_place() -> None:
    x = torch.zeros(4)
    assert x.data_ptr() == x.detach().data_ptr() == x.view(2, 2).data_ptr() == x[:2].data_ptr()
    assert x[1:].data_ptr() == x.data_ptr() + 4
    assert x.clone().data_ptr() != x.data_ptr()
    assert x.is_set_to(x.view(4)) and not x.is_set_to(x.view(2, 2))


def test_swapping_two_rows_takes_a_copy() -> None:
    x = torch.tensor([[1, 2], [3, 4]])
    x[0], x[1] = x[1].clone(), x[0].clone()
    assert x.tolist() == [[3, 4], [1, 2]]
    x[[0, 1]] = x[[1, 0]]
    assert x.tolist() == [[1, 2], [3, 4]]


def test_a_view_keeps_its_base_and_nothing_keeps_both() -> None:
    x = torch.zeros(3)
    v = x[1:]
    alive = weakref.ref(x)
    del x
    assert alive() is not None
    gc.disable()
    try:
        del v
        assert alive() is None
    finally:
        gc.enable()


def test_a_failed_write_leaves_the_tensor_as_it_was() -> None:
    x = torch.arange(3.0)
    version = x._version
    for bad in (
        lambda: x.add_(torch.ones(2)),
        lambda: x.copy_(torch.ones(4)),
        lambda: x.__setitem__(torch.tensor([0, 7]), 5.0),
        lambda: x.__setitem__(9, 1.0),
    ):
        with pytest.raises((RuntimeError, IndexError)):
            bad()
    assert x.tolist() == [0, 1, 2]
    assert x._version == version
