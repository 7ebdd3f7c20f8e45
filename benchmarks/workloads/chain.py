"""125 small pointwise ops in a chain on 32 by 32 numbers, and their backward: what an op costs when it does little.

One variant's constant shares memory with a NumPy array that stays alive, so that the program could change it between
any two ops: what that costs is a figure of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.contract import JaxJob, TorchJob, Workload

LINKS = 25  # of five ops each
LEARNING_RATE = 1e-3
START = np.full((32, 32), 0.1, np.float32)
FACTOR = np.linspace(0.9, 1.1, 32 * 32, dtype=np.float32).reshape(32, 32)


def torch_job(torch: Any, *, shared: bool) -> TorchJob:
    a = torch.tensor(START, requires_grad=True)
    b = torch.from_numpy(FACTOR) if shared else torch.tensor(FACTOR)

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


WORKLOADS = [
    Workload(name, f"125 small ops and their backward, {words}", 200, partial(torch_job, shared=shared), jax_job)
    for name, words, shared in (
        ("chain", "loss.item() each step", False),
        ("chain-numpy", "an operand shared with NumPy", True),
    )
]
