"""Losses as ``nn.functional`` shows them: the ops, and what PyTorch warns of before it runs them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from .._core.generate import OP_FUNCTIONS
from .._core.tensor import Tensor
from .._ops.nn.losses import effective_reduction
from .._ops.registry import OPS, Op

_BROADCASTING = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
_OLD_FLAGS = ("size_average", "reduce")


def _warn_of_sizes(input: Any, target: Any) -> None:
    if isinstance(input, Tensor) and isinstance(target, Tensor) and input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            UserWarning,
            stacklevel=3,
        )


def _warn_of_flags(size_average: bool | None, reduce: bool | None) -> None:
    if size_average is not None or reduce is not None:
        reduction = effective_reduction(size_average, reduce, "")
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=3,
        )


def _warn_of_mean() -> None:
    warnings.warn(
        "reduction: 'mean' divides the total loss by both the batch size and the support size."
        "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
        "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
        UserWarning,
        stacklevel=3,
    )


def _warning(op: Op) -> Callable[..., Any]:
    """The function of a loss, with the warnings that depend on its arguments."""
    function = OP_FUNCTIONS[op.name]
    names = [p.name for p in op.params]
    broadcasting = op.name in _BROADCASTING
    flagged = "size_average" in names
    first = names.index("size_average") if flagged else len(names)

    @functools.wraps(function)
    def loss(*args: Any, **kwargs: Any) -> Tensor:
        if broadcasting:
            _warn_of_sizes(*(args[i] if len(args) > i else kwargs.get(names[i]) for i in (0, 1)))
        if flagged and (len(args) > first or not kwargs.keys().isdisjoint(_OLD_FLAGS)):
            given = dict(zip(names, args, strict=False)) | kwargs
            _warn_of_flags(given.get("size_average"), given.get("reduce"))
        return function(*args, **kwargs)

    return loss


@functools.wraps(OP_FUNCTIONS["kl_div"])
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    if size_average is not None or reduce is not None:
        _warn_of_flags(size_average, reduce)
    elif reduction == "mean":
        _warn_of_mean()
    return OP_FUNCTIONS["kl_div"](input, target, size_average, reduce, reduction, log_target)


def losses() -> dict[str, Callable[..., Any]]:
    """The losses that warn, by name."""
    made = {
        name: _warning(op)
        for name, op in OPS.items()
        if "nn.functional" in op.namespaces
        and (name in _BROADCASTING or any(p.name == "size_average" for p in op.params))
    }
    return {**made, "kl_div": kl_div}
