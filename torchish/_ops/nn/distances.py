"""Distances and similarities of vectors, and the losses on pairs and triplets of them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import broadcast_shapes, check_broadcast
from ..dims import at_least_1d, normalize_dim
from ..elementwise.pointwise import refuse_bool_operand, refuse_bool_subtraction
from ..elementwise.unary import refuse_bool_negation
from ..kernel_dtypes import half_in_float32
from ..reductions.reduction import linalg_vector_norm
from ..registry import Number, Tensor, check_of, op, validation_of
from ..scalar_types import is_bool, is_complex, is_floating, is_integral, scalar_name
from .losses import (
    FUNCTIONAL,
    at_least,
    check_reduction,
    effective_reduction,
    node_by_reduction,
    number,
    rectified,
    reduced,
)


@op(promote=("x1", "x2"), namespaces=("torch", "nn.functional"), node="SumBackward1", grad_node="AddBackward0")
@half_in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: Number = 1e-8) -> Tensor:
    """The cosine of the angle between the vectors along ``dim``, whose norms count as at least ``eps``."""
    if not is_floating(x1.dtype):
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {scalar_name(x1.dtype)}")
    shape = check_broadcast(x1, x2)
    normalize_dim(dim, len(shape))
    a, b = (at_least_1d(jnp.broadcast_to(x, shape)) for x in (x1, x2))
    floor = number(eps, x1)
    # The floor is put under the norms outside of autograd: a zero vector has a finite and huge gradient.
    norms = [at_least(linalg_vector_norm(x, 2, dim, True), floor) for x in (a, b)]
    return ((a / norms[0]) * (b / norms[1])).sum(dim)


def _negative_eps(witness: int, eps: Any = None, **_: Any) -> Exception:
    return RuntimeError(f"eps must be non-negative, got: {witness}")


@check_of(cosine_similarity, _negative_eps)
def _(x1: Tensor, x2: Tensor, eps: Number = 1e-8, **_: Any) -> tuple[Tensor, Tensor]:
    return jnp.asarray(eps) < 0, jnp.asarray(eps).astype(np.int64)


@op(
    saves="nothing",
    promote=("x1", "x2"),
    int_to_float=True,
    namespaces=("torch", "nn.functional"),
    node="NormBackward1",
    grad_node="MulBackward0",
)
@half_in_float32
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: Number = 1e-6, keepdim: bool = False) -> Tensor:
    """The ``p``-norm along the last dimension of ``x1 - x2 + eps``; its derivative at 0 is 0."""
    check_broadcast(x1, x2)
    return linalg_vector_norm(x1 - x2 + number(eps, x1), p, -1, keepdim)


@op(
    saves="nothing",
    promote=("input1", "input2", "target"),
    int_to_float=True,
    namespaces=FUNCTIONAL,
    node=node_by_reduction("ClampMinBackward0"),
    grad_node="MulBackward0",
)
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: Number = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``: a target of 1 asks for the first to be larger, -1 smaller."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        sizes = (f"torch.Size({list(x.shape)})" for x in (input1, input2, target))
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            "input1: {}, input2: {}, target: {} ".format(*sizes)
        )
    broadcast_shapes(target.shape, broadcast_shapes(input1.shape, input2.shape))
    if is_complex(input1.dtype):
        raise NotImplementedError("clamp is not supported for complex types")
    value = -target * (input1 - input2)
    return reduced(rectified(value + number(margin, value)), reduction)


@op(
    promote=("input1", "input2"),
    int_to_float=True,
    namespaces=FUNCTIONAL,
    node=node_by_reduction("AddBackward0"),
    grad_node="AddBackward0",
)
@half_in_float32
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: Number = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos`` of the two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1."""
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.ndim == input2.ndim == target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    check_broadcast(input1, input2)
    if is_complex(input1.dtype):
        raise NotImplementedError("clamp is not supported for complex types")
    product = (input1 * input2).sum(-1)
    # PyTorch's own constant keeps the norms from zero here.
    squares = [(x * x).sum(-1) + jnp.asarray(1e-12, x.dtype) for x in (input1, input2)]
    cosine = product / jnp.sqrt(squares[0] * squares[1])
    check_broadcast(target, cosine)
    zero = jnp.zeros((), cosine.dtype)
    alike = jnp.where(target == 1, 1 - cosine, zero)
    apart = jnp.where(target == -1, rectified(cosine - number(margin, cosine)), zero)
    return reduced(alike + apart, reduction)


@op(
    saves="nothing",
    promote=("anchor", "positive", "negative"),
    int_to_float=True,
    namespaces=FUNCTIONAL,
    node=node_by_reduction("ClampMinBackward0"),
    grad_node="AddBackward0",
)
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: Number = 1.0,
    p: float = 2,
    eps: Number = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` of ``pairwise_distance``.

    ``swap`` takes the distance of the positive and the negative where it is the smaller one.
    """
    reduction = effective_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = jnp.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(rectified(near - far + number(margin, near)), reduction)


def _margin_error(witness: int, margin: Any = 1.0, **_: Any) -> Exception:
    shown = witness if margin is int else float(np.int64(witness).view(np.float64))
    return ValueError(f"margin must be greater than 0, got {shown}")


@check_of(triplet_margin_loss, _margin_error)
def _(anchor: Tensor, positive: Tensor, negative: Tensor, margin: Number = 1.0, **_: Any) -> tuple[Tensor, Tensor]:
    value = jnp.asarray(margin)
    # The witness is an int64: of a float margin it carries the bits.
    bits = value if is_integral(value.dtype) else lax.bitcast_convert_type(value.astype(np.float64), np.int64)
    return value <= 0, bits.astype(np.int64)


@validation_of(margin_ranking_loss)
def _no_bool_difference(dtypes: dict[str, np.dtype]) -> None:
    """Promotion makes floats of all; PyTorch subtracts first."""
    if is_bool(dtypes["input1"]) and is_bool(dtypes["input2"]):
        refuse_bool_subtraction(dtypes["input1"])
    for name in ("input1", "input2"):
        refuse_bool_operand(dtypes[name])
    refuse_bool_negation(dtypes["target"])
