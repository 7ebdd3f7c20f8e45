"""Sums, means and maxima of bags of rows of a table, and the shrinking of rows whose norm is too large."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import widen
from ..reductions.reduction import linalg_vector_norm
from ..registry import Number, Tensor, check_of, op
from ..scalar_types import is_floating, scalar_name
from .embedding import with_scaled_gradient

_SUM, _MEAN, _MAX = range(3)


def _require_type(argument: int, name: str, dtype: Any, accepted: str) -> None:
    """Refuse as PyTorch's ``embedding_bag`` does, whose text names legacy types."""
    scalar = scalar_name(dtype)
    got = f"CPU{scalar}Type" if scalar.startswith("Complex") else f"torch.{scalar}Tensor"
    raise RuntimeError(
        f"Expected tensor for argument #{argument} '{name}' to have one of the following scalar types: {accepted}; "
        f"but got {got} instead (while checking arguments for embedding_bag)"
    )


def _check(
    weight: Tensor, indices: Tensor, offsets: Tensor, mode: int, per_sample_weights: Tensor | None, last: bool
) -> None:
    for each in (indices, offsets):
        if each.dtype not in (np.int32, np.int64):
            _require_type(1, "indices", each.dtype, "Long, Int")
    if not is_floating(weight.dtype):
        _require_type(1, "weight", weight.dtype, "Half, BFloat16, Float, Double")
    if mode not in (_SUM, _MEAN, _MAX):
        raise RuntimeError("`mode` must be sum, mean, or max.")
    if last and offsets.shape[0] < 1:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if per_sample_weights is None:
        return
    if mode != _SUM:
        raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
    if per_sample_weights.dtype != weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type torch.{scalar_name(weight.dtype)}Tensor does not equal "
            f"torch.{scalar_name(per_sample_weights.dtype)}Tensor (while checking arguments for embedding_bag)"
        )


def _padding(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got {padding_idx}"
        )
    return padding_idx % rows


def _winners(values: Tensor, bag: Tensor, kept: Tensor, count: int) -> Tensor:
    """For each bag and column the position of the first maximum among the kept; their number where there is none.

    A NaN counts where it comes first in its bag, else never: PyTorch keeps what nothing is greater than.
    """
    n = values.shape[0]
    places = jnp.arange(n)
    first = jax.ops.segment_min(jnp.where(kept, places, n), bag, count)
    leads = (first[jnp.clip(bag, 0, max(count - 1, 0))] == places)[:, None] if count else jnp.zeros((n, 1), bool)
    keys = jnp.where(jnp.isnan(values), jnp.where(leads, jnp.inf, -jnp.inf), values)
    keys = jnp.where(kept[:, None], keys, -jnp.inf)
    best = jax.ops.segment_max(keys, bag, count)
    wins = kept[:, None] & (keys == best[jnp.clip(bag, 0, max(count - 1, 0))]) if count else kept[:, None]
    return jnp.minimum(jax.ops.segment_min(jnp.where(wins, places[:, None], n), bag, count), n)


@op(name="embedding_bag.forward", differentiable=(0,), node="EmbeddingBagBackward0")
def embedding_bag_forward(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Bags of rows of ``weight``: bag ``i`` has the rows ``indices[offsets[i]:offsets[i + 1]]``.

    Args:
        weight: the table, ``(rows, columns)``.
        indices, offsets: int32 or int64, one-dimensional; the first offset is 0 and they do not descend.
        scale_grad_by_freq: whether a row's gradient is divided by how often it is read.
        mode: 0 for the sum, 1 for the mean, 2 for the maximum; an empty bag gives 0.
        per_sample_weights: with mode 0, what each row is multiplied by.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that counts for nothing.

    Returns the bags, the bag of each index, the size of each bag, and for the maximum which rows won. For the sum, the
    second is empty where PyTorch's quick kernel leaves it so, and the sizes are 0.
    """
    _check(weight, indices, offsets, mode, per_sample_weights, include_last_offset)
    padding = _padding(padding_idx, weight.shape[0])
    n, count = indices.shape[0], offsets.shape[0] - include_last_offset
    bag = jnp.searchsorted(offsets.astype(np.int64), jnp.arange(n), side="right") - 1
    bag = bag.astype(jnp.promote_types(indices.dtype, offsets.dtype))
    flat = jnp.clip(indices, 0, max(weight.shape[0] - 1, 0))
    kept = (bag >= 0) & (bag < count)
    if padding is not None:
        kept = kept & (flat != padding)
    found = widen(weight)[flat] if weight.shape[0] else jnp.zeros((n, weight.shape[1]), widen(weight).dtype)
    if scale_grad_by_freq:
        frequency = jnp.zeros(weight.shape[0], found.dtype).at[flat].add(1)
        found = with_scaled_gradient(found, 1 / frequency[flat][:, None])
    sizes = jax.ops.segment_sum(kept.astype(np.int64), bag, count)
    if mode == _MAX:
        where = _winners(lax.stop_gradient(found), bag, kept, count)
        some = where < n
        where = jnp.minimum(where, max(n - 1, 0))
        rows = jnp.where(some, flat[where], 0) if n else jnp.zeros(where.shape, flat.dtype)
        columns = np.arange(weight.shape[1])
        result = jnp.where(some, found[where, columns], 0) if n else jnp.zeros(where.shape, found.dtype)
        return result.astype(weight.dtype), bag, sizes, rows.astype(indices.dtype)
    if per_sample_weights is not None:
        found = found * widen(per_sample_weights)[:, None]
    total = jax.ops.segment_sum(jnp.where(kept[:, None], found, 0), bag, count)
    if mode == _MEAN:
        total = total / jnp.maximum(sizes, 1).astype(total.dtype)[:, None]
        return total.astype(weight.dtype), bag, sizes, sizes
    nothing = jnp.zeros(offsets.shape, offsets.dtype)
    quick = padding is None and weight.dtype != np.float64
    return total.astype(weight.dtype), bag[:0] if quick else bag, nothing, nothing


def _error(witness: int, indices: Any, weight: Any, **_: Any) -> RuntimeError:
    kind, place, value = witness >> 60, (witness >> 32) & 0xFFFFFFF, (witness & 0xFFFFFFFF) - 2**31
    if kind == 0:
        return RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            f"However, got {value}"
        )
    if kind == 1:
        return RuntimeError(
            f"offsets[-1] can not be greater than input's length {indices.shape[0]} but got offsets[-1] of {value}"
        )
    if kind == 2:
        return RuntimeError(
            f"Index {place} of input takes value {value} which is not in the valid range [0, {weight.shape[0]})"
        )
    return RuntimeError(
        "Expected i < index_size to be true, but got false.  "
        "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
    )


@check_of(embedding_bag_forward, _error)
def _(weight: Tensor, indices: Tensor, offsets: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    wide = offsets.astype(np.int64)
    strange = (indices < 0) | (indices >= weight.shape[0])
    cases: list[tuple[Any, Any, Any]] = []
    if wide.shape[0]:
        cases = [(wide[0] != 0, 0, wide[0]), (wide[-1] > indices.shape[0], 0, wide[-1])]
    if indices.shape[0]:
        place = jnp.argmax(strange)
        cases += [(strange.any(), place, indices[place])]
    bad, witness = jnp.asarray(False), jnp.asarray(0, np.int64)
    descending = (wide[1:] < wide[:-1]).any() if wide.shape[0] > 1 else jnp.asarray(False)
    kinds = [0, 1, 2] if len(cases) == 3 else [0, 1] if wide.shape[0] else [2]
    for kind, (wrong, place, value) in [(3, (descending, 0, 0)), *reversed(list(zip(kinds, cases, strict=False)))]:
        bad = bad | wrong
        near = jnp.clip(jnp.asarray(value, np.int64), -(2**31), 2**31 - 1) + 2**31
        packed = (kind << 60) + (jnp.asarray(place, np.int64) << 32) + near
        witness = jnp.where(wrong, packed, witness)
    return bad, witness


@op(name="embedding_renorm", namespaces=(), inplace=True, differentiable=False)
def embedding_renorm(input: Tensor, indices: Tensor, max_norm: Number, norm_type: float) -> Tensor:
    """The table with those of the rows at ``indices`` whose norm is above ``max_norm`` scaled down to it."""
    read = jnp.zeros(input.shape[0], bool).at[indices.reshape(-1)].set(True)
    norms = linalg_vector_norm(input, norm_type, 1, True)
    limit = jnp.asarray(max_norm).astype(norms.dtype)
    share = limit / (norms + 1e-7)
    return input * jnp.where(read[:, None] & (norms > limit), share, 1).astype(input.dtype)
