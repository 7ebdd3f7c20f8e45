"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import check_broadcast
from ..kernel_dtypes import half_in_float32, require_dtype
from ..linalg.matmul import cpp_name, matmul
from ..registry import Number, Tensor, op
from ..scalar_types import is_bool, is_integral, scalar_name


def _check(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, is_causal: bool) -> None:
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{cpp_name(query.dtype)} key.dtype: {cpp_name(key.dtype)} and value.dtype: {cpp_name(value.dtype)} instead."
        )
    if is_integral(query.dtype):
        raise RuntimeError(f"expected scalar type Float but found {scalar_name(query.dtype)}")
    require_dtype(query.dtype, "f", "softmax_lastdim_kernel_impl")
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got "
            f"query.dim: {query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if attn_mask is None:
        return
    if attn_mask.dtype not in (np.bool_, np.float32, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{cpp_name(attn_mask.dtype)} and  query.dtype: {cpp_name(query.dtype)} instead."
        )
    if is_causal:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")


def _grouped(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Heads of ``key`` and ``value`` repeated so that there is one for each head of ``query``."""
    heads = query.shape[-3]
    if heads % key.shape[-3] or heads % value.shape[-3]:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    return tuple(jnp.repeat(x, heads // x.shape[-3], axis=-3) for x in (key, value))  # type: ignore[return-value]


def _masked(scores: Tensor, attn_mask: Tensor | None, is_causal: bool) -> Tensor:
    minus_infinity = jnp.asarray(-np.inf, scores.dtype)
    if is_causal:
        rows, columns = scores.shape[-2:]
        scores = jnp.where(np.tri(rows, columns, dtype=bool), scores, minus_infinity)
    if attn_mask is None:
        return scores
    check_broadcast(scores, attn_mask)
    if is_bool(attn_mask.dtype):
        return jnp.where(attn_mask, scores, minus_infinity)
    return scores + attn_mask.astype(scores.dtype)


def _weights(scores: Tensor) -> Tensor:
    """The softmax along the last dimension; zeros in a row that is masked out as a whole."""
    if scores.shape[-1] == 0:
        return scores
    largest = lax.stop_gradient(scores.max(-1, keepdims=True))
    hidden = largest == -np.inf
    powers = jnp.exp(scores - jnp.where(hidden, jnp.zeros((), scores.dtype), largest))
    total = powers.sum(-1, keepdims=True)
    return powers / jnp.where(hidden, jnp.ones((), scores.dtype), total)


def _node(ndims: tuple[int | None, ...], absent: tuple[str, ...] = (), **_: Any) -> str:
    flash = ndims[0] == 4 and "dropout_mask" in absent
    return "ScaledDotProductFlashAttentionForCpuBackward0" if flash else "UnsafeViewBackward0"


@op(name="scaled_dot_product_attention.masked", node=_node, grad_node="MulBackward1")
@half_in_float32
def scaled_dot_product_attention_masked(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: Number | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.T * scale + attn_mask) @ value``; ``scale`` is ``1 / sqrt(query.shape[-1])`` unless given.

    A bool mask says what takes part, a float one is added. ``dropout_mask`` multiplies the weights. ``is_causal``
    lets a position see itself and those before it; ``enable_gqa`` shares heads of key and value among queries'.
    """
    # PyTorch's kernel for four dimensions takes both masks, its composite formula does not.
    _check(query, key, value, attn_mask, is_causal and (query.ndim != 4 or dropout_mask is not None))
    if enable_gqa:
        key, value = _grouped(query, key, value)
    factor = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    scaled = query * jnp.asarray(factor).astype(query.dtype)
    weights = _weights(_masked(matmul(scaled, key.swapaxes(-2, -1)), attn_mask, is_causal))
    if dropout_mask is not None:
        weights = weights * dropout_mask.astype(weights.dtype)
    return matmul(weights, value)
