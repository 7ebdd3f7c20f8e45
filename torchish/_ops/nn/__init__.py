"""What ``torch.nn.functional`` and ``torch.optim`` are made of: convolutions, pooling, normalization, losses, steps."""
