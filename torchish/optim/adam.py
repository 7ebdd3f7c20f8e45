"""Adam, and AdamW, whose weight decay does not pass through the moments."""

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
    zero_count,
    zeros,
)

__all__ = ["Adam", "AdamW"]


def _check_tensors(lr: Any, betas: tuple[Any, Any], foreach: bool | None, capturable: bool) -> None:
    """PyTorch's rules for hyperparameters given as tensors."""
    if isinstance(lr, Tensor):
        if foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_tensor_hyperparameter("lr", lr)


def _check_tensor_betas(betas: tuple[Any, Any], foreach: bool | None, capturable: bool) -> None:
    both_numbers = all(isinstance(beta, (int, float)) for beta in betas)
    if not (both_numbers or all(isinstance(beta, Tensor) for beta in betas)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor):
            if not capturable and foreach:
                raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True")
            check_tensor_hyperparameter(f"betas[{i}]", beta)


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015).

    Args:
        params: parameters or groups of them.
        lr: learning rate, a number or a one-element tensor.
        betas: how much of the running means of the gradient and of its square is kept.
        eps: added to the denominator, after the bias correction.
        weight_decay: how much of the parameter is added to its gradient.
        amsgrad: divide by the largest second moment so far (Reddi et al., 2018).
        maximize: climb instead.
        foreach, fused, capturable: checked as PyTorch checks them; a step is one fused operation in any case,
            and its step count is never read back.
        differentiable: True is not implemented.
        decoupled_weight_decay: decay the parameter itself: :class:`AdamW`.

    Follows https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_tensors(lr, betas, foreach, capturable)
        if not 0.0 <= lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        _check_tensor_betas(betas, foreach, capturable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_fused(self, fused, foreach, differentiable)
        refuse_differentiable(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            group.setdefault("fused", None)
            for param in group["params"]:
                own = self.state.get(param, {})
                if own and not isinstance(own["step"], Tensor):
                    # Old checkpoints counted in Python.
                    own["step"] = zero_count(param) + float(own["step"])

    def _state_of(self, param: Tensor, amsgrad: bool) -> dict[str, Tensor]:
        state = self.state[param]
        if not state:
            state["step"] = zero_count(param)
            for name in ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if amsgrad else ())):
                state[name] = zeros(param)
        return state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns what ``closure`` returned."""
        loss = evaluate(closure)
        for group in self.param_groups:
            for params in with_grads(group):
                self._update(group, params)
        return loss

    def _update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        amsgrad = bool(group["amsgrad"])
        if group["capturable"] and any(param.device.type == "cpu" for param in params):
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: "
                "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla']."
            )
        states = [self._state_of(param, amsgrad) for param in params]
        exp_avgs, exp_avg_sqs, steps = ([s[name] for s in states] for name in ("exp_avg", "exp_avg_sq", "step"))
        max_exp_avg_sqs = [state["max_exp_avg_sq"] for state in states] if amsgrad else []
        beta1, beta2 = group["betas"]
        sharing: dict[Any, list[Tensor]] = {}  # steps that are one and the same Value
        for step in steps:
            sharing.setdefault(step._value(), []).append(step)
        index = {value: i for i, value in enumerate(sharing)}
        update(
            "adam_step",
            [*params, *exp_avgs, *exp_avg_sqs, *max_exp_avg_sqs, *sharing.values()],
            params,
            [param.grad for param in params],
            exp_avgs,
            exp_avg_sqs,
            max_exp_avg_sqs,
            list(sharing),
            step_of=tuple([index[step._value()] for step in steps]),
            lr=as_number(group["lr"]),
            beta1=as_number(beta1),
            beta2=as_number(beta2),
            eps=as_number(group["eps"]),
            weight_decay=as_number(group["weight_decay"]),
            decoupled=bool(group["decoupled_weight_decay"]),
            maximize=bool(group["maximize"]),
            has_weight_decay=is_nonzero(group["weight_decay"]),
        )


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019); the arguments of :class:`Adam`.

    Follows https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
