import math

import torchish as torch
from torchish import nn

torch.manual_seed(0)
x = torch.linspace(-math.pi, math.pi, 2000)
y = torch.sin(x)
xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
print(xx.shape, xx.dtype, xx[0], xx[-1])

model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
loss_fn = nn.MSELoss(reduction="sum")
for step in range(2000):
    loss = loss_fn(model(xx), y)
    if step % 100 == 99:
        print(step, loss.item())
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 1e-6 * parameter.grad

layer = model[0]
print(f"y = {layer.bias.item()} + {layer.weight[:, 0].item()} x + {layer.weight[:, 2].item()} x^3")
print(layer.weight, layer.weight.grad is not None)
