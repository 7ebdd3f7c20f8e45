"""Functions of ``torch`` that stand behind those of ``nn.functional`` and take the reduction as a number, and others
whose operator has the parameters in another order."""

from __future__ import annotations

from typing import Any

from ..._ops.registry import OPS
from ..arguments import as_dims
from ..dispatch import call
from ..generate import OP_FUNCTIONS
from ..public import public
from ..tensor import Tensor

_REDUCTIONS = ("none", "mean", "sum")
_NONE = 0  # the default that PyTorch's binding has, although its text says the mean


def _reduction(number: int) -> str:
    """The reduction that a number means; what is no reduction reduces nothing, as in PyTorch."""
    return _REDUCTIONS[number] if 0 <= number < 3 else "none"


@public("torch")
def kl_div(input: Tensor, target: Tensor, reduction: int = _NONE, *, log_target: bool = False) -> Tensor:
    """``nn.functional.kl_div``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    return OP_FUNCTIONS["kl_div"](input, target, reduction=_reduction(reduction), log_target=log_target)


@public("torch")
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Any = None, pos_weight: Any = None, reduction: int = _NONE
) -> Tensor:
    """``nn.functional.binary_cross_entropy_with_logits``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    function = OP_FUNCTIONS["binary_cross_entropy_with_logits"]
    return function(input, target, weight, pos_weight=pos_weight, reduction=_reduction(reduction))


@public("torch")
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = _NONE) -> Tensor:
    """``nn.functional.hinge_embedding_loss``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    return OP_FUNCTIONS["hinge_embedding_loss"](input, target, margin, reduction=_reduction(reduction))


@public("torch")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = _NONE
) -> Tensor:
    """``nn.functional.margin_ranking_loss``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    return OP_FUNCTIONS["margin_ranking_loss"](input1, input2, target, margin, reduction=_reduction(reduction))


@public("torch")
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = _NONE
) -> Tensor:
    """``nn.functional.cosine_embedding_loss``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    return OP_FUNCTIONS["cosine_embedding_loss"](input1, input2, target, margin, reduction=_reduction(reduction))


@public("torch")
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = _NONE,
) -> Tensor:
    """``nn.functional.triplet_margin_loss``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    function = OP_FUNCTIONS["triplet_margin_loss"]
    return function(anchor, positive, negative, margin, p, eps, swap, reduction=_reduction(reduction))


@public("torch")
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """``nn.functional.poisson_nll_loss``, the reduction being 0 (none), 1 (mean) or 2 (sum)."""
    function = OP_FUNCTIONS["poisson_nll_loss"]
    return function(input, target, log_input, full, eps=eps, reduction=_reduction(reduction))


@public("torch")
def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """``weight[indices]``; the row ``padding_idx`` gets no gradient, unless it is negative."""
    padding = None if padding_idx < 0 else padding_idx
    return OP_FUNCTIONS["embedding.rows"](indices, weight, padding, scale_grad_by_freq)


@public("torch")
def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """``nn.functional.adaptive_max_pool1d`` with the positions of the maxima."""
    return call(OPS["adaptive_max_pool1d.indices"], (input,), (as_dims(output_size),))
