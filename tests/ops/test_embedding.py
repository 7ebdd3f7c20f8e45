"""Lookups, dropout with a given mask, and attention."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradient, i64

from torchish._ops.nn import attention, dropout, embedding

INF = math.inf
TABLE = jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], jnp.float32)


def near(actual, expected):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-6)


class TestEmbedding:
    def test_shape_of_the_indices_stays(self):
        assert embedding.embedding_rows(jnp.zeros((4, 5), jnp.int64), TABLE).shape == (4, 5, 2)

    def test_repeated_rows_add_up(self):
        assert gradient(lambda w: embedding.embedding_rows(i64(0, 2, 2), w), TABLE) == [[1, 1], [0, 0], [2, 2]]

    @pytest.mark.parametrize("padding", [2, -1])
    def test_the_padding_row_is_read_but_not_trained(self, padding):
        assert embedding.embedding_rows(i64(2), TABLE, padding).tolist() == [[5, 6]]
        got = gradient(lambda w: embedding.embedding_rows(i64(0, 2), w, padding), TABLE)
        assert got == [[1, 1], [0, 0], [0, 0]]

    def test_an_infinite_padding_row_is_read_as_it_is(self):
        table = TABLE.at[0, 0].set(INF)
        assert embedding.embedding_rows(i64(0), table, 0).tolist() == [[INF, 2]]

    def test_gradient_scaled_by_frequency(self):
        got = gradient(lambda w: embedding.embedding_rows(i64(0, 2, 2), w, scale_grad_by_freq=True), TABLE)
        assert got == [[1, 1], [0, 0], [1, 1]]

    @pytest.mark.parametrize("index", [3, -1])
    def test_out_of_range(self, index):
        assert check_fires("embedding.rows", i64(index), TABLE)
        error = check_error("embedding.rows", i64(index), TABLE)
        assert isinstance(error, IndexError) and str(error) == "index out of range in self"

    def test_refusals(self):
        with pytest.raises(RuntimeError, match="'weight' must be 2-D"):
            embedding.embedding_rows(i64(0), f32(1, 2))
        with pytest.raises(RuntimeError, match=r"scalar types: Long, Int; but got torch.FloatTensor instead"):
            embedding.embedding_rows(f32(0), TABLE)
        with pytest.raises(AssertionError, match="Padding_idx must be within num_embeddings"):
            embedding.embedding_rows(i64(0), TABLE, 3)


class TestDropout:
    MASK = jnp.array([True, False])

    def test_scales_what_stays(self):
        assert dropout.dropout_masked(f32(2, 2), self.MASK, jnp.float64(0.5)).tolist() == [4, 0]

    def test_everything_dropped_is_zero(self):
        assert dropout.dropout_masked(f32(2, 2), jnp.zeros(2, bool), jnp.float64(1)).tolist() == [0, 0]

    def test_the_gradient_is_the_scaled_mask(self):
        assert gradient(lambda x: dropout.dropout_masked(x, self.MASK, jnp.float64(0.5)), f32(2, 2)) == [2, 0]

    def test_alpha_dropout(self):
        near(dropout.alpha_dropout_masked(f32(2, 2), self.MASK, jnp.float64(0.5)), [2.5520037, -0.7791939])


class TestAttention:
    EYE = jnp.eye(2, dtype=jnp.float32)[None]
    VALUES = f32(1, 2)[None, :, None]

    def attend(self, **options):
        return attention.scaled_dot_product_attention_masked(self.EYE, self.EYE, self.VALUES, **options)

    def test_causal(self):
        near(self.attend(is_causal=True), [[[1], [1.6697615]]])

    def test_scale(self):
        near(self.attend(scale=jnp.float64(1)), [[[1.2689414], [1.7310586]]])

    def test_a_row_that_is_masked_out_is_zero_and_flat(self):
        mask = jnp.array([[True, False], [False, False]])
        near(self.attend(attn_mask=mask), [[[1], [0]]])
        got = gradient(
            lambda q: attention.scaled_dot_product_attention_masked(q, self.EYE, self.VALUES, mask), self.EYE
        )
        assert np.isfinite(got).all()

    def test_heads_of_key_and_value_are_shared(self):
        query, one = jnp.ones((2, 4, 3, 4)), jnp.ones((2, 2, 3, 4))
        assert attention.scaled_dot_product_attention_masked(query, one, one, enable_gqa=True).shape == (2, 4, 3, 4)

    def test_mask_and_causal_exclude_each_other(self):
        with pytest.raises(RuntimeError, match="Explicit attn_mask should not be set when is_causal=True"):
            self.attend(attn_mask=jnp.ones((2, 2), bool), is_causal=True)
