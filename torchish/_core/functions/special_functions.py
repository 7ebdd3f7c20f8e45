"""``polygamma``, whose order comes before its input as a function and after it as a method."""

from __future__ import annotations

from typing import Any

from ..._ops.registry import OPS
from ..arguments import as_int
from ..inplace import call_inplace
from ..public import public
from ..tensor import Tensor
from .overloads import _run


def _order(n: Any) -> int:
    n = as_int(n)
    if n.__class__ is not int:
        raise TypeError(f"polygamma(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    return n


@public("torch", "special")
def polygamma(n: int, input: Tensor, *, out: Any = None) -> Tensor:
    """The ``n``-th derivative of ``digamma``. https://docs.pytorch.org/docs/stable/generated/torch.polygamma.html

    >>> import torchish as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    return _run("polygamma.n", (input,), (_order(n),), out)


@public("Tensor", name="polygamma")
def polygamma_method(self: Tensor, n: int) -> Tensor:
    """The ``n``-th derivative of ``digamma``."""
    return _run("polygamma.n", (self,), (_order(n),))


@public("Tensor", name="polygamma_")
def polygamma_inplace(self: Tensor, n: int) -> Tensor:
    """The ``n``-th derivative of ``digamma``, in place."""
    return call_inplace(OPS["polygamma.n"], (self,), (_order(n),))
