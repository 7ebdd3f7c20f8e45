"""Four scalars fitted to a sine by gradient descent written by hand: many tiny ops, an update under no_grad."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.contract import JaxJob, TorchJob, Workload

POINTS = 2000
LEARNING_RATE = 1e-6
START = np.array([0.3, -0.4, 0.2, 0.1], np.float32)


def data() -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(-np.pi, np.pi, POINTS, dtype=np.float32)
    return x, np.sin(x)


def torch_job(torch: Any, *, read_loss: bool) -> TorchJob:
    x, y = (torch.tensor(array) for array in data())
    parameters = [torch.tensor(float(value), requires_grad=True) for value in START]
    a, b, c, d = parameters

    def train() -> Any:
        prediction = a + b * x + c * x**2 + d * x**3
        loss = (prediction - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= LEARNING_RATE * parameter.grad
                parameter.grad = None
        return loss

    return TorchJob(train, parameters, read_loss)


def jax_job(*, read_loss: bool) -> JaxJob:
    import jax
    import jax.numpy as jnp

    batch = tuple(map(jnp.asarray, data()))

    def loss_fn(weights: tuple[Any, ...], x: Any, y: Any) -> Any:
        a, b, c, d = weights
        prediction = a + b * x + c * x**2 + d * x**3
        return ((prediction - y) ** 2).sum()

    @jax.jit
    def train(weights: tuple[Any, ...], x: Any, y: Any) -> tuple[Any, Any]:
        loss, gradients = jax.value_and_grad(loss_fn)(weights, x, y)
        return tuple(w - LEARNING_RATE * g for w, g in zip(weights, gradients, strict=True)), loss

    return JaxJob(train, tuple(map(jnp.asarray, START)), lambda: batch, read_loss)


WORKLOADS = [
    Workload(
        f"polynomial{suffix}",
        f"polynomial fit, update by hand, {words}",
        1000,
        partial(torch_job, read_loss=read),
        partial(jax_job, read_loss=read),
    )
    for suffix, words, read in (("", "loss not read", False), ("-item", "loss.item() each step", True))
]
