"""Multi-head attention: projections, masks and heads around ``scaled_dot_product_attention``."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from ..._exec import window
from ..dtypes import DTYPES
from ..generate import OP_FUNCTIONS
from ..public import PUBLIC, public
from ..tensor import Tensor
from ..user_warnings import warn
from .dropout_functions import functional_dropout
from .network_functions import scaled_dot_product_attention

_FUNCTIONAL = "nn.functional"
_TORCH = PUBLIC["torch"]
_linear, _pad, _softmax = (OP_FUNCTIONS[name] for name in ("linear", "pad", "softmax"))


# Masks


@public(_FUNCTIONAL)
def _none_or_dtype(input: Any) -> Any:
    """The dtype of a mask, if there is one."""
    if input is None:
        return None
    if isinstance(input, Tensor):
        return input.dtype
    raise RuntimeError("input to _none_or_dtype() must be None or torch.Tensor")


@public(_FUNCTIONAL)
def _canonical_mask(
    mask: Any, mask_name: str, other_type: Any, other_name: str, target_type: Any, check_other: bool = True
) -> Any:
    """A mask as one that is added: of a bool mask, ``-inf`` where it is True. It warns where the other's dtype differs."""
    if mask is None:
        return None
    is_bool = mask.dtype is DTYPES["bool"]
    if not is_bool and not mask.dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warn(f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.")
    if not is_bool:
        return mask
    return _TORCH["zeros_like"](mask, dtype=target_type).masked_fill_(mask, -math.inf)


def is_causal_mask(mask: Any, size: int) -> bool:
    """Whether a mask hides what comes later and nothing else; reading it runs what it waits for.

    Of a mask inside a JAX transformation nothing is known: False, which leaves the work to the mask itself.
    """
    if tuple(mask.shape) != (size, size):
        return False
    array = window.materialise(mask.detach()._value())
    if isinstance(array, jax.core.Tracer):
        return False
    later = np.triu(np.ones((size, size), bool), 1)
    return np.array_equal(np.asarray(array), later if array.dtype == bool else np.where(later, -np.inf, 0.0))


# Shapes


def _check_ranks(query: Any, key: Any, value: Any, padding: Any, attn_mask: Any, num_heads: int) -> bool:
    """Whether there is a batch dimension; AssertionError where the arguments disagree about it."""
    rank = query.dim()
    if rank not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor")
    case = f"For {'batched' if rank == 3 else 'unbatched'} ({rank}-D) `query`, expected"
    if key.dim() != rank or value.dim() != rank:
        raise AssertionError(
            f"{case} `key` and `value` to be {rank}-D but found {key.dim()}-D and {value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != rank - 1:
        raise AssertionError(
            f"{case} `key_padding_mask` to be `None` or {rank - 1}-D but found {padding.dim()}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"{case} `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor instead"
        )
    if rank == 2 and attn_mask is not None and attn_mask.dim() == 3:
        expected = (num_heads, query.shape[0], key.shape[0])
        if tuple(attn_mask.shape) != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")
    return rank == 3


def _check_sizes(query: Any, key: Any, value: Any, embed_dim: int, num_heads: int, separate: bool) -> None:
    size = query.shape[-1]
    if size != embed_dim:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim}, but got {size}")
    if size // num_heads * num_heads != size:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {num_heads}")
    if separate and key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    if not separate and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


def _with_three_dimensions(mask: Any, lengths: tuple[int, int], heads: int) -> Any:
    if mask.dim() == 2:
        if tuple(mask.shape) != lengths:
            raise RuntimeError(f"The shape of the 2D attn_mask is {mask.shape}, but should be {lengths}.")
        return mask.unsqueeze(0)
    if tuple(mask.shape) != (heads, *lengths):
        raise RuntimeError(f"The shape of the 3D attn_mask is {mask.shape}, but should be {(heads, *lengths)}.")
    return mask


def _check_padding(padding: Any, batch: int, length: int) -> None:
    for i, size in enumerate((batch, length)):
        if padding.shape[i] != size:
            raise AssertionError(f"Expected key_padded_mask.shape[{i}] to be {size}, but got {padding.shape[i]}")


# Projections


def _packed_projection(q: Any, k: Any, v: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    """Queries, keys and values, each projected with its third of ``weight``; one product for those of the same input."""
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    size = q.shape[-1]
    if k is v and q is k:
        return _linear(q, weight, bias).chunk(3, -1)
    if k is v:
        sizes = [size, 2 * size]
        w_q, w_kv = weight.split(sizes)
        b_q, b_kv = (None, None) if bias is None else bias.split(sizes)
        return _linear(q, w_q, b_q), *_linear(k, w_kv, b_kv).chunk(2, -1)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    projected = [_linear(x, w, b) for x, w, b in zip((q, k, v), weight.chunk(3), biases, strict=True)]
    return projected[0], projected[1], projected[2]


def _separate_projection(inputs: tuple, weights: tuple, bias: Any) -> tuple[Any, Any, Any]:
    """Queries, keys and values, each projected with a weight of its own."""
    for letter, w in zip("qkv", weights, strict=True):
        if w is None:
            raise AssertionError(f"use_separate_proj_weight is True but {letter}_proj_weight is None")
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    size = inputs[0].shape[-1]
    names = ("query", "key", "value")
    for name, x, w in zip(names, inputs, weights, strict=True):
        expected = (size, x.shape[-1])
        if tuple(w.shape) != expected:
            raise AssertionError(f"expecting {name} weights shape of {expected}, but got {w.shape}")
    for name, b in zip(names, biases, strict=True):
        if b is not None and tuple(b.shape) != (size,):
            raise AssertionError(f"expecting {name} bias shape of {(size,)}, but got {b.shape}")
    q, k, v = (_linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True))
    return q, k, v


def _lengthened(k: Any, v: Any, bias_k: Any, bias_v: Any, static_k: Any, static_v: Any) -> tuple[Any, Any]:
    """Keys and values with one more of each, that all queries see: the learned biases."""
    if bias_k is None or bias_v is None:
        for there, (has, lacks) in ((bias_k, ("bias_k", "bias_v")), (bias_v, ("bias_v", "bias_k"))):
            if there is not None:
                raise AssertionError(f"{has} is set but {lacks} is None")
        return k, v
    for static, name in ((static_k, "key"), (static_v, "value")):
        if static is not None:
            raise AssertionError(f"bias cannot be added to static {name}.")
    batch = k.shape[1]
    return tuple(_TORCH["cat"]([x, b.repeat(1, batch, 1)]) for x, b in ((k, bias_k), (v, bias_v)))  # type: ignore[return-value]


def _heads_first(x: Any, heads: int, size: int) -> Any:
    """``(length, batch, embed_dim)`` as ``(batch * num_heads, length, head_dim)``."""
    return x.reshape(x.shape[0], heads, size).transpose(0, 1)


def _or_static(x: Any, static: Any, name: str, heads: int, size: int) -> Any:
    if static is None:
        return _heads_first(x, heads, size)
    for dim, expected in ((0, heads), (2, size)):
        if static.shape[dim] != expected:
            raise AssertionError(f"expecting {name}.size({dim}) of {expected}, but got {static.shape[dim]}")
    return static


def _with_zeros(x: Any) -> Any:
    """One more key or value, of zeros."""
    zeros = _TORCH["zeros"](x.shape[0], 1, x.shape[2], dtype=x.dtype, device=x.device)
    return _TORCH["cat"]([x, zeros], dim=1)


# Attention


def _weighted(q: Any, k: Any, v: Any, mask: Any, dropout_p: float) -> tuple[Any, Any]:
    """What scaled dot-product attention gives, and the weights; NaN where a mask hides all."""
    scaled = q * math.sqrt(1.0 / q.shape[-1])
    keys = k.transpose(-2, -1)
    scores = _TORCH["bmm"](scaled, keys) if mask is None else _TORCH["baddbmm"](mask, scaled, keys)
    weights = _softmax(scores, -1)
    if dropout_p > 0.0:
        weights = functional_dropout(weights, dropout_p)
    return _TORCH["bmm"](weights, v), weights


def _merged(attn_mask: Any, padding: Any, batch: int, num_heads: int, length: int) -> Any:
    """Both masks as one, or the one that there is."""
    if padding is None:
        return attn_mask
    _check_padding(padding, batch, length)
    padding = padding.view(batch, 1, 1, length).expand(-1, num_heads, -1, -1)
    padding = padding.reshape(batch * num_heads, 1, length)
    return padding if attn_mask is None else attn_mask + padding


@public(_FUNCTIONAL)
def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """The attention of ``nn.MultiheadAttention``, with all parameters as arguments; a batch is the second dimension.

    Args:
        query: ``(L, N, E)`` or ``(L, E)``.
        key, value: ``(S, N, E)`` or ``(S, E)``; other last dimensions with ``use_separate_proj_weight``.
        embed_dim_to_check: ``E``, a multiple of ``num_heads``.
        in_proj_weight, in_proj_bias: ``(3E, E)`` and ``(3E,)``, for query, key and value one after the other.
        bias_k, bias_v: ``(1, 1, E)``, one more key and value for all; ``add_zero_attn``: one more of zeros.
        dropout_p: the probability with which a weight is dropped while ``training``.
        out_proj_weight, out_proj_bias: ``(E, E)`` and ``(E,)``.
        key_padding_mask: ``(N, S)`` or ``(S,)``: True where a key is not looked at, or floats that are added.
        attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``, likewise.
        need_weights: whether the weights are given too, averaged over heads unless ``average_attn_weights`` is False.
        static_k, static_v: ``(N * num_heads, S, E / num_heads)``, in place of the projected keys and values.
        is_causal: says that ``attn_mask`` hides what comes later, so that it need not be read.

    Returns:
        ``(L, N, E)`` or ``(L, E)``, and weights ``(N, L, S)``, ``(N, num_heads, L, S)`` or those without ``N``, or None.
    """
    is_batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not is_batched:
        query, key, value = _unsqueezed(query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    (length, batch, embed_dim), source = query.shape, key.shape[0]
    padding = _canonical_mask(key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype)
    attn_mask, is_causal = _attention_mask(attn_mask, padding, is_causal, need_weights, query.dtype)
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        projections = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = _separate_projection((query, key, value), projections, in_proj_bias)
    else:
        q, k, v = _packed_projection(query, key, value, in_proj_weight, in_proj_bias)
    heads, size = batch * num_heads, embed_dim // num_heads
    if attn_mask is not None:
        attn_mask = _with_three_dimensions(attn_mask, (length, source), heads)
    k, v = _lengthened(k, v, bias_k, bias_v, static_k, static_v)
    q = _heads_first(q, heads, size)
    k, v = _or_static(k, static_k, "static_k", heads, size), _or_static(v, static_v, "static_v", heads, size)
    if add_zero_attn:
        k, v = _with_zeros(k), _with_zeros(v)
    more = (bias_k is not None) + bool(add_zero_attn)
    if more:
        attn_mask, padding = (None if mask is None else _pad(mask, (0, more)) for mask in (attn_mask, padding))
    source = k.shape[1]
    mask = _merged(attn_mask, padding, batch, num_heads, source)
    dropout_p = dropout_p if training else 0.0
    weights: Any = None
    if need_weights:
        attended, weights = _weighted(q, k, v, mask, dropout_p)
        weights = weights.view(batch, num_heads, length, source)
        weights = weights.mean(dim=1) if average_attn_weights else weights
        attended = attended.transpose(0, 1)
    else:
        if mask is not None:
            mask = mask.unsqueeze(0) if mask.shape[0] == 1 else mask.view(batch, num_heads, -1, source)
        q, k, v = (x.view(batch, num_heads, n, size) for x, n in ((q, length), (k, source), (v, source)))
        made: Any = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
        attended = made.permute(2, 0, 1, 3)
    output = _linear(attended.reshape(length * batch, embed_dim), out_proj_weight, out_proj_bias)
    output = output.view(length, batch, output.shape[1])
    if is_batched:
        return output, weights
    return output.squeeze(1), None if weights is None else weights.squeeze(0)


def _unsqueezed(query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    """With a batch dimension of size 1; what was one tensor stays one."""
    made = {id(x): x.unsqueeze(1) for x in (query, key, value)}
    return made[id(query)], made[id(key)], made[id(value)]


def _attention_mask(attn_mask: Any, padding: Any, is_causal: bool, need_weights: bool, dtype: Any) -> tuple[Any, bool]:
    """The mask that is added, and whether attention is causal without one."""
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and padding is None and not need_weights:
        return None, True
    return _canonical_mask(attn_mask, "attn_mask", None, "", dtype, check_other=False), False


def native_multi_head_attention(
    query: Any,
    num_heads: int,
    in_proj: tuple[Any, Any],
    out_proj: tuple[Any, Any],
    mask: Any,
    mask_type: int | None,
    need_weights: bool,
    average_attn_weights: bool,
) -> tuple[Tensor, Tensor | None]:
    """Self-attention as PyTorch's kernel for evaluation has it: ``(N, L, E)``, NaN where a mask hides all.

    The mask is added: ``(N, L)`` where ``mask_type`` is 1, else ``(N, num_heads, L, L)``.
    """
    batch, length, size = query.shape
    embed_dim = in_proj[0].shape[1]
    if size != embed_dim:
        raise RuntimeError(f"passed-in embed_dim {embed_dim} didn't match last dim of query {size}")
    if mask_type == 1:
        if tuple(mask.shape) != (batch, length):
            raise RuntimeError("For mask_type == 1 mask shape should be (B, L)")
        mask = mask.view(batch, 1, 1, length)
    heads = batch * num_heads
    if mask is not None:
        mask = mask.expand(batch, num_heads, length, length).reshape(heads, length, length)

    def split(x: Any) -> Any:
        return x.reshape(batch, length, num_heads, -1).transpose(1, 2).reshape(heads, length, -1)

    q, k, v = (split(x) for x in _linear(query, *in_proj).chunk(3, -1))
    attended, weights = _weighted(q, k, v, mask, 0.0)
    attended = attended.view(batch, num_heads, length, -1).transpose(1, 2).reshape(batch, length, size)
    output = _linear(attended, *out_proj)
    if not need_weights:
        return output, None
    weights = weights.view(batch, num_heads, length, length)
    return output, weights.mean(dim=1) if average_attn_weights else weights
