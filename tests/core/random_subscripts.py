"""Random subscripts of a tensor, right and wrong ones, as NumPy arrays, numbers, slices, ``None`` and ``...``."""

from __future__ import annotations

from typing import Any

import numpy as np

SHAPE = (3, 4, 5)
SUBSCRIPTS_A_BATCH = 50


def subscript(rng: np.random.Generator) -> Any:
    """One that PyTorch takes for a tensor of ``SHAPE``."""
    if rng.random() < 0.04:
        return rng.random(SHAPE) < 0.3  # a mask of everything
    left, right = _split(rng)
    entries = [_entry(rng, n, lists) for n, lists in left]
    if right is not None:
        entries += [..., *(_entry(rng, n, lists) for n, lists in right)]
    for _ in range(rng.integers(0, 2)):
        entries.insert(rng.integers(0, len(entries) + 1), None)
    return entries[0] if len(entries) == 1 and rng.random() < 0.5 else tuple(entries)


def _split(rng: np.random.Generator) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]] | None]:
    """The dimensions before and after an ellipsis, which may leave some out; index arrays share a shape."""
    shape = tuple(rng.integers(1, 4, rng.integers(1, 3)))
    dims = [(n, shape) for n in SHAPE]
    first = int(rng.integers(0, 4))
    if rng.random() < 0.6:
        return dims[:first], None
    last = int(rng.integers(0, 4 - first))
    return dims[:first], dims[len(dims) - last :]


def _entry(rng: np.random.Generator, n: int, shape: tuple[int, ...]) -> Any:
    kind = rng.choice(["int", "slice", "array", "list", "mask", "column"], p=[0.25, 0.35, 0.2, 0.08, 0.04, 0.08])
    if kind == "int":
        return int(rng.integers(-n, n))
    if kind == "slice":
        start, stop = (None if rng.random() < 0.3 else int(rng.integers(-n - 1, n + 2)) for _ in range(2))
        return slice(start, stop, None if rng.random() < 0.6 else int(rng.integers(1, 4)))
    if kind == "list":
        return [int(i) for i in rng.integers(-n, n, shape[-1])]
    if kind == "mask":
        mask = np.zeros(n, dtype=bool)  # with as many places as the arrays beside it have in their last dimension
        mask[rng.permutation(n)[: min(n, shape[-1])]] = True
        return mask
    if kind == "column":
        return rng.integers(-n, n, (*shape[:-1], 1))
    return rng.integers(-n, n, shape)


def wrong_subscript(rng: np.random.Generator) -> Any:
    """One with a fault in it; some are right all the same."""
    entries = [_entry(rng, n, (2,)) for n in SHAPE[: rng.integers(1, 4)]]
    place = int(rng.integers(0, len(entries)))
    n = SHAPE[place]
    faults: list[Any] = [
        int(rng.choice([n, -n - 1, 99])),
        np.array([0, n]),
        np.array([-n - 1, 0]),
        slice(None, None, int(rng.integers(-2, 1))),
        np.zeros(n + 1, dtype=bool),
        "x",
        1.5,
        np.array([0.5]),
        [0, n],
        slice(0.5, None),
    ]
    entries[place] = faults[rng.integers(0, len(faults))]
    if rng.random() < 0.15:
        entries += [0, 0, 0, 0]
    if rng.random() < 0.1:
        entries = [..., *entries, ...]
    return tuple(entries)


def tensors(torch: Any, index: Any) -> Any:
    """The subscript with arrays as tensors of ``torch``."""
    if isinstance(index, tuple):
        return tuple(tensors(torch, i) for i in index)
    return torch.tensor(index) if isinstance(index, np.ndarray) else index
