"""Which dtypes a PyTorch kernel takes, and the precision in which it computes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .scalar_types import scalar_name

_HALF = {np.dtype(np.float16), np.dtype(jnp.bfloat16)}

# uint16, uint32 and uint64 ("w") exist in PyTorch for storage: few kernels take them.
_NARROWER: dict[str, set[np.dtype]] = {"l": {np.dtype(np.int64)}, "d": {np.dtype(np.float32), np.dtype(np.float64)}}

_KIND_OF = {"b": "b", "i": "i", "f": "f", "V": "f", "c": "c"}


def kind_of(dtype: Any) -> str:
    """``b`` bool, ``i`` integer, ``w`` wide unsigned integer, ``f`` floating, ``c`` complex."""
    dtype = np.dtype(dtype)
    if dtype.kind == "u":
        return "i" if dtype.itemsize == 1 else "w"
    return _KIND_OF[dtype.kind]


def require_dtype(dtype: Any, kinds: str, kernel: str) -> None:
    """Raise PyTorch's NotImplementedError where ``kernel`` takes no such dtype.

    ``kinds`` names what it takes, in the letters of ``kind_of``, and ``l`` for int64 alone of the integers, ``d``
    for float32 and float64 alone of the floats; ``kernel`` is the name in the text.
    """
    if kind_of(dtype) not in kinds and not any(dtype in _NARROWER.get(letter, set()) for letter in kinds):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(dtype)}'")


def half_in_float32(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``fn`` compute float16 and bfloat16 operands in float32 and round its result once.

    PyTorch's kernels do: a formula of several steps would otherwise round after each of them.
    """

    @functools.wraps(fn)
    def wide(*args: Any, **kwargs: Any) -> Any:
        halves = {x.dtype for x in (*args, *kwargs.values()) if _is_half(x)}
        if not halves:
            return fn(*args, **kwargs)
        result = fn(*map(_widen, args), **{name: _widen(x) for name, x in kwargs.items()})
        return result.astype(functools.reduce(jnp.promote_types, halves))

    return wide


def rounded(x: jax.Array) -> jax.Array:
    """``x`` with a half type rounded here: XLA may otherwise carry float32 on to the next step."""
    if not _is_half(x):
        return x
    info = jnp.finfo(x.dtype)
    return jax.lax.reduce_precision(x, info.nexp, info.nmant)


def _is_half(x: Any) -> bool:
    return isinstance(x, jax.Array) and x.dtype in _HALF


def _widen(x: Any) -> Any:
    return x.astype(jnp.float32) if _is_half(x) else x
