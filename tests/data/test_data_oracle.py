"""Datasets, samplers, collation and DataLoader beside PyTorch's: results, random numbers, errors and warnings."""

from __future__ import annotations

import collections
import importlib
import warnings
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import torchish

pytestmark = pytest.mark.oracle

Point = collections.namedtuple("Point", "x y")
FIVE = list(range(5))


class Listed(list):
    pass


def datasets(name: str) -> SimpleNamespace:
    """The library, and datasets made of its classes."""
    torch, data = importlib.import_module(name), importlib.import_module(f"{name}.utils.data")

    class Stream(data.IterableDataset):
        def __len__(self) -> int:
            return 2

        def __iter__(self) -> Any:
            return iter(range(5))

    def seeded(seed: int) -> Any:
        return torch.Generator().manual_seed(seed)

    return SimpleNamespace(T=torch, D=data, Stream=Stream, seeded=seeded)


def loaded(L: SimpleNamespace, dataset: Any, *args: Any, **kwargs: Any) -> list:
    L.T.manual_seed(5)
    batches = list(L.D.DataLoader(dataset, *args, **kwargs))
    return [*batches, L.T.rand(1)]


def plain(value: Any, torch: ModuleType) -> Any:
    """``value`` with tensors as their class, dtype and numbers."""
    if isinstance(value, torch.Tensor):
        return type(value).__name__, str(value.dtype), value.requires_grad, value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {k: plain(v, torch) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v, torch) for v in value]
    return (
        value if isinstance(value, (int, float, str, bytes, complex, np.ndarray, type(None))) else type(value).__name__
    )


def outcome(case: Callable[[SimpleNamespace], Any], name: str) -> tuple:
    libraries = datasets(name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = "gives", plain(case(libraries), libraries.T)
        except Exception as error:
            result = type(error).__name__, str(error).split(" object at ")[0]
    return result, [(w.category.__name__, str(w.message).split(" object at ")[0], w.filename) for w in caught]


LOADERS = [
    {"batch_size": 2, "shuffle": True},
    {"batch_size": 3, "drop_last": True},
    {"batch_size": None},
    {"batch_size": None, "drop_last": True},
    {"shuffle": 1},
    {"sampler": [3, 1]},
    {"shuffle": True, "sampler": [1]},
    {"batch_sampler": [[0, 4], [1]]},
    {"batch_sampler": [[1]], "batch_size": 2},
    {"batch_size": 0},
    {"batch_size": 2.0},
    {"drop_last": 1},
    {"num_workers": -1},
    {"timeout": -1},
    {"timeout": 3},
    {"prefetch_factor": 2},
    {"num_workers": 1, "prefetch_factor": -1},
    {"persistent_workers": True},
    {"multiprocessing_context": "spawn"},
    {"num_workers": 1, "multiprocessing_context": "nope"},
    {"num_workers": 1, "multiprocessing_context": 3},
]

BATCHES: list[Callable[[ModuleType], Any]] = [
    lambda T: [Point(1, 2.0), Point(3, 4.0)],
    lambda T: [Listed([1, 2]), Listed([3, 4])],
    lambda T: [{"a": 1}, {"a": 2}],
    lambda T: [collections.OrderedDict(a=1)],
    lambda T: [collections.defaultdict(int, a=1)],
    lambda T: [(1, "a"), (2, "b")],
    lambda T: [b"x", b"y"],
    lambda T: [np.float32(1), np.float32(2)],
    lambda T: [np.array([1, 2]), np.array([3, 4])],
    lambda T: [np.array(["a"])],
    lambda T: [np.str_("a"), np.str_("b")],
    lambda T: [np.bool_(True)],
    lambda T: [True, False],
    lambda T: [1.5, 2],
    lambda T: [1, 2.5],
    lambda T: [1j, 2j],
    lambda T: [range(2), range(2)],
    lambda T: [[1], [2, 3]],
    lambda T: [None],
    lambda T: [object()],
    lambda T: [{1: 2}, {3: 4}],
    lambda T: [],
    lambda T: [T.zeros(2), T.zeros(3)],
    lambda T: [T.zeros(2), T.zeros(2, dtype=T.int64)],
    lambda T: [T.nn.Parameter(T.ones(2))] * 2,
    lambda T: [T.ones(2, requires_grad=True)] * 2,
    lambda T: [T.arange(6.0)[::2]] * 2,
    lambda T: [T.arange(6.0).reshape(2, 3).t()] * 2,
    lambda T: [T.arange(4.0)[1:3]] * 2,
]

CONVERTED: list[Any] = [
    np.array([1, 2]),
    [np.float32(1)],
    (1, np.int64(2)),
    {"a": np.ones(2)},
    Point(np.ones(1), 2),
    "abc",
    np.array(["a"]),
    [1, "a", np.str_("b")],
    {1, 2},
]

CASES: dict[str, Callable[[SimpleNamespace], Any]] = {
    "replacement of a wrong class": lambda L: L.D.RandomSampler(FIVE, replacement=1),
    "no samples": lambda L: L.D.RandomSampler(FIVE, num_samples=0),
    "nothing to sample": lambda L: L.D.RandomSampler([]),
    "more samples than there are": lambda L: list(L.D.RandomSampler(FIVE, num_samples=7, generator=L.seeded(2))),
    "with replacement": lambda L: list(L.D.RandomSampler(FIVE, True, 40, generator=L.seeded(2))),
    "subset sampler": lambda L: list(L.D.SubsetRandomSampler(range(4), generator=L.seeded(1))),
    "weights": lambda L: list(L.D.WeightedRandomSampler([1, 2, 3.0], 6, generator=L.seeded(2))),
    "weights, no samples": lambda L: L.D.WeightedRandomSampler([1.0], 0),
    "weights, replacement of a wrong class": lambda L: L.D.WeightedRandomSampler([1.0], 2, replacement=1),
    "weights of two dimensions": lambda L: L.D.WeightedRandomSampler([[1.0]], 2),
    "batch size of a wrong class": lambda L: L.D.BatchSampler(FIVE, True, False),
    "drop_last of a wrong class": lambda L: L.D.BatchSampler(FIVE, 2, 1),
    "batches": lambda L: [list(L.D.BatchSampler(FIVE, 2, last)) for last in (False, True)],
    "concatenation of nothing": lambda L: L.D.ConcatDataset([]),
    "concatenation of streams": lambda L: L.D.ConcatDataset([L.Stream()]),
    "too negative": lambda L: L.D.ConcatDataset([FIVE])[-9],
    "beyond the end": lambda L: L.D.ConcatDataset([FIVE])[9],
    "an old name": lambda L: L.D.ConcatDataset([FIVE]).cummulative_sizes,
    "chained": lambda L: [list(L.Stream() + L.Stream()), len(L.Stream() + L.Stream())],
    "stack of nothing": lambda L: L.D.StackDataset(),
    "stack of different lengths": lambda L: L.D.StackDataset(FIVE, [1]),
    "stack by position and name": lambda L: L.D.StackDataset(FIVE, a=FIVE),
    "samples of a stack": lambda L: L.D.StackDataset(FIVE, FIVE).__getitems__([1, 2]),
    "samples of a nested stack": lambda L: L.D.StackDataset(a=FIVE, b=L.D.StackDataset(FIVE)).__getitems__([1, 2]),
    "tensors of different lengths": lambda L: L.D.TensorDataset(L.T.ones(2), L.T.ones(3)),
    "split": lambda L: [s.indices for s in L.D.random_split(FIVE, [2, 3], L.seeded(1))],
    "split by fractions": lambda L: [s.indices for s in L.D.random_split(FIVE, [0.5, 0.5], L.seeded(1))],
    "an empty split": lambda L: [s.indices for s in L.D.random_split(FIVE, [0.05, 0.95], L.seeded(1))],
    "a split too small": lambda L: L.D.random_split(FIVE, [2, 2]),
    "fractions too large": lambda L: L.D.random_split(FIVE, [0.5, 0.6]),
    "negative fractions": lambda L: L.D.random_split(FIVE, [-0.5, 1.5]),
    "replica that is none": lambda L: L.D.DistributedSampler(FIVE, 2, 5),
    "replicas": lambda L: [list(L.D.DistributedSampler(FIVE, 2, r, seed=3)) for r in range(2)],
    "replicas, dropping": lambda L: list(L.D.DistributedSampler(FIVE, 2, 1, drop_last=True)),
    "more replicas than samples": lambda L: list(L.D.DistributedSampler(FIVE, 12, 11)),
    "a subset that overrides half": lambda L: type("S", (L.D.Subset,), {"__getitem__": lambda s, i: 1})(FIVE, [1]),
    "abstract": lambda L: L.D.Dataset()[0],
    "stream shuffled": lambda L: loaded(L, L.Stream(), shuffle=True),
    "stream with a sampler": lambda L: loaded(L, L.Stream(), sampler=[1]),
    "stream with a batch sampler": lambda L: loaded(L, L.Stream(), batch_sampler=[[1]]),
    "stream": lambda L: loaded(L, L.Stream(), batch_size=2, drop_last=True),
    "no data": lambda L: loaded(L, []),
    "no data to shuffle": lambda L: loaded(L, [], shuffle=True),
    "its own generator": lambda L: loaded(L, FIVE, 2, shuffle=True, generator=L.seeded(4)),
    "tensors": lambda L: loaded(L, L.D.TensorDataset(L.T.arange(6.0).reshape(3, 2), L.T.arange(3)), 2, shuffle=True),
    "a tensor": lambda L: loaded(L, L.T.arange(6), batch_size=4),
    "parts": lambda L: loaded(L, L.D.random_split(L.D.TensorDataset(L.T.arange(6.0)), [4, 2], L.seeded(0))[0], 3),
    "set too late": lambda L: setattr(L.D.DataLoader(FIVE), "batch_size", 3),
    "pickled": lambda L: iter(L.D.DataLoader(FIVE)).__getstate__(),
    "lengths": lambda L: [len(L.D.DataLoader(FIVE, 2, drop_last=last)) for last in (False, True)],
    **{f"DataLoader {o}": lambda L, o=o: loaded(L, FIVE, **o) for o in LOADERS},  # type: ignore[misc]
    **{f"collate {i}": lambda L, b=b: L.D.default_collate(b(L.T)) for i, b in enumerate(BATCHES)},  # type: ignore[misc]
    **{f"convert {i}": lambda L, c=c: L.D.default_convert(c) for i, c in enumerate(CONVERTED)},  # type: ignore[misc]
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_as_pytorch(case: Callable[[SimpleNamespace], Any]) -> None:
    np.testing.assert_equal(outcome(case, torchish.__name__), outcome(case, "torch"))
