"""Integrals and derivatives of sampled functions: trapezoid, cumulative_trapezoid, gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import as_int
from ..dispatch import call
from ..generate import OP_FUNCTIONS, OPS
from ..public import public
from ..tensor import Tensor
from ..views import wrap_dim

# The trapezoidal rule


def _check_tensor(name: str, argument: str, x: Any) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument '{argument}' (position 1) must be Tensor, not {type(x).__name__}")


def _check_not_bool(name: str, y: Tensor, x: Tensor | None) -> None:
    kinds = {t._aval.dtype.kind for t in (y, x) if t is not None}
    if "b" in kinds:
        which = "`y`" if x is None else "`x` or `y`"
        raise RuntimeError(f"{name}: received a bool input for {which}, but bool is not supported")


def _check_step(name: str, dx: Any) -> Any:
    if isinstance(dx, (np.generic, Tensor)):
        dx = dx.item()  # type: ignore[attr-defined]
    if isinstance(dx, (bool, complex)):
        raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")
    return dx


def _refuse(name: str, number: str, y: Any, x: Any, dx: Any) -> None:
    given = f"{type(y).__name__}, {type(x).__name__}" + ("" if dx is None else f", dx={type(dx).__name__}")
    raise TypeError(
        f"{name}() received an invalid combination of arguments - got ({given}), but expected one of:\n"
        f" * (Tensor y, Tensor x, *, int dim = -1)\n * (Tensor y, *, {number} dx = 1, int dim = -1)\n"
    )


def _coordinates_along(name: str, y: Tensor, x: Tensor, d: int) -> Tensor:
    """``x`` with the dimensions of ``y``, of which it lies along ``d`` where it is a vector."""
    ndim = len(y.shape)
    if len(x.shape) == 1:
        if x.shape[0] != y.shape[d]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        return x.view([-1 if i == d else 1 for i in range(ndim)])
    if len(x.shape) < ndim:
        return x.view([1] * (ndim - len(x.shape)) + list(x.shape))
    return x


def _axis(y: Tensor, dim: Any) -> int:
    if not y.shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(as_int(dim), len(y.shape))


def _trapezoid(name: str, number: str, y: Tensor, x: Any, dx: Any, dim: int) -> Tensor:
    _check_tensor(name, "y", y)
    if x is not None:
        if dx is not None or not isinstance(x, Tensor):
            _refuse(name, number, y, x, dx)
        _check_not_bool("trapezoid", y, x)
        d = _axis(y, dim)
        if y.shape[d] == 0:
            return _nothing(y, d)
        return call(OPS["trapezoid.x"], (y, _coordinates_along("trapezoid", y, x, d)), (d,))
    _check_not_bool("trapezoid", y, None)
    d = _axis(y, dim)
    step = _check_step("trapezoid", 1 if dx is None else dx)
    return call(OPS["trapezoid.dx"], (y, step), (d,)) if y.shape[d] else _nothing(y, d)


def _nothing(y: Tensor, d: int) -> Tensor:
    return OP_FUNCTIONS["sum"](y, d)


@public("torch")
def trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral along ``dim`` by the trapezoidal rule, of samples at ``x`` or ``dx`` (1) apart.

    https://docs.pytorch.org/docs/stable/generated/torch.trapezoid.html

    >>> import torchish as torch
    >>> torch.trapezoid(torch.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    return _trapezoid("trapezoid", "Number", y, x, dx, dim)


@public("torch")
def trapz(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The same as ``trapezoid``. https://docs.pytorch.org/docs/stable/generated/torch.trapz.html

    >>> import torchish as torch
    >>> torch.trapz(torch.tensor([1.0, 5.0, 10.0]), dx=2)
    tensor(21.)
    """
    return _trapezoid("trapz", "float", y, x, dx, dim)


@public("torch")
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integrals up to each sample but the first along ``dim``, by the trapezoidal rule.

    https://docs.pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html

    >>> import torchish as torch
    >>> torch.cumulative_trapezoid(torch.tensor([1.0, 5.0, 10.0]))
    tensor([ 3.0000, 10.5000])
    """
    name = "cumulative_trapezoid"
    _check_tensor(name, "y", y)
    if x is not None and (dx is not None or not isinstance(x, Tensor)):
        _refuse(name, "Number", y, x, dx)
    _check_not_bool(name, y, x)
    if not y.shape:
        wrap_dim(as_int(dim), 0)
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(as_int(dim), len(y.shape))
    if y.shape[d] == 0:
        return y * 0.5
    if x is not None:
        return call(OPS["cumulative_trapezoid.x"], (y, _coordinates_along(name, y, x, d)), (d,))
    return call(OPS["cumulative_trapezoid.dx"], (y, _check_step(name, 1 if dx is None else dx)), (d,))


# gradient


def _check_gradient(input: Tensor, count: int | None, dims: Sequence[int] | None, edge_order: int) -> list[int]:
    """The dimensions to differentiate along; ``count``: of the spacings that were given as a list."""
    ndim = len(input.shape)
    if input._aval.dtype == np.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    if count is not None and dims is None and count != ndim:
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"'self.dim() = {ndim}', since dim argument was not given, but got a list of length {count}"
        )
    if count is not None and dims is not None and count != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the "
            f"same length, but got a spacing argument of length {count} and a dim argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    axes = list(range(ndim)) if dims is None else [wrap_dim(d, ndim) for d in dims]
    for d in axes:
        if axes.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        if input.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return axes


def _coordinates(spacing: Sequence[Any]) -> None:
    for i, x in enumerate(spacing):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type(x).__name__}")
    for x in spacing:
        if len(x.shape) != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                f"{len(x.shape)} dimensions!"
            )


@public("torch")
def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The derivatives of a sampled function along ``dim`` (each dimension), one tensor for each.

    ``spacing``: the distance of samples (1), a number for all dimensions or a list of one for each; or a list of vectors,
    the samples' coordinates. ``edge_order``: 1 or 2, of the one-sided differences at the edges.
    https://docs.pytorch.org/docs/stable/generated/torch.gradient.html

    >>> import torchish as torch
    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    """
    _check_tensor("gradient", "input", input)
    dims = None if dim is None else [as_int(dim)] if not isinstance(dim, (list, tuple)) else [as_int(d) for d in dim]
    if isinstance(spacing, Tensor) and not spacing.shape:
        spacing = spacing.item()  # type: ignore[attr-defined]
    listed = isinstance(spacing, (list, tuple))
    if not listed and not isinstance(spacing, (int, float, complex, np.generic, type(None))):
        raise TypeError(
            f"gradient() received an invalid combination of arguments - got (Tensor, spacing={type(spacing).__name__})"
        )
    points = listed and len(spacing) and isinstance(spacing[0], Tensor)
    if points:
        _coordinates(spacing)
    axes = _check_gradient(input, len(spacing) if listed else None, dims, edge_order)
    if points:
        op = OPS["gradient.uneven"]
        return tuple(call(op, (input, x), (d, edge_order)) for d, x in zip(axes, spacing, strict=True))
    steps = spacing if listed else [1 if spacing is None else spacing] * len(axes)
    op = OPS["gradient.even"]
    return tuple(call(op, (input, step), (d, edge_order)) for d, step in zip(axes, steps, strict=True))
