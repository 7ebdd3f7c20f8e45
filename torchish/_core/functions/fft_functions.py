"""``torch.fft``: the frequencies of a transform's points, and the order in which they stand."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..arguments import as_dims
from ..creation import arange
from ..generate import OP_FUNCTIONS
from ..public import public
from ..tensor import Tensor


def _frequencies(name: str, n: Any, d: Any, first_negative: int | None, count: int, options: dict[str, Any]) -> Tensor:
    """``(0, 1, ..., -2, -1) / (n * d)``, without the negative ones where ``first_negative`` is None."""
    dtype = options["dtype"] or dtypes.get_default_dtype()
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    if dtype.is_complex:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{dtype._scalar.scalar_name}'")
    out, requires_grad = options.pop("out"), options.pop("requires_grad")
    if out is not None:
        if options["dtype"] not in (None, out.dtype):
            raise RuntimeError(
                f"dtype {dtype._scalar.scalar_name} does not match dtype of out parameter "
                f"({out.dtype._scalar.scalar_name})"
            )
        dtype = out.dtype
    made = arange(count, out=out, **{**options, "dtype": dtype})
    if first_negative is not None:
        made[first_negative:] -= n
    step = n * float(d)
    made.mul_(1.0 / step if step else float("inf"))  # type: ignore[attr-defined]
    return made.requires_grad_() if requires_grad else made


def _require_int(name: str, n: Any) -> None:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"fft_{name}(): argument 'n' (position 1) must be int, not {type(n).__name__}")


@public("fft")
def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the ``n`` points of ``fft``, where samples lie ``d`` apart: the negative ones come last.

    https://docs.pytorch.org/docs/stable/generated/torch.fft.fftfreq.html

    >>> import torchish as torch
    >>> torch.fft.fftfreq(5)
    tensor([ 0.0000,  0.2000,  0.4000, -0.4000, -0.2000])
    """
    _require_int("fftfreq", n)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    options = {"out": out, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _frequencies("fftfreq", n, d, (n + 1) // 2, n, options)


@public("fft")
def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the ``n // 2 + 1`` points of ``rfft``, where samples lie ``d`` apart.

    https://docs.pytorch.org/docs/stable/generated/torch.fft.rfftfreq.html

    >>> import torchish as torch
    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    _require_int("rfftfreq", n)
    options = {"out": out, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _frequencies("rfftfreq", n, d, None, int(n / 2) + 1, options)


def _shifted(input: Tensor, dim: Any, back: bool) -> Tensor:
    dims = as_dims(dim)
    if dims is None:
        dims = tuple(range(len(input.shape)))
    elif isinstance(dims, int):
        dims = (dims,)
    for d in dims:
        n = len(input.shape)
        if n and not -n <= d < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})")
        if not n:
            raise IndexError(f"Dimension specified as {d} but tensor has no dimensions")
    sizes = [input.shape[d] for d in dims]
    return OP_FUNCTIONS["roll"](input, tuple((n + 1) // 2 if back else n // 2 for n in sizes), dims)


@public("fft")
def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The spectrum with frequency zero in the middle of ``dim`` (of all dimensions unless given).

    https://docs.pytorch.org/docs/stable/generated/torch.fft.fftshift.html

    >>> import torchish as torch
    >>> torch.fft.fftshift(torch.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shifted(input, dim, back=False)


@public("fft")
def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of ``fftshift``. https://docs.pytorch.org/docs/stable/generated/torch.fft.ifftshift.html

    >>> import torchish as torch
    >>> torch.fft.ifftshift(torch.tensor([-2, -1, 0, 1, 2]))
    tensor([ 0,  1,  2, -2, -1])
    """
    return _shifted(input, dim, back=True)
