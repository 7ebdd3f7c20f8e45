"""Recurrent networks beside PyTorch's: parameters, outputs, gradients, and the numbers that dropout draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torchish  # noqa: E402

pytestmark = pytest.mark.oracle

NETWORKS = [
    ("RNN", {"nonlinearity": "relu", "bias": False}, None),
    ("RNN", {"num_layers": 2, "bidirectional": True}, [5, 2, 1]),
    ("LSTM", {"num_layers": 3, "dropout": 0.4}, None),
    ("LSTM", {"num_layers": 2, "dropout": 0.5, "bidirectional": True}, [5, 2, 1]),
    ("LSTM", {"proj_size": 2, "batch_first": True}, None),
    ("LSTM", {"proj_size": 2, "bidirectional": True}, [2, 5, 3]),
    ("GRU", {"num_layers": 2, "dropout": 0.5, "batch_first": True}, None),
    ("GRU", {"bidirectional": True}, [2, 5, 3]),
]


def outcome(library: Any, name: str, options: dict, lengths: list[int] | None) -> list:
    library.manual_seed(5)
    module = getattr(library.nn, name)(3, 4, **options)
    x = library.randn(5, 3, 3).requires_grad_()
    first = bool(options.get("batch_first"))
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    h = library.randn(layers, 5 if first else 3, options.get("proj_size", 4)).requires_grad_()
    hx = (h, library.randn(layers, 5 if first else 3, 4)) if name == "LSTM" else h
    given = x
    if lengths is not None:
        pack = library.nn.utils.rnn.pack_padded_sequence
        given = pack(x, lengths, first, enforce_sorted=lengths == sorted(lengths, reverse=True))
    output, state = module(given, hx)
    states = list(state) if name == "LSTM" else [state]
    if lengths is not None:
        output, found = library.nn.utils.rnn.pad_packed_sequence(output, first, -2.0)
        assert found.tolist() == lengths
    (output.sin().sum() + sum((s * s).sum() for s in states)).backward()
    gradients = [x.grad, h.grad, *(p.grad for p in module.parameters())]
    return [t.detach().numpy() for t in (*module.parameters(), output, *states, *gradients)]


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@pytest.mark.parametrize(("name", "options", "lengths"), NETWORKS)
def test_as_pytorch(name: str, options: dict, lengths: list[int] | None) -> None:
    got, want = (outcome(library, name, options, lengths) for library in (torchish, torch))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


CELLS = ["RNNCell", "LSTMCell", "GRUCell"]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "complex64"])
def test_cells_as_pytorch(name: str, dtype: str) -> None:
    found = []
    for library in (torchish, torch):
        library.manual_seed(2)
        cell = getattr(library.nn, name)(3, 4, dtype=getattr(library, dtype))
        state = cell(library.ones(2, 3, dtype=getattr(library, dtype)))
        states = state if isinstance(state, tuple) else (state,)
        found.append([np.asarray(s.detach().to(library.complex128).numpy()) for s in states])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2 if dtype == "bfloat16" else 1e-5)
