"""``ctc_loss``: lengths as tensors or as numbers, one sequence or a batch, and the reduction."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._ops.registry import OPS
from ..creation import tensor as make_tensor
from ..dispatch import call
from ..dtypes import of
from ..public import public
from ..tensor import Tensor

_REDUCTIONS = ("none", "mean", "sum")


def _lengths(input_lengths: Any, target_lengths: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors; both have to be tensors or both sequences of ints."""
    if isinstance(input_lengths, Tensor) and isinstance(target_lengths, Tensor):
        return input_lengths, target_lengths
    if not all(isinstance(x, (list, tuple)) for x in (input_lengths, target_lengths)):
        got = ", ".join(type(x).__name__ for x in (input_lengths, target_lengths))
        raise TypeError(
            f"ctc_loss() received an invalid combination of arguments - got (Tensor, Tensor, {got}), but expected "
            "input_lengths and target_lengths both as tuples of ints or both as Tensors"
        )
    ticks, lengths = ([int(n) for n in x] for x in (input_lengths, target_lengths))
    return make_tensor(ticks, dtype=of(np.int64)), make_tensor(lengths, dtype=of(np.int64))


def _each_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int, zero_infinity: bool
) -> tuple[Tensor, Tensor]:
    """The loss of each sequence, and the targets' lengths."""
    given = target_lengths
    ticks, lengths = _lengths(input_lengths, target_lengths)
    if len(targets.shape) == 2:
        most = targets.shape[1]
    elif isinstance(given, (list, tuple)):
        most = max([*map(int, given), 0])
    else:  # how long the longest is decides the shape of what is computed
        most = max(int(lengths.max()), 0) if lengths._aval.numel else 0  # type: ignore[attr-defined]
    op = OPS["ctc_loss.batch"]
    return call(op, (log_probs, targets, ticks, lengths), (int(blank), bool(zero_infinity), most)), lengths


@public("torch", name="ctc_loss")
def torch_ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """``nn.functional.ctc_loss`` with the reduction as a number: 0 for none (the default), 1 for the mean, 2 for the sum."""
    if len(log_probs.shape) not in (2, 3):
        rank = len(log_probs.shape) + (1 if len(log_probs.shape) != 3 else 0)
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {rank}-dimensional tensor for argument #1 'log_probs' "
            "(while checking arguments for ctc_loss_allocate_outputs)"
        )
    batched = len(log_probs.shape) == 3
    if not batched:
        log_probs = log_probs.unsqueeze(1)  # type: ignore[attr-defined]
        if len(targets.shape) == 1:
            targets = targets.unsqueeze(0)  # type: ignore[attr-defined]
    x: Any
    x, lengths = _each_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    if reduction == 1:
        return (x / lengths.to(x.dtype).clamp(min=1)).mean()  # type: ignore[attr-defined]
    if reduction == 2:
        return x.sum()
    return x if batched else x.squeeze(0)


@public("nn.functional")
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """The negative log-likelihood of label sequences over all their alignments with the input.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html

    Args:
        log_probs: ``(time, batch, classes)`` or ``(time, classes)``, as ``log_softmax`` gives them.
        targets: ``(batch, labels)``, padded, or all labels one after another.
        input_lengths, target_lengths: one for each sequence: both tensors or both sequences of ints.
        blank: the class that separates labels.
        reduction: ``mean`` (each loss divided by its target's length first), ``sum`` or ``none``.
        zero_infinity: whether the loss of an input too short for its target is 0, with its gradient.

    >>> import torchish as torch
    >>> log_probs = torch.full((2, 1, 2), 0.5).log()
    >>> torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    number = _REDUCTIONS.index(reduction)
    return torch_ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, number, zero_infinity)
