"""Large operands that die in a window give their memory to its results.

A training step reads each parameter and writes a new one: the old array dies there, unless somebody still holds
it. Its buffer is then donated to the compiled program, so that the step needs no memory for both. Reference counts tell
what dies, of the Value and of its array. Which operands are donated is part of a program's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import jax
import jax.numpy as jnp

from .value import Aval, Value

# Below it, what donating saves is not worth a look.
LEAST_BYTES = 1 << 20


def _references(values: Sequence[Value], i: int) -> tuple[int, int]:
    value = values[i]
    return getrefcount(value), getrefcount(value.array)


# What _references says of a Value in no other list, whose array nobody else holds.
_UNHELD = _references([Value(object(), None)], 0)  # type: ignore[arg-type]


def dying(inputs: Sequence[Value], out_avals: Sequence[Aval]) -> tuple[int, ...]:
    """Which of a window's inputs nobody will read again, as far as results of the same shape and dtype can use them."""
    large = [i for i, v in enumerate(inputs) if v.aval.nbytes >= LEAST_BYTES]
    if not large:
        return ()
    wanted = Counter(out_avals)
    found = []
    for i in large:
        aval = inputs[i].aval
        if wanted[aval] and _references(inputs, i) == _UNHELD:
            wanted[aval] -= 1
            found.append(i)
    return tuple(found)


class Donating:
    """``function(inputs, *numbers)`` compiled, where of ``count`` inputs those at ``donated`` are given up."""

    def __init__(self, function: Callable[..., Any], donated: Sequence[int], count: int):
        self.donated = donated
        self.kept = kept = [i for i in range(count) if i not in donated]
        self.warm = False

        def split(dead: Sequence[Any], living: Sequence[Any], *numbers: Any) -> Any:
            inputs: list[Any] = [None] * count
            for where, arrays in ((donated, dead), (kept, living)):
                for i, array in zip(where, arrays, strict=True):
                    inputs[i] = array
            return function(inputs, *numbers)

        self._compiled = jax.jit(split, donate_argnums=0)

    def run(self, inputs: Sequence[Any], numbers: Sequence[Any], store: Callable[[Any], None]) -> Any:
        """What the function gives, which ``store`` gets even if an interrupt arrives: the donated inputs are gone then."""
        dead = [inputs[i] for i in self.donated]
        if not self.warm:  # tracing and compiling can be interrupted, and must then have consumed nothing
            dead = [jnp.copy(x) for x in dead]
        arguments = (dead, [inputs[i] for i in self.kept], *numbers)
        given: list[Any] = []
        try:
            # Python looks for interrupts between its own instructions: here the call and the storing are one.
            given.extend(map(self._compiled, *[(x,) for x in arguments]))
        finally:
            if given:
                store(given[0])
        self.warm = True
        return given[0]


def consumed(inputs: Sequence[Value]) -> bool:
    """Whether a run that failed has used up one of its inputs."""
    return any(v.array.is_deleted() for v in inputs)
