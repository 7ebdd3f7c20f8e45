"""What one ``@op`` promises, for every op in the registry: its forms, its shapes, its name in a graph, its derivative.

Nothing here names an op: the cases come from the registry, the arguments from ``arguments.py``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arguments import arguments, call, tensors_of, with_tensors

import torchish as torch
from torchish import Tensor
from torchish._core.generate import OP_FUNCTIONS
from torchish._core.public import PUBLIC
from torchish._exec.window import materialise
from torchish._ops.registry import OPS, Op
from torchish.interop import functional

# The ops of the random number generators take the generators' state, which arguments cannot be made up for; tests/rng
# has them.
RUN = [op for op in OPS.values() if not op.name.startswith("random.")]

every_op = pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
every_op_that_runs = pytest.mark.parametrize("op", RUN, ids=lambda op: op.name)

NODE_NAME = re.compile(r"[A-Z]\w*Backward\d*|CopyBackwards")


# Forms


@pytest.fixture(autouse=True)
def no_history_of_compilations() -> None:
    """All cases compile from the same few lines, which is what torchish warns of."""
    torch.compiler.reset_stats()


@every_op
def test_an_op_is_documented(op: Op) -> None:
    assert op.doc.strip(), "a docstring says what the op does"
    assert OP_FUNCTIONS[op.name].__doc__ == op.doc


@every_op
def test_the_promised_forms_are_there(op: Op) -> None:
    names = (op.name, *op.aliases)
    for namespace in op.namespaces:
        for name in names:
            assert name in PUBLIC[namespace]
            assert name + "_" in PUBLIC[namespace] or not op.inplace
            if namespace == "Tensor":
                assert callable(getattr(Tensor, name)) and (hasattr(Tensor, name + "_") or not op.inplace)
            if namespace == "torch":
                assert callable(getattr(torch, name))
            if namespace == "nn.functional":
                assert callable(getattr(torch.nn.functional, name))
    for elsewhere in op.elsewhere:
        namespace, _, name = elsewhere.rpartition(".")
        assert PUBLIC[namespace][name] is OP_FUNCTIONS[op.name]
        assert getattr(attrgetter(namespace)(torch), name) is OP_FUNCTIONS[op.name]
    signature = inspect.signature(OP_FUNCTIONS[op.name])
    assert ("out" in signature.parameters) == op.out
    assert list(signature.parameters)[: len(op.params)] == [p.name for p in op.params]
    if op.inplace:
        assert OP_FUNCTIONS[op.name + "_"].__doc__ == op.doc


# Values


def plain(op: Op) -> Callable[..., Any]:
    return OP_FUNCTIONS[op.name]


def results_of(outcome: Any) -> list[Tensor]:
    return list(outcome) if isinstance(outcome, (tuple, list)) else [outcome]


def array(t: Tensor) -> np.ndarray:
    return np.asarray(materialise(t._value()))


def same(got: Tensor, expected: Tensor) -> None:
    assert got.shape == expected.shape
    np.testing.assert_array_equal(array(got), array(expected.to(got.dtype)))


def fresh(given: dict[str, Any]) -> dict[str, Any]:
    return with_tensors(given, [t.clone() for t in tensors_of(given)])


@every_op_that_runs
def test_an_op_keeps_what_its_definition_says(op: Op) -> None:
    given = arguments(op)
    before = [array(t) for t in tensors_of(given)]
    results = results_of(call(op, plain(op), given))
    announced = [(tuple(t.shape), t.dtype) for t in results]
    for t, (shape, dtype) in zip(results, announced, strict=True):
        assert (array(t).shape, array(t).dtype) == (shape, dtype.np), "the shape rule says what execution gives"
        assert not t.requires_grad
    for t, data in zip(tensors_of(given), before, strict=True):
        np.testing.assert_array_equal(array(t), data, err_msg="the arguments are as they were")
    if op.returns is not None:
        assert type(call(op, plain(op), given))._fields == op.returns
    if op.inplace:
        in_place_agrees(op, given, results[0])
    if op.out:
        out_agrees(op, given, results)


def in_place_agrees(op: Op, given: dict[str, Any], expected: Tensor) -> None:
    given = fresh(given)
    target = given[op.params[0].name]
    assert call(op, OP_FUNCTIONS[op.name + "_"], given) is target
    assert target._version == 1
    same(target, expected)


def out_agrees(op: Op, given: dict[str, Any], expected: Sequence[Tensor]) -> None:
    outs = tuple(torch.empty(t.shape, dtype=t.dtype) for t in expected)
    out = outs if len(outs) > 1 else outs[0]
    returned = call(op, plain(op), given, out=out)
    for got, o, wanted in zip(results_of(returned), outs, expected, strict=True):
        assert got is o
        same(o, wanted)


# Derivatives


def differentiable_places(op: Op, given: dict[str, Any]) -> list[int]:
    without = [t for name in op.underived for t in tensors_of({name: given[name]})]
    floating = [n for n, t in enumerate(tensors_of(given)) if t.dtype.is_floating_point]
    return [n for n in floating if not any(tensors_of(given)[n] is t for t in without)]


def weighted_sum(results: Sequence[Tensor], sizes: bool = False) -> Tensor:
    """One number of all results, with a weight of its own for each element.

    ``sizes``: of complex numbers the absolute values alone, for ops that refuse gradients by a phase.
    """
    total = torch.zeros((), dtype=torch.float64)
    for n, t in enumerate(results):
        parts = t if not t.dtype.is_complex else t.abs() if sizes else torch.view_as_real(t)
        weights = torch.arange(1, parts.numel() + 1, dtype=torch.float64).reshape(parts.shape) * (0.1 + 0.03 * n)
        total = total + (parts * weights.cos()).sum()
    return total


def function_of_places(op: Op, given: dict[str, Any], places: Sequence[int]) -> Callable[..., list[Tensor]]:
    """The op as a function of its floating tensors alone."""
    tensors = tensors_of(given)

    def run(*floats: Tensor) -> list[Tensor]:
        filled = list(tensors)
        for place, x in zip(places, floats, strict=True):
            filled[place] = x
        return results_of(call(op, plain(op), with_tensors(given, filled)))

    return run


def refused(op: Op, given: dict[str, Any]) -> Exception | None:
    """What going backward through the op raises, with these arguments."""
    named = {p.name: given.get(p.name, p.default) for p in op.params}
    assert op.refuses_derivative is not None
    return op.refuses_derivative(**{k: v._aval.struct if isinstance(v, Tensor) else v for k, v in named.items()})


@every_op_that_runs
def test_the_derivatives_are_jaxs(op: Op) -> None:
    given = arguments(op)
    places = differentiable_places(op, given)
    leaves = [tensors_of(given)[n].clone().requires_grad_() for n in places]
    run = function_of_places(op, given, places)
    results = run(*leaves)
    recorded = [n for n, t in enumerate(results) if t.requires_grad]
    if not op.differentiable:
        assert not recorded, "the result of an op without a derivative requires no grad"
        return
    assert places and recorded, "the arguments leave nothing to differentiate"
    if op.refuses_derivative is not None and (refusal := refused(op, given)) is not None:
        with pytest.raises(type(refusal), match=re.escape(str(refusal))):
            torch.autograd.grad(weighted_sum([results[n] for n in recorded]), leaves)
        return
    sizes = op.derivative_check is not None
    for n in recorded:
        assert NODE_NAME.fullmatch(type(results[n].grad_fn).__name__)

    @functional
    def pure(*floats: Tensor) -> Tensor:
        outcome = run(*floats)
        return weighted_sum([outcome[n] for n in recorded], sizes)

    def first_and_second(*floats: jax.Array) -> tuple:
        def slope(*floats: jax.Array) -> tuple:
            gradients = jax.grad(pure, argnums=tuple(range(len(floats))))(*floats)
            return functional(lambda *gs: weighted_sum(gs))(*gradients), gradients

        second, first = jax.grad(slope, argnums=tuple(range(len(floats))), has_aux=True)(*floats)
        return first, second

    value = weighted_sum([results[n] for n in recorded], sizes)
    first = torch.autograd.grad(value, leaves, materialize_grads=True, create_graph=True)
    slope = weighted_sum(first)
    second = [torch.zeros_like(x) for x in leaves]
    if slope.requires_grad:
        second = torch.autograd.grad(slope, leaves, materialize_grads=True)
    expected = jax.jit(first_and_second)(*[jnp.asarray(array(x)) for x in leaves])
    for found, wanted in zip((first, second), expected, strict=True):
        for got, want in zip(found, wanted, strict=True):
            np.testing.assert_allclose(array(got), want, rtol=1e-8, atol=1e-10)
