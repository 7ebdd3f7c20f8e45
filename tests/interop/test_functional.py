"""Torchish functions as JAX functions, arrays as tensors, and gradients held against jax.grad."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

import torchish as torch
from torchish.interop import from_jax, functional, to_jax


def test_arrays_and_tensors_share_data_one_way() -> None:
    array = jnp.arange(3.0)
    t = from_jax(array)
    assert to_jax(t) is array
    t.add_(1)
    assert array.tolist() == [0.0, 1.0, 2.0] and t.tolist() == [1.0, 2.0, 3.0]


def test_jit_grad_and_vmap_take_a_functional() -> None:
    f = functional(lambda x: (x.tanh() * x).sum())
    x = jnp.array([0.5, -1.0])
    assert float(jax.jit(f)(x)) == pytest.approx(float(f(x)))
    assert jax.grad(f)(x).tolist() == pytest.approx(jax.grad(lambda v: (jnp.tanh(v) * v).sum())(x).tolist())
    assert jax.vmap(f)(jnp.stack([x, x])).shape == (2,)


def test_views_in_place_and_backward_work_inside() -> None:
    def f(x: torch.Tensor) -> torch.Tensor:
        y = x.clone()
        y[0] = y[0] * 3
        y.requires_grad_()
        (y**2).sum().backward()
        assert y.grad is not None
        return y.grad

    assert jax.jit(functional(f))(jnp.array([1.0, 2.0])).tolist() == [6.0, 4.0]


def test_writing_to_a_tensor_from_outside_is_refused() -> None:
    outside = torch.ones(2, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="made outside of a JAX transformation"):
        jax.jit(functional(lambda x: outside.add_(x)))(jnp.ones(2))
    assert outside.tolist() == [1.0, 1.0]
