"""CTC, bags of embeddings, dropout's forms, random slopes and pools, attention, batch norm's operators, warnings."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

import torchish as torch
import torchish.nn.functional as F
from torchish import nn


def message(error: type[Exception], run) -> str:
    with pytest.raises(error) as caught:
        run()
    return str(caught.value)


def close(got, want, tolerance=1e-5):
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=tolerance, atol=tolerance)


class TestCtc:
    log_probs = torch.tensor([[[0.6, 0.4]], [[0.5, 0.5]]]).log()

    def loss(self, log_probs, **options):
        return F.ctc_loss(log_probs, torch.tensor([[1]]), (2,), (1,), **options)

    def test_all_alignments_count(self):
        assert self.loss(self.log_probs).item() == pytest.approx(-math.log(0.6 * 0.5 + 0.4 * 0.5 + 0.4 * 0.5))

    def test_the_gradient_is_that_of_the_softmaxs_input(self):
        x = self.log_probs.clone().requires_grad_()
        self.loss(x, reduction="sum").backward()
        close(x.grad.sum(-1), [[0], [0]])
        close(x.grad[0, 0], [0.6 - 0.3 / 0.7, 0.4 - 0.4 / 0.7])

    def test_targets_in_one_row_are_the_same(self):
        log_probs = torch.randn(5, 2, 4).log_softmax(2)
        padded = F.ctc_loss(log_probs, torch.tensor([[1, 2], [3, 0]]), (5, 4), (2, 1), reduction="none")
        row = F.ctc_loss(
            log_probs, torch.tensor([1, 2, 3]), torch.tensor([5, 4]), torch.tensor([2, 1]), reduction="none"
        )
        close(row, padded.numpy())

    def test_an_input_too_short_for_its_target(self):
        x = self.log_probs.clone().requires_grad_()
        repeated = torch.tensor([[1, 1]])
        assert F.ctc_loss(x, repeated, (2,), (2,)).item() == math.inf
        loss = F.ctc_loss(x, repeated, (2,), (2,), zero_infinity=True)
        loss.backward()
        assert loss.item() == 0 and not x.grad.any()

    def test_refusals(self):
        assert message(RuntimeError, lambda: self.loss(self.log_probs, blank=2)) == "blank must be in label range"
        assert message(
            RuntimeError, lambda: F.ctc_loss(self.log_probs, torch.tensor([[1]]), (3,), (1,)).item()
        ).startswith("Expected input_lengths to have value at most 2, but got value 3")
        assert message(RuntimeError, lambda: F.ctc_loss(self.log_probs, torch.tensor([[1]]), (2, 2), (1,))) == (
            "input_lengths must be of size batch_size"
        )


class TestEmbeddingBag:
    table = torch.tensor([[1.0, 5.0], [2.0, 1.0], [4.0, 3.0]])

    def test_modes_and_empty_bags(self):
        indices, offsets = torch.tensor([0, 2, 1]), torch.tensor([0, 2, 2])
        assert F.embedding_bag(indices, self.table, offsets, mode="sum").tolist() == [[5, 8], [0, 0], [2, 1]]
        assert F.embedding_bag(indices, self.table, offsets).tolist() == [[2.5, 4], [0, 0], [2, 1]]
        assert F.embedding_bag(indices, self.table, offsets, mode="max").tolist() == [[4, 5], [0, 0], [2, 1]]

    def test_padding_counts_for_nothing(self):
        got = F.embedding_bag(torch.tensor([[0, 2]]), self.table, padding_idx=2)
        assert got.tolist() == [[1, 5]]

    def test_the_maximums_gradient_goes_to_the_first(self):
        table = torch.ones(3, 1).requires_grad_()
        F.embedding_bag(torch.tensor([[2, 0, 1]]), table, mode="max").sum().backward()
        assert table.grad.tolist() == [[0], [0], [1]]

    def test_rows_are_shrunk_in_the_table(self):
        table = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
        F.embedding_bag(torch.tensor([[0, 1]]), table, max_norm=1.0)
        close(table, [[0.6, 0.8], [0.3, 0.4]])

    def test_refusals(self):
        indices = torch.tensor([0, 1])
        assert message(ValueError, lambda: F.embedding_bag(indices, self.table)) == (
            "offsets has to be a 1D Tensor but got None"
        )
        assert message(
            RuntimeError, lambda: F.embedding_bag(indices, self.table, torch.tensor([1])).sum().item()
        ).startswith("offsets[0] has to be 0")
        assert message(
            RuntimeError, lambda: F.embedding_bag(indices + 2, self.table, torch.tensor([0])).sum().item()
        ) == ("Index 1 of input takes value 3 which is not in the valid range [0, 3)")


class TestDropout:
    def test_the_numbers_are_pytorchs(self):
        torch.manual_seed(1)
        got = F.alpha_dropout(torch.full((8,), 0.5), 0.4, True)
        close(got, [1.038736] * 7 + [-0.910642])

    def test_alpha_dropout_by_channel(self):
        torch.manual_seed(0)
        got = F.feature_alpha_dropout(torch.ones(4, 5, 6), 0.5, True)
        assert (got == got[..., :1]).all() and len(np.unique(got.numpy())) == 2

    def test_ranks(self):
        assert message(RuntimeError, lambda: nn.Dropout1d()(torch.ones(1, 2, 3, 4))).startswith(
            "dropout1d: Expected 2D or 3D input, but received a 4D input."
        )
        with pytest.warns(UserWarning, match="dropout3d: Received a 2-D input") as caught:
            assert F.dropout3d(torch.ones(2, 3)).shape == (2, 3)
        assert caught[0].filename == __file__

    def test_rrelu_draws_for_what_is_not_positive(self):
        torch.manual_seed(3)
        got = F.rrelu(torch.tensor([-1.0, 1, -1, 2, 0, 3, -1, -1]), training=True)
        close(got, [-0.1321, 1, -0.1847, 2, 0, 3, -0.1614, -0.2824], 1e-4)
        close(F.rrelu(torch.tensor([-1.0]), 0.25, 0.75), [-0.5])
        assert message(RuntimeError, lambda: F.rrelu(got, 1.0, 0.5)).startswith("Lower bound should be less")

    def test_gumbel_softmax_is_one_hot_with_the_soft_gradient(self):
        x = torch.randn(5, 3).requires_grad_()
        hard = F.gumbel_softmax(x, hard=True)
        close(hard.sum(1), [1.0] * 5)
        (hard * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
        assert x.grad.abs().sum() > 0


class TestFractionalPools:
    def test_the_samples_place_the_windows(self):
        x = torch.arange(42.0).reshape(1, 1, 6, 7)
        samples = torch.tensor([[[0.1, 0.9]]])
        best, where = F.fractional_max_pool2d(x, 2, (3, 4), return_indices=True, _random_samples=samples)
        assert best[0, 0].tolist() == where[0, 0].tolist()
        assert where[0, 0, :, 0].tolist() == [8, 22, 36] and where[0, 0, 0].tolist() == [8, 9, 11, 13]

    def test_refusals(self):
        x = torch.zeros(1, 1, 4, 4)
        assert message(ValueError, lambda: F.fractional_max_pool2d(x, 2)) == (
            "fractional_max_pool2d requires specifying either an output_size or an output_ratio"
        )
        assert message(RuntimeError, lambda: F.fractional_max_pool2d(x, 5, 2)) == (
            "fractional_max_pool2d(): pool height 5 too large relative to input height 4"
        )


class TestAttention:
    def test_causal_and_masked(self):
        x = torch.eye(2)
        value = torch.tensor([[1.0], [3.0]])
        assert F.scaled_dot_product_attention(x, x, value, is_causal=True)[0].item() == 1
        mask = torch.tensor([[True, False], [False, True]])
        assert F.scaled_dot_product_attention(x, x, value, mask).tolist() == [[1], [3]]

    def test_dropouts_numbers_are_pytorchs(self):
        torch.manual_seed(0)
        got = F.scaled_dot_product_attention(
            *(torch.zeros(1, 1, n, 4) for n in (2, 4)), torch.eye(4)[None, None], dropout_p=0.5
        )
        assert got.tolist() == [[[[0, 0, 0.5, 0], [0, 0, 0.5, 0.5]]]]

    def test_heads_are_shared(self):
        q, k = torch.randn(1, 4, 2, 3), torch.randn(1, 2, 2, 3)
        wide = k.repeat_interleave(2, 1)
        close(
            F.scaled_dot_product_attention(q, k, k, enable_gqa=True),
            F.scaled_dot_product_attention(q, wide, wide).numpy(),
        )


class TestNormalisation:
    def test_running_statistics_are_written(self):
        x, mean, var = torch.tensor([[1.0], [3.0]]), torch.zeros(1), torch.ones(1)
        out, save_mean, inverse = torch.native_batch_norm(x, None, None, mean, var, True, 0.1, 0.0)
        assert out.tolist() == [[-1], [1]] and save_mean.tolist() == [2] and inverse.tolist() == [1]
        close(mean, [0.2])
        close(var, [1.1])

    def test_one_integer_is_no_shape(self):
        assert message(TypeError, lambda: F.layer_norm(torch.ones(2, 5), 5)) == (
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not int"
        )


class TestLosses:
    def test_sizes_that_differ_are_warned_of(self):
        with pytest.warns(UserWarning, match="that is different to the input size") as caught:
            F.mse_loss(torch.ones(2, 3), torch.ones(3))
        assert caught[0].filename == __file__ and "torch.Size([3])) that is" in str(caught[0].message)

    def test_old_flags_are_warned_of(self):
        with pytest.warns(UserWarning, match="please use reduction='sum' instead.") as caught:
            assert F.l1_loss(torch.ones(3), torch.zeros(3), size_average=False).item() == 3
        assert caught[0].filename == __file__
        with pytest.warns(UserWarning, match="please use reduction='none' instead."):
            F.nll_loss(torch.zeros(1, 2), torch.tensor([0]), None, None, -100, False)

    def test_the_mean_of_kl_div_is_warned_of(self):
        with pytest.warns(UserWarning, match="reduction: 'mean' divides the total loss by both"):
            F.kl_div(torch.zeros(2), torch.ones(2))

    def test_a_softmax_without_dim_warns_at_the_callers_line(self):
        for run in (F.softmax, nn.Softmax(), nn.LogSoftmax(), nn.Softmin()):
            with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
                run(torch.ones(2, 2)); line = sys._getframe().f_lineno  # fmt: skip  # noqa: E702
            assert (caught[0].filename, caught[0].lineno) == (__file__, line)

    def test_any_distance(self):
        a, p, n = (torch.tensor([[x]]) for x in (0.0, 1.0, 3.0))
        loss = F.triplet_margin_with_distance_loss(
            a, p, n, distance_function=lambda x, y: (x - y).abs().sum(1), margin=3
        )
        assert loss.item() == 1

    def test_linear_cross_entropy_is_both(self):
        x, weight, target = torch.randn(4, 3), torch.randn(5, 3), torch.tensor([0, 4, 2, 1])
        close(F.linear_cross_entropy(x, weight, target), F.cross_entropy(F.linear(x, weight), target).numpy())


def test_paddings_refusal_lists_what_there_is():
    text = message(NotImplementedError, lambda: nn.ReflectionPad2d(1)(torch.ones(3, 4)))
    assert text.splitlines()[0] == "Padding size 4 is not supported for 2D input tensor."
    assert text.splitlines()[-1] == "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"


@pytest.mark.oracle
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_is_pytorchs(zero_infinity):
    real = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    data, targets = rng.normal(size=(6, 3, 4)), rng.integers(1, 4, (3, 3))
    found = []
    for library in (real, torch):
        x = library.tensor(data).requires_grad_()
        loss = library.nn.functional.ctc_loss(
            x.log_softmax(2),
            library.tensor(targets),
            (6, 4, 2),
            (3, 2, 3),
            reduction="none",
            zero_infinity=zero_infinity,
        )
        found.append((loss.detach().numpy(), library.autograd.grad(loss[:2].sum(), x)[0].numpy()[:, :2]))
    for want, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)
