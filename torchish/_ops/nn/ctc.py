"""Connectionist temporal classification: the probability of a label sequence over all its alignments with the input."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..kernel_dtypes import require_dtype
from ..registry import Tensor, check_of, op

_CHECKED = " (while checking arguments for ctc_loss_allocate_outputs)"


def _log_sum_exp(*terms: Tensor) -> Tensor:
    """``log(sum(exp(terms)))``; where all are minus infinity so is the result, and the derivative is 0."""
    largest = lax.stop_gradient(functools.reduce(jnp.maximum, terms))
    base = jnp.where(jnp.isneginf(largest), jnp.zeros_like(largest), largest)
    total = sum(jnp.exp(term - base) for term in terms)
    none = total == 0
    return jnp.where(none, -jnp.inf, jnp.log(jnp.where(none, jnp.ones_like(base), total)) + base)


def _shifted(alpha: Tensor, by: int) -> Tensor:
    """``alpha`` moved towards the end, minus infinity coming in."""
    return jnp.pad(alpha, ((0, 0), (by, 0)), constant_values=-np.inf)[:, : alpha.shape[1]]


def _negative_log_likelihood(
    log_probs: Tensor, labels: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: int
) -> Tensor:
    """``labels`` is ``(batch, most labels)``. Between, before and after the labels there may be blanks."""
    batch, most = labels.shape
    states = jnp.full((batch, 2 * most + 1), blank, labels.dtype).at[:, 1::2].set(labels)
    # A blank may be left out between two labels that differ.
    may_skip = (states != blank) & (states != jnp.pad(states, ((0, 0), (2, 0)), constant_values=blank)[:, :-2])
    start = jnp.full(states.shape, -jnp.inf, log_probs.dtype).at[:, 0].set(0)

    def step(alpha: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        t, log_p = now
        skipped = jnp.where(may_skip, _shifted(alpha, 2), -jnp.inf)
        reached = _log_sum_exp(alpha, _shifted(alpha, 1), skipped) + jnp.take_along_axis(log_p, states, axis=1)
        return jnp.where((t < input_lengths)[:, None], reached, alpha), None

    alpha, _ = lax.scan(step, start, (jnp.arange(log_probs.shape[0]), log_probs))
    last = 2 * target_lengths[:, None]
    at_blank = jnp.take_along_axis(alpha, last, axis=1)[:, 0]
    at_label = jnp.take_along_axis(alpha, jnp.maximum(last - 1, 0), axis=1)[:, 0]
    return -_log_sum_exp(at_blank, jnp.where(target_lengths > 0, at_label, -jnp.inf))


@functools.partial(jax.custom_jvp, nondiff_argnums=(4, 5))
def _loss(
    log_probs: Tensor, labels: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: int, zero_infinity: bool
) -> Tensor:
    loss = _negative_log_likelihood(log_probs, labels, input_lengths, target_lengths, blank)
    return jnp.where(jnp.isposinf(loss), jnp.zeros_like(loss), loss) if zero_infinity else loss


@_loss.defjvp
def _(blank: int, zero_infinity: bool, primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """PyTorch's derivative takes ``log_probs`` to be a log-softmax: it is that of the softmax's input, which has

    ``exp(log_probs)`` more than the formula's. An infinite loss has the derivative NaN, or 0 with ``zero_infinity``.
    """
    log_probs, labels, input_lengths, target_lengths = primals

    def plain(x: Tensor) -> Tensor:
        return _negative_log_likelihood(x, labels, input_lengths, target_lengths, blank)

    loss, pull = jax.vjp(plain, log_probs)
    slope = jnp.exp(log_probs) + pull(jnp.ones_like(loss))[0]
    infinite = jnp.isposinf(loss)
    slope = jnp.where(infinite[:, None], 0 if zero_infinity else jnp.nan, slope)
    within = jnp.arange(log_probs.shape[0])[:, None] < input_lengths
    slope = jnp.where(within[..., None], slope, 0)
    if zero_infinity:
        loss = jnp.where(infinite, jnp.zeros_like(loss), loss)
    return loss, (slope * tangents[0]).sum((0, 2))


def _labels(targets: Tensor, target_lengths: Tensor, most: int) -> Tensor:
    """The labels as ``(batch, most)``; those beyond a target's length mean nothing."""
    targets = targets.astype(np.int64)
    if targets.ndim == 1:
        starts = jnp.cumsum(target_lengths) - target_lengths
        places = jnp.clip(starts[:, None] + np.arange(most), 0, max(targets.shape[0] - 1, 0))
        targets = targets[places] if targets.shape[0] else jnp.zeros(places.shape, np.int64)
    return targets[:, :most]


def _node(zero_infinity: bool = False, **_: Any) -> str:
    return "WhereBackward0" if zero_infinity else "CtcLossBackward0"


@op(name="ctc_loss.batch", node=_node, grad_node="NotImplemented")
def ctc_loss_batch(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    zero_infinity: bool = False,
    most_labels: int = 0,
) -> Tensor:
    """The loss of each sequence of a batch: ``log_probs`` is ``(time, batch, classes)``.

    ``targets`` is ``(batch, labels)``, padded, or all labels one after another; ``most_labels`` is the length of the
    longest target. The gradient is PyTorch's: that of the input of the log-softmax which made ``log_probs``.
    """
    _check(log_probs, targets, input_lengths, target_lengths, blank)
    lengths = target_lengths.astype(np.int64).reshape(-1)
    labels = jnp.clip(_labels(targets, lengths, most_labels), 0, log_probs.shape[2] - 1)
    ticks = input_lengths.astype(np.int64).reshape(-1)
    return _loss(log_probs, labels, ticks, jnp.clip(lengths, 0, most_labels), blank, zero_infinity)


def _check(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: int) -> None:
    for name, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if lengths.dtype.kind not in "iub":
            raise RuntimeError(f"{name} must be integral")
    if log_probs.size == 0:
        raise RuntimeError("log_probs tensor must not be empty")
    if log_probs.ndim != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for argument #1 "
            f"'log_probs'{_CHECKED}"
        )
    require_dtype(log_probs.dtype, "f", "ctc_loss_cpu")
    if log_probs.dtype.itemsize == 2:
        require_dtype(log_probs.dtype, "", "ctc_loss_cpu")
    batch, classes = log_probs.shape[1:]
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if lengths.size != batch:
            raise RuntimeError(f"{name} must be of size batch_size")
    if targets.ndim not in (1, 2):
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.ndim}-dimensional tensor for argument #2 'targets'{_CHECKED}"
        )
    if targets.ndim == 2 and targets.shape[0] != batch:
        raise RuntimeError(
            f"Expected tensor to have size {batch} at dimension 0, but got size {targets.shape[0]} for argument #2 "
            f"'targets'{_CHECKED}"
        )


_KINDS = ("input_short", "input_long", "target_short", "target_long", "target_sum", "label")


def _error(witness: int, log_probs: Any, targets: Any, **_: Any) -> RuntimeError:
    kind, value = _KINDS[witness >> 32], (witness & 0xFFFFFFFF) - 2**31
    argument = "input_lengths" if kind.startswith("input") else "target_lengths"
    if kind.endswith("short"):
        return RuntimeError(f"Expected {argument} to have value at least 0, but got value {value}{_CHECKED}")
    if kind == "input_long":
        most = log_probs.shape[0]
        return RuntimeError(f"Expected {argument} to have value at most {most}, but got value {value}{_CHECKED}")
    if kind == "target_long":
        return RuntimeError(
            f"Expected tensor to have size at least {value} at dimension 1, but got size {targets.shape[1]} for "
            f"argument #2 'targets'{_CHECKED}"
        )
    if kind == "target_sum":
        return RuntimeError(
            f"Expected tensor to have size {value} at dimension 0, but got size {targets.shape[0]} for argument #2 "
            f"'targets'{_CHECKED}"
        )
    return RuntimeError(f"Expected targets to be below {log_probs.shape[2]} and not negative, but got {value}")


@check_of(ctc_loss_batch, _error)
def _(
    log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, most_labels: int = 0, **_: Any
) -> tuple[Tensor, Tensor]:
    """Lengths out of range, and labels out of range, which PyTorch reads from beyond the array."""
    ticks, lengths = (x.astype(np.int64).reshape(-1) for x in (input_lengths, target_lengths))
    labels = _labels(targets, lengths, most_labels)
    used = np.arange(most_labels) < lengths[:, None]
    strange = used & ((labels < 0) | (labels >= log_probs.shape[2]))
    if targets.ndim == 2:
        too_many, total = lengths.max() > targets.shape[1], lengths.max()
    else:
        too_many, total = lengths.sum() != targets.shape[0], lengths.sum()
    cases: list[tuple[Any, Any]] = [
        (ticks.min() < 0, ticks.min()),
        (ticks.max() > log_probs.shape[0], ticks.max()),
        (lengths.min() < 0, lengths.min()),
        (too_many & (targets.ndim == 2), total),
        (too_many & (targets.ndim == 1), total),
        (strange.any(), jnp.where(strange, labels, 0).sum()),
    ]
    bad, witness = jnp.asarray(False), jnp.asarray(0, np.int64)
    for kind, (wrong, value) in reversed(list(enumerate(cases))):
        bad = bad | wrong
        witness = jnp.where(wrong, (kind << 32) + jnp.clip(value, -(2**31), 2**31 - 1) + 2**31, witness)
    return bad, witness
