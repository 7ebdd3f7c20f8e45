"""Programs about PyTorch's conventions: each takes the library under the name ``t`` and returns numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

NAN, INF = math.nan, math.inf


class Case(NamedTuple):
    """A convention: its name, a program, and what PyTorch gives (recorded; the oracle tests hold it to PyTorch)."""

    name: str
    program: Callable[[Any], Any]
    expected: Any


class Refusal(NamedTuple):
    """Something that PyTorch refuses, with the exception's class and a part of its text."""

    name: str
    program: Callable[[Any], Any]
    error: type[Exception]
    text: str


def slope(t: Any, f: Callable[[Any], Any], at: Any, dtype: str = "float64") -> Any:
    """The gradient of the sum of ``f`` at a point, as lists."""
    x = t.tensor(at, dtype=getattr(t, dtype), requires_grad=True)
    f(x).sum().backward()
    return x.grad.tolist()


def plain(result: Any) -> Any:
    """Tensors as lists, inside of tuples too."""
    if isinstance(result, tuple):
        return [plain(x) for x in result]
    return result.tolist() if hasattr(result, "tolist") else result


def check(t: Any, case: Case) -> None:
    got = plain(case.program(t))
    assert same(got, case.expected), f"{got}, expected {case.expected}"


def same(a: Any, b: Any) -> bool:
    """Equal, to seven digits for floats; NaN equals NaN."""
    if isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(b, complex):
        return same([complex(a).real, complex(a).imag], [b.real, b.imag])
    if isinstance(b, float):
        return math.isnan(a) if math.isnan(b) else math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-12)
    return bool(a == b) and type(a) is type(b)


def check_refusal(t: Any, case: Refusal) -> None:
    with pytest.raises(case.error) as caught:
        case.program(t)
    assert case.text in str(caught.value)
