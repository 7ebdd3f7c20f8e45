"""The window: operations are recorded here, and run when somebody looks.

``record`` appends one instruction and gives pending Values. ``materialise`` is the one door from a
pending Value to its data; it flushes the window that holds it. A flush looks up the window's code among
those seen: a window seen before, or one whose kernels are mostly cold, runs as one compiled program,
any other is interpreted. A result that nobody holds any more is no output: reference counting alone decides
that, so Tensors, Nodes and Values must never form cycles.

Each thread has its own window. Another thread that reads a pending Value flushes the window that it is
in, under that window's lock. A flush changes nothing before it has succeeded: after an exception, or a
KeyboardInterrupt, the window is as it was.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from sys import getrefcount
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from .cache import LeastRecentlyUsed
from .donation import Donating, consumed, dying
from .execute import COMPLEXES, FLOATS, INTS, Instruction, cold_kernels, interpret, lower
from .kernel import Kernel, number_array
from .numbers import packed
from .statistics import STATISTICS, Reason, user_line
from .tape import Tape
from .value import Value

MOST_INSTRUCTIONS = 512
MOST_BYTES = 4 << 30

# Estimated milliseconds, for the choice between interpreting and compiling an unseen window.
_COMPILE_KERNEL, _COMPILE_WINDOW, _COMPILE_INSTRUCTION = 40, 50, 8


class Failed:
    """Stands in a Value for the window where its op, or one before it, failed."""

    def __init__(self, error: Exception):
        self.error = error


class Context:
    """What a thread is doing: its window and its modes."""

    __slots__ = ("expects_optimizer", "grad_enabled", "hooks", "inference", "limit", "steps", "trace", "window")

    def __init__(self) -> None:
        self.grad_enabled = True
        self.inference = False
        self.trace: Any = None  # a token while a JAX transformation runs torchish code inline
        self.limit = 1 if os.environ.get("TORCHISH_EAGER", "0") not in ("", "0") else MOST_INSTRUCTIONS
        self.hooks: Any = None
        # Whether an optimizer's step() is expected after backward(), and how many backward() came since the last.
        self.expects_optimizer = False
        self.steps = 0
        self.window = Window(self)


class Window:
    """Recorded instructions that have not run yet."""

    __slots__ = (
        "checks",
        "code",
        "complexes",
        "context",
        "done",
        "floats",
        "input_slots",
        "inputs",
        "ints",
        "journal",
        "lock",
        "nbytes",
        "placement",
        "results",
        "weight",
    )

    def __init__(self, context: Context):
        self.context = context
        self.code: list[Instruction] = []
        self.results: list[Value] = []
        self.inputs: list[Value] = []
        self.input_slots: dict[int, int] = {}
        self.floats: list[float] = []
        self.ints: list[int] = []
        self.complexes: list[complex] = []
        self.placement: Any = None
        self.weight = self.nbytes = 0
        self.done = False
        self.lock = threading.RLock()
        self.checks: list[tuple[int, str]] = []
        # While a data check is pending: how to undo each later change of a tensor.
        self.journal: list[tuple[int, Callable[[list[Value]], None]]] = []

    def slot_of(self, operand: Any) -> int:
        """The slot of an operand that is not yet known to this window."""
        cls = operand.__class__
        if cls is Value:
            slot = self.input_slots.get(id(operand))
            if slot is None:
                if isinstance(operand.array, Tracer):
                    raise jax.errors.UnexpectedTracerError(
                        "torchish: a tensor made inside a JAX transformation was used after that had ended. "
                        "Return it from the function instead."
                    )
                self.inputs.append(operand)
                slot = self.input_slots[id(operand)] = -len(self.inputs)
            operand.window, operand.slot = self, slot
            return slot
        if cls is float:
            self.floats.append(operand)
            return FLOATS + len(self.floats) - 1
        if cls is int or cls is bool:
            if not -(1 << 63) <= operand < 1 << 63:
                raise OverflowError("int too big to convert")
            self.ints.append(operand)
            return INTS + len(self.ints) - 1
        self.complexes.append(operand)
        return COMPLEXES + len(self.complexes) - 1

    def forget_numbers(self, slots: Sequence[int]) -> None:
        """Take the numbers away again that the last call of ``record`` has given these slots."""
        for slot in slots:
            if slot >= FLOATS:
                (self.floats if slot < INTS else self.ints if slot < COMPLEXES else self.complexes).pop()


class _Threads(threading.local):
    def __init__(self) -> None:
        self.context = Context()


THREADS = _Threads()
_new = object.__new__


def record(context: Context, kernel: Kernel | Tape, operands: Sequence[Any]) -> Any:
    """Append one instruction; its pending result, or a tuple of them.

    ``operands`` are Values and Python numbers, as ``kernel.in_avals`` says.
    """
    if context.trace is not None:
        return _inline(kernel, operands)
    window = context.window
    if kernel.placement is not window.placement:
        if window.code:
            flush(window, Reason.DEVICE)
        window = context.window
        window.placement = kernel.placement
    if kernel.check is not None:
        _check(context, kernel, operands)
        if context.window is not window:  # it was run, to have the data at hand
            return record(context, kernel, operands)
    lock = window.lock
    lock.acquire()
    try:
        if window.done:  # another thread flushed it in between
            return record(context, kernel, operands)
        slots = []
        for v in operands:
            if v.__class__ is Value:
                if v.window is window:
                    slots.append(v.slot)
                    continue
                if v.array is None:
                    break
            slots.append(window.slot_of(v))
        else:
            results = window.results
            window.code.append((kernel, tuple(slots)))
            aval = kernel.single
            result: Any
            if aval is not None:
                result = _new(Value)
                result.array, result.aval, result.window, result.slot = None, aval, window, len(results)
                results.append(result)
            else:
                result = []
                for aval in kernel.out_avals:
                    v = _new(Value)
                    v.array, v.aval, v.window, v.slot = None, aval, window, len(results)
                    results.append(v)
                    result.append(v)
                result = tuple(result)
            window.weight += kernel.weight
            window.nbytes += kernel.nbytes
            if window.weight >= context.limit or window.nbytes > MOST_BYTES:
                flush(window, Reason.FULL if context.limit > 1 else Reason.EAGER)
            return result
        window.forget_numbers(slots)
    finally:
        lock.release()
    materialise(v)  # pending in another thread's window, whose lock must not be taken while holding this one's
    return record(context, kernel, operands)


def _inline(kernel: Kernel | Tape, operands: Sequence[Any]) -> Any:
    """Run an instruction at once, inside a JAX transformation that is tracing."""
    assert isinstance(kernel, Kernel)
    arrays = [materialise(v) if v.__class__ is Value else np.asarray(v) for v in operands]
    outs = kernel.fn(*arrays)
    values = tuple(Value(x, a) for x, a in zip(outs, kernel.out_avals, strict=True))
    return values[0] if kernel.single is not None else values


def _check(context: Context, kernel: Any, operands: Sequence[Any]) -> None:
    """Run a data check now where its operands are at hand, or let it ride along in the window."""
    for v in operands:
        if v.__class__ is Value and v.array is None and v.window is not context.window:
            materialise(v)
    window = context.window
    used = [operands[i] for i in kernel.check_uses]
    if any(v.__class__ is Value and v.array is None for v in used):
        window.checks.append((len(window.code), user_line()))
        return
    # The labels or indices of a data set are seen again: what passed once need not be looked at again.
    only = used[0].array if len(used) == 1 and used[0].__class__ is Value else None
    if only is not None and kernel.passed.get(id(only)) is only:
        return
    bad, witness = kernel.flags([v.array if v.__class__ is Value else number_array(v) for v in operands])
    if bad:
        raise kernel.error(int(witness))
    if only is not None:
        kernel.passed[id(only)] = only


def undone_by_failure(window: Window, undo: Callable[[list[Value]], None]) -> None:
    """Call ``undo(results)`` if a data check that is pending now fails; the caller is changing a tensor.

    ``undo`` must hold none of the window's results, or they could not be dropped as unused: see ``keep``.
    """
    window.journal.append((len(window.code), undo))


def keep(window: Window, value: Value | None) -> Callable[[list[Value]], Value | None]:
    """A function of the window's results that gives ``value`` again, and does not hold it if it is one of them."""
    if value is not None and value.window is window and value.slot >= 0:
        slot = value.slot
        return lambda results: results[slot]
    return lambda results: value


def materialise(value: Value) -> Any:
    """The data of a Value: the one door from pending to concrete."""
    array = value.array
    if array is not None:
        return array
    while value.array is None:
        owner = value.window
        if isinstance(owner, Failed):
            raise owner.error
        flush(owner, Reason.MATERIALISE)
    return value.array


_MOST_BACKWARDS = 8


def backward_ended(context: Context) -> None:
    """``backward()`` returned: run the step, unless an optimizer's ``step()`` will shortly end it."""
    context.steps += 1
    if context.expects_optimizer and context.steps <= _MOST_BACKWARDS:
        return
    context.expects_optimizer = False
    flush(context.window, Reason.STEP_END)


def optimizer_step_ended(context: Context) -> None:
    """``optimizer.step()`` returned: the step is whole."""
    if context.trace is not None:
        return
    context.expects_optimizer = True
    context.steps = 0
    flush(context.window, Reason.STEP_END)


_compiled: LeastRecentlyUsed[tuple, Any] = LeastRecentlyUsed(1024)
_seen: LeastRecentlyUsed[int, int] = LeastRecentlyUsed(8192)


def flush(window: Window, reason: Reason) -> None:
    """Run everything that the window holds; its results become concrete."""
    with window.lock:
        if window.done:
            return
        if window.code:
            try:
                _run(window, reason)
            except Exception as error:
                if window.done:  # a data check failed, and has ended it
                    raise
                _run_what_runs(window, error)
        _retire(window)


def _retire(window: Window) -> None:
    # First, so that an interrupt in here cannot leave the thread with a finished window.
    window.context.window = Window(window.context)
    window.done = True
    for values in (window.results, window.inputs):
        for v in values:
            if v.window is window:
                v.window = None
    # Nodes know the window for as long as they live: it must not keep anything alive.
    window.code, window.results, window.inputs, window.input_slots, window.journal = [], [], [], {}, []


def _count_references(results: list[Value]) -> list[int]:
    return [getrefcount(v) for v in results]


# What _count_references says of a result that only the window refers to.
_UNHELD = _count_references([Value(None, None)])[0]  # type: ignore[arg-type]


def _run(window: Window, reason: Reason) -> None:
    results = window.results
    live = tuple([i for i, n in enumerate(_count_references(results)) if n > _UNHELD])
    STATISTICS.windows += 1
    STATISTICS.instructions += len(window.code)
    STATISTICS.flushes[reason] += 1
    if not live and not window.checks:
        return
    code = tuple(window.code)
    checked = tuple([position for position, _ in window.checks])
    # A failed check undoes what came after it, from the inputs: they must be there then.
    donated = () if checked else dying(window.inputs, [results[i].aval for i in live])
    key = (code, live, checked, donated)
    program = _compiled.get(key)
    if program is not None:
        STATISTICS.hits += 1
    elif _worth_compiling(code, key, reason, donated):
        program = lower(code, live, checked)
        program = Donating(program, donated, len(window.inputs)) if donated else jax.jit(program)
        STATISTICS.note_compile(code, live, donated, reason)
    if program is not None:
        outs, flags = _call(window, program, live)
        _compiled.put(key, program)
    else:
        every: list[Any] = []
        flags = _interpret(window, code, checked, every)
        outs = [every[i] for i in live] if len(flags) == 0 or not flags[-1][0] else []
        STATISTICS.interpreted += 1
    if checked:
        _look_at(window, flags)
    _store(window, live, outs)


def _store(window: Window, live: Sequence[int], arrays: Sequence[Any]) -> None:
    results = window.results
    for i, array in zip(live, arrays, strict=True):
        results[i].array = array


def _call(window: Window, program: Any, live: Sequence[int]) -> tuple[list, Any]:
    """Run a compiled program on the window's operands."""
    placement = window.placement
    arrays = [v.array for v in window.inputs]
    floats, ints = packed("d", window.floats, placement), packed("q", window.ints, placement)
    complexes = packed("Z", window.complexes, placement)
    if program.__class__ is Donating:
        return program.run(arrays, (floats, ints, complexes), lambda given: _store(window, live, given[0]))
    if arrays:
        return program(arrays, floats, ints, complexes)
    with jax.default_device(placement.jax_device):  # arrays say where a program runs; one without any needs to be told
        return program(arrays, floats, ints, complexes)


def _interpret(window: Window, code: Sequence[Instruction], checked: Sequence[int], results: list[Any]) -> list:
    arrays = [v.array for v in window.inputs]
    numbers = (window.floats, window.ints, window.complexes)
    with nullcontext() if arrays else jax.default_device(window.placement.jax_device):
        return interpret(code, arrays, numbers, checked, results)


def _look_at(window: Window, flags: Any) -> None:
    """Raise for the first data check that failed, if any."""
    for (position, line), (bad, witness) in zip(window.checks, np.asarray(flags), strict=False):
        if bad:
            _fail(window, position, int(witness), line)


def _worth_compiling(code: tuple[Instruction, ...], key: tuple, reason: Reason, donated: Sequence[int]) -> bool:
    """Whether to compile a window that has no program yet; counts how often it was seen."""
    seen = _seen.get(hash(key)) or 0
    _seen.put(hash(key), seen + 1)
    if reason is Reason.EAGER:
        return False
    if reason is Reason.FULL:
        return seen >= 2
    if seen >= 1:
        return len(code) > 1 or isinstance(code[0][0], Tape) or bool(donated)
    cold = cold_kernels(code)
    size = sum(kernel.weight for kernel, _ in code)
    return cold > 1 and cold * _COMPILE_KERNEL > _COMPILE_WINDOW + size * _COMPILE_INSTRUCTION


def _fail(window: Window, position: int, witness: int, line: str) -> None:
    """Raise for the op at ``position``, with every tensor as it was before that op."""
    error = window.code[position][0].error(witness)  # type: ignore[union-attr]
    error.add_note(f"torchish: raised by the operation at {line}; it ran when its data was needed")
    for written, undo in reversed(window.journal):
        if written > position:
            undo(window.results)
    before: list[Any] = []
    _interpret(window, window.code[:position], (), before)
    _keep_what_ran(window, before, error)
    raise error


def _run_what_runs(window: Window, error: Exception) -> None:
    """Running the window raised ``error``: run it op by op, up to the one that raises."""
    results: list[Any] = []
    if consumed(window.inputs):
        _keep_what_ran(window, results, error)
        raise error
    try:
        flags = _interpret(window, window.code, [position for position, _ in window.checks], results)
    except Exception as its_own:
        _keep_what_ran(window, results, its_own)
        raise its_own from None
    _look_at(window, flags)
    warnings.warn(f"torchish ran a step op by op, for as a whole it failed: {error}", RuntimeWarning, stacklevel=2)
    for value, array in zip(window.results, results, strict=True):
        value.array = array


def _keep_what_ran(window: Window, results: list[Any], error: Exception) -> None:
    """End the window where only its first results could be computed: reading another raises ``error``."""
    for i, value in enumerate(window.results):
        if i < len(results):
            value.array = results[i]
        else:
            value.window = Failed(error)
    _retire(window)


def clear_compiled() -> None:
    """Forget every compiled window."""
    _compiled.clear()
    _seen.clear()
