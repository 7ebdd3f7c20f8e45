"""Normalizations that write running statistics: the functions of ``torch`` behind those of ``nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._ops.registry import OPS
from ..dispatch import call
from ..dtypes import of
from ..generate import OP_FUNCTIONS
from ..public import PUBLIC, public
from ..tensor import Tensor

_TORCH = PUBLIC["torch"]


def write_statistics(*pairs: tuple[Tensor | None, Tensor]) -> None:
    """Write the new running statistics, unseen by autograd."""
    for running, new in pairs:
        if running is not None:
            running._write(new._value())


def _trained(name: str, input: Tensor, weight: Any, bias: Any, running: tuple[Any, Any], momentum: float, eps: float):
    if input._aval.numel == 0 and name != "batch_norm":
        raise RuntimeError(
            f"input tensor must have at least one element, but got input_sizes = {list(input._aval.shape)}"
        )
    outputs = call(OPS["native_batch_norm.train"], (input, weight, bias, *running, momentum, eps))
    write_statistics((running[0], outputs[3]), (running[1], outputs[4]))
    return outputs[:3]


def _native(
    input: Tensor, weight: Any, bias: Any, running: tuple[Any, Any], training: bool, momentum: float, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    if training:
        return _trained("native_batch_norm", input, weight, bias, running, momentum, eps)
    output = OP_FUNCTIONS["batch_norm.eval"](input, *running, weight, bias, eps)
    dtype = next((p.dtype for p in (weight, bias, *running) if p is not None), input.dtype)
    return output, _TORCH["empty"](0, dtype=dtype), _TORCH["empty"](0, dtype=dtype)


@public("torch")
def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    *,
    out: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalization, the batch's means and its reciprocal standard deviations (empty in evaluation)."""
    results = _native(input, weight, bias, (running_mean, running_var), training, momentum, eps)
    if out is None:
        return results
    return tuple(o.resize_(r.shape).copy_(r) for o, r in zip(out, results, strict=True))  # type: ignore[return-value]


@public("torch")
def _native_batch_norm_legit(
    input: Tensor, weight: Any, bias: Any, *rest: Any, out: Any = None, **named: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """``native_batch_norm``; the running statistics may be left out."""
    names = ("training", "momentum", "eps")
    given = dict(zip(("running_mean", "running_var", *names) if len(rest) > 3 else names, rest, strict=False)) | named
    if "running_mean" not in given:
        args = [given[name] for name in names]
        return _trained("native_batch_norm", input, weight, bias, (None, None), *args[1:])
    return native_batch_norm(input, weight, bias, **given, out=out)


@public("torch")
def _batch_norm_with_update(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``native_batch_norm`` while training, with what a GPU's kernel keeps for its gradient: nothing."""
    running = (running_mean, running_var)
    output, mean, inverse = _trained("_batch_norm_with_update", input, weight, bias, running, momentum, eps)
    return output, mean, inverse, _TORCH["empty"](0, dtype=of(np.uint8))


@public("torch")
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """``nn.functional.batch_norm`` with the parameters in the operator's order."""
    running = (running_mean, running_var)
    if not training:
        return OP_FUNCTIONS["batch_norm.eval"](input, *running, weight, bias, eps)
    return _trained("batch_norm", input, weight, bias, running, momentum, eps)[0]


@public("torch")
def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """``nn.functional.instance_norm`` with the parameters in the operator's order."""
    running = (running_mean, running_var)
    if not use_input_stats:
        return OP_FUNCTIONS["instance_norm.eval"](input, *running, weight, bias, eps)
    outputs = OP_FUNCTIONS["instance_norm.train"](input, *running, weight, bias, momentum, eps)
    write_statistics((running_mean, outputs[1]), (running_var, outputs[2]))
    return outputs[0]
