"""In-place operations on tensors and views that take part in a graph: gradients, histories and PyTorch's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import torchish as torch


def name_of(t: torch.Tensor) -> str:
    return type(t.grad_fn).__name__


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def raises(text: str) -> Any:
    """The whole text of a RuntimeError."""
    return pytest.raises(RuntimeError, match=f"^{re.escape(text)}$")


# Gradients


def test_a_chain_of_in_place_operations() -> None:
    x = leaf(0.5, 2.0)
    y = x * 3
    y.mul_(y.detach().clone())
    y.add_(1).sub_(x)
    y.sum().backward()
    assert x.grad.tolist() == [3 * 1.5 - 1, 3 * 6 - 1]


def test_filling_an_element_cuts_its_gradient() -> None:
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    y[0] = 5.0
    assert name_of(y) == "CopySlices"
    (y * y).sum().backward()
    assert x.grad.tolist() == [0, 16, 24]


def test_zeroing_cuts_all_gradients() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.zero_()
    assert y.requires_grad and name_of(y) == "ZeroBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_a_plain_tensor_takes_the_history_of_what_is_written_into_it() -> None:
    x1, x2 = leaf(1.0), leaf(2.0)
    y = torch.zeros(3)
    y[0] = (x1**2).sum()
    y[1] = (x1 * x2).sum()
    y[2] = (x2**3).sum()
    y.backward(torch.tensor([1.0, 10.0, 100.0]))
    assert x1.grad.tolist() == [2 + 20]
    assert x2.grad.tolist() == [10 + 1200]


def test_copy_sends_the_gradient_to_its_source() -> None:
    x, y = leaf(1.0, 2.0), torch.zeros(2)
    y.copy_(x)
    assert name_of(y) == "CopyBackwards"
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_copy_that_broadcasts_and_converts_sums_and_converts_back() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = torch.zeros(3, 2)
    y.copy_(x)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3] and x.grad.dtype is torch.float64


def test_a_mask_divides_the_gradient_between_old_and_new() -> None:
    x = leaf(-1.0, 2.0, -3.0)
    y = x * 2
    y[y.detach() < 0] = 0.0
    y.sum().backward()
    assert x.grad.tolist() == [0, 2, 0]


def test_values_written_under_a_mask_get_their_gradient() -> None:
    x, new = leaf(-1.0, 2.0, -3.0), leaf(10.0, 20.0)
    y = x * 2
    y[x.detach() < 0] = new * 3
    (y * torch.tensor([1.0, 2.0, 4.0])).sum().backward()
    assert y.tolist() == [30, 4, 60]
    assert x.grad.tolist() == [0, 4, 0]
    assert new.grad.tolist() == [3, 12]


def test_values_written_by_index_get_their_gradient() -> None:
    x, new = leaf(1.0, 2.0, 3.0), leaf(7.0, 8.0)
    y = x * 1
    y[[2, 0]] = new
    (y * torch.tensor([1.0, 2.0, 4.0])).sum().backward()
    assert y.tolist() == [8, 2, 7]
    assert x.grad.tolist() == [0, 2, 0]
    assert new.grad.tolist() == [4, 1]


def test_an_in_place_operation_on_a_view_becomes_part_of_the_base() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    v = y[0]
    v.mul_(3)
    assert name_of(y) == "CopySlices"
    assert name_of(v) == "AsStridedBackward0"
    assert [type(n).__name__ for n, _ in y.grad_fn.next_functions] == ["MulBackward0", "NoneType"]
    y.sum().backward()
    assert x.grad.tolist() == [6, 2]


def test_an_in_place_operation_on_the_base_becomes_part_of_its_views() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    v = y[1]
    y.mul_(y.detach().clone())
    assert name_of(v) == "AsStridedBackward0"
    v.backward()
    assert x.grad.tolist() == [0, 2 * 4]


def test_sibling_views_see_each_others_history() -> None:
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    left, right = y[:2], y[1:]
    left.mul_(10)
    right.add_(left.detach().clone())
    right.sum().backward()
    assert right.tolist() == [30, 23]
    assert x.grad.tolist() == [0, 10, 1]
    assert name_of(left) == name_of(right) == "AsStridedBackward0"


def test_a_view_of_a_view_of_a_turned_tensor() -> None:
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    y = x * 1
    column = y.t()[1:].t()[0]
    column.mul_(column.detach().clone())
    (y * y).sum().backward()
    # the elements 1 and 2 were multiplied by themselves: y = c x with c = 1, 2
    assert x.grad.tolist() == [[0, 2, 2 * 4 * 2], [6, 8, 10]]


def test_turning_a_tensor_in_place_keeps_gradients_right() -> None:
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    y = x * 1
    row = y[1]
    y.t_()
    assert name_of(y) == "TBackward1"
    row.mul_(2)
    (y * torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])).sum().backward()
    assert x.grad.tolist() == [[1, 2, 3], [20, 40, 60]]


def test_a_leaf_view_of_a_plain_tensor() -> None:
    base = torch.zeros(3)
    v = base[1:]
    v.requires_grad_()
    (v * 2).sum().backward()
    assert v.is_leaf and v.grad.tolist() == [2, 2]
    with raises("a view of a leaf Variable that requires grad is being used in an in-place operation."):
        v.add_(1)


def test_second_derivatives_through_a_view_written_in_place() -> None:
    x = leaf(2.0, 3.0)
    y = x * 1
    y[0].mul_(x[0])
    (first,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    assert first.tolist() == [4 * 8, 6]  # x0^4 and x1^2
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.tolist() == [12 * 4, 2]


def test_retain_grad_keeps_the_gradient_of_the_tensor_as_it_is_last() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    assert y.grad.tolist() == [12, 24]


def test_no_grad_writes_keep_the_history() -> None:
    x = leaf(1.0, 2.0)
    with torch.no_grad():
        x.add_(1)
        x[0] = 7.0
    assert x.tolist() == [7, 3] and x.is_leaf and x._version == 2
    y = x * 2
    node = y.grad_fn
    with torch.no_grad():
        y.mul_(100)
    assert y.grad_fn is node
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_pieces_of_one_tensor_have_one_node() -> None:
    x = torch.ones(3, requires_grad=True) * 1
    for pieces in (x.unbind(), x.split(1), x.chunk(3)):
        assert len({id(p.grad_fn) for p in pieces}) == 1
        assert [p.output_nr for p in pieces] == [0, 1, 2]


def test_an_unused_piece_is_unused() -> None:
    x = leaf(1.0, 2.0)
    a, b = (x * 2).unbind()
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(a, [x, b])
    a, b = (x * 2).unbind()
    assert torch.autograd.grad(a, [x, b], allow_unused=True)[1] is None


def test_a_node_that_only_gives_a_gradient_is_not_used_up() -> None:
    x = leaf(1.0, 2.0)
    y = x * x
    (g,) = torch.autograd.grad(y.sum(), y)
    y.backward(g)
    assert x.grad.tolist() == [2, 4]


@pytest.mark.parametrize("name", ["max", "min", "median", "sort", "topk", "kthvalue", "mode"])
def test_selections_remember_which_elements_not_their_values(name: str) -> None:
    x = leaf(3.0, 1.0, 2.0)
    y = x * 1
    arguments = {"topk": (3, 0), "kthvalue": (2, 0)}.get(name, (0,))
    values = getattr(y, name)(*arguments).values
    with torch.no_grad():
        y.zero_()
    (values * values.detach()).sum().backward()
    kept = set(values.flatten().tolist())
    assert x.grad.tolist() == [v if v in kept else 0 for v in (3.0, 1.0, 2.0)]


# Errors, word for word


LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
LEAF_VIEW = "a view of a leaf Variable that requires grad is being used in an in-place operation."
IN_PLACE: dict[str, Callable[[torch.Tensor], Any]] = {
    "add_": lambda t: t.add_(1),
    "mul_": lambda t: t.mul_(t.detach()),
    "copy_": lambda t: t.copy_(torch.ones(2)),
    "zero_": lambda t: t.zero_(),
    "fill_": lambda t: t.fill_(2.0),
    "assignment": lambda t: t.__setitem__(slice(None), 1.0),
    "mask assignment": lambda t: t.__setitem__(t.detach() > 0, 1.0),
    "index assignment": lambda t: t.__setitem__([0], 1.0),
    "normal_": lambda t: t.normal_(),
    "unsqueeze_": lambda t: t.unsqueeze_(0),
    "t_": lambda t: t.t_(),
    "+=": lambda t: t.__iadd__(1),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_leaf_is_not_changed_in_place(name: str) -> None:
    x = leaf(1.0, 2.0)
    with raises(LEAF):
        IN_PLACE[name](x)
    assert x.tolist() == [1, 2] and x._version == 0


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_view_of_a_leaf_is_not_changed_in_place(name: str) -> None:
    x = leaf(0.0, 1.0, 2.0)
    with raises(LEAF_VIEW):
        IN_PLACE[name](x[1:])
    assert x.tolist() == [0, 1, 2] and x._version == 0


def test_an_element_of_a_leaf_is_not_assigned() -> None:
    x = leaf(1.0, 2.0)
    with raises(LEAF_VIEW):
        x[0] = 5.0


AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both "
    "the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or "
    "both outside (if you want the inplace to be tracked)."
)
MULTI = (
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views "
    "to be modified inplace. You should replace the inplace operation by an out-of-place one."
)


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_view_made_under_no_grad_is_not_changed_in_place(name: str) -> None:
    y = leaf(1.0, 2.0) * 1
    with torch.no_grad():
        v = y[:]
    if v is y:
        v = y.view(2)
    with torch.no_grad():
        v = y.view(2)
    with raises(
        f"A view was created in no_grad mode and is being modified inplace with grad mode enabled. {AMBIGUOUS}"
    ):
        IN_PLACE[name](v)
    assert y.tolist() == [1, 2]


def test_a_view_of_a_view_made_under_no_grad_is_not_changed_in_place() -> None:
    y = leaf(1.0, 2.0) * 1
    with torch.no_grad():
        v = y.view(2)
    with raises(
        "Output 0 of Select is a view of a view which was created in no_grad mode and is being modified inplace with "
        f"grad mode enabled. {AMBIGUOUS}"
    ):
        v[0].add_(1)


def test_a_view_made_under_no_grad_does_not_follow_its_base() -> None:
    y = leaf(1.0, 2.0) * 1
    with torch.no_grad():
        v = y[1]
    y.mul_(2)
    text = (
        "A view was created in no_grad mode and its base or another view of its base has been modified inplace with "
        f"grad mode enabled. {AMBIGUOUS}"
    )
    for use in (lambda: v.grad_fn, lambda: v.is_leaf, lambda: v * 2):
        with raises(text):
            use()
    assert v.requires_grad
    assert repr(v) == "tensor(4., grad_fn=<Invalid>)"
    with torch.no_grad():
        assert (v * 2).item() == 8


def test_views_made_under_no_grad_count_as_requiring_grad_but_lead_nowhere() -> None:
    x = leaf(1.0, 2.0)
    with torch.no_grad():
        v = x[1]
    assert v.requires_grad and v.is_leaf and v.grad_fn is None
    y = v * 3
    assert y.grad_fn.next_functions == ((None, 0), (None, 0))
    y.backward()
    assert x.grad is None and v.grad is None


@pytest.mark.parametrize(
    ("function", "name"),
    [("unbind", "Unbind"), ("chunk", "Split"), ("split", "Split"), ("with sizes", "SplitWithSizes")],
)
def test_one_of_several_views_is_not_changed_in_place(function: str, name: str) -> None:
    y = leaf(1.0, 2.0) * 1
    pieces = {
        "unbind": lambda: y.unbind(),
        "chunk": lambda: y.chunk(2),
        "split": lambda: y.split(1),
        "with sizes": lambda: y.split([1, 1]),
    }[function]()
    with raises(f"Output 1 of {name} is a view and is being modified inplace. {MULTI}"):
        pieces[1].mul_(2)
    with raises(f"Output 0 of {name} is a view and is being modified inplace. {MULTI}"):
        pieces[0].copy_(torch.ones(pieces[0].shape))
    y.mul_(2)
    with raises(
        f"Output 0 of {name} is a view and its base or another view of its base has been modified inplace. {MULTI}"
    ):
        pieces[0] + 1


def test_pieces_that_need_no_gradient_may_be_changed() -> None:
    x = torch.zeros(2)
    a, b = x.unbind()
    a.add_(1)
    b.add_(2)
    assert x.tolist() == [1, 2]
    with pytest.raises(RuntimeError, match=re.escape(MULTI)):
        a.mul_(torch.tensor(2.0, requires_grad=True))


def modified(shape: list[int], producer: str, now: int, then: int, kind: str = "Float") -> str:
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{kind}Tensor {shape}]{producer} is at version {now}; expected version {then} instead. Hint: enable "
        "anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def test_a_saved_operand_that_was_modified() -> None:
    y = leaf(1.0, 2.0) * 2
    z = y * y
    y.add_(1)
    with raises(modified([2], ", which is output 0 of AddBackward0,".replace("Backward0", ""), 1, 0)):
        z.sum().backward()


def test_a_saved_result_that_was_modified() -> None:
    y = (leaf(1.0, 2.0) * 2).exp()
    y.add_(1)
    with raises(modified([2], ", which is output 0 of Exp,", 1, 0)):
        y.sum().backward()


def test_the_producer_of_a_saved_tensor_has_its_overload_number() -> None:
    y = leaf(1.0, 2.0).sum(0, keepdim=True)
    z = y * y
    with torch.no_grad():
        y.add_(1)
    with raises(modified([1], ", which is output 0 of Sum1,", 1, 0)):
        z.backward()


def test_a_leaf_that_became_the_result_of_something() -> None:
    x = leaf(1.0, 2.0)
    y = (x * 3).sum()
    x.detach_()
    x.copy_(leaf(3.0, 4.0))
    with raises("leaf variable has been moved into the graph interior"):
        y.backward()


def test_a_saved_leaf_that_was_modified() -> None:
    x = leaf(1.0, 2.0)
    z = (x * x).sum()
    with torch.no_grad():
        x.add_(1)
        x.add_(1)
    with raises(modified([2], "", 2, 0)):
        z.backward()


def test_a_saved_tensor_that_was_modified_through_a_view() -> None:
    y = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True) * 2
    z = (y * y).sum()
    y[0].fill_(1)
    with raises(modified([2, 3], ", which is output 0 of torch::autograd::CopySlices,", 1, 0, "Double")):
        z.backward()


def test_an_addition_saves_nothing_that_could_be_modified() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y + 1
    y.zero_()
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]


SELF_OVERLAP = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
    "Please clone() the tensor before performing the operation."
)
PARTIAL_OVERLAP = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation."
)


@pytest.mark.parametrize("name", ["add_", "mul_", "copy_", "assignment", "normal_", "+="])
def test_an_expanded_tensor_is_not_written(name: str) -> None:
    x = torch.ones(1)
    with raises(SELF_OVERLAP):
        IN_PLACE[name](x.expand(2))
    assert x.tolist() == [1]


def test_what_may_be_written_into_an_expanded_tensor() -> None:
    x = torch.tensor([1.0, 2.0])
    x.expand(3, 2).fill_(4)
    assert x.tolist() == [4, 4]
    x.expand(3, 2)[1, 0] = 9
    assert x.tolist() == [9, 4]
    x.expand(2, 2).masked_fill_(torch.tensor([[True, False], [False, False]]), 7.0)
    assert x.tolist() == [7, 4]
    x.expand(2, 2)[[0]] = 3.0
    assert x.tolist() == [3, 3]
    x.expand(2, 2).zero_()
    assert x.tolist() == [0, 0]


PARTIAL: dict[str, Callable[[torch.Tensor], Any]] = {
    "shifted": lambda x: x[1:].add_(x[:-1]),
    "shifted copy": lambda x: x[1:].copy_(x[:-1]),
    "one element of it": lambda x: x.mul_(x[0]),
    "turned": lambda x: x.view(2, 2).t().add_(x.view(2, 2)),
    "out": lambda x: torch.add(x[:-1], 1, out=x[1:]),
    "assigned": lambda x: x.__setitem__(slice(1, 3), x[:2]),
    "assigned by index": lambda x: x.__setitem__([0, 1, 2, 3], x),
    "scattered": lambda x: x.scatter_(0, torch.tensor([0, 1, 2, 3]), x),
    "through data": lambda x: x.data[1:].mul_(x[:-1]),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_read_must_not_overlap_what_is_written(name: str) -> None:
    x = torch.arange(4.0)
    with raises(PARTIAL_OVERLAP):
        PARTIAL[name](x)
    assert x.tolist() == [0, 1, 2, 3]


def test_reading_all_that_is_written_or_none_of_it_is_fine() -> None:
    x = torch.arange(4.0)
    x.add_(x)
    x[:2].add_(x[2:])
    x[::2].mul_(x[1::2])
    x.view(2, 2)[0].sub_(x[:2])
    assert x.tolist() == [0, 0, 24, 6]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda x: x.add_(torch.ones(3)),
            "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
        ),
        (lambda x: x.add_(torch.ones(2, 2)), "output with shape [2] doesn't match the broadcast shape [2, 2]"),
        (lambda x: x.copy_(torch.ones(1, 2)), "output with shape [2] doesn't match the broadcast shape [1, 2]"),
        (lambda x: x.add_(1j), "result type ComplexFloat can't be cast to the desired output type Float"),
        (lambda x: x.long().add_(0.5), "result type Float can't be cast to the desired output type Long"),
        (lambda x: x.long().div_(2), "result type Float can't be cast to the desired output type Long"),
        (lambda x: x.bool().add_(1), "result type Long can't be cast to the desired output type Bool"),
    ],
)
def test_a_result_that_does_not_fit_is_refused(change: Callable[[torch.Tensor], Any], text: str) -> None:
    x = torch.ones(2)
    with raises(text):
        change(x)
    assert x.tolist() == [1, 1]


def test_a_view_is_not_detached_in_place() -> None:
    y = torch.ones(2, requires_grad=True) * 1
    with pytest.raises(RuntimeError, match=re.escape("Can't detach views in-place. Use detach() instead.")):
        y[0].detach_()
    y.detach_()
    assert y.is_leaf and not y.requires_grad
