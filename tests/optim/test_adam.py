"""Adam and AdamW."""

from __future__ import annotations

import pytest
from problem import loss_of, make, minimise

import torchish as torch
from torchish import nn, optim

# After 8 steps, recorded from PyTorch 2.13.
RECORDED = [
    (
        "Adam",
        {"lr": 0.1},
        [-1.645973, -0.274359, 0.511405, -0.491437, -0.129051, 0.203929, -0.15365, -0.649565, -0.853329],
    ),
    (
        "Adam",
        {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.01, "weight_decay": 0.1},
        [-0.489191, -0.198532, -0.049047, 0.049516, 0.05988, 0.290202, -0.148593, -0.44174, -0.400856],
    ),
    (
        "Adam",
        {"lr": 0.1, "amsgrad": True},
        [-1.64595, -0.274365, 0.511405, -0.491409, -0.129023, 0.203929, -0.15365, -0.64956, -0.853329],
    ),
    (
        "AdamW",
        {"lr": 0.1, "weight_decay": 0.5},
        [-1.24728, -0.420963, 0.330101, -0.311992, -0.15188, 0.037212, -0.24152, -0.625635, -0.831416],
    ),
    (
        "AdamW",
        {"lr": 0.1, "amsgrad": True, "maximize": True},
        [-0.187889, 0.149227, 0.307175, 1.002057, 1.397291, 1.793878, 1.300163, 0.797699, 0.291517],
    ),
]


@pytest.mark.parametrize(("optimizer", "options", "expected"), RECORDED)
def test_eight_steps(optimizer: str, options: dict, expected: list[float]) -> None:
    assert minimise(optimizer, options)[0] == pytest.approx(expected, abs=5e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(("optimizer", "options"), [row[:2] for row in RECORDED])
def test_as_pytorch(optimizer: str, options: dict, dtype: str) -> None:
    real = pytest.importorskip("torch")
    want, a = minimise(optimizer, options, real, dtype)
    got, b = minimise(optimizer, options, torch, dtype)
    assert got == pytest.approx(want, abs={"float32": 5e-6, "float64": 1e-12, "bfloat16": 5e-2}[dtype])
    assert repr(a) == repr(b)
    assert [list(own) for own in a.state_dict()["state"].values()] == [
        list(own) for own in b.state_dict()["state"].values()
    ]


@pytest.mark.oracle
def test_complex_parameters_are_pairs_of_reals() -> None:
    real = pytest.importorskip("torch")
    results = []
    for lib in (real, torch):
        p = lib.tensor([1 + 2j, 3 - 1j], requires_grad=True)
        optimizer = lib.optim.Adam([p], lr=0.1, amsgrad=True)
        for _ in range(3):
            p.grad = lib.tensor([0.5 - 1j, 0.1 + 2j])
            optimizer.step()
        results.append([*p.tolist(), *optimizer.state[p]["exp_avg_sq"].tolist()])
    assert results[1] == pytest.approx(results[0], abs=1e-6)


def test_state_has_pytorch_names_and_a_float_count() -> None:
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    optimizer = optim.Adam([p], amsgrad=True)
    optimizer.step()
    optimizer.step()
    state = optimizer.state[p]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert state["step"].shape == () and state["step"].dtype == torch.float32 and state["step"].item() == 2
    assert state["exp_avg"].tolist() == pytest.approx([0.19, 0.19])


def test_eps_is_added_after_the_bias_correction() -> None:
    p = nn.Parameter(torch.zeros(1))
    p.grad = torch.tensor([1e-4])
    optim.Adam([p], lr=1.0, eps=1e-4).step()
    assert p.item() == pytest.approx(-0.5, rel=1e-4)


def test_first_and_later_steps_are_one_program() -> None:
    weight, bias, x = make(torch)
    optimizer = optim.AdamW([weight, bias], lr=0.1)
    compiles = []
    for step in range(5):
        optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
        optimizer.zero_grad()
        loss_of(weight, bias, x).backward()
        optimizer.step()
        compiles.append(torch.compiler.stats()["compiles"])
    assert compiles == compiles[:1] * 5


def test_state_dict_goes_on_where_it_stopped() -> None:
    a, b = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    first, second = optim.Adam([a], lr=0.1), optim.Adam([b], lr=0.5)
    for _ in range(3):
        a.grad = torch.ones(1)
        first.step()
    with torch.no_grad():
        b.copy_(a)
    state = first.state_dict()
    state["state"][0] = {name: value.clone() for name, value in state["state"][0].items()}
    second.load_state_dict(state)
    for p, optimizer in ((a, first), (b, second)):
        p.grad = torch.ones(1)
        optimizer.step()
    assert a.item() == b.item() and second.state[b]["step"].item() == 4


def test_adamw_is_adam_with_decoupled_decay() -> None:
    p = nn.Parameter(torch.ones(1))
    assert optim.AdamW([p]).param_groups[0]["decoupled_weight_decay"] is True
    assert optim.AdamW([p]).param_groups[0]["weight_decay"] == 0.01
    assert isinstance(optim.AdamW([p]), optim.Adam)
    p.grad = torch.zeros(1)
    optim.AdamW([p], lr=0.5, weight_decay=0.1).step()
    assert p.item() == pytest.approx(0.95)


p0 = nn.Parameter(torch.ones(2))
t = torch.tensor


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.Adam([p0], betas=(1.0, 0.0)), ValueError, "Invalid beta parameter at index 0: 1.0"),
        (lambda: optim.Adam([p0], betas=(0.0, 2.0)), ValueError, "Invalid beta parameter at index 1: 2.0"),
        (lambda: optim.Adam([p0], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda: optim.Adam([p0], lr=-1.0), ValueError, "Invalid learning rate: -1.0"),
        (lambda: optim.AdamW([p0], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
        (
            lambda: optim.Adam([p0], lr=t(0.1), foreach=True),
            ValueError,
            "lr as a Tensor is not supported for capturable=False and foreach=True",
        ),
        (
            lambda: optim.Adam([p0], betas=(0.9, t(0.99))),
            ValueError,
            "betas must be either both floats or both Tensors",
        ),
        (
            lambda: optim.Adam([p0], betas=(t(0.9), t(0.99)), foreach=True),
            ValueError,
            "betas[0] as a Tensor is not supported for capturable=False and foreach=True",
        ),
        (
            lambda: optim.Adam([p0], fused=True, foreach=True),
            RuntimeError,
            "`fused` and `foreach` cannot be `True` together.",
        ),
        (
            lambda: optim.Adam([p0], differentiable=True),
            NotImplementedError,
            "Adam(differentiable=True) is not implemented in torchish: a step is one operation without history. "
            "Write the update out as operations on tensors to differentiate through it.",
        ),
    ],
)
def test_errors(call, error: type, text: str) -> None:
    with pytest.raises(error) as info:
        call()
    assert str(info.value) == text


def test_betas_and_rate_as_tensors() -> None:
    numbers, _ = minimise("Adam", {"lr": 0.1, "betas": (0.9, 0.99)})
    weight, bias, x = make(torch)
    optimizer = optim.Adam([weight, bias], lr=t(0.1), betas=(t(0.9), t(0.99)))
    for _ in range(8):
        optimizer.zero_grad()
        loss_of(weight, bias, x).backward()
        optimizer.step()
    assert [*weight.flatten().tolist(), *bias.tolist()] == pytest.approx(numbers, abs=1e-5)
