"""Samples from a dataset, collated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torchish
from torchish._core.creation import tensor_of_array
from torchish._core.device import placement_of
from torchish._core.methods import in_memory
from torchish._core.tensor import Tensor
from torchish._exec.value import aligned_empty

from ..dataset import Subset, TensorDataset
from .collate import default_collate


class _BaseDatasetFetcher:
    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def fetch(self, possibly_batched_index: Any) -> Any:
        raise NotImplementedError


class _IterableDatasetFetcher(_BaseDatasetFetcher):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.dataset_iter = iter(self.dataset)
        self.ended = False

    def fetch(self, possibly_batched_index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        data = []
        for _ in possibly_batched_index:
            try:
                data.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        if not data or (self.drop_last and len(data) < len(possibly_batched_index)):
            raise StopIteration
        return self.collate_fn(data)


class _MapDatasetFetcher(_BaseDatasetFetcher):
    def fetch(self, possibly_batched_index: Any) -> Any:
        dataset, indices = self.dataset, possibly_batched_index
        if not self.auto_collation:
            return self.collate_fn(dataset[indices])
        if self.collate_fn is default_collate:
            rows = rows_at(dataset, indices)
            if rows is not None:
                return rows
        if getattr(dataset, "__getitems__", None):
            return self.collate_fn(dataset.__getitems__(indices))
        return self.collate_fn([dataset[index] for index in indices])


def rows_at(dataset: Any, indices: Any) -> Any:
    """What collating the samples of a dataset of tensors gives, by one read of each tensor; None for others.

    One read for the batch instead of one a sample and a stack. Not for tensors that require grad, whose graph
    a user can look at, nor for a subclass, which may have its own ``__getitem__``, nor where an index is odd.
    """
    while type(dataset) is Subset and type(dataset.indices) in (list, range):
        if not _are_rows(indices, len(dataset.indices)):
            return None
        dataset, indices = dataset.dataset, [dataset.indices[index] for index in indices]
    tensors = dataset.tensors if type(dataset) is TensorDataset else (dataset,)
    if not all(type(t) is Tensor and t.ndim and not t.requires_grad and _are_rows(indices, len(t)) for t in tensors):
        return None
    rows = [_rows(t, indices) for t in tensors]
    return rows if type(dataset) is TensorDataset else rows[0]


def _rows(t: Tensor, indices: list[int]) -> Tensor:
    array = in_memory(t)
    if array is None:
        return t.index_select(0, torchish.tensor(indices, device=t.device))
    rows = array.take(indices, 0, aligned_empty((len(indices), *array.shape[1:]), array.dtype), "clip")
    return tensor_of_array(rows, placement_of("cpu"))


def _are_rows(indices: Any, n: int) -> bool:
    return type(indices) is list and all(type(index) is int and 0 <= index < n for index in indices)


class _DatasetKind:
    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> _BaseDatasetFetcher:
        """What fetches from a dataset of this kind."""
        fetcher = _MapDatasetFetcher if kind == _DatasetKind.Map else _IterableDatasetFetcher
        return fetcher(dataset, auto_collation, collate_fn, drop_last)
