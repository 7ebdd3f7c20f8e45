"""Short-time Fourier transforms: ``stft``, the spectra of a signal's overlapping frames, and its inverse ``istft``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..registry import Tensor, check_of, op
from ..scalar_types import is_complex, is_inexact, scalar_name
from .fft import as_complex, c2c, c2r, r2c


def _type_name(x: Any) -> str:
    name = scalar_name(x.dtype)
    return f"CPU{name}Type" if is_complex(x.dtype) else f"torch.{name}Tensor"


def _shown(value: Any) -> str:
    return "None" if value is None else str(int(value))


def _call(name: str, x: Any, window: Any, **arguments: Any) -> str:
    """The call as PyTorch's errors show it."""
    given = {key: _shown(value) for key, value in arguments.items()}
    shown = "None" if window is None else f"{_type_name(window)}{{{list(window.shape)}}}"
    sizes = [f"{key}={given.pop(key)}" for key in ("n_fft", "hop_length", "win_length")]
    rest = [f"{key}={value}" for key, value in given.items()]
    return f"{name}({_type_name(x)}{list(x.shape)}, {', '.join([*sizes, f'window={shown}', *rest])})"


def _lengths(n_fft: int, hop_length: int | None, win_length: int | None) -> tuple[int, int]:
    return (n_fft >> 2 if hop_length is None else hop_length), (n_fft if win_length is None else win_length)


def _whole_window(window: Tensor | None, n_fft: int, win_length: int, dtype: Any) -> Tensor | None:
    """The window with zeros around it up to ``n_fft`` points; None where it is 1 everywhere."""
    if window is None:
        if win_length == n_fft:
            return None
        window = jnp.ones(win_length, dtype)
    left = (n_fft - win_length) // 2
    return jnp.pad(window, (left, n_fft - win_length - left))


def _frames(x: Tensor, count: int, size: int, hop: int) -> Tensor:
    """``count`` pieces of ``size`` of the last dimension, ``hop`` apart, as a dimension before it."""
    starts = jnp.arange(count) * hop
    return jax.vmap(lambda s: lax.dynamic_slice_in_dim(x, s, size, axis=-1), out_axes=-2)(starts)


def _overlapped(frames: Tensor, hop: int) -> Tensor:
    """The sum of ``frames``, of shape (..., count, size), laid ``hop`` apart: the transpose of ``_frames``.

    Each frame is cut into pieces of ``hop``. With as many zeros behind each row of equal pieces as the last one needs
    to be moved, rows of one less element put every piece where it belongs.
    """
    *batch, count, size = frames.shape
    pieces = -(-size // hop)
    padded = jnp.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(0, pieces * hop - size)])
    rows = jnp.swapaxes(padded.reshape(*batch, count, pieces, hop), -3, -2)
    rows = jnp.pad(rows, [(0, 0)] * (rows.ndim - 2) + [(0, pieces), (0, 0)])
    flat = rows.reshape(*batch, pieces * (count + pieces), hop)[..., : pieces * (count + pieces - 1), :]
    summed = flat.reshape(*batch, pieces, count + pieces - 1, hop).sum(-3)
    return summed.reshape(*batch, -1)[..., : size + hop * (count - 1)]


# stft


def _check_stft(call: str, x: Any, window: Any, n_fft: int, hop: int, win_length: int, onesided: bool | None) -> None:
    if not is_inexact(x.dtype):
        raise RuntimeError(f"{call} : expected a tensor of floating point or complex values")
    if x.ndim not in (1, 2):
        raise RuntimeError(f"{call} : expected a 1D or 2D tensor")
    size = x.shape[-1]
    if not 0 < n_fft <= size:
        raise RuntimeError(f"{call} : expected 0 < n_fft < {size}, but got n_fft={win_length}")
    if hop <= 0:
        raise RuntimeError(f"{call} : expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"{call} : expected 0 < win_length <= n_fft, but got win_length={win_length}")
    if window is not None and window.shape != (win_length,):
        raise RuntimeError(
            f"{call} : expected a 1D window tensor of size equal to win_length={win_length}, but got window with size "
            f"{list(window.shape)}"
        )
    if x.dtype.itemsize < 4:
        raise RuntimeError(f"MKL FFT doesn't support tensors of type: {scalar_name(x.dtype)}")
    if onesided and (is_complex(x.dtype) or (window is not None and is_complex(window.dtype))):
        raise RuntimeError("Cannot have onesided output if window or input is complex")


@op(
    name="stft.frames",
    node=lambda ndims, **_: "SqueezeBackward4" if ndims[0] == 1 else "TransposeBackward0",
    grad_node="MulBackward0",
)
def stft_frames(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The spectra of a signal's frames of ``n_fft`` points, ``hop_length`` apart, each times ``window``.

    ``input``: (T) or (B, T), padded already. Complex, of shape (B?, frequencies, frames); half of the frequencies where
    ``onesided``, the default for real signals. ``normalized``: divided by sqrt(n_fft). ``align_to_window`` frames the
    windows, where they are shorter than ``n_fft``, rather than the transforms. ``return_complex`` is only shown in errors.
    """
    hop, length = _lengths(n_fft, hop_length, win_length)
    call = _call(
        "stft",
        input,
        window,
        n_fft=n_fft,
        hop_length=hop,
        win_length=length,
        normalized=normalized,
        onesided=onesided,
        return_complex=return_complex,
        align_to_window=align_to_window,
    )
    _check_stft(call, input, window, n_fft, hop, length, onesided)
    x = input
    if align_to_window and length < n_fft:
        left = (n_fft - length) // 2
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(left, n_fft - length - left)])
    frames = _frames(x, 1 + (x.shape[-1] - n_fft) // hop, n_fft, hop)
    whole = _whole_window(window, n_fft, length, input.dtype)
    if whole is not None:
        frames = frames * whole
    norm = "ortho" if normalized else "backward"
    last = (frames.ndim - 1,)
    if is_complex(frames.dtype):
        spectra = c2c(frames, last, norm)
    elif onesided is None or onesided:
        spectra = r2c(frames, last, norm)
    else:
        spectra = c2c(as_complex(frames), last, norm)
    return jnp.swapaxes(spectra, -1, -2)


# istft


def _check_istft(
    call: str, x: Any, window: Any, n_fft: int, hop: int, win_length: int, onesided: bool, return_complex: bool
) -> None:
    if not is_complex(x.dtype):
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if x.ndim < 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [-{x.ndim + 1}, {x.ndim}], but got -3)")
    if x.size == 0:
        raise RuntimeError(f"{call} : input tensor cannot be empty.")
    if x.ndim > 3:
        raise RuntimeError(f"{call} : expected a tensor with 3 or 4 dimensions, but got {x.ndim + 1}")
    frequency = f"{call} : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft"
    size = x.shape[-2]
    if onesided and n_fft // 2 + 1 != size:
        raise RuntimeError(f"{frequency} / 2 + 1 when onesided=True, but got {size}")
    if not onesided and n_fft != size:
        raise RuntimeError(f"{frequency} when onesided=False, but got {size}")
    if not 0 < hop <= win_length:
        raise RuntimeError(f"{call} : expected 0 < hop_length <= win_length")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"{call} : expected 0 < win_length <= n_fft")
    if window is not None and window.shape != (win_length,):
        raise RuntimeError(f"{call} : Invalid window shape. window has to be 1D and length of `win_length`")
    if return_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and is_complex(window.dtype):
        raise RuntimeError("Complex windows are incompatible with return_complex=False")


def _part(n_fft: int, hop: int, frames: int, center: bool, length: int | None) -> slice:
    """The part of the overlapped frames that is the signal."""
    start, whole = (n_fft // 2 if center else 0), n_fft + hop * (frames - 1)
    stop = start + length if length is not None else whole - n_fft // 2 if center else whole
    return slice(start, min(stop, whole))


def _envelope(window: Tensor | None, x: Any, n_fft: int, hop: int, win_length: int, part: slice) -> Tensor:
    """What the squared windows of all frames add up to."""
    dtype = np.dtype(np.float64 if x.dtype == np.complex128 else np.float32)
    whole = _whole_window(window, n_fft, win_length, dtype)
    square = jnp.ones(n_fft, dtype) if whole is None else whole * whole
    return _overlapped(jnp.broadcast_to(square, (x.shape[-1], n_fft)), hop)[part]


def _istft_call(
    input: Any, n_fft: int, hop_length: int | None, win_length: int | None, window: Any, **rest: Any
) -> str:
    hop, length = _lengths(n_fft, hop_length, win_length)
    return _call("istft", input, window, n_fft=n_fft, hop_length=hop, win_length=length, **rest)


@op(
    name="istft.frames",
    node=lambda ndims, **_: "SqueezeBackward1" if ndims[0] == 2 else "DivBackward0",
    grad_node="MulBackward0",
)
def istft_frames(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal whose ``stft`` is nearest to ``input``: its frames overlapped, divided by the sum of squared windows.

    ``input``: complex, (B?, frequencies, frames). The result has ``length`` points, or as many as the frames cover,
    without half a frame at each end where ``center``. Real, unless ``return_complex``.
    """
    hop, width = _lengths(n_fft, hop_length, win_length)
    call = _istft_call(
        input,
        n_fft,
        hop_length,
        win_length,
        window,
        center=center,
        normalized=normalized,
        onesided=onesided,
        length=length,
        return_complex=return_complex,
    )
    one = (input.ndim >= 2 and input.shape[-2] != n_fft) if onesided is None else onesided
    _check_istft(call, input, window, n_fft, hop, width, one, return_complex)
    part = _part(n_fft, hop, input.shape[-1], center, length)
    if part.stop <= part.start:
        raise RuntimeError(
            "min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
            "'dim' argument."
        )
    spectra = jnp.swapaxes(input, -1, -2)
    norm, last = ("ortho" if normalized else "backward"), (input.ndim - 1,)
    if return_complex:
        frames = c2c(spectra, last, norm, inverse=True)
    else:
        frames = c2r(spectra[..., : n_fft // 2 + 1], last, n_fft, norm)
    whole = _whole_window(window, n_fft, width, frames.dtype)
    if whole is not None:
        frames = frames * whole
    signal = _overlapped(frames, hop)[..., part]
    signal = signal / _envelope(window, input, n_fft, hop, width, part)
    missing = 0 if length is None else part.start + length - part.stop
    return jnp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, missing)]) if missing > 0 else signal


def _no_overlap(witness: int, **arguments: Any) -> Exception:
    return RuntimeError(f"{_istft_call(**arguments)} window overlap add min: 1\n[ CPUBoolType{{}} ]")


@check_of(istft_frames, _no_overlap)
def _(
    input: Tensor,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: Tensor | None,
    center: bool,
    length: int | None,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    hop, width = _lengths(n_fft, hop_length, win_length)
    part = _part(n_fft, hop, input.shape[-1], center, length)
    lowest = jnp.min(jnp.abs(_envelope(window, input, n_fft, hop, width, part)))
    return lowest < 1e-11, jnp.asarray(0, np.int64)
