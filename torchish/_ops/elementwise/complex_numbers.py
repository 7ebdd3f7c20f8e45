"""Complex numbers from their parts, and floating numbers taken apart."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import check_broadcast
from ..kernel_dtypes import require_dtype
from ..out_rules import FREXP, PARTS
from ..registry import Tensor, op
from ..scalar_types import complex_of, is_floating, scalar_name


def check_parts(first: Tensor, second: Tensor) -> None:
    """Raise PyTorch's error where two arrays are not parts of a complex one."""
    taken = (np.float16, np.float32, np.float64)
    if first.dtype not in taken or second.dtype not in taken:
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {scalar_name(first.dtype)} and "
            f"{scalar_name(second.dtype)}"
        )
    if first.dtype != second.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {scalar_name(first.dtype)} but got scalar type "
            f"{scalar_name(second.dtype)} for second argument"
        )
    complex_of(first.dtype)  # which may not exist


@op(name="complex.parts", node="ComplexBackward0", out=PARTS)
def complex_parts(real: Tensor, imag: Tensor) -> Tensor:
    """The complex numbers of these real and imaginary parts, broadcast. float32 or float64, both the same."""
    check_parts(real, imag)
    shape = check_broadcast(real, imag)
    return lax.complex(jnp.broadcast_to(real, shape), jnp.broadcast_to(imag, shape))


@op(namespaces=(), out=PARTS)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """The complex numbers of this absolute value and angle, broadcast. float32 or float64, both the same."""
    check_parts(abs, angle)
    if abs.dtype == np.float16:
        require_dtype(abs.dtype, "", "polar_cpu")
    check_broadcast(abs, angle)
    return lax.complex(abs * jnp.cos(angle), abs * jnp.sin(angle))


# frexp

# The bits of a fraction and of an exponent, by dtype.
_LAYOUTS = {"float16": (10, 5), "bfloat16": (7, 8), "float32": (23, 8), "float64": (52, 11)}


@jax.custom_jvp
def _frexp(x: Tensor) -> tuple[Tensor, Tensor]:
    """From the bits: XLA counts denormal numbers as zero in arithmetic."""
    fraction_bits, exponent_bits = _LAYOUTS[x.dtype.name]
    integer = np.dtype(f"uint{8 * x.dtype.itemsize}")

    def number(n: int) -> Tensor:
        return jnp.asarray(n, integer)

    bits = lax.bitcast_convert_type(x, integer)
    highest, bias = (1 << exponent_bits) - 1, (1 << (exponent_bits - 1)) - 1
    fraction_mask = number((1 << fraction_bits) - 1)
    exponent = ((bits >> number(fraction_bits)) & number(highest)).astype(np.int32)
    fraction = bits & fraction_mask
    # The leading one of a denormal number moves to where the others have theirs, which is not stored.
    shift = jnp.where(exponent == 0, lax.clz(fraction).astype(np.int32) - exponent_bits, 0)
    moved = lax.shift_left(fraction, jnp.maximum(shift, 0).astype(integer)) & fraction_mask
    sign = bits & number(1 << (fraction_bits + exponent_bits))
    mantissa = lax.bitcast_convert_type(sign | number((bias - 1) << fraction_bits) | moved, x.dtype)
    plain = (exponent == highest) | ((exponent == 0) & (fraction == 0))
    found = jnp.where(exponent == 0, 1 - shift, exponent) - (bias - 1)
    return jnp.where(plain, x, mantissa), jnp.where(plain, 0, found)


@_frexp.defjvp
def _(primals, tangents):
    mantissa, exponent = _frexp(*primals)
    # The exponent counts as constant, also where it is 0 for infinity and NaN.
    slope = tangents[0] / jnp.exp2(exponent.astype(mantissa.dtype))
    return (mantissa, exponent), (slope, np.zeros(exponent.shape, jax.dtypes.float0))


@op(out=FREXP, returns=("mantissa", "exponent"), differentiable=(0,), grad_node="DivBackward0")
def frexp(input: Tensor) -> tuple[Tensor, Tensor]:
    """The mantissa, from 0.5 to below 1 in absolute value, and the int32 exponent of 2 of each number."""
    if not is_floating(input.dtype):
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return _frexp(input)
