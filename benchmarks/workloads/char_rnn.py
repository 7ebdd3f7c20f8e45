"""A recurrent cell of Linear layers as a Python loop over the letters of a word; the words have 3 to 12 letters."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.workloads.contract import JaxJob, TorchJob, Workload, linear_arrays, load_parameters

LETTERS, HIDDEN, CLASSES = 26, 128, 18
LENGTHS = (7, 3, 10, 5, 12, 4, 8, 6, 11, 9)
LEARNING_RATE = 5e-3


def arrays() -> list[np.ndarray]:
    """The cell's weight and bias over letter and state, then those of the scores."""
    random = np.random.default_rng(0)
    return [*linear_arrays(random, LETTERS + HIDDEN, HIDDEN), *linear_arrays(random, HIDDEN, CLASSES)]


def words() -> list[tuple[np.ndarray, np.ndarray]]:
    """Words as one-hot letters of shape (length, 1, 26), float32, each with its class, int64 of shape (1,)."""
    random = np.random.default_rng(1)
    one_hot = np.eye(LETTERS, dtype=np.float32)
    return [(one_hot[random.integers(0, LETTERS, (n, 1))], random.integers(0, CLASSES, 1)) for n in LENGTHS]


def torch_job(torch: Any) -> TorchJob:
    nn = torch.nn
    cell, score = nn.Linear(LETTERS + HIDDEN, HIDDEN), nn.Linear(HIDDEN, CLASSES)
    parameters = [*cell.parameters(), *score.parameters()]
    load_parameters(torch, parameters, arrays())
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE)
    following = itertools.cycle([(torch.tensor(word), torch.tensor(label)) for word, label in words()])

    def train() -> Any:
        word, label = next(following)
        state = torch.zeros(1, HIDDEN)
        for letter in word:
            state = torch.tanh(cell(torch.cat((letter, state), dim=1)))
        loss = nn.functional.cross_entropy(score(state), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return TorchJob(train, parameters, read_loss=True)


def jax_job() -> JaxJob:
    import jax
    import jax.numpy as jnp

    from benchmarks.workloads.jax_optimizers import sgd

    following = itertools.cycle([(jnp.asarray(word), jnp.asarray(label)) for word, label in words()])

    def loss_fn(parameters: tuple[Any, ...], word: Any, label: Any) -> Any:
        cell_weight, cell_bias, score_weight, score_bias = parameters
        state = jnp.zeros((1, HIDDEN))
        for letter in word:  # unrolled: compiled once for each length
            state = jnp.tanh(jnp.concatenate((letter, state), axis=1) @ cell_weight.T + cell_bias)
        scores = jax.nn.log_softmax(state @ score_weight.T + score_bias)
        return -scores[0, label[0]]

    @jax.jit
    def train(parameters: tuple[Any, ...], word: Any, label: Any) -> tuple[Any, Any]:
        loss, gradients = jax.value_and_grad(loss_fn)(parameters, word, label)
        return sgd(parameters, gradients, LEARNING_RATE), loss

    return JaxJob(train, tuple(map(jnp.asarray, arrays())), lambda: next(following), read_loss=True)


WORKLOADS = [Workload("char-rnn", "character RNN, words of 3 to 12 letters, SGD", 200, torch_job, jax_job)]
