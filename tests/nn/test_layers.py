"""Layers: printed form, keys, shapes, and PyTorch's conventions where they are easily missed."""

from __future__ import annotations

import math

import pytest

import torchish as torch
from torchish import nn

PRINTED = {
    "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))": lambda: nn.Conv2d(3, 8, 3, padding=1),
    "Conv1d(4, 4, kernel_size=(3,), stride=(2,), dilation=(2,), groups=2, bias=False, padding_mode=circular)": (
        lambda: nn.Conv1d(4, 4, 3, 2, dilation=2, groups=2, bias=False, padding_mode="circular")
    ),
    "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=same)": lambda: nn.Conv2d(3, 4, 3, padding="same"),
    "ConvTranspose2d(2, 3, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))": (
        lambda: nn.ConvTranspose2d(2, 3, 3, 2, output_padding=1)
    ),
    "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)": lambda: nn.Bilinear(2, 3, 4),
    "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)": (
        lambda: nn.BatchNorm2d(3)
    ),
    "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)": (
        lambda: nn.InstanceNorm2d(3)
    ),
    "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=True)": lambda: nn.LayerNorm((3, 4)),
    "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)": lambda: nn.GroupNorm(2, 4),
    "RMSNorm((3,), eps=None, elementwise_affine=True)": lambda: nn.RMSNorm(3),
    "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)": lambda: nn.LocalResponseNorm(2),
    "Dropout(p=0.3, inplace=False)": lambda: nn.Dropout(0.3),
    "Embedding(3, 4, padding_idx=2)": lambda: nn.Embedding(3, 4, padding_idx=-1),
    "EmbeddingBag(3, 4, mode='mean')": lambda: nn.EmbeddingBag(3, 4),
    "Flatten(start_dim=1, end_dim=-1)": lambda: nn.Flatten(),
    "Unflatten(dim=1, unflattened_size=(2, 3))": lambda: nn.Unflatten(1, (2, 3)),
    "ReLU(inplace=True)": lambda: nn.ReLU(True),
    "Hardtanh(min_val=-2, max_val=2, inplace=True)": lambda: nn.Hardtanh(-2, 2, True),
    "ReLU6()": lambda: nn.ReLU6(),
    "LeakyReLU(negative_slope=0.01)": lambda: nn.LeakyReLU(),
    "GELU(approximate='tanh')": lambda: nn.GELU("tanh"),
    "PReLU(num_parameters=3)": lambda: nn.PReLU(3),
    "Softmax(dim=1)": lambda: nn.Softmax(1),
    "Softplus(beta=1.0, threshold=20.0)": lambda: nn.Softplus(),
    "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)": lambda: nn.MaxPool2d(2),
    "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))": lambda: nn.AvgPool1d(2),
    "AdaptiveAvgPool2d(output_size=(3, None))": lambda: nn.AdaptiveAvgPool2d((3, None)),
    "ConstantPad2d(padding=(1, 1, 1, 1), value=2.0)": lambda: nn.ConstantPad2d(1, 2.0),
    "ZeroPad1d((1, 1))": lambda: nn.ZeroPad1d(1),
    "PixelShuffle(upscale_factor=2)": lambda: nn.PixelShuffle(2),
    "Upsample(scale_factor=2.0, mode='nearest')": lambda: nn.Upsample(scale_factor=2),
    "CrossEntropyLoss()": lambda: nn.CrossEntropyLoss(),
    "LazyLinear(in_features=0, out_features=4, bias=True)": lambda: nn.LazyLinear(4),
}


@pytest.mark.parametrize("text", PRINTED)
def test_printed_form(text: str) -> None:
    assert repr(PRINTED[text]()) == text


def test_keys_of_batch_norm() -> None:
    full = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(nn.BatchNorm1d(2).state_dict()) == full
    assert list(nn.BatchNorm1d(2, track_running_stats=False).state_dict()) == ["weight", "bias"]
    assert list(nn.BatchNorm1d(2, affine=False).state_dict()) == full[2:]
    assert list(nn.InstanceNorm1d(2).state_dict()) == []


def test_batch_norm_statistics_move() -> None:
    """Momentum weighs the new value; the running variance is unbiased, the one that normalises biased."""
    norm = nn.BatchNorm1d(1)
    x = torch.tensor([[1.0], [2.0], [6.0]])
    y = norm(x)
    assert norm.num_batches_tracked.item() == 1
    assert norm.running_mean.item() == pytest.approx(0.3)
    assert norm.running_var.item() == pytest.approx(0.9 + 0.1 * 7.0)
    biased = 14 / 3
    assert y[0].item() == pytest.approx(-2 / math.sqrt(biased + 1e-5), rel=1e-5)
    norm.eval()
    assert norm(x)[0].item() == pytest.approx((1 - 0.3) / math.sqrt(1.6 + 1e-5), rel=1e-5)
    assert norm.num_batches_tracked.item() == 1


def test_batch_norm_cumulative_average() -> None:
    norm = nn.BatchNorm1d(1, momentum=None)
    for value in (0.0, 3.0):
        norm(torch.tensor([[value], [value + 2]]))
    assert norm.running_mean.item() == pytest.approx(2.5)


def test_batch_norm_loads_a_state_without_the_count() -> None:
    norm = nn.BatchNorm1d(2)
    state = dict(norm.state_dict())
    del state["num_batches_tracked"]
    assert str(norm.load_state_dict(state)) == "<All keys matched successfully>"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.BatchNorm1d(3)(torch.ones(3)), "expected 2D or 3D input (got 1D input)"),
        (lambda: nn.BatchNorm2d(3)(torch.ones(3, 2)), "expected 4D input (got 2D input)"),
        (
            lambda: nn.BatchNorm1d(3)(torch.ones(1, 3)),
            "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])",
        ),
        (lambda: nn.GroupNorm(2, 3), "num_channels (3) must be divisible by num_groups (2)"),
        (lambda: nn.Dropout(1.5), "dropout probability has to be between 0 and 1, but got 1.5"),
        (lambda: nn.Conv2d(3, 4, 3, 2, padding="same"), "padding='same' is not supported for strided convolutions"),
        (lambda: nn.Conv2d(3, 4, 1, groups=2), "in_channels must be divisible by groups"),
        (
            lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
            'Only "zeros" padding mode is supported for ConvTranspose2d',
        ),
        (
            lambda: nn.ConvTranspose2d(3, 4, 3, 2)(torch.ones(1, 3, 4, 4), output_size=(20, 20)),
            "requested an output size of (20, 20), but valid sizes range from [9, 9] to [10, 10] "
            "(for an input of torch.Size([4, 4]))",
        ),
        (lambda: nn.MultiMarginLoss(p=3), "only p == 1 and p == 2 supported"),
    ],
)
def test_errors(call, text: str) -> None:
    with pytest.raises(ValueError) as info:
        call()
    assert str(info.value) == text


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_padding_mode_equals_padding_first(mode: str) -> None:
    conv = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
    x = torch.randn(1, 2, 5, 6)
    padded = nn.functional.pad(x, (2, 2, 1, 1), mode="constant" if mode == "zeros" else mode)
    assert torch.allclose(conv(x), nn.functional.conv2d(padded, conv.weight, conv.bias), atol=1e-6)


def test_transposed_convolution_reaches_the_output_size() -> None:
    conv = nn.ConvTranspose2d(1, 1, 3, stride=2)
    x = torch.randn(1, 1, 4, 4)
    assert conv(x).shape == (1, 1, 9, 9)
    assert conv(x, output_size=(10, 9)).shape == (1, 1, 10, 9)


def test_embedding_from_pretrained() -> None:
    table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad and layer(torch.tensor([1, 0])).tolist() == [[3, 4], [1, 2]]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


def test_dropout_only_in_training() -> None:
    layer = nn.Dropout(0.5)
    x = torch.ones(1000)
    assert set(layer(x).tolist()) == {0.0, 2.0}
    assert layer.eval()(x) is x or torch.equal(layer(x), x)


def test_lazy_layers_take_their_sizes_from_the_first_input() -> None:
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    assert repr(net.state_dict()["0.weight"]) == "<UninitializedParameter>"
    assert net(torch.randn(2, 3, 5, 5)).shape == (2, 2)
    assert [type(module).__name__ for module in net] == ["Conv2d", "BatchNorm2d", "Flatten", "Linear"]
    assert net[0].weight.shape == (4, 3, 3, 3) and net[1].num_features == 4 and net[3].in_features == 36
    assert type(net[0].weight) is nn.Parameter


def test_lazy_layer_loads_a_state() -> None:
    layer = nn.LazyLinear(3)
    source = nn.Linear(2, 3)
    layer.load_state_dict(source.state_dict())
    assert torch.equal(layer(torch.ones(2)), source(torch.ones(2)))


def test_losses_with_the_old_arguments() -> None:
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        assert nn.L1Loss(size_average=False).reduction == "sum"
    weighted = nn.NLLLoss(weight=torch.ones(2))
    assert list(weighted.state_dict()) == ["weight"]


def test_sync_batch_norm_conversion_keeps_parameters() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight = net[1].weight
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert isinstance(converted[1], nn.SyncBatchNorm) and converted[1].weight is weight


# Gradient clipping and parameter vectors


def params_with_grads() -> list[nn.Parameter]:
    params = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    params[0].grad, params[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    return params


def test_clip_grad_norm() -> None:
    params = params_with_grads()
    grad = params[0].grad
    assert nn.utils.clip_grad_norm_(params, 1.0).item() == pytest.approx(5.0)
    assert params[0].grad is grad  # in place
    assert grad.tolist() == pytest.approx([3 / (5 + 1e-6), 0.0]) and params[2].grad is None
    assert nn.utils.clip_grad_norm_(params, 9.0, norm_type=math.inf).item() == pytest.approx(0.8, rel=1e-5)
    assert nn.utils.get_total_norm([torch.ones(2), torch.ones(1)], 1).item() == 3
    params[1].grad = torch.tensor([math.nan])
    with pytest.raises(
        RuntimeError, match=r"The total norm of order 2.0 for gradients from `parameters` is non-finite"
    ):
        nn.utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)


def test_clip_grad_value() -> None:
    params = params_with_grads()
    nn.utils.clip_grad_value_(params, 3.5)
    assert params[0].grad.tolist() == [3.0, 0.0] and params[1].grad.item() == 3.5


def test_parameters_to_vector_and_back() -> None:
    layer = nn.Linear(2, 1)
    vector = nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (3,) and vector.requires_grad
    nn.utils.vector_to_parameters(torch.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert layer.weight.tolist() == [[1, 2]] and layer.bias.tolist() == [3]
    with pytest.raises(TypeError, match=r"expected torch.Tensor, but got: list"):
        nn.utils.vector_to_parameters([1.0], layer.parameters())
