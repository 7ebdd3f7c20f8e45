"""Functions of four numbers to one, whose graphs have every shape that an engine meets.

Each takes the torch module and a float64 tensor of shape (4,), so that the same graph runs under PyTorch.
"""

from __future__ import annotations

from typing import Any

START = [0.3, -0.7, 1.1, 0.2]


def chain(torch: Any, x: Any) -> Any:
    for _ in range(20):
        x = (x * 1.1).sin()
    return x.sum()


def diamond(torch: Any, x: Any) -> Any:
    y = x * 2
    return (y.sin() * y.exp() + y).sum()


def many_uses(torch: Any, x: Any) -> Any:
    h = x.tanh()
    return sum((h * float(i)).cos() for i in range(6)).sum()


def unused_branches(torch: Any, x: Any) -> Any:
    y = x.exp()
    y.sin().cos()
    (y * 3).sum()
    return (y * x).sum()


def views(torch: Any, x: Any) -> Any:
    square = torch.outer(x, x)
    a, b = square.t().chunk(2, 1)
    diagonal = (a @ b.t()).diagonal().sum()
    return diagonal + square.expand(2, 4, 4)[1].sum() + square.unfold(0, 2, 1).permute(2, 0, 1)[0].prod()


def in_place(torch: Any, x: Any) -> Any:
    y = x * 3
    y.mul_(x)
    y[0] = x[1] * 2
    y[1:].add_(x[:-1])
    y.sigmoid_()
    return (y * y).sum()


def in_place_through_views(torch: Any, x: Any) -> Any:
    square = torch.outer(x, x)
    row, column = square[0], square.t()[1]
    row.mul_(2)
    column.copy_(x.exp())
    square.view(2, 8)[1].add_(1)
    return (square.sin() * row).sum() + column.prod()


def jacobian_by_assignment(torch: Any, x: Any) -> Any:
    out = torch.zeros(4, 4, dtype=x.dtype)
    for i in range(4):
        out[i] = x * x[i]
        out[i, i] = x[i].exp()
    return (out @ x).pow(3).sum()


def several_results(torch: Any, x: Any) -> Any:
    values, indices = x.sort(descending=True)
    top, where = x.max(0)
    a, b = x.split(2)
    return (values * torch.arange(4.0)).sum() + top * 3 + (indices * 0).sum() + (a / (b * b + 1)).sum() + where * 0


def one_of_several_results(torch: Any, x: Any) -> Any:
    return x.sort().values[2] * x.topk(2).values[1] + x.unbind()[3] ** 2


def indexing(torch: Any, x: Any) -> Any:
    twice = x[torch.tensor([0, 0, 3])]
    picked = x[x.detach() > 0]
    return (twice * torch.arange(1.0, 4.0)).prod() + picked.sum() ** 2 + x.gather(0, torch.tensor([2, 2])).sum()


def matrices(torch: Any, x: Any) -> Any:
    m = x.reshape(2, 2)
    return (m @ m.t() @ m).softmax(1).log().sum() + torch.einsum("ij,kj->ik", m, m).tril().sum()


def reductions(torch: Any, x: Any) -> Any:
    return x.std() + x.var(correction=0) + x.logsumexp(0) + x.norm() + x.cumsum(0).cumprod(0).mean() + x.amax()


def detours(torch: Any, x: Any) -> Any:
    with torch.no_grad():
        scale = (x * 5).sum()
    return (x * scale).sum() + (x.detach() * x).sum() + x.clone().double().float().double().pow(2).sum()


def mixed_dtypes(torch: Any, x: Any) -> Any:
    low = x.float()
    return (low * x).sum() + (low * torch.tensor([1, 2, 3, 4])).sum().double()


def complex_detour(torch: Any, x: Any) -> Any:
    z = torch.complex(x, x * 2)
    return (z * z.conj_physical() + z**3).abs().sum()


def recurrent(torch: Any, x: Any) -> Any:
    h, total = x, x * 0
    for i in range(12):
        h = torch.tanh(h * x + i * 0.1)
        total = total + h * (i + 1)
    return total.mean()


GRAPHS = {
    g.__name__: g
    for g in (
        chain,
        diamond,
        many_uses,
        unused_branches,
        views,
        in_place,
        in_place_through_views,
        jacobian_by_assignment,
        several_results,
        one_of_several_results,
        indexing,
        matrices,
        reductions,
        detours,
        mixed_dtypes,
        complex_detour,
        recurrent,
    )
}
