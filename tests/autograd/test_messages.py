"""Every error of autograd that people search for, word for word."""

from __future__ import annotations

import pytest
from refusals import REFUSALS, Refusal

import torchish


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda r: r.name)
def test_what_is_refused_is_refused_in_pytorchs_words(refusal: Refusal) -> None:
    with pytest.raises(refusal.error) as caught:
        refusal.run(torchish)
    assert type(caught.value) is refusal.error
    assert str(caught.value) == refusal.text


def test_deprecated_arguments_warn() -> None:
    x = torchish.ones(2, requires_grad=True)
    with pytest.warns(FutureWarning, match="`grad_variables` is deprecated. Use `grad_tensors` instead."):
        torchish.autograd.backward(x.sum(), grad_variables=torchish.ones(()))
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        torchish.autograd.grad(x.sum(), x, only_inputs=False)


def test_reading_the_grad_of_a_result_warns() -> None:
    y = torchish.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"):
        assert y.grad is None
