"""Joining, repeating, reordering and padding: shapes, promotion of odd cases, and errors."""

from __future__ import annotations

import re

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradient, i64

from torchish._ops.arrays import shape
from torchish._ops.registry import OPS


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


GRID = jnp.arange(6).reshape(2, 3)
ROW = i64(1, 2, 3)


class TestJoining:
    def test_a_one_dimensional_empty_tensor_is_skipped(self):
        same(shape.cat([GRID, jnp.zeros(0, jnp.int64)], 1), GRID)

    def test_sizes_must_agree_elsewhere(self):
        text = (
            "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 2 for tensor number 1 in "
            "the list."
        )
        with pytest.raises(RuntimeError, match=exactly(text)):
            shape.cat([GRID, GRID.T])

    def test_scalars_cannot_be_joined(self):
        text = "zero-dimensional tensor (at position 0) cannot be concatenated"
        with pytest.raises(RuntimeError, match=exactly(text)):
            shape.cat([jnp.int64(1)])

    def test_stack_wants_one_shape(self):
        text = "stack expects each tensor to be equal size, but got [2, 3] at entry 0 and [3] at entry 1"
        with pytest.raises(RuntimeError, match=exactly(text)):
            shape.stack([GRID, ROW])
        assert shape.stack([GRID, GRID], -1).shape == (2, 3, 2)

    def test_hstack_vstack_dstack_column_stack(self):
        same(shape.hstack([ROW, ROW]), [1, 2, 3, 1, 2, 3])
        same(shape.vstack([GRID, ROW]), [[0, 1, 2], [3, 4, 5], [1, 2, 3]])
        assert shape.dstack([GRID, GRID]).shape == (2, 3, 2)
        same(shape.column_stack([ROW, ROW]), [[1, 1], [2, 2], [3, 3]])

    def test_block_diag_takes_scalars_and_vectors(self):
        same(shape.block_diag([jnp.int64(7), i64(1, 2)]), [[7, 0, 0], [0, 1, 2]])

    def test_products_and_combinations(self):
        same(shape.cartesian_prod([i64(1, 2), i64(3, 4)]), [[1, 3], [1, 4], [2, 3], [2, 4]])
        same(shape.combinations(ROW), [[1, 2], [1, 3], [2, 3]])
        assert shape.combinations(ROW, 2, True).shape == (6, 2)


class TestRepeating:
    def test_repeat_adds_dimensions_in_front(self):
        assert shape.repeat(ROW, (2, 2)).shape == (2, 6)
        same(shape.tile(GRID, (2,)), [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]])

    def test_repeat_wants_a_count_for_each_dimension(self):
        text = "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        with pytest.raises(RuntimeError, match=exactly(text)):
            shape.repeat(GRID, (2,))

    def test_the_gradient_of_repeat_counts_copies(self):
        assert gradient(lambda x: shape.repeat(x, (3,)), f32(1, 2)) == [3.0, 3.0]

    def test_repeat_interleave(self):
        same(shape.repeat_interleave(ROW, 2), [1, 1, 2, 2, 3, 3])
        same(shape.repeat_interleave(GRID, 2, 0), [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]])
        same(shape.repeat_interleave_tensor(ROW, i64(0, 2, 1), 0, output_size=3), [2, 2, 3])

    def test_negative_counts_are_found(self):
        assert check_fires("repeat_interleave.self_Tensor", ROW, i64(1, -1, 1), dim=0, output_size=1)

    def test_kron(self):
        same(shape.kron(i64(1, 2).reshape(1, 2), i64(1, 3).reshape(2, 1)), [[1, 2], [3, 6]])


class TestReordering:
    def test_flip_and_roll(self):
        same(shape.flip(GRID, (0, 1)), [[5, 4, 3], [2, 1, 0]])
        same(shape.roll(GRID, 1), [[5, 0, 1], [2, 3, 4]])
        same(shape.roll(GRID, (1, -1), (0, 1)), [[4, 5, 3], [1, 2, 0]])

    def test_shifts_and_dims_must_align(self):
        with pytest.raises(RuntimeError, match=exactly("shifts and dimensions must align. shifts: 2, dims:1")):
            shape.roll(GRID, (1, 2), 0)

    def test_rot90_turns_from_the_first_dim_towards_the_second(self):
        same(shape.rot90(jnp.array([[1, 2], [3, 4]])), [[2, 4], [1, 3]])


class TestTrianglesAndDiagonals:
    def test_triangles(self):
        same(shape.tril(GRID), [[0, 0, 0], [3, 4, 0]])
        same(shape.triu(GRID, 1), [[0, 1, 2], [0, 0, 5]])
        with pytest.raises(RuntimeError, match=exactly("tril: input tensor must have at least 2 dimensions")):
            shape.tril(ROW)

    def test_a_nan_outside_the_triangle_does_not_leak(self):
        x = f32(1, np.nan, 3, 4).reshape(2, 2)
        same(shape.tril(x), [[1, 0], [3, 4]])
        assert gradient(lambda x: shape.tril(x), x) == [[1.0, 0.0], [1.0, 1.0]]

    def test_diag_both_ways(self):
        same(shape.diag(ROW, -1)[:, 0], [0, 1, 0, 0])
        same(shape.diag(GRID, 1), [1, 5])
        assert shape.diag(GRID, 9).shape == (0,)

    def test_diag_embed_puts_the_planes_where_asked(self):
        made = shape.diag_embed(GRID, 1, 0, 2)
        assert made.shape == (4, 2, 4)
        same(made[0, :, 1], [0, 3])


class TestOneHot:
    def test_values(self):
        same(shape.one_hot(i64(2, 0), 3), [[0, 0, 1], [1, 0, 0]])

    def test_classes_out_of_range(self):
        assert str(check_error("one_hot", i64(0, 3), num_classes=3)) == "Class values must be smaller than num_classes."
        assert str(check_error("one_hot", i64(0, -1), num_classes=3)) == "Class values must be non-negative."
        assert not check_fires("one_hot", i64(0, 2), 3)


class TestPadding:
    X = f32(1, 2, 3, 4).reshape(1, 4)

    @pytest.mark.parametrize(
        ("mode", "pad", "expected"),
        [
            ("constant", (1, 2), [0, 1, 2, 3, 4, 0, 0]),
            ("constant", (-1, 1), [2, 3, 4, 0]),
            ("reflect", (2, 1), [3, 2, 1, 2, 3, 4, 3]),
            ("reflect", (-1, 2), [2, 3, 4, 3, 2]),
            ("replicate", (2, 1), [1, 1, 1, 2, 3, 4, 4]),
            ("replicate", (-1, 2), [2, 3, 4, 4, 4]),
            ("circular", (2, 1), [3, 4, 1, 2, 3, 4, 1]),
            ("circular", (-1, 2), [2, 3, 4, 2, 3]),
        ],
    )
    def test_modes(self, mode, pad, expected):
        same(shape.pad(self.X, pad, mode), [expected])

    def test_repeated_edges_collect_their_gradient(self):
        assert gradient(lambda x: shape.pad(x, (2, 1), "replicate"), self.X) == [[3.0, 1.0, 1.0, 2.0]]

    def test_reflecting_more_than_there_is(self):
        text = (
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (4, 1) "
            "at dimension 1 of input [1, 4]"
        )
        with pytest.raises(RuntimeError, match=exactly(text)):
            shape.pad(self.X, (4, 1), "reflect")

    def test_a_value_only_goes_with_constant(self):
        with pytest.raises(RuntimeError, match=exactly('Padding mode "reflect" doesn\'t take in value argument')):
            shape.pad(self.X, (1, 1), "reflect", 1.0)

    def test_node_names(self):
        node = OPS["pad"].node_name
        assert node({"pad": (1, 1), "mode": "constant"}) == "ConstantPadNdBackward0"
        assert node({"pad": (1, 1, 1, 1), "mode": "reflect"}) == "ReflectionPad2DBackward0"
        assert node({"pad": (1, 1), "mode": "replicate"}) == "ReplicationPad1DBackward0"


class TestPixels:
    def test_shuffle_and_back(self):
        x = jnp.arange(4).reshape(1, 4, 1, 1)
        shuffled = shape.pixel_shuffle(x, 2)
        same(shuffled, [[[[0, 1], [2, 3]]]])
        same(shape.pixel_unshuffle(shuffled, 2), x)

    def test_channels_are_interleaved(self):
        same(shape.channel_shuffle(jnp.arange(4).reshape(1, 4, 1), 2).ravel(), [0, 2, 1, 3])
