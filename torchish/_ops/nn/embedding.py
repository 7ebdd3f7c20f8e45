"""Rows of a table, looked up by index."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..registry import Tensor, check_of, op


def _padding_row(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


@op(name="embedding.rows", node="EmbeddingBackward0", grad_node="EmbeddingDenseBackwardBackward0")
def embedding_rows(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, scale_grad_by_freq: bool = False
) -> Tensor:
    """``weight[input]``: a row for each index.

    The row ``padding_idx`` gets no gradient; with ``scale_grad_by_freq`` each row's gradient is divided by how
    often it was looked up. Indices are int32 or int64 in range; any other raises.
    """
    if input.dtype not in (np.int32, np.int64):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{_legacy_name(input.dtype)} instead (while checking arguments for embedding)"
        )
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    rows = weight.shape[0]
    flat = jnp.clip(input.reshape(-1), 0, max(rows - 1, 0))
    padding = _padding_row(padding_idx, rows)
    kept = jnp.ones(flat.shape, weight.dtype) if padding is None else (flat != padding).astype(weight.dtype)
    if scale_grad_by_freq:
        counts = jnp.zeros(rows, weight.dtype).at[flat].add(1)
        kept = kept / counts[flat]
    found = weight[flat]
    if padding is not None or scale_grad_by_freq:
        found = with_scaled_gradient(found, kept[:, None])
    return found.reshape((*input.shape, weight.shape[1]))


def _legacy_name(dtype: np.dtype) -> str:
    from ..scalar_types import scalar_name

    return f"{scalar_name(dtype)}Tensor"


@jax.custom_jvp
def with_scaled_gradient(rows: Tensor, factors: Tensor) -> Tensor:
    """``rows`` as they are; their tangent is multiplied by ``factors``."""
    return rows


with_scaled_gradient.defjvps(lambda t, ans, rows, factors: t * factors, None)


def _out_of_range(witness: int, **_: object) -> IndexError:
    return IndexError("index out of range in self")


@check_of(embedding_rows, _out_of_range)
def _(input: Tensor, weight: Tensor, **_: object) -> tuple[Tensor, Tensor]:
    wrong = (input < 0) | (input >= weight.shape[0])
    return wrong.any(), jnp.asarray(0, np.int64)
