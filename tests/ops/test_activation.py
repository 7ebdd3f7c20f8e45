"""Activations: the slope at each kink, large inputs, dims and errors, as PyTorch has them."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradient, gradients, i64, second_derivative

from torchish._ops.nn import activation
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


def near(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-5, atol=1e-6)


class TestSlopesAtKinks:
    @pytest.mark.parametrize(
        ("name", "at", "slopes"),
        [
            ("relu", [0, -0.0, NAN, -1, 1], [0, 0, 1, 0, 1]),
            ("relu6", [0, 6, 3, NAN], [0, 0, 1, 1]),
            ("hardtanh", [-1, 1, 0, NAN], [0, 0, 1, 1]),
            ("leaky_relu", [0, -1, 1], [0.01, 0.01, 1]),
            ("elu", [0, 1, -INF], [1, 1, 0]),
            ("selu", [0, 1], [1.7580993, 1.050701]),
            ("celu", [0, 1], [1, 1]),
            ("hardsigmoid", [-3, 3, 0, NAN], [0, 0, 1 / 6, 0]),
            ("hardswish", [-3, 3, 0, -INF, INF], [0, 1, 0.5, 0, 1]),
            ("hardshrink", [-0.5, 0.5, 0, 1], [0, 0, 0, 1]),
            ("softshrink", [-0.5, 0.5, 0, 1, NAN], [0, 0, 0, 1, 1]),
            ("softsign", [0], [1]),
            ("logsigmoid", [0, INF, -INF], [0.5, 0, 1]),
            ("softplus", [0, 30, -INF, INF], [0.5, 1, 0, 1]),
            ("gelu", [0], [0.5]),
            ("silu", [0], [0.5]),
            ("mish", [0], [0.6]),
        ],
    )
    def test_slopes(self, name, at, slopes):
        near(gradient(OPS[name].fn, f32(*at)), slopes)

    def test_threshold_replaces_up_to_its_threshold(self):
        fn = lambda x: activation.threshold(x, 1.0, 5.0)  # noqa: E731
        same(fn(f32(1, 2, NAN)), [5, 2, NAN])
        assert gradient(fn, f32(1, 2, NAN)) == [0, 1, 1]

    def test_prelu_at_zero_has_the_weight_as_slope(self):
        assert gradients(activation.prelu, f32(0, -2, 3), f32(0.25)) == [[0.25, 0.25, 1], [-2]]

    def test_second_derivatives_of_the_exponential_units(self):
        near(second_derivative(activation.elu, f32(0, -0.5, 2)), [0, np.exp(-0.5), 0])
        near(second_derivative(activation.softplus, f32(0, 30)), [0.25, 0])
        near(second_derivative(activation.relu, f32(-1, 0, 1)), [0, 0, 0])


class TestLargeInputs:
    def test_nothing_overflows(self):
        x = f32(-1e4, 1e4)
        near(activation.softplus(x), [0, 1e4])
        near(activation.logsigmoid(x), [-1e4, 0])
        near(activation.elu(x), [-1, 1e4])
        near(activation.mish(x), [0, 1e4])
        for fn in (activation.softplus, activation.logsigmoid, activation.elu, activation.silu):
            assert np.isfinite(gradient(fn, x)).all()

    def test_nan_stays(self):
        for name in ("relu", "relu6", "hardtanh", "softshrink", "hardshrink", "leaky_relu", "elu", "hardswish"):
            assert np.isnan(OPS[name].fn(f32(NAN))).all(), name


class TestGelu:
    def test_exact_and_by_tanh(self):
        near(activation.gelu(f32(1, -1)), [0.8413447, -0.1586553])
        near(activation.gelu(f32(1, -1), approximate="tanh"), [0.841192, -0.158808])

    def test_another_approximation_is_an_error(self):
        with pytest.raises(RuntimeError, match=r"^approximate argument must be either none or tanh\.$"):
            activation.gelu(f32(1), approximate="quick")


class TestNumbersThatMustNotBe:
    def test_celu_divides_by_alpha(self):
        assert check_fires("celu", f32(1), 0.0)
        assert not check_fires("celu", f32(1), 0.5)
        assert str(check_error("celu", f32(1), 0.0)) == "ZeroDivisionError: alpha cannot be 0 for CELU"

    def test_softshrink_wants_a_lambda_that_is_not_negative(self):
        assert check_fires("softshrink", f32(1), -0.5)
        assert not check_fires("softshrink", f32(1), 0.5)
        text = "lambda must be in range [0, 3.40282e+38] for input dtype Float, but found -0.5"
        assert str(check_error("softshrink", f32(1), -0.5)) == text

    def test_the_limits_of_hardtanh_do_not_cross(self):
        error = check_error("hardtanh", f32(1), 0.5, -0.5)
        assert type(error) is ValueError
        assert str(error) == "min_val cannot be greater than max_val"

    def test_unsigned_hardtanh_has_no_negative_limits(self):
        byte = jnp.array([1], jnp.uint8)
        with pytest.raises(RuntimeError, match="cannot do hardtanh on an unsigned type with negative limits"):
            activation.hardtanh(byte)
        assert check_fires("hardtanh", byte, -1.0, 1.0)
        assert not check_fires("hardtanh", byte, 0.0, 1.0)


class TestIntegersAndBools:
    def test_rectifiers_take_integers(self):
        same(activation.relu(i64(-1, 2)), [0, 2])
        same(activation.relu6(i64(-1, 9)), [0, 6])
        with pytest.raises(RuntimeError, match=r"^Boolean inputs not supported for relu$"):
            activation.relu(jnp.array([True]))

    @pytest.mark.parametrize(
        ("name", "kernel"),
        [("leaky_relu", "leaky_relu_cpu"), ("selu", "elu_cpu"), ("gelu", "GeluKernelImpl"), ("glu", "glu_cpu")],
    )
    def test_most_take_floats_alone(self, name, kernel):
        with pytest.raises(NotImplementedError, match=f"\"{kernel}\" not implemented for 'Long'"):
            OPS[name].fn(i64(1, 2))

    def test_softmax_of_integers_needs_a_dtype(self):
        with pytest.raises(NotImplementedError, match="\"softmax_lastdim_kernel_impl\" not implemented for 'Long'"):
            activation.softmax(i64(1, 2), 0)
        out = activation.softmax(i64(1, 1), 0, np.dtype(np.float64))
        assert out.dtype == np.float64
        same(out, [0.5, 0.5])


class TestSoftmax:
    def test_large_inputs_and_infinities(self):
        x = f32(1e4, 0, -INF)
        same(jax.jit(lambda x: activation.softmax(x, 0))(x), [1, 0, 0])
        same(jax.jit(lambda x: activation.log_softmax(x, 0))(x), [0, -1e4, -INF])

    def test_nothing_but_minus_infinity_is_nan(self):
        x = f32(-INF, -INF)
        assert np.isnan(activation.softmax(x, 0)).all()
        assert np.isnan(activation.log_softmax(x, 0)).all()

    def test_half_precision_accumulates_in_float32(self):
        # In bfloat16 a sum of ones stops growing at 256.
        out = jax.jit(lambda x: activation.softmax(x, 0))(jnp.zeros(4096, jnp.bfloat16))
        assert out.dtype == jnp.bfloat16
        same(out, np.full(4096, 1 / 4096))

    def test_zero_dims_and_no_elements(self):
        same(activation.softmax(jnp.float32(3), 0), 1)
        assert activation.log_softmax(jnp.zeros((0, 3), jnp.float32), 0).shape == (0, 3)

    def test_a_dim_out_of_range(self):
        with pytest.raises(IndexError) as caught:
            activation.softmax(f32(1), 2)
        assert str(caught.value) == "Dimension out of range (expected to be in range of [-1, 0], but got 2)"

    def test_gradient_of_log_softmax_with_a_zero_probability(self):
        assert gradient(lambda x: activation.log_softmax(x, 0), f32(0, -INF)) == [-1, 1]

    def test_softmin_is_softmax_of_the_negative(self):
        near(activation.softmin(f32(0, 1), 0), activation.softmax(f32(0, -1), 0))


class TestShapes:
    def test_glu_halves_a_dimension(self):
        near(activation.glu(f32(1, 2, 0, 0)), [0.5, 1])
        with pytest.raises(RuntimeError, match=r"^Halving dimension must be even, but dimension 0 is size 3$"):
            activation.glu(f32(1, 2, 3))
        with pytest.raises(RuntimeError, match="glu does not support scalars because halving size must be even"):
            activation.glu(jnp.float32(1))

    def test_prelu_has_a_weight_for_each_channel(self):
        x = -jnp.ones((1, 2, 2), jnp.float32)
        same(activation.prelu(x, f32(0.5, 2)), [[[-0.5, -0.5], [-2, -2]]])
        text = "Mismatch of parameter numbers and input channel size. Found parameter numbers = 3 and channel size = 2."
        with pytest.raises(RuntimeError) as caught:
            activation.prelu(x, f32(1, 2, 3))
        assert str(caught.value) == text
