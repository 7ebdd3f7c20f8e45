"""Sobol sequences: numbers recorded from PyTorch, and beside it where it is installed."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import torchish as torch
from torchish.quasirandom import SobolEngine


def test_the_first_points() -> None:
    assert SobolEngine(3).draw(3).tolist() == [[0.0] * 3, [0.5] * 3, [0.75, 0.25, 0.25]]


def test_scrambled_points_are_pytorchs() -> None:
    engine = SobolEngine(3, scramble=True, seed=7)
    first = engine.draw(2)
    np.testing.assert_allclose(first.numpy(), [[0.1995, 0.1709, 0.7494], [0.6922, 0.7115, 0.4898]], atol=1e-4)
    np.testing.assert_allclose(engine.fast_forward(5).draw().numpy(), [[0.0564, 0.6136, 0.9284]], atol=1e-4)
    assert engine.num_generated == 8 and engine.reset().draw(2).tolist() == first.tolist()


def test_it_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match=r"Supported range of dimensionality for SobolEngine is \[1, 21201\]"):
        SobolEngine(0)
    with pytest.raises(ValueError, match=r"require n to be a power of 2\. 3 points have been previously generated"):
        SobolEngine(2).fast_forward(3).draw_base2(1)
    with pytest.raises(NotImplementedError, match="\"_sobol_engine_draw\" not implemented for 'Half'"):
        SobolEngine(2).draw(2, dtype=torch.float16)


@pytest.mark.oracle
@pytest.mark.parametrize("dimension", [1, 5, 1200])
@pytest.mark.parametrize("scramble", [False, True])
def test_beside_pytorch(dimension: int, scramble: bool) -> None:
    drawn = []
    for name in ("torch", torch.__name__):
        library = importlib.import_module(name)
        library.manual_seed(3)
        engine = library.quasirandom.SobolEngine(dimension, scramble)
        parts = [engine.draw(1), engine.draw(6), engine.draw(3, dtype=library.float64), engine.fast_forward(9).draw(2)]
        drawn.append([repr(engine), *(part.tolist() for part in parts), library.rand(1).item()])
    assert drawn[0] == drawn[1]
