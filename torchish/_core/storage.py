"""Storage: the only mutable thing that holds data."""

from __future__ import annotations

import sys
import weakref
from typing import Any

import jax
import numpy as np

from .._exec.value import Aval, Value, from_numpy
from .._exec.window import THREADS, Context, Window, keep, materialise, undone_by_failure


class InferenceCounter(list):
    """The version counter of an inference tensor, which PyTorch does not track; its class marks the Storage.

    ``used`` says whether there may be any: until inference mode is first entered nobody has to look for them.
    """

    used = False


def new_counter(context: Context) -> list[Any]:
    """The version counter of a fresh Storage."""
    return InferenceCounter((0,)) if context.inference else [0]


class Storage:
    """Data that tensors share: a base Value and a version counter.

    ``value`` is None while a live NumPy array shares the memory: then ``host`` is the truth, ``read``
    takes a snapshot and ``write`` goes through to the array. ``counter`` holds the version alone, so that
    a saved version does not keep data alive; ``writes`` counts every write, also those through ``.data``,
    which PyTorch's version does not see. After a recorded in-place operation ``counter`` also names it, for the
    error about saved tensors that were modified.
    """

    __slots__ = ("__weakref__", "aval", "counter", "host", "snapshot", "trace", "value", "writes")

    def __init__(self, value: Value):
        self.value: Value | None = value
        self.aval: Aval = value.aval
        self.counter: list[Any] = new_counter(THREADS.context)
        self.writes = 0
        self.host: Any = None
        self.trace: Any = THREADS.context.trace

    @property
    def version(self) -> int:
        return self.counter[0]

    def read(self) -> Value:
        """The base Value as it is now."""
        value = self.value
        if value is not None:
            return value
        if _is_unshared(self.host):
            self.value = value = from_numpy(np.asarray(self.host, order="C"), self.aval.placement)
            self.host = None
            return value
        return self._snapshot()

    def _snapshot(self) -> Value:
        """A copy of what the shared array holds now; the last copy again where that still holds the same."""
        known = getattr(self, "snapshot", None)
        if known is not None and np.array_equal(known[0], self.host):
            return known[1]
        array = np.array(self.host, order="C")
        value = from_numpy(array, self.aval.placement)
        self.snapshot = (array, value)
        return value

    def write(self, value: Value) -> None:
        """Replace the base Value. The version is the caller's to move."""
        context = THREADS.context
        if self.trace is not context.trace:
            self.check_trace(context)
        if self.host is not None and self.host.flags.writeable and not _is_unshared(self.host):
            np.copyto(self.host, np.asarray(materialise(value)))
        else:
            if context.window.checks:
                self._journal(context.window)
            self.value, self.host = value, None
        self.writes += 1

    def check_trace(self, context: Context) -> None:
        """Raise where this Storage would get, or its tensor refer to, what a JAX transformation is only tracing."""
        if self.trace is not context.trace:
            raise RuntimeError(
                "torchish: a tensor made outside of a JAX transformation was written to inside it. "
                "Return the new value from the function instead, or clone() the tensor inside it."
            )

    def _journal(self, window: Window) -> None:
        old, host, counter = keep(window, self.value), self.host, list(self.counter)
        reference = weakref.ref(self)

        def undo(results: list[Value]) -> None:
            storage = reference()
            if storage is not None:
                storage.value, storage.host, storage.counter[:] = old(results), host, counter
                storage.writes += 1

        undone_by_failure(window, undo)

    def share_with_numpy(self) -> np.ndarray:
        """A writable array of the base's shape that shares this Storage's memory from now on."""
        if self.host is None:
            array = np.array(materialise(self.read()), order="C")
            self.host, self.value = array, None
        return self.host


def from_shared(array: np.ndarray, placement: Any) -> Storage:
    """A Storage over memory that ``array`` owns or views: both see each other's writes."""
    value = Value(None, _aval_of_array(array, placement))
    storage = Storage(value)
    storage.value, storage.host = None, array
    return storage


def _aval_of_array(array: np.ndarray, placement: Any) -> Aval:
    from .._exec.value import aval_of

    return aval_of(array.shape, array.dtype, placement)


def _references(owner: Any) -> int:
    return sys.getrefcount(owner)


class _Slot:
    __slots__ = ("host",)
    host: Any


def _calibrate() -> int:
    slot = _Slot()
    slot.host = np.zeros(1)
    return _is_unshared(slot.host, count=True)


def _is_unshared(host: np.ndarray, count: bool = False) -> Any:
    """Whether no array but the one in the Storage can reach ``host``'s memory.

    NumPy's views keep a reference to the array that owns the memory, so the owner's reference count
    tells. Memory that belongs to something else (a file, a buffer) counts as shared.
    """
    references = _references(host)
    if count:
        return references
    if host.base is not None or not host.flags.owndata:
        return False
    return references <= _ALONE


_ALONE = _calibrate()


def on_device(value: Value, placement: Any) -> Value:
    """``value`` copied to another device; the data is needed for that, so pending work runs."""
    from .._exec.value import concrete

    return concrete(jax.device_put(materialise(value), placement.jax_device), placement)
