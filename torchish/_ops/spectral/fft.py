"""Discrete Fourier transforms: ``fft``, ``rfft``, ``irfft``, ``hfft`` and theirs, of one dimension or several.

Three transforms do the work, as in PyTorch: complex to complex, real to one half of a Hermitian spectrum, and back.
XLA divides its inverse transforms by the count of points; ``_scaled`` brings that to the normalisation asked for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..out_rules import fft_rule, fft_to_real
from ..registry import Dims, Size, Tensor, op
from ..scalar_types import default_float, is_complex, is_floating, scalar_name

_FftType = lax.FftType
_MOST_AXES = 3  # of one XLA transform


# Arguments


def promoted(input: Tensor) -> Tensor:
    """``input`` in a dtype that has a transform: integers as the default floating dtype."""
    dtype = input.dtype
    if not is_floating(dtype) and not is_complex(dtype):
        return input.astype(default_float())
    if is_floating(dtype) and dtype.itemsize < 4:
        raise RuntimeError(f"Unsupported dtype {scalar_name(dtype)}")
    return input


def as_complex(x: Tensor) -> Tensor:
    return x if is_complex(x.dtype) else lax.complex(x, jnp.zeros_like(x))


def _check_norm(norm: str | None) -> None:
    if norm not in (None, "backward", "ortho", "forward"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')


def _axis(input: Tensor, dim: int) -> int:
    if input.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    n = input.ndim
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def _check_points(n: int) -> None:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")


def _require_int(name: str, argument: str, value: Any) -> None:
    if value.__class__ is not int:
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {type(value).__name__}")


def _line(name: str, input: Tensor, n: int | None, dim: int, norm: str | None) -> int:
    """The axis of a transform of one dimension, its arguments checked."""
    if n is not None:
        _require_int(name, "n", n)
        _check_points(n)
    _require_int(name, "dim", dim)
    axis = _axis(input, dim)
    if n is None and not name.endswith(("irfft", "_hfft")):  # those have another default
        _check_points(input.shape[axis])
    _check_norm(norm)
    return axis


def _grid(input: Tensor, s: Size | None, dim: Dims, norm: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a transform of several dimensions, and the count of points along each."""
    _check_norm(norm)
    dims = (dim,) if isinstance(dim, int) else dim
    if dims is not None:
        axes = tuple(_axis(input, d) for d in dims)
        if len(set(axes)) < len(axes):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(axes):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > input.ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {input.ndim} dimensions.")
        axes = tuple(range(input.ndim - len(s), input.ndim))
    else:
        axes = tuple(range(input.ndim))
    points = tuple(input.shape[a] if n == -1 else n for a, n in zip(axes, s or (-1,) * len(axes), strict=True))
    for n in points:
        _check_points(n)
    return axes, points


def _half_grid(
    name: str, input: Tensor, s: Size | None, dim: Dims, norm: str | None
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """``_grid`` for a Hermitian input, whose last axis holds half a spectrum, and the count of points that has."""
    axes, points = _grid(input, s, dim, norm)
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")
    n = 2 * (input.shape[axes[-1]] - 1) if s is None or s[-1] == -1 else s[-1]
    _check_points(n)
    return axes, (*points[:-1], n // 2 + 1), n


def _real_grid(
    name: str, input: Tensor, s: Size | None, dim: Dims, norm: str | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    axes, points = _grid(input, s, dim, norm)
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")
    return axes, points


def resized(x: Tensor, axes: Sequence[int], points: Sequence[int]) -> Tensor:
    """``x`` cut, or filled up with zeros at the end, to ``points`` along ``axes``."""
    for axis, n in zip(axes, points, strict=True):
        if n < x.shape[axis]:
            x = lax.slice_in_dim(x, 0, n, axis=axis)
        elif n > x.shape[axis]:
            x = jnp.pad(x, [(0, n - x.shape[axis]) if a == axis else (0, 0) for a in range(x.ndim)])
    return x


# Transforms


def _scaled(x: Tensor, norm: str | None, inverse: bool, points: int, divided: int) -> Tensor:
    """A transform of ``points`` in all, which XLA has divided by ``divided``, as ``norm`` has it."""
    if norm == "ortho":
        return x * (divided / math.sqrt(points))
    divisor = points if (norm == "forward") != inverse else 1
    return x if divisor == divided else x * (divided / divisor)


def _over(kind: Any, x: Tensor, axes: Sequence[int], points: Sequence[int]) -> Tensor:
    """XLA's transform along up to three axes."""
    last = range(x.ndim - len(axes), x.ndim)
    return jnp.moveaxis(lax.fft(jnp.moveaxis(x, axes, last), kind, tuple(points)), last, axes)


def c2c(x: Tensor, axes: Sequence[int], norm: str | None = None, inverse: bool = False) -> Tensor:
    """The transform of a complex array along ``axes``."""
    points = math.prod(x.shape[a] for a in axes)
    kind = _FftType.IFFT if inverse else _FftType.FFT
    for i in range(0, len(axes), _MOST_AXES):
        some = axes[i : i + _MOST_AXES]
        x = _over(kind, x, some, [x.shape[a] for a in some])
    return _scaled(x, norm, inverse, points, points if inverse else 1)


def r2c(x: Tensor, axes: Sequence[int], norm: str | None = None, inverse: bool = False) -> Tensor:
    """The transform of a real array along ``axes``, of which the last keeps the first half of its spectrum.

    ``inverse`` conjugates that of the last axis, and is for one axis alone.
    """
    points = math.prod(x.shape[a] for a in axes)
    spectrum = _over(_FftType.RFFT, x, axes[-1:], [x.shape[axes[-1]]])
    if inverse:
        spectrum = jnp.conj(spectrum)
    elif axes[:-1]:
        spectrum = c2c(spectrum, axes[:-1])
    return _scaled(spectrum, norm, inverse, points, 1)


def c2r(x: Tensor, axes: Sequence[int], n: int, norm: str | None = None) -> Tensor:
    """The inverse transform along ``axes``, where the last is the first half of a spectrum of ``n`` points; real."""
    points = n * math.prod(x.shape[a] for a in axes[:-1])
    x = c2c(x, axes[:-1], inverse=True) if axes[:-1] else x
    return _scaled(_over(_FftType.IRFFT, x, axes[-1:], [n]), norm, True, points, points)


_OTHER_WAY = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _real_or_complex(real: str, dtypes: Sequence[Any]) -> str:
    return "FftC2CBackward0" if is_complex(dtypes[0]) else real


_op = functools.partial(op, namespaces=(), out=True)
_c2c_op = functools.partial(_op, node="FftC2CBackward0", grad_node="FftC2CBackward0")
_r2c_op = functools.partial(_op, node="FftR2CBackward0")
_c2r_op = functools.partial(_op, node="FftC2RBackward0")


# One dimension


@_op(
    out=fft_rule("fft", "_fft_r2c"),
    aliases=("fft.fft",),
    node=lambda dtypes, **_: _real_or_complex("FftR2CBackward0", dtypes),
)
def fft_fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along ``dim``, cut or filled up with zeros to ``n`` points; complex.

    ``norm``: "backward" (no factor, the default), "ortho" (1/sqrt(n)) or "forward" (1/n).
    """
    x = promoted(input)
    axis = _line("fft_fft", x, n, dim, norm)
    return c2c(as_complex(resized(x, (axis,), (n or x.shape[axis],))), (axis,), norm)


@_op(
    out=fft_rule("ifft", "conj_physical", lenient=True),
    aliases=("fft.ifft",),
    node=lambda dtypes, **_: _real_or_complex("ConjBackward0", dtypes),
)
def fft_ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``fft``: "backward" divides by n, "forward" does not."""
    x = promoted(input)
    axis = _line("fft_ifft", x, n, dim, norm)
    return c2c(as_complex(resized(x, (axis,), (n or x.shape[axis],))), (axis,), norm, inverse=True)


def _require_real(x: Tensor, name: str) -> None:
    if is_complex(x.dtype):
        raise RuntimeError(f"{name} expects a real input tensor, but got {scalar_name(x.dtype)}")


@_r2c_op(out=fft_rule("rfft", "_fft_r2c"), aliases=("fft.rfft",))
def fft_rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first ``n // 2 + 1`` points of the ``fft`` of a real signal: the others are their conjugates."""
    _require_real(input, "rfft")
    x = promoted(input)
    axis = _line("fft_rfft", x, n, dim, norm)
    return r2c(resized(x, (axis,), (n or x.shape[axis],)), (axis,), norm)


def _half_line(name: str, x: Tensor, n: int | None, dim: int, norm: str | None) -> tuple[Tensor, int, int]:
    axis = _line(name, x, n, dim, norm)
    points = 2 * (x.shape[axis] - 1) if n is None else n
    _check_points(points)
    return as_complex(resized(x, (axis,), (points // 2 + 1,))), axis, points


@_c2r_op(out=fft_to_real("irfft"), aliases=("fft.irfft",))
def fft_irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``rfft``: the real signal of ``n`` points (2 * (size - 1) unless given)."""
    x, axis, points = _half_line("fft_irfft", promoted(input), n, dim, norm)
    return c2r(x, (axis,), points, norm)


@_c2r_op(out=fft_to_real("hfft"), aliases=("fft.hfft",))
def fft_hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The ``fft`` of a Hermitian signal, of which ``input`` is the first half; real, of ``n`` points."""
    x, axis, points = _half_line("fft_hfft", promoted(input), n, dim, norm)
    return c2r(jnp.conj(x), (axis,), points, _OTHER_WAY[norm])


@_op(out=fft_rule("ihfft", "conj_physical", lenient=True), aliases=("fft.ihfft",), node="ConjBackward0")
def fft_ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``hfft``: the first half of the Hermitian signal that has the real spectrum ``input``."""
    _require_real(input, "ihfft")
    x = promoted(input)
    axis = _line("fft_ihfft", x, n, dim, norm)
    return r2c(resized(x, (axis,), (n or x.shape[axis],)), (axis,), norm, inverse=True)


# Several dimensions


def _fftn(input: Tensor, s: Size | None, dim: Dims, norm: str | None, inverse: bool = False) -> Tensor:
    x = promoted(input)
    axes, points = _grid(x, s, dim, norm)
    return c2c(as_complex(resized(x, axes, points)), axes, norm, inverse)


@_c2c_op(out=fft_rule("fftn"), aliases=("fft.fftn",))
def fft_fftn(input: Tensor, s: Size | None = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along ``dim`` (all, or the last ``len(s)``), of ``s`` points each (-1: as it is)."""
    return _fftn(input, s, dim, norm)


@_c2c_op(out=fft_rule("fftn"), aliases=("fft.fft2",))
def fft_fft2(input: Tensor, s: Size | None = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
    """``fftn`` of two dimensions, the last unless given."""
    return _fftn(input, s, dim, norm)


@_c2c_op(out=fft_rule("fftn"), aliases=("fft.ifftn",))
def fft_ifftn(input: Tensor, s: Size | None = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The inverse of ``fftn``."""
    return _fftn(input, s, dim, norm, inverse=True)


@_c2c_op(out=fft_rule("fftn"), aliases=("fft.ifft2",))
def fft_ifft2(input: Tensor, s: Size | None = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of ``fft2``."""
    return _fftn(input, s, dim, norm, inverse=True)


def _rfftn(input: Tensor, s: Size | None, dim: Dims, norm: str | None) -> Tensor:
    if is_complex(input.dtype):
        raise RuntimeError(f"rfftn expects a real-valued input tensor, but got {scalar_name(input.dtype)}")
    x = promoted(input)
    axes, points = _real_grid("rfftn", x, s, dim, norm)
    return r2c(resized(x, axes, points), axes, norm)


@_r2c_op(out=fft_rule("rfftn", "_fft_r2c"), aliases=("fft.rfftn",))
def fft_rfftn(input: Tensor, s: Size | None = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """``fftn`` of a real signal: along the last dimension its first half, since the other is its conjugate."""
    return _rfftn(input, s, dim, norm)


@_r2c_op(out=fft_rule("rfftn", "_fft_r2c"), aliases=("fft.rfft2",))
def fft_rfft2(input: Tensor, s: Size | None = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
    """``rfftn`` of two dimensions, the last unless given."""
    return _rfftn(input, s, dim, norm)


def _irfftn(input: Tensor, s: Size | None, dim: Dims, norm: str | None) -> Tensor:
    x = promoted(input)
    axes, points, n = _half_grid("irfftn", x, s, dim, norm)
    return c2r(as_complex(resized(x, axes, points)), axes, n, norm)


@_c2r_op(out=fft_to_real("irfftn"), aliases=("fft.irfftn",))
def fft_irfftn(input: Tensor, s: Size | None = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The inverse of ``rfftn``; real. Without ``s`` the last dimension gets 2 * (size - 1) points."""
    return _irfftn(input, s, dim, norm)


@_c2r_op(out=fft_to_real("irfftn"), aliases=("fft.irfft2",))
def fft_irfft2(input: Tensor, s: Size | None = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of ``rfft2``."""
    return _irfftn(input, s, dim, norm)


def _hfftn(input: Tensor, s: Size | None, dim: Dims, norm: str | None) -> Tensor:
    x = promoted(input)
    axes, points, n = _half_grid("hfftn", x, s, dim, norm)
    return c2r(jnp.conj(as_complex(resized(x, axes, points))), axes, n, _OTHER_WAY[norm])


@_c2r_op(out=fft_to_real("hfftn"), aliases=("fft.hfftn",))
def fft_hfftn(input: Tensor, s: Size | None = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """``fftn`` of a signal that is Hermitian along the last dimension, of which ``input`` is the first half; real."""
    return _hfftn(input, s, dim, norm)


@_c2r_op(out=fft_to_real("hfftn"), aliases=("fft.hfft2",))
def fft_hfft2(input: Tensor, s: Size | None = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
    """``hfftn`` of two dimensions, the last unless given."""
    return _hfftn(input, s, dim, norm)


def _ihfftn(input: Tensor, s: Size | None, dim: Dims, norm: str | None) -> Tensor:
    x = promoted(input)
    axes, points = _real_grid("ihfftn", x, s, dim, norm)
    if is_complex(x.dtype):
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {scalar_name(x.dtype)}")
    half = r2c(resized(x, axes, points), axes[-1:], norm, inverse=True)
    return c2c(half, axes[:-1], norm, inverse=True) if axes[:-1] else half


@_c2c_op(out=fft_rule("ihfftn"), aliases=("fft.ihfftn",))
def fft_ihfftn(input: Tensor, s: Size | None = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The inverse of ``hfftn``: the first half, along the last dimension, of the Hermitian signal."""
    return _ihfftn(input, s, dim, norm)


@_c2c_op(out=fft_rule("ihfftn"), aliases=("fft.ihfft2",))
def fft_ihfft2(input: Tensor, s: Size | None = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of ``hfft2``."""
    return _ihfftn(input, s, dim, norm)
