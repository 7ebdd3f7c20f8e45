"""Sobol sequences. https://docs.pytorch.org/docs/stable/generated/torch.quasirandom.SobolEngine.html"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

import torchish

from ._core.creation import tensor_of_array
from ._core.device import placement_of
from ._core.dtypes import to_np
from ._core.methods import host_array
from ._core.tensor import Tensor
from ._ops.scalar_types import default_float, scalar_name

__all__ = ["SobolEngine"]


class SobolEngine:
    """Points of a (scrambled) Sobol sequence, which fill the unit cube more evenly than random ones.

    Args:
        dimension: of the points, from 1 to 21201.
        scramble: shift and mix the sequence by random numbers, which are PyTorch's.
        seed: of those; without it, they come from the default generator.

    Raises:
        ValueError: for other dimensions.

    >>> SobolEngine(2).draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if dimension > self.MAXDIM or dimension < 1:
            raise ValueError(f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]")
        self.seed, self.scramble, self.dimension = seed, scramble, dimension
        directions = _direction_numbers(dimension, self.MAXBIT)
        shift = np.zeros(dimension, np.int64)
        if scramble:
            directions, shift = self._scrambled(directions)
        self.sobolstate = _tensor(directions)
        self.shift = _tensor(shift)
        self.quasi = _tensor(shift.copy())
        self.num_generated = 0

    def _scrambled(self, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The direction numbers times random lower triangular matrices of bits, and a random shift."""
        generator = None if self.seed is None else torchish.Generator().manual_seed(self.seed)
        bits, places = self.MAXBIT, np.arange(self.MAXBIT)
        drawn = host_array(torchish.randint(2, (self.dimension, bits), generator=generator))
        shift = drawn @ (1 << places)
        mixing = host_array(torchish.randint(2, (self.dimension, bits, bits), generator=generator))
        mixing = np.tril(mixing, -1) + np.eye(bits, dtype=np.int64)
        digits = directions[:, :, None] >> places[::-1] & 1  # of each number, the highest first
        mixed = np.einsum("dpk,djk->djp", mixing, digits) % 2
        return mixed @ (1 << places[::-1]), shift

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next ``n`` points, of shape ``(n, dimension)``, in ``dtype`` (float32 or float64)."""
        wanted = np.dtype(default_float()) if dtype is None else to_np(dtype)
        beyond_first = n - (self.num_generated == 0)
        if beyond_first < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {beyond_first}: [{beyond_first}, {self.dimension}]"
            )
        if beyond_first and wanted not in (np.float32, np.float64):
            raise NotImplementedError(f"\"_sobol_engine_draw\" not implemented for '{scalar_name(wanted)}'")
        scaled = self._advance(n).astype(wanted if beyond_first else default_float())
        result = _tensor((scaled * scaled.dtype.type(2.0**-self.MAXBIT)).astype(wanted))
        if out is None:
            return result
        return out.resize_as_(result).copy_(result)  # type: ignore[attr-defined]

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next ``2**m`` points. ValueError where as many as are then drawn is no power of two."""
        n = 2**m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}="
                f"{total}. If you still want to do this, please use 'SobolEngine.draw()' instead."
            )
        return self.draw(n, out=out, dtype=dtype)

    def fast_forward(self, n: int) -> Self:
        """Skip ``n`` points; returns the engine."""
        self._advance(n)
        return self

    def reset(self) -> Self:
        """Start over; returns the engine."""
        self.quasi.copy_(self.shift)  # type: ignore[attr-defined]
        self.num_generated = 0
        return self

    def _advance(self, n: int) -> np.ndarray:
        """The next ``n`` points as integers. The first is the shift; each differs from the one before by one direction."""
        directions, last = host_array(self.sobolstate), host_array(self.quasi)
        first = self.num_generated == 0
        steps = np.arange(n - 1 if first else n) + (0 if first else self.num_generated - 1)
        lowest_zero = np.log2(~steps & (steps + 1)).astype(np.int64)
        points = np.bitwise_xor.accumulate(np.vstack([last, directions[:, lowest_zero].T]), axis=0)
        self.num_generated += n
        self.quasi = _tensor(points[-1].copy())
        return points if first else points[1:]

    def __repr__(self) -> str:
        parts = [f"dimension={self.dimension}"]
        if self.scramble:
            parts.append("scramble=True")
        if self.seed is not None:
            parts.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _tensor(array: np.ndarray) -> Tensor:
    return tensor_of_array(array, placement_of("cpu"))


def _direction_numbers(dimension: int, bits: int) -> np.ndarray:
    """Joe and Kuo's, as int64 of shape ``(dimension, bits)``: SciPy, which JAX depends on, has them."""
    from scipy.stats import qmc

    return qmc.Sobol(dimension, scramble=False, bits=bits)._sv.astype(np.int64)
