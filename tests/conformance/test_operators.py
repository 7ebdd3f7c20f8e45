"""A sample of the conformance run. ``python tests/conformance/run.py`` is the whole of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.oracle

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="PyTorch's database of operators needs it")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from differences import KNOWN, reason
    from judge import CHECKS, OPERATORS, applies, label, spread

SAMPLED = spread(OPERATORS, 60)
CASES = [(op, check) for op in SAMPLED for check in CHECKS if applies(op, torch.float32, check)]


@pytest.fixture(autouse=True)
def warnings_of_either_library() -> Iterator[None]:
    """The samples exercise deprecated functions too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(("op", "check"), CASES, ids=[f"{label(op)}-{check}" for op, check in CASES])
def test_torchish_gives_what_pytorch_gives(op: object, check: str) -> None:
    known = reason(label(op), "float32", check)
    try:
        CHECKS[check](op, torch.float32, 2)
    except Exception:
        if not known:
            raise
    else:
        assert not known, f"passes, although it is listed as: {known}"


def test_every_known_difference_is_of_an_operator_and_a_check() -> None:
    cases = {f"{label(op)} float32 {check}" for op in OPERATORS for check in CHECKS}
    for pattern in KNOWN:
        operator, _, check = pattern.split(" ")
        assert f"{operator} float32 {check}" in cases or "*" in pattern
