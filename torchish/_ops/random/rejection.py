"""Poisson and binomial numbers, which take as many uniform draws each as chance wills.

PyTorch's CPU generator serves the elements one after another, so they are computed so: one loop over attempts, the
element that the draws go to being part of its state. The program is of fixed size; ``_core/rejection_draws.py`` feeds it.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..registry import Number, Size, Tensor, op
from .sampling import _key

# State of a loop: element, draws used, what the element has so far (a count and a running number), results.


def _poisson_attempt(rate: Any, floor: Any, u: Any, v: Any, count: Any, run: Any) -> tuple[Any, ...]:
    """One attempt at a number of mean ``rate``: (done, result, draws used, count, running number).

    Below 10 by multiplying uniforms until the product is below ``floor``, exp(-rate); from there on by Hormann's
    transformed rejection, which takes two draws an attempt.
    """
    product = run * u
    more = product > floor
    root = jnp.sqrt(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    tight = 0.9277 - 3.6224 / (b - 2)
    centred = u - 0.5
    us = 0.5 - jnp.abs(centred)
    k = jnp.floor((2 * a / us + b) * centred + rate + 0.43)
    squeezed = (us >= 0.07) & (v <= tight)
    possible = ~((k < 0) | ((us < 0.013) & (v > us)))
    left = jnp.log(v) + jnp.log(inverse_alpha) - jnp.log(a / (us * us) + b)
    accepted = squeezed | (possible & (left <= -rate + k * jnp.log(rate) - lax.lgamma(k + 1)))
    large, none = rate >= 10, rate == 0
    done = none | jnp.where(large, accepted, ~more)
    result = jnp.where(none, 0.0, jnp.where(large, k, count))
    used = jnp.where(none, 0, jnp.where(large, 2, 1))
    return done, result, used, count + 1, product


def _tail(k: Any) -> Any:
    """What Stirling's formula leaves out of the logarithm of ``k!``."""
    table = jnp.asarray(
        [
            0.0810614667953272,
            0.0413406959554092,
            0.0276779256849983,
            0.02079067210376509,
            0.0166446911898211,
            0.0138761288230707,
            0.0118967099458917,
            0.0104112652619720,
            0.00925546218271273,
            0.00833056343336287,
        ]
    )
    square = (k + 1) * (k + 1)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    return jnp.where(k <= 9, table[jnp.clip(k, 0, 9).astype(np.int32)], series)


def _binomial_attempt(trials: Any, p: Any, u: Any, v: Any, count: Any, run: Any) -> tuple[Any, ...]:
    """One attempt at a number of successes among ``trials`` of probability ``p``, as ``_poisson_attempt``.

    By geometric gaps between successes where few are expected, else by Hormann's transformed rejection; of the less
    likely outcome, success or failure.
    """
    q = jnp.where(p <= 0.5, p, 1 - p)
    covered = run + jnp.ceil(jnp.log(u) / jnp.log1p(-q))
    spread = jnp.sqrt(trials * q * (1 - q))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * q
    odds = q / (1 - q)
    mode = jnp.floor((trials + 1) * q)
    centred = u - 0.5
    us = 0.5 - jnp.abs(centred)
    k = jnp.floor((2 * a / us + b) * centred + trials * q + 0.5)
    squeezed = (us >= 0.07) & (v <= 0.92 - 4.2 / b)
    left = jnp.log(v * (2.83 + 5.1 / b) * spread / (a / (us * us) + b))
    right = (
        (mode + 0.5) * jnp.log((mode + 1) / (odds * (trials - mode + 1)))
        + (trials + 1) * jnp.log((trials - mode + 1) / (trials - k + 1))
        + (k + 0.5) * jnp.log(odds * (trials - k + 1) / (k + 1))
        + _tail(mode)
        + _tail(trials - mode)
        - _tail(k)
        - _tail(trials - k)
    )
    accepted = (k >= 0) & (k <= trials) & (squeezed | (left <= right))
    large = trials * q >= 10
    settled = (trials <= 0) | (p <= 0) | (p >= 1) | jnp.isnan(p) | jnp.isnan(trials)
    done = settled | jnp.where(large, accepted, covered > trials)
    successes = jnp.where(large, k, count)
    found = jnp.where(p <= 0.5, successes, trials - successes)
    fixed = jnp.where((trials <= 0) | (p <= 0), 0.0, jnp.where(p >= 1, trials, jnp.nan))
    used = jnp.where(settled, 0, jnp.where(large, 2, 1))
    return done, jnp.where(settled, fixed, found), used, count + 1, covered


def begins(which: str) -> float:
    """The running number of an element that no draw has gone to yet."""
    return 1.0 if which == "poisson" else 0.0


def serve(which: str, first: Any, second: Any, size: Any, draws: Any, available: Any, state: Any) -> Any:
    """Let ``draws``, the first ``available`` of a buffer, go to elements in order; the state when either ends.

    ``first`` and ``second`` are the parameters of each element, ``size`` how many there are: (rate, exp(-rate)) for
    "poisson", (trials, probability) for "binomial". ``state`` is (element, draws used, count, running number, results).
    """
    attempt = _poisson_attempt if which == "poisson" else _binomial_attempt

    def goes_on(state: Any) -> Any:
        return (state[0] < size) & (state[1] + 2 <= available)

    def step(state: Any) -> Any:
        i, at, count, run, out = state
        done, result, used, count, run = attempt(first[i], second[i], draws[at], draws[at + 1], count, run)
        out = out.at[i].set(result)  # overwritten until the element is done
        fresh = jnp.zeros((), count.dtype), jnp.full((), begins(which), run.dtype)
        return i + done, at + used, jnp.where(done, fresh[0], count), jnp.where(done, fresh[1], run), out

    return lax.while_loop(goes_on, step, state)


# Accelerators


@op(name="random.device_poisson", namespaces=(), differentiable=False)
def device_poisson(seed: Number, counter: Number, rate: Tensor, *, dtype: np.dtype, shape: Size) -> Tensor:
    """Poisson numbers of means ``rate`` from a counter."""
    return jax.random.poisson(_key(seed, counter), rate.astype(np.float32), shape).astype(dtype)


@op(name="random.device_binomial", namespaces=(), differentiable=False)
def device_binomial(
    seed: Number, counter: Number, count: Tensor, prob: Tensor, *, dtype: np.dtype, shape: Size
) -> Tensor:
    """Binomial numbers of ``count`` trials with probability ``prob`` from a counter."""
    made = jax.random.binomial(_key(seed, counter), count.astype(np.float32), prob.astype(np.float32), shape)
    return made.astype(dtype)


@op(name="random.poisson", namespaces=(), node="PoissonBackward0")
def poisson(input: Tensor, drawn: Tensor) -> Tensor:
    """Numbers that were drawn for the means ``input``, which get the gradient zero."""
    return _constant(input, drawn)


@jax.custom_jvp
def _constant(x: Tensor, drawn: Tensor) -> Tensor:
    return drawn


@_constant.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return primals[1], jnp.zeros_like(tangents[0])
