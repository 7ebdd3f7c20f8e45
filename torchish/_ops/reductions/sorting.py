"""Sorting, selection by rank, order statistics, and search in sorted sequences.

XLA's sort of several operands calls a comparator and is several times slower on CPU than its sort of
one integer array. So an element of up to 32 bits is packed with its position into one int64, whose order
is that of (element, position): the sort is stable and yields the permutation. NaN counts as the largest.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .. import scalar_types
from ..arrays.indexing import gather_along
from ..dims import iota, is_nan, normalize_dim, require_elements
from ..kernel_dtypes import require_dtype
from ..out_rules import EXPECTED, MEDIAN, Out, positions_rule
from ..registry import Number, Tensor, check_of, op, validation_of
from .reduction import choose, even_share


def _ordered_key(x: Tensor) -> Tensor:
    """Integers of the same width (int32 at least) in the order of ``x``: -0.0 equals 0.0, and NaN is largest."""
    if scalar_types.is_integral(x.dtype):
        if x.dtype in (np.uint32, np.uint64):
            signed = np.dtype(f"int{8 * x.dtype.itemsize}")
            return jax.lax.bitcast_convert_type(x, signed) ^ signed.type(np.iinfo(signed).min)
        return x if x.dtype == np.int64 else x.astype(np.int32)
    x = x if x.dtype.itemsize >= 4 else x.astype(np.float32)
    integer = np.dtype(np.int32 if x.dtype.itemsize == 4 else np.int64)
    bits = jax.lax.bitcast_convert_type(jnp.where(x == 0, jnp.zeros((), x.dtype), x), integer)
    # A negative float's magnitude bits grow downwards: flip them, keeping the sign.
    bits = jnp.where(bits < 0, bits ^ integer.type(np.iinfo(integer).max), bits)  # type: ignore[type-var]
    return jnp.where(jnp.isnan(x), integer.type(np.iinfo(integer).max), bits)  # type: ignore[type-var]


def permutation(x: Tensor, axis: int, descending: bool = False) -> Tensor:
    """The int64 positions along ``axis`` that sort ``x`` stably."""
    key = _ordered_key(x)
    key = ~key if descending else key
    position = jax.lax.broadcasted_iota(np.int64, x.shape, axis)
    if x.dtype.itemsize <= 4 and x.shape[axis] < 2**31:
        packed = (key.astype(np.int64) << 32) | position
        return jax.lax.sort(packed, dimension=axis, is_stable=False) & np.int64(2**32 - 1)
    return jax.lax.sort((key, position), dimension=axis, is_stable=True, num_keys=1)[1]


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _sorted(axis: int, descending: bool, x: Tensor) -> tuple[Tensor, Tensor]:
    """Values and permutation. The tangent is gathered by the same permutation, so nothing is sorted twice."""
    index = permutation(x, axis, descending)
    return gather_along(x, index, axis), index


@_sorted.defjvp
def _(axis, descending, primals, tangents):
    (x,), (t,) = primals, tangents
    values, index = _sorted(axis, descending, x)
    return (values, index), (gather_along(t, index, axis), np.zeros(index.shape, jax.dtypes.float0))


def _sort(input: Tensor, dim: int, descending: bool) -> tuple[Tensor, Tensor]:
    axis = normalize_dim(dim, input.ndim)
    if scalar_types.is_complex(input.dtype):
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    if input.ndim == 0 or input.size == 0:
        return input, jnp.zeros(input.shape, np.int64)
    return _sorted(axis, descending, input)


@op(
    saves="indices",
    out=EXPECTED,
    returns=("values", "indices"),
    node=lambda stable, **_: f"SortBackward{int(bool(stable))}",
    grad_node="ScatterBackward0",
)
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = False
) -> tuple[Tensor, Tensor]:
    """The elements in order along ``dim`` and their int64 positions. NaN is the largest. Always stable here."""
    return _sort(input, dim, descending)


@op(differentiable=False)
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The int64 positions that ``sort`` returns."""
    return _sort(input, dim, descending)[1]


@op(saves="indices", out=EXPECTED.but(autograd="sort", first=False), node="SortBackward0", grad_node="ScatterBackward0")
def msort(input: Tensor) -> Tensor:
    """The elements in ascending order along dimension 0."""
    return _sort(input, 0, False)[0]


# --- selection by rank ------------------------------------------------------------------------------


def _top_positions(x: Tensor, k: int, axis: int, largest: bool) -> Tensor:
    """The positions of the ``k`` largest (smallest) elements along ``axis``, best first."""
    if x.dtype == np.float32 and 4 * k <= x.shape[axis]:
        # XLA's own selection compares float32 bits: a NaN's sign decides its end, so give it the right one.
        score = x if largest else -x
        nan = jnp.asarray(np.nan if largest else np.copysign(np.nan, -1), x.dtype)
        score = jnp.moveaxis(jnp.where(jnp.isnan(x), nan, score), axis, -1)
        return jnp.moveaxis(jax.lax.top_k(score, k)[1], -1, axis).astype(np.int64)
    return jax.lax.slice_in_dim(permutation(x, axis, descending=largest), 0, k, axis=axis)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _topk(k: int, axis: int, largest: bool, x: Tensor) -> tuple[Tensor, Tensor]:
    index = _top_positions(x, k, axis, largest)
    return gather_along(x, index, axis), index


@_topk.defjvp
def _(k, axis, largest, primals, tangents):
    (x,), (t,) = primals, tangents
    values, index = _topk(k, axis, largest, x)
    return (values, index), (gather_along(t, index, axis), np.zeros(index.shape, jax.dtypes.float0))


@op(saves="indices", out=EXPECTED, returns=("values", "indices"), grad_node="ScatterBackward0")
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The ``k`` largest (or smallest) elements along ``dim``, best first, and their int64 positions.

    NaN counts as the largest. Which of equal elements is chosen is not promised.
    """
    axis = normalize_dim(dim, input.ndim)
    if k < 0 or k > (input.shape[axis] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if scalar_types.is_complex(input.dtype):
        raise RuntimeError(" topk does not support complex dtypes on CPU")
    if scalar_types.is_bool(input.dtype):
        raise RuntimeError("topk does not support bool dtypes on CPU")
    require_dtype(input.dtype, "if", "topk_cpu")
    if input.ndim == 0:
        shape = () if k else (0,)
        return input.reshape(-1)[:k].reshape(shape), jnp.zeros(shape, np.int64)
    if input.size == 0 or k == 0:
        shape = tuple(k if d == axis else n for d, n in enumerate(input.shape))  # type: ignore[assignment]
        return jnp.zeros(shape, input.dtype), jnp.zeros(shape, np.int64)
    return _topk(k, axis, largest, input)


def _at_rank(rank: int, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The element of ascending rank ``rank`` along ``axis``, which is kept, and its position."""
    index = jax.lax.slice_in_dim(permutation(x, axis), rank, rank + 1, axis=axis)
    return gather_along(x, index, axis), index


@op(
    saves="indices",
    out=Out(
        ("output values must be of same type as input", "output indices must be of scalar type {want}"),
        "same",
        apart=("input",),
    ),
    returns=("values", "indices"),
    grad_node="ScatterBackward0",
)
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The ``k``-th smallest element along ``dim`` (counted from 1) and its int64 position; NaN is the largest."""
    axis = normalize_dim(dim, input.ndim)
    require_elements(input, dim, "kthvalue")
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    require_dtype(input.dtype, "if", "kthvalue_cpu")
    if input.size == 0:
        return _no_slices(input, axis, keepdim)
    return choose(partial(_at_rank, k - 1), input, dim, keepdim)


def _no_slices(input: Tensor, axis: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The results of reducing ``axis`` where there is no slice to reduce."""
    shape = tuple(1 if d == axis else n for d, n in enumerate(input.shape) if keepdim or d != axis)
    return jnp.zeros(shape, input.dtype), jnp.zeros(shape, np.int64)


# --- order statistics -------------------------------------------------------------------------------


def _median(ignore_nan: bool, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The lower of the middle elements and its position; the first NaN where one is met and not ignored."""
    order = permutation(x, axis)
    nan = is_nan(x)
    size = x.shape[axis]
    present = size - jnp.sum(nan, axis=axis, keepdims=True)
    rank = (present - 1) // 2 if ignore_nan else jnp.where(present < size, present, (size - 1) // 2)
    # Sorted stably, the NaNs come last in their own order: rank `present` is the first of them.
    index = gather_along(order, jnp.maximum(rank, 0).astype(np.int64), axis)
    return gather_along(x, index, axis), index


def _median_of_all(ignore_nan: bool, x: Tensor) -> Tensor:
    return _median(ignore_nan, x.reshape(-1), 0)[0].reshape(())


_ALL_MEDIANS = {False: partial(_median_of_all, False), True: partial(_median_of_all, True)}
_DIM_MEDIANS = {False: partial(_median, False), True: partial(_median, True)}


def _full_median(input: Tensor, ignore_nan: bool) -> Tensor:
    require_dtype(input.dtype, "if", "median_cpu")
    if input.size == 0:
        lowest = np.nan if scalar_types.is_inexact(input.dtype) else jnp.iinfo(input.dtype).min
        return jnp.asarray(lowest, input.dtype)
    return even_share(_ALL_MEDIANS[ignore_nan], input)


def _dim_median(input: Tensor, dim: int, keepdim: bool, ignore_nan: bool) -> tuple[Tensor, Tensor]:
    axis = normalize_dim(dim, input.ndim)
    require_elements(input, dim, "median")
    require_dtype(input.dtype, "if", "median_out")
    if input.size == 0:
        return _no_slices(input, axis, keepdim)
    return choose(_DIM_MEDIANS[ignore_nan], input, dim, keepdim)


@op(name="median.all", node="MedianBackward0", grad_node="MaskedFillBackward1")
def median(input: Tensor) -> Tensor:
    """The median of all elements: of an even count the lower one; NaN if there is one."""
    return _full_median(input, ignore_nan=False)


@op(name="nanmedian.all", node="NanmedianBackward0", grad_node="MaskedFillBackward1")
def nanmedian(input: Tensor) -> Tensor:
    """The median of all elements that are not NaN; NaN where there is none."""
    return _full_median(input, ignore_nan=True)


@op(
    saves="indices",
    name="median.dim",
    out=MEDIAN,
    node="MedianBackward1",
    returns=("values", "indices"),
    grad_node="ScatterBackward0",
)
def median_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The medians along ``dim`` (of an even count the lower one) and their int64 positions; NaN wins."""
    return _dim_median(input, dim, keepdim, ignore_nan=False)


@op(
    saves="indices",
    name="nanmedian.dim",
    out=MEDIAN,
    node="NanmedianBackward1",
    returns=("values", "indices"),
    grad_node="ScatterBackward0",
)
def nanmedian_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The medians along ``dim`` of the elements that are not NaN, and their int64 positions."""
    return _dim_median(input, dim, keepdim, ignore_nan=True)


def _most_frequent(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The smallest of the most frequent values and the position of its last occurrence."""
    order = permutation(x, axis)
    values = gather_along(x, order, axis)
    position = iota(x.shape, axis)
    # Rolled, the first element meets the last one: it opens a run in any case.
    opens = (values != jnp.roll(values, 1, axis)) | (position == 0)
    run_start = jax.lax.cummax(jnp.where(opens, position, jnp.zeros((), position.dtype)), axis)
    run_length = position - run_start
    longest = jnp.max(run_length, axis=axis, keepdims=True)
    last = jnp.min(jnp.where(run_length == longest, position, x.shape[axis]), axis=axis, keepdims=True)
    index = gather_along(order, last.astype(np.int64), axis)
    return gather_along(x, index, axis), index


@op(
    saves="indices",
    out=Out(
        (
            "expected scalar type '{want}' but got '{got}' for values output",
            "expected scalar type '{want}' but got '{got}' for indices output",
        ),
        "same",
    ),
    returns=("values", "indices"),
    grad_node="ScatterBackward0",
)
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The most frequent values along ``dim``, the smallest of several, and the position of the last occurrence."""
    axis = normalize_dim(dim, input.ndim)
    require_elements(input, dim, "mode")
    require_dtype(input.dtype, "bif", "mode_cpu")
    if input.size == 0:
        return _no_slices(input, axis, keepdim)
    return choose(_most_frequent, input, dim, keepdim)


# --- search -----------------------------------------------------------------------------------------


def _bisect(sequence: Tensor, values: Tensor, right: bool) -> Tensor:
    """Where to insert each of ``values`` into the last dimension of ``sequence``; leading dimensions are equal.

    PyTorch's very steps, so that NaN and sequences that are not sorted come out the same.
    """
    size = sequence.shape[-1]
    low = jnp.zeros(values.shape, np.int64)
    high = jnp.full(values.shape, size, np.int64)
    for _ in range(size.bit_length()):
        middle = low + (high - low) // 2
        met = jnp.take_along_axis(sequence, jnp.minimum(middle, size - 1), -1)
        go_right = ~(met > values if right else met >= values) & (low < high)
        low, high = jnp.where(go_right, middle + 1, low), jnp.where(go_right, high, jnp.minimum(middle, high))
    return low


def _insertion_points(sequence: Tensor, values: Tensor, right: bool, out_int32: bool) -> Tensor:
    common = jnp.promote_types(sequence.dtype, values.dtype)
    flat = values.reshape(-1) if sequence.ndim == 1 else values
    if sequence.shape[-1] == 0 or flat.size == 0:
        found = jnp.zeros(values.shape, np.int64)
    else:
        require_dtype(sequence.dtype, "if", "searchsorted_out_cpu")
        found = _bisect(sequence.astype(common), flat.astype(common), right).reshape(values.shape)
    return found.astype(np.int32) if out_int32 else found


def _check_search(sequence: Tensor, values: Tensor, right: bool, side: str | None, sorter: Tensor | None) -> None:
    prefix = "torch.searchsorted(): "
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"{prefix}side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(f"{prefix}side and right can't be set to opposites, got side of left while right was True")
    if sequence.ndim == 0:
        raise RuntimeError(f"{prefix}boundaries tensor should have positive dimension, but got 0 dimension")
    shapes = [str(list(t.shape)) for t in (sequence, values)]
    if sequence.ndim > 1 and (values.ndim != sequence.ndim or values.shape[:-1] != sequence.shape[:-1]):
        raise RuntimeError(
            f"{prefix}boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
            f"input value tensor must match, but we got boundaries tensor {shapes[0]} and input value tensor "
            f"{shapes[1]}"
        )
    if sorter is None:
        return
    if sorter.shape != sequence.shape:
        raise RuntimeError(
            f"{prefix}boundary and sorter must have the same size, but got boundary tensor {shapes[0]}"
            f"and got sorter tensor {list(sorter.shape)}"
        )
    if sorter.dtype != np.int64:
        name = scalar_types.scalar_name(sorter.dtype)
        raise RuntimeError(f"{prefix}sorter must be a tensor of long dtype but got dtype {name}")


@op(namespaces=("torch",), out=positions_rule, differentiable=False)
def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where to insert ``input``'s elements into the last dimension of ``sorted_sequence`` to keep it sorted.

    int64, or int32 with ``out_int32``. ``right`` (or ``side="right"``): after equal elements, else before
    them. ``sorter``: the positions that sort the sequence.
    """
    values = jnp.asarray(input)
    _check_search(sorted_sequence, values, right, side, sorter)
    if sorter is not None:
        sorted_sequence = jnp.take_along_axis(sorted_sequence, sorter, -1)
    return _insertion_points(sorted_sequence, values, right or side == "right", out_int32)


@check_of(searchsorted, lambda *_, **__: RuntimeError("torch.searchsorted(): sorter index out of range"))
def _(sorted_sequence: Tensor, sorter: Tensor | None = None, **_) -> tuple[Tensor, Tensor]:
    if sorter is None:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    return jnp.any((sorter < 0) | (sorter >= sorted_sequence.shape[-1])), jnp.asarray(0, np.int64)


@op(namespaces=("torch",), out=positions_rule, differentiable=False)
def bucketize(input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The index of the bucket between the sorted ``boundaries`` that each element of ``input`` falls into."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return _insertion_points(boundaries, jnp.asarray(input), right, out_int32)


_FEW_TESTS = 32  # up to this many, comparing with each is cheaper than sorting and searching


@op(namespaces=("torch",), out=EXPECTED.but(first=False), differentiable=False, promote=("elements", "test_elements"))
def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Whether each element is (with ``invert``: is not) among ``test_elements``. NaN is never among them."""
    tests = test_elements.reshape(-1)
    if tests.size <= _FEW_TESTS:
        found = jnp.any(elements[..., None] == tests, axis=-1)
    else:
        ordered = gather_along(tests, permutation(tests, 0), 0)
        place = _bisect(ordered, elements.reshape(-1), right=False).reshape(elements.shape)
        found = jnp.take(ordered, jnp.minimum(place, tests.size - 1)) == elements
    return ~found if invert else found


@validation_of(isin)
def _no_bool_or_complex(dtypes: dict[str, np.dtype]) -> None:
    for dtype in dtypes.values():
        if dtype.kind in "bc":
            name = scalar_types.scalar_name(dtype)
            raise RuntimeError(f"Unsupported input type encountered for isin(): {name}")
