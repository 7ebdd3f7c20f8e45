"""``interpolate`` and its older names: which op a mode and a rank ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._ops.registry import OPS
from ..arguments import as_size
from ..dispatch import call
from ..generate import OP_FUNCTIONS
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn

_FUNCTIONAL = "nn.functional"
_UNWEIGHTED = ("nearest", "area", "nearest-exact")
_RANK_OF = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5, "lanczos": 4}


def _is_integer(x: Any) -> bool:
    return (isinstance(x, int) and not isinstance(x, bool)) or (
        hasattr(x, "__index__") and not (isinstance(x, Tensor) and x.dtype.is_floating_point)
    )


def _sizes(input: Tensor, size: Any) -> Any:
    """One output size for each spatial dimension."""
    n = len(input.shape) - 2
    if not isinstance(size, (list, tuple)):
        return (size,) * max(n, 0)
    if len(size) != n:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got "
            f"input with spatial dimensions of {list(input.shape[2:])} and output size of {size}. "
            "Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            "output size in (o1, o2, ...,oK) format."
        )
    if not all(_is_integer(x) for x in size):
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or "
            f"Tuple[int, int, int], but got size with types {[type(x) for x in size]}"
        )
    return tuple(size)


def _factors(input: Tensor, scale_factor: Any) -> tuple[Any, ...]:
    """One factor for each spatial dimension."""
    n = len(input.shape) - 2
    if not isinstance(scale_factor, (list, tuple)):
        return (scale_factor,) * max(n, 0)
    if len(scale_factor) != n:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but "
            f"got input with spatial dimensions of {list(input.shape[2:])} and "
            f"scale_factor of shape {scale_factor}. "
            "Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            "scale_factor in (s1, s2, ...,sK) format."
        )
    return tuple(scale_factor)


@public(_FUNCTIONAL)
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """``(batch, channels, ...)`` with another size, given or by a factor.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html

    Args:
        input: with one, two or three spatial dimensions.
        size: of the result's spatial dimensions, one number or one for each; or
        scale_factor: the result's size over the input's; rounded down.
        mode: ``nearest``, ``nearest-exact``, ``area``; ``linear`` (3-D input), ``bilinear``, ``bicubic``, ``lanczos``
            (4-D), ``trilinear`` (5-D).
        align_corners: whether the corner elements' centres, rather than their edges, coincide. Not with the first three.
        recompute_scale_factor: whether positions follow from the rounded sizes instead of the factor given.
        antialias: whether the kernel widens where an image shrinks (``bilinear``, ``bicubic``; ``lanczos`` always).

    >>> import torchish as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    if mode in _UNWEIGHTED:
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: "
                "linear | bilinear | bicubic | trilinear"
            )
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    sizes = None if size is None else _sizes(input, size)
    factors = None if scale_factor is None else _factors(input, scale_factor)
    if recompute_scale_factor and sizes is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if factors is not None and (recompute_scale_factor or mode == "area"):
        sizes = tuple(int(n * factor) for n, factor in zip(input.shape[2:], factors, strict=True))
        factors = None
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and len(input.shape) == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    return _by_mode(input, mode, sizes, factors, bool(align_corners), bool(antialias))


def _by_mode(input: Tensor, mode: str, sizes: Any, factors: Any, align_corners: bool, antialias: bool) -> Tensor:
    rank = len(input.shape)
    needed = _RANK_OF.get(mode)
    if (
        rank not in (3, 4, 5)
        or (needed is None and mode not in _UNWEIGHTED)
        or (needed == 4 != rank and mode != "bilinear")
    ):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {rank}D) for the modes: nearest | linear | "
            f"bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    if needed is not None and rank != needed:
        raise NotImplementedError(f"Got {rank}D input, but {mode} mode needs {needed}D input")
    if mode == "area":
        return OP_FUNCTIONS[f"adaptive_avg_pool{rank - 2}d"](input, sizes)
    sizes = _as_ints(sizes, mode, rank)
    factors = None if factors is None else tuple(map(float, factors))
    if mode in _UNWEIGHTED:
        return call(OPS["interpolate.nearest"], (input,), (sizes, factors, mode == "nearest-exact"))
    if mode == "lanczos":
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
    if antialias:
        return call(OPS["interpolate.antialiased"], (input,), (sizes, align_corners, factors, mode))
    op = OPS["interpolate.cubic" if mode == "bicubic" else "interpolate.linear"]
    return call(op, (input,), (sizes, align_corners, factors))


def _as_ints(sizes: Sequence[Any] | None, mode: str, rank: int) -> tuple[int, ...] | None:
    if sizes is None:
        return None
    if not all(_is_integer(size) for size in sizes):
        name = f"upsample_{'nearest' if mode in _UNWEIGHTED else mode}{rank - 2}d"
        got = ", ".join(type(size).__name__ for size in sizes)
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (Tensor, list of [{got}]), but expected "
            "output_size to be a tuple of ints"
        )
    return as_size(sizes)


def _deprecated(name: str) -> None:
    warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.")


@public(_FUNCTIONAL)
def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None
) -> Tensor:
    """``interpolate``, which replaces it."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@public(_FUNCTIONAL)
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate`` with ``mode='nearest'``."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


@public(_FUNCTIONAL)
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate`` with ``mode='bilinear'`` and ``align_corners=True``."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


@public("torch")
def _upsample_bilinear2d_aa(
    input: Tensor,
    output_size: Any,
    align_corners: bool,
    scales_h: Any = None,
    scales_w: Any = None,
    *,
    scale_factors: Any = None,
) -> Tensor:
    """``interpolate(..., mode='bilinear', antialias=True)`` as the operator takes it: factors one by one or together."""
    if isinstance(scales_h, (list, tuple)):
        scale_factors = scales_h
    elif scales_h is not None and scales_w is not None:
        scale_factors = (scales_h, scales_w)
    sizes = None if output_size is None else as_size(output_size)
    if sizes is not None and len(sizes) != 2:
        raise RuntimeError(f"It is expected output_size equals to 2, but got size {len(sizes)}")
    factors = None if scale_factors is None else tuple(map(float, scale_factors))
    return call(OPS["interpolate.antialiased"], (input,), (sizes, bool(align_corners), factors, "bilinear"))
