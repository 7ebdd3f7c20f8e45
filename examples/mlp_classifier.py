"""Three spiral arms in the plane, told apart by a small multilayer perceptron trained in mini-batches."""

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 3
POINTS_PER_CLASS = 200


def spirals():
    """Noisy arms of a spiral: points of shape (600, 2) and their labels, int64."""
    radius = torch.linspace(0.05, 1.0, POINTS_PER_CLASS)
    points, labels = [], []
    for arm in range(CLASSES):
        angle = 4.0 * radius + arm * 2 * torch.pi / CLASSES + 0.15 * torch.randn(POINTS_PER_CLASS)
        points.append(torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1))
        labels.append(torch.full((POINTS_PER_CLASS,), arm))
    return torch.cat(points), torch.cat(labels)


class Classifier(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.first = nn.Linear(2, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, points):
        h = torch.tanh(self.first(points))
        h = self.dropout(F.relu(self.second(h)))
        return self.head(h)


def accuracy(model, points, labels):
    model.eval()
    with torch.no_grad():
        return (model(points).argmax(dim=1) == labels).float().mean().item()


def main():
    torch.manual_seed(0)
    points, labels = spirals()
    order = torch.randperm(len(points))
    train, test = order[:480], order[480:]
    model = Classifier()
    print(model)
    print("parameters:", sum(parameter.numel() for parameter in model.parameters()))

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(30):
        model.train()
        total = 0.0
        for batch in train[torch.randperm(len(train))].split(60):
            loss = F.cross_entropy(model(points[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / len(train):.2f}")

    print(f"train accuracy {accuracy(model, points[train], labels[train]):.2f}")
    print(f"test accuracy {accuracy(model, points[test], labels[test]):.2f}")


if __name__ == "__main__":
    main()
