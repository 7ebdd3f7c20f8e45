"""Initialisers: one seed gives PyTorch's numbers (recorded from PyTorch 2.13); arguments are checked as there."""

from __future__ import annotations

import math

import pytest

import torchish as torch
from torchish import nn
from torchish.nn import init

RECORDED = {
    "uniform": (
        lambda t: init.uniform_(t, -1, 2),
        [0.48877, 1.304665, -0.734568, -0.603909, -0.077732, 0.902236, 0.47028, 1.689334],
    ),
    "normal": (
        lambda t: init.normal_(t, 1, 2),
        [4.081992, 0.413142, -3.357579, 2.136863, -1.169045, -1.797191, 1.806694, 2.676053],
    ),
    "trunc_normal": (
        init.trunc_normal_,
        [1.540996, -0.293429, -0.596635, 0.568431, -1.084522, -1.398595, 0.403347, 0.838026],
    ),
    "trunc_normal, narrow": (
        lambda t: init.trunc_normal_(t, 0.0, 1.0, -0.3, 0.3),
        [-0.002246, 0.160933, -0.246914, -0.220782, -0.115546, 0.080447, -0.005944, 0.237867],
    ),
    "xavier_uniform": (
        lambda t: init.xavier_uniform_(t, 2.0),
        [-0.014974, 1.072887, -1.64609, -1.471878, -0.770309, 0.536315, -0.039626, 1.585779],
    ),
    "xavier_normal": (
        init.xavier_normal_,
        [0.889695, -0.169411, -1.257925, 0.328184, -0.626149, -0.807479, 0.232872, 0.483835],
    ),
    "kaiming_uniform": (
        lambda t: init.kaiming_uniform_(t, 0.1, "fan_out"),
        [-0.012903, 0.924536, -1.418481, -1.268358, -0.663796, 0.462157, -0.034147, 1.366509],
    ),
    "kaiming_normal": (
        lambda t: init.kaiming_normal_(t, nonlinearity="relu"),
        [1.089649, -0.207486, -1.540637, 0.401942, -0.766873, -0.988956, 0.285209, 0.592574],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_seeded_numbers(name: str) -> None:
    initialise, expected = RECORDED[name]
    torch.manual_seed(0)
    tensor = torch.empty(2, 4)
    assert initialise(tensor) is tensor
    assert tensor.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_layers_draw_weight_before_bias() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    weight = [-0.004323, 0.309716, -0.475185, -0.424895, -0.222369, 0.154821]
    assert layer.weight.flatten().tolist() == pytest.approx(weight, abs=1e-6)
    assert layer.bias.tolist() == pytest.approx([-0.011439, 0.457775], abs=1e-6)
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 1, 2)
    assert conv.weight.flatten().tolist() == pytest.approx([-0.003743, 0.268222, -0.411523, -0.36797], abs=1e-6)
    assert conv.bias.item() == pytest.approx(-0.192577, abs=1e-6)


def test_embedding_padding_row_is_zero() -> None:
    torch.manual_seed(0)
    weight = nn.Embedding(2, 3, padding_idx=1).weight
    assert weight.flatten().tolist() == pytest.approx([1.540996, -0.293429, -2.178789, 0, 0, 0], abs=1e-6)


def test_constants_and_patterns() -> None:
    assert init.constant_(torch.empty(2), 3.5).tolist() == [3.5, 3.5]
    assert init.ones_(torch.empty(2)).tolist() == [1, 1] and init.zeros_(torch.ones(2)).tolist() == [0, 0]
    assert init.eye_(torch.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert init.dirac_(torch.empty(2, 2, 3)).tolist() == [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]]
    grouped = init.dirac_(torch.empty(4, 1, 3), groups=2)
    assert grouped[:, 0, 1].tolist() == [1, 0, 1, 0]


def test_sparse_zeroes_a_part_of_each_column() -> None:
    torch.manual_seed(0)
    tensor = init.sparse_(torch.empty(4, 2), sparsity=0.5, std=1.0)
    expected = [0.0, -0.293429, 0.0, 0.0, -1.084522, -1.398595, 0.403347, 0.0]
    assert tensor.flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (3, 2, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    rows = init.orthogonal_(torch.empty(shape), gain=2.0).reshape(shape[0], -1)
    product = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
    assert torch.allclose(product, 4 * torch.eye(product.shape[0]), atol=1e-5)


def test_no_history_on_parameters() -> None:
    param = nn.Parameter(torch.empty(3, 3))
    init.trunc_normal_(init.xavier_uniform_(param))
    assert param.is_leaf and param.requires_grad


@pytest.mark.parametrize(
    ("arguments", "gain"),
    [
        (("linear",), 1),
        (("conv3d",), 1),
        (("tanh",), 5 / 3),
        (("relu",), math.sqrt(2)),
        (("leaky_relu",), math.sqrt(2 / (1 + 0.01**2))),
        (("leaky_relu", 0.2), math.sqrt(2 / 1.04)),
        (("selu",), 0.75),
    ],
)
def test_gains(arguments: tuple, gain: float) -> None:
    assert init.calculate_gain(*arguments) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: init.calculate_gain("foo"), "Unsupported nonlinearity foo"),
        (lambda: init.calculate_gain("leaky_relu", "x"), "negative_slope x not a valid number"),
        (lambda: init.eye_(torch.ones(2)), "Only tensors with 2 dimensions are supported"),
        (lambda: init.dirac_(torch.ones(2)), "Only tensors with 3, 4, or 5 dimensions are supported"),
        (lambda: init.dirac_(torch.ones(3, 2, 2), 2), "dim 0 must be divisible by groups"),
        (
            lambda: init.xavier_uniform_(torch.ones(2)),
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
        ),
        (
            lambda: init.kaiming_uniform_(torch.ones(2, 2), mode="x"),
            "Mode x not supported, please use one of ['fan_in', 'fan_out']",
        ),
        (lambda: init.orthogonal_(torch.ones(2)), "Only tensors with 2 or more dimensions are supported"),
    ],
)
def test_errors(call, text: str) -> None:
    with pytest.raises(ValueError) as info:
        call()
    assert str(info.value) == text


def test_warnings() -> None:
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        init.kaiming_uniform_(torch.empty(0, 2))
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        init.trunc_normal_(torch.empty(3), 4.01)
    with pytest.warns(FutureWarning, match=r"`nn.init.uniform` is now deprecated in favor of `nn.init.uniform_`."):
        init.uniform(torch.empty(3))
