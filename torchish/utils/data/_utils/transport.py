"""Batches from a worker to the main process: small ones through the queue, the data of large ones in shared memory."""

from __future__ import annotations

import io
import itertools
import pickle
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

from torchish._core.tensor import Tensor

SMALLEST_SHARED = 1 << 16  # bytes: a pipe holds as much; what is smaller is not worth a block

# What the queue takes: the pickle, the name of the block of shared memory, and the sizes of the buffers in it.
Message = tuple[bytes, str | None, list[int]]


class _Pickler(ForkingPickler):
    def __init__(self, file: Any, buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(file, 5, True, buffers.append)

    def reducer_override(self, item: Any) -> Any:
        """A tensor that shows a part of its storage, a row of the dataset, say, travels without the rest."""
        if isinstance(item, Tensor) and item.is_leaf and item.numel() < item._storage.aval.numel:
            part = item.detach().clone()
            return type(item).__reduce_ex__(part.requires_grad_(item.requires_grad), 5)
        return NotImplemented


def dumps(item: Any) -> Message:
    """``item`` for ``loads`` in another process. Raises what pickling it raises."""
    buffers: list[pickle.PickleBuffer] = []
    file = io.BytesIO()
    _Pickler(file, buffers).dump(item)
    views = [buffer.raw() for buffer in buffers]
    sizes = [view.nbytes for view in views]
    places = _places(sizes)
    total = places[-1].stop if places else 0
    if total < SMALLEST_SHARED:
        data = np.zeros(total, np.uint8)
        _fill(data, places, views)
        return file.getvalue() + data.tobytes(), None, sizes
    block = SharedMemory(create=True, size=total)
    _fill(_bytes_of(block), places, views)
    block.close()
    return file.getvalue(), block.name, sizes


def _places(sizes: list[int]) -> list[slice]:
    """Where each buffer lies: at multiples of 64 bytes, so that XLA can use it as it is."""
    ends = itertools.accumulate(-(-size // 64) * 64 for size in sizes)
    return [slice(end - -(-size // 64) * 64, end) for end, size in zip(ends, sizes, strict=True)]


def _fill(memory: np.ndarray, places: list[slice], views: list[memoryview]) -> None:
    for place, view in zip(places, views, strict=True):
        memory[place][: view.nbytes] = np.frombuffer(view, np.uint8)


def loads(message: Message) -> Any:
    """The item; the block of shared memory is given back."""
    head, name, sizes = message
    places = _places(sizes)
    total = places[-1].stop if places else 0
    if name is None:
        data = np.frombuffer(head, np.uint8)[len(head) - total :].copy()
    else:
        block = SharedMemory(name)
        # Copied, for the tensors may outlive the block.
        data = _bytes_of(block)[:total].copy()
        block.close()
        block.unlink()
    buffers = [data[place][:size] for place, size in zip(places, sizes, strict=True)]
    return pickle.loads(head, buffers=buffers)


def _bytes_of(block: SharedMemory) -> np.ndarray:
    assert block.buf is not None  # None after close()
    return np.frombuffer(block.buf, np.uint8)


def discard(message: Message) -> None:
    """Give back the shared memory of a message that nobody will read."""
    if message[1] is not None:
        block = SharedMemory(message[1])
        block.close()
        block.unlink()
