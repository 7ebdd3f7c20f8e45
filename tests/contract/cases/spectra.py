"""Arguments of Fourier transforms, spectrograms, sampled functions and complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .values import Fixed, f

_FREQUENCIES = np.random.default_rng(0).uniform(-1, 1, (2, 3, 5)) + 1j * np.random.default_rng(1).uniform(
    -1, 1, (2, 3, 5)
)
_WINDOW = Fixed([0.5, 1.0, 0.75, 0.6])
_SAMPLES = {"y": f(3, 4), "x": Fixed([[0.0, 0.4, 1.1, 2.0]]), "dim": 1}
_AWAY_FROM_POWERS_OF_TWO = f(3, 3, low=0.55, high=0.95)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "stft.frames": {"input": f(2, 12), "n_fft": 4, "hop_length": 2, "window": _WINDOW},
    "istft.frames": {"input": Fixed(_FREQUENCIES), "n_fft": 4, "hop_length": 2, "window": _WINDOW},
    "trapezoid.x": _SAMPLES,
    "cumulative_trapezoid.x": _SAMPLES,
    "gradient.uneven": {"input": f(3, 4), "x": Fixed([0.0, 0.4, 1.1, 2.0]), "dim": 1},
    "kaiser_window.at": {"position": f(5, low=0.2, high=1.8), "half_width": 1.0, "beta": 3.0},
    "frexp": {"input": _AWAY_FROM_POWERS_OF_TWO},
}
