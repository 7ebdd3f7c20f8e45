"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import torchish as torch
from torchish import nn


def names(modules) -> list[str]:
    return [type(module).__name__ for module in modules]


def test_sequential_calls_in_order() -> None:
    net = nn.Sequential(nn.Flatten(), nn.ReLU())
    assert net(torch.tensor([[[-1.0], [2.0]]])).tolist() == [[0.0, 2.0]]
    assert nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh())).a is not None


def test_sequential_as_a_list() -> None:
    net = nn.Sequential(nn.ReLU(), nn.Tanh())
    net.append(nn.ELU()).insert(0, nn.GELU()).extend([nn.SiLU()])
    assert names(net) == ["GELU", "ReLU", "Tanh", "ELU", "SiLU"] and len(net) == 5
    assert isinstance(net[-1], nn.SiLU) and names(net[1:3]) == ["ReLU", "Tanh"]
    del net[0]
    assert isinstance(net.pop(-1), nn.SiLU)
    net[0] = nn.Mish()
    assert list(net._modules) == ["0", "1", "2"] and names(net) == ["Mish", "Tanh", "ELU"]
    assert names(net + nn.Sequential(nn.ReLU())) == ["Mish", "Tanh", "ELU", "ReLU"]
    assert len(net * 2) == len(2 * net) == 6
    net *= 2
    net += nn.Sequential(nn.ReLU())
    assert len(net) == 7


def test_sequential_errors() -> None:
    net = nn.Sequential(nn.ReLU())
    with pytest.raises(IndexError, match="index 5 is out of range"):
        net[5]
    with pytest.raises(IndexError, match="Index out of range: 7"):
        net.insert(7, nn.ReLU())
    with pytest.raises(
        ValueError, match="add operator supports only objects of Sequential class, but <class 'list'> is"
    ):
        net + [1]  # noqa: RUF005
    with pytest.raises(ValueError, match="Non-positive multiplication factor 0"):
        net * 0
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        net.append(3)


def test_module_list() -> None:
    modules = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(2, 2)])
    assert repr(modules) == (
        "ModuleList(\n"
        "  (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n"
        "  (2): Linear(in_features=2, out_features=2, bias=True)\n"
        ")"
    )
    assert len(list(modules.parameters())) == 6
    modules.insert(0, nn.Tanh())
    modules += [nn.ReLU()]
    assert names(modules) == ["Tanh", "Linear", "Linear", "Linear", "ReLU"]
    assert names(modules[-2:]) == ["Linear", "ReLU"] and isinstance(modules[-2:], nn.ModuleList)
    del modules[1:3]
    modules[-1] = nn.GELU()
    assert names(modules) == ["Tanh", "Linear", "GELU"] and list(modules._modules) == ["0", "1", "2"]
    assert names(modules + [nn.ELU()]) == ["Tanh", "Linear", "GELU", "ELU"]  # noqa: RUF005
    with pytest.raises(NotImplementedError, match=r'Module \[ModuleList\] is missing the required "forward" function'):
        modules(1)
    with pytest.raises(TypeError, match=r"ModuleList.extend should be called with an iterable, but got int"):
        modules.extend(3)
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict() -> None:
    modules = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    modules.update([("c", nn.Tanh())])
    modules["d"] = nn.ELU()
    assert list(modules) == ["a", "b", "c", "d"] and "a" in modules and len(modules) == 4
    assert isinstance(modules.pop("b"), nn.ReLU) and list(modules.state_dict()) == ["a.weight", "a.bias"]
    for bad, error, text in (
        (3, TypeError, "ModuleDict.update should be called with an iterable of key/value pairs, but got int"),
        ([1], TypeError, "ModuleDict update sequence element #0 should be Iterable; isint"),
        ([(1, 2, 3)], ValueError, "ModuleDict update sequence element #0 has length 3; 2 is required"),
    ):
        with pytest.raises(error) as info:
            modules.update(bad)
        assert str(info.value) == text
    with pytest.raises(KeyError, match="attribute 'pop' already exists"):
        nn.ModuleDict({"pop": nn.ReLU()})


def test_parameter_list() -> None:
    params = nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(2, 3)), 3])
    assert repr(params) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 2]\n"
        "    (1): Parameter containing: [torch.float32 of size 2x3]\n"
        "    (2): Object of type: int\n"
        ")"
    )
    assert isinstance(params[0], nn.Parameter) and params[-1] == 3 and len(params[1:]) == 2
    params.append(torch.zeros(1))
    params[0] = torch.zeros(4)
    assert list(params.state_dict()) == ["0", "1", "3"] and params[0].shape == (4,)
    with pytest.raises(TypeError, match=r"ParameterList.extend should be called with an iterable, but got Tensor"):
        params.extend(torch.ones(2))
    with pytest.raises(RuntimeError, match=r"ParameterList should not be called."):
        params(1)


def test_parameter_dict() -> None:
    params = nn.ParameterDict({"z": torch.ones(2), "b": 3})
    assert list(params) == ["b", "z"]  # a plain dict is taken in sorted order
    assert list(nn.ParameterDict([("z", torch.ones(1)), ("a", 1)])) == ["z", "a"]
    params["a"] = torch.ones(1)
    assert params.setdefault("q", 5) == 5 and params.get("none", 7) == 7
    assert list((params | {"w": 1}).keys()) == ["b", "z", "a", "q", "w"]
    assert list(({"w": 1} | params).keys()) == ["w", "b", "z", "a", "q"]
    assert list(reversed(params)) == ["q", "a", "z", "b"]
    assert params.popitem() == ("q", 5) and isinstance(params.pop("z"), nn.Parameter)
    assert next(iter(params.copy().items())) == ("b", 3)
    assert list(params.state_dict()) == ["a"]
    with pytest.raises(TypeError, match="Index given to ParameterDict cannot be used as a key as it is not a string"):
        params[1]
    params.clear()
    assert len(params) == 0
