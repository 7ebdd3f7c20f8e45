"""Sorting and order statistics: stability, NaN and signed zeros in every dtype, medians, modes, and search."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_fires, f32, gradient, i64

from torchish._ops.reductions import sorting
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]


class TestSort:
    @pytest.mark.parametrize("dtype", INTEGERS)
    @pytest.mark.parametrize("descending", [False, True])
    def test_integers_of_every_width(self, dtype, descending):
        info = np.iinfo(dtype)
        x = np.array([5, info.max, info.min, 5, 0, 3], dtype)
        values, index = sorting.sort(jnp.asarray(x), 0, descending)
        assert values.dtype == x.dtype
        same(values, np.sort(x)[::-1] if descending else np.sort(x))
        same(x[np.asarray(index)], values)

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_nan_is_the_largest(self, dtype):
        x = jnp.array([3, NAN, -INF, 1, INF, -2], dtype)
        same(sorting.sort(x)[1], [2, 5, 3, 0, 4, 1])
        same(sorting.sort(x, descending=True)[1], [1, 4, 0, 3, 5, 2])

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_equal_elements_keep_their_order(self, dtype):
        x = jnp.array([0.0, -0.0, 1, 0.0, -0.0], dtype)
        values, index = sorting.sort(x)
        same(index, [0, 1, 3, 4, 2])
        same(np.signbit(np.asarray(values, np.float64)), [False, True, False, True, False])
        same(sorting.sort(x, descending=True)[1], [2, 0, 1, 3, 4])

    def test_a_negative_nan_is_a_nan(self):
        x = jnp.array([np.copysign(NAN, -1), 1.0], jnp.float32)
        same(sorting.argsort(x), [1, 0])

    def test_the_gradient_follows_the_permutation(self):
        weights = f32(1, 2, 3)
        assert gradient(lambda x: sorting.sort(x)[0] * weights, f32(3, 1, 2)) == [3.0, 1.0, 2.0]

    def test_any_dim_and_scalars(self):
        x = jnp.array([[3, 1], [2, 4]])
        same(sorting.sort(x, 0)[0], [[2, 1], [3, 4]])
        same(sorting.msort(x), [[2, 1], [3, 4]])
        assert sorting.sort(jnp.float32(1))[1].shape == ()

    def test_bools(self):
        same(sorting.sort(jnp.array([True, False, True]))[1], [1, 0, 2])

    def test_complex_numbers_are_refused(self):
        with pytest.raises(RuntimeError, match="Sort does not support complex dtypes on CPU"):
            sorting.sort(jnp.array([1j]))


class TestTopK:
    @pytest.mark.parametrize("size", [4, 40])  # sorted whole, and by XLA's own selection
    def test_nan_is_the_largest(self, size):
        x = jnp.concatenate([jnp.array([3, 1, NAN, -5], jnp.float32), jnp.zeros(size - 4, jnp.float32)])
        values, index = sorting.topk(x, 2)
        same(values, [NAN, 3])
        same(index, [2, 0])
        same(sorting.topk(x, 1, largest=False)[0], [-5])

    def test_infinities_come_before_a_nan_when_smallest_are_asked_for(self):
        same(sorting.topk(f32(NAN, INF, INF, NAN, INF, INF, INF, INF), 2, largest=False)[0], [INF, INF])

    def test_the_smallest_integer_is_found(self):
        low = np.iinfo(np.int64).min
        same(sorting.topk(i64(0, low, 5), 2, largest=False)[0], [low, 0])

    @pytest.mark.parametrize("k", [-1, 3])
    def test_k_out_of_range(self, k):
        with pytest.raises(RuntimeError, match=r"^selected index k out of range$"):
            sorting.topk(f32(1, 2), k)

    def test_gradient(self):
        assert gradient(lambda x: sorting.topk(x, 2)[0], f32(3, 1, 2)) == [1.0, 0.0, 1.0]


class TestKthValue:
    def test_counts_from_one(self):
        values, index = sorting.kthvalue(f32(30, 10, 20), 2)
        assert (float(values), int(index)) == (20, 2)

    def test_k_out_of_range(self):
        with pytest.raises(RuntimeError, match=r"kthvalue\(\): selected number k out of range for dimension 0"):
            sorting.kthvalue(f32(1), 0)


class TestMedian:
    def test_an_even_count_gives_the_lower_one_and_one_gradient(self):
        x = f32(4, 1, 3, 2)
        same(sorting.median(x), 2)
        assert gradient(lambda x: sorting.median_dim(x, 0)[0], x) == [0.0, 0.0, 0.0, 1.0]

    def test_the_full_median_shares_among_equals(self):
        assert gradient(sorting.median, f32(2, 1, 2, 3)) == [0.5, 0.0, 0.5, 0.0]

    def test_nan_wins_and_the_first_is_indexed(self):
        value, index = sorting.median_dim(f32(1, NAN, 3, NAN), 0)
        assert np.isnan(value) and int(index) == 1

    def test_nanmedian_ignores_them(self):
        value, index = sorting.nanmedian_dim(f32(3, NAN, 1, 2), 0)
        assert (float(value), int(index)) == (2, 3)
        value, index = sorting.nanmedian_dim(f32(NAN, NAN), 0)
        assert np.isnan(value) and int(index) == 0

    def test_nothing(self):
        assert np.isnan(sorting.median(jnp.zeros((0, 3))))
        with pytest.raises(IndexError, match=r"median\(\): Expected reduction dim 0 to have non-zero size\."):
            sorting.median_dim(jnp.zeros((0, 3)), 0)


class TestMode:
    def test_the_smallest_of_the_most_frequent_and_its_last_position(self):
        for x, value, position in (((3, 1, 1, 2, 2), 1, 2), ((3, 1, 1, 2, 2, 2, 1), 1, 6), ((5, 5, 1), 5, 1)):
            found = sorting.mode(i64(*x))
            assert (int(found[0]), int(found[1])) == (value, position)


class TestSearch:
    EDGES = f32(1, 3, 3, 5)

    def test_sides(self):
        x = f32(0, 3, 5, 9)
        same(sorting.searchsorted(self.EDGES, x), [0, 1, 3, 4])
        same(sorting.searchsorted(self.EDGES, x, right=True), [0, 3, 4, 4])
        same(sorting.bucketize(x, self.EDGES, right=True), [0, 3, 4, 4])

    def test_nan_goes_last_and_numbers_give_scalars(self):
        assert int(sorting.searchsorted(self.EDGES, jnp.float32(NAN))) == 4
        found = sorting.searchsorted(self.EDGES, jnp.asarray(3.0), out_int32=True)
        assert found.shape == () and found.dtype == np.int32

    def test_rows_are_searched_in_rows(self):
        edges = jnp.array([[1, 3, 5], [2, 4, 6]])
        same(sorting.searchsorted(edges, jnp.array([[3, 6], [3, 6]])), [[1, 3], [1, 2]])

    def test_a_sorter(self):
        same(sorting.searchsorted(i64(5, 1, 3), i64(4), sorter=i64(1, 2, 0)), [2])
        assert check_fires("searchsorted", i64(5, 1), input=i64(4), sorter=i64(0, 9))

    @pytest.mark.parametrize("count", [0, 3, 100])  # compared one by one, and searched
    @pytest.mark.parametrize("invert", [False, True])
    def test_isin(self, count, invert):
        x, tests = f32(0, 1, -1, 99, NAN), jnp.arange(count, dtype=jnp.float32)
        expected = np.isin(np.asarray(x), np.asarray(tests)) ^ invert
        same(OPS["isin"].fn(x, tests, invert=invert), expected)
