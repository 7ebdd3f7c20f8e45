"""What losses over classes refuse, in PyTorch's words."""

from __future__ import annotations

import pytest

import torchish as torch
from torchish.nn import functional as F


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss], ids=["cross_entropy", "nll_loss"])
@pytest.mark.parametrize(
    ("target", "reduction", "error", "text"),
    [
        ([0, 1], "bogus", ValueError, "bogus is not a valid value for reduction"),
        ([0.0, 1.0], "mean", RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
        (1, "mean", ValueError, "Expected input batch_size (2) to match target batch_size (0)."),
        ([0, 1, 2], "mean", ValueError, "Expected input batch_size (2) to match target batch_size (3)."),
    ],
)
def test_a_wrong_target_or_reduction(loss, target, reduction: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        loss(torch.ones(2, 3), torch.tensor(target), reduction=reduction)
    assert str(caught.value) == text


def test_cross_entropy_of_integers() -> None:
    with pytest.raises(NotImplementedError) as caught:
        F.cross_entropy(torch.ones(2, 3).long(), torch.tensor([0, 1]))
    assert str(caught.value) == "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'"


def test_what_the_module_is_made_of_does_not_show() -> None:
    assert not {"OPS", "OP_FUNCTIONS", "PUBLIC", "call", "as_dims", "to_np", "dropout_mask"} & set(dir(F))
