"""Draws: one function for each distribution, from a ``Generator`` to the numbers of a tensor.

Each ``draw_*`` takes the generator, the shape and the NumPy dtype of the tensor to fill and the
parameters of the distribution, checks them as PyTorch does, advances the generator, and returns either

- a NumPy array of that shape and dtype, which is finished, or
- a ``Pending``: the op to record (a name in ``OPS``), its operands in order, and its static arguments
  by name. An operand is an array of raw words, a Python number, a tensor that the caller passed in, or another
  ``Pending`` to record first.

``strides`` (in elements) are those of the tensor to fill where it may not be contiguous: PyTorch fills memory
in order, and normal numbers of a tensor that is not contiguous come from another algorithm. The result has the
logical shape all the same.
``eager`` asks for a finished array at any size, by programs of fixed sizes: a model's initialisation then compiles
nothing for each of its shapes.

The generator's state advances here, at once, whenever the values are computed. A generator of
another device than the CPU gives a ``Pending`` of that device's counter-based ops.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from .._ops.random import sampling
from .._ops.scalar_types import is_floating
from . import random_checks as checks
from .generator import Generator

Shape: TypeAlias = Sequence[int]


@dataclass(frozen=True)
class Pending:
    """An op to record: its name, its operands in order and its static arguments."""

    op: str
    operands: tuple[Any, ...]
    static: dict[str, Any] = field(default_factory=dict)


Drawn: TypeAlias = "np.ndarray | Pending"

_F32, _F64, _I64 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)
_HOST = 4096  # below this many elements the numbers are finished here: a program for each shape would cost more


def _order(shape: Shape, strides: Sequence[int] | None) -> tuple[tuple[int, ...] | None, bool]:
    """(the dimensions from outermost to innermost in memory or None where that is their order, contiguous)."""
    if strides is None:
        return None, True
    expected = 1
    contiguous = True
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            contiguous = contiguous and stride == expected
            expected *= size
    if contiguous:
        return None, True
    order = tuple(sorted(range(len(shape)), key=lambda d: -strides[d] if shape[d] != 1 else 0))
    return (None if order == tuple(range(len(shape))) else order), False


def _cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """float64 to ``dtype`` as PyTorch casts: half precision by way of float32."""
    return values.astype(dtype) if dtype in (_F32, _F64) else values.astype(_F32).astype(dtype)


def _words(generator: Generator, n: int, wide: bool) -> np.ndarray:
    return generator.words64(n) if wide else generator.words32(n)


# Programs of fixed sizes, for values that are finished here


_BUCKETS = (256, 4096, 65536)
_COLD_CALLS = 16  # so many small draws go through NumPy, slower than a program but sooner than its compilation


class _Chunked:
    """A function of words, run chunk by chunk through compiled programs of the few sizes in ``_BUCKETS``."""

    def __init__(self, fn: Callable[..., Any]):
        self.fn = fn
        self.programs: dict[tuple[int, np.dtype], Callable[..., Any]] = {}
        self.cold_calls = _COLD_CALLS

    def _program(self, bucket: int, words_dtype: np.dtype, dtype: np.dtype, numbers: int) -> Callable[..., Any]:
        program = self.programs.get((bucket, dtype))
        if program is None:
            words = jax.ShapeDtypeStruct((bucket,), words_dtype)
            operands = [*(jax.ShapeDtypeStruct((), _F64) for _ in range(numbers)), jax.ShapeDtypeStruct((), _I64)]
            with jax.default_device(jax.local_devices(backend="cpu")[0]):
                # Compiled ahead: a jitted function would be traced where the caller is under a trace of JAX's.
                jitted = jax.jit(functools.partial(self.fn, jnp, dtype=dtype))
                program = self.programs[bucket, dtype] = jitted.lower(words, *operands).compile()
        return program

    def __call__(self, words: np.ndarray, *numbers: float, dtype: np.dtype) -> np.ndarray:
        if words.size < _HOST and self.cold_calls:
            self.cold_calls -= 1
            return np.asarray(self.fn(np, words, *numbers, 0, dtype=dtype))
        bucket = next((b for b in _BUCKETS if words.size <= b), _BUCKETS[-1])
        program = self._program(bucket, words.dtype, dtype, len(numbers))
        operands = (*map(np.float64, numbers), np.int64(0))
        out = np.empty(words.size, dtype)
        for start in range(0, words.size, bucket):
            chunk = words[start : start + bucket]
            size = chunk.size
            if size < bucket:
                chunk = np.concatenate([chunk, np.zeros(bucket - size, words.dtype)])
            out[start : start + size] = np.asarray(program(chunk, *operands))[:size]
        return out


def _uniform_chunk(xp: Any, words: Any, low: Any, high: Any, zero: Any, *, dtype: np.dtype) -> Any:
    return sampling.uniform_values(xp, words, low, high, zero, dtype)


def _normal_chunk(xp: Any, words: Any, mean: Any, std: Any, zero: Any, *, dtype: np.dtype) -> Any:
    return sampling.normal_values(xp, words, mean, std, zero, _Libm if xp is np else jnp).astype(dtype)


_uniform_chunks = _Chunked(_uniform_chunk)
_normal_chunks = _Chunked(_normal_chunk)


def _elementwise(function: Callable[[float], float]) -> Callable[[np.ndarray], np.ndarray]:
    def apply(x: np.ndarray) -> np.ndarray:
        return np.fromiter(map(function, x.ravel().tolist()), _F64, x.size).reshape(x.shape)

    return apply


class _Libm:
    """libm's functions on arrays, one element at a time: NumPy's own differ in the last bit."""

    log = staticmethod(_elementwise(math.log))
    log1p = staticmethod(_elementwise(math.log1p))
    cos = staticmethod(_elementwise(math.cos))
    sin = staticmethod(_elementwise(math.sin))
    tan = staticmethod(_elementwise(math.tan))
    exp = staticmethod(_elementwise(math.exp))


# Uniform


def draw_uniform(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    low: float = 0.0,
    high: float = 1.0,
    strides: Sequence[int] | None = None,
    eager: bool = False,
) -> Drawn:
    """Uniform numbers in [low, high): ``rand``, ``rand_like``, ``uniform_``. Both parts of a complex number alike."""
    shape, dtype, low, high = tuple(shape), np.dtype(dtype), float(low), float(high)
    parts = sampling.parts_of(dtype)
    checks.check_uniform(low, high, parts)
    if not generator.is_cpu:
        return _device("random.device_uniform", generator, (low, high), dtype=dtype, shape=shape)
    order, _ = _order(shape, strides)
    n = math.prod(shape) * (1 if parts == dtype else 2)
    words = _words(generator, n, parts == _F64)
    if low == 0.0 and high == 1.0:  # two cheap passes over the words: no program would be quicker
        return _arranged(sampling.unit_values(np, words, parts), dtype, shape, order)
    if n < _HOST or eager:
        return _arranged(_uniform_chunks(words, low, high, dtype=parts), dtype, shape, order)
    return Pending("random.uniform", (words, low, high, 0), {"dtype": dtype, "shape": shape, "order": order})


def _arranged(values: np.ndarray, dtype: np.dtype, shape: tuple[int, ...], order: tuple[int, ...] | None) -> np.ndarray:
    if dtype.kind == "c":
        values = sampling.as_complex(np, values)
    return sampling.arranged(np, values, shape, order)


def _device(name: str, generator: Generator, operands: tuple[Any, ...], **static: Any) -> Pending:
    return Pending(name, (*generator.device_counter(), *operands), static)


# Normal


def _fma(a: float, b: float, c: float) -> float:
    """``a * b + c`` in one rounding, as ``sampling.fma64``, on Python's numbers (``math.fma`` comes with 3.13)."""
    product = a * b
    if b == 1.0 or c == 0.0 or not math.isfinite(product + c):
        return product + c
    a1, b1 = (x * 134217729.0 - (x * 134217729.0 - x) for x in (a, b))
    a2, b2 = a - a1, b - b1
    low = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
    upper, lower = sampling.two_sum(c, low)
    total, rest = sampling.two_sum(product, upper)
    rest, lost = sampling.two_sum(rest, lower)
    return total + (float(sampling.round_to_odd(np, np.float64(rest), np.float64(lost))) if lost else rest)


def _standard_normals(generator: Generator, n: int) -> list[float]:
    """``n`` standard normals one after another, through the generator's cache of one."""
    with generator.lock:
        values: list[float] = []
        if n and generator.cached_normal is not None:
            values.append(generator.cached_normal)
            generator.cached_normal = None
        pairs = (n - len(values) + 1) // 2
        words = generator.word_list(4 * pairs)
        for k in range(0, 4 * pairs, 4):
            angle = 2.0 * math.pi * _u53(words[k], words[k + 1])
            radius = math.sqrt(-2.0 * math.log1p(-_u53(words[k + 2], words[k + 3])))
            values.append(radius * math.cos(angle))
            values.append(radius * math.sin(angle))
        if len(values) > n:
            generator.cached_normal = values.pop()
        return values


def _u53(high: int, low: int) -> float:
    return ((high & 0x1FFFFF) << 32 | low) * 2.0**-53


def _serial_normals(generator: Generator, n: int, mean: float, std: float) -> list[float]:
    values = _standard_normals(generator, n)
    if std == 1.0 and mean == 0.0:
        return values
    return [_fma(z, std, mean) for z in values]


def _block_words(generator: Generator, n: int, parts: np.dtype) -> np.ndarray:
    """The words of ``n`` >= 16 normals: whole blocks, and one more where 16 does not divide ``n``.

    Single and double precision draw a word for each element before they redo the last 16; half precision does not.
    """
    wide, rest = parts == _F64, n % 16
    if not rest:
        return _words(generator, n, wide)
    whole = n - rest
    if parts not in (_F32, _F64):
        return _words(generator, whole + 16, wide)
    words = _words(generator, n + 16, wide)
    return np.concatenate([words[:whole], words[n:]])


def draw_normal(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    mean: float = 0.0,
    std: float = 1.0,
    strides: Sequence[int] | None = None,
    eager: bool = False,
) -> Drawn:
    """Normal numbers: ``randn``, ``randn_like``, ``normal_``. Each part of a complex number has half the variance."""
    shape, dtype, mean, std = tuple(shape), np.dtype(dtype), float(mean), float(std)
    parts = sampling.parts_of(dtype)
    checks.check_normal(std, dtype, parts)
    if parts != dtype:
        std /= math.sqrt(2.0)  # of each part; the mean too is each part's, as PyTorch has it
    if not generator.is_cpu:
        return _device("random.device_normal", generator, (mean, std), dtype=dtype, shape=shape)
    n = math.prod(shape) * (1 if parts == dtype else 2)
    order, contiguous = _order(shape, strides)
    if n < 16 or not contiguous:
        values = np.array(_serial_normals(generator, n, mean, std), _F64)
        return _arranged(_cast(values, parts), dtype, shape, order)
    words = _block_words(generator, n, parts)
    if n < _HOST or eager:
        values = _normal_chunks(words, mean, std, dtype=parts)
        return _arranged(sampling.overlapped(np, values, n), dtype, shape, None)
    return Pending("random.normal", (words, mean, std, 0), {"dtype": dtype, "shape": shape})


def draw_normal_like(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    mean: Any,
    std: Any,
    strides: Sequence[int] | None = None,
) -> Pending:
    """``torch.normal`` with a tensor ``mean``, a tensor ``std`` or both: draws, then scaled and shifted unfused.

    The caller gives the broadcast shape and checks that ``std`` has no negative element.
    """
    if isinstance(std, (int, float)):
        return Pending("random.shift", (draw_normal(generator, shape, dtype, 0.0, std, strides), mean))
    drawn = draw_normal(generator, shape, dtype, 0.0, 1.0, strides)
    return Pending("random.scale_shift", (drawn, std, mean, 0))


# Integers


def draw_integers(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    low: int,
    high: int,
    strides: Sequence[int] | None = None,
) -> Drawn:
    """Integers in [low, high), of any real dtype: ``randint``, ``randint_like``, ``random_(from, to)``."""
    dtype = np.dtype(dtype)
    checks.require_increasing(low, high)
    checks.require_real(dtype, "check_random_bounds")
    if is_floating(dtype):
        low, high = checks.rounded_low(low, dtype), checks.rounded_high(high, dtype)
        checks.require_increasing(low, high, " casted to dtype")
    checks.check_integers(low, high, dtype)
    return _draw_range(generator, tuple(shape), dtype, low, high - low, strides)


def draw_integers_from(
    generator: Generator, shape: Shape, dtype: np.dtype, low: int, strides: Sequence[int] | None = None
) -> Drawn:
    """Integers from ``low`` to the largest that ``dtype`` holds exactly: ``random_(from, None)``."""
    dtype = np.dtype(dtype)
    checks.require_real(dtype, "random_from_to_impl")
    most = checks.integer_limits(dtype)[1]
    if is_floating(dtype):
        low, most = checks.rounded_low(low, dtype), 2 ** checks.significant_bits(dtype)
    checks.check_integers(low, most + 1, dtype)
    if low > most or (is_floating(dtype) and low == most):
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, "
            f"but got from={low} > to_inc={most}"
        )
    return _draw_range(generator, tuple(shape), dtype, low, most + 1 - low, strides)


_NARROW = 2**28  # from here on a range takes 64-bit draws


def _draw_range(
    generator: Generator,
    shape: tuple[int, ...],
    dtype: np.dtype,
    base: int,
    count: int,
    strides: Sequence[int] | None,
    wide: bool | None = None,
) -> Drawn:
    n = math.prod(shape)
    if not generator.is_cpu:
        return _device("random.device_integers", generator, (base, _signed(count)), dtype=dtype, shape=shape)
    order, _ = _order(shape, strides)
    static = {"dtype": dtype, "shape": shape, "order": order}
    words = _words(generator, n, count >= _NARROW if wide is None else wide)
    if count == 2**64:
        if n < _HOST:
            return sampling.arranged(np, words.astype(np.int64).astype(dtype), shape, order)
        return Pending("random.raw_integers", (words,), static)
    if n < _HOST:
        values = sampling.integer_values(np, words, np.int64(base), np.int64(_signed(count)), dtype)
        return sampling.arranged(np, values, shape, order)
    return Pending("random.integers", (words, base, _signed(count)), static)


def _signed(count: int) -> int:
    """An unsigned 64-bit number as the int64 of the same bits; 2**64 as 0."""
    return (count + 2**63) % 2**64 - 2**63


def draw_random(generator: Generator, shape: Shape, dtype: np.dtype, strides: Sequence[int] | None = None) -> Drawn:
    """The whole range of ``dtype`` from 0 up: ``random_()``. Floating dtypes get the integers they hold exactly."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c" or dtype in (np.uint16, np.uint32, np.uint64):
        raise checks.unimplemented("random_kernel_cpu", dtype)
    count = (2 ** checks.significant_bits(dtype) if is_floating(dtype) else checks.integer_limits(dtype)[1]) + 1
    return _draw_range(generator, tuple(shape), dtype, 0, count, strides, wide=dtype in (_I64, _F64))


def draw_permutation(generator: Generator, n: int, dtype: np.dtype) -> Drawn:
    """The integers below ``n`` in random order: ``randperm``."""
    n, dtype = int(n), np.dtype(dtype)
    checks.check_permutation(n, dtype)
    if not generator.is_cpu:
        return _device("random.device_permutation", generator, (), n=n, dtype=dtype)
    numbers = list(range(n))
    if n > 1:
        here = np.arange(n - 1)
        swaps = (here + generator.words32(n - 1) % (n - here)).tolist()
        for i, j in enumerate(swaps):
            numbers[i], numbers[j] = numbers[j], numbers[i]
    return np.array(numbers, np.int64).astype(dtype)


# Bernoulli


def draw_bernoulli(
    generator: Generator, shape: Shape, dtype: np.dtype, p: float, strides: Sequence[int] | None = None
) -> Drawn:
    """Ones with probability ``p``, a number: ``bernoulli_(p)``, ``bernoulli(input, p)``."""
    dtype, p = np.dtype(dtype), float(p)
    checks.check_bernoulli(p, dtype)
    return _draw_mask("bernoulli", generator, tuple(shape), dtype, p, np.ones((), dtype), strides)


def draw_dropout_mask(
    generator: Generator, shape: Shape, dtype: np.dtype, p: float, strides: Sequence[int] | None = None
) -> Drawn:
    """What dropout with 0 <= ``p`` < 1 multiplies by: ``1 / (1 - p)`` with probability ``1 - p``, else zero."""
    dtype, keep = np.dtype(dtype), 1.0 - float(p)
    checks.check_bernoulli(keep, dtype)
    scale = np.reciprocal(np.asarray(keep, _F64 if dtype == _F64 else _F32)).astype(dtype)
    return _draw_mask("dropout_mask", generator, tuple(shape), dtype, keep, scale, strides)


def _draw_mask(
    name: str,
    generator: Generator,
    shape: tuple[int, ...],
    dtype: np.dtype,
    p: float,
    one: np.ndarray,
    strides: Sequence[int] | None,
) -> Drawn:
    if not generator.is_cpu:
        return _device(f"random.device_{name}", generator, (p,), dtype=dtype, shape=shape)
    order, _ = _order(shape, strides)
    words = generator.words64(math.prod(shape))
    if words.size < _HOST:
        hits = sampling.arranged(np, sampling.u53(words) < p, shape, order)
        return np.where(hits, one, np.zeros((), dtype))
    return Pending(f"random.{name}", (words, p), {"dtype": dtype, "shape": shape, "order": order})


def draw_bernoulli_tensor(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    p: Any,
    p_dtype: np.dtype,
    strides: Sequence[int] | None = None,
) -> Pending:
    """Ones with the probabilities in the tensor ``p``, which broadcasts to ``shape``: ``bernoulli(p)``."""
    shape, dtype, p_dtype = tuple(shape), np.dtype(dtype), np.dtype(p_dtype)
    if not is_floating(p_dtype):
        raise checks.unimplemented("bernoulli_tensor_cpu_p_", p_dtype)
    if dtype.kind == "c":
        raise checks.unimplemented("bernoulli_tensor_cpu_self_", dtype)
    if not generator.is_cpu:
        return _device("random.device_bernoulli", generator, (p,), dtype=dtype, shape=shape)
    order, _ = _order(shape, strides)
    words = _words(generator, math.prod(shape), p_dtype == _F64)
    return Pending("random.bernoulli_tensor", (words, p), {"dtype": dtype, "shape": shape, "order": order})


# Distributions by libm in double precision. NumPy's vector functions are within an ulp or two of libm, so
# they decide every element of a narrower dtype but those next to a rounding boundary, which libm decides.

_SLACK = 2.0**-44


def _narrowed(
    near: np.ndarray, slack: np.ndarray, exact: Callable[[np.ndarray], np.ndarray], dtype: np.dtype
) -> np.ndarray:
    """``exact`` numbers as ``dtype``, from numbers ``near`` them by ``slack`` at most."""
    narrow = _F32 if is_floating(dtype) else _I64
    values = near.astype(narrow)
    doubtful = np.flatnonzero((near - slack).astype(narrow) != (near + slack).astype(narrow))
    if doubtful.size:
        values[doubtful] = exact(doubtful).astype(narrow)
    return values.astype(dtype)


def _draw_by_libm(
    generator: Generator,
    shape: tuple[int, ...],
    dtype: np.dtype,
    strides: Sequence[int] | None,
    formula: Callable[[np.ndarray, Any], np.ndarray],
    slack: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    order, _ = _order(shape, strides)
    draws = sampling.u53(generator.words64(math.prod(shape)))
    if dtype == _F64 or draws.size < 64:
        values = _cast(formula(draws, _Libm), dtype) if is_floating(dtype) else formula(draws, _Libm).astype(dtype)
    else:
        with np.errstate(divide="ignore"):
            near = formula(draws, np)
        values = _narrowed(near, slack(near), lambda where: formula(draws[where], _Libm), dtype)
    return sampling.arranged(np, values, shape, order)


def draw_exponential(
    generator: Generator, shape: Shape, dtype: np.dtype, rate: float = 1.0, strides: Sequence[int] | None = None
) -> Drawn:
    """Exponential numbers of ``rate``: ``exponential_(lambd)``."""
    shape, dtype, rate = tuple(shape), np.dtype(dtype), float(rate)
    checks.check_exponential(rate, dtype)
    if not generator.is_cpu:
        return _device("random.device_exponential", generator, (rate,), dtype=dtype, shape=shape)
    return _draw_by_libm(
        generator, shape, dtype, strides, lambda u, libm: -1.0 / rate * libm.log1p(-u), lambda near: near * _SLACK
    )


def draw_geometric(
    generator: Generator, shape: Shape, dtype: np.dtype, p: float, strides: Sequence[int] | None = None
) -> Drawn:
    """The number of trials up to the first success of probability ``p``: ``geometric_(p)``."""
    shape, dtype, p = tuple(shape), np.dtype(dtype), float(p)
    checks.check_geometric(p, dtype)
    if not generator.is_cpu:
        return _device("random.device_geometric", generator, (p,), dtype=dtype, shape=shape)
    order, _ = _order(shape, strides)
    draws = sampling.u53(generator.words64(math.prod(shape)))
    scale = math.log1p(-p)
    with np.errstate(divide="ignore"):
        ratio = np.log(draws) / scale
    doubtful = np.flatnonzero(np.abs(ratio - np.rint(ratio)) <= (1.0 + ratio) * _SLACK)
    ratio[doubtful] = [math.log(u) / scale if u else math.inf for u in draws[doubtful].tolist()]
    return sampling.arranged(
        np, _cast(np.ceil(ratio), dtype) if is_floating(dtype) else np.ceil(ratio).astype(dtype), shape, order
    )


def draw_cauchy(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    median: float = 0.0,
    sigma: float = 1.0,
    strides: Sequence[int] | None = None,
) -> Drawn:
    """Cauchy numbers: ``cauchy_(median, sigma)``."""
    shape, dtype, median, sigma = tuple(shape), np.dtype(dtype), float(median), float(sigma)
    checks.check_cauchy(sigma, dtype)
    if not generator.is_cpu:
        return _device("random.device_cauchy", generator, (median, sigma), dtype=dtype, shape=shape)

    def formula(u: np.ndarray, libm: Any) -> np.ndarray:
        tangent = libm.tan(math.pi * (u - 0.5))
        if libm is np or (median == 0.0 and sigma == 1.0):
            return tangent * sigma + median
        return sampling.fma64(np, tangent, np.float64(sigma), np.float64(median), 0)

    return _draw_by_libm(
        generator, shape, dtype, strides, formula, lambda near: (np.abs(near) + 2 * abs(median)) * _SLACK
    )


def draw_log_normal(
    generator: Generator,
    shape: Shape,
    dtype: np.dtype,
    mean: float = 1.0,
    std: float = 2.0,
    strides: Sequence[int] | None = None,
) -> Drawn:
    """Numbers whose logarithm is normal: ``log_normal_(mean, std)``."""
    shape, dtype, mean, std = tuple(shape), np.dtype(dtype), float(mean), float(std)
    checks.check_log_normal(std, dtype)
    if not generator.is_cpu:
        return _device("random.device_log_normal", generator, (mean, std), dtype=dtype, shape=shape)
    order, _ = _order(shape, strides)
    exponents = _serial_normals(generator, math.prod(shape), mean, std)
    return sampling.arranged(np, _cast(_Libm.exp(np.array(exponents, _F64)), dtype), shape, order)


# Multinomial


def draw_multinomial(
    generator: Generator,
    p: Any,
    p_shape: Shape,
    p_dtype: np.dtype,
    num_samples: int,
    replacement: bool = False,
    strides: Sequence[int] | None = None,
) -> Drawn:
    """Category numbers for the rows of the tensor ``p``: ``multinomial``. ``strides`` are those of ``p``."""
    p_shape, p_dtype = tuple(p_shape), np.dtype(p_dtype)
    checks.check_multinomial(p_shape, p_dtype, num_samples, replacement)
    if math.prod(p_shape) == 0:
        return np.empty((*p_shape[:-1], num_samples), np.int64)
    static = {"num_samples": num_samples}
    if not replacement or num_samples == 1:
        noise = draw_exponential(generator, p_shape, p_dtype, 1.0, strides)
        return Pending("random.multinomial_unique", (p, noise), static)
    count = math.prod(p_shape[:-1]) * num_samples
    words: Any
    if generator.is_cpu:
        words = generator.words64(count)
    else:
        words = _device("random.device_bits", generator, (), shape=(count,))
    return Pending("random.multinomial_repeated", (p, words), static)
