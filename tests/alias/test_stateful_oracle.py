"""Random programs of views, in-place operations and gradients show under torchish what they show under PyTorch.

``python tests/alias/test_stateful_oracle.py [first seed] [programs] [steps]`` looks further than the tests do, and prints
the programs that part, shortened.
"""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import ACTIONS, Step, difference, run, text_of

import torchish

STEPS = st.builds(
    Step,
    st.sampled_from(sorted(ACTIONS)),
    *[st.integers(0, 7)] * 4,
    st.sampled_from([False] * 6 + [True]),
)


def parting(program: list[Step], torch: object) -> str | None:
    """Where the program parts from PyTorch."""
    return difference(run(program, torch), run(program, torchish))  # type: ignore[arg-type]


@pytest.mark.oracle
@given(program=st.lists(STEPS, min_size=1, max_size=15))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_random_programs_show_what_pytorch_shows(program: list[Step]) -> None:
    torch = pytest.importorskip("torch")
    found = parting(program, torch)
    assert found is None, f"{text_of(program)}\n{found}"


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(3))
def test_random_programs_show_what_pytorch_shows_when_run_at_once(seed: int) -> None:
    torch = pytest.importorskip("torch")
    with torchish.compiler.eager():
        for number in range(40):
            program = random_program(1000 * seed + number, 15)
            found = parting(program, torch)
            assert found is None, f"{text_of(program)}\n{found}"


def random_program(seed: int, steps: int) -> list[Step]:
    rng = random.Random(seed)
    names = sorted(ACTIONS)
    return [
        Step(rng.choice(names), *[rng.randrange(8) for _ in range(4)], no_grad=rng.random() < 0.12)
        for _ in range(steps)
    ]


def shortened(program: list[Step], torch: object) -> list[Step]:
    """The program without the steps that the difference does not need."""
    number = len(program) - 1
    while number >= 0:
        shorter = program[:number] + program[number + 1 :]
        if shorter and parting(shorter, torch):
            program = shorter
        number -= 1
    return program


def main(first: int = 0, programs: int = 1000, steps: int = 15) -> None:
    import torch

    found = 0
    with torchish.compiler.eager():
        for seed in range(first, first + programs):
            program = random_program(seed, steps)
            if parting(program, torch):
                found += 1
                program = shortened(program, torch)
                print(f"seed {seed}\n{text_of(program)}\n{parting(program, torch)}\n", flush=True)
    print(f"{found} of {programs} programs part")


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:]])
