"""Which dtype a result has: sums, ranges, 0-dim tensors, Python numbers; and what has no dtype to be in."""

from __future__ import annotations

from typing import Any

from convention import Case, Refusal


def _name(t: Any, result: Any) -> str:
    return str(result.dtype).removeprefix("torch.")


def _into_integers(t: Any) -> None:
    x = t.tensor([1, 2])
    x += 0.5


CASES = [
    Case("arange of ints", lambda t: _name(t, t.arange(3)), "int64"),
    Case("arange of floats", lambda t: _name(t, t.arange(3.0)), "float32"),
    Case("a sum of int32", lambda t: _name(t, t.ones(2, dtype=t.int32).sum()), "int64"),
    Case("a sum of bools", lambda t: _name(t, t.ones(2, dtype=t.bool).sum()), "int64"),
    Case("a product of uint8", lambda t: _name(t, t.ones(2, dtype=t.uint8).prod()), "int64"),
    Case("a running sum of int8", lambda t: _name(t, t.ones(2, dtype=t.int8).cumsum(0)), "int64"),
    Case("float16[1] + float32[]", lambda t: _name(t, t.ones(1).half() + t.tensor(1.0)), "float16"),
    Case("int32[1] + int64[]", lambda t: _name(t, t.ones(1, dtype=t.int32) + t.tensor(1)), "int32"),
    Case("int32[1] + float64[]", lambda t: _name(t, t.ones(1, dtype=t.int32) + t.tensor(1.0).double()), "float64"),
    Case("float32[1] + complex128[]", lambda t: _name(t, t.ones(1) + t.tensor(1j, dtype=t.complex128)), "complex64"),
    Case("float16[1] + a number", lambda t: _name(t, t.ones(1).half() + 1e10), "float16"),
    Case("int8[1] + an int", lambda t: _name(t, t.ones(1, dtype=t.int8) + 1000), "int8"),
    Case("int64[1] + a float", lambda t: _name(t, t.ones(1, dtype=t.int64) + 1.5), "float32"),
    Case("float32[1] + a complex number", lambda t: _name(t, t.ones(1) + 1j), "complex64"),
    Case("float64[1] + a complex number", lambda t: _name(t, t.ones(1).double() + 1j), "complex128"),
    Case("bool + bool", lambda t: _name(t, t.tensor([True]) + t.tensor([True])), "bool"),
    Case("int / int", lambda t: _name(t, t.tensor([1]) / t.tensor([2])), "float32"),
    Case("uint8 + int8", lambda t: _name(t, t.ones(1, dtype=t.uint8) + t.ones(1, dtype=t.int8)), "int16"),
    Case("float16 + bfloat16", lambda t: _name(t, t.ones(1).half() + t.ones(1).bfloat16()), "float32"),
    Case("tensor of a Python float", lambda t: _name(t, t.tensor(1.5)), "float32"),
    Case("tensor of a Python int", lambda t: _name(t, t.tensor(1)), "int64"),
    Case(
        "denormals are kept",
        lambda t: (t.tensor([1e-40]) + 0.0, t.tensor([1e-40]) * 2, t.tensor([1e-38]) / 100),
        [[9.99994610111476e-41], [1.999989220222952e-40], [9.99994610111476e-41]],
    ),
]

REFUSALS = [
    Refusal(
        "a mean of ints",
        lambda t: t.tensor([1, 2]).mean(),
        RuntimeError,
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long",
    ),
    Refusal(
        "bool - bool",
        lambda t: t.tensor([True]) - t.tensor([True]),
        RuntimeError,
        "Subtraction, the `-` operator, with two bool tensors is not supported.",
    ),
    Refusal(
        "a float result in an integer tensor",
        _into_integers,
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    Refusal(
        "a gradient of integers",
        lambda t: t.tensor([1], requires_grad=True),
        RuntimeError,
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
]
