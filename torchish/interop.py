"""JAX beside torchish: tensors as arrays, arrays as tensors, and torchish functions as pure JAX functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from ._core.dispatch import wrap
from ._core.tensor import Tensor
from ._exec.placement import of_jax_device
from ._exec.statistics import Reason
from ._exec.value import concrete
from ._exec.window import THREADS, flush, materialise

__all__ = ["from_jax", "functional", "to_jax"]

F = TypeVar("F", bound=Callable[..., Any])


def to_jax(tensor: Tensor) -> jax.Array:
    """The tensor's data as a ``jax.Array``, without a copy; later writes to the tensor do not reach it.

    >>> import torchish as torch
    >>> from torchish.interop import to_jax
    >>> to_jax(torch.ones(2)).sum().item()
    2.0
    """
    return materialise(tensor._value())


def from_jax(array: Any) -> Tensor:
    """A tensor of a ``jax.Array``'s data, without a copy. Writes to the tensor leave the array as it is.

    >>> import jax.numpy as jnp
    >>> from torchish.interop import from_jax
    >>> from_jax(jnp.arange(3))
    tensor([0, 1, 2])
    """
    if isinstance(array, jax.core.Tracer):
        return _traced(array)
    array = jnp.asarray(array)
    devices = array.devices()
    if len(devices) != 1:
        raise ValueError(f"from_jax takes an array on one device; this one is spread over {len(devices)}")
    return wrap(concrete(array, of_jax_device(next(iter(devices)))))


def _traced(array: Any) -> Tensor:
    array = jnp.asarray(array)
    devices = () if isinstance(array, jax.core.Tracer) else tuple(array.devices())
    return wrap(concrete(array, of_jax_device(devices[0] if len(devices) == 1 else _default_device())))


def _default_device() -> jax.Device:
    """Where JAX computes what lies nowhere yet, such as a tracer."""
    device = jax.config.jax_default_device  # type: ignore[attr-defined]
    return device if isinstance(device, jax.Device) else jax.devices(device)[0]


def functional(function: F) -> F:
    """``function``, written on Tensors, as a pure function of JAX arrays.

    Its array arguments become Tensors (in nested lists, tuples and dicts too), its Tensor results arrays. The
    result is what ``jax.jit``, ``jax.grad`` and ``jax.vmap`` take. Tensors that the function closes over are
    constants; writing to them inside is refused.

    >>> import jax, jax.numpy as jnp, torchish as torch
    >>> from torchish.interop import functional
    >>> f = functional(lambda x: (x * x).sum())
    >>> jax.grad(f)(jnp.array([1.0, 2.0]))
    Array([2., 4.], dtype=float64)
    """

    @functools.wraps(function)
    def pure(*args: Any, **kwargs: Any) -> Any:
        context = THREADS.context
        if context.trace is None:
            with jax.ensure_compile_time_eval():  # what is pending is no part of the function
                flush(context.window, Reason.SYNCHRONISE)
        before, context.trace = context.trace, object()
        try:
            args, kwargs = jax.tree.map(lambda x: _traced(x) if isinstance(x, jax.Array) else x, (args, kwargs))
            result = function(*args, **kwargs)
            return jax.tree.map(
                lambda x: materialise(x._value()) if isinstance(x, Tensor) else x,
                result,
                is_leaf=lambda x: isinstance(x, Tensor),
            )
        finally:
            context.trace = before

    return pure  # type: ignore[return-value]
