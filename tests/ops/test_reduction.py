"""Reductions: dtypes, empty and 0-dim inputs, ties, NaN, subgradients at singular points, and errors."""

from __future__ import annotations

import math
import re

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import f32, gradient, i64, second_derivative

from torchish._ops.reductions import reduction
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


def near(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-5, atol=1e-6)


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


class TestDtypes:
    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64"])
    @pytest.mark.parametrize("name", ["sum", "prod", "nansum"])
    def test_integers_and_bools_are_accumulated_as_int64(self, name, dtype):
        result = OPS[name].fn(jnp.ones((2, 3), dtype), 0)
        assert result.dtype == np.int64

    def test_a_sum_may_be_given_a_dtype(self):
        assert reduction.sum(i64(1, 2), dtype=np.dtype(np.float32)).dtype == np.float32

    def test_half_precision_is_accumulated_in_float32(self):
        ones = jnp.ones(4096, jnp.float16)
        same(reduction.sum(ones), np.float16(4096))
        same(reduction.mean(ones * 40), np.float16(40))

    def test_the_mean_of_integers_is_an_error(self):
        text = (
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            "Got: Long"
        )
        with pytest.raises(RuntimeError, match=exactly(text)):
            reduction.mean(i64(1, 2))

    def test_any_and_all_of_uint8_stay_uint8(self):
        assert reduction.any(jnp.ones(2, np.uint8)).dtype == np.uint8
        assert reduction.all(i64(1, 2)).dtype == np.bool_

    def test_the_variance_of_complex_numbers_is_real(self):
        result = reduction.var(jnp.array([1 + 1j, 3], np.complex64))
        assert result.dtype == np.float32
        near(result, 2.5)


class TestShapes:
    def test_a_scalar_is_reduced_over_dim_0(self):
        x = jnp.float32(3)
        assert reduction.sum(x, 0).shape == reduction.sum(x, -1, True).shape == ()
        values, index = reduction.max_dim(x, 0, keepdim=True)
        assert values.shape == index.shape == ()

    def test_argmax_without_dim_indexes_the_flattened_tensor(self):
        x = f32(1, 5, 2, 5).reshape(2, 2)
        same(reduction.argmax(x), 1)
        assert reduction.argmax(x, keepdim=True).shape == (1, 1)

    def test_dims_may_be_several_and_are_kept_on_request(self):
        assert reduction.sum(jnp.ones((2, 3, 4)), (0, -1), True).shape == (1, 3, 1)

    def test_a_dim_out_of_range_names_the_range(self):
        text = "Dimension out of range (expected to be in range of [-2, 1], but got 3)"
        with pytest.raises(IndexError, match=exactly(text)):
            reduction.sum(jnp.ones((2, 3)), 3)

    def test_a_repeated_dim_is_an_error(self):
        with pytest.raises(RuntimeError, match=exactly("dim 0 appears multiple times in the list of dims")):
            reduction.sum(jnp.ones((2, 3)), (0, -2))


class TestNothingToReduce:
    EMPTY = jnp.ones((0, 3))

    def test_sums_and_products_have_an_identity(self):
        same(reduction.sum(self.EMPTY, 0), [0.0] * 3)
        same(reduction.prod(self.EMPTY), 1.0)
        assert np.isnan(reduction.mean(self.EMPTY))

    @pytest.mark.parametrize(("name", "arguments"), [("max.all", ()), ("amax", ()), ("argmax", ())])
    def test_extrema_of_nothing_ask_for_a_dim(self, name, arguments):
        expected = IndexError if name == "argmax" else RuntimeError
        with pytest.raises(expected, match=r"\(\): Expected reduction dim to be specified for input.numel\(\) == 0."):
            OPS[name].fn(self.EMPTY, *arguments)

    @pytest.mark.parametrize("name", ["max.dim", "amax", "argmax"])
    def test_extrema_over_an_empty_dim_name_it(self, name):
        text = f"{name.removesuffix('.dim')}(): Expected reduction dim 0 to have non-zero size."
        with pytest.raises(IndexError, match=exactly(text)):
            OPS[name].fn(self.EMPTY, 0)

    def test_extrema_over_another_dim_are_empty(self):
        values, index = reduction.max_dim(self.EMPTY, 1)
        assert values.shape == index.shape == (0,)


class TestTies:
    def test_max_over_a_dim_gives_all_to_the_first(self):
        assert gradient(lambda x: reduction.max_dim(x, 0)[0], f32(1, 3, 3)) == [0.0, 1.0, 0.0]
        assert gradient(lambda x: reduction.min_dim(x, 0)[0], f32(1, 1, 3)) == [1.0, 0.0, 0.0]

    @pytest.mark.parametrize("name", ["max.all", "amax"])
    def test_full_max_and_amax_share_evenly(self, name):
        assert gradient(OPS[name].fn, f32(1, 3, 3)) == [0.0, 0.5, 0.5]

    def test_the_index_is_that_of_the_first(self):
        same(reduction.max_dim(f32(1, 3, 3), 0)[1], 1)
        same(reduction.argmin(i64(2, 1, 1), 0), 1)


class TestNaN:
    X = f32(1, NAN, 5, NAN)

    def test_nan_is_both_largest_and_smallest(self):
        for reduce in (reduction.max_dim, reduction.min_dim):
            value, index = reduce(self.X, 0)
            assert np.isnan(value) and int(index) == 1
        assert np.isnan(reduction.amax(self.X)) and np.isnan(reduction.max_all(self.X))

    def test_the_gradient_of_a_nan_maximum_goes_to_the_nans(self):
        assert gradient(reduction.max_all, self.X) == [0.0, 0.5, 0.0, 0.5]

    def test_nansum_and_nanmean_skip_them(self):
        same(reduction.nansum(self.X), 6.0)
        same(reduction.nanmean(self.X), 3.0)
        assert gradient(reduction.nansum, self.X) == [1.0, 0.0, 1.0, 0.0]


class TestProducts:
    def test_the_gradient_at_one_zero_is_the_product_of_the_others(self):
        assert gradient(reduction.prod, f32(2, 0, 3)) == [0.0, 6.0, 0.0]

    def test_the_gradient_at_two_zeros_is_zero(self):
        assert gradient(reduction.prod, f32(0, 0, 3)) == [0.0, 0.0, 0.0]


class TestMoments:
    def test_the_divisor_is_n_less_correction(self):
        x = f32(1, 2, 3, 4)
        near(reduction.var(x), 5 / 3)
        near(reduction.var(x, correction=0), 1.25)
        near(reduction.std(x, correction=jnp.asarray(2)), math.sqrt(2.5))

    def test_one_element_gives_nan(self):
        assert np.isnan(reduction.std(f32(2)))

    def test_the_gradient_of_a_constant_vector_is_zero(self):
        assert gradient(reduction.std, f32(2, 2)) == [0.0, 0.0]

    def test_the_second_derivative_of_the_variance(self):
        # d2/dx_i dx_j sums over j to zero.
        near(second_derivative(reduction.var, f32(1, 2, 4)), [0, 0, 0])

    def test_mean_comes_along(self):
        spread, mean = reduction.var_mean(f32(1, 3))
        same([spread, mean], [2.0, 2.0])


class TestNorms:
    @pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, INF, -INF])
    def test_the_gradient_at_the_origin_is_zero(self, p):
        assert gradient(lambda x: reduction.norm(x, p), f32(0, 0)) == [0.0, 0.0]

    @pytest.mark.parametrize(
        ("p", "value", "slopes"),
        [
            (1, 7.0, [1, -1, 0]),
            (1.5, 5.5842504, [0.7329565, -0.8463453, 0]),
            (2, 5.0, [0.6, -0.8, 0]),
            (3, 4.4979415, [0.4448513, -0.7908468, 0]),
            (INF, 4.0, [0, -1, 0]),
            (-INF, 0.0, [0, 0, 0]),
            (0, 2.0, [0, 0, 0]),
        ],
    )
    def test_values_and_slopes(self, p, value, slopes):
        x = f32(3, -4, 0)
        near(reduction.norm(x, p), value)
        near(gradient(lambda x: reduction.norm(x, p), x), slopes)

    def test_the_largest_magnitudes_share_the_gradient(self):
        assert gradient(lambda x: reduction.norm(x, INF), f32(3, -3)) == [0.5, -0.5]

    def test_complex_norms_are_real(self):
        result = reduction.norm(jnp.array([3 + 4j], np.complex64))
        assert result.dtype == np.float32
        near(result, 5)

    def test_the_nuclear_norm_sums_singular_values(self):
        near(reduction.norm(jnp.diag(f32(3, 4)), "nuc"), 7)

    def test_integers_are_refused(self):
        text = "linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long"
        with pytest.raises(RuntimeError, match=exactly(text)):
            reduction.norm(i64(1, 2))

    def test_dist_broadcasts(self):
        near(reduction.dist(f32(3, 4), f32(0)), 5)

    @pytest.mark.parametrize(
        ("p", "node"), [("fro", "LinalgVectorNormBackward0"), (3, "LinalgVectorNormBackward0"), ("nuc", "SumBackward1")]
    )
    def test_node_names(self, p, node):
        assert OPS["norm"].node_name({"p": p, "dim": None, "keepdim": False, "dtype": None}) == node


class TestLogSumExp:
    def test_large_inputs_do_not_overflow(self):
        near(reduction.logsumexp(f32(1000, 1000), 0), 1000.693147)

    def test_infinities(self):
        same(reduction.logsumexp(f32(-INF, -INF), 0), -INF)
        same(reduction.logsumexp(f32(1, INF), 0), INF)
        near(gradient(lambda x: reduction.logsumexp(x, 0), f32(1, -INF)), [1, 0])


def test_sum_nodes_are_numbered_by_overload():
    node = OPS["sum"].node_name
    assert node({"dim": None, "keepdim": False, "dtype": None}) == "SumBackward0"
    assert node({"dim": (0,), "keepdim": False, "dtype": None}) == "SumBackward1"
