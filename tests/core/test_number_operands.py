"""Which functions take Python numbers alone, without any tensor."""

from __future__ import annotations

import pytest

import torchish as torch


@pytest.mark.parametrize("name", ["remainder", "float_power", "xlogy"])
def test_two_numbers_are_no_tensors(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name}\(\) received an invalid combination of arguments - got \(int, int\)"):
        getattr(torch, name)(2, 3)


@pytest.mark.parametrize(("name", "result"), [("add", 5), ("sub", -1), ("mul", 6), ("div", 2 / 3), ("floor_divide", 0)])
def test_arithmetic_takes_two_numbers(name: str, result: float) -> None:
    assert getattr(torch, name)(2, 3).item() == pytest.approx(result)
