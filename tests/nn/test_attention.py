"""Multi-head attention and the transformer: masks, evaluation, initial numbers, errors."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import torchish as torch
from torchish import nn

ALL_MASKED = torch.tensor([[False, False, False], [True, True, True]])


def attention(**options) -> nn.MultiheadAttention:
    torch.manual_seed(0)
    return nn.MultiheadAttention(4, 2, batch_first=True, **options)


def test_parameters_stand_in_order_and_the_output_projection_says_its_name() -> None:
    names = [name for name, _ in nn.MultiheadAttention(4, 2, kdim=3, add_bias_kv=True).named_parameters()]
    assert names == [
        "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias", "bias_k", "bias_v",
        "out_proj.weight", "out_proj.bias",
    ]  # fmt: skip
    assert "(out_proj): NonDynamicallyQuantizableLinear(in_features=4" in repr(attention())


def test_masked_keys_have_no_weight() -> None:
    x = torch.randn(2, 3, 4)
    _, weights = attention()(x, x, x, key_padding_mask=torch.tensor([[False, False, True]] * 2))
    assert not weights[..., 2].any() and torch.allclose(weights.sum(-1), torch.ones(2, 3))


def test_a_query_without_keys_is_nan_in_evaluation_and_the_bias_in_training() -> None:
    layer, x = attention(), torch.randn(2, 3, 4)
    assert torch.equal(layer(x, x, x, ALL_MASKED, need_weights=False)[0][1], torch.zeros(3, 4))
    with torch.no_grad():
        assert layer.eval()(x, x, x, ALL_MASKED, need_weights=False)[0][1].isnan().all()


def test_encoder_zeroes_the_padded_ends_in_evaluation_alone() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 1).eval()
    x, ends = torch.randn(2, 3, 4), torch.tensor([[False, False, True]] * 2)
    with torch.no_grad():
        assert not encoder(x, src_key_padding_mask=ends)[:, 2].any()
        assert encoder(x, src_key_padding_mask=ends.flip(1))[:, 0].all()
    assert encoder(x, src_key_padding_mask=ends)[:, 2].all()


def test_causal_masks_are_recognised() -> None:
    from torchish.nn.modules.transformer import _detect_is_causal_mask

    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert _detect_is_causal_mask(mask) and _detect_is_causal_mask(mask != 0, size=3)
    assert not _detect_is_causal_mask(mask, size=2) and not _detect_is_causal_mask(torch.zeros(3, 3))


@pytest.mark.parametrize(
    ("masks", "text"),
    [
        (
            {"attn_mask": torch.zeros(3, 3)},
            "The shape of the 2D attn_mask is torch.Size([3, 3]), but should be (2, 2).",
        ),
        ({"key_padding_mask": torch.zeros(2, 4)}, "Expected key_padded_mask.shape[0] to be 1, but got 2"),
        ({"attn_mask": torch.zeros(2, 2).int()}, "only bool and floating types of attn_mask are supported"),
    ],
)
def test_masks_that_do_not_fit(masks: dict, text: str) -> None:
    x = torch.zeros(1, 2, 4)
    with pytest.raises((RuntimeError, AssertionError)) as info:
        attention()(x, x, x, **masks)
    assert str(info.value) == text


def test_encoder_says_why_it_does_not_nest() -> None:
    with pytest.warns(UserWarning, match="because encoder_layer.self_attn.batch_first was not True"):
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1)


@pytest.mark.oracle
@pytest.mark.parametrize("norm_first", [False, True])
def test_training_is_pytorchs_number_for_number(norm_first: bool) -> None:
    real = pytest.importorskip("torch")
    outcomes = []
    for library in (real, torch):
        library.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = library.nn.Transformer(8, 2, 1, 1, 16, dropout=0.2, batch_first=True, norm_first=norm_first)
        initial = [p.detach().numpy().copy() for p in model.parameters()]
        src, tgt = library.randn(2, 4, 8), library.randn(2, 3, 8)
        mask = library.nn.Transformer.generate_square_subsequent_mask(3)
        output = model(src, tgt, tgt_mask=mask)
        output.square().sum().backward()
        gradients = [p.grad.numpy() for p in model.parameters()]
        outcomes.append((repr(model), list(model.state_dict()), initial, output.detach().numpy(), gradients))
    (shown, keys, initial, output, gradients), got = outcomes
    assert got[:2] == (shown, keys)
    assert all(np.array_equal(a, b) for a, b in zip(got[2], initial, strict=True))
    np.testing.assert_allclose(got[3], output, atol=1e-5)
    for a, b in zip(got[4], gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_a_copy_attends_alike() -> None:
    layer, x = attention(), torch.randn(1, 2, 4)
    assert torch.equal(copy.deepcopy(layer)(x, x, x)[0], layer(x, x, x)[0])
