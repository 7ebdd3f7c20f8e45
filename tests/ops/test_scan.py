"""Running reductions: lengths around the blocks, infinities and NaN, positions, and derivatives."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import f32, gradient, i64

from torchish._ops.reductions import scan
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


def near(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=tolerance, atol=tolerance)


class TestBlocks:
    """Long dimensions are scanned in blocks of 128; every length must give what one loop gives."""

    @pytest.mark.parametrize("length", [1, 8, 9, 127, 128, 256, 257, 384, 1000, 40_000])
    def test_any_length(self, length):
        x = np.random.default_rng(length).integers(-9, 9, length)
        same(jax.jit(lambda v: scan.cumsum(v, 0))(x), np.cumsum(x))
        same(scan.cummax(jnp.asarray(x), 0)[0], np.maximum.accumulate(x))

    @pytest.mark.parametrize("dim", [0, 1, -1])
    def test_any_dim(self, dim):
        x = np.random.default_rng(0).standard_normal((3, 300, 2))
        near(scan.cumsum(jnp.asarray(x), dim), np.cumsum(x, dim))
        near(scan.cumprod(jnp.asarray(x), dim), np.cumprod(x, dim))

    def test_the_gradient_of_a_long_sum_counts_what_follows(self):
        same(gradient(lambda x: scan.cumsum(x, 0), jnp.zeros(300, jnp.float32)), np.arange(300, 0, -1))


class TestSumsAndProducts:
    def test_an_infinity_does_not_reach_back(self):
        same(scan.cumsum(f32(1, INF, 2), 0), [1, INF, INF])
        same(scan.cumsum(jnp.zeros(300).at[280].set(NAN), 0)[:280], np.zeros(280))

    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int32"])
    def test_integers_give_int64(self, dtype):
        assert scan.cumsum(jnp.ones(3, dtype), 0).dtype == np.int64
        assert scan.cumprod(jnp.ones(3, dtype), 0).dtype == np.int64

    def test_dtype_is_applied_before_summing(self):
        same(scan.cumsum(f32(0.6, 0.6), 0, dtype=np.dtype(np.int64)), [0, 0])

    def test_the_gradient_of_a_product_past_a_zero(self):
        assert gradient(lambda x: scan.cumprod(x, 0), f32(2, 0, 3)) == [1.0, 8.0, 0.0]

    def test_a_scalar_is_its_own_sum(self):
        assert scan.cumsum(jnp.float32(3), -1).shape == ()


class TestExtrema:
    def test_the_index_is_the_last_position_that_reached_the_value(self):
        same(scan.cummax(f32(2, 2, 1, 3, 3), 0)[1], [0, 1, 1, 3, 4])
        same(scan.cummin(f32(2, 2, 1, 3, 3), 0)[1], [0, 1, 2, 2, 2])

    def test_nan_stays(self):
        values, index = scan.cummax(f32(2, NAN, 3), 0)
        same(values, [2, NAN, NAN])
        same(index, [0, 1, 1])

    def test_the_gradient_goes_to_the_index(self):
        assert gradient(lambda x: scan.cummax(x, 0)[0], f32(1, 1, 0)) == [1.0, 2.0, 0.0]

    def test_bools(self):
        same(scan.cummax(jnp.array([False, True, False]), 0)[0], [False, True, True])


class TestLogCumSumExp:
    def test_large_inputs_do_not_overflow(self):
        near(scan.logcumsumexp(f32(1000, 1000), 0), [1000, 1000.693147])

    def test_starting_at_minus_infinity(self):
        near(scan.logcumsumexp(f32(-INF, 1, 2), 0), [-INF, 1, 2.3132617])

    def test_second_derivatives_at_equal_elements(self):
        def slope(x):
            return jax.vjp(lambda y: scan.logcumsumexp(y, 0), x)[1](jnp.array([0.0, 1.0, 0.0]))[0]

        near(jax.jacrev(slope)(jnp.full(3, 10.0)), [[0.25, -0.25, 0], [-0.25, 0.25, 0], [0, 0, 0]])

    def test_integers_are_refused(self):
        with pytest.raises(NotImplementedError, match="\"logcumsumexp_out_cpu\" not implemented for 'Long'"):
            scan.logcumsumexp(i64(1), 0)


class TestDiff:
    def test_orders(self):
        x = i64(1, 4, 9, 16)
        same(scan.diff(x), [3, 5, 7])
        same(scan.diff(x, 2), [2, 2])
        assert scan.diff(x, 9).shape == (0,)

    def test_order_zero_joins_nothing(self):
        same(scan.diff(i64(1, 2), 0, append=i64(5)), [1, 2])

    def test_prepend_and_append(self):
        same(scan.diff(i64(4, 9), prepend=i64(1), append=i64(16)), [3, 5, 7])

    def test_bools_give_exclusive_or(self):
        same(scan.diff(jnp.array([True, True, False])), [False, True])

    def test_a_scalar_is_refused(self):
        with pytest.raises(RuntimeError, match=r"^diff expects input to be at least one-dimensional$"):
            scan.diff(jnp.float32(1))


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
def test_a_dim_out_of_range_names_the_range(name):
    with pytest.raises(IndexError, match=r"expected to be in range of \[-1, 0\], but got 4"):
        OPS[name].fn(f32(1, 2), 4)
