"""Reductions and normalisations of the elements that a mask holds. https://docs.pytorch.org/docs/stable/masked.html

Each function takes ``mask``, a bool tensor that broadcasts to the input: elements where it is False do not take part.
Without one all do. Where no element takes part, the result is the operation's identity, or NaN.
"""

from __future__ import annotations

from typing import Any

import torchish as torch
from torchish import Tensor

from ._identities import dims_of, filled, mask_of

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _summed(input: Tensor, dtype: Any) -> Any:
    """What a sum or product of ``input`` is computed in: int64 for integers."""
    if dtype is not None:
        return dtype
    return input.dtype if input.dtype.is_floating_point or input.dtype.is_complex else torch.int64


# Reductions


def sum(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The sum over ``dim``.

    >>> import torchish as torch
    >>> torch.masked.sum(torch.tensor([1, 2, 4]), mask=torch.tensor([True, False, True]))
    tensor(5)
    """
    dims = dims_of(dim, input.ndim)
    return torch.sum(filled(input, mask, "zero"), dims, bool(keepdim), dtype=_summed(input, dtype))


def prod(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The product over ``dim``."""
    result = filled(input, mask, "one")
    for d in sorted(dims_of(dim, input.ndim), reverse=True):
        result = result.prod(d, bool(keepdim))
    return result.to(_summed(input, dtype))


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The cumulative sum along ``dim``."""
    return torch.cumsum(filled(input, mask, "zero"), dims_of(dim, input.ndim)[0], dtype=dtype or input.dtype)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The cumulative product along ``dim``."""
    return torch.cumprod(filled(input, mask, "one"), dims_of(dim, input.ndim)[0], dtype=dtype or input.dtype)


def amax(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The greatest element over ``dim``."""
    found = torch.amax(filled(input, mask, "lowest"), dims_of(dim, input.ndim), bool(keepdim))
    return found.to(dtype or input.dtype)


def amin(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The least element over ``dim``."""
    found = torch.amin(filled(input, mask, "highest"), dims_of(dim, input.ndim), bool(keepdim))
    return found.to(dtype or input.dtype)


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The position of the greatest element along ``dim``, or of all; in ``input``'s dtype, as PyTorch has it."""
    return torch.argmax(filled(input, mask, "lowest"), dim, bool(keepdim)).to(dtype or input.dtype)


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The position of the least element along ``dim``, or of all; in ``input``'s dtype, as PyTorch has it."""
    return torch.argmin(filled(input, mask, "highest"), dim, bool(keepdim)).to(dtype or input.dtype)


def mean(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The mean over ``dim``; NaN where no element takes part."""
    wanted = dtype or input.dtype
    if not (wanted.is_floating_point or wanted.is_complex):
        source = "Input" if dtype is None else "Optional"
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or complex dtype. "
            f"Got: {wanted}"
        )
    dims = dims_of(dim, input.ndim)
    if mask is None:
        return torch.mean(input, dims, bool(keepdim), dtype=wanted)
    count = torch.sum(mask_of(input, mask), dims, bool(keepdim))
    return sum(input, dims, keepdim=keepdim, dtype=wanted, mask=mask) / count


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The median along ``dim``, the lower of two; NaN where no element takes part, an error among integers."""
    wanted = dtype or input.dtype
    floating = input.dtype.is_floating_point
    values = filled(input if floating else input.float(), mask, "nan")
    found = torch.nanmedian(values, dims_of(dim, input.ndim)[0], keepdim).values
    if floating:
        return found
    if torch.isnan(found).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return found.to(wanted)


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The logarithm of the sum of exponentials over ``dim``."""
    found = torch.logsumexp(filled(input, mask, "log of zero"), dims_of(dim, input.ndim), keepdim)
    return found.to(dtype or input.dtype)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """The logarithm of the sum of two exponentials, each with a mask of its own."""
    found = torch.logaddexp(filled(input, input_mask, "lowest"), filled(other, other_mask, "lowest"))
    return found.to(dtype or input.dtype)


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The vector norm over ``dim``."""
    values = filled(input, mask, "highest" if ord == float("-inf") else "zero")
    wanted = dtype or input.dtype
    return torch.linalg.vector_norm(values, ord, dims_of(dim, input.ndim), bool(keepdim), dtype=wanted)


def _spread(
    input: Tensor, dim: Any, unbiased: bool | None, correction: Any, keepdim: Any, dtype: Any, mask: Tensor | None
) -> Tensor:
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    less = correction if correction is not None else 1 if unbiased is None else int(unbiased)
    wanted = dtype or input.dtype
    if dtype is None and not (wanted.is_floating_point or wanted.is_complex):
        wanted = torch.float32
    computed = wanted if wanted.is_floating_point or wanted.is_complex else torch.float32
    dims = dims_of(dim, input.ndim)
    taking_part = torch.ones_like(input, dtype=torch.bool) if mask is None else mask_of(input, mask)
    count = torch.sum(taking_part, dims, True)
    from_mean = input - sum(input, dims, keepdim=True, dtype=wanted, mask=mask) / count
    square = from_mean * from_mean.conj_physical() if computed.is_complex else from_mean * from_mean
    total = sum(square, dims, keepdim=keepdim, dtype=computed, mask=mask)
    count = count.reshape(total.shape)
    if less:
        real = computed.to_real() if computed.is_complex else computed
        count = count.to(real) - less
        count = torch.maximum(count, count.new_zeros([]))
    return (total / count).to(wanted)


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: int | float | None = None,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance over ``dim``, divided by the count less ``correction`` (1 unless given)."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: int | None = None,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The standard deviation over ``dim``, of the count less ``correction`` (1 unless given)."""
    return torch.sqrt(_spread(input, dim, unbiased, correction, keepdim, dtype, mask))


# Normalisations


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The softmax along ``dim``; masked-out elements get 0, all NaN where none takes part."""
    values = filled(input, mask, "lowest")
    return torch.nn.functional.softmax(values, dims_of(dim, input.ndim)[0], dtype=dtype or input.dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The logarithm of the softmax along ``dim``."""
    values = filled(input, mask, "lowest")
    return torch.nn.functional.log_softmax(values, dims_of(dim, input.ndim)[0], dtype=dtype or input.dtype)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The softmax of the negated input along ``dim``."""
    values = filled(input, mask, "highest")
    return torch.nn.functional.softmin(values, dims_of(dim, input.ndim)[0], dtype=dtype or input.dtype)


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """``input`` divided by its norm along ``dim``, or by ``eps`` where that is less; masked-out elements give 0."""
    size = norm(input, ord, dims_of(dim, input.ndim)[0], keepdim=True, dtype=dtype, mask=mask)
    return filled(input, mask, "zero") / torch.maximum(size, size.new_full([], eps))
