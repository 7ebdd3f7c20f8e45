"""docs/operators.md is what the registry says."""

from __future__ import annotations

from operators_page import PAGE, page


def test_the_page_of_operators_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "write it anew: python tests/contract/operators_page.py"
