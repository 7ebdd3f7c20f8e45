"""The programs in examples/ run unmodified under torchish, learn what they should, and print what PyTorch prints."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
from launch import ROOT, printed_by
from printed import assert_same

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

# Training amplifies differences in the last bit (another order of summation) by some powers of ten, so a printed
# number may differ by one in its last place, or by a thousandth of itself where it was printed with more places.
TOLERANCES = {"units": 1, "short_rtol": 1e-3, "rtol": 1e-3}


@functools.cache
def under_torchish(name: str) -> str:
    return printed_by("torchish", ROOT / "examples" / f"{name}.py")


def number_after(label: str, output: str) -> float:
    """The number that follows ``label`` where it stands last in the output."""
    found = re.findall(re.escape(label) + r"\s*(-?[\d.]+)", output)
    assert found, f"{label!r} was not printed:\n{output}"
    return float(found[-1])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_first_import_is_torch(path: Path) -> None:
    imports = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert ast.unparse(imports[0]) == "import torch"
    modules = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    assert all(module.split(".")[0] == "torch" for module in modules)


def test_autograd_tour() -> None:
    output = under_torchish("autograd_tour")
    assert "True False None AddBackward0" in output
    assert "tensor([5.]) tensor([2.])\ntensor([10.]) tensor([4.])\ntensor([15.]) tensor([6.])" in output
    assert "tensor([2.1200, 3.2400, 1.8700]) tensor([2.1200, 3.2400, 1.8700])" in output
    assert "tensor([100., 200., 300.], requires_grad=True) tensor([2., 2., 2.])" in output
    for order, value in enumerate([31.5839, 47.0907, 48.4161, 24.9093], start=1):
        assert number_after(f"\n{order}", output) == pytest.approx(value, abs=1e-3)
    for mistake in ("second_backward", "not_a_scalar", "leaf_in_place", "saved_and_changed"):
        assert f"\n{mistake}: " in output


def test_polynomial_fit() -> None:
    output = under_torchish("polynomial_fit")
    losses = [float(loss) for loss in re.findall(r"by hand, step \d+: loss ([\d.]+)", output)]
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 15
    # The least-squares cubic leaves 8.817 on this grid, with 0.857 x - 0.093 x^3.
    assert number_after("module, step 2000: loss", output) == pytest.approx(8.817, abs=0.01)
    last_line = output.splitlines()[-1]
    assert re.search(r"0\.85\d+ x \+ -?0\.000\d x\^2 \+ -0\.093\d x\^3", last_line), last_line


def test_mlp_classifier() -> None:
    output = under_torchish("mlp_classifier")
    assert "(first): Linear(in_features=2, out_features=48, bias=True)" in output
    assert number_after("parameters:", output) == 2643
    assert number_after("train accuracy", output) >= 0.97
    assert number_after("test accuracy", output) >= 0.95


def test_small_cnn() -> None:
    output = under_torchish("small_cnn")
    assert number_after("test accuracy", output) >= 0.97
    assert number_after("batches seen by the first batch norm:", output) == 32
    assert len(re.findall(r"^(?:horizontal|vertical|rising|falling): \d+ of \d+$", output, re.MULTILINE)) == 4


def test_char_model() -> None:
    output = under_torchish("char_model")
    assert "lines recalled: 4 of 4" in output
    assert "a paper bird in open sky" in output.splitlines()
    assert number_after("epoch 60: loss", output) < 0.1


def test_frozen_backbone() -> None:
    output = under_torchish("frozen_backbone")
    only_the_new_layer = "['fc.weight', 'fc.bias']"
    for label in ("trainable:", "changed:", "with a gradient:"):
        assert f"{label} {only_the_new_layer}" in output.splitlines()
    assert number_after("accuracy", output) >= 0.97


def test_brackets() -> None:
    output = under_torchish("brackets")
    assert "(rnn): GRU(8, 24, num_layers=2, dropout=0.1)" in output
    assert number_after("accuracy on words not seen:", output) >= 0.9


@pytest.mark.oracle
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_prints_what_pytorch_prints(path: Path) -> None:
    assert_same(printed_by("torch", path), under_torchish(path.stem), **TOLERANCES)
