"""Dropout in its forms, the leaky rectifier with random slopes, and ``gumbel_softmax``: what draws and then runs an op."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._ops.random import sampling
from ..._ops.registry import OPS
from ..._ops.scalar_types import is_floating, scalar_name
from .. import random_ops
from ..device import placement_of
from ..dispatch import call
from ..dtypes import of
from ..generate import OP_FUNCTIONS
from ..inplace import call_inplace
from ..public import PUBLIC, public
from ..tensor import Tensor
from ..user_warnings import warn
from .random_functions import default_of, drawn, dropout_mask

_FUNCTIONAL = "nn.functional"
_TORCH = PUBLIC["torch"]


def require_probability(p: float, error: type[Exception]) -> None:
    if p < 0.0 or p > 1.0:
        shown = p if error is ValueError else f"{float(p):g}"
        raise error(f"dropout probability has to be between 0 and 1, but got {shown}")


def _channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a mask that drops whole channels."""
    if len(shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return (*shape[:2], *[1] * (len(shape) - 2))


def _dropped(input: Any, shape: tuple[int, ...], p: float, train: bool, inplace: bool) -> Tensor:
    if not train or p == 0.0 or input.numel() == 0:
        return input
    if p == 1.0:
        zeros = _TORCH["zeros_like"](input.detach())
        return input.mul_(zeros) if inplace else input * zeros
    mask = dropout_mask(input, shape, p)
    return input.mul_(mask) if inplace else input * mask


def _alpha_dropped(input: Any, shape: tuple[int, ...], p: float, train: bool, inplace: bool) -> Tensor:
    if not train or p == 0.0 or input.numel() == 0:
        return input
    if p == 1.0:
        return _dropped(input, shape, p, train, inplace)
    aval = input._aval
    noise = drawn(random_ops.draw_bernoulli(default_of(aval.placement), shape, aval.dtype, 1 - p), aval.placement)
    if not aval.inexact:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {scalar_name(aval.dtype)}")
    op = OPS["alpha_dropout.masked"]
    return call_inplace(op, (input, noise, p)) if inplace else call(op, (input, noise, p))


def _forms(name: str, run: Any, by_channel: bool, doc: str) -> None:
    """``torch.name(input, p, train)`` and ``torch.name_``."""

    def define(inplace: bool) -> None:
        def function(input: Tensor, p: float, train: bool) -> Tensor:
            require_probability(p, RuntimeError)
            shape = tuple(input.shape)
            if by_channel and train and p not in (0, 1) and input._aval.numel:
                shape = _channels(shape)
            return run(input, shape, float(p), train, inplace)

        function.__name__ = function.__qualname__ = name + "_" * inplace
        function.__doc__ = doc + (", in place." if inplace else ".")
        public("torch")(function)

    define(False)
    define(True)


_forms("dropout", _dropped, False, "Zero each element with probability ``p``, scale the rest, where ``train``")
_forms("feature_dropout", _dropped, True, "Zero each channel with probability ``p``, scale the rest, where ``train``")
_forms("alpha_dropout", _alpha_dropped, False, "Drop to SELU's limit with probability ``p``, where ``train``")
_forms("feature_alpha_dropout", _alpha_dropped, True, "``alpha_dropout`` of whole channels")


@public(_FUNCTIONAL, name="dropout")
def functional_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``, while training.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
    """
    require_probability(p, ValueError)
    return _dropped(input, tuple(input.shape), float(p), training, inplace)


@public(_FUNCTIONAL, name="alpha_dropout")
def functional_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Drop each element to SELU's negative limit with probability ``p``; mean and variance stay what they are.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html
    """
    require_probability(p, ValueError)
    return _alpha_dropped(input, tuple(input.shape), float(p), training, inplace)


@public(_FUNCTIONAL, name="feature_alpha_dropout")
def functional_feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """``alpha_dropout`` of whole channels, the second dimension.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html
    """
    require_probability(p, ValueError)
    shape = tuple(input.shape)
    active = training and p not in (0, 1) and input._aval.numel
    return _alpha_dropped(input, _channels(shape) if active else shape, float(p), training, inplace)


@public(_FUNCTIONAL)
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of ``(N, C, L)`` or ``(C, L)`` with probability ``p`` and scale the rest, while training."""
    require_probability(p, ValueError)
    shape = tuple(input.shape)
    if len(shape) not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {len(shape)}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    return _dropped(input, (*shape[:-1], 1), float(p), training, inplace)


def _warn_of_rank(name: str, rank: int, n: int) -> None:
    warn(
        f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {n} spatial dimensions, a channel dimension, "
        f"and an optional batch dimension (i.e. {n + 1}D or {n + 2}D inputs)."
    )


@public(_FUNCTIONAL)
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of ``(N, C, H, W)`` with probability ``p`` and scale the rest, while training."""
    require_probability(p, ValueError)
    shape = tuple(input.shape)
    if len(shape) not in (3, 4):
        _warn_of_rank("dropout2d", len(shape), 2)
    if len(shape) == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead."
        )
    active = training and p not in (0, 1) and input._aval.numel
    return _dropped(input, _channels(shape) if active else shape, float(p), training, inplace)


@public(_FUNCTIONAL)
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` with probability ``p``, while training."""
    require_probability(p, ValueError)
    shape = tuple(input.shape)
    if len(shape) not in (4, 5):
        _warn_of_rank("dropout3d", len(shape), 3)
    lead = shape[: 2 if len(shape) == 5 else 1]
    return _dropped(input, (*lead, *[1] * (len(shape) - len(lead))), float(p), training, inplace)


@public("torch")
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout, and the mask of what stays (bool)."""
    aval = input._aval
    if train is False or p == 0 or aval.numel == 0:
        return call(OPS["clone"], (input,), (None,)), _TORCH["ones_like"](input.detach(), dtype=of(np.bool_))  # type: ignore[attr-defined]
    if not aval.inexact:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {scalar_name(aval.dtype)}")
    source = default_of(aval.placement)
    mask = drawn(random_ops.draw_bernoulli(source, aval.shape, np.dtype(np.bool_), 1 - p), aval.placement)
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return call(OPS["native_dropout.masked"], (input, mask, scale)), mask


# The leaky rectifier with random slopes


def _slopes(input: Tensor, lower: float, upper: float, generator: Any) -> Tensor:
    """Uniform draws, as many as the input has elements that are not positive; zeros up to the input's size.

    How many the generator gives depends on the data, as in PyTorch, so pending work runs.
    """
    aval = input._aval
    source = generator or default_of(aval.placement)
    if not source.is_cpu:
        unit = drawn(random_ops.draw_uniform(source, (aval.numel,), np.dtype(np.float64)), aval.placement)
        return unit * (upper - lower) + lower  # type: ignore[operator]
    detached: Any = input.detach()  # type: ignore[attr-defined]
    count = int((detached <= 0).sum())
    draws = np.zeros(aval.numel)
    draws[:count] = sampling.u53(source.words64(count)) * (upper - lower) + lower
    return drawn(draws, placement_of(aval.placement))


def _rrelu(input: Tensor, lower: float, upper: float, training: bool, generator: Any, run: Any) -> Tensor:
    for name, bound in (("lower", lower), ("upper", upper)):
        if not np.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return run(OPS["rrelu.mean"], (input, (lower + upper) / 2))
    dtype = input._aval.dtype
    if not is_floating(dtype) or dtype == np.float16:
        raise NotImplementedError(f"\"rrelu_with_noise_out_cpu\" not implemented for '{scalar_name(dtype)}'")
    return run(OPS["rrelu.noise"], (input, _slopes(input, float(lower), float(upper), generator)))


@public("torch", name="rrelu")
def torch_rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Any = None
) -> Tensor:
    """``input`` where it is positive, elsewhere times a slope drawn from ``lower`` to ``upper``, or their mean."""
    return _rrelu(input, lower, upper, training, generator, call)


@public("torch", _FUNCTIONAL)
def rrelu_(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Any = None
) -> Tensor:
    """``rrelu``, in place."""

    def write(op: Any, operands: tuple) -> Tensor:
        return call_inplace(op, operands, node_name="RreluWithNoiseBackward1")

    return _rrelu(input, lower, upper, training, generator, write)


@public(_FUNCTIONAL)
def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """``input`` where it is positive, elsewhere times a slope: random while training, else the mean of the bounds.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html

    >>> import torchish as torch
    >>> torch.nn.functional.rrelu(torch.tensor([2.0, -2.0]), 0.25, 0.75)
    tensor([ 2., -1.])
    """
    return (rrelu_ if inplace else torch_rrelu)(input, lower, upper, training)


@public(_FUNCTIONAL)
def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-softmax distribution: softmax of the logits and Gumbel noise, over ``tau``.

    With ``hard`` the result is one-hot, and has the gradient of the soft one.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    noise = -_TORCH["empty_like"](logits.detach()).exponential_().log()  # type: ignore[attr-defined]
    soft = OP_FUNCTIONS["softmax"]((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.detach().max(dim, keepdim=True)[1]
    one_hot = _TORCH["zeros_like"](soft.detach()).scatter_(dim, index, 1.0)  # type: ignore[attr-defined]
    return one_hot - soft.detach() + soft
