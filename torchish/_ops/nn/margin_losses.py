"""Margin losses of class scores, ``(C,)`` or ``(N, C)``."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..broadcasting import check_broadcast
from ..dims import iota
from ..kernel_dtypes import require_dtype
from ..registry import Number, Tensor, check_of, op
from ..scalar_types import scalar_name
from .activation import logsigmoid
from .losses import check_reduction, effective_reduction, node_by_reduction, number, reduced

FUNCTIONAL = ("nn.functional",)


def _picked(values: Tensor, target: Tensor, axis: int) -> Tensor:
    """The entry of ``values`` at the target's class, along ``axis``; 0 where the target is no class."""
    mask = iota(values.shape, axis) == jnp.expand_dims(target, axis)
    return jnp.where(mask, values, jnp.zeros((), values.dtype)).sum(axis)


def _check_samples(input: Tensor, name: str) -> None:
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    require_dtype(input.dtype, "d", name)


def _classes(input: Tensor) -> int:
    return input.shape[-1] if input.ndim else 1


@op(namespaces=FUNCTIONAL)
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: Number = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the other classes i of ``max(0, margin - input[target] + input[i]) ** p``; p is 1 or 2.

    At the margin the derivative is 0. ``weight`` is the target's class's.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    _check_samples(input, "multi_margin_loss_cpu_kernel")
    batch, classes = (input.shape[0] if input.ndim == 2 else 1), _classes(input)
    if target.ndim > 1 or target.size != batch:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{batch}], but got {list(target.shape)}. Input has shape {list(input.shape)}."
        )
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    if target.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(target.dtype)}")
    x, t = input.reshape(batch, classes), target.reshape(batch)
    gap = number(margin, x) - _picked(x, t, 1)[:, None] + x
    others = iota(x.shape, 1) != t[:, None]
    loss = jnp.where((gap > 0) & others, gap if p == 1 else gap * gap, jnp.zeros((), x.dtype))
    if weight is not None:
        loss = loss * jnp.take(weight, t, mode="clip")[:, None]
    loss = loss.sum(1) / classes
    return reduced(loss if input.ndim == 2 else loss.reshape(target.shape), reduction)


@check_of(multi_margin_loss, lambda witness, **_: RuntimeError("target out of range"))
def _(input: Tensor, target: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    return ((target < 0) | (target >= _classes(input))).any(), jnp.zeros((), np.int64)


@op(namespaces=FUNCTIONAL)
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of ``max(0, 1 - input[y] + input[i])`` over a sample's classes y and all classes i that are not its.

    A row of the target lists classes up to the first -1. At the margin the derivative is 0.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    _check_samples(input, "multilabel_margin_loss_forward_out_frame")
    if target.shape != input.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    if target.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(target.dtype)}")
    classes = _classes(input)
    x, t = input.reshape(-1, classes), target.reshape(-1, classes)
    listed = _listed(t)
    is_class = iota((*t.shape, classes), 2) == t[:, :, None]
    own = (is_class & listed[:, :, None]).any(1)
    at_labels = jnp.where(is_class, x[:, None, :], jnp.zeros((), x.dtype)).sum(2)
    gap = 1 - at_labels[:, :, None] + x[:, None, :]
    counted = listed[:, :, None] & ~own[:, None, :] & (gap > 0)
    loss = jnp.where(counted, gap, jnp.zeros((), x.dtype)).sum((1, 2)) / classes
    return reduced(loss.reshape(input.shape[:-1]), reduction)


def _listed(target: Tensor) -> Tensor:
    """The entries of each row before its first negative one."""
    return jnp.cumsum(target < 0, axis=-1) == 0


@check_of(multilabel_margin_loss, lambda witness, **_: RuntimeError("argument #2 'target' is out of range"))
def _(input: Tensor, target: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    return ((target < -1) | (target >= _classes(input))).any(), jnp.zeros((), np.int64)


@op(namespaces=FUNCTIONAL, node=node_by_reduction("DivBackward0"), grad_node="AddBackward0")
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the classes (the last dimension) of ``binary_cross_entropy_with_logits``."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_broadcast(target, input)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        check_broadcast(loss, weight)
        loss = loss * weight
    return reduced(loss.sum(-1) / input.shape[-1], reduction)
