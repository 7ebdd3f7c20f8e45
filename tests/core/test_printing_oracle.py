"""Random tensors of every dtype and form, printed by PyTorch and by torchish: no difference in any character."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from torchish._core import printing

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

TENSORS_A_SEED = 400
REAL = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGRAL = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1.0)
# Values on either side of the places where the style changes.
TURNING_POINTS = (1e-4, 0.9999e-4, 0.1, 1.0, 2.5, 100.0, 1000.0, 1001.0, 1e8, 1e8 + 1, -1e8)


@pytest.fixture(autouse=True)
def restored_settings() -> Iterator[None]:
    dtype = torch.get_default_dtype()
    with printing.printoptions(profile="default"):
        yield
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(dtype)


def random_floats(rng: np.random.Generator, n: int) -> np.ndarray:
    makers = (
        lambda: rng.standard_normal(n),
        lambda: rng.integers(-10, 10, n).astype(float),
        lambda: rng.standard_normal(n) * 10.0 ** rng.integers(-12, 12),
        lambda: rng.standard_normal(n) * 10.0 ** rng.integers(-8, 8, n),
        lambda: np.round(rng.standard_normal(n) * 10.0 ** rng.integers(0, 10)),
        lambda: rng.integers(0, 3, n) * 10.0 ** rng.integers(0, 9),
        lambda: np.zeros(n),
        lambda: rng.choice(TURNING_POINTS, n),
        lambda: rng.standard_normal(n) * 10.0 ** rng.integers(-320, 300),
    )
    values = makers[rng.integers(len(makers))]()
    if rng.random() < 0.4:
        replaced = rng.random(n) < rng.choice([0.1, 0.5, 1.0])
        values = np.where(replaced, rng.choice(SPECIAL, n), values)
    return values


def random_shape(rng: np.random.Generator) -> tuple[int, ...]:
    ndim = int(rng.choice(6, p=[0.08, 0.3, 0.3, 0.2, 0.08, 0.04]))
    longest = (1, 1300, 60, 14, 7, 5)[ndim]
    if rng.random() < 0.5:
        longest = min(longest, 12)
    return tuple(int(rng.integers(0 if rng.random() < 0.1 else 1, longest + 1)) for _ in range(ndim))


def random_tensor(rng: np.random.Generator, dtype_name: str) -> Any:
    shape = random_shape(rng)
    n = math.prod(shape)
    if dtype_name in COMPLEX:
        array = random_floats(rng, n).astype(np.complex128)
        array.imag = random_floats(rng, n)
    elif dtype_name in REAL:
        array = random_floats(rng, n)
    elif dtype_name == "bool":
        array = rng.random(n) < rng.random()
    else:
        array = rng.integers(-(2**62), 2**62, n) >> int(rng.integers(0, 62))
    return torch.from_numpy(array).reshape(shape).to(getattr(torch, dtype_name))


def as_numpy(tensor: Any) -> np.ndarray:
    tensor = tensor.detach()
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {}
    options = {
        "precision": int(rng.integers(0, 9)),
        "threshold": int(rng.choice([0, 5, 100, 1000])),
        "edgeitems": int(rng.integers(0, 6)),
        "linewidth": int(rng.choice([1, 20, 40, 80, 100, 200])),
        "profile": str(rng.choice(["default", "short", "full", "Full"])),
        "sci_mode": bool(rng.integers(2)),
    }
    return {name: value for name, value in options.items() if rng.random() < 0.35}


def set_both(**options: Any) -> None:
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


class LongerName(torch.Tensor):
    """A subclass, whose name changes the indent."""


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_tensors_print_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(TENSORS_A_SEED):
        options = random_options(rng)
        set_both(profile="default")
        set_both(**options)
        dtype_name = str(rng.choice(REAL * 3 + COMPLEX * 2 + INTEGRAL))
        default = str(rng.choice(["float32", "float32", "float64", "bfloat16"]))
        torch.set_default_dtype(getattr(torch, default))
        tensor = random_tensor(rng, dtype_name)
        arguments: dict[str, Any] = {"dtype_name": dtype_name, "default_dtype_name": default}
        if dtype_name not in INTEGRAL and rng.random() < 0.4:
            arguments["requires_grad"] = True
            tensor.requires_grad_()
            if rng.random() < 0.5:
                arguments["grad_fn_name"] = "CloneBackward0"
                tensor = tensor.clone()
        elif rng.random() < 0.1:
            arguments["prefix"] = "LongerName("
            tensor = tensor.as_subclass(LongerName)
        array = as_numpy(tensor.as_subclass(torch.Tensor))
        assert printing.tensor_str(array, **arguments) == repr(tensor), options
        edges = printing.edge_indices(array.shape)
        if edges is not None:
            selected = array[np.ix_(*edges)]
            assert printing.tensor_str(selected, shape=array.shape, **arguments) == repr(tensor), options


def test_options_have_pytorchs_names_and_values() -> None:
    rng = np.random.default_rng(0)
    get_theirs = torch._tensor_str.get_printoptions
    assert printing.get_printoptions() == get_theirs()
    for _ in range(200):
        set_both(**random_options(rng))
        assert printing.get_printoptions() == get_theirs()


def test_given_contents_print_the_same() -> None:
    for shape in ((), (2,), (0,), (0, 3), (2, 2)):
        tensor = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        for contents in ("[q]", "[q]" * 25, "[q\n q]"):
            text = printing.tensor_str(
                as_numpy(tensor), dtype_name="float64", requires_grad=True, tensor_contents=contents
            )
            assert text == tensor.__repr__(tensor_contents=contents)


def test_meta_tensors_print_the_same() -> None:
    for shape in ((), (2,), (0,), (0, 3), (20, 100)):
        for dtype_name in ("float32", "float64", "int64", "bool", "complex64"):
            tensor = torch.zeros(shape, dtype=getattr(torch, dtype_name), device="meta")
            assert printing.tensor_str(None, shape=shape, dtype_name=dtype_name, device="meta") == repr(tensor)


def test_parameters_print_the_same() -> None:
    class Derived(torch.nn.Parameter):
        pass

    data = torch.arange(60.0).reshape(2, 30)
    arguments: dict[str, Any] = {"dtype_name": "float32", "requires_grad": True}
    plain = printing.tensor_str(data.numpy(), **arguments)
    assert printing.parameter_str(plain) == repr(torch.nn.Parameter(data))
    derived = printing.tensor_str(data.numpy(), prefix="Derived(", **arguments)
    assert printing.parameter_str(derived, subclass=True) == repr(Derived(data))
