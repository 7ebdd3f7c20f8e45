"""Public functions on Tensors that are no op of their own: views, and what chooses among ops or combines them."""
