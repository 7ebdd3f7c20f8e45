"""Losses over classes: ``nll_loss`` and ``cross_entropy``, with class weights, ignored targets and label smoothing."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..kernel_dtypes import require_dtype
from ..registry import Tensor, check_of, op
from ..scalar_types import is_integral, scalar_name
from .activation import log_softmax
from .losses import check_reduction, effective_reduction


def _class_axis(input: Tensor) -> int:
    return 0 if input.ndim == 1 else 1


def _check_class_targets(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    axis = _class_axis(input)
    if target.dtype not in (np.int64, np.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {scalar_name(target.dtype)}")
    if input.ndim > 1 and (target.ndim == 0 or input.shape[0] != target.shape[0]):
        batch = target.shape[0] if target.ndim else 0
        raise ValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({batch}).")
    expected = (*input.shape[:axis], *input.shape[axis + 1 :])
    if target.shape != expected:
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(target.shape)}")
    if weight is not None and weight.shape != (input.shape[axis],):
        raise RuntimeError(
            f"weight tensor should be defined either for all {input.shape[axis]} classes or no classes but got weight "
            f"tensor of shape: {list(weight.shape)}"
        )


def _weights(target: Tensor, weight: Tensor | None, ignore_index: int, dtype: Any) -> tuple[Tensor, Tensor]:
    """The targets with those to ignore replaced by 0, and the weight of each (0 where it is ignored)."""
    counted = target != ignore_index
    safe = jnp.where(counted, target, 0).astype(np.int64)
    each = jnp.ones(target.shape, dtype) if weight is None else weight[safe]
    return safe, jnp.where(counted, each, 0)


def _nll(logs: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    axis = _class_axis(logs)
    safe, weights = _weights(target, weight, ignore_index, logs.dtype)
    picked = jnp.take_along_axis(logs, jnp.expand_dims(safe, axis), axis).squeeze(axis)
    loss = jnp.where(target != ignore_index, -picked * weights, 0)
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / weights.sum()


def _nll_node(ndims: tuple[int | None, ...] = (), **_: Any) -> str:
    dims = ndims[0] if ndims else 2
    return "NllLoss2DBackward0" if dims == 4 else "NllLossBackward0"


def _bad_target(target: Tensor, classes: int, ignore_index: int) -> tuple[Tensor, Tensor]:
    wrong = ((target < 0) | (target >= classes)) & (target != ignore_index)
    if target.size == 0:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    first = jnp.argmax(wrong.reshape(-1))
    return wrong.any(), target.reshape(-1)[first].astype(np.int64)


def _target_error(witness: int, **_: Any) -> IndexError:
    return IndexError(f"Target {witness} is out of bounds.")


@op(saves="operands", namespaces=("nn.functional",), node=_nll_node, grad_node="NllLossBackwardBackward0")
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability (N, C, ...) of each target class, weighted; the mean divides by the sum of the weights.

    Targets equal to ``ignore_index`` count for nothing; where all do, the mean is NaN. IndexError for other targets
    that are no class.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    _check_class_targets(input, target, weight)
    require_dtype(input.dtype, "f", "nll_loss_out_frame" if input.ndim < 3 else "nll_loss2d_forward_out_frame")
    return _nll(input, target, weight, ignore_index, reduction)


@check_of(nll_loss, _target_error)
def _(input: Tensor, target: Tensor, ignore_index: int, **_: Any) -> tuple[Tensor, Tensor]:
    return _bad_target(target, input.shape[_class_axis(input)], ignore_index)


def _cross_entropy_node(label_smoothing: float = 0.0, reduction: str = "mean", **known: Any) -> str:
    if label_smoothing:
        return "AddBackward0"
    return _nll_node(**known)


def _smoothed(
    logs: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """``(1 - e)`` of the loss, and ``e`` of the mean loss over all classes; with weights, these divide both."""
    axis, classes = _class_axis(logs), logs.shape[_class_axis(logs)]
    counted = target != ignore_index
    shape = [1] * logs.ndim
    shape[axis] = classes
    weighted = logs if weight is None else logs * weight.reshape(shape)
    spread = jnp.where(counted, -weighted.sum(axis), 0)
    if reduction == "mean":
        _, weights = _weights(target, weight, ignore_index, logs.dtype)
        spread = spread.sum() / weights.sum()
    elif reduction == "sum":
        spread = spread.sum()
    loss = _nll(logs, target, weight, ignore_index, reduction)
    return loss * (1 - smoothing) + spread * (smoothing / classes)


def _with_probabilities(
    logs: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    axis, classes = _class_axis(logs), logs.shape[_class_axis(logs)]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    shape = [1] * logs.ndim
    shape[axis] = classes
    products = logs * target if weight is None else logs * target * weight.reshape(shape)
    loss = -products.sum(axis)
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / max(loss.size, 1)


@op(saves="nothing", namespaces=("nn.functional",), node=_cross_entropy_node, grad_node="MulBackward0")
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of logits (N, C, ...) with target classes, or with class probabilities of the same shape."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    logs = log_softmax(input, _class_axis(input))
    if target.shape == input.shape and not is_integral(target.dtype):
        return _with_probabilities(logs, target, weight, reduction, label_smoothing)
    _check_class_targets(input, target, weight)
    if label_smoothing:
        return _smoothed(logs, target, weight, ignore_index, reduction, label_smoothing)
    return _nll(logs, target, weight, ignore_index, reduction)


@check_of(cross_entropy, _target_error)
def _(input: Tensor, target: Tensor, ignore_index: int, **_: Any) -> tuple[Tensor, Tensor]:
    if not is_integral(target.dtype):
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    return _bad_target(target, input.shape[_class_axis(input)], ignore_index)
