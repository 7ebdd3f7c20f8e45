"""The iterator of a DataLoader with workers.

Each worker has a queue of its own for indices, and all share one for batches. The iterator sends out indices ahead of
what it has received, in turn, and hands the batches on in the order of the indices (unless ``in_order`` is off).
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
import warnings
from contextlib import nullcontext
from importlib.util import find_spec
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pickle import PicklingError
from typing import Any

from ._utils import transport
from ._utils import worker as workers
from ._utils.pin_memory import pin_memory
from .dataloader import DataLoader, _BaseDataLoaderIter

NOT_FORKED = (
    "torchish starts workers afresh and does not fork them: the dataset, collate_fn and worker_init_fn must be "
    'picklable, and a script must do its work under `if __name__ == "__main__":`. With the extra that brings '
    "cloudpickle, `pip install torchish[workers]`, neither is needed."
)


def default_context() -> Any:
    """How workers start unless the user says: as ``multiprocessing`` is set, but never by fork."""
    method = multiprocessing.get_start_method(allow_none=True)
    if method in (None, "fork"):
        methods = multiprocessing.get_all_start_methods()
        method = "forkserver" if "forkserver" in methods else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        # The server imports JAX once, without starting it; each worker is then a fork of the server.
        context.set_forkserver_preload([__package__])
    return context


class _Pool:
    """The processes, and the queues to and from them. It knows nothing of the iterator, so as to end with it."""

    def __init__(self, context: Any, count: int) -> None:
        self.context, self.count = context, count
        self.results = context.Queue()
        self.done = context.Event()
        self.processes: list[Any] = []
        self.indices: list[Any] = []

    def start(self, fetcher_of: tuple[int, bool, bool], of_user: Any, base_seed: int) -> None:
        by_value = find_spec("cloudpickle") is not None
        for i in range(self.count):
            indices = self.context.Queue()
            indices.cancel_join_thread()  # nobody waits for indices that no worker has taken
            self.indices.append(indices)
            process = self.context.Process(
                target=workers._worker_loop,
                args=(
                    workers._OwnRuntime(),
                    fetcher_of,
                    workers.ByValue(of_user) if by_value else of_user,
                    (indices, self.results, self.done),
                    (base_seed, i, self.count),
                ),
                daemon=True,
            )
            try:
                with workers.main_not_imported() if by_value else nullcontext():
                    process.start()
            except (TypeError, AttributeError, PicklingError):
                warnings.warn(f"A DataLoader worker's arguments could not be pickled. {NOT_FORKED}", stacklevel=6)
                raise
            self.processes.append(process)

    def shutdown(self) -> None:
        """End the workers, kill those that don't within some seconds, and give back what they have sent."""
        self.done.set()
        for indices in self.indices:
            indices.put(None)
        end = time.monotonic() + workers.MP_STATUS_CHECK_INTERVAL
        while (left := end - time.monotonic()) > 0 and any(process.is_alive() for process in self.processes):
            self._discard(left)
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for queue in (*self.indices, self.results):
            queue.cancel_join_thread()
            queue.close()

    def _discard(self, timeout: float) -> None:
        """Take a batch that is sent, or see a worker end."""
        living = [process.sentinel for process in self.processes if process.is_alive()]
        if self.results._reader in wait([self.results._reader, *living], timeout=timeout):
            transport.discard(self.results.get())


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._prefetch_factor = loader.prefetch_factor
        if not self._prefetch_factor:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        self._in_order = loader.in_order
        self._pool = _Pool(loader.multiprocessing_context or default_context(), self._num_workers)
        # With this iterator, or at the end of the program, before multiprocessing terminates its children.
        self._shutdown_workers = Finalize(self, self._pool.shutdown, exitpriority=10)
        self._pool.start(
            (self._dataset_kind, self._auto_collation, self._drop_last),
            (self._dataset, self._collate_fn, loader.worker_init_fn),
            self._base_seed,
        )
        self._reset(loader, first_iter=True)

    # Epochs

    def _reset(self, loader: DataLoader[Any], first_iter: bool = False) -> None:
        super()._reset(loader, first_iter)
        self._send_idx = 0  # of the next task to send
        self._rcvd_idx = 0  # of the next batch to hand on
        # By index: the worker, and behind it the batch where that came before its turn.
        self._task_info: dict[int, tuple[Any, ...]] = {}
        self._tasks_outstanding = 0
        self._workers_status = [True] * self._num_workers  # whether it takes tasks
        self._workers_num_tasks = [0] * self._num_workers
        self._worker_queue_idx_cycle = itertools.cycle(range(self._num_workers))
        if not first_iter:
            self._resume_workers()
        for _ in range(self._prefetch_factor * self._num_workers):  # type: ignore[operator]
            self._try_put_index()

    def _resume_workers(self) -> None:
        for index_queue in self._pool.indices:
            index_queue.put(workers._ResumeIteration())
        waiting = self._num_workers
        while waiting:  # batches of an epoch that was left early come first
            waiting -= isinstance(self._get_data()[0], workers._ResumeIteration)

    # Batches

    def _get_data(self) -> Any:
        """The next message of any worker. RuntimeError where the timeout passes, or a worker has died."""
        queue = self._pool.results
        end = time.monotonic() + self._timeout if self._timeout > 0 else None
        while True:
            living = {
                w.sentinel: w for w, takes in zip(self._pool.processes, self._workers_status, strict=True) if takes
            }
            left = None if end is None else max(0.0, end - time.monotonic())
            ready = wait([queue._reader, *living], timeout=left)
            if queue._reader in ready:
                return transport.loads(queue.get())
            if not ready:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
            self._raise_of_dead([living[sentinel] for sentinel in ready])  # type: ignore[index]

    def _raise_of_dead(self, dead: list[Any]) -> None:
        for process in dead:
            self._workers_status[self._pool.processes.index(process)] = False
        pids = ", ".join(str(process.pid) for process in dead)
        error = RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly")
        if find_spec("cloudpickle") is None:
            error.add_note(NOT_FORKED)
        raise error

    def _next_data(self) -> Any:
        while True:
            self._skip_tasks_of_ended_workers()
            if self._rcvd_idx >= self._send_idx:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            if len(self._task_info[self._rcvd_idx]) == 2:
                worker_id, data = self._task_info.pop(self._rcvd_idx)
                self._rcvd_idx += 1
                return self._process_data(data, worker_id)
            idx, data = self._get_data()
            self._tasks_outstanding -= 1
            if isinstance(data, workers._IterableDatasetStopIteration):
                self._end_worker(data.worker_id)
            elif idx == self._rcvd_idx or not self._in_order:
                (worker_id,) = self._task_info.pop(idx)
                self._rcvd_idx += idx == self._rcvd_idx
                return self._process_data(data, worker_id)
            else:
                self._task_info[idx] += (data,)

    def _skip_tasks_of_ended_workers(self) -> None:
        while self._rcvd_idx < self._send_idx:
            info = self._task_info.get(self._rcvd_idx)
            if info is not None:
                if len(info) == 2 or self._workers_status[info[0]]:
                    return
                del self._task_info[self._rcvd_idx]
            self._rcvd_idx += 1

    def _end_worker(self, worker_id: int) -> None:
        self._workers_status[worker_id] = False
        if not self._persistent_workers:
            self._pool.indices[worker_id].put(None)
        self._try_put_index()

    def _try_put_index(self) -> None:
        """Send the next index to the next worker that takes tasks, where there are both."""
        try:
            index = self._next_index()
        except StopIteration:
            return
        worker_id = self._next_worker()
        if worker_id is None:
            return
        self._pool.indices[worker_id].put((self._send_idx, index))
        self._task_info[self._send_idx] = (worker_id,)
        self._workers_num_tasks[worker_id] += 1
        self._tasks_outstanding += 1
        self._send_idx += 1

    def _next_worker(self) -> int | None:
        most = self._prefetch_factor * self._num_workers  # type: ignore[operator]
        for worker_id in itertools.islice(self._worker_queue_idx_cycle, self._num_workers):
            if self._workers_status[worker_id] and (
                self._in_order or self._workers_num_tasks[worker_id] < most // sum(self._workers_status)
            ):
                return worker_id
        return None

    def _process_data(self, data: Any, worker_id: int) -> Any:
        self._workers_num_tasks[worker_id] -= 1
        self._try_put_index()
        if isinstance(data, workers.ExceptionWrapper):
            data.reraise()
        return pin_memory(data) if self._pin_memory else data
