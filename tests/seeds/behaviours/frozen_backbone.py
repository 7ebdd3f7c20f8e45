import torchish as torch
from torchish import nn


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        h = torch.relu(self.bn(self.conv(x)))
        return self.fc((h + x).mean(dim=(2, 3)))


torch.manual_seed(1)
model = Backbone()
for parameter in model.parameters():
    parameter.requires_grad = False
model.fc = nn.Linear(4, 2)
print([(name, parameter.requires_grad) for name, parameter in model.named_parameters()])

images = torch.randn(16, 1, 6, 6)
labels = (images.mean(dim=(1, 2, 3)) > 0).long()
kept = model.conv.weight.clone()
optimizer = torch.optim.SGD(model.fc.parameters(), lr=1e-1, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
for step in range(5):
    optimizer.zero_grad()
    loss = loss_fn(model(images), labels)
    loss.backward()
    optimizer.step()
    print(step, loss.item())

print(torch.equal(kept, model.conv.weight), model.conv.weight.grad, model.fc.weight.grad.shape)
print("batch norm saw", model.bn.num_batches_tracked, "batches")
print(sorted(optimizer.state_dict()["state"]), len(optimizer.param_groups))
model.conv.weight.requires_grad_()
model(images).sum().backward()
print(model.conv.weight.grad.shape, model.conv.bias.grad)
