"""Positions of a matrix's triangles, on a device of the caller's choice."""

from __future__ import annotations

from typing import Any

from ..generate import OP_FUNCTIONS
from ..public import public
from ..tensor import Tensor


def _positions(name: str, lower: str) -> None:
    def function(
        row: int,
        col: int,
        offset: int = 0,
        *,
        dtype: Any = None,
        device: Any = None,
        layout: Any = None,
        pin_memory: bool = False,
        requires_grad: bool = False,
    ) -> Tensor:
        made = OP_FUNCTIONS[name](row, col, offset, dtype=dtype)
        return made if device is None else made.to(device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The positions of a ``row`` x ``col`` matrix's {lower} triangle, as two rows of int64 (or int32).\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    public("torch")(function)


_positions("tril_indices", "lower")
_positions("triu_indices", "upper")
