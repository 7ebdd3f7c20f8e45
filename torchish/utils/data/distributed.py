"""The share of a dataset that one of several replicas trains on.

https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torchish

from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every ``num_replicas``-th index, beginning with ``rank``.

    Args:
        dataset: what to sample, of constant length.
        num_replicas, rank: how many take part, and which this one is. There is no process group to ask.
        shuffle: permute the indices first, by a generator that is seeded with ``seed`` plus the epoch.
        seed: the same in all replicas.
        drop_last: leave out what does not divide evenly, instead of repeating some.

    Raises:
        RuntimeError: without ``num_replicas`` or ``rank``.
        ValueError: where ``rank`` is none of the replicas.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available")
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.num_samples = len(dataset) // num_replicas if drop_last else math.ceil(len(dataset) / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        if self.shuffle:
            generator = torchish.Generator().manual_seed(self.seed + self.epoch)
            indices = torchish.randperm(n, generator=generator).tolist()
        else:
            indices = list(range(n))
        if self.total_size > n:
            indices *= math.ceil(self.total_size / n)
        return iter(indices[: self.total_size][self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Shuffle differently from now on: call it before each epoch."""
        self.epoch = epoch
