"""Type promotion: PyTorch's answer for every pair of dtypes, of tensors with dimensions, 0-dim tensors and numbers.

``promotion.txt`` holds what PyTorch 2.13 gives: a line a form of the operands, then a letter a pair of dtypes (or of a
dtype and a number). ``python tests/core/test_promotion.py`` records it anew; the oracle test says whether that is needed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import torchish

RECORD = Path(__file__).parent / "promotion.txt"

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128",
)  # fmt: skip
# One letter a dtype; an error is a dot.
LETTERS = dict(zip(DTYPES, "buaslivwxhgfdkcz", strict=True))
NAMES = {letter: name for name, letter in LETTERS.items()}
NUMBERS = (True, 2, 1.5, 1j)
# complex32 has no arithmetic of its own in JAX: where PyTorch gives it, torchish gives complex64.
SUPPORTED = tuple(d for d in DTYPES if d != "complex32")
# PyTorch computes with the wider unsigned integers in few places only.
COMPUTED = tuple(d for d in SUPPORTED if d not in ("uint16", "uint32", "uint64"))

FORMS = {
    "dims dims": ((2,), (2,)),
    "dims 0-dim": ((2,), ()),
    "0-dim dims": ((), (2,)),
    "0-dim 0-dim": ((), ()),
}


def letter_of(compute: Callable[..., Any], *arguments: Any) -> str:
    """The letter of a result's dtype, or of an error."""
    try:
        result = compute(*arguments)
    except (RuntimeError, NotImplementedError, TypeError):
        return "."
    return LETTERS[str(getattr(result, "dtype", result)).removeprefix("torch.")]


def into_out(compute: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """``compute`` of a tensor with itself, written into a tensor of the other's dtype."""
    return lambda x, like: compute(x, x, out=like.clone())


def table(torch: ModuleType) -> dict[str, str]:
    """What ``torch`` gives for each form, a letter a pair."""
    found: dict[str, str] = {}
    ones = {shape: {d: torch.ones(shape, dtype=getattr(torch, d)) for d in SUPPORTED} for shape in ((2,), ())}
    for form, (left, right) in FORMS.items():
        pairs = [(ones[left][a], ones[right][b]) for a in SUPPORTED for b in SUPPORTED]
        found[f"result_type {form}"] = "".join(letter_of(torch.result_type, x, y) for x, y in pairs)
    for shape, name in (((2,), "dims"), ((), "0-dim")):
        pairs = [(ones[shape][a], n) for a in SUPPORTED for n in NUMBERS]
        found[f"result_type {name} number"] = "".join(letter_of(torch.result_type, x, n) for x, n in pairs)
    dtypes = [(getattr(torch, a), getattr(torch, b)) for a in SUPPORTED for b in SUPPORTED]
    found["promote_types"] = "".join(letter_of(torch.promote_types, a, b) for a, b in dtypes)
    found["can_cast"] = "".join("Y" if torch.can_cast(a, b) else "n" for a, b in dtypes)
    two, none = ones[2,], ones[()]
    tensors = [(two[a], two[b]) for a in COMPUTED for b in COMPUTED]
    numbers = [(two[a], n) for a in COMPUTED for n in NUMBERS]
    found["computed add"] = "".join(letter_of(operator.add, x, y) for x, y in tensors)
    found["computed add of 0-dim"] = "".join(
        letter_of(operator.add, two[a], none[b]) for a in COMPUTED for b in COMPUTED
    )
    found["computed division"] = "".join(letter_of(operator.truediv, x, y) for x, y in tensors)
    found["computed add in place"] = "".join(letter_of(operator.iadd, x.clone(), y) for x, y in tensors)
    found["computed add in place of 0-dim"] = "".join(
        letter_of(operator.iadd, two[a].clone(), none[b]) for a in COMPUTED for b in COMPUTED
    )
    found["computed add in place of number"] = "".join(letter_of(operator.iadd, x.clone(), n) for x, n in numbers)
    found["computed division in place"] = "".join(letter_of(operator.itruediv, x.clone(), y) for x, y in tensors)
    found["computed add into out"] = "".join(letter_of(into_out(torch.add), x, y) for x, y in tensors)
    found["computed comparison into out"] = "".join(letter_of(into_out(torch.lt), x, y) for x, y in tensors)
    found["computed add of number"] = "".join(letter_of(operator.add, n, x) for x, n in numbers)
    found["computed division by number"] = "".join(letter_of(operator.truediv, x, n) for x, n in numbers)
    found["computed sum"] = "".join(letter_of(torch.sum, two[a]) for a in COMPUTED)
    found["computed sin"] = "".join(letter_of(torch.sin, two[a]) for a in COMPUTED)
    return found


def recorded() -> dict[str, str]:
    return dict(line.split(": ") for line in RECORD.read_text().splitlines())


def differences(expected: str, got: str, left: tuple[Any, ...], right: tuple[Any, ...]) -> list[str]:
    pairs = [(a, b) for a in left for b in right]
    assert len(pairs) == len(expected) == len(got)
    return [
        f"{a}, {b}: {NAMES.get(want, want)} but {NAMES.get(have, have)}"
        for (a, b), want, have in zip(pairs, expected, got, strict=True)
        if want != have and not (have == "c" and (want == "k" or complex_half(a, b)))
    ]


def complex_half(a: Any, b: Any) -> bool:
    """Whether PyTorch would have to compute with complex32, which it often refuses."""
    return a == "float16" and isinstance(b, complex)


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    return table(torchish)


@pytest.mark.parametrize("form", recorded())
def test_results_have_pytorchs_dtype(form: str, ours: dict[str, str]) -> None:
    expected, got = recorded()[form], ours[form]
    left = COMPUTED if "computed" in form else SUPPORTED
    right = NUMBERS if "number" in form else ("",) if form in ("computed sum", "computed sin") else left
    assert differences(expected, got, left, right) == []


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:ComplexHalf")
def test_the_record_is_what_pytorch_gives() -> None:
    assert table(pytest.importorskip("torch")) == recorded()


# The rules, said one by one


def test_a_0_dim_tensor_does_not_promote_within_its_category() -> None:
    half, one = torchish.ones(1, dtype=torchish.float16), torchish.tensor(1.0)
    assert (half + one).dtype is torchish.float16
    assert (torchish.ones(1, dtype=torchish.int32) + torchish.tensor(1)).dtype is torchish.int32


def test_a_0_dim_tensor_promotes_across_categories() -> None:
    assert (torchish.ones(1, dtype=torchish.int32) * torchish.tensor(1.5)).dtype is torchish.float32
    assert (
        torchish.ones(1, dtype=torchish.int32) * torchish.tensor(1.5, dtype=torchish.float64)
    ).dtype is torchish.float64
    assert (torchish.ones(1, dtype=torchish.bool) + torchish.tensor(1, dtype=torchish.int8)).dtype is torchish.int8


def test_a_number_never_widens_a_tensor_of_its_category() -> None:
    for dtype in (torchish.float16, torchish.bfloat16, torchish.float32):
        assert (torchish.ones(1, dtype=dtype) * 1.1).dtype is dtype
    assert (torchish.ones(1, dtype=torchish.int8) * 2).dtype is torchish.int8
    assert (torchish.ones(1, dtype=torchish.int8) * 1.5).dtype is torchish.float32
    assert (torchish.ones(1, dtype=torchish.float64) * 1j).dtype is torchish.complex128


def test_the_default_dtype_is_what_integers_become() -> None:
    torchish.set_default_dtype(torchish.float64)
    try:
        assert (torchish.ones(1, dtype=torchish.int32) / 2).dtype is torchish.float64
        assert (torchish.tensor([1]) * 1.5).dtype is torchish.float64
        assert torchish.tensor(1.5).dtype is torchish.float64
        assert torchish.tensor([1]).sin().dtype is torchish.float64
    finally:
        torchish.set_default_dtype(torchish.float32)
    assert (torchish.tensor([1]) * 1.5).dtype is torchish.float32


@pytest.mark.parametrize("op", [operator.add, operator.mul, operator.sub])
def test_values_are_computed_in_the_common_dtype(op: Callable[[Any, Any], Any]) -> None:
    a, b = torchish.tensor([200], dtype=torchish.uint8), torchish.tensor([100], dtype=torchish.int8)
    assert op(a, b).tolist() == [op(200, 100)]
    assert op(a, 100).tolist() == [op(200, 100) % 256]


def test_sums_of_integers_and_bools_are_int64() -> None:
    for dtype in (torchish.bool, torchish.int8, torchish.uint8, torchish.int32):
        ones = torchish.ones(300, dtype=dtype)
        assert ones.sum().dtype is torchish.int64 and ones.sum().item() == 300
        assert ones.cumsum(0).dtype is torchish.int64 and ones.prod().dtype is torchish.int64


@pytest.mark.parametrize(
    ("compute", "text"),
    [
        (lambda t: t.tensor([True]) - t.tensor([True]), "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."),
        (lambda t: t.tensor([1, 2]).mean(), "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long"),
        (lambda t: t.tensor([1]).add_(1.5), "result type Float can't be cast to the desired output type Long"),
        (lambda t: t.add(t.tensor([1]), 1, alpha=1.5), "For integral input tensors, argument alpha must not be a floating point number."),
        (lambda t: t.ones(1, dtype=t.uint16) + t.ones(1, dtype=t.int32), "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote UInt16 and Int"),
    ],
)  # fmt: skip
def test_errors(compute: Callable[[ModuleType], Any], text: str) -> None:
    with pytest.raises(RuntimeError, match=f"^{re.escape(text)}$"):
        compute(torchish)


if __name__ == "__main__":
    import torch

    RECORD.write_text("".join(f"{form}: {letters}\n" for form, letters in table(torch).items()))
