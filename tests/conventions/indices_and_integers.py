"""Indices out of range, integer division by zero, and casts of what the target cannot hold."""

from __future__ import annotations

from typing import Any

from convention import INF, NAN, Case, Refusal

INT_MIN = -(2**31)


def _write_beyond(t: Any) -> None:
    x = t.zeros(3)
    x[t.tensor([3])] = 1.0
    x.tolist()


REFUSALS = [
    Refusal(
        "reading beyond the end",
        lambda t: t.zeros(3)[t.tensor([0, 3])].tolist(),
        IndexError,
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    Refusal(
        "reading one beyond the end", lambda t: t.zeros(3)[3], IndexError, "index 3 is out of bounds for dimension 0"
    ),
    Refusal(
        "writing beyond the end", _write_beyond, IndexError, "index 3 is out of bounds for dimension 0 with size 3"
    ),
    Refusal(
        "embedding out of range",
        lambda t: t.nn.functional.embedding(t.tensor([5]), t.zeros(4, 2)).tolist(),
        IndexError,
        "index out of range in self",
    ),
    Refusal(
        "a negative index in embedding",
        lambda t: t.nn.functional.embedding(t.tensor([-1]), t.zeros(4, 2)).tolist(),
        IndexError,
        "index out of range in self",
    ),
    Refusal(
        "a negative index in gather",
        lambda t: t.zeros(3).gather(0, t.tensor([-1])).tolist(),
        RuntimeError,
        "index -1 is out of bounds for dimension 0 with size 3",
    ),
    Refusal(
        "an index beyond the end in scatter",
        lambda t: t.zeros(3).scatter(0, t.tensor([3]), 1.0).tolist(),
        RuntimeError,
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    Refusal(
        "an index beyond the end in index_select",
        lambda t: t.zeros(3).index_select(0, t.tensor([3])).tolist(),
        IndexError,
        "index out of range in self",
    ),
    Refusal(
        "integer division by zero",
        lambda t: (t.tensor([1]) // t.tensor([0])).tolist(),
        RuntimeError,
        "ZeroDivisionError",
    ),
    Refusal(
        "integer remainder by zero",
        lambda t: (t.tensor([1]) % t.tensor([0])).tolist(),
        RuntimeError,
        "ZeroDivisionError",
    ),
    Refusal("a negative step", lambda t: t.zeros(3)[::-1], ValueError, "step must be greater than zero"),
]

CASES = [
    Case(
        "what int32 cannot hold becomes its least number",
        lambda t: t.tensor([NAN, 1e20, -1e20, INF]).to(t.int32),
        [INT_MIN, INT_MIN, INT_MIN, INT_MIN],
    ),
    Case("what int64 cannot hold becomes its least number", lambda t: t.tensor([NAN]).to(t.int64), [-(2**63)]),
    Case("uint8 wraps", lambda t: t.tensor([-1.0, 300.0]).to(t.uint8), [255, 44]),
    Case("integers wrap when they overflow", lambda t: t.tensor([127], dtype=t.int8) + 1, [-128]),
    Case("floor division rounds down", lambda t: t.tensor([-7, 7]) // 2, [-4, 3]),
    Case("the remainder has the divisor's sign", lambda t: t.tensor([-7, 7]) % t.tensor([3, -3]), [2, -2]),
    Case("fmod has the dividend's sign", lambda t: t.fmod(t.tensor([-7, 7]), 3), [-1, 1]),
    Case("float division by zero is infinite", lambda t: t.tensor([1.0, -1.0, 0.0]) / 0, [INF, -INF, NAN]),
    Case("negative indices count from the end", lambda t: t.arange(4)[t.tensor([-1, -4])], [3, 0]),
]
