"""``poisson`` and ``binomial`` from a generator: PyTorch's CPU numbers, one element after another.

How many words the numbers take is known only once they are there. So words are drawn a buffer at a time, the program
of ``_ops/random/rejection.py`` goes through them, and in the end the generator is set back to where the last word used left it.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np

from .._ops.random import rejection, sampling
from .generator import Generator
from .random_ops import Drawn, _device

_BUCKETS = (64, 1024, 16384)
_F64 = np.dtype(np.float64)


@functools.cache
def _program(which: str, size: int) -> Any:
    """The compiled loop over up to ``size`` elements with a buffer of three times as many draws."""
    number, whole = jax.ShapeDtypeStruct((), _F64), jax.ShapeDtypeStruct((), np.int64)
    elements, draws = jax.ShapeDtypeStruct((size,), _F64), jax.ShapeDtypeStruct((3 * size,), _F64)
    state = (whole, whole, number, number, elements)
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        jitted = jax.jit(functools.partial(rejection.serve, which))
        return jitted.lower(elements, elements, whole, draws, whole, state).compile()


def _padded(x: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([x, np.zeros(size - x.size)])


def _numbers(which: str, generator: Generator, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The numbers of elements with these parameters, flat."""
    results = [np.empty(0)]
    left = np.empty(0)  # draws that are made but not yet used
    used, before = 0, generator.state_bytes()
    bucket = next((b for b in _BUCKETS if first.size <= b), _BUCKETS[-1])
    program = _program(which, bucket)
    for start in range(0, first.size, bucket):
        part = [_padded(x[start : start + bucket], bucket) for x in (first, second)]
        size = min(bucket, first.size - start)
        state: Any = (np.int64(0), np.int64(0), np.float64(0), np.float64(rejection.begins(which)), np.zeros(bucket))
        while int(state[0]) < size:
            left = np.concatenate([left, sampling.u53(generator.words64(3 * bucket - left.size))])
            state = (state[0], np.int64(0), *state[2:])
            state = program(*part, np.int64(size), left, np.int64(left.size), state)
            used += int(state[1])
            left = left[int(state[1]) :]
        results.append(np.asarray(state[4])[:size])
    generator.set_state_bytes(before)
    generator.words64(used)
    return np.concatenate(results)


def _cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return values.astype(np.float32).astype(dtype) if dtype.itemsize == 2 else values.astype(dtype)


def draw_poisson(generator: Generator, rate: Any, data: Any, shape: tuple[int, ...], dtype: np.dtype) -> Drawn:
    """Poisson numbers of the means in the tensor ``rate``; ``data()`` is its data on the host."""
    if not generator.is_cpu:
        return _device("random.device_poisson", generator, (rate,), dtype=dtype, shape=shape)
    means = data().astype(_F64).reshape(-1)
    with generator.lock:
        values = _numbers("poisson", generator, means, np.exp(-means))
    return _cast(values, dtype).reshape(shape)


def draw_binomial(
    generator: Generator, count: Any, prob: Any, data: Any, shape: tuple[int, ...], dtype: np.dtype
) -> Drawn:
    """Numbers of successes among ``count`` trials of probability ``prob``, two tensors; ``data()`` is theirs, broadcast."""
    if not generator.is_cpu:
        return _device("random.device_binomial", generator, (count, prob), dtype=dtype, shape=shape)
    trials, chances = (x.astype(_F64).reshape(-1) for x in data())
    with generator.lock:
        values = _numbers("binomial", generator, trials, chances)
    return _cast(values, dtype).reshape(shape)
