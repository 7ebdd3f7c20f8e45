"""125 small pointwise ops in a chain on 32 by 32 numbers, and their backward: what an op costs when it does little."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.contract import JaxJob, TorchJob, Workload

LINKS = 25  # of five ops each
LEARNING_RATE = 1e-3
START = np.full((32, 32), 0.1, np.float32)
FACTOR = np.linspace(0.9, 1.1, 32 * 32, dtype=np.float32).reshape(32, 32)


def torch_job(torch: Any) -> TorchJob:
    a = torch.from_numpy(START.copy()).requires_grad_()
    b = torch.from_numpy(FACTOR)

    def train() -> Any:
        a.grad, h = None, a
        for _ in range(LINKS):
            h = (h * b + a).tanh() - h / b
        loss = h.mean()
        loss.backward()
        with torch.no_grad():
            a.sub_(a.grad, alpha=LEARNING_RATE)
        return loss

    return TorchJob(train, [a], read_loss=True)


def jax_job() -> JaxJob:
    import jax
    import jax.numpy as jnp

    b = jnp.asarray(FACTOR)

    def loss_fn(a: Any, b: Any) -> Any:
        h = a
        for _ in range(LINKS):
            h = jnp.tanh(h * b + a) - h / b
        return h.mean()

    @jax.jit
    def train(a: Any, b: Any) -> tuple[Any, Any]:
        loss, gradient = jax.value_and_grad(loss_fn)(a, b)
        return a - LEARNING_RATE * gradient, loss

    return JaxJob(train, jnp.asarray(START), lambda: (b,), read_loss=True)


WORKLOADS = [Workload("chain", "125 small ops and their backward, loss.item() each step", 200, torch_job, jax_job)]
