"""Multi-head attention (Vaswani et al., 2017)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torchish
from torchish._core.functions.attention_functions import native_multi_head_attention
from torchish._core.tensor import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module

__all__ = ["MultiheadAttention"]


def without_gradient(tensors: Iterable[Any]) -> bool:
    """Whether nothing of what is computed from these will require grad."""
    return not torchish.is_grad_enabled() or not any(t is not None and t.requires_grad for t in tensors)


class MultiheadAttention(Module):
    """Attention with several heads, each a part of the embedding.

    In evaluation, where no gradient is asked for, a query whose keys are all masked gives NaN, as PyTorch's kernel for
    that case does (``torch.backends.mha`` switches it off).

    Args:
        embed_dim: the size of the embedding, a multiple of ``num_heads``.
        num_heads: how many heads there are.
        dropout: the probability with which a weight is dropped in training.
        bias: whether the projections have one.
        add_bias_kv: whether there is one more key and value, learned, for all sequences.
        add_zero_attn: whether there is one more key and value, of zeros.
        kdim, vdim: the sizes of keys and values; ``embed_dim`` unless given.
        batch_first: whether inputs and outputs are ``(batch, length, embed_dim)`` instead of ``(length, batch, ...)``.
        device, dtype: of the parameters.

    >>> import torchish as torch
    >>> attention = torch.nn.MultiheadAttention(8, 2)
    >>> x = torch.randn(5, 3, 8)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 3, 8]), torch.Size([3, 5, 5]))
    """

    __constants__ = ("batch_first",)
    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self._make_parameters(bias, add_bias_kv, device, dtype)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _make_parameters(self, bias: bool, add_bias_kv: bool, device: Any, dtype: Any) -> None:
        """In PyTorch's order, which is that of the state_dict; the last projection draws its numbers before the others."""

        def parameter(*shape: int) -> Parameter:
            return Parameter(torchish.empty(shape, device=device, dtype=dtype))

        e, same = self.embed_dim, self._qkv_same_embed_dim
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        if same:
            self.in_proj_weight = parameter(3 * e, e)
        for name, size in zip(names, (e, self.kdim, self.vdim), strict=True):
            self.register_parameter(name, None if same else parameter(e, size))
        if not same:
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", parameter(3 * e) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(e, e, bias=bias, device=device, dtype=dtype)
        if add_bias_kv:
            self.bias_k, self.bias_v = parameter(1, 1, e), parameter(1, 1, e)
        else:
            self.bias_k = self.bias_v = None

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for learned in (self.bias_k, self.bias_v):
            if learned is not None:
                init.xavier_normal_(learned)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)  # which a module pickled by PyTorch 1.1 lacks
        super().__setstate__(state)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend, and give the weights too where ``need_weights``; see ``nn.functional.multi_head_attention_forward``."""
        added = any(mask is not None and mask.dtype.is_floating_point for mask in (attn_mask, key_padding_mask))
        key_padding_mask = F._canonical_mask(
            key_padding_mask, "key_padding_mask", F._none_or_dtype(attn_mask), "attn_mask", query.dtype
        )
        attn_mask = F._canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        if not added and query is key and key is value and self._takes_fast_path(query):
            merged, mask_type = self.merge_masks(attn_mask, key_padding_mask, query)
            return self._evaluate(query, merged, mask_type, need_weights, average_attn_weights)
        transposed = self.batch_first and query.dim() == 3
        if transposed:
            made = {id(x): x.transpose(1, 0) for x in (query, key, value)}  # what was one tensor stays one
            query, key, value = made[id(query)], made[id(key)], made[id(value)]
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(1, 0) if transposed else output), weights

    def _takes_fast_path(self, query: Any) -> bool:
        """Whether PyTorch would take its kernel for evaluation."""
        parameters = (self.in_proj_weight, self.in_proj_bias, self.out_proj.weight, self.out_proj.bias)
        return (
            torchish.backends.mha.get_fastpath_enabled()
            and not self.training
            and self.batch_first
            and query.dim() == 3
            and self._qkv_same_embed_dim
            and self.in_proj_bias is not None
            and query.dtype == self.in_proj_bias.dtype == self.in_proj_weight.dtype
            and self.num_heads % 2 == 0
            and self.bias_k is None
            and self.bias_v is None
            and not self.add_zero_attn
            and without_gradient((query, *parameters))
        )

    def _evaluate(
        self, query: Tensor, mask: Tensor | None, mask_type: int | None, need_weights: bool, average: bool
    ) -> tuple[Tensor, Tensor | None]:
        in_proj, out_proj = (self.in_proj_weight, self.in_proj_bias), (self.out_proj.weight, self.out_proj.bias)
        return native_multi_head_attention(
            query, self.num_heads, in_proj, out_proj, mask, mask_type, need_weights, average
        )

    def merge_masks(self, attn_mask: Any, key_padding_mask: Any, query: Any) -> tuple[Any, int | None]:
        """Both masks as one to be added, and its kind: 1 for ``(batch, length)``, 2 for ``(batch, heads, length, length)``."""
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length, _ = query.shape
        if attn_mask.dim() == 3:
            merged = attn_mask.view(batch, -1, length, length)
        else:
            merged = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            padding = key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
            merged = merged + padding
        return merged, 2
