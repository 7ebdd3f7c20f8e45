"""``torch.masked``: what is masked out takes no part, in values and in gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import torchish as torch
from torchish import masked

X = [[1.0, 5.0, 2.0], [4.0, 3.0, 6.0]]
MASK = [[True, False, True], [False, False, False]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sum", [3.0, 0.0]),
        ("prod", [2.0, 1.0]),
        ("amax", [2.0, -math.inf]),
        ("amin", [1.0, math.inf]),
        ("argmax", [2.0, 0.0]),
        ("argmin", [0.0, 0.0]),
        ("mean", [1.5, math.nan]),
        ("median", [1.0, math.nan]),
        ("norm", [math.sqrt(5.0), 0.0]),
        ("var", [0.5, math.nan]),
        ("std", [math.sqrt(0.5), math.nan]),
        ("logsumexp", [math.log(math.e + math.e**2), -math.inf]),
    ],
)
def test_reductions(name, expected):
    keywords = {"dim": 1, "mask": torch.tensor(MASK)}
    np.testing.assert_allclose(getattr(masked, name)(torch.tensor(X), **keywords).numpy(), expected, rtol=1e-6)


def test_normalisations():
    x, mask = torch.tensor(X), torch.tensor(MASK)
    assert masked.softmax(x, 1, mask=mask)[0].tolist() == pytest.approx([0.26894142, 0.0, 0.7310586])
    assert masked.softmin(x, 1, mask=mask)[0].tolist() == pytest.approx([0.7310586, 0.0, 0.26894142])
    assert masked.log_softmax(x, 1, mask=mask)[0, 1] == -math.inf
    assert masked.normalize(x, 1.0, 1, mask=mask).tolist()[1] == [0.0, 0.0, 0.0]
    assert masked.cumsum(x, 1, mask=mask)[0].tolist() == [1.0, 1.0, 3.0]
    assert masked.cumprod(x, 1, mask=mask)[0].tolist() == [1.0, 1.0, 2.0]


def test_gradients_stop_at_the_mask_and_masks_broadcast():
    x = torch.tensor(X, requires_grad=True)
    masked.mean(x, mask=torch.tensor([True, False, True])).backward()
    assert x.grad.tolist() == [[0.25, 0.0, 0.25], [0.25, 0.0, 0.25]]


def test_integers():
    x, mask = torch.tensor([3, 1, 2]), torch.tensor([True, False, True])
    assert masked.sum(x, mask=mask).dtype is torch.int64
    assert masked.amin(x, mask=mask).item() == 2
    with pytest.raises(ValueError, match=r"Could not infer output dtype\. Input dtype must be"):
        masked.mean(x, mask=mask)
    with pytest.raises(ValueError, match="expects no fully masked out rows"):
        masked.median(x, mask=mask & False)


def test_refusals():
    x = torch.tensor(X)
    with pytest.raises(IndexError, match="mask dimensionality higher than of the input"):
        masked.sum(x, mask=torch.ones(1, 2, 3, dtype=torch.bool))
    with pytest.raises(RuntimeError, match="dim=1 appears multiple times"):
        masked.sum(x, (1, -1))
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\], but got 2"):
        masked.sum(x, 2)
