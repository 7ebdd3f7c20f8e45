"""Fit a cubic to the sine: first with an update written by hand, then with a module and an optimizer."""

import torch
from torch import nn

STEPS = 2000


def by_hand(x, y):
    """Gradient descent on four scalars; the update runs under no_grad."""
    a, b, c, d = (torch.randn((), requires_grad=True) for _ in range(4))
    for step in range(STEPS):
        prediction = a + b * x + c * x**2 + d * x**3
        loss = (prediction - y).pow(2).sum()
        if step % 400 == 399:
            print(f"by hand, step {step + 1}: loss {loss.item():.3f}")
        loss.backward()
        with torch.no_grad():
            for weight in (a, b, c, d):
                weight -= 1e-6 * weight.grad
                weight.grad = None
    print(f"y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")


def with_module(x, y):
    """The same fit as a linear layer over the powers of x, trained by Adam."""
    powers = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(STEPS):
        loss = loss_fn(model(powers), y)
        if step % 400 == 399:
            print(f"module, step {step + 1}: loss {loss.item():.3f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    linear = model[0]
    weights = [f"{weight:.4f}" for weight in linear.weight[0].tolist()]
    print(f"y = {linear.bias.item():.4f} + {weights[0]} x + {weights[1]} x^2 + {weights[2]} x^3")


if __name__ == "__main__":
    torch.manual_seed(0)
    grid = torch.linspace(-torch.pi, torch.pi, 2000)
    by_hand(grid, torch.sin(grid))
    with_module(grid, torch.sin(grid))
