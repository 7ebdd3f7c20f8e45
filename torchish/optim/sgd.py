"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torchish._core.dispatch import update
from torchish._core.tensor import Tensor

from .optimizer import (
    Optimizer,
    as_number,
    check_fused,
    check_tensor_hyperparameter,
    evaluate,
    is_nonzero,
    refuse_differentiable,
    with_grads,
    zeros,
)

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where asked for.

    Args:
        params: parameters or groups of them.
        lr: learning rate, a number or a one-element tensor.
        momentum: how much of the last direction is kept.
        dampening: how much less the gradient weighs in the direction; not in a parameter's first step.
        weight_decay: how much of the parameter is added to its gradient.
        nesterov: look ahead by one step of momentum.
        maximize: climb instead.
        foreach, fused: checked as PyTorch checks them; a step is one fused operation in any case.
        differentiable: True is not implemented.

    Follows https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_tensor_hyperparameter("lr", lr)
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused(self, fused, foreach, differentiable)
        refuse_differentiable(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in (("nesterov", False), ("maximize", False), ("differentiable", False)):
                group.setdefault(name, default)
            group.setdefault("foreach", None)
            group.setdefault("fused", None)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns what ``closure`` returned."""
        loss = evaluate(closure)
        for group in self.param_groups:
            for params in with_grads(group):
                if not is_nonzero(group["momentum"]):
                    self._update(group, params, [], 1.0)
                    continue
                # The first momentum buffer is the gradient itself: zeros, without dampening.
                new, old = [], []
                for param in params:
                    state = self.state[param]
                    if state.get("momentum_buffer") is None:
                        state["momentum_buffer"] = zeros(param)
                        new.append(param)
                    else:
                        old.append(param)
                for some, gradient_weight in ((new, 1.0), (old, 1 - group["dampening"])):
                    if some:
                        buffers = [self.state[param]["momentum_buffer"] for param in some]
                        self._update(group, some, buffers, gradient_weight)
        return loss

    def _update(
        self, group: dict[str, Any], params: list[Tensor], buffers: list[Tensor], gradient_weight: float
    ) -> None:
        update(
            "sgd_step",
            [*params, *buffers],
            params,
            [param.grad for param in params],
            buffers,
            lr=as_number(group["lr"]),
            momentum=as_number(group["momentum"]),
            gradient_weight=as_number(gradient_weight),
            weight_decay=as_number(group["weight_decay"]),
            nesterov=bool(group["nesterov"]),
            maximize=bool(group["maximize"]),
            has_weight_decay=is_nonzero(group["weight_decay"]),
        )
