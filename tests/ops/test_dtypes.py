"""Dtypes that PyTorch refuses, with its texts; dtypes of results; conversions outside a type's range."""

from __future__ import annotations

import numpy as np
import pytest

import torchish

# (what is called, the dtype of its tensors, the error's class, its text). `t` makes a tensor of that dtype.
REFUSED = {
    "mm": (lambda th, t: t(2, 2) @ t(2, 2), "uint16", "\"addmm_impl_cpu_\" not implemented for 'UInt16'"),
    "baddbmm": (
        lambda th, t: th.baddbmm(t(1, 2, 2), t(1, 2, 2), t(1, 2, 2)),
        "bool",
        "\"baddbmm\" not implemented for 'Bool'",
    ),
    "addr": (lambda th, t: th.addr(t(2, 2), t(2), t(2)), "uint32", "\"addr_cpu\" not implemented for 'UInt32'"),
    "cummax": (lambda th, t: t(2).cummax(0), "complex64", "\"cummax_cpu\" not implemented for 'ComplexFloat'"),
    "cummin": (lambda th, t: t(2).cummin(0), "uint16", "\"cummin_cpu\" not implemented for 'UInt16'"),
    "diff": (lambda th, t: t(2).diff(), "uint16", "\"add_stub\" not implemented for 'UInt16'"),
    "topk": (lambda th, t: t(2).topk(1), "uint16", "\"topk_cpu\" not implemented for 'UInt16'"),
    "kthvalue": (lambda th, t: t(2).kthvalue(1), "uint16", "\"kthvalue_cpu\" not implemented for 'UInt16'"),
    "median": (lambda th, t: t(2).median(), "bool", "\"median_cpu\" not implemented for 'Bool'"),
    "isin": (lambda th, t: th.isin(t(2), t(3)), "bool", "Unsupported input type encountered for isin(): Bool"),
    "clamp_min": (
        lambda th, t: t(2).clamp_min(t(2)),
        "complex64",
        "\"maximum_cpu\" not implemented for 'ComplexFloat'",
    ),
    "clamp_max_number": (lambda th, t: t(2).clamp_max(0), "complex64", "clamp is not supported for complex types"),
    "max": (lambda th, t: t(2).max(0), "complex64", "max(): does not support complex input"),
    "max_all": (lambda th, t: t(2).max(), "uint16", "\"max_all\" not implemented for 'UInt16'"),
    "aminmax": (lambda th, t: t(2).aminmax(), "complex64", "\"aminmax_cpu\" not implemented for 'ComplexFloat'"),
    "argmax": (lambda th, t: t(2).argmax(), "uint16", "\"argmax_cpu\" not implemented for 'UInt16'"),
    "var_mean": (
        lambda th, t: th.var_mean(t(2)),
        "int64",
        "var_mean only support floating point and complex dtypes",
    ),
    "avg_pool1d": (
        lambda th, t: th.nn.functional.avg_pool1d(t(1, 2, 4), 2),
        "int32",
        "\"avg_pool2d\" not implemented for 'Int'",
    ),
    "avg_pool3d": (
        lambda th, t: th.nn.functional.avg_pool3d(t(1, 2, 2, 2), 2),
        "float16",
        "\"avg_pool3d_out_frame\" not implemented for 'Half'",
    ),
    "adaptive_avg_pool3d": (
        lambda th, t: th.nn.functional.adaptive_avg_pool3d(t(1, 4, 4, 4), 2),
        "int64",
        "\"adaptive_avg_pool3d_cpu\" not implemented for 'Long'",
    ),
    "adaptive_avg_pool_to_one": (
        lambda th, t: th.nn.functional.adaptive_avg_pool2d(t(1, 4, 4), 1),
        "int64",
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long",
    ),
    "lp_pool3d": (
        lambda th, t: th.nn.functional.lp_pool3d(t(1, 4, 4, 4), 2.0, 2),
        "bfloat16",
        "\"avg_pool3d_out_frame\" not implemented for 'BFloat16'",
    ),
    "local_response_norm": (
        lambda th, t: th.nn.functional.local_response_norm(t(1, 2, 3), 2),
        "complex64",
        "\"avg_pool2d\" not implemented for 'ComplexFloat'",
    ),
    "conv_dilated": (
        lambda th, t: th.nn.functional.conv1d(t(1, 2, 4), t(2, 2, 2), dilation=2),
        "int32",
        "\"slow_conv_dilated<>\" not implemented for 'Int'",
    ),
    "conv_transpose": (
        lambda th, t: th.nn.functional.conv_transpose3d(t(1, 2, 4, 4, 4), t(2, 2, 2, 2, 2)),
        "uint8",
        "\"slow_conv_transpose3d_out_cpu\" not implemented for 'Byte'",
    ),
    "nll_loss": (
        lambda th, t: th.nn.functional.nll_loss(t(2, 3), th.tensor([0, 1])),
        "int64",
        "\"nll_loss_out_frame\" not implemented for 'Long'",
    ),
    "l1_loss": (
        lambda th, t: th.nn.functional.l1_loss(t(2), t(2)),
        "bool",
        "Subtraction, the `-` operator, with two bool tensors is not supported. "
        "Use the `^` or `logical_xor()` operator instead.",
    ),
    "mse_loss": (lambda th, t: th.nn.functional.mse_loss(t(2), t(2)), "bool", "\"mse_cpu\" not implemented for 'Bool'"),
    "soft_margin_loss": (
        lambda th, t: th.nn.functional.soft_margin_loss(t(2), t(2)),
        "int64",
        "result type Float can't be cast to the desired output type Long",
    ),
    "kl_div": (
        lambda th, t: th.nn.functional.kl_div(t(2), t(2), reduction="sum"),
        "complex64",
        "kl_div: Complex inputs not supported.",
    ),
    "multi_margin_loss": (
        lambda th, t: th.nn.functional.multi_margin_loss(t(2, 3), th.tensor([0, 1])),
        "float16",
        "\"multi_margin_loss_cpu_kernel\" not implemented for 'Half'",
    ),
    "scatter_reduce": (
        lambda th, t: t(2).scatter_reduce(0, th.tensor([0]), t(1), "amax"),
        "complex64",
        "\"scatter_gather_tensor_cpu_reduce_amax\" not implemented for 'ComplexFloat'",
    ),
    "bucketize": (
        lambda th, t: th.bucketize(t(2), t(3)),
        "bool",
        "\"searchsorted_out_cpu\" not implemented for 'Bool'",
    ),
    "reflection_pad": (
        lambda th, t: th.nn.functional.pad(t(1, 4), (1, 1), mode="reflect"),
        "bool",
        "\"reflection_pad1d\" not implemented for 'Bool'",
    ),
    "dist": (
        lambda th, t: th.dist(t(2), t(2)),
        "int64",
        "norm(): input dtype should be either floating point or complex. Got Long instead.",
    ),
    "triu_indices": (
        lambda th, t: th.triu_indices(2, 3, dtype=th.float32),
        "int64",
        "\"triu_indices\" not implemented for 'Float'",
    ),
    "clamp_bools": (lambda th, t: t(2).clamp(t(2), t(2)), "bool", "\"clamp_cpu\" not implemented for 'Bool'"),
}

# (what is called, the dtype of its tensors, the result's dtype)
TAKEN = {
    "clamp_bool_below": (lambda th, t: t(2).clamp(max=t(2)), "bool", "bool"),
    "clamp_bool_number": (lambda th, t: t(2).clamp(0, 1), "bool", "int64"),
    "adaptive_avg_pool_to_one": (
        lambda th, t: th.nn.functional.adaptive_avg_pool1d(t(1, 4), 1),
        "complex64",
        "complex64",
    ),
    "conv_of_bytes": (lambda th, t: th.nn.functional.conv1d(t(1, 2, 4), t(2, 2, 2)), "uint8", "uint8"),
    "isin_uint8": (lambda th, t: th.isin(t(2), t(3)), "uint8", "bool"),
}


def _maker(th, dtype):
    return lambda *shape: th.ones(shape, dtype=getattr(th, dtype))


def _refusal(th, call, dtype):
    with pytest.raises((RuntimeError, NotImplementedError)) as caught:
        call(th, _maker(th, dtype))
    return type(caught.value).__name__, str(caught.value).splitlines()[0]


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, dtype, text = REFUSED[name]
    _, message = _refusal(torchish, call, dtype)
    assert message == text


@pytest.mark.oracle
@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_pytorch_does(name):
    torch = pytest.importorskip("torch")
    call, dtype, _ = REFUSED[name]
    assert _refusal(torchish, call, dtype) == _refusal(torch, call, dtype)


@pytest.mark.parametrize("name", TAKEN)
def test_result_dtype(name):
    call, dtype, result = TAKEN[name]
    assert str(call(torchish, _maker(torchish, dtype)).dtype) == f"torch.{result}"


@pytest.mark.filterwarnings("ignore:Casting complex values")
@pytest.mark.parametrize("source", ["float32", "float64", "complex64"])
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("uint8", [0, 255, 44, 0, 0]),
        ("int8", [0, -1, 44, 0, 0]),
        ("int16", [0, -1, 300, 0, 0]),
        ("int32", [-(2**31), -1, 300, -(2**31), -(2**31)]),
        ("int64", [-(2**63), -1, 300, 3_000_000_000, -(2**63)]),
    ],
)
def test_floats_outside_an_integers_range(source, target, expected):
    # 3e9 does not fit int32, through which PyTorch converts to int8 and int16.
    x = torchish.tensor([float("nan"), -1.0, 300.0, 3e9, 1e20], dtype=getattr(torchish, source))
    for result in (x.to(getattr(torchish, target)), torchish.zeros(5, dtype=getattr(torchish, target)).copy_(x)):
        np.testing.assert_array_equal(result.numpy(), np.array(expected, target))


class TestHalfTypesAreRounded:
    """Recorded from PyTorch 2.13. In each case float32 would give other digits."""

    def test_after_each_operation_of_a_window(self):
        x = torchish.tensor([2.84375], dtype=torchish.bfloat16)
        assert x.exp().float().item() == 17.125
        assert (x * x).float().item() == 8.0625
        assert (x - x.tanh()).float().item() == 1.8515625

    def test_numbers_multiply_unrounded_and_are_added_rounded(self):
        x = torchish.tensor([3.0, 7.0, 9.0], dtype=torchish.bfloat16)
        rounded = torchish.tensor([0.1], dtype=x.dtype)
        assert (x * 0.1).tolist() == (x * torchish.tensor(0.1)).tolist() == [0.30078125, 0.69921875, 0.8984375]
        assert (x * rounded).tolist() == [0.30078125, 0.69921875, 0.90234375]
        assert (8.396163 - x).tolist() == [5.375, 1.375, -0.625]  # 8.396163 - 3 would be 5.40625

    def test_division_with_rounding(self):
        x = torchish.tensor([1.0, 3.0], dtype=torchish.float16)
        assert (x // 0.1).tolist() == torchish.div(x, 0.1, rounding_mode="floor").tolist() == [9.0, 29.0]
        assert (x // torchish.full((2,), 0.1, dtype=x.dtype)).tolist() == [10.0, 30.0]
        assert torchish.div(x, 0.1, rounding_mode="trunc").tolist() == [10.0, 30.0]

    def test_overflow(self):
        x, y = torchish.tensor([12.0], dtype=torchish.float16), torchish.tensor([-1.0], dtype=torchish.float16)
        assert torchish.nn.functional.soft_margin_loss(x, y).item() == float("inf")


def test_triangles_take_a_device():
    assert torchish.tril_indices(2, 2, device="cpu").tolist() == [[0, 1, 1], [0, 0, 1]]


def test_pools_with_indices_take_return_indices():
    values, index = torchish.nn.functional.max_pool2d_with_indices(torchish.ones(1, 2, 2), 2, return_indices=True)
    assert values.tolist() == [[[1.0]]] and index.tolist() == [[[0]]]


def test_sums_of_small_integers_are_int64():
    x = torchish.tensor([1, 3], dtype=torchish.uint8)
    assert torchish.nn.functional.hinge_embedding_loss(x, x, reduction="sum").dtype == torchish.int64
