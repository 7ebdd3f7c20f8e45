"""DataLoader in one process: order, batches, and what is read without an operation a sample."""

from __future__ import annotations

import numpy as np
import pytest

import torchish as torch
from torchish.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)


def batches(*args: object, **kwargs: object) -> list:
    return [batch.tolist() for batch in DataLoader(*args, **kwargs)]  # type: ignore[arg-type]


def test_shuffling_draws_what_pytorch_draws() -> None:
    torch.manual_seed(0)
    assert batches(range(10), batch_size=4, shuffle=True) == [[6, 7, 1, 4], [2, 0, 9, 8], [3, 5]]
    assert torch.rand(1).item() == pytest.approx(0.3074, abs=1e-4)


def test_a_generator_is_used_as_it_is() -> None:
    generator = torch.Generator().manual_seed(4)
    first, second = (batches(range(5), 2, shuffle=True, generator=generator) for _ in range(2))
    assert first == [[1, 2], [0, 3], [4]] and second != first


def test_random_split() -> None:
    parts = random_split(range(10), [0.7, 0.3], torch.Generator().manual_seed(42))
    assert [list(part.indices) for part in parts] == [[2, 6, 1, 8, 4, 5, 0], [9, 3, 7]]


class Rows(Dataset):
    """Gives rows of tensors, one way or another."""

    def __init__(self, *tensors: torch.Tensor) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int) -> tuple:
        return tuple(t[index] for t in self.tensors)


def _tensors(kind: str) -> tuple:
    x = torch.arange(24.0).reshape(6, 2, 2)
    return {
        "whole": (x, torch.arange(6)),
        "a view": (torch.arange(48.0).reshape(12, 2, 2)[6:], torch.arange(12)[::2]),
        "transposed": (x.transpose(0, 2), x.real[:2, 0].t()),
        "pending": (x + 1, torch.arange(6) * 2),
        "of numpy": (torch.from_numpy(np.arange(12.0).reshape(6, 2)), torch.arange(6)),
        "bfloat16": (x.bfloat16(), x > 3),
        "expanded": (torch.ones(3).expand(6, 3), torch.arange(6)),
        "empty": (torch.zeros(6, 0), torch.arange(6)),
        "conjugated": (torch.complex(x, x).conj(), torch.arange(6)),
        "with gradients": (x.clone().requires_grad_(), torch.arange(6)),
    }[kind]


@pytest.mark.parametrize(
    "wrap", [TensorDataset, Rows, lambda *t: list(zip(*t, strict=True))], ids=["ds", "rows", "list"]
)
@pytest.mark.parametrize(
    "kind",
    [
        "whole",
        "a view",
        "transposed",
        "pending",
        "of numpy",
        "bfloat16",
        "expanded",
        "empty",
        "conjugated",
        "with gradients",
    ],
)
def test_batches_are_the_stacked_samples(kind: str, wrap: object) -> None:
    tensors = _tensors(kind)
    indices = [1, 0, 1]
    (got,) = DataLoader(wrap(*tensors), batch_sampler=[indices])  # type: ignore[operator]
    want = [torch.stack([t[i] for i in indices]) for t in tensors]
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.requires_grad == b.requires_grad
        assert a.tolist() == b.tolist()


def test_a_batch_does_not_follow_its_dataset() -> None:
    x = torch.arange(6.0)
    (batch,) = DataLoader(Subset(TensorDataset(x), [4, 5]), batch_size=2)
    x.zero_()
    assert batch[0].tolist() == [4.0, 5.0]
    batch[0][0] = 9.0
    assert x.tolist() == [0.0] * 6


def test_an_index_out_of_range_is_an_error_of_the_tensor() -> None:
    with pytest.raises(IndexError, match="index 6 is out of bounds for dimension 0 with size 6"):
        next(iter(DataLoader(TensorDataset(torch.arange(6)), sampler=[6])))


def test_a_subclass_decides_on_its_samples() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: int) -> tuple:
            return tuple(2 * t for t in super().__getitem__(index))

    (batch,) = DataLoader(Doubled(torch.arange(3)), batch_size=3)
    assert batch[0].tolist() == [0, 2, 4]


def test_collating_containers() -> None:
    batch = default_collate(
        [{"x": torch.ones(2), "n": (1, 2.5), "s": "a"}, {"x": torch.zeros(2), "n": (3, 4.5), "s": "b"}]
    )
    assert batch["x"].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert [n.dtype for n in batch["n"]] == [torch.int64, torch.float64]
    assert batch["s"] == ["a", "b"]


def test_samples_that_do_not_fit_together() -> None:
    with pytest.raises(
        RuntimeError, match="stack expects each tensor to be equal size, but got \\[2\\] at entry 0 and"
    ):
        default_collate([torch.ones(2), torch.ones(3)])
    with pytest.raises(TypeError, match="numbers, dicts or lists; found <class 'NoneType'>"):
        default_collate([None])


class Count(IterableDataset):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self) -> int:
        return 2


def test_an_iterable_dataset() -> None:
    assert batches(Count(5), batch_size=2) == [[0, 1], [2, 3], [4]]
    assert batches(Count(5), batch_size=2, drop_last=True) == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(2), batch_size=None)) == [0, 1]
    assert batches(ConcatDataset([range(2), range(2)]), batch_size=3) == [[0, 1, 0], [1]]


def test_an_iterable_dataset_longer_than_it_says() -> None:
    loader = DataLoader(Count(5), batch_size=2)
    assert len(loader) == 1
    with pytest.warns(UserWarning, match="was reported to be 2") as caught:
        assert len(list(loader)) == 3
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only be specified in multiprocessing"),
        ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
        ({"shuffle": True, "sampler": [0]}, "sampler option is mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler option is mutually exclusive with batch_size"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None option disables auto-batching"),
        ({"batch_size": 0}, "batch_size should be a positive integer value, but got batch_size=0"),
        ({"multiprocessing_context": "spawn"}, "multiprocessing_context can only be used with multi-process loading"),
    ],
)
def test_options_that_make_no_sense(options: dict, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        DataLoader(range(3), **options)


def test_fixed_once_made() -> None:
    loader = DataLoader(range(3))
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader is initialized"):
        loader.batch_size = 2
