"""``torch.linalg.norm`` and ``matrix_norm``: norms of vectors or of matrices, as the arguments say."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import as_dims
from ..dtypes import to_np
from ..public import public
from ..tensor import Tensor
from .overloads import _run


def _matrix_norm(input: Tensor, ord: Any, dim: tuple[int, ...], keepdim: bool, dtype: Any, out: Any) -> Tensor:
    return _run("linalg_matrix_norm", (input,), (ord, dim, bool(keepdim), to_np(dtype)), out)


def _order(name: str, input: Tensor, ord: Any) -> Any:
    """``ord`` as Python's own number or string; refuses anything else, and an ``input`` that is no tensor."""
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    ord = ord.item() if isinstance(ord, np.number) else ord
    if not isinstance(ord, (int, float, str)):
        raise _invalid(name, input, ord)
    return ord


def _invalid(name: str, *arguments: Any) -> TypeError:
    got = ", ".join(type(x).__name__ for x in arguments)
    return TypeError(f"{name}() received an invalid combination of arguments - got ({got})")


@public("linalg", name="norm")
def linalg_norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """A norm of vectors or of matrices. https://docs.pytorch.org/docs/stable/generated/torch.linalg.norm.html

    Without ``ord`` it is the 2-norm of all elements, or of the vectors that ``dim`` spans. With it, one dimension means
    vectors and two mean matrices.

    >>> import torchish as torch
    >>> torch.linalg.norm(torch.tensor([[3.0, 0.0], [4.0, 0.0]]), 1)
    tensor(7.)
    """
    ord = None if ord is None and isinstance(input, Tensor) else _order("linalg_norm", input, ord)
    dims = as_dims(dim)
    dims = (dims,) if isinstance(dims, int) else dims
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    ndim = len(input.shape)
    if dims is None and ord is not None and ndim not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    if ord is None:
        return _run("linalg_vector_norm", (input,), (2, dims, bool(keepdim), to_np(dtype)), out)
    if isinstance(ord, str):
        return _matrix_norm(input, ord, (-2, -1) if dims is None else dims, keepdim, dtype, out)
    dims = tuple(range(ndim)) if dims is None else dims
    if len(dims) == 1:
        return _run("linalg_vector_norm", (input,), (ord, dims, bool(keepdim), to_np(dtype)), out)
    return _matrix_norm(input, ord, dims, keepdim, dtype, out)


@public("linalg", name="matrix_norm")
def linalg_matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """A norm of matrices. https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html

    >>> import torchish as torch
    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [4.0, 0.0]]), float("inf"))
    tensor(4.)
    """
    dims = as_dims(dim)
    ord = _order("linalg_matrix_norm", input, ord)
    if not isinstance(dims, tuple):
        raise _invalid("linalg_matrix_norm", input, ord, dim)
    return _matrix_norm(input, ord, dims, keepdim, dtype, out)
