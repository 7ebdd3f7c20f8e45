"""copy.copy, copy.deepcopy and pickle: of tensors that share memory, of parameters, modules and optimizers."""

from __future__ import annotations

import copy
import io
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

import torchish as torch
from torchish import nn


def through_pickle(x: Any) -> Any:
    return pickle.loads(pickle.dumps(x))


def through_an_old_pickle(x: Any) -> Any:
    return pickle.loads(pickle.dumps(x, protocol=2))


COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": through_pickle,
    "pickle of protocol 2": through_an_old_pickle,
}


@pytest.fixture(params=COPIES)
def duplicate(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return COPIES[request.param]


# Tensors


@pytest.mark.parametrize(
    "dtype",
    ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64"],
)
def test_a_copy_has_the_same_data_and_dtype(duplicate: Callable[[Any], Any], dtype: str) -> None:
    x = torch.tensor([[0, 1], [2, 3]]).to(getattr(torch, dtype))
    y = duplicate(x)
    assert y.dtype is x.dtype and y.tolist() == x.tolist() and y.device == x.device


def test_a_copy_has_its_own_memory(duplicate: Callable[[Any], Any]) -> None:
    x = torch.ones(2)
    y = duplicate(x)
    y.add_(1)
    assert x.tolist() == [1, 1] and y.tolist() == [2, 2]


def test_tensors_that_share_memory_share_it_after_a_deepcopy() -> None:
    x = torch.arange(6.0).view(2, 3).clone()
    y, row, turned, same = copy.deepcopy([x, x[1], x.t(), x])
    assert y is same
    row.zero_()
    assert y.tolist() == [[0, 1, 2], [0, 0, 0]]
    assert turned.tolist() == [[0, 0], [1, 0], [2, 0]]
    assert turned.stride() == (1, 3) and row.storage_offset() == 3
    assert x[1].tolist() == [3, 4, 5]


def test_a_view_alone_is_copied_with_its_strides(duplicate: Callable[[Any], Any]) -> None:
    x = torch.arange(6.0).view(2, 3)
    y = duplicate(x.t()[1:])
    assert y.tolist() == [[1, 4], [2, 5]] and y.stride() == (1, 3) and y.storage_offset() == 1
    y.add_(1)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_leaf_stays_a_leaf(duplicate: Callable[[Any], Any]) -> None:
    x = torch.ones(2, requires_grad=True)
    y = duplicate(x)
    assert y.requires_grad and y.is_leaf
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3, 3] and x.grad is None


def test_deepcopy_copies_the_gradient_and_pickle_leaves_it() -> None:
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    deep, pickled = copy.deepcopy(x), through_pickle(x)
    assert deep.grad.tolist() == [1, 1] and deep.grad is not x.grad
    deep.grad.zero_()
    assert x.grad.tolist() == [1, 1]
    assert pickled.grad is None


def test_a_0_dim_and_an_empty_tensor(duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(torch.tensor(3.5)).item() == 3.5
    assert duplicate(torch.zeros(0, 3)).shape == (0, 3)


def test_attributes_are_copied(duplicate: Callable[[Any], Any]) -> None:
    x = torch.ones(2)
    x.note = ["a"]
    y = duplicate(x)
    assert y.note == ["a"] and y.note is not x.note


def test_pending_work_is_done_for_a_copy(duplicate: Callable[[Any], Any]) -> None:
    x = torch.ones(2)
    for _ in range(3):
        x = x * 2 + 1
    y = duplicate(x)
    x.zero_()
    assert y.tolist() == [15, 15]


def test_a_tensor_shared_with_numpy(duplicate: Callable[[Any], Any]) -> None:
    x = torch.zeros(2)
    array = x.numpy()
    array[0] = 5
    y = duplicate(x)
    array[1] = 6
    assert y.tolist() == [5, 0]


def test_a_non_leaf_is_not_deep_copied() -> None:
    x = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"^Only Tensors created explicitly by the user"):
        copy.deepcopy(x)


def test_a_view_of_a_leaf_is_not_deep_copied() -> None:
    with pytest.raises(RuntimeError, match=r"^Only Tensors created explicitly by the user"):
        copy.deepcopy(torch.ones(2, requires_grad=True)[0])


def test_a_detached_non_leaf_is() -> None:
    x = (torch.ones(2, requires_grad=True) * 2).detach()
    assert copy.deepcopy(x).tolist() == [2, 2]


def test_copy_is_a_tensor_of_the_same_memory() -> None:
    x = torch.ones(2)
    y = copy.copy(x)
    assert y is not x
    y.add_(1)
    assert x.tolist() == [2, 2]


def test_copy_of_a_leaf_is_a_leaf_of_the_same_memory() -> None:
    x = torch.ones(2, requires_grad=True)
    y = copy.copy(x)
    assert y.requires_grad and y.is_leaf
    (y * 2).sum().backward()
    assert y.grad.tolist() == [2, 2]
    with torch.no_grad():
        y.zero_()
    assert x.tolist() == [0, 0]


# Other things that PyTorch programs pickle


@pytest.mark.parametrize(
    "thing",
    [torch.float32, torch.int64, torch.device("cpu"), torch.device("cuda:1"), torch.Size([2, 3])],
    ids=str,
)
def test_dtypes_devices_and_sizes(duplicate: Callable[[Any], Any], thing: Any) -> None:
    other = duplicate(thing)
    assert other == thing and type(other) is type(thing)
    if isinstance(thing, torch.dtype):
        assert other is thing


# Parameters and modules


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("scale", torch.tensor([2.0, 3.0]))
        self.free = nn.Parameter(torch.ones(2))
        self.tied = self.layer.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.layer(x)) * self.scale + self.free


def test_a_parameter_is_a_parameter_afterwards(duplicate: Callable[[Any], Any]) -> None:
    p = nn.Parameter(torch.ones(2), requires_grad=False)
    q = duplicate(p)
    assert type(q) is nn.Parameter and not q.requires_grad and q.tolist() == [1, 1]
    assert duplicate(nn.Parameter(torch.ones(2))).requires_grad


def test_a_module_computes_the_same_afterwards(duplicate: Callable[[Any], Any]) -> None:
    torch.manual_seed(0)
    net, x = Net(), torch.rand(4, 3)
    net(x)
    other = duplicate(net)
    assert other(x).tolist() == net(x).tolist()
    assert list(other.state_dict()) == list(net.state_dict())
    assert other.norm.running_mean.tolist() == net.norm.running_mean.tolist()


def test_a_copied_module_learns_on_its_own(duplicate: Callable[[Any], Any]) -> None:
    net = Net()
    before = net.layer.weight.tolist()
    other = duplicate(net)
    optimizer = torch.optim.SGD(other.parameters(), lr=1.0)
    other(torch.rand(4, 3)).pow(2).sum().backward()
    optimizer.step()
    assert other.layer.weight.tolist() != before
    assert net.layer.weight.tolist() == before and net.layer.weight.grad is None


def test_tied_parameters_stay_tied(duplicate: Callable[[Any], Any]) -> None:
    other = duplicate(Net())
    assert other.tied is other.layer.weight
    assert len(list(other.parameters())) == 5


def test_an_optimizer_goes_on_where_it_was(duplicate: Callable[[Any], Any]) -> None:
    torch.manual_seed(0)
    net, x = nn.Linear(3, 2), torch.rand(4, 3)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)

    def step(net: nn.Module, optimizer: torch.optim.Optimizer) -> list:
        optimizer.zero_grad()
        net(x).pow(2).sum().backward()
        optimizer.step()
        return net.weight.tolist()

    step(net, optimizer)
    other_net, other_optimizer = duplicate((net, optimizer))
    assert other_optimizer.param_groups[0]["params"][0] is other_net.weight
    for _ in range(2):
        assert step(other_net, other_optimizer) == step(net, optimizer)


def test_a_state_dict_shares_with_its_module_and_a_deepcopy_does_not() -> None:
    net = nn.Linear(2, 1)
    shared, copied = net.state_dict(), copy.deepcopy(net.state_dict())
    with torch.no_grad():
        net.weight.fill_(7)
    assert shared["weight"].tolist() == [[7, 7]]
    assert copied["weight"].tolist() != [[7, 7]]


def test_an_optimizer_state_dict_survives_pickle() -> None:
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    state = through_pickle(optimizer.state_dict())
    again = torch.optim.SGD(net.parameters(), lr=0.5)
    again.load_state_dict(state)
    assert again.param_groups[0]["lr"] == 0.1
    buffer = again.state[net.weight]["momentum_buffer"]
    assert buffer.tolist() == optimizer.state[net.weight]["momentum_buffer"].tolist()


def test_a_pickled_non_leaf_is_its_data() -> None:
    x = torch.ones(2, requires_grad=True) * 2
    buffer = io.BytesIO()
    pickle.dump(x.detach(), buffer)
    buffer.seek(0)
    assert pickle.load(buffer).tolist() == [2, 2]


def test_messages_name_the_way_out() -> None:
    x = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=re.escape("pull/103001")):
        copy.deepcopy(x)
