"""A small convolutional network on images made here: noisy stripes in four directions, 16 by 16 pixels."""

import torch
import torch.nn.functional as F
from torch import nn

NAMES = ("horizontal", "vertical", "rising", "falling")
SIDE = 16


def make_images(count):
    """``count`` images of shape (1, 16, 16), each with stripes of random width and phase under noise."""
    labels = torch.randint(0, len(NAMES), (count,))
    steps = torch.arange(SIDE, dtype=torch.float32)
    rows, columns = steps[:, None].expand(SIDE, SIDE), steps[None, :].expand(SIDE, SIDE)
    directions = torch.stack([rows, columns, rows + columns, rows - columns])
    frequency = 0.9 + 0.6 * torch.rand(count, 1, 1)
    phase = 2 * torch.pi * torch.rand(count, 1, 1)
    images = torch.sin(frequency * directions[labels] + phase) + 0.5 * torch.randn(count, SIDE, SIDE)
    return images.unsqueeze(1), labels


def build_model():
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, kernel_size=3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(16 * 4 * 4, len(NAMES)),
    )


def main():
    torch.manual_seed(0)
    images, labels = make_images(512)
    test_images, test_labels = make_images(128)
    model = build_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)

    for epoch in range(4):
        model.train()
        losses = []
        for start in range(0, len(images), 64):
            batch = slice(start, start + 64)
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        print(f"epoch {epoch + 1}: mean loss {torch.stack(losses).mean().item():.2f}")

    model.eval()
    with torch.no_grad():
        predicted = model(test_images).argmax(dim=1)
    for index, name in enumerate(NAMES):
        of_class = test_labels == index
        right = (predicted[of_class] == index).sum().item()
        print(f"{name}: {right} of {of_class.sum().item()}")
    print(f"test accuracy {(predicted == test_labels).float().mean().item():.2f}")
    print("batches seen by the first batch norm:", model[1].num_batches_tracked.item())


if __name__ == "__main__":
    main()
