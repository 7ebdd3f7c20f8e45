"""Running reductions along one dimension: sums, products, extrema, log-sum-exp; and differences.

On CPU a scan runs step by step over whole slices, in blocks where the dimension is long: all blocks
advance together, then the blocks' totals are scanned in turn. That is several times faster than XLA's
own cumulative ops there and, unlike a triangular product, right for infinities and NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .. import scalar_types
from ..arrays.indexing import gather_along
from ..dims import at_least_1d, cast, iota, is_nan, normalize_dim, widen
from ..kernel_dtypes import require_dtype
from ..out_rules import ALL, EXPECTED_SCALAR_TYPE, cumulative_rule, diff_rule
from ..registry import DType, Tensor, op

_LONGEST_PLAIN_SCAN = 256  # beyond it, blocks; measured on two cores from 1-dim to (256, 1000)
_BLOCK = 128
_UNROLLED = 8  # up to this many steps no loop is made, which would keep XLA from fusing around it

Combine = Callable[[Tensor, Tensor], Tensor]


def _stepwise(combine: Combine, x: Tensor, identity: Tensor) -> Tensor:
    """The inclusive scan of ``x`` over axis 0, one slice a step."""

    def step(total: Tensor, slice_: Tensor) -> tuple[Tensor, Tensor]:
        total = combine(total, slice_)
        return total, total

    start = jnp.broadcast_to(identity, x.shape[1:])
    return jax.lax.scan(step, start, x, unroll=max(1, x.shape[0]) if x.shape[0] <= _UNROLLED else 1)[1]


def _blocked(combine: Combine, x: Tensor, identity: Tensor) -> Tensor:
    """The inclusive scan of ``x`` over axis 0; a long axis in blocks that advance together."""
    length, rest = x.shape[0], x.shape[1:]
    if length <= _LONGEST_PLAIN_SCAN:
        return _stepwise(combine, x, identity)
    blocks = -(-length // _BLOCK)
    padding = [(0, blocks * _BLOCK - length)] + [(0, 0)] * len(rest)
    padded = jnp.pad(x, padding, constant_values=identity).reshape(blocks, _BLOCK, *rest)
    within = _stepwise(combine, jnp.moveaxis(padded, 1, 0), identity)
    totals = _blocked(combine, within[-1], identity)
    before = jnp.concatenate([jnp.broadcast_to(identity, (1, *rest)), totals[:-1]])
    whole = combine(before[None], within)
    return jnp.moveaxis(whole, 0, 1).reshape(blocks * _BLOCK, *rest)[:length]


def _scan(combine: Combine, x: Tensor, axis: int, identity: object, native: Callable[..., Tensor]) -> Tensor:
    """The inclusive scan along ``axis``: blocked on CPU, ``native(x, axis)`` on other platforms."""
    start = jnp.asarray(identity, x.dtype)

    def on_cpu(y: Tensor) -> Tensor:
        return jnp.moveaxis(_blocked(combine, jnp.moveaxis(y, axis, 0), start), 0, axis)

    return jax.lax.platform_dependent(x, cpu=on_cpu, default=partial(native, axis=axis))


def _running(combine: Combine, input: Tensor, dim: int, dtype: np.dtype, identity, native) -> Tensor:
    """A scan of ``input`` as ``dtype``, accumulated in float32 where that is a half-precision float."""
    axis = normalize_dim(dim, input.ndim)
    x = widen(cast(input, dtype))
    if x.size == 0 or x.ndim == 0:
        return x.astype(dtype)
    return _scan(combine, x, axis, identity, native).astype(dtype)


def _default_dtype(input: Tensor, dtype: DType) -> np.dtype:
    if dtype is not None:
        return dtype
    return np.dtype(np.int64) if scalar_types.is_integral(input.dtype) else input.dtype


@op(inplace=True, out=cumulative_rule("cumsum"), grad_node="FlipBackward0")
def cumsum(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """The running sum along ``dim``. Integers and bools are summed as int64 unless ``dtype`` is given."""
    return _running(jnp.add, input, dim, _default_dtype(input, dtype), 0, jax.lax.cumsum)


@op(inplace=True, out=cumulative_rule("cumprod"), grad_node="DivBackward0")
def cumprod(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """The running product along ``dim``. Integers and bools are multiplied as int64 unless ``dtype`` is given."""
    return _running(jnp.multiply, input, dim, _default_dtype(input, dtype), 1, jax.lax.cumprod)


def _log_add_exp(a: Tensor, b: Tensor) -> Tensor:
    """``log(exp(a) + exp(b))``. Unlike ``jnp.logaddexp`` its second derivative survives a scan at ``a == b``."""
    shift = jax.lax.stop_gradient(jnp.where(jnp.real(a) > jnp.real(b), a, b))
    shift = jnp.where(jnp.isinf(shift), jnp.zeros((), shift.dtype), shift)
    return jnp.log(jnp.exp(a - shift) + jnp.exp(b - shift)) + shift


@op(out=EXPECTED_SCALAR_TYPE.but(first=False), grad_node="SubBackward0")
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``log(cumsum(exp(input)))`` along ``dim``, without overflow. Floating and complex dtypes only."""
    require_dtype(input.dtype, "fc", "logcumsumexp_out_cpu")
    return _running(_log_add_exp, input, dim, input.dtype, -np.inf, jax.lax.cumlogsumexp)


def _lowest(dtype: np.dtype) -> object:
    return jnp.iinfo(dtype).min if scalar_types.is_integral(dtype) else -np.inf


def _highest(dtype: np.dtype) -> object:
    return jnp.iinfo(dtype).max if scalar_types.is_integral(dtype) else np.inf


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _running_extremum(largest: bool, axis: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """The extremum so far and the last position that reached it; from the first NaN on, NaN.

    The gradient goes to that position alone, as PyTorch's does.
    """
    if largest:
        values = _scan(jnp.maximum, x, axis, _lowest(x.dtype), jax.lax.cummax)
    else:
        values = _scan(jnp.minimum, x, axis, _highest(x.dtype), jax.lax.cummin)
    position = iota(x.shape, axis)
    reached = jnp.where((x == values) | is_nan(x), position, jnp.zeros((), position.dtype))
    return values, _scan(jnp.maximum, reached, axis, 0, jax.lax.cummax).astype(np.int64)


@_running_extremum.defjvp
def _(largest, axis, primals, tangents):
    (x,), (t,) = primals, tangents
    values, index = _running_extremum(largest, axis, x)
    return (values, index), (gather_along(t, index, axis), np.zeros(index.shape, jax.dtypes.float0))


def _cumulative_extremum(input: Tensor, dim: int, largest: bool) -> tuple[Tensor, Tensor]:
    axis = normalize_dim(dim, input.ndim)
    require_dtype(input.dtype, "bif", "cummax_cpu" if largest else "cummin_cpu")
    if input.size == 0:
        return input, jnp.zeros(input.shape, np.int64)
    # XLA's own scans of other platforms refuse bools.
    x = input.astype(np.uint8) if scalar_types.is_bool(input.dtype) else input
    values, index = _running_extremum(largest, axis, at_least_1d(x))
    return values.reshape(input.shape).astype(input.dtype), index.reshape(input.shape)


@op(
    out=EXPECTED_SCALAR_TYPE.but(shared=ALL, expanded=True),
    returns=("values", "indices"),
    grad_node="ScatterAddBackward0",
)
def cummax(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The largest value so far along ``dim`` and the int64 index where it was last met. NaN stays once met."""
    return _cumulative_extremum(input, dim, largest=True)


@op(
    out=EXPECTED_SCALAR_TYPE.but(shared=ALL, expanded=True),
    returns=("values", "indices"),
    grad_node="ScatterAddBackward0",
)
def cummin(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The smallest value so far along ``dim`` and the int64 index where it was last met. NaN stays once met."""
    return _cumulative_extremum(input, dim, largest=False)


@op(promote=("input", "prepend", "append"), out=diff_rule, node="SubBackward0", grad_node="AddBackward0")
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbours along ``dim``, taken ``n`` times, after joining ``prepend`` and ``append``.

    ``n`` 0 gives ``input`` alone. Bools give exclusive or. The result is ``n`` shorter, at least empty.
    """
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    axis = normalize_dim(dim, input.ndim)
    parts = [part for part in (prepend, input, append) if part is not None]
    for part in parts:
        if part.ndim != input.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
        for d in range(input.ndim):
            if d != axis and part.shape[d] != input.shape[d]:
                raise RuntimeError(
                    "diff expects the shape of tensor to prepend or append to match that of input except along the "
                    f"differencing dimension; input.size({d}) = {input.shape[d]}, but got "
                    f"tensor.size({d}) = {part.shape[d]}"
                )
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return input
    x = jnp.concatenate(parts, axis) if len(parts) > 1 else input
    require_dtype(x.dtype, "bifc", "add_stub")
    subtract = jnp.not_equal if scalar_types.is_bool(x.dtype) else jnp.subtract
    for _ in range(min(n, x.shape[axis])):
        size = x.shape[axis]
        x = subtract(jax.lax.slice_in_dim(x, 1, size, axis=axis), jax.lax.slice_in_dim(x, 0, size - 1, axis=axis))
    return x
