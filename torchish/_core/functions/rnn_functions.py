"""Recurrent networks of several layers and directions, and sequences of different lengths: padded, and packed.

A packed batch is the steps of all sequences one behind the other: first the first steps of all, then the second ones of
those that have two, and so on. ``batch_sizes`` says how many sequences have each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..._ops.nn.rnn import CELLS
from ..._ops.registry import OPS
from ..creation import tensor_of_array
from ..dispatch import call
from ..methods import host_array
from ..public import PUBLIC, public
from ..tensor import Tensor

_TORCH = PUBLIC["torch"]


class _Packing(NamedTuple):
    """Where the rows of packed data lie in the padded batch, and the other way round."""

    batch_sizes: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Steps and sequences."""
        return len(self.batch_sizes), int(self.batch_sizes[0])

    def alive(self, steps: int | None = None) -> np.ndarray:
        """Which sequences have which step: ``(steps, sequences)``."""
        sizes = np.zeros(steps or len(self.batch_sizes), np.int64)
        sizes[: len(self.batch_sizes)] = self.batch_sizes
        return np.arange(self.shape[1]) < sizes[:, None]

    def lengths(self) -> np.ndarray:
        return self.alive().sum(0)

    def padded(self, data: Any) -> Any:
        """The data as ``(steps, sequences, ...)``; beyond the end of a sequence there is some row."""
        rows = np.cumsum(self.alive().reshape(-1)) - 1
        return data.index_select(0, _indices(rows, data)).reshape(*self.shape, *data.shape[1:])

    def packed(self, padded: Any) -> Any:
        """``padded`` the other way round."""
        flat = padded.reshape(-1, *padded.shape[2:])
        return flat.index_select(0, _indices(np.flatnonzero(self.alive()), padded))


def _indices(array: np.ndarray, like: Tensor) -> Tensor:
    return tensor_of_array(np.ascontiguousarray(array, np.int64), like._storage.aval.placement)


# Networks


class _Network(NamedTuple):
    """What the functions are given beside input and state."""

    mode: str
    params: Sequence[Tensor]
    has_biases: bool
    num_layers: int
    dropout: float
    train: bool
    bidirectional: bool

    def weights(self) -> list[Sequence[Tensor]]:
        """Those of each layer and direction."""
        directions = self.num_layers * (2 if self.bidirectional else 1)
        count = len(self.params) // max(directions, 1)
        plain = 4 if self.has_biases else 2
        if count * directions != len(self.params) or count not in (plain, plain + (self.mode == "lstm")):
            raise RuntimeError(f"MatrixRef: ArrayRef size {len(self.params)} not divisible by stride {plain}")
        return [self.params[i * count : (i + 1) * count] for i in range(directions)]


def _run(net: _Network, input: Any, hx: Sequence[Any], packing: _Packing | None) -> tuple[Any, ...]:
    """Output and last states. Padded input is ``(steps, batch, features)``, packed as it is."""
    weights, directions = net.weights(), 2 if net.bidirectional else 1
    lengths = None if packing is None else _indices(packing.lengths(), input)
    finals: list[tuple[Any, ...]] = []
    for layer in range(net.num_layers):
        x = input if packing is None else packing.padded(input)
        outputs = []
        for direction in range(directions):
            i = layer * directions + direction
            state = [h[i] for h in hx]
            output, *final = call(
                OPS["recurrent.layer"],
                (x, state, list(weights[i]), lengths),
                (net.mode, net.has_biases, direction == 1),
            )
            outputs.append(output)
            finals.append(tuple(final))
        input = outputs[0] if directions == 1 else _TORCH["cat"](outputs, -1)
        if packing is not None:
            input = packing.packed(input)
        if net.dropout and net.train and layer < net.num_layers - 1:
            input = _TORCH["dropout"](input, net.dropout, True)
    return input, *(_TORCH["stack"](states) for states in zip(*finals, strict=True))


def _padded(net: _Network, input: Any, hx: Sequence[Any], batch_first: bool) -> tuple[Any, ...]:
    if batch_first:
        input = input.transpose(0, 1)
    if not input.shape[0]:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    output, *finals = _run(net, input, hx, None)
    return output.transpose(0, 1) if batch_first else output, *finals


def _packed(net: _Network, data: Any, batch_sizes: Tensor, hx: Sequence[Any]) -> tuple[Any, ...]:
    return _run(net, data, hx, _Packing(host_array(batch_sizes)))


def _function(mode: str, shown: str) -> Any:
    states = CELLS[mode].states

    def function(input: Tensor, *args: Any) -> Any:
        packed = isinstance(args[2], (list, tuple))  # the parameters come later, where there are batch sizes
        hx = args[1] if packed else args[0]
        if mode == "lstm" and len(hx) != states:
            raise RuntimeError("lstm expects two hidden states")
        state = tuple(hx) if states > 1 else (hx,)
        if packed:
            return _packed(_Network(mode, *args[2:]), input, args[0], state)
        return _padded(_Network(mode, *args[1:7]), input, state, args[7])

    function.__doc__ = (
        f"{shown} of several layers: output and last state.\n\n"
        "Called with ``(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)``, or for "
        "packed input with ``(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)``."
    )
    return public("torch", name=mode)(function)


for _mode, _shown in (
    ("lstm", "An LSTM"),
    ("gru", "A gated recurrent unit"),
    ("rnn_tanh", "An Elman network with tanh"),
    ("rnn_relu", "An Elman network with relu"),
):
    globals()[_mode] = _function(_mode, _shown)


# Packing

_UNSORTED = (
    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
    "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need "
    "ONNX exportability."
)


@public("torch")
def _pack_padded_sequence(input: Any, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """The packed data and its batch sizes; the sequences must be sorted, the longest first."""
    if lengths.device.type != "cpu":
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths._aval.ndim}D {lengths.device} {lengths.dtype} tensor"  # PyTorch names the device here too
        )
    sizes = host_array(lengths)
    if batch_first:
        input = input.transpose(0, 1)
    elif len(input.shape) < 2:
        input.size(1)  # raises
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    if len(sizes) != input.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={input.shape[1]})"
        )
    if (sizes <= 0).any():
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (np.diff(sizes) > 0).any():
        raise RuntimeError(_UNSORTED)
    batch_sizes = (np.arange(sizes[0])[:, None] < sizes).sum(1)
    packed = _Packing(batch_sizes).packed(input[: int(sizes[0])])
    return packed, tensor_of_array(batch_sizes.astype(np.int64), lengths._storage.aval.placement)


@public("torch")
def _pad_packed_sequence(
    data: Any, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Tensor, Tensor]:
    """The padded batch, ``total_length`` steps long, and the lengths."""
    packing = _Packing(host_array(batch_sizes))
    alive = packing.alive(total_length)
    padded = packing.padded(data)
    missing = total_length - packing.shape[0]
    if missing:
        padded = _TORCH["cat"]([padded, padded.new_zeros(missing, *padded.shape[1:])])
    ended = tensor_of_array(~alive, data._storage.aval.placement).reshape(*alive.shape, *[1] * (data.dim() - 1))  # type: ignore[attr-defined]
    padded = padded.masked_fill(ended, padding_value)
    lengths = tensor_of_array(packing.lengths().astype(np.int64), batch_sizes._storage.aval.placement)
    return padded.transpose(0, 1) if batch_first else padded, lengths
