"""What PyTorch refuses of a distribution's parameters, word for word, and the bounds of its dtypes."""

from __future__ import annotations

import functools

import jax.numpy as jnp
import numpy as np

from .._ops.scalar_types import is_floating, scalar_name
from .user_warnings import warn


def unimplemented(kernel: str, dtype: np.dtype) -> NotImplementedError:
    return NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(dtype)}'")


_CPP_NAMES = {
    "float32": "float",
    "float64": "double",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long",
    "uint16": "unsigned short",
    "uint32": "unsigned int",
    "uint64": "unsigned long",
    "bool": "bool",
}


@functools.cache
def _largest(dtype: np.dtype) -> float:
    return float(jnp.finfo(dtype).max)


def check_uniform(low: float, high: float, dtype: np.dtype) -> None:
    name = scalar_name(dtype)
    if not is_floating(dtype):
        raise unimplemented("check_uniform_bounds", dtype)
    limit = _largest(dtype)
    for bound, value in (("from", low), ("to", high)):
        if not -limit <= value <= limit:
            raise RuntimeError(f"{bound} is out of bounds for {_CPP_NAMES[dtype.name]}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{name}>::max(), but found to={high:g} "
            f"and from={low:g} which result in to-from to exceed the limit"
        )


def check_normal(std: float, dtype: np.dtype, parts: np.dtype) -> None:
    """``parts`` is the dtype of a complex number's parts, or ``dtype`` itself."""
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if not is_floating(parts):
        raise unimplemented("normal_kernel_cpu", dtype)


def check_bernoulli(p: float, dtype: np.dtype) -> None:
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    if dtype.kind == "c":
        raise unimplemented("bernoulli_scalar_cpu_", dtype)


def check_exponential(rate: float, dtype: np.dtype) -> None:
    if not rate > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    if not is_floating(dtype):
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {scalar_name(dtype)}"
        )


def check_geometric(p: float, dtype: np.dtype) -> None:
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if dtype.kind in "cb":
        raise unimplemented("geometric_cpu", dtype)


def check_cauchy(sigma: float, dtype: np.dtype) -> None:
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    if not is_floating(dtype):
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {_CPP_NAMES.get(dtype.name, dtype.name)}"
        )


def check_log_normal(std: float, dtype: np.dtype) -> None:
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    if not is_floating(dtype):
        raise unimplemented("log_normal_cpu", dtype)


@functools.cache
def significant_bits(dtype: np.dtype) -> int:
    """How many bits of integers a floating ``dtype`` holds exactly."""
    return int(jnp.finfo(dtype).nmant) + 1


def integer_limits(dtype: np.dtype) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    if is_floating(dtype):
        limit = int(_largest(dtype))
        return -limit, limit
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def require_real(dtype: np.dtype, function: str) -> None:
    if dtype.kind == "c":
        raise RuntimeError(f"{function} handles only integral, floating-point and boolean types")


def check_integers(low: int, high: int, dtype: np.dtype) -> None:
    """Integers in [low, high): bounds that ``dtype`` cannot hold at all are errors, inexact ones warnings."""
    least, most = integer_limits(dtype)
    for bound, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise RuntimeError(f"{bound} is out of bounds for {_CPP_NAMES[dtype.name]}")
        if is_floating(dtype) and not -(2 ** significant_bits(dtype)) <= value <= 2 ** significant_bits(dtype):
            digits = significant_bits(dtype)
            warn(
                f"{bound} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
                f"{_CPP_NAMES[dtype.name]} can support discrete uniform distribution only within this range. "
                "This warning will become an error in version 1.7 release, please fix the code in advance"
            )


def _rounded(number: int, dtype: np.dtype) -> int | None:
    """``number`` as ``dtype`` holds it; None where it is out of range."""
    with np.errstate(over="ignore"):
        rounded = float(np.asarray(number).astype(dtype))
    return int(rounded) if abs(rounded) <= _largest(dtype) else None


def rounded_low(low: int, dtype: np.dtype) -> int:
    """The least integer from ``low`` that ``dtype`` holds, where rounding ``low + 1`` would fall below ``low``."""
    rounded = _rounded(low + 1, dtype)
    if rounded is None or rounded >= low:
        return low
    return rounded + 2 ** (abs(low + 1).bit_length() - significant_bits(dtype))


def rounded_high(high: int, dtype: np.dtype) -> int:
    """The greatest bound up to ``high`` that ``dtype`` holds, where rounding ``high - 1`` would reach ``high``."""
    rounded = _rounded(high - 1, dtype)
    if rounded is None or rounded < high:
        return high
    return rounded - 2 ** (abs(high - 1).bit_length() - significant_bits(dtype))


def require_increasing(low: int, high: int, cast: str = "") -> None:
    """``cast`` is ``" casted to dtype"`` once the bounds have been rounded."""
    if low >= high:
        raise RuntimeError(f"random_ expects 'from'{cast} to be less than 'to'{cast}, but got from={low} >= to={high}")


def check_permutation(n: int, dtype: np.dtype) -> None:
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype.kind in "bc":
        raise unimplemented("randperm", dtype)
    if is_floating(dtype):
        limit = 2 ** significant_bits(dtype) + 1
        if n > limit:
            raise RuntimeError(f"n cannot be greater than {limit} for {scalar_name(dtype)} type.")
    elif n > integer_limits(dtype)[1]:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")


def check_multinomial(p_shape: tuple[int, ...], p_dtype: np.dtype, num_samples: int, replacement: bool) -> None:
    if not 1 <= len(p_shape) <= 2:
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not is_floating(p_dtype):
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {scalar_name(p_dtype)}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > p_shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
