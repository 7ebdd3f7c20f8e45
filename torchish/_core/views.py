"""View operations: each computes a new size, stride and offset, and shares the Storage.

Every rule below maps a geometry to a geometry and knows nothing of data; ``view_of`` makes the tensor. A rule
runs over the Storage's geometry and, for autograd, over that of the differentiable base and that of the
input alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._exec.window import THREADS
from .._ops import scalar_types
from .geometry import Geometry, contiguous, contiguous_stride
from .tensor import ELSEWHERE, Tensor, View, view_node

Rule = Callable[[Geometry], Geometry]


def view_of(t: Tensor, rule: Rule, node_name: str, *, multi: bool = False, number: int = 0, node: Any = None) -> Tensor:
    """The view of ``t`` that ``rule`` describes; ``node_name`` is its ``grad_fn``'s.

    A function that makes several (``multi``) gives each the ``node`` that they share and its ``number`` there.
    """
    own = t._geometry()
    geometry = rule(own)
    view, context = t._view, THREADS.context
    if view is None:
        base, relative = t, geometry
    elif view.base is None:
        base, relative = t, rule(contiguous(own.size, own.dtype))
    else:
        base = view.base
        try:
            relative = rule(view.relative)
        except RuntimeError:  # the strides allow it over the Storage alone: the base is itself no contiguous tensor
            relative = None
    made = object.__new__(Tensor)
    made._storage = t._storage
    made._view = v = View(geometry, base, geometry if relative is None else relative, t._counter()[0])
    v.name = node_name
    if view is not None:
        v.counter = view.counter
        if base is not t:
            v.over, v.creation = view.over if relative is not None else ELSEWHERE, view.creation
    if not context.grad_enabled:
        v.creation = "inference" if context.inference else "no_grad"
    elif multi:
        v.creation = "multi"
    made._edge = made._grad = made._extra = None
    if node is not None:
        made._edge = (node, number)
    elif context.grad_enabled:
        edge = t._current_edge()
        if edge is not None:
            plain = geometry if view is None else rule(contiguous(own.size, own.dtype))
            made._edge = (view_node(t, plain, edge, node_name), 0)
    return made


# Arguments


def wrap_dim(dim: int, ndim: int) -> int:
    """``dim`` counted from the front; a 0-dim tensor takes 0 and -1."""
    n = max(ndim, 1)
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


def infer_size(shape: Sequence[int], numel: int) -> tuple[int, ...]:
    """``shape`` with its -1, if any, worked out."""
    unknown = [i for i, n in enumerate(shape) if n == -1]
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    known = 1
    for i, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(shape)}")
        known *= 1 if n == -1 else n
    if unknown:
        if known == 0 and numel == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
            )
        if known and numel % known == 0:
            return tuple(numel // known if n == -1 else n for n in shape)
    elif known == numel:
        return tuple(shape)
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")


# Rules


def restride(g: Geometry, size: tuple[int, ...]) -> tuple[int, ...] | None:
    """Strides that show ``g``'s elements as ``size`` without a copy; None where there are none."""
    if 0 in g.size:
        return contiguous_stride(size)
    # Runs of old dimensions that lie contiguously in memory, from the last: [elements, innermost stride].
    runs: list[list[int]] = []
    for n, s in zip(reversed(g.size), reversed(g.stride), strict=True):
        if n == 1:
            continue
        if runs and s == runs[-1][0] * runs[-1][1]:
            runs[-1][0] *= n
        else:
            runs.append([n, s])
    stride: list[int] = []
    run, left, step = 0, (runs[0][0] if runs else 1), (runs[0][1] if runs else 1)
    for n in reversed(size):
        if n != 1 and left == 1 and run + 1 < len(runs):
            run += 1
            left, step = runs[run]
        stride.append(step)
        if n != 1:
            if left % n:
                return None
            left //= n
            step *= n
    return tuple(reversed(stride))


def reshaped(g: Geometry, size: tuple[int, ...]) -> Geometry:
    stride = contiguous_stride(size) if g.stride == contiguous_stride(g.size) else restride(g, size)
    if stride is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return g._replace(size=size, stride=stride)


def permuted(g: Geometry, dims: Sequence[int]) -> Geometry:
    return g._replace(size=tuple(g.size[d] for d in dims), stride=tuple(g.stride[d] for d in dims))


def sliced(g: Geometry, dim: int, start: int, stop: int, step: int) -> Geometry:
    """``start:stop:step`` of one dimension, already clamped to the size."""
    n = max(0, -(-(stop - start) // step))
    size = (*g.size[:dim], n, *g.size[dim + 1 :])
    stride = (*g.stride[:dim], g.stride[dim] * step, *g.stride[dim + 1 :])
    return Geometry(size, stride, g.offset + start * g.stride[dim], g.dtype, g.mirrored)


def selected(g: Geometry, dim: int, index: int) -> Geometry:
    return Geometry(
        g.size[:dim] + g.size[dim + 1 :],
        g.stride[:dim] + g.stride[dim + 1 :],
        g.offset + index * g.stride[dim],
        g.dtype,
        g.mirrored,
    )


def inserted(g: Geometry, dim: int) -> Geometry:
    step = g.size[dim] * g.stride[dim] if dim < len(g.size) else 1
    return g._replace(
        size=(*g.size[:dim], 1, *g.size[dim:]),
        stride=(*g.stride[:dim], step, *g.stride[dim:]),
    )


def expanded(g: Geometry, size: Sequence[int]) -> Geometry:
    if len(size) < len(g.size):
        raise RuntimeError(
            f"expand(torch.{{}}{list(g.size)}, size={list(size)}): the number of sizes provided ({len(size)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({len(g.size)})"
        )
    lead = len(size) - len(g.size)
    out_size: list[int] = []
    out_stride: list[int] = []
    for i, n in reversed(list(enumerate(size))):
        if i < lead:
            if n < 0:
                raise RuntimeError(
                    f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
                )
            step = out_size[-1] * out_stride[-1] if out_size else 1
            out_size.append(n)
            out_stride.append(step if n == 1 else 0)
            continue
        old, stride = g.size[i - lead], g.stride[i - lead]
        if n == -1 or n == old:
            out_size.append(old)
            out_stride.append(stride)
        elif old == 1:
            out_size.append(n)
            out_stride.append(0)
        else:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton dimension "
                f"{i}.  Target sizes: {list(size)}.  Tensor sizes: {list(g.size)}"
            )
    return g._replace(size=tuple(reversed(out_size)), stride=tuple(reversed(out_stride)))


def diagonal_of(g: Geometry, offset: int, dim1: int, dim2: int) -> Geometry:
    rows, cols = g.size[dim1], g.size[dim2]
    n = min(rows, cols - offset) if offset >= 0 else min(rows + offset, cols)
    n = max(n, 0)
    start = (offset * g.stride[dim2] if offset >= 0 else -offset * g.stride[dim1]) if n else 0
    keep = [d for d in range(len(g.size)) if d not in (dim1, dim2)]
    return Geometry(
        (*[g.size[d] for d in keep], n),
        (*[g.stride[d] for d in keep], g.stride[dim1] + g.stride[dim2]),
        g.offset + start,
        g.dtype,
        g.mirrored,
    )


def unfolded(g: Geometry, dim: int, size: int, step: int) -> Geometry:
    if not g.size:
        return g._replace(size=(size,), stride=(1,))
    n = (g.size[dim] - size) // step + 1
    return g._replace(
        size=(*g.size[:dim], n, *g.size[dim + 1 :], size),
        stride=(*g.stride[:dim], g.stride[dim] * step, *g.stride[dim + 1 :], g.stride[dim]),
    )


def mirrored(g: Geometry) -> Geometry:
    """The conjugates of a complex view, the negatives of a real one."""
    return g._replace(mirrored=not g.mirrored)


def as_real(g: Geometry) -> Geometry:
    """The pairs (real, imaginary) of a complex view, as a last dimension."""
    real = scalar_types.real_of(g.dtype)
    return Geometry((*g.size, 2), (*[s * 2 for s in g.stride], 1), g.offset * 2, real)


def as_complex(g: Geometry) -> Geometry:
    if scalar_types.is_complex(g.dtype) or not scalar_types.is_floating(g.dtype):
        raise RuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{scalar_types.scalar_name(g.dtype)}"
        )
    if not g.size:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if g.size[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if g.stride[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for n, s in zip(g.size[:-1], g.stride[:-1], strict=True) if n > 1):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if g.offset % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    dtype = scalar_types.complex_of(g.dtype)
    return Geometry(g.size[:-1], tuple(s // 2 for s in g.stride[:-1]), g.offset // 2, dtype)


def part_of_complex(g: Geometry, part: int) -> Geometry:
    whole = as_real(g)
    return selected(whole, len(whole.size) - 1, part)._replace(mirrored=g.mirrored and part == 1)


def reinterpreted(g: Geometry, dtype: np.dtype) -> Geometry:
    """The same bytes as another dtype."""
    if g.mirrored:
        kind = "conjugate view tensors" if scalar_types.is_complex(g.dtype) else "tensors with negative bit set"
        raise RuntimeError(f"torch.Tensor.view is not supported for {kind} when converting to a different dtype.")
    old, new = g.dtype.itemsize, dtype.itemsize
    if old == new:
        return g._replace(dtype=dtype)
    if not g.size:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {scalar_types.scalar_name(g.dtype)} as {scalar_types.scalar_name(dtype)} "
            "(different element sizes)"
        )
    if g.stride[-1] != 1:
        raise RuntimeError(
            f"self.stride(-1) must be 1 to view {scalar_types.scalar_name(g.dtype)} as "
            f"{scalar_types.scalar_name(dtype)} (different element sizes), but got {g.stride[-1]}"
        )
    if old > new:
        k = old // new
        return Geometry((*g.size[:-1], g.size[-1] * k), (*[s * k for s in g.stride[:-1]], 1), g.offset * k, dtype)
    k = new // old
    if g.size[-1] % k:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {k} to view {scalar_types.scalar_name(g.dtype)} as "
            f"{scalar_types.scalar_name(dtype)} (different element sizes), but got {g.size[-1]}"
        )
    if any(s % k for s in g.stride[:-1]) or g.offset % k:
        raise RuntimeError(
            f"self.storage_offset() and strides must be divisible by {k} to view "
            f"{scalar_types.scalar_name(g.dtype)} as {scalar_types.scalar_name(dtype)} (different element sizes)"
        )
    return Geometry((*g.size[:-1], g.size[-1] // k), (*[s // k for s in g.stride[:-1]], 1), g.offset // k, dtype)
