"""Losses: the conventions at kinks and bounds, reductions and weights, data checks, and refusals."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradient, gradients, i64, second_derivative

from torchish._ops.nn import class_losses, distances, losses, margin_losses
from torchish._ops.registry import OPS

NAN = math.nan
SCORES = jnp.array([[1.0, 2.0, 3.0], [1.0, 0.0, -1.0]], jnp.float32)
WEIGHTS = jnp.array([1.0, 2.0, 3.0], jnp.float32)


def near(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-5, atol=1e-6)


def zeros(n):
    return jnp.zeros(n, jnp.float32)


class TestReduction:
    def test_each(self):
        x, t = f32(1, 2), f32(0, 0)
        assert losses.mse_loss(x, t) == 2.5
        assert losses.mse_loss(x, t, reduction="sum") == 5
        assert losses.mse_loss(x, t, reduction="none").tolist() == [1, 4]

    @pytest.mark.parametrize(
        ("size_average", "reduce", "expected"),
        [(None, None, "sum"), (True, None, "mean"), (False, None, "sum"), (None, False, "none"), (True, False, "none")],
    )
    def test_the_older_flags_decide(self, size_average, reduce, expected):
        assert losses.effective_reduction(size_average, reduce, "sum") == expected

    def test_unknown_word(self):
        with pytest.raises(ValueError, match="abc is not a valid value for reduction"):
            losses.mse_loss(f32(1), f32(1), reduction="abc")

    def test_a_weighted_mean_divides_by_the_weights(self):
        x, t, w = f32(1, 2), f32(0, 0), f32(3, 1)
        near(losses.mse_loss(x, t, weight=w), 7 / 4)
        near(losses.l1_loss(x, t, weight=w), 5 / 4)
        # huber_loss alone does not
        near(losses.huber_loss(x, t, weight=w), (1.5 + 1.5) / 2)

    def test_nothing_to_average_is_nan(self):
        assert jnp.isnan(losses.mse_loss(zeros(0), zeros(0)))

    def test_node_names_follow_the_reduction(self):
        name = OPS["l1_loss"].node_name
        assert name({"ndims": (1, 1), "reduction": "none"}) == "AbsBackward0"
        assert name({"ndims": (1, 1), "reduction": "mean"}) == "MeanBackward0"
        assert name({"ndims": (1, 1), "reduction": "mean", "size_average": False}) == "SumBackward0"


class TestKinks:
    def test_l1_is_flat_at_zero(self):
        assert gradient(lambda x: losses.l1_loss(x, zeros(3), reduction="none"), f32(0, -2, 2)) == [0, -1, 1]

    def test_smooth_l1(self):
        x = f32(0, 1, -2, 3)
        near(losses.smooth_l1_loss(x, zeros(4), reduction="none", beta=jnp.float64(2)), [0, 0.25, 1, 2])
        got = gradient(lambda x: losses.smooth_l1_loss(x, zeros(4), reduction="none", beta=jnp.float64(2)), x)
        assert got == [0, 0.5, -1, 1]

    def test_smooth_l1_with_beta_zero_is_l1(self):
        got = gradient(
            lambda x: losses.smooth_l1_loss(x, zeros(3), reduction="none", beta=jnp.float64(0)), f32(0, 1, -2)
        )
        assert got == [0, 1, -1]

    def test_huber(self):
        x = f32(0, 1, -2, 3)
        near(losses.huber_loss(x, zeros(4), reduction="none", delta=jnp.float64(2)), [0, 0.5, 2, 4])
        assert gradient(lambda x: losses.huber_loss(x, zeros(4), "none", jnp.float64(2)), x) == [0, 1, -2, 2]

    def test_hinge_passes_the_gradient_at_the_margin(self):
        target = f32(-1, 1, -1)
        assert gradient(lambda x: losses.hinge_embedding_loss(x, target, reduction="none"), f32(1, 1, 0)) == [-1, 1, -1]

    def test_margin_ranking_passes_the_gradient_at_the_margin(self):
        got = gradient(lambda x: distances.margin_ranking_loss(x, f32(1, 1), f32(1, 1), reduction="none"), f32(1, 0))
        assert got == [-1, -1]

    def test_multi_margin_is_flat_at_the_margin(self):
        scores = f32(0.5, 0.5, 0.25)[None]
        assert gradient(lambda x: margin_losses.multi_margin_loss(x, i64(0), margin=jnp.float64(0)), scores) == [
            [0, 0, 0]
        ]


class TestBinaryCrossEntropy:
    def test_logarithms_stop_at_minus_100(self):
        p, t = f32(0, 1, 0, 1), f32(0, 0, 1, 1)
        assert losses.binary_cross_entropy(p, t, reduction="none").tolist() == [0, 100, 100, 0]
        near(gradient(lambda p: losses.binary_cross_entropy(p, t, reduction="none"), p), [0, 1e12, -1e12, 0])

    def test_the_gradient_by_the_target_is_not_clamped(self):
        by_target = gradients(lambda p, t: losses.binary_cross_entropy(p, t, reduction="none"), f32(0, 1), f32(0, 0))[1]
        assert by_target == [math.inf, -math.inf]

    def test_second_derivative(self):
        near(second_derivative(lambda p: losses.binary_cross_entropy(p, f32(1), reduction="none"), f32(0.5)), [4])

    @pytest.mark.parametrize(("input", "target", "named"), [(2, 0, "input"), (NAN, 0, "input"), (0, 2, "target")])
    def test_what_is_no_probability_is_refused(self, input, target, named):
        assert check_fires("binary_cross_entropy", f32(input), f32(target))
        error = check_error("binary_cross_entropy", f32(input), f32(target))
        assert str(error) == f"all elements of {named} should be between 0 and 1"

    def test_shapes_must_be_equal(self):
        with pytest.raises(
            ValueError, match=r"Using a target size \(torch.Size\(\[2\]\)\) that is different to the input"
        ):
            losses.binary_cross_entropy(jnp.ones((2, 3)), jnp.ones(2))

    def test_with_logits(self):
        logits, target = f32(0.5, -1), f32(1, 0)
        loss = losses.binary_cross_entropy_with_logits
        near(loss(logits, target, reduction="none", pos_weight=f32(2, 3)), [0.9481540, 0.3132617])
        near(loss(f32(1000, -1000), f32(0, 1), reduction="none"), [1000, 1000])


class TestCrossEntropy:
    def test_values(self):
        near(class_losses.cross_entropy(SCORES, i64(2, 0)), 0.4076059)
        near(class_losses.cross_entropy(SCORES, i64(2, 0), label_smoothing=0.1), 0.5076059)
        near(class_losses.cross_entropy(SCORES[:1], jnp.array([[0.1, 0.2, 0.7]], jnp.float32)), 0.8076059)

    def test_the_weighted_mean_divides_by_the_targets_weights(self):
        logs = jnp.array([[-1.0, -2.0, -4.0], [-8.0, -16.0, -32.0]], jnp.float32)
        near(class_losses.nll_loss(logs, i64(2, 0), WEIGHTS), (4 * 3 + 8 * 1) / 4)

    def test_smoothing_with_weights_divides_both_parts(self):
        near(class_losses.cross_entropy(SCORES[:1], i64(1), WEIGHTS, label_smoothing=0.1), 1.3742726)

    def test_ignored_targets_count_nothing(self):
        near(class_losses.cross_entropy(SCORES, i64(2, -100)), 0.4076059)
        assert gradient(lambda x: class_losses.cross_entropy(x, i64(2, -100)), SCORES)[1] == [0, 0, 0]

    def test_nothing_counted_is_nan_as_a_mean_and_zero_as_a_sum(self):
        assert jnp.isnan(class_losses.cross_entropy(SCORES, i64(-100, -100)))
        assert class_losses.cross_entropy(SCORES, i64(-100, -100), reduction="sum") == 0

    def test_other_classes_do_not_leak(self):
        assert class_losses.nll_loss(f32(NAN, -1)[None], i64(1)) == 1

    @pytest.mark.parametrize("bad", [3, -1])
    def test_a_class_that_there_is_not(self, bad):
        arguments = {"ignore_index": -100}
        assert check_fires("cross_entropy", SCORES, i64(0, bad), **arguments)
        error = check_error("cross_entropy", SCORES, i64(0, bad), **arguments)
        assert isinstance(error, IndexError)
        assert str(error) == f"Target {bad} is out of bounds."

    def test_batch_sizes_must_agree(self):
        with pytest.raises(ValueError, match=r"Expected input batch_size \(2\) to match target batch_size \(3\)."):
            class_losses.cross_entropy(SCORES, i64(0, 0, 0))


class TestLikelihoods:
    def test_kl_div(self):
        near(losses.kl_div(f32(-1, -2)[None], f32(0.25, 0.75)[None], reduction="batchmean"), 1.1876649)
        assert losses.kl_div(f32(-1), f32(0), reduction="sum") == 0

    def test_poisson(self):
        near(losses.poisson_nll_loss(f32(0.5), f32(3), full=True), 1.9128028)

    def test_gaussian(self):
        near(losses.gaussian_nll_loss(f32(1), f32(3), f32(4), full=True), 2.1120859)

    def test_a_tiny_variance_is_raised_but_keeps_its_gradient(self):
        by_variance = gradient(lambda v: losses.gaussian_nll_loss(f32(1), f32(0), v), f32(0))
        near(by_variance, [-5e11])

    def test_negative_variance(self):
        assert check_fires("gaussian_nll_loss", f32(1), f32(1), f32(-1))
        error = check_error("gaussian_nll_loss", f32(1), f32(1), f32(-1))
        assert isinstance(error, ValueError) and str(error) == "var has negative entry/entries"

    def test_soft_margin_overflows_as_pytorch_does(self):
        assert losses.soft_margin_loss(f32(200), f32(-1)) == math.inf


class TestPairs:
    def test_cosine_of_a_zero_vector_has_a_finite_and_huge_gradient(self):
        other = jnp.ones((1, 3), jnp.float32)
        assert distances.cosine_similarity(jnp.zeros((1, 3), jnp.float32), other).tolist() == [0]
        near(
            gradient(lambda x: distances.cosine_similarity(x, other), jnp.zeros((1, 3), jnp.float32)),
            [[57735028.0] * 3],
        )

    def test_distance_is_flat_at_zero(self):
        got = gradient(
            lambda x: distances.pairwise_distance(x, x * 0, eps=jnp.float64(0)), jnp.zeros((1, 2), jnp.float32)
        )
        assert got == [[0, 0]]

    def test_cosine_embedding(self):
        a, b = jnp.array([[1.0, 0.0], [1.0, 1.0]]), jnp.array([[0.0, 1.0], [1.0, 0.0]])
        out = distances.cosine_embedding_loss(a, b, jnp.array([1.0, -1.0]), margin=jnp.float64(0.5), reduction="none")
        near(out, [1, 0.2071068])

    def test_triplets(self):
        anchor, near_one, far_one = (f32(*v)[None] for v in ((0, 0), (3, 4), (6, 8)))
        margin = jnp.float64(7)
        near(distances.triplet_margin_loss(anchor, near_one, far_one, margin), 2)
        near(distances.triplet_margin_loss(anchor, near_one, far_one, margin, swap=True), 7)

    def test_triplet_margin_must_be_positive(self):
        points = [f32(0)[None]] * 3
        assert str(check_error("triplet_margin_loss", *points, margin=jnp.float64(-1))) == (
            "margin must be greater than 0, got -1.0"
        )

    def test_margins_over_classes(self):
        near(margin_losses.multi_margin_loss(f32(0.1, 0.2, 0.4)[None], i64(2)), 0.5)
        near(margin_losses.multilabel_margin_loss(f32(0.1, 0.2, 0.4, 0.8)[None], i64(3, 0, -1, 1)[None]), 0.85)


def test_broadcasting_shapes_are_named_as_pytorch_names_them():
    with pytest.raises(RuntimeError) as raised:
        losses.mse_loss(jnp.ones((2, 3)), jnp.ones(2))
    assert str(raised.value) == (
        "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1"
    )
