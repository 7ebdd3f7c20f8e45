"""``stft`` and ``istft``: what they warn of, and the padding of a signal whose frames are centred."""

from __future__ import annotations

from typing import Any

from ..arguments import as_int
from ..dispatch import call
from ..generate import OP_FUNCTIONS, OPS
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn_once
from .complex_functions import view_as_real

_NO_WINDOW = (
    "A window was not provided. A rectangular window will be applied,which is known to cause spectral leakage. Other "
    "windows such as torch.hann_window or torch.hamming_window are recommended to reduce spectral leakage.To suppress "
    "this warning and use a rectangular window, explicitly set `window=torch.ones(n_fft, device=<device>)`."
)
_NO_INVERSE_WINDOW = (
    "A window was not provided. A rectangular window will be applied.Please provide the same window used by stft to make "
    "the inversion lossless.To suppress this warning and use a rectangular window, explicitly set "
    "`window=torch.ones(n_fft, device=<device>)`."
)
_REAL_RESULT = (
    "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex tensors for all "
    "inputs, and return_complex=False will raise an error.\nNote: you can still call torch.view_as_real on the complex "
    "output to recover the old return format."
)
_TOO_LONG = (
    "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. Please "
    "check your center and hop_length settings."
)


def _require_ints(name: str, **arguments: Any) -> list[int | None]:
    for key, value in arguments.items():
        if isinstance(value, (bool, float, str)):
            raise TypeError(f"{name}(): argument '{key}' must be int, not {type(value).__name__}")
    return [as_int(value) for value in arguments.values()]


def _same_device(name: str, input: Tensor, window: Tensor | None) -> None:
    if window is not None and window.device != input.device:
        raise RuntimeError(
            f"{name} input and window must be on the same device but got self on {input.device} and window on "
            f"{window.device}"
        )


@public()
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The Fourier transforms of a signal's frames: (B?, frequencies, frames), complex.

    ``input``: (T) or (B, T), real or complex. ``hop_length``: the distance of frames (n_fft // 4). ``win_length``: of
    ``window`` (n_fft). ``center``: half a frame is padded at both ends, as ``pad_mode`` says. ``onesided``: of real
    signals half the frequencies. ``return_complex`` must be given for real signals; False gives pairs of reals.
    https://docs.pytorch.org/docs/stable/generated/torch.stft.html

    >>> import torchish as torch
    >>> x = torch.sin(torch.arange(16.0))
    >>> torch.stft(x, 8, window=torch.hann_window(8), return_complex=True).shape
    torch.Size([5, 9])
    """
    if center:
        if align_to_window is not None:
            raise RuntimeError("stft align_to_window should only be set when center = false")
        ndim = input.dim()
        n, extended = _require_ints("stft", n_fft=n_fft)[0], [1] * (3 - ndim) + list(input.shape)
        side = int(n // 2)  # type: ignore[operator]
        padded = OP_FUNCTIONS["pad"](input.view(extended), (side, side), pad_mode)
        input = padded.view(padded.shape[-ndim:] if ndim else padded.shape)
    n_fft, hop_length, win_length = _require_ints(  # type: ignore[assignment]
        "stft", n_fft=n_fft, hop_length=hop_length, win_length=win_length
    )
    if window is None:
        warn_once(_NO_WINDOW)
    _same_device("stft", input, window)
    complex_result = return_complex
    if return_complex is None:
        complex_result = input.dtype.is_complex or (window is not None and window.dtype.is_complex)
    if not complex_result:
        if return_complex is None:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        warn_once(_REAL_RESULT)
    static = (n_fft, hop_length, win_length, bool(normalized), onesided, complex_result, align_to_window)
    made = call(OPS["stft.frames"], (input, window), static)
    return made if complex_result else view_as_real(made)


@public()
def istft(
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
    """The signal whose ``stft`` is ``input``, or nearest to it: (B?, T), of ``length`` points where given.

    https://docs.pytorch.org/docs/stable/generated/torch.istft.html

    >>> import torchish as torch
    >>> x, window = torch.sin(torch.arange(16.0)), torch.hann_window(8)
    >>> spectra = torch.stft(x, 8, window=window, return_complex=True)
    >>> torch.allclose(torch.istft(spectra, 8, window=window), x, atol=1e-6)
    True
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"istft(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    for position, (key, value) in enumerate((("n_fft", n_fft), ("hop_length", hop_length), ("win_length", win_length))):
        if isinstance(value, (bool, float, str)):
            raise TypeError(
                f"istft(): argument '{key}' (position {position + 2}) must be int, not {type(value).__name__}"
            )
    if window is None:
        warn_once(_NO_INVERSE_WINDOW)
    _same_device("istft", input, window)
    static = (
        *(as_int(x) for x in (n_fft, hop_length, win_length)),
        bool(center),
        bool(normalized),
        onesided,
        as_int(length),
        bool(return_complex),
    )
    made = call(OPS["istft.frames"], (input, window), static)
    if length is not None:
        hop = n_fft // 4 if hop_length is None else hop_length
        if length + (n_fft // 2 if center else 0) > n_fft + hop * (input.shape[-1] - 1):
            warn_once(_TOO_LONG)
    return made
