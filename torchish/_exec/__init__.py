"""Record, interpret, compile: how recorded operations reach XLA. Nothing here knows of autograd's graph or of Tensors."""
