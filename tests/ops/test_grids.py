"""The trapezoidal rule and gradient: recorded values, spacings, edges and errors."""

from __future__ import annotations

import numpy as np
import pytest

import torchish as torch

Y = torch.tensor([1.0, 3.0, 7.0, 2.0])
M = torch.arange(6.0).reshape(2, 3)


def test_trapezoid():
    assert torch.trapezoid(Y).item() == 11.5
    assert torch.trapezoid(M, dx=2).tolist() == [4.0, 16.0]
    assert torch.trapezoid(M, torch.tensor([0.0, 3.0]), dim=0).tolist() == [4.5, 7.5, 10.5]
    assert torch.trapz(M, M * M).tolist() == [5.0, 65.0]
    assert torch.trapezoid(torch.tensor([1, 2, 4])).item() == 4.5
    assert torch.trapezoid(torch.tensor([200, 100], dtype=torch.uint8)).item() == 278.0  # the ends are added as bytes
    assert torch.trapezoid(torch.zeros(2, 0)).tolist() == [0.0, 0.0]
    assert torch.cumulative_trapezoid(Y).tolist() == [2.0, 7.0, 11.5]
    assert torch.cumulative_trapezoid(M, torch.tensor([0.0, 1.0, 3.0])).tolist() == [[0.5, 3.5], [3.5, 12.5]]
    assert torch.cumulative_trapezoid(torch.ones(1)).shape == (0,)


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: torch.trapezoid(torch.tensor([True])), RuntimeError, "received a bool input for `y`, but bool is not"),
        (lambda: torch.trapezoid(Y, Y > 0), RuntimeError, "received a bool input for `x` or `y`"),
        (lambda: torch.trapezoid(M, Y), RuntimeError, "There must be one `x` value for each sample point"),
        (lambda: torch.trapezoid(Y, dx=1j), RuntimeError, "Currently, we only support dx as a real number."),
        (lambda: torch.trapezoid(Y, Y, dx=1.0), TypeError, r"got \(Tensor, Tensor, dx=float\)"),
        (lambda: torch.cumulative_trapezoid(torch.tensor(1.0)), IndexError, r"slice\(\) cannot be applied to a 0-dim"),
        (lambda: torch.gradient(Y, edge_order=3), RuntimeError, "only supports edge_order=1 and edge_order=2."),
        (
            lambda: torch.gradient(Y[:2], edge_order=2),
            RuntimeError,
            "each dimension size to be at least edge_order[+]1",
        ),
        (lambda: torch.gradient(M, spacing=[1.0]), RuntimeError, "a list of length equal to 'self.dim\\(\\) = 2'"),
        (lambda: torch.gradient(M, dim=(0, -2)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
        (lambda: torch.gradient(Y.to(torch.uint8)), RuntimeError, "does not support uint8 input."),
        (lambda: torch.gradient(Y, spacing=(M,)), RuntimeError, "to have one dimension, but got an element with 2 dim"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_gradient():
    (g,) = torch.gradient(Y)
    assert g.tolist() == [2.0, 3.0, -0.5, -5.0]
    (g,) = torch.gradient(Y, edge_order=2)
    assert g.tolist() == [1.0, 3.0, -0.5, -9.5]
    rows, columns = torch.gradient(M, spacing=[1, 2.0])
    assert rows.tolist() == [[3.0] * 3] * 2 and columns.tolist() == [[0.5] * 3] * 2
    (g,) = torch.gradient(torch.tensor([1, 2, 4]), spacing=2)
    assert g.tolist() == [0.5, 0.75, 1.0] and g.dtype is torch.float32
    assert torch.gradient(Y, spacing=1j)[0].dtype is torch.complex64
    assert torch.gradient(torch.tensor(1.0)) == ()


def test_gradient_at_coordinates_is_exact_for_parabolas():
    x = torch.tensor([0.0, 1.0, 4.0, 5.0, 7.0], dtype=torch.float64)
    (g,) = torch.gradient(3 * x**2 - x, spacing=(x,), edge_order=2)
    np.testing.assert_allclose(g.numpy(), (6 * x - 1).numpy())


def test_derivatives():
    y = Y.clone().requires_grad_()
    torch.trapezoid(y, dx=0.5).backward()
    assert y.grad.tolist() == [0.25, 0.5, 0.5, 0.25]
    (g,) = torch.autograd.grad(torch.gradient(y, spacing=0.5)[0].pow(2).sum(), y)
    assert g.tolist() == [-28.0, 18.0, 52.0, -42.0]
