"""Clipping gradients, by their joint norm or by value."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import torchish
from torchish._core.dispatch import call, update
from torchish._core.tensor import Tensor
from torchish._ops.registry import OPS

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _grads(parameters: list[Tensor]) -> list[Tensor]:
    return [param.grad for param in parameters if param.grad is not None]


def _by_device(tensors: list[Tensor]) -> list[list[Tensor]]:
    groups: dict[Any, list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.device, []).append(tensor)
    return list(groups.values())


def _total_norm(tensors: list[Tensor], norm_type: float) -> Tensor:
    groups = _by_device(tensors)
    norms = [call(OPS["total_norm"], (group,), (norm_type,)) for group in groups]
    if len(norms) == 1:
        return norms[0]
    return _total_norm([norm.to(norms[0].device) for norm in norms], norm_type)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of the tensors' norms: that of all of them as one vector.

    Args:
        tensors: one, or several.
        norm_type: p of the p-norm; ``inf`` is the largest absolute value.
        error_if_nonfinite: raise RuntimeError where the norm is infinite or NaN.
        foreach: taken as PyTorch takes it, and of no effect: what is recorded is fused anyway.
    """
    listed = _listed(tensors)
    norm_type = float(norm_type)
    if not listed:
        return torchish.tensor(0.0)
    total = _total_norm(listed, norm_type)
    if error_if_nonfinite and bool(torchish.logical_or(total.isnan(), total.isinf())):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients, in place, by ``max_norm / (total_norm + 1e-6)`` where that is below 1."""
    grads = _grads(_listed(parameters))
    if not grads:
        return
    max_norm = float(max_norm)
    for some in _by_device(grads):
        norm = total_norm.to(some[0].device) if isinstance(total_norm, Tensor) else total_norm
        update("scale_to_norm", some, some, max_norm, norm)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients, in place, so that their joint norm is at most ``max_norm``.

    Returns the norm before clipping. The other arguments are those of :func:`get_total_norm`.
    """
    listed = _listed(parameters)
    max_norm = float(max_norm)
    if not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    total_norm = get_total_norm(_grads(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(parameters: Any, max_norm: float, *args: Any, **kwargs: Any) -> Tensor:
    """The old name of :func:`clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, *args, **kwargs)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of the gradients, in place, to ``[-clip_value, clip_value]``."""
    bound = float(clip_value)
    with torchish.no_grad():
        for grad in _grads(_listed(parameters)):
            grad.clamp_(min=-bound, max=bound)
