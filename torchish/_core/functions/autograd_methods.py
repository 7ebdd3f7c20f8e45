"""Tensor methods of autograd: ``backward``, hooks, ``retain_grad``."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..graph import AccumulateGrad, RemovableHandle, add_hook
from ..public import public
from ..tensor import Tensor


@public("Tensor")
def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add this tensor's gradient to the ``grad`` of the leaves it came from.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
    """
    from ... import autograd

    autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


@public("Tensor")
def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Call ``hook(grad)`` whenever this tensor's gradient is computed; it may return another gradient."""
    edge = self._current_edge()
    if edge is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    node, number = edge
    return add_hook(node.own_hooks().tensor.setdefault(number, OrderedDict()), hook)


@public("Tensor")
def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """Call ``hook(tensor)`` after a gradient was added to this leaf's ``grad``."""
    edge = self._current_edge()
    if edge is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not isinstance(edge[0], AccumulateGrad):
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    return add_hook(edge[0].post_accumulate, hook)


@public("Tensor")
def retain_grad(self: Tensor) -> None:
    """Let ``backward()`` fill this non-leaf's ``grad`` too."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if self._edge is None or isinstance(self._edge[0], AccumulateGrad):
        return
    node, number = self._current_edge()  # type: ignore[misc]
    node.own_hooks().retained[number] = weakref.ref(self)
    self._extras()["retain"] = True
