"""SGD, and what it has from ``Optimizer``: groups, errors, state, printed form, hooks."""

from __future__ import annotations

import copy
import pickle

import pytest
from problem import loss_of, make, minimise

import torchish as torch
from torchish import nn, optim


def param(*values: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values or (1.0, 1.0)))


# After 8 steps, recorded from PyTorch 2.13.
RECORDED = [
    (
        {"lr": 0.5},
        [-1.123173, -0.595833, -0.167165, 0.039063, 0.254026, 0.698523, 0.213913, -0.130889, -0.561488],
    ),
    (
        {"lr": 0.5, "momentum": 0.9},
        [-1.315806, -0.668102, -0.05581, -0.385593, -0.331421, -0.055775, -0.302689, -0.495151, -0.662767],
    ),
    (
        {"lr": 0.5, "momentum": 0.9, "dampening": 0.5},
        [-1.257875, -0.607423, -0.134835, -0.159924, -0.113403, 0.363171, -0.108145, -0.298722, -0.637435],
    ),
    (
        {"lr": 0.5, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        [-0.219836, -0.277573, -0.30922, -0.069247, -0.058828, -0.075179, -0.626273, -0.599925, -0.537321],
    ),
    (
        {"lr": 0.5, "weight_decay": 0.1, "maximize": True},
        [-0.224341, -0.354999, -0.11518, -0.169256, 0.740471, 0.944091, 1.001278, 0.214463, -0.187934],
    ),
]


@pytest.mark.parametrize(("options", "expected"), RECORDED)
def test_eight_steps(options: dict, expected: list[float]) -> None:
    assert minimise("SGD", options)[0] == pytest.approx(expected, abs=2e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "complex64"])
@pytest.mark.parametrize("options", [options for options, _ in RECORDED])
def test_as_pytorch(options: dict, dtype: str) -> None:
    real = pytest.importorskip("torch")
    if dtype == "complex64":
        p, q = real.tensor([1 + 2j, 3 - 1j]), torch.tensor([1 + 2j, 3 - 1j])
        for each, lib in ((p, real), (q, torch)):
            each.requires_grad_(True)
            each.grad = lib.tensor([0.5 - 1j, 2j])
            optimizer = lib.optim.SGD([each], **options)
            optimizer.step()
            optimizer.step()
        assert q.tolist() == pytest.approx(p.tolist(), abs=1e-6)
        return
    want, _ = minimise("SGD", options, real, dtype)
    got, _ = minimise("SGD", options, torch, dtype)
    assert got == pytest.approx(want, abs={"float32": 1e-6, "float64": 1e-12, "bfloat16": 3e-2}[dtype])


def test_first_momentum_buffer_is_the_gradient_without_dampening() -> None:
    p = param(1.0)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9, dampening=0.5)
    for expected in (2.0, 0.9 * 2 + 0.5 * 2):
        p.grad = torch.tensor([2.0])
        optimizer.step()
        assert optimizer.state[p]["momentum_buffer"].item() == pytest.approx(expected)


def test_parameters_without_gradient_stay_and_have_no_state() -> None:
    used, unused = param(1.0), param(5.0)
    optimizer = optim.SGD([used, unused], lr=1.0, momentum=0.9)
    used.grad = torch.ones(1)
    optimizer.step()
    assert used.item() == 0 and unused.item() == 5 and unused not in optimizer.state
    unused.grad, used.grad = torch.ones(1), torch.zeros(1)
    optimizer.step()
    assert used.item() == pytest.approx(-0.9) and unused.item() == 4


def test_step_is_in_place_and_counts_a_version() -> None:
    p = param(1.0)
    alias, version = p.detach(), p._version
    p.grad = torch.ones(1)
    optim.SGD([p], lr=0.5).step()
    assert alias.item() == 0.5 and p._version == version + 1


def test_saved_parameter_changed_by_a_step_is_an_error() -> None:
    p = param(2.0)
    loss = (p * p).sum()
    p.grad = torch.ones(1)
    optim.SGD([p], lr=0.5).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_changed_learning_rate_compiles_nothing() -> None:
    weight, bias, x = make(torch)
    optimizer = optim.SGD([weight, bias], lr=0.1, momentum=0.9)
    compiles = []
    for step in range(5):
        optimizer.param_groups[0]["lr"] = 1 if step == 3 else 0.1 / (step + 1)
        optimizer.zero_grad()
        loss_of(weight, bias, x).backward()
        optimizer.step()
        compiles.append(torch.compiler.stats()["compiles"])
    assert compiles[1:] == compiles[1:2] * 4


def test_learning_rate_as_a_tensor() -> None:
    p = param(1.0)
    rate = torch.tensor(0.5)
    optimizer = optim.SGD([p], lr=rate)
    for expected in (0.5, 0.25):
        p.grad = torch.ones(1)
        optimizer.step()
        assert p.item() == expected
        rate.fill_(0.25)


def test_closure_and_return_value() -> None:
    weight, bias, x = make(torch)
    optimizer = optim.SGD([weight, bias], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(weight, bias, x)
        loss.backward()
        return loss

    with torch.no_grad():
        first = optimizer.step(closure)
    assert float(optimizer.step(closure).detach()) < float(first.detach())
    assert optimizer.step() is None


# What all optimizers share


def test_printed_form() -> None:
    optimizer = optim.SGD([{"params": [param()]}, {"params": [param()], "lr": 0.5}], lr=0.1)
    group = "    {}: {}\n".format
    lines = {"dampening": 0, "differentiable": False, "foreach": None, "fused": None, "lr": 0.1, "maximize": False,
             "momentum": 0, "nesterov": False, "weight_decay": 0}  # fmt: skip
    first = "".join(group(k, v) for k, v in lines.items())
    second = "".join(group(k, v) for k, v in {**lines, "lr": 0.5}.items())
    assert repr(optimizer) == f"SGD (\nParameter Group 0\n{first}\nParameter Group 1\n{second})"


def test_state_dict_and_back() -> None:
    p, q = param(1.0), param(2.0)
    optimizer = optim.SGD([("p", p), ("q", q)], lr=0.1, momentum=0.9)
    p.grad = torch.ones(1)
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state["state"]) == [0] and list(state["state"][0]) == ["momentum_buffer"]
    assert state["param_groups"] == [
        {"param_names": ["p", "q"], "lr": 0.1, "momentum": 0.9, "dampening": 0, "weight_decay": 0, "nesterov": False,
         "maximize": False, "foreach": None, "differentiable": False, "fused": None, "params": [0, 1]}
    ]  # fmt: skip
    other = optim.SGD([param(1.0), param(2.0)], lr=5.0)
    other.load_state_dict(copy.deepcopy(state))
    (group,) = other.param_groups
    assert group["lr"] == 0.1 and other.state[group["params"][0]]["momentum_buffer"].item() == 1
    loaded = pickle.loads(pickle.dumps(optimizer))
    assert loaded.state_dict()["state"][0]["momentum_buffer"].item() == 1


def test_load_state_dict_casts_to_the_parameter() -> None:
    p = param(1.0)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    state = optimizer.state_dict()
    state["state"][0] = {"momentum_buffer": torch.ones(1, dtype=torch.float64)}
    optimizer.load_state_dict(state)
    assert optimizer.state[p]["momentum_buffer"].dtype == torch.float32


def test_load_state_dict_errors() -> None:
    one, two = optim.SGD([param()]), optim.SGD([param(), param()])
    with pytest.raises(ValueError, match="loaded state dict contains a parameter group that doesn't match the size"):
        one.load_state_dict(two.state_dict())
    groups = optim.SGD([{"params": [param()]}, {"params": [param()]}])
    with pytest.raises(ValueError, match="loaded state dict has a different number of parameter groups"):
        one.load_state_dict(groups.state_dict())


p0 = param()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
        (
            lambda: optim.SGD([3]),
            TypeError,
            "optimizer can only optimize Tensors, but one of the params is int",
        ),
        (
            lambda: optim.SGD(p0),
            TypeError,
            "params argument given to the optimizer should be an iterable of Tensors or dicts, "
            "but got torch.FloatTensor",
        ),
        (lambda: optim.SGD([p0 * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (
            lambda: optim.SGD([{"params": {p0}}]),
            TypeError,
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
            "will change between runs. Please use a list instead.",
        ),
        (
            lambda: optim.SGD([{"params": p0}, {"params": p0}]),
            ValueError,
            "some parameters appear in more than one parameter group",
        ),
        (
            lambda: optim.SGD([("a", p0), param()]),
            ValueError,
            "all optimizer params should be with/without names. Some param names are missing",
        ),
        (lambda: optim.SGD([p0]).add_param_group(3), TypeError, "param_group must be a dict, but got <class 'int'>"),
        (lambda: optim.SGD([p0], -1.0), ValueError, "Invalid learning rate: -1.0"),
        (lambda: optim.SGD([p0], torch.ones(2)), ValueError, "Tensor lr must be 1-element"),
        (lambda: optim.SGD([p0], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda: optim.SGD([p0], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
        (
            lambda: optim.SGD([p0], nesterov=True),
            ValueError,
            "Nesterov momentum requires a momentum and zero dampening",
        ),
        (
            lambda: optim.SGD([p0], fused=True, foreach=True),
            RuntimeError,
            "`fused` and `foreach` cannot be `True` together.",
        ),
        (
            lambda: optim.SGD([p0], fused=True, differentiable=True),
            RuntimeError,
            "`fused` does not support `differentiable`",
        ),
    ],
)
def test_errors(call, error: type, text: str) -> None:
    with pytest.raises(error) as info:
        call()
    assert str(info.value) == text


def test_duplicate_parameters_warn() -> None:
    with pytest.warns(UserWarning, match="optimizer contains a parameter group with duplicate parameters"):
        optim.SGD([p0, p0])


def test_zero_grad() -> None:
    p = param(1.0)
    optimizer = optim.SGD([p])
    p.grad = torch.ones(1)
    grad = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is grad and grad.item() == 0
    optimizer.zero_grad()
    assert p.grad is None


def test_step_hooks() -> None:
    log = []
    optimizer = optim.SGD([param()])
    optimizer.register_step_pre_hook(lambda opt, args, kwargs: log.append("own before"))
    optimizer.register_step_post_hook(lambda opt, args, kwargs: log.append("own after"))
    with optim.optimizer.register_optimizer_step_pre_hook(lambda opt, args, kwargs: log.append("all before")):
        optimizer.step()
    assert log == ["all before", "own before", "own after"]
    optimizer.register_step_pre_hook(lambda *args: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"):
        optimizer.step()


def test_an_optimizer_of_ones_own() -> None:
    class Sign(optim.Optimizer):
        def __init__(self, params, lr=0.25):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.add_(p.grad.sign(), alpha=-group["lr"])

    p = param(1.0)
    p.grad = torch.tensor([3.0])
    Sign([p]).step()
    assert p.item() == 0.75
