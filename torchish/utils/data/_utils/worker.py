"""The process of a DataLoader's worker: how it is started, and what it does.

A process that runs JAX cannot be forked: the child has none of the threads that JAX counts on. So workers start
afresh, by forkserver or spawn, with a JAX of their own that sees the CPU alone.
"""

from __future__ import annotations

import os
import queue
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process, spawn
from typing import Any

import jax
import numpy as np

import torchish

from . import transport
from .fetch import _DatasetKind

MP_STATUS_CHECK_INTERVAL = 5.0  # seconds between looks at whether the other side lives


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker: its number, how many there are, its seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a DataLoader's worker, what it is; None in the main process.

    >>> get_worker_info() is None
    True
    """
    return _worker_info


@dataclass(frozen=True)
class _IterableDatasetStopIteration:
    """Sent back by a worker whose iterable dataset has ended."""

    worker_id: int


@dataclass(frozen=True)
class _ResumeIteration:
    """Sent to a worker for a new epoch, and back."""

    seed: int | None = None


class ExceptionWrapper:
    """An exception on its way to another process: its class, and its traceback as text."""

    def __init__(self, where: str) -> None:
        kind, _, _ = sys.exc_info()
        self.exc_type: Any = kind
        self.exc_msg = traceback.format_exc()
        self.where = where

    def reraise(self) -> None:
        """Raise one of the same class, or RuntimeError where that class takes more than a message."""
        message = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            message = _Unquoted(message)  # type: ignore[assignment]
        elif getattr(self.exc_type, "message", None):
            raise self.exc_type(message=message)
        try:
            exception = self.exc_type(message)
        except Exception:
            raise RuntimeError(message) from None
        raise exception


class _Unquoted(str):
    """A text that KeyError shows as it is."""

    def __repr__(self) -> str:
        return self


# Starting


class _OwnRuntime:
    """Unpickles to None in a worker, and sets JAX up there first: what is unpickled after it may hold tensors."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _use_own_runtime, ()


def _use_own_runtime() -> None:
    os.environ["NPROC"] = "1"  # the threads of XLA's CPU client: the workers run beside each other
    jax.config.update("jax_platforms", "cpu")


class ByValue:
    """Unpickles to ``item``, with its classes and functions of ``__main__`` along, so that no worker imports that."""

    def __init__(self, item: Any) -> None:
        self.item = item

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        import cloudpickle

        return cloudpickle.loads, (cloudpickle.dumps(self.item),)


_patching = threading.Lock()


@contextmanager
def main_not_imported() -> Iterator[None]:
    """Processes started in this block do not import the main module again."""
    with _patching:
        original = spawn.get_preparation_data

        def without_main(name: str) -> dict[str, Any]:
            return {key: value for key, value in original(name).items() if not key.startswith("init_main_from")}

        spawn.get_preparation_data = without_main
        try:
            yield
        finally:
            spawn.get_preparation_data = original


# Running


def _numpy_seed(base_seed: int, worker_id: int) -> np.ndarray:
    """Four words for NumPy's legacy generator. NumPy's own SeedSequence of this entropy gives PyTorch's words."""
    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return np.random.SeedSequence(entropy).generate_state(4)


def _seed(base_seed: int, worker_id: int) -> int:
    seed = base_seed + worker_id
    random.seed(seed)
    torchish.manual_seed(seed)
    np.random.seed(_numpy_seed(base_seed, worker_id))
    return seed


class _Worker:
    """Takes indices from one queue and puts batches on another, until it is told to stop or its parent has died."""

    def __init__(self, worker_id: int, fetcher_arguments: tuple[Any, ...], init_fn: Any) -> None:
        self.where = f"in DataLoader worker process {worker_id}"
        self.worker_id = worker_id
        self.fetcher_arguments = fetcher_arguments
        self.failure: ExceptionWrapper | None = None
        self.ended = False
        try:
            if init_fn is not None:
                init_fn(worker_id)
            self.start_epoch()
        except Exception:
            self.failure = ExceptionWrapper(self.where)

    def start_epoch(self) -> None:
        self.fetcher = _DatasetKind.create_fetcher(*self.fetcher_arguments)
        self.ended = False

    def batch(self, index: Any) -> Any:
        """The batch at ``index``, or what became of it."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            return failure
        try:
            return self.fetcher.fetch(index)
        except StopIteration:
            if self.fetcher_arguments[0] != _DatasetKind.Iterable:
                return ExceptionWrapper(self.where)
            self.ended = True
            return _IterableDatasetStopIteration(self.worker_id)
        except Exception:
            return ExceptionWrapper(self.where)

    def message(self, idx: int, data: Any) -> transport.Message:
        """Pickled here, not in the queue's thread: tensors are computed in the thread that recorded them."""
        try:
            return transport.dumps((idx, data))
        except Exception:
            return transport.dumps((idx, ExceptionWrapper(self.where)))


def _worker_loop(
    _: None,
    fetcher_of: tuple[int, bool, bool],
    of_user: tuple[Any, Any, Any],
    queues: tuple[Any, Any, Any],
    seed_and_number: tuple[int, int, int],
) -> None:
    kind, auto_collation, drop_last = fetcher_of
    dataset, collate_fn, init_fn = of_user
    index_queue, data_queue, done_event = queues
    base_seed, worker_id, num_workers = seed_and_number
    global _worker_info
    try:
        seed = _seed(base_seed, worker_id)
        _worker_info = WorkerInfo(worker_id, num_workers, seed, dataset)
        worker = _Worker(worker_id, (kind, dataset, auto_collation, collate_fn, drop_last), init_fn)
        _serve(worker, index_queue, data_queue, done_event)
    except KeyboardInterrupt:
        pass  # the main process raises it
    if not _parent_lives():
        data_queue.cancel_join_thread()  # nobody takes what is left


def _parent_lives() -> bool:
    parent = parent_process()
    return parent is not None and parent.is_alive()


def _serve(worker: _Worker, index_queue: Any, data_queue: Any, done_event: Any) -> None:
    while _parent_lives():
        try:
            request = index_queue.get(timeout=MP_STATUS_CHECK_INTERVAL)
        except queue.Empty:
            continue
        if request is None:
            return
        if isinstance(request, _ResumeIteration):
            data_queue.put(transport.dumps((request, None)))
            worker.start_epoch()
        elif not done_event.is_set() and not worker.ended:
            idx, index = request
            data_queue.put(worker.message(idx, worker.batch(index)))
