"""Functions of networks that combine ops: fractional pools, attention with dropout, losses over other functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..._ops.registry import OPS
from ..arguments import as_dims
from ..dispatch import call
from ..generate import OP_FUNCTIONS
from ..public import PUBLIC, public
from ..tensor import Tensor
from .dropout_functions import require_probability
from .random_functions import dropout_mask

_FUNCTIONAL = "nn.functional"


def _fractional_output_size(input: Tensor, output_ratio: Any, n: int) -> tuple[int, ...]:
    if n == 2 and len(output_ratio) > 2:
        raise ValueError("fractional_max_pool2d requires output_ratio to either be a single Int or tuple of Ints.")
    ratios = tuple(output_ratio) if isinstance(output_ratio, (list, tuple)) else (output_ratio,) * n
    return tuple(int(input.shape[i - n] * ratios[i]) for i in range(n))


def _fractional(n: int) -> None:
    name = f"fractional_max_pool{n}d"

    def with_indices(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        if output_size is None:
            output_size = _fractional_output_size(input, output_ratio, n)
        rank = len(input.shape)
        if rank <= n:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {-n - 1})"
            )
        if _random_samples is None:
            batch = 1 if rank == n + 1 else input.shape[0]
            rand = PUBLIC["torch"]["rand"]
            _random_samples = rand(batch, input.shape[-n - 1], n, dtype=input.dtype, device=input.device)
        op = OPS[f"{name}.indices"]
        return call(op, (input, _random_samples), (as_dims(kernel_size), as_dims(output_size)))

    def function(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> Any:
        both = with_indices(input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
        return both if return_indices else both[0]

    with_indices.__name__ = with_indices.__qualname__ = f"{name}_with_indices"
    with_indices.__doc__ = f"``{name}``, and where in the flattened spatial dimensions each maximum is (int64)."
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The maximum of windows of ``kernel_size``, placed at random so that there are ``output_size`` of them.\n\n"
        f"``output_ratio`` gives the size as a part of the input's; ``_random_samples``, ``(batch, channels, {n})``,\n"
        f"the random numbers. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.{name}.html"
    )
    public(_FUNCTIONAL)(with_indices)
    public(_FUNCTIONAL)(function)


_fractional(2)
_fractional(3)


@public(_FUNCTIONAL)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.T * scale + attn_mask) @ value``.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html

    Args:
        query: ``(..., L, E)``.
        key, value: ``(..., S, E)`` and ``(..., S, Ev)``.
        attn_mask: broadcast to ``(..., L, S)``: a bool one says what takes part, a float one is added.
        dropout_p: the probability with which each weight is dropped, always.
        is_causal: whether a position sees itself and those before it alone.
        scale: ``1 / sqrt(E)`` unless given.
        enable_gqa: whether several heads of ``query`` share one of ``key`` and ``value``.

    >>> import torchish as torch
    >>> x = torch.eye(2)
    >>> torch.nn.functional.scaled_dot_product_attention(x, x, torch.tensor([[1.0], [3.0]]), is_causal=True)
    tensor([[1.0000],
            [2.3395]])
    """
    mask = None
    require_probability(dropout_p, RuntimeError)
    if dropout_p > 0.0:
        lead = OP_FUNCTIONS["matmul"](query.detach(), key.detach().transpose(-2, -1))  # type: ignore[attr-defined]
        mask = dropout_mask(lead, tuple(lead.shape), float(dropout_p))
    op = OPS["scaled_dot_product_attention.masked"]
    return call(op, (query, key, value, attn_mask, mask, scale), (bool(is_causal), bool(enable_gqa)))


@public(_FUNCTIONAL)
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))`` with any distance, the Euclidean unless given.

    With ``swap`` the negative's distance is that to the nearer of anchor and positive.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ranks = [len(x.shape) for x in (anchor, positive, negative)]
    if len(set(ranks)) != 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {ranks[0]}D, positive {ranks[1]}D, and negative {ranks[2]}D inputs"
        )
    distance = distance_function or OP_FUNCTIONS["pairwise_distance"]
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = OP_FUNCTIONS["minimum"](to_negative, distance(positive, negative))
    loss = (margin + to_positive - to_negative).clamp_min(0)  # type: ignore[attr-defined, operator]
    return loss.sum() if reduction == "sum" else loss.mean() if reduction == "mean" else loss


def _check_linear(input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None) -> None:
    in_features, classes, more = input.shape[-1], linear_weight.shape[0], tuple(linear_weight.shape[1:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *more):
        raise RuntimeError(f"expected linear_bias shape {(classes, *more)}, got {tuple(linear_bias.shape)}")
    if more and len(input.shape) == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {in_features}), got unbatched input with shape {tuple(input.shape)}"
        )


@public(_FUNCTIONAL)
def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target, ...)``.

    Args:
        input: ``(N, in_features)`` or ``(in_features,)``.
        linear_weight: ``(classes, ..., in_features)``.
        target: classes, or probabilities where it has the logits' shape.
        linear_bias: of the shape of ``linear_weight`` without its last dimension.
        weight, reduction, ignore_index, label_smoothing: as for ``cross_entropy``.
        options: how PyTorch cuts the batch to save memory; accepted, the result is the same.
    """
    _check_linear(input, linear_weight, linear_bias)
    classes, more = linear_weight.shape[0], tuple(linear_weight.shape[1:-1])
    shape = (*input.shape[:-1], classes, *more)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if more:
        linear_weight = linear_weight.reshape(math.prod((classes, *more)), linear_weight.shape[-1])
        linear_bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = OP_FUNCTIONS["linear"](input, linear_weight, linear_bias).reshape(shape)
    return PUBLIC[_FUNCTIONAL]["cross_entropy"](
        logits,
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )
