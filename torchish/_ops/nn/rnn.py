"""Recurrent networks: one direction of one layer over all steps, and single steps.

What the input contributes is one product for all steps, before the scan. The scan's derivative is written out, so that
the gradients of weights are one product over all steps as well: differentiating the scan would add them up step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from ..precision import matmul_precision
from ..registry import Tensor, Tensors, op
from ..scalar_types import scalar_name

State = tuple[jax.Array, ...]  # what a step hands on: h, and c of an LSTM


class Cell(NamedTuple):
    """One step. ``step`` takes the state and what input and state contribute: their sum, or both where ``apart``."""

    gates: int
    states: int
    step: Callable[..., State]
    apart: bool = False


def _lstm(state: State, z: jax.Array) -> State:
    i, f, g, o = jnp.split(z, 4, -1)
    c = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _gru(state: State, x: jax.Array, h: jax.Array) -> State:
    r, z = (jax.nn.sigmoid(part) for part in jnp.split((x + h)[..., : 2 * state[0].shape[-1]], 2, -1))
    n = jnp.tanh(jnp.split(x, 3, -1)[2] + r * jnp.split(h, 3, -1)[2])
    return ((state[0] - n) * z + n,)


def _relu(state: State, z: jax.Array) -> State:
    return (jnp.where(z > 0, z, 0),)


CELLS = {
    "rnn_tanh": Cell(1, 1, lambda state, z: (jnp.tanh(z),)),
    "rnn_relu": Cell(1, 1, _relu),
    "lstm": Cell(4, 2, _lstm),
    "gru": Cell(3, 1, _gru, apart=True),
}


def _times(x: jax.Array, weight: jax.Array) -> jax.Array:
    """``x @ weight.T``."""
    return lax.dot_general(x, weight, (((x.ndim - 1,), (1,)), ((), ())), precision=matmul_precision())


def _with_bias(x: jax.Array, bias: jax.Array | None) -> jax.Array:
    return x if bias is None else x + bias


def _stepped(cell: Cell, state: State, parts: tuple[jax.Array, ...], alive: jax.Array | None) -> State:
    """The next state; the same one for sequences that have ended."""
    new = cell.step(state, *parts)
    return new if alive is None else tuple(jnp.where(alive[:, None], n, s) for n, s in zip(new, state, strict=True))


def _scan(
    mode: str,
    reverse: bool,
    keep: bool,
    xs: jax.Array,
    state: State,
    weight: jax.Array,
    bias: jax.Array | None,
    alive: jax.Array | None,
) -> Any:
    cell = CELLS[mode]

    def step(state: State, given: Any) -> Any:
        x, alive = given
        h = _with_bias(_times(state[0], weight), bias)
        parts = (x, h) if cell.apart else (x + h,)
        new = _stepped(cell, state, parts, alive)
        return new, (new[0], (state, parts) if keep else None)

    scanned: Any = lax.scan(step, state, (xs, alive), reverse=reverse)
    final, (outputs, kept) = scanned
    return (outputs, final), kept


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _steps(mode: str, reverse: bool, *args: Any) -> tuple[jax.Array, State]:
    """All steps: ``xs`` (steps, batch, gates), the state, weight, bias, and which sequences have not ended yet."""
    return _scan(mode, reverse, False, *args)[0]


def _steps_forward(mode: str, reverse: bool, *args: Any) -> tuple:
    results, kept = _scan(mode, reverse, True, *args)
    _, _, weight, bias, alive = args
    return results, (kept, weight, bias, alive)


def _steps_backward(mode: str, reverse: bool, saved: tuple, cotangents: tuple) -> tuple:
    (before, parts), weight, bias, alive = saved
    of_outputs, of_final = cotangents
    cell = CELLS[mode]

    def step(of_state: State, given: Any) -> Any:
        of_output, before, parts, alive = given
        pull = jax.vjp(lambda state, parts: _stepped(cell, state, parts, alive), before, parts)[1]
        of_before, of_parts = pull((of_state[0] + of_output, *of_state[1:]))
        return (of_before[0] + _times(of_parts[-1], weight.T), *of_before[1:]), of_parts

    scanned: Any = lax.scan(step, of_final, (of_outputs, before, parts, alive), reverse=not reverse)
    of_state, of_parts = scanned
    of_h = of_parts[-1]
    of_weight = jnp.einsum("tbg,tbh->gh", of_h, before[0], precision=matmul_precision())
    of_bias = None if bias is None else of_h.sum((0, 1))
    return of_parts[0], of_state, of_weight, of_bias, None


_steps.defvjp(_steps_forward, _steps_backward)


def _projected_steps(
    reverse: bool,
    xs: jax.Array,
    state: State,
    weight: jax.Array,
    projection: jax.Array,
    alive: jax.Array | None,
) -> tuple[jax.Array, State]:
    """The steps of an LSTM whose h is a projection of what the cell gives."""

    def step(state: State, given: Any) -> Any:
        x, alive = given
        h, c = _lstm(state, x + _times(state[0], weight))
        new: State = (_times(h, projection), c)
        if alive is not None:
            new = tuple(jnp.where(alive[:, None], n, s) for n, s in zip(new, state, strict=True))
        return new, new[0]

    scanned: Any = lax.scan(step, state, (xs, alive), reverse=reverse)
    return scanned[1], scanned[0]


def _node(mode: str, **_: Any) -> str:
    return "MkldnnRnnLayerBackward0" if mode == "lstm" else "StackBackward0"


@op(name="recurrent.layer", node=_node)
def recurrent_layer(
    input: Tensor,
    state: Tensors,
    weights: Tensors,
    lengths: Tensor | None = None,
    mode: str = "lstm",
    biases: bool = True,
    reverse: bool = False,
) -> tuple[Tensor, ...]:
    """One direction of one layer: outputs ``(steps, batch, size)``, and the last state.

    ``input`` is ``(steps, batch, features)``; ``weights`` are of input and state, then their biases, then an LSTM's
    projection. Of ``lengths``, beyond them a sequence's state stays what it is.
    """
    w_input, w_state, *rest = weights
    b_input, b_state = rest[:2] if biases else (None, None)
    cell = CELLS[mode]
    xs = _with_bias(_times(input, w_input), b_input)
    if not cell.apart:
        xs, b_state = _with_bias(xs, b_state), None
    alive = None if lengths is None else jnp.arange(input.shape[0])[:, None] < lengths
    if len(rest) % 2:
        outputs, final = _projected_steps(reverse, xs, tuple(state), w_state, rest[-1], alive)
    else:
        outputs, final = _steps(mode, reverse, xs, tuple(state), w_state, b_state, alive)
    return outputs, *final


# Single steps


def _check_cell(input: Tensor, state: Any, w_input: Tensor, w_state: Tensor, gates: int) -> None:
    if input.dtype != w_input.dtype:
        names = [scalar_name(x.dtype) for x in (input, w_input)]
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {names[0]} and {names[1]}")
    if input.shape[1] != w_input.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {input.shape[1]} expected {w_input.shape[1]}")
    for i, h in enumerate(state):
        if input.shape[0] != h.shape[0]:
            raise RuntimeError(f"Input batch size {input.shape[0]} doesn't match hidden{i} batch size {h.shape[0]}")
        if h.shape[1] != w_state.shape[0] // gates:
            raise RuntimeError(
                f"hidden{i} has inconsistent hidden_size: got {h.shape[1]}, expected {w_state.shape[0] // gates}"
            )


def _cell(mode: str, input: Tensor, state: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any, b_hh: Any) -> State:
    cell = CELLS[mode]
    _check_cell(input, state, w_ih, w_hh, cell.gates)
    x, h = _with_bias(_times(input, w_ih), b_ih), _with_bias(_times(state[0], w_hh), b_hh)
    return cell.step(tuple(state), *((x, h) if cell.apart else (x + h,)))


@op(namespaces=("torch",), node="TanhBackward0")
def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """``tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``."""
    return _cell("rnn_tanh", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@op(namespaces=("torch",), node="ReluBackward0")
def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """``relu(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``."""
    return _cell("rnn_relu", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@op(namespaces=("torch",), node="AddBackward0")
def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """A step of a gated recurrent unit: the new ``hx``. The gates' rows in the weights are reset, update, new."""
    return _cell("gru", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@op(namespaces=("torch",), node="MulBackward0")
def lstm_cell(
    input: Tensor, hx: Tensors, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """A step of an LSTM of state ``(h, c)``: the new one. The gates' rows are input, forget, cell, output."""
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    h, c = _cell("lstm", input, hx, w_ih, w_hh, b_ih, b_hh)
    return h, c
