"""Pooling: ties, NaN, what counts as padding, sizes that do not divide, unpooling, patches, and refusals."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradient, i64

from torchish._ops.nn import patches, pooling, windows

INF, NAN = math.inf, math.nan


def row(*values):
    return f32(*values)[None, None]


def ones(*shape, dtype=jnp.float32):
    return jnp.ones(shape, dtype)


class TestMaximum:
    def test_the_first_of_equal_maxima_gets_the_gradient(self):
        assert gradient(lambda x: pooling.max_pool2d(x, 2), ones(1, 1, 2, 2)) == [[[[1, 0], [0, 0]]]]

    def test_overlapping_windows_add_up(self):
        assert gradient(lambda x: pooling.max_pool1d(x, 2, 1), row(1, 3, 2, 3)) == [[[0, 2, 0, 1]]]

    @pytest.mark.parametrize("place", range(4))
    def test_nan_wins_wherever_it_stands(self, place):
        x = jnp.ones(4).at[place].set(NAN).reshape(1, 1, 2, 2)
        value, index = jax.jit(lambda x: pooling.max_pool2d_with_indices(x, 2))(x)
        assert jnp.isnan(value).all()
        assert index.item() == place

    def test_the_last_nan_wins(self):
        assert pooling.max_pool1d_with_indices(row(NAN, 1, NAN, 2), 4)[1].tolist() == [[[2]]]

    def test_padding_never_wins(self):
        x = -jnp.arange(1.0, 10.0).reshape(1, 1, 3, 3)
        value, index = pooling.max_pool2d_with_indices(x, 2, 2, 1)
        assert value.tolist() == [[[[-1, -2], [-4, -5]]]]
        assert index.tolist() == [[[[0, 1], [3, 4]]]]
        assert index.dtype == jnp.int64

    def test_minus_infinity_counts_as_an_element(self):
        value, index = pooling.max_pool1d_with_indices(row(-INF, -INF), 2, 2, 1)
        assert value.tolist() == [[[-INF, -INF]]]
        assert index.tolist() == [[[0, 1]]]

    def test_ceil_mode_adds_a_last_window_that_starts_inside(self):
        assert pooling.max_pool1d(row(1, 2, 3, 4, 5), 2, ceil_mode=True).tolist() == [[[2, 4, 5]]]
        assert pooling.max_pool1d(row(1, 2, 3, 4), 1, 3, ceil_mode=True).tolist() == [[[1, 4]]]

    @pytest.mark.parametrize("size", [3, windows.MAX_UNROLLED + 3])
    def test_small_and_large_windows_agree_with_xla(self, size):
        x = jnp.asarray(np.random.RandomState(0).standard_normal((2, 3, 40, 41)))
        got = pooling.max_pool2d(x, size, 2, 1)
        pads = ((0, 0), (0, 0), (1, 1), (1, 1))
        want = jax.lax.reduce_window(x, -INF, jax.lax.max, (1, 1, size, size), (1, 1, 2, 2), pads)
        np.testing.assert_array_equal(got, want)

    def test_dilation(self):
        assert pooling.max_pool1d(row(5, 1, 2, 9, 0), 2, 1, dilation=2).tolist() == [[[5, 9, 2]]]

    def test_integers_pool(self):
        assert pooling.max_pool2d(ones(1, 1, 4, 4, dtype=jnp.int64), 2, 2, 1).dtype == jnp.int64

    def test_adaptive_windows_overlap_where_sizes_do_not_divide(self):
        value, index = pooling.adaptive_max_pool1d_indices(row(1, 2, 3, 4, 5), 3)
        assert value.tolist() == [[[2, 4, 5]]]
        assert index.tolist() == [[[1, 3, 4]]]


class TestAverage:
    def test_padding_counts_unless_told_otherwise(self):
        square = ones(1, 1, 2, 2)
        assert pooling.avg_pool2d(square, 2, 1, 1).tolist() == [[[[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]]]]
        assert pooling.avg_pool2d(square, 2, 1, 1, count_include_pad=False).tolist() == [[[[1.0] * 3] * 3]]

    def test_what_a_last_window_has_beyond_the_padding_never_counts(self):
        assert pooling.avg_pool1d(row(1, 2, 3, 4, 5), 2, ceil_mode=True).tolist() == [[[1.5, 3.5, 5]]]
        assert pooling.avg_pool1d(row(1, 2, 3, 4, 5), 3, 2, 1, ceil_mode=True).tolist() == [[[1, 3, 3]]]

    def test_divisor_override(self):
        assert pooling.avg_pool2d(ones(1, 1, 2, 2), 2, divisor_override=3).item() == pytest.approx(4 / 3)
        with pytest.raises(RuntimeError, match="divisor must be not zero"):
            pooling.avg_pool2d(ones(1, 1, 2, 2), 2, divisor_override=0)

    def test_integers_divide_towards_zero(self):
        assert pooling.avg_pool1d(jnp.array([[[-1, -2]]]), 2).tolist() == [[[-1]]]

    def test_large_windows_agree_with_a_mean(self):
        x = jnp.asarray(np.random.RandomState(0).standard_normal((1, 1, 40)))
        size = windows.MAX_UNROLLED + 4
        got = pooling.avg_pool1d(x, size, 20)
        np.testing.assert_allclose(got[0, 0], [x[0, 0, :size].mean(), x[0, 0, 20 : 20 + size].mean()], rtol=1e-12)

    def test_adaptive_windows_overlap_where_sizes_do_not_divide(self):
        assert pooling.adaptive_avg_pool1d(row(1, 2, 3, 4, 5), 3).tolist() == [[[1.5, 3, 4.5]]]

    def test_none_keeps_a_dimension(self):
        assert pooling.adaptive_avg_pool2d(ones(1, 1, 4, 5), (None, 2)).shape == (1, 1, 4, 2)

    def test_infinity_stays_in_its_window(self):
        assert pooling.adaptive_avg_pool1d(row(1, 2, 3, 4, INF), 2).tolist() == [[[2, INF]]]

    def test_p_norm(self):
        assert patches.lp_pool1d(row(3, 4, 0, 0), 2, 2).tolist() == [[[5, 0]]]
        assert gradient(lambda x: patches.lp_pool1d(x, 2, 2), row(0, 0)) == [[[0, 0]]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (
                lambda: pooling.max_pool2d(ones(1, 1, 4, 4), 2, padding=2),
                "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1",
            ),
            (lambda: pooling.max_pool2d(ones(1, 1, 4, 4), 2, padding=-1), "pad must be non-negative, but got pad: -1"),
            (
                lambda: pooling.max_pool2d(ones(1, 1, 4, 4), 5),
                "Given input size: (1x4x4). Calculated output size: (1x0x0). Output size is too small",
            ),
            (lambda: pooling.max_pool1d(ones(1, 1, 4), 5), "max_pool1d() Invalid computed output size: 0"),
            (lambda: pooling.avg_pool2d(ones(1, 1, 4, 4), 2, 0), "stride should not be zero"),
            (
                lambda: pooling.max_pool2d(ones(1, 1, 4, 4), (2, 2, 2)),
                "max_pool2d: kernel_size must either be a single int, or a tuple of two ints",
            ),
            (
                lambda: pooling.adaptive_avg_pool2d(ones(1, 1, 4, 4), -1),
                "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {-1, -1}",
            ),
        ],
    )
    def test_parameters(self, call, text):
        with pytest.raises(RuntimeError) as raised:
            call()
        assert str(raised.value) == text


class TestPatches:
    IMAGE = jnp.arange(1.0, 10.0).reshape(1, 1, 3, 3)

    def test_unfold_gives_patches_as_columns(self):
        assert patches.unfold(self.IMAGE, 2).tolist() == [[[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]]

    def test_fold_adds_what_overlaps(self):
        assert patches.fold(ones(1, 4, 4), (3, 3), 2).tolist() == [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]

    def test_fold_and_unfold_are_each_others_gradient(self):
        assert gradient(lambda x: patches.unfold(x, 2), self.IMAGE) == [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]

    def test_unpool_puts_maxima_back(self):
        value, index = pooling.max_pool1d_with_indices(row(1, 5, 4, 2), 2)
        assert patches.max_unpool1d(value, index, 2).tolist() == [[[0, 5, 4, 0]]]

    def test_unpool_gives_every_value_the_gradient_of_its_place(self):
        assert gradient(lambda x: patches.max_unpool1d(x, i64(1, 1)[None, None], 2), row(3, 4)) == [[[1, 1]]]

    def test_unpool_refuses_an_index_outside(self):
        index = jnp.full((1, 1, 2, 2), 16, jnp.int64)
        assert check_fires("max_unpool2d", ones(1, 1, 2, 2), index, 2)
        error = check_error(
            "max_unpool2d", ones(1, 1, 2, 2), index, kernel_size=2, stride=None, padding=0, output_size=None
        )
        assert str(error) == "Found an invalid max index: 16 (output volumes are of size 4x4)"
