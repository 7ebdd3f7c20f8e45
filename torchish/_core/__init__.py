"""Tensors: storage, views, dispatch, and what autograd's graph is made of."""
