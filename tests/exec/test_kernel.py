"""Kernels: what a derivative reads, cotangents that are missing, complex numbers, and derivatives of derivatives."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import torchish  # noqa: F401  sets JAX up
from torchish._exec.kernel import Kernel, VjpKernel, number_array, used_operands
from torchish._exec.placement import cpu
from torchish._exec.value import Aval, aval_of

F64 = np.dtype(np.float64)
C128 = np.dtype(np.complex128)


def vector(dtype: np.dtype = F64, n: int = 3) -> Aval:
    return aval_of((n,), dtype, cpu())


def kernel(fn, *avals, **named) -> Kernel:
    return Kernel("test", fn, avals, cpu(), node="TestBackward0", **named)


def test_avals_are_interned() -> None:
    assert vector() is vector()
    assert vector() is not vector(n=4)


def test_shapes_and_dtypes_are_known_without_running() -> None:
    k = kernel(lambda x, n: (x[:2] * n, x.astype(jnp.int32)), vector(), float)
    assert [repr(a) for a in k.out_avals] == ["float64[2]@cpu", "int32[3]@cpu"]
    assert k.single is None and not k.warm


def test_only_operands_that_the_result_depends_on_count_as_used() -> None:
    assert used_operands(lambda a, b, c: a * 0 + jnp.zeros_like(b) + c, [vector()] * 3) == (0, 2)
    assert used_operands(lambda a, b: jnp.linalg.norm(b), [vector()] * 2) == (1,)


@pytest.mark.parametrize(
    ("fn", "needs", "uses"),
    [
        (lambda x, y: (x + y,), (0, 1), ()),
        (lambda x, y: (x * y,), (0,), (1,)),
        (lambda x, y: (x * y,), (0, 1), (0, 1)),
        (lambda x, y: (jnp.exp(x) + y,), (1,), ()),
        (lambda x, y: (x / y,), (0,), (1,)),
    ],
    ids=["sum", "product by one", "product by both", "the other term", "quotient by the dividend"],
)
def test_a_derivative_keeps_only_what_it_reads(fn, needs, uses) -> None:
    assert kernel(fn, vector(), vector()).vjp(needs).uses == uses


def test_a_formula_of_the_result_depends_on_the_operands() -> None:
    assert kernel(lambda x: (x * 2,), vector(), saves_result=True).vjp((0,)).uses == (0,)


def test_derivatives_are_made_once() -> None:
    k = kernel(lambda x, y: (x * y,), vector(), vector())
    assert k.vjp((0,)) is k.vjp((0,))
    assert k.vjp((0,)) is not k.vjp((1,))


def test_cotangents_that_are_missing_count_as_zero() -> None:
    k = kernel(lambda x: (x * 2, x * x, (x > 0).astype(jnp.int64)), vector())
    full = k.vjp((0,))
    assert full.given == (True, True, False), "an integer result has no cotangent"
    x, ct = jnp.arange(3.0), jnp.ones(3)
    (both,) = full.jitted(x, ct, ct)
    first, second = full.partial((True, False, False)), full.partial((False, True, False))
    assert first.uses == () and second.uses == (0,)
    assert both.tolist() == (first.jitted(ct)[0] + second.jitted(x, ct)[0]).tolist() == [2.0, 4.0, 6.0]
    assert full.partial((True, True, False)) is full


def test_the_gradient_of_a_complex_number_is_pytorchs() -> None:
    # |z|^2 at 1+2j: 2z, the conjugate of what JAX says.
    square = kernel(lambda z: (jnp.real(z * jnp.conj(z)),), vector(C128, 1))
    (g,) = square.vjp((0,)).jitted(jnp.array([1 + 2j]), jnp.ones(1))
    assert g.tolist() == [2 + 4j]
    # A holomorphic function: the cotangent times the conjugate of its derivative.
    cube = kernel(lambda z: (z**3,), vector(C128, 1))
    z, ct = 1 + 2j, 0.5 - 1j
    (g,) = cube.vjp((0,)).jitted(jnp.array([z]), jnp.array([ct]))
    assert g[0] == pytest.approx(ct * np.conj(3 * z**2))


def test_a_derivative_has_a_derivative() -> None:
    k: Kernel = kernel(lambda x: (x**4,), vector(n=1))
    x, one = jnp.array([2.0]), jnp.ones(1)
    first = k.vjp((0,))
    assert isinstance(first, VjpKernel) and first.jitted(x, one)[0].item() == 32.0
    second = first.vjp((0, 1))
    by_x, by_cotangent = second.jitted(x, one, one)
    assert (by_x.item(), by_cotangent.item()) == (48.0, 32.0)
    third = first.vjp((0,)).vjp((0,))
    assert third.jitted(x, one, one, one)[0].item() == 48.0


def test_nodes_of_derivatives_are_named() -> None:
    plain = kernel(lambda x: (x * x,), vector()).vjp((0,))
    assert (plain.node, plain.vjp((0,)).node) == ("TestBackwardBackward0", "TestBackwardBackwardBackward0")
    told = kernel(lambda x: (x * x,), vector(), grad_node="MulBackward0").vjp((0,))
    assert (told.node, told.vjp((0,)).node) == ("MulBackward0", "MulBackward0")


def test_a_linearised_kernel_gives_the_same_as_its_derivative() -> None:
    k = kernel(lambda x, y: (jnp.sin(x) * y, x + y), vector(), vector())
    vjp = k.vjp((0, 1))
    x, y, ct = jnp.arange(3.0), jnp.arange(3.0) + 1, jnp.array([1.0, -1.0, 2.0])
    outs, pull = vjp.linearize([x, y])
    assert outs[0].tolist() == k.fn(x, y)[0].tolist()
    for got, expected in zip(pull([ct, None]), vjp.partial((True, False)).jitted(x, y, ct), strict=True):
        assert got.tolist() == pytest.approx(expected.tolist())


def test_checks_read_only_what_they_use() -> None:
    k = kernel(
        lambda x, i: (x[i],),
        vector(),
        vector(np.dtype(np.int64), 2),
        check=lambda x, i: ((i >= x.shape[0]).any(), i.max()),
        check_error=lambda witness: IndexError(f"{witness}"),
    )
    assert k.check_uses == (1,)
    bad, witness = k.flags([None, jnp.array([1, 7])])
    assert bool(bad) and str(k.error(int(witness))) == "7"


def test_numbers_reach_kernels_at_full_width() -> None:
    assert [number_array(n).dtype.name for n in (True, 1, 1.0, 1j)] == ["bool", "int64", "float64", "complex128"]


def test_integers_have_no_derivative() -> None:
    assert not kernel(lambda x: (x + 1,), vector(np.dtype(np.int64))).differentiable
