"""``torch.linalg`` over its ops."""

from __future__ import annotations

from typing import Any

from ..arguments import as_bool, as_dims
from ..dtypes import to_np
from ..public import public
from ..tensor import Tensor
from .overloads import _run


@public("linalg", name="vector_norm")
def linalg_vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The ``ord``-norm of all elements as one vector, or along ``dim``."""
    return _run(
        "linalg_vector_norm",
        (x,),
        (ord, as_dims(dim), as_bool(keepdim, "linalg_vector_norm", "keepdim", 4), to_np(dtype)),
        out,
    )
