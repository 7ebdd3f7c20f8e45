"""Arguments of the special functions: inside of their domains, and of degrees at which they are not constant."""

from __future__ import annotations

from typing import Any

from torchish._ops.registry import OPS

from .values import Fixed, f

_DEGREES = Fixed([[0.0, 1.0, 2.0], [3.0, 7.0, 8.0], [9.0, 4.0, 5.0]])

ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: {"n": _DEGREES} for name in OPS if "_polynomial_" in name},
    "special_zeta": {"input": f(3, 3, low=1.5, high=4.0)},
    "mvlgamma": {"input": f(3, 3, low=1.2, high=3.0), "p": 3},
    "polygamma.n": {"n": 2},
}
