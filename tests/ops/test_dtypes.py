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
