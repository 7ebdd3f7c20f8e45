"""The comparison of printed output, which the tests of the examples and of the tutorials rest on."""

from __future__ import annotations

import pytest
from printed import differences, mask_identities


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("tensor([1.0000, 2.5000])", "tensor([1.0000, 2.5001])"),
        ("step 100", "step 101"),
        ("loss 8.8", "loss  8.8"),
        ("99 1523.2342529296875", "99 1523.2942529296875"),
        ("grad_fn=<AddBackward0>", "grad_fn=<SubBackward0>"),
        ("grad_fn=<AddBackward0>", "grad_fn=<AddBackward1>"),
        ("one line", "one line\nand one more"),
        ("1", "1."),
    ],
)
def test_a_difference_is_found(expected: str, actual: str) -> None:
    assert differences(expected, actual)


def test_floats_in_full_precision_agree_to_a_relative_tolerance() -> None:
    assert not differences("99 1523.2342529296875", "99 1523.2342987060547")


def test_short_numbers_may_differ_by_units_where_granted() -> None:
    assert not differences("loss 0.12, y = -0.0000", "loss 0.13, y = 0.0000", units=1)
    assert differences("loss 0.12", "loss 0.14", units=1)
    assert differences("epoch 12", "epoch 13", units=1)
    assert not differences("loss 1085.354", "loss 1085.374", short_rtol=1e-4)


def test_identities_keep_which_ones_are_equal() -> None:
    same = mask_identities("140248928586416 tensor([1.])\n140248928586416 tensor([2.])")
    other = mask_identities("140248928586416 tensor([1.])\n140248828188496 tensor([2.])")
    assert same == "<id 1> tensor([1.])\n<id 1> tensor([2.])"
    assert other == "<id 1> tensor([1.])\n<id 2> tensor([2.])"
    assert mask_identities("<AddBackward0 object at 0x000001366C4A92B0>") == "<AddBackward0 object at <address>>"
