"""What a graph says of itself: the names of its nodes, where they lead, and their sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import torchish as torch

x = torch.tensor([[0.5, 1.5], [2.5, 3.5]], requires_grad=True)
w = torch.ones(2, 2, requires_grad=True)

NAMES: list[tuple[str, Callable[[], Any]]] = [
    ("AddBackward0", lambda: x + 1),
    ("AddBackward0", lambda: x + w),
    ("SubBackward0", lambda: x - w),
    ("RsubBackward1", lambda: 1 - x),
    ("MulBackward0", lambda: x * w),
    ("DivBackward0", lambda: x / w),
    ("NegBackward0", lambda: -x),
    ("PowBackward0", lambda: x**2),
    ("PowBackward1", lambda: x**w),
    ("PowBackward2", lambda: 2**x),
    ("ExpBackward0", lambda: x.exp()),
    ("LogBackward0", lambda: x.log()),
    ("SigmoidBackward0", lambda: x.sigmoid()),
    ("TanhBackward0", lambda: x.tanh()),
    ("ReluBackward0", lambda: x.relu()),
    ("SqrtBackward0", lambda: x.sqrt()),
    ("AbsBackward0", lambda: x.abs()),
    ("ClampBackward1", lambda: x.clamp(0, 1)),
    ("SumBackward0", lambda: x.sum()),
    ("SumBackward1", lambda: x.sum(0)),
    ("MeanBackward0", lambda: x.mean()),
    ("MeanBackward1", lambda: x.mean(1)),
    ("MaxBackward0", lambda: x.max(0).values),
    ("MaxBackward1", lambda: x.max()),
    ("StdBackward0", lambda: x.std()),
    ("ProdBackward0", lambda: x.prod()),
    ("CumsumBackward0", lambda: x.cumsum(0)),
    ("MmBackward0", lambda: x @ w),
    ("MvBackward0", lambda: x @ w[0]),
    ("DotBackward0", lambda: x[0] @ w[0]),
    ("ViewBackward0", lambda: x.view(4)),
    ("ViewBackward0", lambda: x.reshape(4)),
    ("TBackward0", lambda: x.t()),
    ("TransposeBackward0", lambda: x.transpose(0, 1)),
    ("PermuteBackward0", lambda: x.permute(1, 0)),
    ("UnsqueezeBackward0", lambda: x.unsqueeze(0)),
    ("ExpandBackward0", lambda: x.expand(3, 2, 2)),
    ("SelectBackward0", lambda: x[0]),
    ("SliceBackward0", lambda: x[1:]),
    ("IndexBackward0", lambda: x[torch.tensor([0, 1])]),
    ("SplitBackward0", lambda: x.split(1)[0]),
    ("UnbindBackward0", lambda: x.unbind()[1]),
    ("CatBackward0", lambda: torch.cat([x, w])),
    ("StackBackward0", lambda: torch.stack([x, w])),
    ("WhereBackward0", lambda: torch.where(x > 1, x, w)),
    ("CloneBackward0", lambda: x.clone()),
    ("ToCopyBackward0", lambda: x.double()),
    ("SoftmaxBackward0", lambda: x.softmax(0)),
    ("LogSoftmaxBackward0", lambda: x.log_softmax(0)),
    ("AddmmBackward0", lambda: torch.nn.functional.linear(x, w, w[0])),
    ("MseLossBackward0", lambda: torch.nn.functional.mse_loss(x, w)),
    ("NllLossBackward0", lambda: torch.nn.functional.cross_entropy(x, torch.tensor([0, 1]))),
]


@pytest.mark.parametrize(("name", "make"), NAMES, ids=[f"{i}-{n[0]}" for i, n in enumerate(NAMES)])
def test_the_node_of_an_operation(name: str, make: Callable[[], Any]) -> None:
    y = make()
    assert type(y.grad_fn).__name__ == y.grad_fn.name() == name
    assert f"grad_fn=<{name}>" in repr(y)
    assert repr(y.grad_fn).startswith(f"<{name} object at 0x")


def test_a_leaf_ends_in_accumulate_grad() -> None:
    y = x * 2
    (node, number), (nothing, zero) = y.grad_fn.next_functions
    assert (type(node).__name__, node.name(), number) == ("AccumulateGrad", "torch::autograd::AccumulateGrad", 0)
    assert node.variable is x and node.next_functions == ()
    assert nothing is None and zero == 0
    assert (x * 3).grad_fn.next_functions[0][0] is node


def names(node: Any) -> Any:
    """The graph below a node as nested names."""
    if node is None:
        return None
    return [type(node).__name__, *[names(n) for n, _ in node.next_functions]]


def test_next_functions_tell_the_whole_graph() -> None:
    y = ((x @ w).relu() + 1).sum()
    leaf = ["AccumulateGrad"]
    expected = ["SumBackward0", ["AddBackward0", ["ReluBackward0", ["MmBackward0", leaf, leaf]], None]]
    assert names(y.grad_fn) == expected


def test_a_constant_operand_has_no_next_function() -> None:
    assert [n is None for n, _ in (torch.ones(2, 2) * x).grad_fn.next_functions] == [True, False]
    assert [n is None for n, _ in torch.cat([x, torch.ones(1, 2), w]).grad_fn.next_functions] == [False, True, False]


def test_results_of_one_node_have_numbers() -> None:
    a, b = x.unbind()
    assert (a.output_nr, b.output_nr) == (0, 1) and a.grad_fn is b.grad_fn
    y = a * b
    assert [number for _, number in y.grad_fn.next_functions] == [0, 1]
    values, indices = x.max(0)
    assert values.grad_fn is not None and indices.grad_fn is None and not indices.requires_grad


def test_names_after_in_place_changes() -> None:
    y = x * 2
    y.add_(1)
    assert type(y.grad_fn).__name__ == "AddBackward0"
    v = y[0]
    assert type(v.grad_fn).__name__ == "SelectBackward0"
    v.mul_(2)
    assert type(y.grad_fn).__name__ == "CopySlices"
    assert type(v.grad_fn).__name__ == "AsStridedBackward0"


def test_nodes_of_gradients() -> None:
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    assert type(g.grad_fn).__name__ == "MulBackward0"
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    assert type(h.grad_fn).__name__ == "MulBackward0"
    p = torch.ones(2, requires_grad=True)
    (p * p).sum().backward(create_graph=True)
    assert type(p.grad.grad_fn).__name__ == "CopyBackwards"


def test_later_nodes_have_later_sequence_numbers() -> None:
    y = x * 2
    z = y * 3
    assert z.grad_fn._sequence_nr() > y.grad_fn._sequence_nr()
    assert x.view_as(x).grad_fn.next_functions[0][0]._sequence_nr() == 2**64 - 1


def test_nodes_carry_metadata() -> None:
    node = (x * 2).grad_fn
    node.metadata["layer"] = 3
    assert node.metadata == {"layer": 3}


def test_a_node_can_be_called() -> None:
    assert torch.ones(2, requires_grad=True).exp().grad_fn(torch.ones(2)).tolist() == pytest.approx([2.7182817] * 2)
    gradient, nothing = (x * 2).grad_fn(torch.ones(2, 2))
    assert gradient.tolist() == [[2.0, 2.0], [2.0, 2.0]] and nothing is None
    with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
        (x * 2).grad_fn(x, x)
