"""The printed form of tensors. The expected strings were recorded from PyTorch 2.13."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from torchish._core import printing


@dataclass(frozen=True)
class Case:
    name: str
    array: Callable[[], np.ndarray]
    expected: str
    arguments: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case(
        "whole_floats",
        lambda: np.array([1, -2, 30], np.float32),
        "tensor([ 1., -2., 30.])",
    ),
    Case(
        "fractions",
        lambda: np.array([1.5, -2.25, 3], np.float32),
        "tensor([ 1.5000, -2.2500,  3.0000])",
    ),
    Case(
        "float_scalar",
        lambda: np.array(3.14159265, np.float32),
        "tensor(3.1416)",
    ),
    Case(
        "int_scalar",
        lambda: np.array(7),
        "tensor(7)",
    ),
    Case(
        "small_values_are_scientific",
        lambda: np.array([1.5e-5, 1], np.float32),
        "tensor([1.5000e-05, 1.0000e+00])",
    ),
    Case(
        "wide_range_is_scientific",
        lambda: np.array([0.5, 501], np.float32),
        "tensor([5.0000e-01, 5.0100e+02])",
    ),
    Case(
        "range_of_exactly_1000_is_fixed",
        lambda: np.array([0.5, 500], np.float32),
        "tensor([  0.5000, 500.0000])",
    ),
    Case(
        "large_whole_numbers_are_scientific",
        lambda: np.array([2e8, 1e8], np.float32),
        "tensor([2.0000e+08, 1.0000e+08])",
    ),
    Case(
        "1e8_is_whole",
        lambda: np.array([1e8, 1e6], np.float32),
        "tensor([100000000.,   1000000.])",
    ),
    Case(
        "zeros_are_not_measured",
        lambda: np.array([0, -0.0, 12], np.float32),
        "tensor([ 0., -0., 12.])",
    ),
    Case(
        "all_zero",
        lambda: np.array([0, -0.0], np.float32),
        "tensor([0., -0.])",
    ),
    Case(
        "inf_and_nan",
        lambda: np.array([np.inf, -np.inf, np.nan, 1], np.float32),
        "tensor([inf, -inf, nan, 1.])",
    ),
    Case(
        "nan_among_fractions",
        lambda: np.array([np.nan, 1.5], np.float32),
        "tensor([   nan, 1.5000])",
    ),
    Case(
        "ints_are_right_aligned",
        lambda: np.array([[1, -200], [30, 4]]),
        "tensor([[   1, -200],\n        [  30,    4]])",
    ),
    Case(
        "bools",
        lambda: np.array([True, False]),
        "tensor([ True, False])",
    ),
    Case(
        "all_true",
        lambda: np.array([True, True]),
        "tensor([True, True])",
    ),
    Case(
        "uint8",
        lambda: np.array([255, 0], np.uint8),
        "tensor([255,   0], dtype=torch.uint8)",
    ),
    Case(
        "float64_is_said",
        lambda: np.array([1.0, 2.5]),
        "tensor([1.0000, 2.5000], dtype=torch.float64)",
    ),
    Case(
        "float64_as_default",
        lambda: np.array([1.0, 2.5]),
        "tensor([1.0000, 2.5000])",
        {"default_dtype_name": "float64"},
    ),
    Case(
        "float32_when_float64_is_default",
        lambda: np.array([1.0, 2.5], np.float32),
        "tensor([1.0000, 2.5000], dtype=torch.float32)",
        {"default_dtype_name": "float64"},
    ),
    Case(
        "float16",
        lambda: np.array([0.1, 65504], np.float16),
        "tensor([9.9976e-02, 6.5504e+04], dtype=torch.float16)",
    ),
    Case(
        "bfloat16",
        lambda: np.array([0.1, 2.5], ml_dtypes.bfloat16),
        "tensor([0.1001, 2.5000], dtype=torch.bfloat16)",
    ),
    Case(
        "complex64",
        lambda: np.array([1 + 2j, -0.5j], np.complex64),
        "tensor([1.+2.0000j, -0.-0.5000j])",
    ),
    Case(
        "complex_with_inf_and_nan",
        lambda: np.array([complex(np.inf, -1), complex(1, np.nan)], np.complex64),
        "tensor([inf-1.j, 1.+nanj])",
    ),
    Case(
        "complex128_is_said",
        lambda: np.array([1 + 2j]),
        "tensor([1.+2.j], dtype=torch.complex128)",
    ),
    Case(
        "empty",
        lambda: np.zeros(0, np.float32),
        "tensor([])",
    ),
    Case(
        "empty_matrix",
        lambda: np.zeros((0, 3), np.float32),
        "tensor([], size=(0, 3))",
    ),
    Case(
        "empty_ints_say_their_dtype",
        lambda: np.zeros((2, 0), np.int64),
        "tensor([], size=(2, 0), dtype=torch.int64)",
    ),
    Case(
        "rows_wrap",
        lambda: np.arange(30),
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
        "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
    ),
    Case(
        "rows_of_a_matrix_wrap",
        lambda: np.arange(50).reshape(2, 25) / np.float32(8),
        "tensor([[0.0000, 0.1250, 0.2500, 0.3750, 0.5000, 0.6250, 0.7500, 0.8750, 1.0000,\n"
        "         1.1250, 1.2500, 1.3750, 1.5000, 1.6250, 1.7500, 1.8750, 2.0000, 2.1250,\n"
        "         2.2500, 2.3750, 2.5000, 2.6250, 2.7500, 2.8750, 3.0000],\n"
        "        [3.1250, 3.2500, 3.3750, 3.5000, 3.6250, 3.7500, 3.8750, 4.0000, 4.1250,\n"
        "         4.2500, 4.3750, 4.5000, 4.6250, 4.7500, 4.8750, 5.0000, 5.1250, 5.2500,\n"
        "         5.3750, 5.5000, 5.6250, 5.7500, 5.8750, 6.0000, 6.1250]],\n"
        "       dtype=torch.float64)",
    ),
    Case(
        "blank_line_between_matrices",
        lambda: np.arange(8).reshape(2, 2, 2),
        "tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]])",
    ),
    Case(
        "two_blank_lines_between_blocks",
        lambda: np.arange(4).reshape(2, 2, 1, 1),
        "tensor([[[[0]],\n\n         [[1]]],\n\n\n        [[[2]],\n\n         [[3]]]])",
    ),
    Case(
        "long_vector_is_summarised",
        lambda: np.arange(1001),
        "tensor([   0,    1,    2,  ...,  998,  999, 1000])",
    ),
    Case(
        "matrix_is_summarised",
        lambda: np.arange(1200.0, dtype=np.float32).reshape(30, 40),
        "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 3.7000e+01, 3.8000e+01,\n"
        "         3.9000e+01],\n"
        "        [4.0000e+01, 4.1000e+01, 4.2000e+01,  ..., 7.7000e+01, 7.8000e+01,\n"
        "         7.9000e+01],\n"
        "        [8.0000e+01, 8.1000e+01, 8.2000e+01,  ..., 1.1700e+02, 1.1800e+02,\n"
        "         1.1900e+02],\n"
        "        ...,\n"
        "        [1.0800e+03, 1.0810e+03, 1.0820e+03,  ..., 1.1170e+03, 1.1180e+03,\n"
        "         1.1190e+03],\n"
        "        [1.1200e+03, 1.1210e+03, 1.1220e+03,  ..., 1.1570e+03, 1.1580e+03,\n"
        "         1.1590e+03],\n"
        "        [1.1600e+03, 1.1610e+03, 1.1620e+03,  ..., 1.1970e+03, 1.1980e+03,\n"
        "         1.1990e+03]])",
    ),
    Case(
        "short_dimensions_are_whole_in_a_summary",
        lambda: np.arange(2000).reshape(2, 500, 2),
        "tensor([[[   0,    1],\n"
        "         [   2,    3],\n"
        "         [   4,    5],\n"
        "         ...,\n"
        "         [ 994,  995],\n"
        "         [ 996,  997],\n"
        "         [ 998,  999]],\n"
        "\n"
        "        [[1000, 1001],\n"
        "         [1002, 1003],\n"
        "         [1004, 1005],\n"
        "         ...,\n"
        "         [1994, 1995],\n"
        "         [1996, 1997],\n"
        "         [1998, 1999]]])",
    ),
    Case(
        "requires_grad",
        lambda: np.array([1.0], np.float32),
        "tensor([1.], requires_grad=True)",
        {"requires_grad": True},
    ),
    Case(
        "grad_fn_goes_first",
        lambda: np.array([1.0], np.float32),
        "tensor([1.], grad_fn=<MulBackward0>)",
        {"requires_grad": True, "grad_fn_name": "MulBackward0"},
    ),
    Case(
        "suffix_starts_a_line",
        lambda: np.arange(1.25, 8, dtype=np.float32),
        "tensor([1.2500, 2.2500, 3.2500, 4.2500, 5.2500, 6.2500, 7.2500],\n       grad_fn=<MulBackward0>)",
        {"requires_grad": True, "grad_fn_name": "MulBackward0"},
    ),
    Case(
        "suffixes_fill_a_line",
        lambda: np.arange(15.0),
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
        "        14.], dtype=torch.float64, grad_fn=<LinalgVectorNormBackward0>)",
        {"grad_fn_name": "LinalgVectorNormBackward0", "requires_grad": True},
    ),
    Case(
        "subclass",
        lambda: np.arange(4.0, dtype=np.float32).reshape(2, 2),
        "MyTensor([[0., 1.],\n          [2., 3.]])",
        {"prefix": "MyTensor("},
    ),
    Case(
        "given_contents",
        lambda: np.array([1.0]),
        "tensor([...], dtype=torch.float64)",
        {"tensor_contents": "[...]"},
    ),
    Case(
        "precision_2",
        lambda: np.array([1.5, 22.125], np.float32),
        "tensor([ 1.50, 22.12])",
        {},
        {"precision": 2},
    ),
    Case(
        "precision_0",
        lambda: np.array([1.5, 22.125], np.float32),
        "tensor([ 2, 22])",
        {},
        {"precision": 0},
    ),
    Case(
        "narrow_line",
        lambda: np.arange(5.5, 9, dtype=np.float32),
        "tensor([5.5000,\n        6.5000,\n        7.5000,\n        8.5000])",
        {},
        {"linewidth": 20},
    ),
    Case(
        "sci_mode_on",
        lambda: np.array([1.0, 20], np.float32),
        "tensor([1.0000e+00, 2.0000e+01])",
        {},
        {"sci_mode": True},
    ),
    Case(
        "sci_mode_off",
        lambda: np.array([1e-7, 20], np.float32),
        "tensor([ 0.0000, 20.0000])",
        {},
        {"sci_mode": False},
    ),
    Case(
        "profile_short",
        lambda: np.arange(1001.0, dtype=np.float32) / 2,
        "tensor([  0.00,   0.50,  ..., 499.50, 500.00])",
        {},
        {"profile": "short"},
    ),
    Case(
        "profile_full",
        lambda: np.arange(101) % 2,
        "tensor([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,\n"
        "        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,\n"
        "        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,\n"
        "        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,\n"
        "        0, 1, 0, 1, 0])",
        {},
        {"profile": "full", "threshold": 2000},
    ),
    Case(
        "edgeitems_1",
        lambda: np.arange(400).reshape(20, 20),
        "tensor([[  0,  ...,  19],\n        ...,\n        [380,  ..., 399]])",
        {},
        {"edgeitems": 1, "threshold": 10},
    ),
    Case(
        "edgeitems_0",
        lambda: np.arange(400).reshape(20, 20),
        "tensor([...], size=(20, 20))",
        {},
        {"edgeitems": 0, "threshold": 10},
    ),
)


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    with printing.printoptions(profile="default"):
        yield


def as_printed(case: Case, **more: Any) -> str:
    array = case.array()
    return printing.tensor_str(array, dtype_name=array.dtype.name, **case.arguments, **more)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_prints_as_pytorch(case: Case) -> None:
    printing.set_printoptions(**case.options)
    assert as_printed(case) == case.expected


SUMMARISED = [case for case in CASES if "..." in case.expected and not case.arguments]


@pytest.mark.parametrize("case", SUMMARISED, ids=[case.name for case in SUMMARISED])
def test_edge_items_alone_print_the_same(case: Case) -> None:
    printing.set_printoptions(**case.options)
    array = case.array()
    edges = printing.edge_indices(array.shape)
    assert edges is not None
    selected = array[np.ix_(*edges)]
    assert selected.size < array.size
    assert printing.tensor_str(selected, shape=array.shape, dtype_name=array.dtype.name) == case.expected


def test_only_edge_items_decide_the_width() -> None:
    values = np.ones(2000, np.float32)
    values[1000] = 123456.5
    assert printing.tensor_str(values, dtype_name="float32") == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_device_stands_before_dtype() -> None:
    text = printing.tensor_str(np.array([1.5]), dtype_name="float64", device="cuda:0", requires_grad=True)
    assert text == "tensor([1.5000], device='cuda:0', dtype=torch.float64, requires_grad=True)"


def test_meta_tensor_has_no_contents() -> None:
    text = printing.tensor_str(None, shape=(2, 3), dtype_name="int64", device="meta")
    assert text == "tensor(..., device='meta', size=(2, 3), dtype=torch.int64)"
    text = printing.tensor_str(None, shape=(0,), dtype_name="float32", device="meta")
    assert text == "tensor(..., device='meta', size=(0,))"


def test_extra_suffixes_come_last() -> None:
    text = printing.tensor_str(np.ones(2, np.float32), dtype_name="float32", extra_suffixes=["tangent=tensor([0.])"])
    assert text == "tensor([1., 1.], tangent=tensor([0.]))"


def test_parameter() -> None:
    text = printing.tensor_str(np.zeros((2, 2), np.float32), dtype_name="float32", requires_grad=True)
    assert printing.parameter_str(text) == (
        "Parameter containing:\ntensor([[0., 0.],\n        [0., 0.]], requires_grad=True)"
    )
    text = printing.tensor_str(np.zeros((2, 2), np.float32), dtype_name="float32", requires_grad=True, prefix="P(")
    assert printing.parameter_str(text, subclass=True) == (
        "Parameter containing:\nParameter(P([[0., 0.],\n   [0., 0.]], requires_grad=True))"
    )


def test_nothing_to_print_is_refused() -> None:
    with pytest.raises(TypeError, match="needs an array or a shape"):
        printing.tensor_str(None, dtype_name="float32")


class TestOptions:
    def test_defaults(self) -> None:
        assert printing.get_printoptions() == {
            "precision": 4,
            "threshold": 1000,
            "edgeitems": 3,
            "linewidth": 80,
            "sci_mode": None,
        }

    def test_arguments_go_over_the_profile(self) -> None:
        printing.set_printoptions(profile="short", linewidth=40)
        options = printing.get_printoptions()
        assert (options["precision"], options["edgeitems"], options["linewidth"]) == (2, 2, 40)

    def test_full_profile_never_summarises(self) -> None:
        printing.set_printoptions(profile="full")
        assert "..." not in printing.tensor_str(np.arange(5000), dtype_name="int64")

    def test_other_options_stay_but_sci_mode_is_reset(self) -> None:
        printing.set_printoptions(precision=2, sci_mode=True)
        printing.set_printoptions(linewidth=100)
        options = printing.get_printoptions()
        assert (options["precision"], options["linewidth"], options["sci_mode"]) == (2, 100, None)

    def test_unknown_profile_changes_nothing(self) -> None:
        before = printing.get_printoptions()
        printing.set_printoptions(profile="none of them")
        assert printing.get_printoptions() == before

    def test_context_restores_after_an_error(self) -> None:
        before = printing.get_printoptions()
        with pytest.raises(ZeroDivisionError), printing.printoptions(precision=1, sci_mode=True):
            assert printing.get_printoptions()["precision"] == 1
            _ = 1 / 0
        assert printing.get_printoptions() == before
