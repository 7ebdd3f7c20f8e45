"""A backward pass as one instruction.

``loss.backward()`` walks the graph once, in Python, and writes down what the engine would do: which
derivative runs when, and where each of its gradients goes. That plan is a ``Tape``; it is recorded
like any other instruction, and the engine's arithmetic happens where the window is lowered. A node
whose forward instruction lies in the same window is named by that instruction's position, so that
the compiler can share its ``jax.vjp``; any other node brings its saved operands along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from .kernel import VjpKernel
from .value import Aval

# Where a gradient goes that nobody asked for.
DISCARD = 1 << 40


class Entry(NamedTuple):
    """One node of the plan.

    ``position`` is that of the forward instruction in this window, or -1: then the saved operands are
    the tape's operands from ``start`` on. ``routes`` says for each gradient where it goes: (entry,
    result number), or, below zero, (-1 - export, 0), or (DISCARD, 0).
    """

    vjp: VjpKernel
    position: int
    start: int
    routes: tuple[tuple[int, int], ...]


class Root(NamedTuple):
    """A cotangent of ``aval`` that enters the plan: the operand ``operand``, or ones where that is -1."""

    target: int
    number: int
    operand: int
    aval: Aval


class Capture(NamedTuple):
    """The complete cotangent of (entry, result number), taken as export ``export``."""

    entry: int
    number: int
    export: int


class Tape:
    """The plan of a backward pass; hashed by identity, so make it through ``tape_of``."""

    name = "backward"
    check = None

    def __init__(
        self,
        entries: tuple[Entry, ...],
        roots: tuple[Root, ...],
        captures: tuple[Capture, ...],
        out_avals: tuple[Aval, ...],
    ):
        self.entries, self.roots, self.captures = entries, roots, captures
        self.out_avals, self.placement = out_avals, out_avals[0].placement
        self.single = None
        self.weight = max(1, len(entries))
        self.nbytes = sum(a.nbytes for a in out_avals)
        self.captures_at: dict[int, list[Capture]] = {}
        for c in captures:
            self.captures_at.setdefault(c.entry, []).append(c)
        # For each entry, which results of its forward get a cotangent.
        self.given = [[False] * len(e.vjp.forward.out_avals) for e in entries]
        for target, number in [(r.target, r.number) for r in roots] + [route for e in entries for route in e.routes]:
            if 0 <= target < DISCARD:
                self.given[target][number] = True

    def __repr__(self) -> str:
        return f"<Tape of {len(self.entries)}>"

    def run(self, operands: Sequence[Any], pull: Callable[[Entry, Sequence[Any]], Sequence[Any]], add=jnp.add) -> tuple:
        """Carry the plan out; ``pull(entry, cotangents)`` gives an entry's gradients."""
        buffers: list[list[Any]] = [[None] * len(e.vjp.forward.out_avals) for e in self.entries]
        exports: list[Any] = [None] * len(self.out_avals)

        def accumulate(target: int, number: int, gradient: Any) -> None:
            if target == DISCARD:
                return
            cell, i = (buffers[target], number) if target >= 0 else (exports, -1 - target)
            cell[i] = gradient if cell[i] is None else add(cell[i], gradient)

        for root in self.roots:
            if root.operand >= 0:
                gradient = operands[root.operand]
            else:
                gradient = jnp.ones(root.aval.shape, root.aval.dtype)
            accumulate(root.target, root.number, gradient)
        for i, entry in enumerate(self.entries):
            cotangents = buffers[i]
            buffers[i] = []
            for capture in self.captures_at.get(i, ()):
                exports[capture.export] = cotangents[capture.number]
            for (target, number), gradient in zip(entry.routes, pull(entry, cotangents), strict=True):
                accumulate(target, number, gradient)
        return tuple(
            jnp.zeros(a.shape, a.dtype) if x is None else x for x, a in zip(exports, self.out_avals, strict=True)
        )


_tapes: dict[tuple, Tape] = {}
_MOST_TAPES = 4096


def tape_of(plan: Sequence[Any], roots: Sequence[Root], captures: Sequence[Capture]) -> Tape:
    """The one Tape of this plan, which lists for each entry, flat, so that it is quickly made and hashed:

    its derivative; the position of its forward instruction, or -1 - start; and for each gradient the two numbers of its
    route. Captures are exported after what routes and roots export.
    """
    key = (tuple(plan), tuple(roots), tuple(captures))
    found = _tapes.get(key)
    if found is None:
        if len(_tapes) >= _MOST_TAPES:
            _tapes.clear()
        entries = _entries_of(plan)
        found = _tapes[key] = Tape(entries, key[1], key[2], _exported(entries, roots, captures))
    return found


def _entries_of(plan: Sequence[Any]) -> tuple[Entry, ...]:
    entries = []
    rest = iter(plan)
    for vjp in rest:
        place = next(rest)
        routes = tuple((next(rest), next(rest)) for _ in vjp.out_avals)
        entries.append(Entry(vjp, place, -1, routes) if place >= 0 else Entry(vjp, -1, -1 - place, routes))
    return tuple(entries)


def _exported(entries: Sequence[Entry], roots: Sequence[Root], captures: Sequence[Capture]) -> tuple[Aval, ...]:
    avals: dict[int, Aval] = {}
    for entry in entries:
        for (target, _), aval in zip(entry.routes, entry.vjp.out_avals, strict=True):
            if target < 0:
                avals[-1 - target] = aval
    for root in roots:
        if root.target < 0:
            avals[-1 - root.target] = root.aval
    for capture in captures:
        avals[capture.export] = entries[capture.entry].vjp.forward.out_avals[capture.number]
    return tuple(avals[i] for i in range(len(avals)))
