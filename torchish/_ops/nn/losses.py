"""Losses of elements: each compares ``input`` and ``target`` element by element, then reduces.

``reduction`` is ``'mean'`` (of all elements), ``'sum'`` or ``'none'``. The older parameters ``size_average`` and
``reduce``, where given, decide instead. Half types are computed in float32 and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import broadcast_shapes, check_broadcast
from ..dims import widen
from ..elementwise.binary_math import xlogy
from ..elementwise.pointwise import refuse_bool_subtraction
from ..elementwise.unary import abs as absolute
from ..elementwise.unary import refuse_bool_negation
from ..kernel_dtypes import require_dtype, rounded
from ..registry import Number, Tensor, check_of, op
from ..scalar_types import default_float, is_complex, is_integral, scalar_name
from .activation import logsigmoid

FUNCTIONAL = ("nn.functional",)


def effective_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that the older flags ask for; ``reduction`` where neither is given."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of ``loss``, or ``loss`` itself."""
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum(dtype=np.int64 if is_integral(loss.dtype) else loss.dtype)
    if reduction == "mean":
        if is_integral(loss.dtype):
            raise RuntimeError(
                "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
                f"Got: {scalar_name(loss.dtype)}"
            )
        return loss.mean()
    raise ValueError(f"{reduction} is not a valid value for reduction")


def check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def node_by_reduction(none: str, mean: str = "MeanBackward0", sum: str = "SumBackward0") -> Callable[..., str]:
    """The node of a loss that PyTorch composes of smaller functions: its last one."""

    def name(reduction: str = "mean", size_average: bool | None = None, reduce: bool | None = None, **_: Any) -> str:
        return {"none": none, "mean": mean, "sum": sum}.get(effective_reduction(size_average, reduce, reduction), none)

    return name


def number(value: Number, like: Tensor) -> Tensor:
    """A number as a 0-dim array of ``like``'s dtype."""
    return jnp.asarray(value).astype(like.dtype)


@jax.custom_jvp
def at_least(x: Tensor, bound: Tensor) -> Tensor:
    """``x`` raised to ``bound`` where it is less; PyTorch clamps under ``no_grad``: the derivative is that of ``x``."""
    return jnp.where(x < bound, bound, x)


at_least.defjvps(lambda t, ans, x, bound: jnp.broadcast_to(t, ans.shape), None)


def rectified(x: Tensor) -> Tensor:
    """``max(x, 0)`` as ``clamp_min`` has it: the derivative at 0 is 1, NaN stays."""
    return jnp.where(x < 0, jnp.zeros((), x.dtype), x)


def _check_weight(weight: Tensor, input: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")


def _weighted(loss: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """The weighted loss; its mean divides by the sum of the weights."""
    weighted = loss * weight
    if reduction == "mean":
        return weighted.sum() / weight.sum()
    return reduced(weighted, reduction)


def _with_weight(plain: str | Callable[..., str], weighted: Callable[..., str], operands: int) -> Callable[..., str]:
    """The node of a loss that PyTorch composes only where it is given a weight, its last operand."""

    def name(ndims: tuple[int | None, ...], **static: Any) -> str:
        chosen = weighted if len(ndims) == operands else plain
        return chosen if isinstance(chosen, str) else chosen(**static)

    return name


@op(
    promote=("input", "target"),
    namespaces=FUNCTIONAL,
    node=_with_weight("MseLossBackward0", node_by_reduction("MulBackward0", "DivBackward0"), 3),
)
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``(input - target) ** 2``; with a ``weight`` of the input's shape the mean divides by the sum of weights."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_broadcast(input, target)
    if weight is None:
        check_reduction(reduction)
        require_dtype(input.dtype, "f", "mse_cpu")
    difference = input - target
    if weight is not None:
        _check_weight(weight, input)
        return _weighted(difference * difference, weight, reduction)
    return reduced(difference * difference, reduction)


@op(
    saves="nothing",
    promote=("input", "target"),
    namespaces=FUNCTIONAL,
    node=_with_weight(node_by_reduction("AbsBackward0"), node_by_reduction("MulBackward0", "DivBackward0"), 3),
    grad_node="MulBackward0",
)
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``|input - target|``, whose derivative at 0 is 0; weights as in ``mse_loss``."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_broadcast(input, target)
    refuse_bool_subtraction(input.dtype)
    loss = absolute(input - target)
    if weight is not None:
        _check_weight(weight, input)
        return _weighted(loss, weight, reduction)
    check_reduction(reduction)
    return reduced(loss, reduction)


def _smooth(x: Tensor, beta: Number) -> Tensor:
    """``x**2 / (2 beta)`` where ``|x| < beta``, else ``|x| - beta / 2``."""
    bound = number(beta, x)
    size = absolute(x)
    divisor = jnp.where(bound > 0, bound, 1).astype(x.dtype)
    return jnp.where(size < bound, x * x / divisor / 2, size - bound / 2)


@op(promote=("input", "target"), namespaces=FUNCTIONAL, node="SmoothL1LossBackward0")
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: Number = 1.0,
) -> Tensor:
    """A parabola within ``beta`` of the target, lines of slope 1 beyond; with ``beta`` 0 the absolute difference."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    check_broadcast(input, target)
    require_dtype(input.dtype, "f", "smooth_l1_cpu")
    return reduced(_smooth(widen(input) - widen(target), beta), reduction).astype(input.dtype)


@check_of(
    smooth_l1_loss,
    lambda witness, **_: RuntimeError("smooth_l1_loss does not support negative values for beta."),
)
def _(input: Tensor, target: Tensor, beta: Number = 1.0, **_: Any) -> tuple[Tensor, Tensor]:
    return jnp.asarray(beta) < 0, jnp.zeros((), np.int64)


@op(
    namespaces=FUNCTIONAL,
    node=_with_weight("HuberLossBackward0", node_by_reduction("MulBackward0"), 3),
)
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: Number = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``delta`` times ``smooth_l1_loss`` with ``beta=delta``; of the input's dtype."""
    check_reduction(reduction)
    check_broadcast(input, target)
    require_dtype(input.dtype, "f", "huber_cpu")
    difference = input - target
    loss = _smooth(difference, delta) * number(delta, difference)
    if weight is not None:
        _check_weight(weight, input)
        return reduced(loss.astype(input.dtype) * weight, reduction)
    return reduced(loss, reduction).astype(input.dtype)


@check_of(huber_loss, lambda witness, **_: RuntimeError("huber_loss does not support non-positive values for delta."))
def _(input: Tensor, target: Tensor, delta: Number = 1.0, **_: Any) -> tuple[Tensor, Tensor]:
    return jnp.asarray(delta) <= 0, jnp.zeros((), np.int64)


@jax.custom_jvp
def _cross_entropy_of_probabilities(x: Tensor, t: Tensor) -> Tensor:
    """``-(t log x + (1 - t) log(1 - x))``, the logarithms no lower than -100."""
    floor = jnp.asarray(-100, x.dtype)
    log_x, log_rest = (jnp.maximum(jnp.log(x), floor), jnp.maximum(jnp.log1p(-x), floor))
    return (t - 1) * log_rest - t * log_x


@_cross_entropy_of_probabilities.defjvp
def _(primals, tangents):
    """PyTorch's derivatives: by ``x`` with the denominator at least 1e-12, by ``t`` without the floor of -100."""
    (x, t), (dx, dt) = primals, tangents
    slope = (x - t) / jnp.maximum((1 - x) * x, jnp.asarray(1e-12, x.dtype))
    return _cross_entropy_of_probabilities(x, t), slope * dx + (jnp.log1p(-x) - jnp.log(x)) * dt


@op(namespaces=FUNCTIONAL, node="BinaryCrossEntropyBackward0")
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(target * log(input) + (1 - target) * log(1 - input))`` of probabilities, logarithms no lower than -100.

    Probabilities outside 0 to 1 are refused. ``weight`` broadcasts to the target; the mean does not divide by it.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size (torch.Size({list(target.shape)})) that is different to the input size "
            f"(torch.Size({list(input.shape)})) is deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        _check_bce_weight(weight, target)
    require_dtype(input.dtype, "f", "binary_cross_entropy")
    if target.dtype != input.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(target.dtype)} but expected {scalar_name(input.dtype)}")
    loss = _cross_entropy_of_probabilities(widen(input), widen(target))
    if weight is not None:
        loss = loss * weight.astype(loss.dtype)
    return reduced(loss, reduction).astype(input.dtype)


def _check_bce_weight(weight: Tensor, target: Tensor) -> None:
    shape, wanted = list(weight.shape), list(target.shape)
    for i in range(1, min(weight.ndim, target.ndim) + 1):
        if weight.shape[-i] != target.shape[-i] and 1 not in (weight.shape[-i], target.shape[-i]):
            raise RuntimeError(
                f"Attempting to broadcast a dimension of length {weight.shape[-i]} at {-i}! Mismatching argument at "
                f"index 1 had torch.Size({shape}); but expected shape should be broadcastable to {wanted}"
            )
    common = broadcast_shapes(target.shape, weight.shape)
    if common != target.shape:
        raise RuntimeError(f"output with shape {wanted} doesn't match the broadcast shape {list(common)}")


def _bce_error(witness: int, **_: Any) -> Exception:
    return RuntimeError(f"all elements of {'input' if witness == 0 else 'target'} should be between 0 and 1")


@check_of(binary_cross_entropy, _bce_error)
def _(input: Tensor, target: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    outside_input, outside_target = (~((x >= 0) & (x <= 1)).all() for x in (input, target))
    return outside_input | outside_target, jnp.where(outside_input, 0, 1).astype(np.int64)


@op(
    namespaces=FUNCTIONAL,
    node="BinaryCrossEntropyWithLogitsBackward0",
    grad_node="DivBackward1",
)
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``binary_cross_entropy`` of ``sigmoid(input)``, without overflow.

    ``pos_weight`` weighs the positive part, by class; ``weight`` the whole. The result has the target's dtype.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size (torch.Size({list(target.shape)})) must be the same as input size "
            f"(torch.Size({list(input.shape)}))"
        )
    require_dtype(input.dtype, "f", "log_sigmoid_cpu")
    if is_integral(target.dtype):
        raise RuntimeError(
            f"result type {scalar_name(input.dtype)} can't be cast to the desired output type "
            f"{scalar_name(target.dtype)}"
        )
    log_sigmoid = logsigmoid(input)
    if pos_weight is not None:
        check_broadcast(pos_weight, target)
        log_sigmoid = ((pos_weight - 1) * target + 1) * log_sigmoid
    loss = (1 - target) * input - log_sigmoid
    if weight is not None:
        check_broadcast(loss, weight)
        loss = loss * weight.astype(loss.dtype)
    return reduced(loss, reduction).astype(target.dtype)


def _kl_node(log_target: bool = False, **static: Any) -> str:
    if static.get("reduction") == "batchmean":
        return "DivBackward0"
    return node_by_reduction("MulBackward0" if log_target else "SubBackward0")(**static)


@op(promote=("input", "target"), namespaces=FUNCTIONAL, node=_kl_node, grad_node="MulBackward0")
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target * (log(target) - input)``: ``input`` holds log-probabilities, ``target`` too with ``log_target``.

    ``'batchmean'`` divides the sum by the size of dimension 0: the divergence as mathematics has it.
    """
    if size_average is not None or reduce is not None or reduction != "batchmean":
        reduction = effective_reduction(size_average, reduce, reduction)
        check_reduction(reduction)
    if is_integral(input.dtype):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if is_complex(input.dtype):
        raise RuntimeError("kl_div: Complex inputs not supported.")
    check_broadcast(target, input)
    if log_target:
        loss = jnp.exp(target) * (target - input)
    else:
        loss = xlogy(target, target) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return reduced(loss, reduction)


def _poisson_node(full: bool = False, **static: Any) -> str:
    return node_by_reduction("AddBackward0" if full else "SubBackward0")(**static)


@op(
    promote=("input", "target"),
    int_to_float=True,
    namespaces=("nn.functional",),
    node=_poisson_node,
    grad_node="AddBackward0",
)
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: Number = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of counts: ``exp(input) - target * input``.

    Without ``log_input`` the input is the rate, not its logarithm. ``full`` adds Stirling's approximation of ``log(target!)`` where the target is greater than 1.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    check_broadcast(target, input)
    if log_input:
        loss = jnp.exp(input) - target * input
    else:
        loss = input - target * jnp.log(input + number(eps, input))
    if full:
        stirling = target * jnp.log(target) - target + jnp.log(2 * math.pi * target) / 2
        loss = loss + jnp.where(target <= 1, jnp.zeros((), target.dtype), stirling)
    return reduced(loss, reduction)


def _gaussian_node(full: bool = False, **static: Any) -> str:
    return node_by_reduction("AddBackward0" if full else "MulBackward0")(**static)


@op(
    saves="nothing",
    promote=("input", "target", "var"),
    namespaces=FUNCTIONAL,
    node=_gaussian_node,
    grad_node="MulBackward0",
)
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | Number,
    full: bool = False,
    eps: Number = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """``(log(var) + (input - target) ** 2 / var) / 2``, the variance at least ``eps``; ``full`` adds ``log(2 pi) / 2``.

    ``var`` is a number, or has the input's shape, that shape without its last dimension, or one dimension of
    size 1 instead. Negative variances are refused.
    """
    if jnp.ndim(var) and var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var[..., None]
        elif var.ndim != input.ndim or sum(n for m, n in zip(input.shape, var.shape, strict=True) if m != n) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    check_broadcast(input, target)
    variance = at_least(jnp.broadcast_to(var, jnp.shape(var) or input.shape), number(eps, input))
    require_dtype(input.dtype, "f", "lt_cpu")
    difference = input - target
    loss = (jnp.log(variance) + difference * difference / variance) / 2
    if full:
        loss = loss + math.log(2 * math.pi) / 2
    return reduced(loss, reduction)


@check_of(gaussian_nll_loss, lambda witness, **_: ValueError("var has negative entry/entries"))
def _(input: Tensor, target: Tensor, var: Tensor | Number, **_: Any) -> tuple[Tensor, Tensor]:
    return (var < 0).any(), jnp.zeros((), np.int64)


@op(saves="nothing", namespaces=FUNCTIONAL, node=node_by_reduction("AddBackward0"), grad_node="AddBackward0")
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: Number = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    check_broadcast(target, input)
    refuse_bool_subtraction(input.dtype)
    if is_complex(input.dtype):
        raise NotImplementedError("clamp is not supported for complex types")
    target = lax.stop_gradient(target)
    zero = jnp.zeros((), input.dtype)
    apart = jnp.where(target != 1, rectified(number(margin, input) - input), zero)
    return reduced(apart + jnp.where(target != -1, input, zero), reduction)


def _odds(x: Tensor, y: Tensor) -> Tensor:
    """``exp(-y * x)``, rounded to the operands' half type here: PyTorch's overflows there."""
    return rounded(jnp.exp(rounded(-y * x)))


@jax.custom_jvp
def _soft_margin(x: Tensor, y: Tensor) -> Tensor:
    return jnp.log1p(_odds(x, y))


@jax.custom_jvp
def _soft_margin_slope(x: Tensor, y: Tensor) -> Tensor:
    odds = _odds(x, y)
    return -rounded(y * odds) / (1 + odds)


def _odds_share(x: Tensor, y: Tensor) -> Tensor:
    odds = _odds(x, y)
    return odds / (1 + odds)


# Written out so that the second derivative does not cancel; NaN where exp overflows, as in PyTorch.
_soft_margin.defjvps(
    lambda t, ans, x, y: t * _soft_margin_slope(x, y), lambda t, ans, x, y: t * _soft_margin_slope(y, x)
)
_soft_margin_slope.defjvps(
    lambda t, ans, x, y: t * y * y * _odds_share(x, y) * (1 - _odds_share(x, y)),
    lambda t, ans, x, y: t * _odds_share(x, y) * (y * x * (1 - _odds_share(x, y)) - 1),
)


@op(namespaces=FUNCTIONAL, node="SoftMarginLossBackward0")
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target * input))``, of the input's dtype; it overflows where PyTorch's does."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    check_broadcast(input, target)
    refuse_bool_negation(target.dtype)
    require_dtype(target.dtype, "ifc", "neg_cpu")
    if is_integral(input.dtype):
        float_, integer = scalar_name(default_float()), scalar_name(input.dtype)
        raise RuntimeError(f"result type {float_} can't be cast to the desired output type {integer}")
    common = jnp.promote_types(input.dtype, target.dtype)
    loss = _soft_margin(input.astype(common), target.astype(common)).astype(input.dtype)
    return reduced(widen(loss), reduction).astype(input.dtype)
