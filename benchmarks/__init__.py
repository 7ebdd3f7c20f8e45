"""How fast torchish runs what PyTorch runs, beside PyTorch's eager mode and a JAX step written by hand."""
