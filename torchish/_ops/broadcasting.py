"""PyTorch's broadcasting rule, with its error text.

JAX broadcasts by the same rule and words its errors differently, so an op that broadcasts calls
``check_broadcast`` first and leaves the broadcasting itself to JAX.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .kernel_dtypes import half_in_float32

Shape = tuple[int, ...]


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape of ``shapes``.

    Raises RuntimeError, as PyTorch does, at the last dimension in which two sizes differ and neither
    is 1. Its "tensor a" is the common shape of everything before "tensor b".

    >>> broadcast_shapes((3, 1), (4,), ())
    (3, 4)
    >>> broadcast_shapes((2, 3), (2, 4))
    Traceback (most recent call last):
    RuntimeError: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1
    """
    common: Shape = ()
    for shape in shapes:
        common = _merge(common, tuple(shape))
    return common


def _merge(a: Shape, b: Shape) -> Shape:
    ndim = max(len(a), len(b))
    padded_a, padded_b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    for dim in reversed(range(ndim)):
        size_a, size_b = padded_a[dim], padded_b[dim]
        if size_a != size_b and size_a != 1 and size_b != 1:
            raise RuntimeError(
                f"The size of tensor a ({size_a}) must match the size of tensor b ({size_b}) "
                f"at non-singleton dimension {dim}"
            )
    return tuple(y if x == 1 else x for x, y in zip(padded_a, padded_b, strict=True))


def broadcast_to(x: jax.Array, shape: Shape) -> jax.Array:
    """``x`` repeated to ``shape``. What comes back to a half type is summed in float32, as in PyTorch."""
    return half_in_float32(lambda y: jnp.broadcast_to(y, shape))(x)


def check_broadcast(*operands: jax.typing.ArrayLike) -> Shape:
    """The common shape of ``operands`` (numbers have shape ``()``); PyTorch's error where there is none."""
    return broadcast_shapes(*(jnp.shape(x) for x in operands))
