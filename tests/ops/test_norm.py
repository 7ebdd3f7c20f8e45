"""Normalization: biased and unbiased variances, running statistics, degenerate inputs, and refusals."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import f32, gradient

import torchish as torch
from torchish._ops.nn import norm


def near(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-5, atol=1e-6)


def ones(*shape, dtype=jnp.float32):
    return jnp.ones(shape, dtype)


BATCH = jnp.array([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]], jnp.float32)


class TestBatchNorm:
    def test_the_biased_variance_normalizes_and_the_unbiased_one_runs(self):
        out, mean, var = norm.batch_norm_train(BATCH, jnp.zeros(2, jnp.float32), ones(2))
        near(out, [[-1.2247427, -0.9258201], [0, -0.4629101], [1.2247424, 1.3887302]])
        # momentum 0.1 weighs the new value
        near(mean, [0.3, 3.0])
        near(var, [1.3, 70.9])

    def test_momentum(self):
        _, mean, var = norm.batch_norm_train(BATCH, jnp.zeros(2, jnp.float32), ones(2), momentum=jnp.float64(1))
        near(mean, [3, 30])
        near(var, [4, 700])

    def test_running_statistics_carry_no_gradient(self):
        assert (
            gradient(lambda x: norm.batch_norm_train(x, jnp.zeros(2, jnp.float32), ones(2))[1], BATCH) == [[0, 0]] * 3
        )

    def test_one_value_a_channel_is_refused(self):
        with pytest.raises(ValueError) as raised:
            norm.batch_norm_train(ones(1, 3), None, None)
        assert str(raised.value) == (
            "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])"
        )

    def test_an_empty_batch_leaves_the_statistics(self):
        out, mean, var = norm.batch_norm_train(ones(0, 3), jnp.zeros(3, jnp.float32), ones(3))
        assert out.shape == (0, 3) and mean.tolist() == [0] * 3 and var.tolist() == [1] * 3

    def test_evaluation_uses_the_running_statistics(self):
        out = norm.batch_norm_eval(BATCH, f32(1, 10), f32(4, 100), weight=f32(2, 1), bias=f32(0, 5))
        near(out, [[0, 5], [2, 6], [4, 10]])

    def test_evaluation_needs_them(self):
        with pytest.raises(RuntimeError, match="running_mean must be defined in evaluation mode"):
            norm.batch_norm_eval(BATCH, None, None)

    def test_sizes_are_checked(self):
        with pytest.raises(RuntimeError, match="running_mean should contain 2 elements not 4"):
            norm.batch_norm_eval(BATCH, ones(4), ones(2))

    def test_half_is_normalized_in_float32(self):
        x = jnp.array([[60000.0], [60000.0], [59968.0]], jnp.float16)
        out = norm.batch_norm_train(x, None, None)[0]
        assert out.dtype == jnp.float16
        near(out.astype(jnp.float32), [[0.7070312], [0.7070312], [-1.4140625]])


class TestLayerNorm:
    def test_values(self):
        near(norm.layer_norm(jnp.array([[1.0, 2.0, 4.0]], jnp.float32), (3,)), [[-1.0690414, -0.2672603, 1.3363018]])

    def test_a_constant_row_is_zero(self):
        assert norm.layer_norm(ones(2, 3), (3,)).tolist() == [[0, 0, 0]] * 2

    def test_native_form_gives_mean_and_reciprocal_deviation(self):
        _, mean, inverse = norm.native_layer_norm(jnp.array([[1.0, 3.0]], jnp.float32), (2,), None, None, 0.0)
        assert mean.tolist() == [[2]] and inverse.tolist() == [[1]]

    @pytest.mark.parametrize(
        ("shape", "weight", "text"),
        [
            ((4,), None, "Given normalized_shape=[4], expected input with shape [*, 4], but got input of size[2, 3]"),
            (
                (3,),
                (4,),
                "Expected weight to be of same shape as normalized_shape, but got weight of shape [4] "
                "and normalized_shape = [3]",
            ),
        ],
    )
    def test_shapes(self, shape, weight, text):
        with pytest.raises(RuntimeError) as raised:
            norm.layer_norm(ones(2, 3), shape, None if weight is None else ones(*weight))
        assert str(raised.value) == text

    def test_mixed_dtypes(self):
        with pytest.raises(RuntimeError, match=r"mixed dtype \(CPU\): all inputs must share same datatype."):
            norm.layer_norm(ones(2, 3, dtype=jnp.float64), (3,), ones(3))
        assert norm.layer_norm(ones(2, 3, dtype=jnp.float16), (3,), ones(3)).dtype == jnp.float16


class TestOtherNorms:
    def test_group_norm(self):
        near(norm.group_norm(jnp.array([[1.0, 3.0, 2.0, 6.0]], jnp.float32), 2), [[-1, 1, -1, 1]])
        with pytest.raises(RuntimeError, match="Expected number of channels in input to be divisible by num_groups"):
            norm.group_norm(ones(2, 7, 4), 2)

    def test_instance_norm_moves_by_the_average_over_samples(self):
        x = jnp.array([[[1.0, 3.0]], [[5.0, 9.0]]], jnp.float32)
        out, mean, var = norm.instance_norm_train(x, f32(0), f32(0), momentum=jnp.float64(1), eps=jnp.float64(0))
        near(out, [[[-1, 1]], [[-1, 1]]])
        near(mean, [4.5])
        near(var, [5])

    def test_instance_norm_refuses_one_element(self):
        with pytest.raises(ValueError, match="Expected more than 1 spatial element when training, got input size"):
            torch.nn.functional.instance_norm(torch.ones(2, 3, 1))

    def test_rms_norm(self):
        near(norm.rms_norm(f32(3, 4), (2,)), [0.8485281, 1.1313709])

    def test_local_response_norm(self):
        x = f32(1, 2, 3).reshape(1, 3, 1)
        near(norm.local_response_norm(x, 2, alpha=jnp.float64(1)).ravel(), [0.7377880, 0.7815899, 0.6619501])

    def test_normalize_of_a_zero_vector_is_finite_and_steep(self):
        assert norm.normalize(f32(0, 0), dim=0).tolist() == [0, 0]
        near(gradient(lambda x: norm.normalize(x, dim=0), f32(0, 0)), [1e12, 1e12])


def test_second_derivative_of_layer_norm_against_finite_differences():
    x = jnp.asarray(np.random.RandomState(0).standard_normal((1, 5)))

    def slope(x):
        return (jax.grad(lambda y: (norm.layer_norm(y, (5,)) ** 3).sum())(x) ** 2).sum()

    got, step = jax.jit(jax.grad(slope))(x), 1e-6
    for i in range(5):
        e = jnp.zeros((1, 5)).at[0, i].set(step)
        np.testing.assert_allclose(got[0, i], (slope(x + e) - slope(x - e)) / (2 * step), rtol=1e-5, atol=1e-7)
