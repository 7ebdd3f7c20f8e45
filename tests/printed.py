"""Compare what two programs printed: the text exactly, the numbers in it as closely as the printing shows them.

A number printed in full precision (``loss.item()`` gives all digits of a float32) cannot come out equal to
the last digit unless every sum is done in the same order, so it is compared to a relative tolerance. A number
printed in a few digits is text, unless the caller grants it some units in its last place.
"""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d*)?(?:e[-+]?\d+)?(?!\w)", re.IGNORECASE)
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")
IDENTITY = re.compile(r"(?<![\w.])\d{12,}(?![\w.])")

SHORT_DIGITS = 7  # a float32 holds about seven significant digits: beyond them it was printed in full
FULL_PRECISION_RTOL = 2e-5  # 2,000 steps of gradient descent in float32 come this close to float64


def mask_identities(text: str) -> str:
    """Replace addresses, and numbers that ``id()`` gave by their order of appearance: equal ids stay equal."""
    seen: dict[str, str] = {}
    text = ADDRESS.sub("<address>", text)
    return IDENTITY.sub(lambda match: seen.setdefault(match[0], f"<id {len(seen) + 1}>"), text)


def differences(
    expected: str, actual: str, *, rtol: float = FULL_PRECISION_RTOL, short_rtol: float = 0.0, units: int = 0
) -> list[str]:
    """The lines that differ, described; an empty list when the two texts agree.

    ``rtol`` holds for floats in full precision, ``units`` of the last place and ``short_rtol`` for the others.
    """
    found = []
    expected_lines, actual_lines = expected.splitlines(), actual.splitlines()
    if len(expected_lines) != len(actual_lines):
        found.append(f"{len(expected_lines)} lines expected, {len(actual_lines)} printed")
    for number, (wanted, got) in enumerate(zip(expected_lines, actual_lines, strict=False), start=1):
        if not _line_agrees(wanted, got, rtol, short_rtol, units):
            found.append(f"line {number}:\n  expected {wanted!r}\n  printed  {got!r}")
    return found


def assert_same(expected: str, actual: str, **tolerances: float) -> None:
    found = differences(expected, actual, **tolerances)
    assert not found, "\n".join(found)


def _line_agrees(expected: str, actual: str, rtol: float, short_rtol: float, units: int) -> bool:
    if expected == actual:
        return True
    if NUMBER.sub("#", expected) != NUMBER.sub("#", actual):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(actual), strict=True)
    return all(_number_agrees(wanted, got, rtol, short_rtol, units) for wanted, got in pairs)


def _number_agrees(expected: str, actual: str, rtol: float, short_rtol: float, units: int) -> bool:
    if expected == actual:
        return True
    if _is_integer(expected) or _is_integer(actual):
        return False
    wanted, got = float(expected), float(actual)
    if max(_significant_digits(expected), _significant_digits(actual)) > SHORT_DIGITS:
        return abs(wanted - got) <= rtol * abs(wanted)
    # A hair more than the units: decimal fractions are not exact.
    return abs(wanted - got) <= max(units * _last_place(expected) * 1.000001, short_rtol * abs(wanted))


def _is_integer(text: str) -> bool:
    return not set(text) & set(".eE")


def _mantissa_and_exponent(text: str) -> tuple[str, int]:
    mantissa, _, exponent = text.lower().partition("e")
    return mantissa, int(exponent or 0)


def _significant_digits(text: str) -> int:
    mantissa, _ = _mantissa_and_exponent(text)
    return len(mantissa.lstrip("-").replace(".", "").lstrip("0"))


def _last_place(text: str) -> float:
    mantissa, exponent = _mantissa_and_exponent(text)
    return 10.0 ** (exponent - len(mantissa.partition(".")[2]))
