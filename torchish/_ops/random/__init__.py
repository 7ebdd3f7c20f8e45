"""From raw random words to values, bit for bit as PyTorch's CPU generator makes them."""
