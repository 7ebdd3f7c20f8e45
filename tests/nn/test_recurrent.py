"""Recurrent networks: the layers against a loop of cells, packed sequences against each sequence alone."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import torchish as torch
from torchish import nn
from torchish.nn.utils import rnn

CLASSES = {"RNN": (nn.RNN, nn.RNNCell), "LSTM": (nn.LSTM, nn.LSTMCell), "GRU": (nn.GRU, nn.GRUCell)}
each_class = pytest.mark.parametrize("name", CLASSES)


def numbers(*shape: int) -> torch.Tensor:
    n = torch.Size(shape).numel()
    return torch.sin(torch.arange(float(n)) * 1.7).double().reshape(shape)


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    assert a.shape == b.shape
    assert torch.allclose(a, b, rtol=1e-9, atol=1e-9), (a - b).abs().max().item()


def first(state: Any) -> torch.Tensor:
    return state[0] if isinstance(state, tuple) else state


def looped(cell: nn.Module, layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What ``layer`` should give, by its weights in a cell."""
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    state, outputs = None, []
    for step in x:
        state = cell(step, state)
        outputs.append(first(state))
    return torch.stack(outputs)


@each_class
def test_a_layer_is_a_loop_of_cells(name: str) -> None:
    layer_of, cell_of = CLASSES[name]
    layer, cell = layer_of(3, 4, dtype=torch.float64), cell_of(3, 4, dtype=torch.float64)
    x = numbers(3, 2, 3).requires_grad_()
    for module, run in ((layer, lambda: layer(x)[0]), (cell, lambda: looped(cell, layer, x))):
        output = run()
        gradients = torch.autograd.grad(output.pow(2).sum(), [x, *module.parameters()], create_graph=True)
        second = torch.autograd.grad(sum(g.sin().sum() for g in gradients), [x, *module.parameters()])
        if module is layer:
            expected = (output, *gradients, *second)
    for got, want in zip((output, *gradients, *second), expected, strict=True):
        close(got, want)


@each_class
def test_layers_and_directions(name: str) -> None:
    """Two layers in both directions, by single layers in one direction."""
    layer_of, _ = CLASSES[name]
    whole = layer_of(3, 4, 2, bidirectional=True, batch_first=True, dtype=torch.float64)
    x = numbers(2, 5, 3)
    output, state = whole(x)
    finals = []
    for layer in range(2):
        sides = []
        for suffix in ("", "_reverse"):
            one = layer_of(x.shape[-1], 4, batch_first=True, dtype=torch.float64)
            mine = f"_l{layer}{suffix}"
            one.load_state_dict(
                {k.removesuffix(mine) + "_l0": v for k, v in whole.state_dict().items() if k.endswith(mine)}
            )
            seen = x.flip(1) if suffix else x
            side, final = one(seen)
            sides.append(side.flip(1) if suffix else side)
            finals.append(first(final))
        x = torch.cat(sides, -1)
    close(output, x)
    close(first(state), torch.cat(finals))


@pytest.mark.parametrize(("name", "enforce_sorted"), [("RNN", True), ("LSTM", False), ("GRU", False)])
def test_packed_sequences_are_each_run_alone(name: str, enforce_sorted: bool) -> None:
    layer_of, _ = CLASSES[name]
    module = layer_of(3, 4, bidirectional=True, dtype=torch.float64)
    lengths = [3, 1] if enforce_sorted else [1, 3]
    x = numbers(3, 2, 3).requires_grad_()
    packed, state = module(rnn.pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted))
    output, found = rnn.pad_packed_sequence(packed, padding_value=-1.0)
    assert found.tolist() == lengths
    (gradient,) = torch.autograd.grad(output.sin().sum(), x)
    for i, length in enumerate(lengths):
        alone = x[:length, i].detach().requires_grad_()
        want, final = module(alone)
        close(output[:length, i], want)
        assert (output[length:, i] == -1).all()
        close(first(state)[:, i], first(final))
        close(gradient[:length, i], torch.autograd.grad(want.sin().sum(), alone)[0])
        assert not gradient[length:, i].any()


def test_a_projection() -> None:
    module = nn.LSTM(3, 4, proj_size=2, dtype=torch.float64)
    output, (h, c) = module(numbers(5, 2, 3))
    assert output.shape == (5, 2, 2) and h.shape == (1, 2, 2) and c.shape == (1, 2, 4)
    assert list(module.state_dict())[-1] == "weight_hr_l0"
    output.sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in module.parameters())


OUTPUT = [0.06873, 0.02494, 0.11665, 0.04616]
CELL = [-0.43642, -0.03249, 0.40602, 0.14976]


def test_numbers_of_pytorch() -> None:
    torch.manual_seed(0)
    module = nn.LSTM(2, 2, num_layers=2, dropout=0.5)
    output, (_, c) = module(torch.ones(2, 1, 2))
    # Recorded from PyTorch 2.13: weights and dropout come from its generator.
    assert output.flatten().tolist() == pytest.approx(OUTPUT, abs=1e-5)
    assert c.flatten().tolist() == pytest.approx(CELL, abs=1e-5)


def test_a_copy_follows_its_own_weights() -> None:
    module = nn.GRU(2, 3)
    for made in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        with torch.no_grad():
            for p in made.parameters():
                p.zero_()
        assert not made(torch.ones(1, 1, 2))[0].any() and module(torch.ones(1, 1, 2))[0].any()


def test_shown() -> None:
    assert repr(nn.LSTM(4, 3, 2, False, True, 0.5, True, 2)) == (
        "LSTM(4, 3, proj_size=2, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)"
    )
    assert repr(nn.RNNCell(3, 4, False, "relu")) == "RNNCell(3, 4, bias=False, nonlinearity=relu)"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: nn.RNN(3, 4, nonlinearity="x"), ValueError, "Unknown nonlinearity 'x'. Select from 'tanh' or 'relu'."),
        (lambda: nn.GRU(3, 4, proj_size=2), ValueError, "proj_size argument is only supported for LSTM, not RNN or GRU"),
        (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size has to be smaller than hidden_size"),
        (lambda: nn.LSTM(3, 4)(torch.ones(2, 5)), RuntimeError,
         "input.size(-1) must be equal to input_size. Expected 3, got 5"),
        (lambda: nn.LSTM(3, 4)(torch.ones(3)), ValueError, "LSTM: Expected input to be 2D or 3D, got 1D instead"),
        (lambda: nn.GRU(3, 4)(torch.ones(2, 1, 3), torch.ones(1, 2, 4)), RuntimeError,
         "Expected hidden size (1, 1, 4), got [1, 2, 4]"),
        (lambda: nn.GRU(3, 4)(torch.ones(2, 1, 3), torch.ones(1, 4)), RuntimeError,
         "For batched 3-D input, hx should also be 3-D but got 2-D tensor"),
        (lambda: nn.GRU(3, 4)(torch.ones(0, 1, 3)), RuntimeError,
         "Expected sequence length to be larger than 0 in RNN"),
        (lambda: nn.GRUCell(3, 4)(torch.ones(2, 5)), RuntimeError, "input has inconsistent input_size: got 5 expected 3"),
        (lambda: nn.LSTMCell(3, 4)(torch.ones(2, 3), (torch.ones(2, 5),) * 2), RuntimeError,
         "hidden0 has inconsistent hidden_size: got 5, expected 4"),
        (lambda: rnn.pack_padded_sequence(torch.ones(3, 2), [3, 0]), RuntimeError,
         "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"),
        (lambda: rnn.pad_sequence([]), RuntimeError, "received an empty list of sequences"),
    ],
)  # fmt: skip
def test_what_is_refused(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == text


def test_dropout_of_one_layer_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer") as caught:
        nn.LSTM(3, 4, dropout=0.5)
    assert caught[0].filename == __file__


def test_sequences_padded_and_unpadded() -> None:
    sequences = [torch.tensor([1, 2]), torch.tensor([3, 4, 5])]
    assert rnn.pad_sequence(sequences, batch_first=True, padding_side="left").tolist() == [[0, 1, 2], [3, 4, 5]]
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    assert packed.data.tolist() == [3, 1, 4, 2, 5] and packed.batch_sizes.tolist() == [2, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 0] and packed.double().data.dtype == torch.float64
    assert [s.tolist() for s in rnn.unpack_sequence(packed)] == [[1, 2], [3, 4, 5]]
