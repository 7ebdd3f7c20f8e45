"""From raw random words to values: the transforms that PyTorch's CPU generator applies, bit for bit.

The words come from ``torchish/_core/generator.py`` as operands, so these ops are ordinary pure functions and
fuse with whatever reads the values. The functions of the first half work on NumPy and on JAX arrays alike:
they use only what both have (arithmetic, ``astype``, ``view``, ``where`` of the module ``xp``), so that the few
numbers of a small tensor need no compiled program.

Two things keep the last bit right. PyTorch multiplies and adds in one rounding in several places, so ``fma32``
and ``fma64`` do that exactly (a compiler may or may not fuse ``a * b + c``, so neither is left to chance). And no
step here changes its value when a compiler does fuse: every product that meets a sum is exact, or is hidden
behind an operand (``zero``).
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..registry import Number, Size, Tensor, check_of, op

Array = Any  # numpy.ndarray or jax.Array

MASK53 = (1 << 53) - 1
_F32, _F64, _I64 = np.float32, np.float64, np.int64


# Exact fused multiply-add


def round_to_odd(xp: Any, total: Array, error: Array) -> Array:
    """``total + error``, where ``total`` is rounded and ``error`` what it lost, as a float64 whose last bit is sticky.

    Truncate towards zero and set the last bit where anything is left over: a second rounding, to fewer
    bits, then cannot be misled by the first.
    """
    bits = total.view(_I64)
    truncated = bits + ((bits ^ error.view(_I64)) >> 63)
    return xp.where((error != 0) & xp.isfinite(total), truncated | 1, bits).view(_F64)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum of two float64, and what it lost."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def fma32(xp: Any, a: Array, b: Array, c: Array) -> Array:
    """``a * b + c`` of float32 arrays in one rounding. The product of two float32 is exact in float64."""
    a, b, c = (xp.asarray(v, _F32).astype(_F64) for v in (a, b, c))
    return round_to_odd(xp, *two_sum(a * b, c)).astype(_F32)


def _fma32_small_product(xp: Any, a: Array, b: Array, c: Array) -> Array:
    """``fma32`` where ``abs(a * b) <= abs(c)``: half the steps to the error of the sum."""
    a, b, c = (xp.asarray(v, _F32).astype(_F64) for v in (a, b, c))
    product = a * b
    total = product + c
    return round_to_odd(xp, total, product - (total - c)).astype(_F32)


def _fma32_exact_sum(xp: Any, a: Array, b: Array, c: Array) -> Array:
    """``fma32`` where 53 bits hold ``a * b + c``, or where ``a * b`` is a float32: nothing to correct."""
    a, b, c = (xp.asarray(v, _F32).astype(_F64) for v in (a, b, c))
    return (a * b + c).astype(_F32)


def _halves(x: Array) -> tuple[Array, Array]:
    """``x`` as a sum of two float64 of at most 26 bits, by rounding the bits (no product to fuse)."""
    high = ((x.view(_I64) + (1 << 26)) & ~((1 << 27) - 1)).view(_F64)
    return high, x - high


def fma64(xp: Any, a: Array, b: Array, c: Array, zero: Array) -> Array:
    """``a * b + c`` of float64 arrays in one rounding (Boldo and Melquiond's algorithm).

    ``zero`` is an int64 zero that the compiler cannot know: it hides the rounded product, which
    must not be fused into the subtraction that finds its error.
    """
    product = ((a * b).view(_I64) ^ zero).view(_F64)
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    low = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
    upper, lower = two_sum(c, low)
    total, rest = two_sum(product, upper)
    return total + round_to_odd(xp, *two_sum(rest, lower))


# Uniform numbers


def u24(words: Array) -> Array:
    """32-bit words to float32 in [0, 1): the low 24 bits."""
    return (words & np.uint32(0xFFFFFF)).astype(_F32) * _F32(2.0**-24)


def u53(words: Array) -> Array:
    """64-bit words to float64 in [0, 1): the low 53 bits."""
    return (words & np.uint64(MASK53)).astype(_I64).astype(_F64) * _F64(2.0**-53)


def uniform_values(xp: Any, words: Array, low: Array, high: Array, zero: Array, dtype: np.dtype) -> Array:
    """Uniform numbers of ``dtype`` in [low, high); what rounds up to ``high`` becomes ``low``."""
    kind = _F64 if dtype == _F64 else _F32
    low, high = xp.asarray(low, kind), xp.asarray(high, kind)
    if kind is _F64:
        values = fma64(xp, u53(words), high - low, low, zero)
    else:
        values = fma32(xp, u24(words), high - low, low).astype(dtype)
    return xp.where(values == high.astype(dtype), low.astype(dtype), values)


def unit_values(xp: Any, words: Array, dtype: np.dtype) -> Array:
    """``uniform_values`` for [0, 1), where nothing needs a fused step."""
    if dtype == _F64:
        return u53(words)
    values = u24(words).astype(dtype)
    return values if dtype == _F32 else xp.where(values == 1, xp.zeros((), dtype), values)


# Normal numbers in blocks of 16: lane j of the first eight gives the radius of the pair (j, j + 8), lane j + 8
# its angle. The cosine goes to j, the sine to j + 8. Single precision uses the Cephes polynomials.

_LOG = (
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_COS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_PI_OVER_4 = (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)


def log_cephes(xp: Any, x: Array) -> Array:
    """The natural logarithm of float32 ``x`` in [2**-24, 1], as PyTorch's vector code computes it."""
    bits = x.view(np.int32)
    exponent = ((bits >> 23) - 126).astype(_F32)
    mantissa = ((bits & 0x007FFFFF) | 0x3F000000).view(_F32)
    low = mantissa < _F32(math.sqrt(0.5))
    exponent = xp.where(low, exponent - _F32(1), exponent)
    x = xp.where(low, mantissa + mantissa, mantissa) - _F32(1)
    square = x * x
    y = xp.full_like(x, _F32(7.0376836292e-2))
    for coefficient in _LOG:
        y = _fma32_small_product(xp, y, x, _F32(coefficient))
    y = y * x
    y = fma32(xp, y, square, exponent * _F32(-2.12194440e-4))
    y = _fma32_exact_sum(xp, -square, _F32(0.5), y)
    return _fma32_exact_sum(xp, exponent, _F32(0.693359375), x + y)


def sincos_cephes(xp: Any, x: Array) -> tuple[Array, Array]:
    """Sine and cosine of float32 ``x`` in [0, 2 pi), as PyTorch's vector code computes them."""
    octant = ((x * _F32(4 / math.pi)).astype(np.int32) + 1) & ~1
    for part in _PI_OVER_4:
        x = _fma32_exact_sum(xp, octant.astype(_F32), _F32(part), x)
    z = x * x
    cos = _fma32_small_product(xp, _F32(_COS[0]), z, _F32(_COS[1]))
    cos = _fma32_small_product(xp, cos, z, _F32(_COS[2])) * z
    cos = _fma32_small_product(xp, cos, z, -(z * _F32(0.5))) + _F32(1)
    sin = _fma32_small_product(xp, _F32(_SIN[0]), z, _F32(_SIN[1]))
    sin = _fma32_small_product(xp, sin, z, _F32(_SIN[2])) * z
    sin = _fma32_small_product(xp, sin, x, x)
    swap = (octant & 2) != 0
    sin, cos = xp.where(swap, cos, sin), xp.where(swap, sin, cos)
    sin = xp.where((octant & 4) != 0, -sin, sin)
    return sin, xp.where(((octant - 2) & 4) == 0, -cos, cos)


def normal_blocks32(xp: Any, words: Array) -> Array:
    """Standard normal float32 from 32-bit words, a multiple of 16 of them.

    Both lanes of a pair compute the radius and both functions of the angle: XLA keeps that one wide loop,
    where sharing the work between the lanes costs it the vector units.
    """
    uniform = u24(words).reshape(-1, 2, 8)
    first, second = (xp.broadcast_to(uniform[:, k : k + 1], uniform.shape) for k in (0, 1))
    radius = xp.sqrt(_F32(-2) * log_cephes(xp, _F32(1) - first))
    sin, cos = sincos_cephes(xp, _F32(2 * math.pi) * second)
    lane = xp.arange(2).reshape(1, 2, 1)
    return (xp.where(lane == 0, cos, sin) * radius).reshape(-1)


def normal_blocks64(xp: Any, words: Array, libm: Any) -> Array:
    """Standard normal float64 from 64-bit words, a multiple of 16 of them.

    ``libm`` has log, cos and sin with libm's last bit: XLA's own on the CPU, not NumPy's.
    """
    uniform = u53(words).reshape(-1, 2, 8)
    radius = xp.sqrt(-2.0 * libm.log(1.0 - uniform[:, 0]))
    angle = (2 * math.pi) * uniform[:, 1]
    return xp.stack([radius * libm.cos(angle), radius * libm.sin(angle)], axis=1).reshape(-1)


def normal_values(xp: Any, words: Array, mean: Array, std: Array, zero: Array, libm: Any) -> Array:
    """Normal numbers, float64 from 64-bit words and float32 from 32-bit ones, a multiple of 16 of them."""
    if words.dtype == np.uint64:
        return fma64(xp, normal_blocks64(xp, words, libm), xp.asarray(std, _F64), xp.asarray(mean, _F64), zero)
    return fma32(xp, normal_blocks32(xp, words), std, mean)


def overlapped(xp: Any, values: Array, size: int) -> Array:
    """``size`` >= 16 values from whole blocks: where 16 does not divide ``size``, one more takes the last 16 places."""
    if size % 16 == 0:
        return values
    return xp.concatenate([values[: size - 16], values[size // 16 * 16 :]])


# Integers


def integer_values(xp: Any, words: Array, base: Array, count: Array, dtype: np.dtype) -> Array:
    """``base + words % count``, wrapping at 64 bits, as ``dtype``. ``count`` is an int64, read as unsigned."""
    count = xp.asarray(count, _I64).astype(words.dtype)
    return ((words % count).astype(_I64) + base).astype(dtype)


# Arrangement


def arranged(xp: Any, values: Array, shape: tuple[int, ...], order: tuple[int, ...] | None) -> Array:
    """Values drawn one after another as an array of ``shape``.

    ``order`` lists the dimensions from the outermost in memory to the innermost, for a tensor that is not
    contiguous: numbers go to memory in its order.
    """
    if order is None:
        return values.reshape(shape)
    inverse = tuple(int(k) for k in np.argsort(order))
    return xp.transpose(values.reshape(tuple(shape[k] for k in order)), inverse)


def as_complex(xp: Any, values: Array) -> Array:
    """Reals to complex numbers, real and imaginary parts in turn."""
    pairs = values.reshape(-1, 2)
    if xp is np:
        return pairs.view(np.complex64 if values.dtype == _F32 else np.complex128)[:, 0]
    return lax.complex(pairs[:, 0], pairs[:, 1])


# The ops. Words and parameters are operands; dtype, shape and order are static.

Order = tuple[int, ...] | None


def _real_kind(dtype: np.dtype) -> np.dtype:
    """What a floating or complex dtype is computed in: float64 for double precision, else float32."""
    return np.dtype(_F64 if dtype in (_F64, np.complex128) else _F32)


def parts_of(dtype: np.dtype) -> np.dtype:
    if dtype.kind != "c":
        return dtype
    return np.dtype(_F32 if dtype == np.complex64 else _F64)


def _finished(values: Array, dtype: np.dtype, shape: tuple[int, ...], order: Order) -> Array:
    if dtype.kind == "c":
        values = as_complex(jnp, values)
    return arranged(jnp, values, shape, order)


@op(name="random.uniform", namespaces=(), differentiable=False)
def uniform(
    words: Tensor,
    low: Number,
    high: Number,
    zero: Number,
    *,
    dtype: np.dtype,
    shape: Size,
    order: Order = None,
) -> Tensor:
    """Uniform numbers in [low, high); ``zero`` is an int64 zero, see ``fma64``."""
    return _finished(uniform_values(jnp, words, low, high, zero, parts_of(dtype)), dtype, shape, order)


@op(name="random.normal", namespaces=(), differentiable=False)
def normal(
    words: Tensor,
    mean: Number,
    std: Number,
    zero: Number,
    *,
    dtype: np.dtype,
    shape: Size,
) -> Tensor:
    """Normal numbers for a contiguous tensor of 16 or more reals.

    ``words`` are those of the whole blocks of 16, then those of ``overlapped``'s last block if there is one.
    """
    parts = parts_of(dtype)
    size = math.prod(shape) * (1 if parts == dtype else 2)
    values = overlapped(jnp, normal_values(jnp, words, mean, std, zero, jnp), size)
    return _finished(values.astype(parts), dtype, shape, None)


@op(name="random.integers", namespaces=(), differentiable=False)
def integers(
    words: Tensor,
    base: Number,
    count: Number,
    *,
    dtype: np.dtype,
    shape: Size,
    order: Order = None,
) -> Tensor:
    """``base + words % count`` of uint32 or uint64 words; ``count`` is read as unsigned."""
    return arranged(jnp, integer_values(jnp, words, base, count, dtype), shape, order)


@op(name="random.raw_integers", namespaces=(), differentiable=False)
def raw_integers(words: Tensor, *, dtype: np.dtype, shape: Size, order: Order = None) -> Tensor:
    """64-bit words as they are: the full range of int64."""
    return arranged(jnp, words.astype(_I64).astype(dtype), shape, order)


@op(name="random.bernoulli", namespaces=(), differentiable=False)
def bernoulli(words: Tensor, p: Number, *, dtype: np.dtype, shape: Size, order: Order = None) -> Tensor:
    """One where a 53-bit uniform number is below the number ``p`` (float64), else zero."""
    return arranged(jnp, u53(words) < p, shape, order).astype(dtype)


@op(name="random.dropout_mask", namespaces=(), differentiable=False)
def dropout_mask(words: Tensor, keep: Number, *, dtype: np.dtype, shape: Size, order: Order = None) -> Tensor:
    """``1 / keep`` with probability ``keep`` (float64), else zero: what dropout multiplies by."""
    scale = (1 / jnp.asarray(keep, _F64 if dtype == _F64 else _F32)).astype(dtype)
    return jnp.where(arranged(jnp, u53(words) < keep, shape, order), scale, jnp.zeros((), dtype))


@op(name="random.bernoulli_tensor", namespaces=(), differentiable=False)
def bernoulli_tensor(words: Tensor, p: Tensor, *, dtype: np.dtype, shape: Size, order: Order = None) -> Tensor:
    """One with probability ``p``, a tensor that broadcasts to ``shape``; 64-bit words where it is float64."""
    draws = u53(words) if p.dtype == _F64 else u24(words)
    return (arranged(jnp, draws, shape, order) < p.astype(draws.dtype)).astype(dtype)


def _p_in_error(witness: int, **_: Any) -> Exception:
    return RuntimeError(
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  "
        "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
    )


@check_of(bernoulli_tensor, _p_in_error)
def _(words: Tensor, p: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    return jnp.any(~((p >= 0) & (p <= 1))), jnp.zeros((), _I64)


@op(name="random.shift", namespaces=(), differentiable=False)
def shift(z: Tensor, mean: Tensor) -> Tensor:
    """``z + mean`` in ``z``'s dtype: ``torch.normal`` with a tensor mean and a number ``std``, which ``z`` has."""
    return z + mean.astype(z.dtype)


@op(name="random.scale_shift", namespaces=(), differentiable=False)
def scale_shift(z: Tensor, std: Tensor | Number, mean: Tensor | Number, zero: Number) -> Tensor:
    """``z * std + mean`` in ``z``'s dtype, rounded after each step: ``torch.normal`` with a tensor ``std``.

    ``zero`` is an int64 zero that hides the product, or the compiler would fuse it with the sum.
    """
    if z.dtype.kind == "c":
        real = scale_shift(z.real, std, jnp.real(mean), zero)
        return lax.complex(real, scale_shift(z.imag, std, jnp.imag(mean), zero))
    std, mean = jnp.asarray(std, z.dtype), jnp.asarray(mean, z.dtype)
    if z.dtype in (_F32, _F64):
        bits = np.int32 if z.dtype == _F32 else _I64
        return ((z * std).view(bits) ^ jnp.asarray(zero, bits)).view(z.dtype) + mean
    info = jnp.finfo(z.dtype)
    product = z.astype(_F32) * std.astype(_F32)  # exact: both have at most 11 bits
    return (lax.reduce_precision(product, info.nexp, info.nmant) + mean.astype(_F32)).astype(z.dtype)


@check_of(scale_shift, lambda witness, **_: RuntimeError("normal expects all elements of std >= 0.0"))
def _(z: Tensor, std: Tensor | Number, **_: Any) -> tuple[Tensor, Tensor]:
    return jnp.any(std < 0), jnp.zeros((), _I64)


# Multinomial


@op(name="random.multinomial_unique", namespaces=(), differentiable=False)
def multinomial_unique(p: Tensor, noise: Tensor, *, num_samples: int) -> Tensor:
    """``num_samples`` different categories a row: the largest of ``p / noise``, ``noise`` exponential."""
    keys = p / noise
    if num_samples == 1:
        return jnp.argmax(keys, axis=-1, keepdims=True).astype(_I64)
    return lax.top_k(keys, num_samples)[1].astype(_I64)


@op(name="random.multinomial_repeated", namespaces=(), differentiable=False)
def multinomial_repeated(p: Tensor, words: Tensor, *, num_samples: int) -> Tensor:
    """``num_samples`` categories a row, with replacement, by search in the cumulative sum; ``words`` are 64-bit."""
    kind = _real_kind(p.dtype)
    rows = p.reshape(-1, p.shape[-1]).astype(kind)

    def add(total: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
        total = total + column
        return total, total

    # One addition after another: a blocked sum would round differently.
    total, cumulative = lax.scan(add, jnp.zeros(rows.shape[:1], kind), rows.T)
    cumulative = (cumulative / total).T.at[:, -1].set(1).astype(_F64)
    draws = u53(words).reshape(rows.shape[0], num_samples)
    found = jax.vmap(lambda sums, draw: jnp.searchsorted(sums, draw, side="left"))(cumulative, draws)
    return found.reshape((*p.shape[:-1], num_samples)).astype(_I64)


def _finite_error(witness: int, **_: Any) -> Exception:
    if witness == 2:
        return RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    return RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")


@check_of(multinomial_unique, _finite_error)
def _(p: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    invalid = jnp.any(~((p >= 0) & (p < jnp.inf)))
    empty = jnp.any(jnp.sum(p.astype(_F64), axis=-1) == 0)
    return invalid | empty, jnp.where(invalid, 1, 2).astype(_I64)


def _entry_error(witness: int, **_: Any) -> Exception:
    reason = ("encountering probability entry < 0", "encountering probability entry = infinity or NaN")
    text = (*reason, "sum of probabilities <= 0")[int(witness)]
    return RuntimeError(f"invalid multinomial distribution ({text})")


@check_of(multinomial_repeated, _entry_error)
def _(p: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    negative = jnp.any(~(p >= 0))
    infinite = jnp.any(p == jnp.inf)
    empty = jnp.any(jnp.sum(p.astype(_F64), axis=-1) <= 0)
    return negative | infinite | empty, jnp.where(negative, 0, jnp.where(infinite, 1, 2)).astype(_I64)


# Accelerators: threefry keys from a seed and a counter, both operands, so that no draw recompiles.


def _key(seed: Number, counter: Number) -> Tensor:
    """The key of one draw. ``seed`` and ``counter`` are int64, read as unsigned."""
    first, then = (jnp.stack([x >> 32, x & 0xFFFFFFFF]).astype(np.uint32) for x in (seed, counter))
    key = jax.random.wrap_key_data(first, impl="threefry2x32")
    return jax.random.fold_in(jax.random.fold_in(key, then[0]), then[1])


def _device_unit(seed: Number, counter: Number, shape: Size, kind: np.dtype) -> Tensor:
    return jax.random.uniform(_key(seed, counter), shape, kind)


@op(name="random.device_uniform", namespaces=(), differentiable=False)
def device_uniform(seed: Number, counter: Number, low: Number, high: Number, *, dtype: np.dtype, shape: Size) -> Tensor:
    """Uniform numbers in [low, high) from a counter; a complex number's parts are drawn alike."""
    kind = _real_kind(dtype)
    if dtype.kind == "c":
        parts = _device_unit(seed, counter, (2, *shape), kind) * (high - low).astype(kind) + low.astype(kind)
        return lax.complex(parts[0], parts[1])
    low, high = low.astype(kind), high.astype(kind)
    values = (_device_unit(seed, counter, shape, kind) * (high - low) + low).astype(dtype)
    return jnp.where(values >= high.astype(dtype), low.astype(dtype), values)


@op(name="random.device_normal", namespaces=(), differentiable=False)
def device_normal(seed: Number, counter: Number, mean: Number, std: Number, *, dtype: np.dtype, shape: Size) -> Tensor:
    """Normal numbers from a counter; ``mean`` and ``std`` of a complex number are those of each part."""
    kind = _real_kind(dtype)
    if dtype.kind == "c":
        parts = jax.random.normal(_key(seed, counter), (2, *shape), kind) * std.astype(kind) + mean.astype(kind)
        return lax.complex(parts[0], parts[1])
    return (jax.random.normal(_key(seed, counter), shape, kind) * std.astype(kind) + mean.astype(kind)).astype(dtype)


@op(name="random.device_bits", namespaces=(), differentiable=False)
def device_bits(seed: Number, counter: Number, *, shape: Size) -> Tensor:
    """64-bit words from a counter, for the ops above that take words."""
    return jax.random.bits(_key(seed, counter), shape, np.uint64)


@op(name="random.device_integers", namespaces=(), differentiable=False)
def device_integers(
    seed: Number, counter: Number, base: Number, count: Number, *, dtype: np.dtype, shape: Size
) -> Tensor:
    """Integers in [base, base + count) from a counter; ``count`` is read as unsigned, 0 for all of 64 bits."""
    words = jax.random.bits(_key(seed, counter), shape, np.uint64)
    count = count.astype(np.uint64)
    words = jnp.where(count == 0, words, words % jnp.maximum(count, 1))
    return (words.astype(_I64) + base).astype(dtype)


@op(name="random.device_bernoulli", namespaces=(), differentiable=False)
def device_bernoulli(seed: Number, counter: Number, p: Tensor | Number, *, dtype: np.dtype, shape: Size) -> Tensor:
    """One with probability ``p``, a number or a tensor that broadcasts to ``shape``, from a counter."""
    kind = _real_kind(p.dtype) if p.ndim else np.dtype(_F32)
    return (_device_unit(seed, counter, shape, kind) < p.astype(kind)).astype(dtype)


@op(name="random.device_dropout_mask", namespaces=(), differentiable=False)
def device_dropout_mask(seed: Number, counter: Number, keep: Number, *, dtype: np.dtype, shape: Size) -> Tensor:
    """``1 / keep`` with probability ``keep``, else zero, from a counter."""
    scale = (1 / keep.astype(_real_kind(dtype))).astype(dtype)
    return jnp.where(
        _device_unit(seed, counter, shape, np.dtype(_F32)) < keep.astype(_F32), scale, jnp.zeros((), dtype)
    )


@op(name="random.device_exponential", namespaces=(), differentiable=False)
def device_exponential(seed: Number, counter: Number, rate: Number, *, dtype: np.dtype, shape: Size) -> Tensor:
    """Exponential numbers of ``rate`` from a counter."""
    kind = _real_kind(dtype)
    return (-jnp.log1p(-_device_unit(seed, counter, shape, kind)) / rate.astype(kind)).astype(dtype)


@op(name="random.device_geometric", namespaces=(), differentiable=False)
def device_geometric(seed: Number, counter: Number, p: Number, *, dtype: np.dtype, shape: Size) -> Tensor:
    """The number of trials, 1 or more, up to the first success of probability ``p``, from a counter."""
    draws = 1 - _device_unit(seed, counter, shape, np.dtype(_F32))  # in (0, 1]
    return jnp.maximum(jnp.ceil(jnp.log(draws) / jnp.log1p(-p.astype(_F32))), 1).astype(dtype)


@op(name="random.device_cauchy", namespaces=(), differentiable=False)
def device_cauchy(
    seed: Number, counter: Number, median: Number, sigma: Number, *, dtype: np.dtype, shape: Size
) -> Tensor:
    """Cauchy numbers from a counter."""
    kind = _real_kind(dtype)
    draws = jnp.tan(math.pi * (_device_unit(seed, counter, shape, kind) - 0.5))
    return (draws * sigma.astype(kind) + median.astype(kind)).astype(dtype)


@op(name="random.device_log_normal", namespaces=(), differentiable=False)
def device_log_normal(
    seed: Number, counter: Number, mean: Number, std: Number, *, dtype: np.dtype, shape: Size
) -> Tensor:
    """Numbers whose logarithm is normal, from a counter."""
    kind = _real_kind(dtype)
    draws = jax.random.normal(_key(seed, counter), shape, kind) * std.astype(kind) + mean.astype(kind)
    return jnp.exp(draws).astype(dtype)


@op(name="random.device_permutation", namespaces=(), differentiable=False)
def device_permutation(seed: Number, counter: Number, *, n: int, dtype: np.dtype) -> Tensor:
    """The integers below ``n`` in random order, from a counter."""
    return jax.random.permutation(_key(seed, counter), jnp.arange(n, dtype=_I64)).astype(dtype)
