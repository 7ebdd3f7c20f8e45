"""Gradients where a function has none or several: at kinks, ties, bounds and singular points (PyTorch's choices)."""

from __future__ import annotations

from typing import Any

from convention import INF, NAN, Case, slope


def _tied(t: Any, f: Any) -> Any:
    return slope(t, f, [2.0, 1.0, 2.0])


def _zero_vector(t: Any, f: Any) -> Any:
    return slope(t, f, [[0.0, 0.0, 0.0]])


CASES = [
    Case("abs at 0 is flat", lambda t: slope(t, t.abs, [0.0, -0.0]), [0.0, 0.0]),
    Case(
        "l1_loss at 0 is flat",
        lambda t: slope(t, lambda x: t.nn.functional.l1_loss(x, t.ones(2, dtype=t.float64), reduction="sum"), [1.0, 2]),
        [0.0, 1.0],
    ),
    Case("relu at 0 is flat", lambda t: slope(t, t.relu, [0.0, -1.0, 2.0]), [0.0, 0.0, 1.0]),
    Case(
        "leaky_relu at 0 has the slope",
        lambda t: slope(t, lambda x: t.nn.functional.leaky_relu(x, 0.25), [0.0, 1.0]),
        [0.25, 1.0],
    ),
    Case(
        "hardtanh at its bounds is flat",
        lambda t: slope(t, t.nn.functional.hardtanh, [-1.0, 0.0, 1.0]),
        [0.0, 1.0, 0.0],
    ),
    Case("clamp at a bound passes", lambda t: slope(t, lambda x: x.clamp(-1, 1), [-1.0, 1.0, 2.0]), [1.0, 1.0, 0.0]),
    Case("max over a dimension: all to one of the ties", lambda t: sum(_tied(t, lambda x: x.max(0).values)), 1.0),
    Case(
        "max over a dimension: to the returned index",
        lambda t: _tied(t, lambda x: x.max(0).values)[t.tensor([2.0, 1.0, 2.0]).max(0).indices],
        1.0,
    ),
    Case("min over a dimension: all to one of the ties", lambda t: sum(_tied(t, lambda x: x[::2].min(0).values)), 1.0),
    Case("max of all splits evenly", lambda t: _tied(t, t.max), [0.5, 0.0, 0.5]),
    Case("amax splits evenly", lambda t: _tied(t, lambda x: x.amax(0)), [0.5, 0.0, 0.5]),
    Case("median of an even count is the lower", lambda t: t.tensor([4.0, 1.0, 3.0, 2.0]).median(), 2.0),
    Case(
        "median has one gradient",
        lambda t: slope(t, lambda x: x.median(), [4.0, 1.0, 3.0, 2.0]),
        [0.0, 0.0, 0.0, 1.0],
    ),
    Case("norm of zeros is flat", lambda t: slope(t, lambda x: x.norm(), [0.0, 0.0]), [0.0, 0.0]),
    Case("3-norm of zeros is flat", lambda t: slope(t, lambda x: x.norm(p=3), [0.0, 0.0]), [0.0, 0.0]),
    Case("1-norm is flat in a component 0", lambda t: slope(t, lambda x: x.norm(p=1), [0.0, 2.0]), [0.0, 1.0]),
    Case(
        "cdist of equal points is flat",
        lambda t: slope(t, lambda x: t.cdist(x, t.zeros(1, 2, dtype=t.float64)), [[0.0, 0.0]]),
        [[0.0, 0.0]],
    ),
    Case("std of a constant vector is flat", lambda t: slope(t, lambda x: x.std(), [3.0, 3.0, 3.0]), [0.0, 0.0, 0.0]),
    Case("0 to the power 0, by the base", lambda t: slope(t, lambda x: x ** t.zeros(1, dtype=t.float64), [0.0]), [0.0]),
    Case(
        "xlogy(0, 0) by the first", lambda t: slope(t, lambda x: t.xlogy(x, t.zeros(1, dtype=t.float64)), [0.0]), [0.0]
    ),
    Case("atan2(0, 0) is flat", lambda t: slope(t, lambda x: t.atan2(x, t.zeros(1, dtype=t.float64)), [0.0]), [0.0]),
    Case("hypot(0, 0) has none", lambda t: slope(t, lambda x: t.hypot(x, t.zeros(1, dtype=t.float64)), [0.0]), [NAN]),
    Case(
        "normalize of a zero vector is finite and huge",
        lambda t: _zero_vector(t, t.nn.functional.normalize),
        [[1e12, 1e12, 1e12]],
    ),
    Case(
        "cosine_similarity of a zero vector is finite and huge",
        lambda t: _zero_vector(t, lambda x: t.nn.functional.cosine_similarity(x, t.ones(1, 3, dtype=t.float64))),
        [[57735026.91896258] * 3],
    ),
    Case(
        "binary_cross_entropy clamps its logarithms at -100",
        lambda t: t.nn.functional.binary_cross_entropy(t.tensor([0.0, 1.0]), t.tensor([1.0, 0.0]), reduction="none"),
        [100.0, 100.0],
    ),
    Case(
        "binary_cross_entropy has finite gradients at 0 and 1",
        lambda t: slope(
            t,
            lambda x: t.nn.functional.binary_cross_entropy(x, t.tensor([1.0, 0.0], dtype=t.float64), reduction="sum"),
            [0.0, 1.0],
        ),
        [-1e12, 1e12],
    ),
    Case(
        "scatter with duplicate indices: a gradient to every source",
        lambda t: slope(t, lambda x: t.zeros(2, dtype=t.float64).scatter(0, t.tensor([1, 1, 0]), x), [1.0, 2.0, 3.0]),
        [1.0, 1.0, 1.0],
    ),
]

# Where naive JAX agrees, and a rewrite could lose it.
CASES += [
    Case("sqrt at 0 is steep", lambda t: slope(t, t.sqrt, [0.0]), [INF]),
    Case(
        "where leaks NaN from the branch not taken",
        lambda t: slope(t, lambda x: t.where(x > 0, x.sqrt(), x), [0.0]),
        [NAN],
    ),
    Case("std of one element is NaN", lambda t: t.tensor([1.0]).var(correction=1), NAN),
    Case("prod with a zero", lambda t: slope(t, lambda x: x.prod(), [2.0, 0.0, 3.0]), [0.0, 6.0, 0.0]),
    Case("prod with two zeros", lambda t: slope(t, lambda x: x.prod(), [2.0, 0.0, 0.0]), [0.0, 0.0, 0.0]),
    Case("cumprod with a zero", lambda t: slope(t, lambda x: x.cumprod(0), [2.0, 0.0, 3.0]), [1.0, 8.0, 0.0]),
    Case("softmax of -inf alone is NaN", lambda t: t.full((2,), -INF).softmax(0), [NAN, NAN]),
    Case(
        "max_pool ties go to the first",
        lambda t: slope(t, lambda x: t.nn.functional.max_pool1d(x, 3), [[5.0, 5.0, 5.0]]),
        [[1.0, 0.0, 0.0]],
    ),
    Case(
        "maximum and minimum keep NaN",
        lambda t: (
            t.maximum(t.tensor([1.0, NAN]), t.tensor([NAN, 1.0])),
            t.minimum(t.tensor([1.0, NAN]), t.tensor([NAN, 1.0])),
        ),
        [[NAN, NAN], [NAN, NAN]],
    ),
    Case("amax keeps NaN", lambda t: t.tensor([[1.0, NAN, 3.0], [0.0, 2.0, 1.0]]).amax(1), [NAN, 2.0]),
]
