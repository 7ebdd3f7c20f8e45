"""Gather, scatter and index ops: where each index goes, duplicates, negative indices and range errors."""

from __future__ import annotations

import re

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradient, gradients, i64

from torchish._ops.arrays import indexing, scattering


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


def near(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-5, atol=1e-6)


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


CUBE = jnp.arange(24).reshape(2, 3, 4)
GRID = jnp.arange(6).reshape(2, 3)


class TestGather:
    def test_the_index_may_be_smaller_than_the_input(self):
        same(scattering.gather(GRID, 0, i64(1, 0).reshape(1, 2)), [[3, 1]])

    def test_a_larger_index_is_an_error(self):
        text = (
            "Size does not match at dimension 1 expected index [1, 9] to be no larger than self [2, 3] apart from "
            "dimension 0"
        )
        with pytest.raises(RuntimeError, match=exactly(text)):
            scattering.gather(GRID, 0, jnp.zeros((1, 9), jnp.int64))

    def test_float_indices_are_refused(self):
        with pytest.raises(RuntimeError, match=exactly("gather(): Expected dtype int32/int64 for index")):
            scattering.gather(f32(1, 2), 0, f32(0, 1))

    @pytest.mark.parametrize("bad", [9, -1])
    def test_out_of_range_and_negative(self, bad):
        error = check_error("gather", GRID, 1, jnp.array([[0, bad]]))
        assert type(error) is RuntimeError
        assert str(error) == f"index {bad} is out of bounds for dimension 1 with size 3"

    def test_a_repeated_index_collects_its_gradient(self):
        assert gradient(lambda x: scattering.gather(x, 0, i64(1, 1, 0)), f32(5, 6, 7)) == [1.0, 2.0, 0.0]

    def test_scalars(self):
        same(scattering.gather(jnp.float32(3), 0, jnp.int64(0)), 3)


class TestScatter:
    X, INDEX = jnp.zeros(3, jnp.float32), i64(1, 1)

    def test_every_source_of_a_repeated_index_gets_the_gradient(self):
        x_grad, src_grad = gradients(
            lambda x, s: scattering.scatter_src(x, 0, self.INDEX, s) * f32(1, 2, 3), self.X, f32(5, 7)
        )
        assert x_grad == [1.0, 0.0, 3.0] and src_grad == [2.0, 2.0]

    def test_the_last_source_is_kept(self):
        same(scattering.scatter_src(self.X, 0, self.INDEX, f32(5, 7)), [0, 7, 0])

    def test_a_number(self):
        same(scattering.scatter_value(i64(1, 2, 3), 0, i64(2), jnp.float64(1.7)), [1, 2, 1])

    def test_add_counts_repeats(self):
        same(scattering.scatter_add(self.X, 0, self.INDEX, f32(5, 7)), [0, 12, 0])

    def test_dtypes_must_agree(self):
        with pytest.raises(RuntimeError, match=exactly("scatter(): Expected self.dtype to be equal to src.dtype")):
            scattering.scatter_src(self.X, 0, self.INDEX, i64(1, 2))

    def test_an_index_larger_than_the_source(self):
        text = (
            "Expected index [5] to be no larger than self [3] apart from dimension 0 and to be no larger size than "
            "src [2]"
        )
        with pytest.raises(RuntimeError, match=exactly(text)):
            scattering.scatter_src(self.X, 0, jnp.zeros(5, jnp.int64), f32(1, 2))

    def test_negative_indices_are_refused(self):
        error = check_error("scatter.src", self.X, 0, i64(0, -1), src=f32(1, 2))
        assert str(error) == "index -1 is out of bounds for dimension 0 with size 3"


class TestScatterReduce:
    @pytest.mark.parametrize(
        ("reduce", "value", "x_grad", "src_grad"),
        [
            ("prod", [0, 0, 343], [0, 1, 49], [49, 49, 1]),
            ("amax", [1, 0, 7], [1, 1, 1 / 3], [1 / 3, 1 / 3, 0]),
            ("mean", [0.5, 0, 7], [0.5, 1, 1 / 3], [1 / 3, 1 / 3, 0.5]),
        ],
    )
    def test_values_and_shares(self, reduce, value, x_grad, src_grad):
        def reduced(x, src):
            return scattering.scatter_reduce(x, 0, i64(2, 2, 0), src, reduce)

        x, src = f32(1, 0, 7), f32(7, 7, 0)
        near(reduced(x, src), value)
        near(gradients(reduced, x, src), [x_grad, src_grad])

    def test_without_self_the_positions_start_afresh(self):
        x, index, src = i64(100, 5), i64(0, 0), i64(1, 2)
        for reduce, expected in (("sum", 3), ("prod", 2), ("amax", 2), ("amin", 1), ("mean", 1)):
            same(scattering.scatter_reduce(x, 0, index, src, reduce, include_self=False), [expected, 5])

    def test_integer_means_round_down(self):
        same(scattering.scatter_reduce(i64(-9), 0, i64(0), i64(-2), "mean"), [-6])


class TestIndexOps:
    def test_index_select(self):
        same(indexing.index_select(GRID, 1, i64(2, 0)), [[2, 0], [5, 3]])
        error = check_error("index_select", GRID, 0, i64(0, 7))
        assert type(error) is IndexError and str(error) == "index out of range in self"

    def test_index_add_scales(self):
        same(indexing.index_add(jnp.zeros(2), 0, i64(1, 1), f32(1, 2).astype(float), alpha=jnp.float64(2)), [0, 6])

    def test_index_copy_gives_the_gradient_to_all(self):
        x_grad, src_grad = gradients(
            lambda x, s: indexing.index_copy(x, 0, i64(1, 1), s) * f32(1, 2, 3), f32(1, 2, 3), f32(5, 7)
        )
        assert x_grad == [1.0, 0.0, 3.0] and src_grad == [2.0, 2.0]
        error = check_error("index_copy", f32(1), 0, i64(7), source=f32(1))
        assert type(error) is IndexError
        assert str(error) == "index_copy_(): index 7 is out of bounds for dimension 0 with size 1"

    def test_index_fill_wraps_negative_indices(self):
        same(indexing.index_fill(GRID, 1, i64(-1), jnp.float64(9.5)), [[0, 1, 9], [3, 4, 9]])
        assert not check_fires("index_fill", GRID, 1, i64(-3), value=jnp.float64(0))
        assert type(check_error("index_fill", GRID, 1, i64(-4), value=jnp.float64(0))) is IndexError

    def test_index_reduce(self):
        same(scattering.index_reduce(i64(1, 5), 0, i64(0, 0), i64(3, 2), "amax"), [3, 5])


class TestFlatPositions:
    def test_take_wraps_and_checks(self):
        same(indexing.take(GRID, i64(-1, 1)), [5, 1])
        error = check_error("take", GRID, i64(6))
        assert type(error) is IndexError
        assert str(error) == "out of range: tried to access index 6 on a tensor of 6 elements."

    def test_put(self):
        same(indexing.put(GRID, i64(0, -1), i64(8, 9)), [[8, 1, 2], [3, 4, 9]])
        same(indexing.put(GRID, i64(0, 0), i64(8, 9), True)[0, 0], 17)

    def test_take_along_dim_broadcasts(self):
        same(indexing.take_along_dim(GRID, jnp.array([[2]]), 1), [[2], [5]])
        same(indexing.take_along_dim(GRID, i64(5, 0)), [5, 0])


class TestMasks:
    def test_masked_fill_casts_the_number(self):
        same(indexing.masked_fill(i64(1, 2), jnp.array([True, False]), jnp.float64(1.5)), [1, 2])

    def test_a_complex_number_does_not_become_real(self):
        with pytest.raises(RuntimeError, match=exactly("value cannot be converted to type float without overflow")):
            indexing.masked_fill(f32(1), jnp.array([True]), jnp.asarray(1j))

    def test_nan_under_the_mask_does_not_leak(self):
        mask = jnp.array([True, False])
        assert gradient(lambda x: indexing.masked_fill(x, mask, 0.0), f32(np.nan, 1)) == [0.0, 1.0]

    def test_masked_scatter_takes_in_order(self):
        mask = jnp.array([True, False, True])
        same(indexing.masked_scatter(i64(1, 2, 3), mask, i64(8, 9)), [8, 2, 9])
        text = "Number of elements of source < number of ones in mask"
        assert str(check_error("masked_scatter", i64(1, 2, 3), mask, i64(8))) == text


class TestAdvancedIndexing:
    def test_adjacent_dims_are_replaced_in_place(self):
        same(indexing.index(CUBE, [i64(0, 2), i64(1, 3)], (1, 2)), [[1, 11], [13, 23]])

    def test_separated_dims_put_the_indices_first(self):
        same(indexing.index(CUBE, [i64(0, 1), i64(1, 3)], (0, 2)), [[1, 5, 9], [15, 19, 23]])

    def test_indices_broadcast_and_wrap(self):
        rows, columns = i64(0, 1).reshape(2, 1), i64(0, -1)
        assert indexing.index(CUBE, [rows, columns], (0, 1)).shape == (2, 2, 4)
        same(indexing.index(CUBE, [columns], (0,))[1], CUBE[1])

    def test_indices_that_do_not_broadcast(self):
        text = "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]"
        with pytest.raises(IndexError, match=exactly(text)):
            indexing.index(CUBE, [i64(0, 1), i64(0, 1, 2)], (0, 1))

    @pytest.mark.parametrize(
        ("indices", "dims", "text"),
        [
            ([i64(5)], (0,), "index 5 is out of bounds for dimension 0 with size 2"),
            ([i64(-9)], (0,), "index -9 is out of bounds for dimension 0 with size 2"),
            ([i64(0, 5), i64(9, 0)], (0, 1), "index 9 is out of bounds for dimension 1 with size 3"),
            ([i64(0), i64(9)], (1, 2), "index 9 is out of bounds for dimension 1 with size 4"),
        ],
    )
    def test_the_first_index_out_of_range_is_named(self, indices, dims, text):
        error = check_error("index", CUBE, indices, dims)
        assert type(error) is IndexError and str(error) == text

    def test_writing_broadcasts_the_values(self):
        made = indexing.index_put(GRID, [i64(-1)], jnp.int64(7), (0,))
        same(made, [[0, 1, 2], [7, 7, 7]])
        same(indexing.index_put(i64(0, 0), [i64(1, -1)], i64(2, 3), (0,), True), [0, 5])

    def test_every_written_value_gets_the_gradient(self):
        x_grad, value_grad = gradients(
            lambda x, v: indexing.index_put(x, [i64(1, 1)], v, (0,)) * f32(1, 2, 3), f32(1, 2, 3), f32(5, 7)
        )
        assert x_grad == [1.0, 0.0, 3.0] and value_grad == [2.0, 2.0]

    def test_values_that_do_not_fit(self):
        text = "shape mismatch: value tensor of shape [2] cannot be broadcast to indexing result of shape [1, 3]"
        with pytest.raises(RuntimeError, match=exactly(text)):
            indexing.index_put(GRID, [i64(0)], i64(1, 2), (0,))

    def test_dtypes_must_agree(self):
        text = (
            "Index put requires the source and destination dtypes match, got Long for the destination and Float for "
            "the source."
        )
        with pytest.raises(RuntimeError, match=exactly(text)):
            indexing.index_put(GRID, [i64(0)], jnp.float32(1), (0,))
