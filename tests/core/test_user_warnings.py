"""A warning names the user's line, whatever lies between it and the machinery."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import torchish as torch
from torchish._core.user_warnings import forget

CALLS: list[Callable[[], Any]] = [
    lambda: torch.stft(torch.ones(200), 64, return_complex=True),
    lambda: torch.add(torch.ones(2), 1, out=torch.ones(3)),
    lambda: torch.std(torch.ones(1)),
    lambda: torch.ones(3).std(axis=0, correction=4),
    lambda: torch.cross(torch.ones(2, 3), torch.ones(2, 3)),
    lambda: torch.ones(3).T,
    lambda: torch.tensor(torch.ones(3)),
    lambda: float(torch.ones(1, requires_grad=True)),
    lambda: torch.nn.functional.grid_sample(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 2)),
    lambda: torch.nn.functional.softmax(torch.ones(3)),
    lambda: torch.meshgrid(torch.ones(2), torch.ones(3)),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_warning_is_at_the_users_line(call: Callable[[], Any]) -> None:
    forget()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert caught
    for warning in caught:
        assert (warning.filename, warning.lineno) == (__file__, inspect.getsourcelines(call)[1])


def test_some_warnings_are_given_once_a_process() -> None:
    forget()
    with pytest.warns(UserWarning, match="dimension"):
        torch.ones(3).T  # noqa: B018
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.ones(3).T  # noqa: B018
