"""Process-wide settings: determinism, precision, threads, warnings; and NumPy's names of arguments."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest
from jax import lax

import torchish as torch
from torchish._ops import precision
from torchish.interop import functional


@pytest.fixture(autouse=True)
def settings_as_they_were() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = True


def test_determinism_by_name_and_number() -> None:
    torch.set_deterministic_debug_mode("warn")
    assert torch.get_deterministic_debug_mode() == 1
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    assert torch.get_deterministic_debug_mode() == 2 and torch.are_deterministic_algorithms_enabled()
    with pytest.raises(RuntimeError, match="expected one of `default`, `warn`, `error`, but got loud"):
        torch.set_deterministic_debug_mode("loud")
    with pytest.raises(RuntimeError, match="expected 0, 1, or 2, but got 5"):
        torch.set_deterministic_debug_mode(5)
    with pytest.raises(TypeError, match="must be bool, not int"):
        torch.use_deterministic_algorithms(1)


def precisions_in(function) -> list[tuple]:
    """The precisions with which the products in a function of a 4 x 4 matrix are asked for."""
    jaxpr = jax.make_jaxpr(functional(function))(jax.numpy.ones((1, 1, 4, 4), "float32"))
    return [e.params["precision"] for e in _equations(jaxpr.jaxpr) if "precision" in e.params]


def _equations(jaxpr) -> Iterator:
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            if hasattr(value, "jaxpr"):
                yield from _equations(value.jaxpr)


def product(x: torch.Tensor) -> torch.Tensor:
    return x @ x


def test_products_and_convolutions_have_settings_of_their_own() -> None:
    assert set(precisions_in(product)) == {(lax.Precision.HIGHEST,) * 2}
    torch.set_float32_matmul_precision("medium")
    assert torch.backends.cuda.matmul.allow_tf32
    assert set(precisions_in(product)) == {(lax.Precision.DEFAULT,) * 2}
    torch.backends.cuda.matmul.allow_tf32 = False
    assert torch.get_float32_matmul_precision() == "highest"
    assert precision.conv_precision() == lax.Precision.HIGH
    with torch.backends.cudnn.flags(allow_tf32=False):
        assert precision.conv_precision() == lax.Precision.HIGHEST
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32


def test_a_precision_that_there_is_not_changes_nothing() -> None:
    with pytest.warns(UserWarning, match="bogus is not one of"):
        torch.set_float32_matmul_precision("bogus")
    assert torch.get_float32_matmul_precision() == "highest"
    with pytest.raises(RuntimeError, match="expects a str, but got int"):
        torch.set_float32_matmul_precision(3)


def test_the_rest() -> None:
    assert torch.get_device_module("cpu") is torch.cpu
    assert torch.get_device_module("cuda") is torch.cuda
    with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
        torch.get_device_module("bogus")
    torch._assert(True, "no")
    with pytest.raises(AssertionError, match="yes"):
        torch._assert(torch.tensor(False), "yes")
    with pytest.raises(RuntimeError, match="setWarnOnlyOnce expects a bool, but got int"):
        torch.set_warn_always(3)
    assert torch.set_flush_denormal(True) is False
    with pytest.raises(RuntimeError, match="expects a positive integer"):
        torch.set_num_interop_threads(0)


def test_numpys_names_of_arguments() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert x.sum(axis=0, keepdims=True).shape == (1, 3)
    assert torch.max(x, axis=1).indices.tolist() == [2, 2]
    assert torch.softmax(x, axis=0).shape == (2, 3)
    assert torch.cat((x, x), axis=1).shape == (2, 6)
    assert x.std(axis=0, keepdims=True).shape == (1, 3)
    assert torch.swapaxes(x, axis0=0, axis1=1).shape == (3, 2)
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        x.sum(axes=0)
    for call in (lambda: torch.flip(x, axes=[0]), lambda: x.reshape(sizes=(6,)), lambda: x.expand(sizes=(2, 3))):
        with pytest.raises(TypeError, match="got an unexpected keyword argument"):
            call()
