"""What masked operations put in place of masked-out elements, and how their arguments are read."""

from __future__ import annotations

import math
from typing import Any

import torchish as torch
from torchish import Tensor


def dims_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """``dim``, one or several or None for all, counted from the front."""
    rank = max(ndim, 1)
    if dim is None:
        return tuple(range(rank)) if ndim else (0,)
    found: list[int] = []
    for d in dim if isinstance(dim, (tuple, list)) else (dim,):
        if not -rank <= d < rank:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {d})")
        if d % rank in found:
            raise RuntimeError(f"dim={d % rank} appears multiple times in the list of dims")
        found.append(d % rank)
    return tuple(found)


def mask_of(input: Tensor, mask: Tensor) -> Tensor:
    """``mask`` as bools in ``input``'s shape.

    Raises:
        IndexError: for a mask of more dimensions than ``input``.
    """
    if mask.shape == input.shape:
        return mask.bool()
    if mask.ndim > input.ndim:
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)")
    return torch.broadcast_to(mask.clone(), input.shape).bool()


def _lowest(dtype: Any) -> Any:
    if dtype.is_floating_point:
        return -math.inf
    return False if dtype is torch.bool else torch.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    if dtype.is_floating_point:
        return math.inf
    return True if dtype is torch.bool else torch.iinfo(dtype).max


def filled(input: Tensor, mask: Tensor | None, what: str) -> Tensor:
    """``input`` with what changes no result in the masked-out places.

    ``what``: "zero", "one", "lowest", "highest", "log of zero" or "nan".
    """
    if mask is None:
        return input
    if input.dtype.is_complex and what in ("lowest", "highest"):
        raise NotImplementedError(f"masked reductions that order elements take no {input.dtype}")
    numbers: dict[str, Any] = {"zero": 0, "one": 1, "log of zero": -math.inf, "nan": math.nan}
    if what == "log of zero" and not input.dtype.is_complex:
        what = "lowest"  # of integers too
    number = {"lowest": _lowest, "highest": _highest}[what](input.dtype) if what not in numbers else numbers[what]
    return torch.where(mask_of(input, mask), input, torch.tensor(number, dtype=input.dtype, device=input.device))
