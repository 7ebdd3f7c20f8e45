"""The identity that marks one side of a module with backward hooks in the autograd graph."""

from __future__ import annotations

from ..registry import Tensor, Tensors, op


@op(namespaces=(), node="BackwardHookFunctionBackward")
def module_boundary(tensors: Tensors) -> tuple[Tensor, ...]:
    """The tensors as they are, through one node: its pre-hooks and hooks see all their gradients together."""
    return tuple(tensors)
