"""Division is rounded once, whatever stands for the divisor: XLA alone would multiply by a rounded reciprocal."""

from __future__ import annotations

import numpy as np
import pytest

import torchish as torch

NUMBERS = np.arange(1, 2000).reshape(-1, 1)
DIVISORS = np.arange(1, 50)


def twice(function, *operands):
    """The result, from the second sight of the window: what an interpreted one computes, a compiled one must too."""
    function(*operands).numpy()
    return function(*operands).numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
class TestDivisionIsRoundedOnce:
    def pair(self, dtype):
        return (torch.tensor(x, dtype=dtype) for x in (NUMBERS, DIVISORS))

    def test_by_a_broadcast_tensor(self, dtype):
        a, b = self.pair(dtype)
        np.testing.assert_array_equal(twice(lambda: a / b), a.numpy() / b.numpy())

    def test_by_a_number_and_by_a_tensor_without_dimensions(self, dtype):
        a, _ = self.pair(dtype)
        np.testing.assert_array_equal(twice(lambda: a / 49), a.numpy() / a.numpy().dtype.type(49))
        np.testing.assert_array_equal(twice(lambda: a / a.sum()), a.numpy() / a.numpy().sum())

    def test_by_a_root_computed_in_the_same_window(self, dtype):
        _, b = self.pair(dtype)
        np.testing.assert_array_equal(twice(lambda: b / (b * b).sqrt()), np.ones(49))

    def test_rounded_quotients(self, dtype):
        a, b = self.pair(dtype)
        for mode in ("trunc", "floor"):
            np.testing.assert_array_equal(
                twice(lambda mode=mode: torch.div(a, b, rounding_mode=mode)), NUMBERS // DIVISORS
            )
        np.testing.assert_array_equal(twice(lambda: (a / b).floor()), NUMBERS // DIVISORS)

    def test_means(self, dtype):
        a, b = self.pair(dtype)
        whole = (a * b)[:49]
        np.testing.assert_array_equal(twice(lambda: whole.mean(0)), whole.numpy().sum(0) / whole.numpy().dtype.type(49))


def test_division_by_nothing_and_by_nan_is_what_it_was():
    a = torch.tensor([1.0, -1.0, 0.0, float("inf"), float("nan")]).reshape(-1, 1)
    b = torch.tensor([0.0, 2.0, float("inf"), float("nan")])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(twice(lambda: a / b), a.numpy() / b.numpy())
