"""Random subscripts, read, written and differentiated, against PyTorch.

A few hundred of them; ``TORCHISH_CONFORMANCE=whole`` makes it thousands, each of which XLA compiles anew.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest
from random_subscripts import SHAPE, SUBSCRIPTS_A_BATCH, subscript, tensors, wrong_subscript

import torchish

pytestmark = pytest.mark.oracle

BATCHES = 40 if os.environ.get("TORCHISH_CONFORMANCE") == "whole" else 3
DATA = np.random.default_rng(0).standard_normal(SHAPE)


def valid(torch: Any, rng: np.random.Generator) -> list[Any]:
    """Subscripts that PyTorch takes: index arrays beside masks do not always broadcast."""
    found: list[Any] = []
    x = torch.tensor(DATA)
    while len(found) < SUBSCRIPTS_A_BATCH:
        index = subscript(rng)
        try:
            x[tensors(torch, index)]
        except IndexError:
            continue
        found.append(index)
    return found


def read_all(torch: Any, indices: list[Any]) -> tuple[list[Any], Any]:
    """What each subscript reads, and the gradient of a weighted sum of it all."""
    x = torch.tensor(DATA, requires_grad=True)
    read = [x[tensors(torch, index)] for index in indices]
    total = torch.zeros((), dtype=torch.float64)
    for n, part in enumerate(read):
        weights = torch.arange(part.numel(), dtype=torch.float64).reshape(part.shape)
        total = total + (part * (weights * 0.1 + n * 0.01)).sum()
    total.backward()
    return read, x.grad


def value_for(torch: Any, rng: np.random.Generator, index: Any) -> Any:
    """A number; or, where no place is written twice, a tensor that is broadcast or not."""
    places = torch.arange(DATA.size).reshape(SHAPE)[tensors(torch, index)]
    data, kind = rng.standard_normal(tuple(places.shape)), rng.integers(0, 4)
    if kind == 0 or places.numel() != len(set(places.flatten().tolist())):
        return float(np.round(rng.standard_normal(), 3))
    if kind == 1 and data.ndim:
        return data[:1]
    return data[None] if kind == 2 else data


def written(torch: Any, indices: list[Any], values: list[Any]) -> tuple[Any, Any]:
    """A tensor after all writes, and the gradient of a function of it."""
    x = torch.tensor(DATA, requires_grad=True)
    y = x * 2
    for index, value in zip(indices, values, strict=True):
        y[tensors(torch, index)] = torch.tensor(value) if isinstance(value, np.ndarray) else value
    (y * y).sum().backward()
    return y, x.grad


def array(t: Any) -> np.ndarray:
    return t.detach().numpy()


@pytest.mark.parametrize("seed", range(BATCHES))
def test_reading_and_its_gradient(seed: int) -> None:
    torch = pytest.importorskip("torch")
    indices = valid(torch, np.random.default_rng(seed))
    theirs, their_grad = read_all(torch, indices)
    ours, our_grad = read_all(torchish, indices)
    for index, got, wanted in zip(indices, ours, theirs, strict=True):
        assert tuple(got.shape) == tuple(wanted.shape), index
        np.testing.assert_array_equal(array(got), array(wanted), err_msg=repr(index))
    np.testing.assert_allclose(array(our_grad), array(their_grad), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(BATCHES))
def test_writing_and_its_gradient(seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1000 + seed)
    indices = valid(torch, rng)[:12]  # more would leave nothing of what was there before
    values = [value_for(torch, rng, index) for index in indices]
    theirs, their_grad = written(torch, indices, values)
    ours, our_grad = written(torchish, indices, values)
    np.testing.assert_array_equal(array(ours), array(theirs), err_msg=repr(list(zip(indices, values, strict=True))))
    np.testing.assert_array_equal(array(our_grad), array(their_grad))


def outcome(torch: Any, index: Any, write: bool) -> Any:
    """The shape that is read, or the exception's class."""
    x = torch.tensor(DATA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if write:
                x[tensors(torch, index)] = 1.0
                return x.tolist()
            return x[tensors(torch, index)].tolist()
        except (IndexError, TypeError, ValueError, RuntimeError) as error:
            return type(error), str(error).split("\n")[0]


@pytest.mark.parametrize("write", [False, True], ids=["reading", "writing"])
def test_wrong_subscripts_are_refused_as_pytorch_refuses_them(write: bool) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2000 + write)
    for _ in range(400):
        index = wrong_subscript(rng)
        wanted, got = outcome(torch, index, write), outcome(torchish, index, write)
        if isinstance(wanted, tuple):
            assert isinstance(got, tuple) and got[0] is wanted[0], f"{index}: {got}, PyTorch {wanted}"
        else:
            assert got == wanted, index
