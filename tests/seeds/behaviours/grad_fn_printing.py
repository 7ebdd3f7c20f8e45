import re

import torchish as torch
from torchish.nn import functional as F


def masked(value):
    return re.sub("0x[0-9a-f]+", "0x", repr(value))


x = torch.ones(2, 2, requires_grad=True)
y = x + 2
print(x, x.grad_fn)
print(y, masked(y.grad_fn))
z = y * y * 3
print(z, z.mean())
for result in (
    x - 1,
    x / 2,
    -x,
    x**2,
    x.pow(x),
    x.exp(),
    x.log(),
    x.sum(),
    x.sum(dim=0),
    x.mean(dim=1),
    x.t(),
    x.view(4),
    x.reshape(-1),
    x[0],
    x[:, 1],
    x[x > 0],
    x @ x,
    torch.mv(x, torch.ones(2)),
    x.view(4).dot(torch.ones(4)),
    torch.cat([x, x]),
    torch.stack([x, x]),
    torch.relu(x),
    torch.sigmoid(x),
    torch.tanh(x),
    x.clone(),
    x.unsqueeze(0),
    x.max(),
    x.max(dim=0).values,
    F.mse_loss(x, torch.zeros(2, 2)),
    F.binary_cross_entropy_with_logits(x, torch.zeros(2, 2)),
    F.cross_entropy(x, torch.tensor([0, 1])),
    F.linear(x, x, torch.ones(2)),
):
    print(masked(result.grad_fn), result.is_leaf)
print(x.sum(), x.detach(), x.double())
print([masked(edge[0]) for edge in z.grad_fn.next_functions], z.grad_fn.name())
parameter = torch.nn.Parameter(torch.zeros(2))
print(parameter, [parameter])
