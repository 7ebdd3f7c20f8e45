"""Conversions between dtypes as PyTorch makes them, and the ops that copy.

XLA saturates where C++ wraps: a float outside an integer's range, or NaN, gives what x86 gives in PyTorch.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from .broadcasting import broadcast_shapes
from .registry import DType, Number, Tensor, op
from .scalar_types import is_complex, scalar_name


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
    """Through int64 (int32 for int32), whose out-of-range result is the smallest integer, then wrapped."""
    wide = np.dtype(np.int32) if dtype == np.int32 else np.dtype(np.int64)
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


@op(name="copy", namespaces=(), node="CopyBackwards")
def copy(input: Tensor, src: Tensor, *, non_blocking: bool = False) -> Tensor:
    """``src`` broadcast to ``input``'s shape and converted to its dtype; ``copy_`` writes it."""
    if (shape := broadcast_shapes(input.shape, src.shape)) != input.shape:
        raise RuntimeError(f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(shape)}")
    return jnp.broadcast_to(convert(src, input.dtype), input.shape)


@op(fits=True, node=lambda numbers, **_: "FillBackward0" if numbers else "FillBackward1")
def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` in every place of a tensor of ``input``'s shape and dtype."""
    if value.ndim > 0:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    return jnp.broadcast_to(convert(value, input.dtype), input.shape)


@op(name="zero", namespaces=(), inplace=True, node="ZeroBackward0")
def zero(input: Tensor) -> Tensor:
    """Zeros of ``input``'s shape and dtype."""
    return jnp.zeros(input.shape, input.dtype)


@op(name="complex.parts", node="ComplexBackward0")
def complex_parts(real: Tensor, imag: Tensor) -> Tensor:
    """A complex tensor of its real and imaginary parts, broadcast."""
    if real.dtype != imag.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {scalar_name(real.dtype)} but got scalar type {scalar_name(imag.dtype)} "
            "for second argument"
        )
    if real.dtype not in (np.float32, np.float64):
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {scalar_name(real.dtype)} and "
            f"{scalar_name(imag.dtype)}"
        )
    real, imag = jnp.broadcast_arrays(real, imag)
    return lax.complex(real, imag)
