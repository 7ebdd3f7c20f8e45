"""Conversions between dtypes as PyTorch makes them, and the ops that copy.

XLA saturates where C++ wraps: a float outside an integer's range, or NaN, gives what x86 gives in PyTorch.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..broadcasting import broadcast_shapes
from ..inplace_rules import COPY, EXPANDED, FILL
from ..registry import DType, Number, Tensor, op
from ..scalar_types import is_complex


def convert(x, dtype: DType):
    """``x`` in ``dtype``: complex to real drops the imaginary part, floats to integers as C++ casts on x86."""
    if dtype is None or x.dtype == dtype:
        return x
    if is_complex(x.dtype) and not is_complex(dtype):
        if dtype.kind == "b":
            return x != 0
        x = x.real
    if x.dtype.kind in "fV" and dtype.kind in "iu":
        return _float_to_int(x, dtype)
    return x.astype(dtype)


def _float_to_int(x, dtype: np.dtype):
    """Through int32 (int64 for uint8 and int64), whose out-of-range result is the smallest integer, then wrapped."""
    wide = np.dtype(np.int32) if dtype in (np.int8, np.int16, np.int32) else np.dtype(np.int64)
    x = x.astype(jnp.float64)
    low, high = float(np.iinfo(wide).min), -float(np.iinfo(wide).min)
    inside = (x >= low) & (x < high)
    if wide == np.int32:
        inside = (x > low - 1) & (x < high)
    return jnp.where(inside, jnp.where(inside, x, 0).astype(wide), np.iinfo(wide).min).astype(dtype)


@op(name="to.dtype", node="ToCopyBackward0", grad_node="ToCopyBackward0")
def to_dtype(input: Tensor, dtype: DType) -> Tensor:
    """``input`` converted to ``dtype``."""
    return convert(input, dtype)


@op(node="CloneBackward0", grad_node="CloneBackward0")
def clone(input: Tensor, *, memory_format: object = None) -> Tensor:
    """A copy of ``input`` with its own memory. Gradients flow through it."""
    return input


@op(inplace=COPY, name="copy", namespaces=(), node="CopyBackwards")
def copy(input: Tensor, src: Tensor, *, non_blocking: bool = False) -> Tensor:
    """``src`` broadcast to ``input``'s shape and converted to its dtype; ``copy_`` writes it."""
    if (shape := broadcast_shapes(input.shape, src.shape)) != input.shape:
        raise RuntimeError(f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(shape)}")
    return jnp.broadcast_to(convert(src, input.dtype), input.shape)


@op(inplace=FILL, fits=True, node=lambda numbers, **_: "FillBackward0" if numbers else "FillBackward1")
def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` in every place of a tensor of ``input``'s shape and dtype."""
    if value.ndim > 0:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    return jnp.broadcast_to(convert(value, input.dtype), input.shape)


@op(name="zero", namespaces=(), inplace=EXPANDED, node="ZeroBackward0")
def zero(input: Tensor) -> Tensor:
    """Zeros of ``input``'s shape and dtype."""
    return jnp.zeros(input.shape, input.dtype)
