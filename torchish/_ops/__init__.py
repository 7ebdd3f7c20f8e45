"""Op definitions: pure JAX functions with PyTorch's signatures. Nothing here knows of Tensors."""
