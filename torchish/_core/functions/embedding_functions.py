"""``embedding_bag``: how bags are given, and the operators behind it."""

from __future__ import annotations

from typing import Any

from ..._ops.registry import OPS
from ..creation import arange
from ..dispatch import call, update
from ..generate import OP_FUNCTIONS
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn

_MODES = ("sum", "mean", "max")


@public("torch", name="embedding_bag", aliases=("_embedding_bag",))
def torch_embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The bags, the bag of each index, the bags' sizes and, for the maximum (mode 2), which rows won."""
    static = (bool(scale_grad_by_freq), int(mode), bool(include_last_offset), padding_idx)
    return call(OPS["embedding_bag.forward"], (weight, indices, offsets, per_sample_weights), static)


@public("torch")
def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float = 2.0) -> Tensor:
    """Scale the rows of ``input`` at ``indices`` whose norm is above ``max_norm`` down to it, in place."""
    return OP_FUNCTIONS["embedding_renorm_"](input, indices, max_norm, float(norm_type))


def renormalize(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    """What ``max_norm`` does to a table before it is read, unseen by autograd."""
    update("embedding_renorm", [weight], weight, input, max_norm=max_norm, norm_type=float(norm_type))


def _check(input: Tensor, weight: Tensor, per_sample_weights: Tensor | None) -> None:
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, "
            f"then it must have the same shape as the input ({input.shape})"
        )
    if len(weight.shape) != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {len(weight.shape)}")


def _flattened(
    input: Any, offsets: Any, per_sample_weights: Any, include_last_offset: bool
) -> tuple[Tensor, Tensor, Any, bool]:
    """A matrix of indices as one row of them, with the offsets of its rows."""
    rank = len(input.shape)
    if rank == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        rows, width = input.shape
        if width == 0:
            raise RuntimeError("step must be nonzero")
        starts = arange(0, rows * width, width, dtype=input.dtype, device=input.device)
        weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
        return input.reshape(-1), starts, weights, False
    if rank != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {rank}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if len(offsets.shape) != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    return input, offsets, per_sample_weights, include_last_offset


@public("nn.functional")
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of bags of rows of a table.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html

    Args:
        input: indices: ``(bags, size)``, or in one row with ``offsets``.
        weight: the table, ``(rows, columns)``.
        offsets: where each bag begins; with ``include_last_offset`` also where the last one ends.
        max_norm, norm_type: rows that are read and whose norm is larger are first scaled down, in the table itself.
        scale_grad_by_freq: whether a row's gradient is divided by how often it is read.
        mode: ``sum``, ``mean`` or ``max``.
        sparse: accepted; the gradient is dense.
        per_sample_weights: of the input's shape, for ``sum``: what each row is multiplied by.
        padding_idx: a row that counts for nothing.

    >>> import torchish as torch
    >>> table = torch.tensor([[1.0], [2.0], [4.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 2], [1, 1]]), table, mode="sum")
    tensor([[5.],
            [4.]])
    """
    if str(weight.dtype) == "torch.int64" and input.dtype.is_floating_point:
        warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`."
        )
        weight, input = input, weight
    _check(input, weight, per_sample_weights)
    flat, starts, weights, last = _flattened(input, offsets, per_sample_weights, include_last_offset)
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        renormalize(weight, flat, float(max_norm), norm_type)
    if weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )
    number = _MODES.index(mode)
    return torch_embedding_bag(weight, flat, starts, scale_grad_by_freq, number, sparse, weights, last, padding_idx)[0]
