"""The examples in public docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import torchish
from torchish._core.generate import OP_FUNCTIONS

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(torchish.__path__, "torchish.") if not m.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_examples_of_generated_functions() -> None:
    runner = doctest.DocTestRunner()
    finder = doctest.DocTestFinder(recurse=False)
    for name, function in OP_FUNCTIONS.items():
        for test in finder.find(function, name, module=False, globs={"torch": torchish}):
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
