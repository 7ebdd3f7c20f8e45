"""What the conformance run does not hold torchish to, and why.

A case that is listed here and passes fails the tests, so that the list cannot outlive its reasons.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

# Patterns of "operator dtype check", and the reason.
KNOWN: dict[str, str] = {}


def reason(operator: str, dtype: str, check: str) -> str:
    """Why torchish is not held to this check; empty where it is."""
    case = f"{operator} {dtype} {check}"
    return next((why for pattern, why in KNOWN.items() if fnmatchcase(case, pattern)), "")
