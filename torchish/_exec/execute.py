"""How a window's instructions become results: one by one, or as one compiled program.

Both take the same recorded code and give the same numbers. ``interpret`` runs each instruction through
its kernel's own jitted function. ``lower`` traces all of them into one function for ``jax.jit``; a
forward instruction whose derivative is in the same window is traced once, together with its ``jax.vjp``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .kernel import Kernel, VjpKernel, number_array
from .tape import Entry, Tape

# A slot says where an operand comes from. Results count from 0 up, inputs from -1 down, numbers from these up.
FLOATS, INTS, COMPLEXES = 1 << 40, 2 << 40, 3 << 40

Instruction = tuple[Kernel | Tape, tuple[int, ...]]


@jax.jit
def _add(x, y):
    return x + y


def slot_reader(results: Sequence[Any], inputs: Sequence[Any], floats, ints, complexes) -> Callable[[int], Any]:
    def read(slot: int) -> Any:
        if slot < 0:
            return inputs[-1 - slot]
        if slot < FLOATS:
            return results[slot]
        if slot < INTS:
            return floats[slot - FLOATS]
        if slot < COMPLEXES:
            return ints[slot - INTS]
        return complexes[slot - COMPLEXES]

    return read


def cold_kernels(code: Sequence[Instruction]) -> int:
    """How many different kernels would have to be compiled to interpret ``code``."""
    cold: set[Kernel] = set()
    for kernel, _ in code:
        if isinstance(kernel, Tape):
            cold.update(e.vjp for e in kernel.entries if not e.vjp.warm)
        elif not kernel.warm:
            cold.add(kernel)
    return len(cold)


def interpret(
    code: Sequence[Instruction],
    inputs: Sequence[Any],
    numbers: tuple[list, list, list],
    checked: Sequence[int],
    results: list[Any],
) -> list[tuple[bool, int]]:
    """Run ``code`` op by op, and append all results to ``results``, which tells how far it came.

    Returns (bad, witness) of the data checks at ``checked``; stops at the first check that fails.
    """
    flags: list[tuple[bool, int]] = []
    floats, ints, complexes = ([number_array(n) for n in kind] for kind in numbers)
    read = slot_reader(results, inputs, floats, ints, complexes)
    checked_set = set(checked)
    for position, (kernel, slots) in enumerate(code):
        operands = [read(s) for s in slots]
        if isinstance(kernel, Tape):
            results.extend(kernel.run(operands, _interpreted_pull(code, operands, read), _add))
            continue
        operands = _cast_numbers(kernel, operands)
        if position in checked_set:
            bad, witness = kernel.flags(operands)
            flags.append((bool(bad), int(witness)))
            if bad:
                break
        results.extend(kernel.run(*operands))
    return flags


def _cast_numbers(kernel: Kernel, operands: list[Any]) -> list[Any]:
    """A bool travels among the ints; give it to the kernel as the bool that it is."""
    if bool in kernel.in_avals:
        return [x != 0 if a is bool else x for x, a in zip(operands, kernel.in_avals, strict=True)]
    return operands


def _interpreted_pull(code, operands, read):
    def pull(entry: Entry, cotangents: Sequence[Any]):
        vjp = entry.vjp.partial(tuple(ct is not None for ct in cotangents))
        if entry.position >= 0:
            forward, slots = code[entry.position]
            primals = _cast_numbers(forward, [read(s) for s in slots])
            used = [primals[i] for i in vjp.uses]
        else:
            used = operands[entry.start : entry.start + len(entry.vjp.uses)]
            if vjp is not entry.vjp:
                by_index = dict(zip(entry.vjp.uses, used, strict=True))
                used = [by_index[i] for i in vjp.uses]
        return vjp.run(*used, *[ct for ct in cotangents if ct is not None])

    return pull


def lower(code: Sequence[Instruction], live: Sequence[int], checked: Sequence[int]) -> Callable[..., tuple[list, Any]]:
    """One function for all of ``code``.

    ``live`` are the results that it returns, ``checked`` the positions whose data checks run. The
    function takes (inputs, floats, ints, complexes) and returns the live results and an int64 array
    of (bad, witness) a check.
    """
    # By position: the derivative, and which results have a cotangent in any of the tapes.
    pulled: dict[int, tuple[VjpKernel, list[bool]]] = {}
    for kernel, _ in code:
        if isinstance(kernel, Tape):
            for entry, given in zip(kernel.entries, kernel.given, strict=True):
                if entry.position >= 0:
                    known = pulled.get(entry.position, (entry.vjp, given))[1]
                    pulled[entry.position] = (entry.vjp, [a or b for a, b in zip(known, given, strict=True)])
    checked_set = set(checked)

    def run(inputs, floats, ints, complexes):
        results: list[Any] = []
        pullbacks: dict[int, Callable] = {}
        flags = []
        read = slot_reader(results, inputs, floats, ints, complexes)
        for position, (kernel, slots) in enumerate(code):
            operands = [read(s) for s in slots]
            if isinstance(kernel, Tape):
                results.extend(kernel.run(operands, _lowered_pull(operands, pullbacks)))
                continue
            operands = _cast_numbers(kernel, operands)
            if position in checked_set:
                bad, witness = kernel.check(*operands)  # type: ignore[misc]
                flags.append(jnp.stack([bad.astype(np.int64), witness.astype(np.int64)]))
            derivative = pulled.get(position)
            if derivative is None:
                results.extend(kernel.fn(*operands))
            else:
                vjp, given = derivative
                outs, pullbacks[position] = vjp.linearize(operands, given)
                results.extend(outs)
        return [results[i] for i in live], (jnp.stack(flags) if flags else None)

    return run


def _lowered_pull(operands, pullbacks):
    def pull(entry: Entry, cotangents: Sequence[Any]):
        if entry.position >= 0:
            return pullbacks[entry.position](cotangents)
        used = operands[entry.start : entry.start + len(entry.vjp.uses)]
        given = tuple(ct is not None for ct in cotangents)
        vjp = entry.vjp.partial(given)
        by_index = dict(zip(entry.vjp.uses, used, strict=True))
        return vjp.fn(*[by_index[i] for i in vjp.uses], *[ct for ct in cotangents if ct is not None])

    return pull
