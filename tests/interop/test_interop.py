"""Tensors and JAX arrays side by side, and torchish functions under JAX's transformations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import torchish as torch
from torchish import Tensor
from torchish.interop import from_jax, functional, to_jax

# Data across


@pytest.mark.parametrize(
    "dtype", [jnp.float32, jnp.float64, jnp.int64, jnp.int8, jnp.bool_, jnp.complex64, jnp.bfloat16, jnp.float16]
)
def test_dtypes_survive_the_way_there_and_back(dtype: Any) -> None:
    array = jnp.arange(6).astype(dtype).reshape(2, 3)
    t = from_jax(array)
    assert to_jax(t) is array
    assert (tuple(t.shape), t.dtype.np) == (array.shape, array.dtype)


def test_to_jax_runs_what_is_pending_and_reads_views() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert to_jax(x.t()[1] * 2).tolist() == [2.0, 8.0]
    y = torch.ones(2, requires_grad=True) * 3
    assert to_jax(y).tolist() == [3.0, 3.0]


def test_later_writes_do_not_reach_the_other_side() -> None:
    t = torch.zeros(3)
    array = to_jax(t)
    t[0] = 5.0
    assert array.tolist() == [0.0] * 3 and to_jax(t).tolist() == [5.0, 0.0, 0.0]


def test_from_jax_takes_what_jax_takes() -> None:
    assert from_jax(np.arange(3)).tolist() == [0, 1, 2]
    assert from_jax(2.5).item() == 2.5


def test_devices_survive() -> None:
    if len(jax.devices()) < 2:
        pytest.skip("one device")
    array = jax.device_put(jnp.ones(2), jax.devices()[1])
    t = from_jax(array)
    assert t.device.type == "cuda" and to_jax(t + 1).devices() == array.devices()


# Under transformations


def loss(w: Tensor, x: Tensor) -> Tensor:
    return ((x @ w).tanh() - 0.5).pow(2).mean()


W = jnp.array([[0.1, -0.2], [0.3, 0.4]])
X = jnp.arange(6.0).reshape(3, 2) / 5


def jax_loss(w: jax.Array, x: jax.Array) -> jax.Array:
    return ((jnp.tanh(x @ w) - 0.5) ** 2).mean()


TRANSFORMED = {
    "jit": lambda f: jax.jit(f)(W, X),
    "grad": lambda f: jax.grad(f)(W, X),
    "jit of grad": lambda f: jax.jit(jax.grad(f, argnums=(0, 1)))(W, X),
    "grad of jit": lambda f: jax.grad(jax.jit(f))(W, X),
    "value_and_grad": lambda f: jax.value_and_grad(f)(W, X),
    "vmap": lambda f: jax.vmap(f, in_axes=(None, 0))(W, X[:, None]),
    "vmap of grad": lambda f: jax.jit(jax.vmap(jax.grad(f), in_axes=(None, 0)))(W, X[:, None]),
    "hessian": lambda f: jax.hessian(f)(W, X),
    "jvp": lambda f: jax.jvp(f, (W, X), (jnp.ones_like(W), X)),
    "jacrev": lambda f: jax.jacrev(lambda w: jax.vmap(lambda x: f(w, x[None]))(X))(W),
    "checkpoint": lambda f: jax.grad(jax.checkpoint(f))(W, X),
    "scan": lambda f: jax.lax.scan(lambda w, x: (w - jax.grad(f)(w, x), f(w, x)), W, X[:, None]),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_a_function_under_a_transformation(name: str) -> None:
    got, expected = TRANSFORMED[name](functional(loss)), TRANSFORMED[name](jax_loss)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), got, expected)


def test_backward_inside_agrees_with_grad_outside() -> None:
    def inside(w: Tensor, x: Tensor) -> Tensor:
        w = w.detach().requires_grad_()
        loss(w, x).backward()
        assert w.grad is not None
        return w.grad

    np.testing.assert_allclose(jax.jit(functional(inside))(W, X), jax.grad(jax_loss)(W, X), rtol=1e-9)
    batched = jax.vmap(functional(inside), in_axes=(None, 0))(W, X[:, None])
    np.testing.assert_allclose(batched, jax.vmap(jax.grad(jax_loss), in_axes=(None, 0))(W, X[:, None]), rtol=1e-9)


def test_second_derivatives_mix_both() -> None:
    def gradient(w: Tensor, x: Tensor) -> Tensor:
        (g,) = torch.autograd.grad(loss(w, x), w, create_graph=True)
        return g.pow(2).sum()

    def inside(w: Tensor, x: Tensor) -> Tensor:
        w = w.clone().requires_grad_()
        return gradient(w, x)

    expected = jax.grad(lambda w: (jax.grad(jax_loss)(w, X) ** 2).sum())(W)
    np.testing.assert_allclose(jax.grad(functional(inside))(W, X), expected, rtol=1e-8)


def test_in_place_work_on_tensors_made_inside() -> None:
    def f(x: Tensor) -> Tensor:
        y = x.clone()
        y[0] = y[1] * 3
        y[1:].mul_(2)
        z = torch.zeros(3, dtype=torch.float64)
        z += y
        z.t_() if z.dim() == 2 else None
        return z.sum() * y[0]

    def g(x: jax.Array) -> jax.Array:
        y = x.at[0].set(x[1] * 3)
        y = y.at[1:].multiply(2)
        return y.sum() * y[0]

    x = jnp.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(jax.jit(jax.grad(functional(f)))(x), jax.grad(g)(x), rtol=1e-12)


def test_an_optimizer_inside_a_jitted_step() -> None:
    @jax.jit
    @functional
    def step(w: Tensor, x: Tensor) -> Tensor:
        w = w.clone().requires_grad_()
        optimizer = torch.optim.SGD([w], lr=0.5)
        loss(w, x).backward()
        optimizer.step()
        return w.detach()

    np.testing.assert_allclose(step(W, X), W - 0.5 * jax.grad(jax_loss)(W, X), rtol=1e-9)


def test_a_module_over_its_parameters() -> None:
    model = torch.nn.Linear(2, 1)
    outside = [to_jax(p) for p in model.parameters()]

    @functional
    def f(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, weight, bias).sum()

    x = jnp.ones((3, 2), jnp.float32)
    weight, bias = jax.grad(f, argnums=(0, 1))(*outside, x)
    assert weight.tolist() == [[3.0, 3.0]] and bias.tolist() == [3.0]
    model(from_jax(x)).sum().backward()
    assert model.weight.grad.tolist() == weight.tolist()


def test_nested_arguments_and_results() -> None:
    @functional
    def f(parameters: dict[str, Any], *, scale: float, flag: bool) -> dict[str, Any]:
        assert flag is True and isinstance(scale, float)
        return {"sum": parameters["a"] + parameters["b"][0] * scale, "pair": (parameters["b"][1], 3), "none": None}

    given = {"a": jnp.ones(2), "b": [jnp.ones(2), jnp.zeros(1)]}
    result = f(given, scale=2.0, flag=True)
    assert result["sum"].tolist() == [3.0, 3.0] and result["pair"][1] == 3 and result["none"] is None
    assert all(isinstance(x, jax.Array) for x in (result["sum"], result["pair"][0]))


def test_tensors_of_the_surroundings_are_constants() -> None:
    scale = torch.tensor([2.0, 3.0], dtype=torch.float64) + 1  # still pending
    f = functional(lambda x: (x * scale).sum())
    assert jax.jit(jax.grad(f))(jnp.ones(2)).tolist() == [3.0, 4.0]
    required = torch.ones(2, dtype=torch.float64, requires_grad=True)
    assert jax.grad(functional(lambda x: (x * required).sum()))(jnp.ones(2)).tolist() == [1.0, 1.0]
    assert required.grad is None


def test_a_python_branch_on_traced_data_is_jaxs_error() -> None:
    with pytest.raises(jax.errors.ConcretizationTypeError):
        jax.jit(functional(lambda x: x if x.sum() > 0 else -x))(jnp.ones(2))
    assert functional(lambda x: x if x.sum() > 0 else -x)(jnp.ones(2)).tolist() == [1.0, 1.0]


def test_what_is_recorded_around_a_call_keeps_its_order() -> None:
    a = torch.ones(2, dtype=torch.float64)
    b = a * 2
    a.add_(1)
    f = functional(lambda x: x + b)
    assert f(jnp.zeros(2)).tolist() == [2.0, 2.0]
    assert (a + b).tolist() == [4.0, 4.0]


def test_an_error_inside_leaves_the_thread_as_it_was() -> None:
    def broken(x: Tensor) -> Tensor:
        with torch.no_grad():
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        jax.jit(functional(broken))(jnp.ones(2))
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


# Refused


def outside() -> Tensor:
    return torch.ones(2, dtype=torch.float64)


WRITES = {
    "in place": lambda t, x: t.add_(x),
    "assigned": lambda t, x: t.__setitem__(0, x[0]),
    "through a view": lambda t, x: t[0].mul_(x[0]),
    "copied": lambda t, x: t.copy_(x),
    "out": lambda t, x: torch.add(x, 1, out=t),
    "through detach": lambda t, x: t.detach().add_(x),
    "through data": lambda t, x: t.data.add_(x),
}


@pytest.mark.parametrize("name", WRITES)
def test_writing_to_a_tensor_from_outside_is_refused(name: str) -> None:
    t = outside()

    def f(x: Tensor) -> Tensor:
        WRITES[name](t, x)
        return x

    with pytest.raises(RuntimeError, match="made outside of a JAX transformation was written to inside it"):
        jax.jit(functional(f))(jnp.ones(2))
    assert t.tolist() == [1.0, 1.0] and t._version == 0
    t.add_(1)
    assert t.tolist() == [2.0, 2.0]


def test_a_gradient_does_not_leak_into_a_leaf_from_outside() -> None:
    w = outside().requires_grad_()

    def f(x: Tensor) -> Tensor:
        (w * x).sum().backward()
        return x

    with pytest.raises(RuntimeError, match="made outside of a JAX transformation"):
        jax.jit(functional(f))(jnp.ones(2))
    assert w.grad is None


def test_a_tensor_from_inside_is_of_no_use_outside() -> None:
    leaked: list[Tensor] = []
    jax.jit(functional(lambda x: leaked.append(x * 2) or x))(jnp.ones(2))
    with pytest.raises(jax.errors.UnexpectedTracerError):
        (leaked[0] + 1).tolist()
    assert (torch.ones(2) + 1).tolist() == [2.0, 2.0]
