"""Transfer learning: pretrain a small residual network, freeze it, train a new last layer on another task."""

import torch
import torch.nn.functional as F
from torch import nn

SIDE = 12


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a shortcut; a stride or a new width puts a 1x1 convolution on it."""

    def __init__(self, width_in, width_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or width_in != width_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False), nn.BatchNorm2d(width_out)
            )

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        return F.relu(h + self.shortcut(x))


class SmallResNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.block1 = ResidualBlock(8, 8)
        self.block2 = ResidualBlock(8, 16, stride=2)
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        h = self.block2(self.block1(F.relu(self.stem(x))))
        return self.fc(h.mean(dim=(2, 3)))


def blobs(count, classes):
    """Images with one bright spot; the label says in which of ``classes`` horizontal bands it lies."""
    row, column = torch.rand(count) * (SIDE - 1), torch.rand(count) * (SIDE - 1)
    steps = torch.arange(SIDE, dtype=torch.float32)
    distance = (steps[None, :, None] - row[:, None, None]) ** 2 + (steps[None, None, :] - column[:, None, None]) ** 2
    images = torch.exp(-distance / 4) + 0.1 * torch.randn(count, SIDE, SIDE)
    return images.unsqueeze(1), (row / SIDE * classes).long()


def bars(count):
    """Images with one bright line: label 0 lies, label 1 stands."""
    labels = torch.randint(0, 2, (count,))
    at = torch.randint(0, SIDE, (count,))
    lying = F.one_hot(at, SIDE).float().unsqueeze(2).expand(count, SIDE, SIDE)
    images = torch.where(labels[:, None, None] == 0, lying, lying.transpose(1, 2))
    return (images + 0.1 * torch.randn(count, SIDE, SIDE)).unsqueeze(1), labels


def train(model, optimizer, images, labels, epochs):
    """Mini-batches of 32 in order; gives the mean loss of the last epoch."""
    for _ in range(epochs):
        losses = []
        for batch, target in zip(images.split(32), labels.split(32), strict=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(batch), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return sum(losses) / len(losses)


def main():
    torch.manual_seed(0)
    model = SmallResNet(classes=3)
    images, labels = blobs(256, classes=3)
    loss = train(model, torch.optim.SGD(model.parameters(), lr=0.1), images, labels, epochs=6)
    print(f"pretraining loss {loss:.2f}")

    model.zero_grad()
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(16, 2)  # a new layer's parameters require gradients
    model.eval()  # the batch norms keep their statistics too
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    print("trainable:", trainable)

    images, labels = bars(256)
    optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.2, momentum=0.9)
    loss = train(model, optimizer, images, labels, epochs=20)
    print(f"fine-tuning loss {loss:.2f}")

    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    print("changed:", changed)
    print("with a gradient:", [name for name, parameter in model.named_parameters() if parameter.grad is not None])
    images, labels = bars(128)
    with torch.no_grad():
        accuracy = (model(images).argmax(dim=1) == labels).float().mean().item()
    print(f"accuracy {accuracy:.2f}")


if __name__ == "__main__":
    main()
