"""``grid_sample`` and ``affine_grid``: modes by name, and what PyTorch warns of."""

from __future__ import annotations

from typing import Any

from ..._ops.registry import OPS
from ..arguments import as_size
from ..dispatch import call
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn

_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}
_CHANGED_DEFAULT = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
)


@public("torch")
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """``grid_sampler_2d`` or ``grid_sampler_3d``, by the rank of the input."""
    op = OPS["grid_sampler_3d" if len(input.shape) == 5 == len(grid.shape) else "grid_sampler_2d"]
    return call(op, (input, grid), (int(interpolation_mode), int(padding_mode), bool(align_corners)))


@public("nn.functional")
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """``input`` at the points of ``grid``.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html

    Args:
        input: images ``(N, C, H, W)`` or volumes ``(N, C, D, H, W)``.
        grid: ``(N, h, w, 2)`` or ``(N, d, h, w, 3)``: points ``(x, y)`` or ``(x, y, z)``, -1 and 1 at the borders.
        mode: ``bilinear`` (trilinear in volumes), ``nearest`` or ``bicubic`` (images alone).
        padding_mode: what lies outside: ``zeros``, the ``border`` or the ``reflection``.
        align_corners: whether -1 and 1 are the corner elements' centres rather than their edges.

    >>> import torchish as torch
    >>> image = torch.tensor([[[[1.0, 3.0]]]])
    >>> torch.nn.functional.grid_sample(image, torch.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.]]]])
    """
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
            f"but got: '{padding_mode}'"
        )
    if align_corners is None:
        warn(_CHANGED_DEFAULT)
        align_corners = False
    return grid_sampler(input, grid, _MODES[mode], _PADDINGS[padding_mode], align_corners)


def _check_affine(theta: Tensor, size: Any) -> None:
    if not theta.dtype.is_floating_point:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if len(theta.shape) != 3 or tuple(theta.shape[-2:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {theta.shape}."
        )


@public("nn.functional")
def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The grid for ``grid_sample`` that affine maps give.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html

    Args:
        theta: matrices ``(N, 2, 3)`` or ``(N, 3, 4)``.
        size: of the sampled result, ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners: as for ``grid_sample``.

    >>> import torchish as torch
    >>> identity = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> torch.nn.functional.affine_grid(identity, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    if align_corners is None:
        warn(_CHANGED_DEFAULT)
        align_corners = False
    _check_affine(theta, size)
    if align_corners and min(size[2:]) == 1:
        warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. "
            "This is not an intended use case of affine_grid. See the documentation of affine_grid for details."
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return call(OPS["affine_grid_generator"], (theta,), (as_size(size), bool(align_corners)))
