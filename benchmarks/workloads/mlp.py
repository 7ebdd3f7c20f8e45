"""A perceptron of three Linear layers under Adam: narrow and wide, loss read or not, and with changing batch sizes."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.contract import JaxJob, TorchJob, Workload, linear_arrays, load_parameters

INPUTS, CLASSES = 32, 10
LEARNING_RATE = 1e-3
CHANGING_SIZES = (16, 48, 24, 64, 32, 56, 8, 40)


def arrays(hidden: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    widths = [INPUTS, hidden, hidden, CLASSES]
    return [array for pair in itertools.pairwise(widths) for array in linear_arrays(random, *pair)]


def batches(sizes: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """One batch for each size: inputs of shape (size, 32), float32, and labels, int64."""
    random = np.random.default_rng(1)
    return [
        (random.standard_normal((size, INPUTS)).astype(np.float32), random.integers(0, CLASSES, size)) for size in sizes
    ]


def torch_job(torch: Any, *, hidden: int, sizes: tuple[int, ...], read_loss: bool) -> TorchJob:
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(INPUTS, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, CLASSES)
    )
    parameters = list(model.parameters())
    load_parameters(torch, parameters, arrays(hidden))
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    following = itertools.cycle([(torch.tensor(x), torch.tensor(y)) for x, y in batches(sizes)])

    def train() -> Any:
        x, y = next(following)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return TorchJob(train, parameters, read_loss)


def jax_job(*, hidden: int, sizes: tuple[int, ...], read_loss: bool) -> JaxJob:
    import jax
    import jax.numpy as jnp

    from benchmarks.workloads.jax_optimizers import adam, adam_state

    parameters = tuple(map(jnp.asarray, arrays(hidden)))
    following = itertools.cycle([(jnp.asarray(x), jnp.asarray(y)) for x, y in batches(sizes)])

    def loss_fn(parameters: tuple[Any, ...], x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        h = jax.nn.relu(x @ w1.T + b1)
        h = jax.nn.relu(h @ w2.T + b2)
        scores = jax.nn.log_softmax(h @ w3.T + b3)
        return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()

    @partial(jax.jit, donate_argnums=0)
    def train(state: tuple[Any, Any], x: Any, y: Any) -> tuple[Any, Any]:
        parameters, moments = state
        loss, gradients = jax.value_and_grad(loss_fn)(parameters, x, y)
        return adam(parameters, moments, gradients, LEARNING_RATE), loss

    # The two moments start as the same zeros, and a buffer can be donated only once.
    state = jax.tree.map(jnp.copy, (parameters, adam_state(parameters)))
    return JaxJob(train, state, lambda: next(following), read_loss)


def workload(name: str, title: str, steps: int, hidden: int, sizes: tuple[int, ...], read_loss: bool) -> Workload:
    options: dict[str, Any] = {"hidden": hidden, "sizes": sizes, "read_loss": read_loss}
    return Workload(name, title, steps, partial(torch_job, **options), partial(jax_job, **options))


WORKLOADS = [
    workload("mlp-16", "MLP, 16 hidden, batch 64, loss not read", 500, 16, (64,), False),
    workload("mlp-16-item", "MLP, 16 hidden, batch 64, loss.item() each step", 500, 16, (64,), True),
    workload("mlp-512", "MLP, 512 hidden, batch 64, loss not read", 100, 512, (64,), False),
    workload("mlp-512-item", "MLP, 512 hidden, batch 64, loss.item() each step", 100, 512, (64,), True),
    workload("changing-batch", "MLP, 64 hidden, a batch size of its own each step (8)", 400, 64, CHANGING_SIZES, True),
]
