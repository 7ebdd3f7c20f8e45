"""Tracebacks that end where PyTorch's end.

PyTorch's ops are C++ and leave no frames: an error in one is shown at the line that called it. Here they
are Python, on top of JAX, and the frames below that line tell a user nothing. ``TORCHISH_FULL_TRACEBACK=1``
keeps them.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

# Modules whose frames, and those of their submodules, are hidden at the end of a traceback.
MACHINERY = (
    "torchish._core",
    "torchish._exec",
    "torchish._ops",
    "torchish._alias",
    "torchish.autograd",
    "jax",
    "jaxlib",
)
# Libraries that the machinery calls, hidden below it only: an error in them can be the user's as well.
CALLED_BY_MACHINERY = sys.stdlib_module_names | {"numpy", "ml_dtypes", "opt_einsum"}

# JAX says so where it took frames away itself.
JAX_NOTE = "JAX has removed its internal frames"


def end_at_user_line(error: BaseException) -> None:
    """Shorten the traceback of ``error``, and of every exception chained to it, to end at the user's line.

    An exception that the machinery raised and handled itself drops out of the chain.
    """
    if os.environ.get("TORCHISH_FULL_TRACEBACK") == "1":
        return
    pending, seen = [error], {id(error)}
    while pending:
        current = pending.pop()
        _shorten(current)
        _unlink_internal(current)
        linked = [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            linked.extend(current.exceptions)
        for one in linked:
            if one is not None and id(one) not in seen:
                seen.add(id(one))
                pending.append(one)


def _shorten(error: BaseException) -> None:
    entries = _entries(error.__traceback__)
    end = _end_of_user(entries)
    if 0 < end < len(entries):
        shortened = None
        for entry in reversed(entries[:end]):
            shortened = TracebackType(shortened, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        error.__traceback__ = shortened
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, list):
        notes[:] = [note for note in notes if JAX_NOTE not in str(note)]


def _unlink_internal(error: BaseException) -> None:
    cause, context, suppressed = error.__cause__, error.__context__, error.__suppress_context__
    if cause is not None and _is_internal(cause):
        # The op simply failed, perhaps while the user handled something else.
        cause, context, suppressed = None, cause, False
    error.__cause__ = cause
    error.__context__ = _first_of_user(context)
    error.__suppress_context__ = suppressed


def _first_of_user(error: BaseException | None) -> BaseException | None:
    """``error``, or where it is the machinery's own affair, the first one down its chain that is not."""
    passed = set()
    while error is not None and id(error) not in passed and _is_internal(error):
        passed.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return error


def _is_internal(error: BaseException) -> bool:
    entries = _entries(error.__traceback__)
    return bool(entries) and _end_of_user(entries) == 0


def _entries(traceback: TracebackType | None) -> list[TracebackType]:
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    return entries


def _end_of_user(entries: list[TracebackType]) -> int:
    """How many entries stand before the machinery's at the end (and what the machinery called)."""
    end = len(entries)
    for position in range(len(entries) - 1, -1, -1):
        module = entries[position].tb_frame.f_globals.get("__name__") or ""
        if _is_machinery(module):
            end = position
        elif module.partition(".")[0] not in CALLED_BY_MACHINERY:
            break
    return end


def _is_machinery(module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in MACHINERY)
