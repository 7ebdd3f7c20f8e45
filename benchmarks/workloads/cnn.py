"""A small convolutional network with batch norm and max pooling under SGD with momentum, 28 by 28 pixels, batch 32."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.contract import JaxJob, TorchJob, Workload, linear_arrays, load_parameters

BATCH, SIDE, WIDTHS, CLASSES = 32, 28, (16, 32), 10
LEARNING_RATE = 0.01


def arrays() -> list[np.ndarray]:
    """Convolution, its bias, batch norm's weight and bias, twice; then the last layer's weight and bias."""
    random = np.random.default_rng(0)
    made: list[np.ndarray] = []
    for inputs, outputs in ((1, WIDTHS[0]), WIDTHS):
        weight, bias = linear_arrays(random, inputs * 9, outputs)
        made += [
            weight.reshape(outputs, inputs, 3, 3),
            bias,
            np.ones(outputs, np.float32),
            np.zeros(outputs, np.float32),
        ]
    return [*made, *linear_arrays(random, WIDTHS[1] * (SIDE // 4) ** 2, CLASSES)]


def batch() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    images = random.standard_normal((BATCH, 1, SIDE, SIDE)).astype(np.float32)
    return images, random.integers(0, CLASSES, BATCH)


def torch_job(torch: Any) -> TorchJob:
    nn = torch.nn
    layers = []
    for inputs, outputs in ((1, WIDTHS[0]), WIDTHS):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(WIDTHS[1] * (SIDE // 4) ** 2, CLASSES))
    parameters = list(model.parameters())
    load_parameters(torch, parameters, arrays())
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE, momentum=0.9)
    x, y = (torch.tensor(array) for array in batch())

    def train() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return TorchJob(train, parameters, read_loss=True)


def jax_job() -> JaxJob:
    import jax
    import jax.numpy as jnp

    from benchmarks.workloads.jax_optimizers import momentum

    def batch_norm(x: Any, weight: Any, bias: Any, running: tuple[Any, Any]) -> tuple[Any, tuple[Any, Any]]:
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        scale = weight * jax.lax.rsqrt(variance + 1e-5)
        count = x.size // x.shape[1]
        new = (mean, variance * (count / (count - 1)))
        moved = tuple(0.9 * old + 0.1 * value for old, value in zip(running, new, strict=True))
        return x * scale[:, None, None] + (bias - mean * scale)[:, None, None], moved

    def max_pool(x: Any) -> Any:
        n, c, height, width = x.shape
        return x.reshape(n, c, height // 2, 2, width // 2, 2).max((3, 5))

    def loss_fn(parameters: tuple[Any, ...], statistics: list[Any], x: Any, y: Any) -> tuple[Any, list[Any]]:
        *blocks, weight, bias = parameters
        moved = []
        for index, running in enumerate(statistics):
            kernel, shift, scale, offset = blocks[4 * index : 4 * index + 4]
            x = jax.lax.conv(x, kernel, (1, 1), "SAME") + shift[:, None, None]
            x, running = batch_norm(x, scale, offset, running)
            x = max_pool(jax.nn.relu(x))
            moved.append(running)
        scores = jax.nn.log_softmax(x.reshape(len(x), -1) @ weight.T + bias)
        return -jnp.take_along_axis(scores, y[:, None], axis=1).mean(), moved

    @partial(jax.jit, donate_argnums=0)
    def train(state: tuple[Any, Any, Any], x: Any, y: Any) -> tuple[Any, Any]:
        parameters, buffers, statistics = state
        (loss, statistics), gradients = jax.value_and_grad(loss_fn, has_aux=True)(parameters, statistics, x, y)
        parameters, buffers = momentum(parameters, buffers, gradients, LEARNING_RATE)
        return (parameters, buffers, statistics), loss

    parameters = tuple(map(jnp.asarray, arrays()))
    buffers = jax.tree.map(jnp.zeros_like, parameters)
    statistics = [(jnp.zeros(width), jnp.ones(width)) for width in WIDTHS]
    x, y = map(jnp.asarray, batch())
    return JaxJob(train, (parameters, buffers, statistics), lambda: (x, y), read_loss=True)


WORKLOADS = [Workload("cnn", "small CNN, batch 32, loss.item() each step", 20, torch_job, jax_job)]
