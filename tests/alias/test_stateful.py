"""Random programs of views, in-place operations and gradients: recorded into windows, they show what they show when
every operation runs at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import ACTIONS, Observation, Step, difference, run, text_of

import torchish

STEPS = st.builds(
    Step,
    st.sampled_from(sorted(ACTIONS)),
    *[st.integers(0, 7)] * 4,
    st.sampled_from([False] * 6 + [True]),
)
PROGRAMS = st.lists(STEPS, min_size=1, max_size=15)


def run_at_once(program: list[Step]) -> list[Observation]:
    with torchish.compiler.eager():
        return run(program, torchish)


@given(program=PROGRAMS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_a_window_changes_nothing_that_a_program_shows(program: list[Step]) -> None:
    found = difference(run_at_once(program), run(program, torchish))
    assert found is None, f"{text_of(program)}\n{found}"


@given(program=PROGRAMS)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_a_program_shows_the_same_when_it_is_run_again(program: list[Step]) -> None:
    first = run(program, torchish)
    for _ in range(2):  # the second time its windows are compiled, the third found
        found = difference(first, run(program, torchish))
        assert found is None, f"{text_of(program)}\n{found}"


@given(program=PROGRAMS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_views_are_views_of_their_base_after_every_program(program: list[Step]) -> None:
    """A view reads what its size, stride and offset say of the base's memory, and shares the base's version."""
    for t in tensors_after(program):
        base = t._base
        if base is None:
            continue
        assert base._base is None
        assert t._version == base._version
        with torchish.no_grad():
            memory = base.as_strided((t._storage.aval.numel,), (1,), 0)
            seen = memory.as_strided(t.shape, t.stride(), t.storage_offset())
            assert seen.tolist() == t.tolist()


def tensors_after(program: list[Step]) -> list[torchish.Tensor]:
    kept: list[list[torchish.Tensor]] = []
    run(program, torchish, at_the_end=kept.append)
    return kept[0]
