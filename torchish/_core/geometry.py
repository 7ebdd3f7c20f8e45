"""Size, stride and offset: where a view's elements lie in its base, and the kernels that read and write them.

A view of a view is again one size, stride and offset over the base, so chains of views collapse. To read
one with XLA, the base is seen as a grid whose axes are the view's strides in mixed radix; the view is then one
``dynamic_slice`` of the grid, whose start comes from the offset, a run-time operand: ``x[i]`` for a thousand
``i`` compiles once. Strides that do not nest that way (diagonals, overlapping windows) gather by index.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .._exec.kernel import Kernel
from .._exec.value import Aval
from .._ops import scalar_types
from .._ops.broadcasting import broadcast_to


class Geometry(NamedTuple):
    """Sizes and strides in elements of ``dtype``, and the offset of the first element.

    ``mirrored``: the elements are the conjugates of what lies there; of a real dtype, the negatives.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int
    dtype: np.dtype
    mirrored: bool = False


def contiguous_stride(size: tuple[int, ...]) -> tuple[int, ...]:
    stride, step = [], 1
    for n in reversed(size):
        stride.append(step)
        step *= max(n, 1)
    return tuple(reversed(stride))


@functools.lru_cache(4096)
def contiguous(size: tuple[int, ...], dtype: np.dtype) -> Geometry:
    return Geometry(size, contiguous_stride(size), 0, dtype)


def is_contiguous(size: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    if 0 in size:
        return True
    step = 1
    for n, s in zip(reversed(size), reversed(stride), strict=True):
        if n != 1:
            if s != step:
                return False
            step *= n
    return True


def overlaps(size: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether an expanded dimension makes several elements share one place."""
    return any(n > 1 and s == 0 for n, s in zip(size, stride, strict=True))


def is_dense(g: Geometry) -> bool:
    """Whether the elements fill one stretch of memory, each place once."""
    step = 1
    for s, n in sorted(zip(g.stride, g.size, strict=True)):
        if n != 1:
            if s != step:
                return False
            step *= n
    return True


class _Grid(NamedTuple):
    order: tuple[int, ...]  # the view's dimensions with more than one element, by falling stride
    shape: tuple[int, ...]  # of the grid over the base
    window: tuple[int, ...]  # the view's extent in the grid


def _grid(numel: int, g: Geometry) -> _Grid | None:
    """The grid in which the view is one box; None where there is none."""
    order = sorted((i for i, n in enumerate(g.size) if n > 1 and g.stride[i] > 0), key=lambda i: -g.stride[i])
    strides = [g.stride[i] for i in order]
    radices, rest = [], g.offset
    for k, i in enumerate(order):
        if k and strides[k - 1] % strides[k]:
            return None
        digit, rest = divmod(rest, strides[k])
        radix = strides[k - 1] // strides[k] if k else -(-numel // strides[0])
        if digit + g.size[i] > radix:
            return None
        radices.append(radix)
    last = strides[-1] if strides else max(numel, 1)
    return _Grid(tuple(order), (*radices, last), (*[g.size[i] for i in order], 1))


def _elements(base: jax.Array, dtype: np.dtype) -> jax.Array:
    """The base as a flat array of ``dtype``, which may be another view of the same bytes."""
    if base.dtype == dtype:
        return base.reshape(-1)
    if scalar_types.is_complex(base.dtype) and not scalar_types.is_complex(dtype):
        return _elements(jnp.stack((base.real, base.imag), -1), dtype)
    if scalar_types.is_complex(dtype):
        pairs = _elements(base, scalar_types.real_of(dtype)).reshape(-1, 2)
        return lax.complex(pairs[:, 0], pairs[:, 1])
    if base.dtype == np.bool_:
        base = base.astype(np.uint8)
    if dtype == np.bool_:
        return lax.bitcast_convert_type(base, np.uint8).reshape(-1) != 0
    if base.dtype.itemsize < dtype.itemsize:
        base = base.reshape(-1, dtype.itemsize // base.dtype.itemsize)
    return lax.bitcast_convert_type(base, dtype).reshape(-1)


def _starts(offset: Any, grid: _Grid) -> list[Any]:
    starts, rest = [], offset
    for k in range(len(grid.shape)):
        step = math.prod(grid.shape[k + 1 :])
        starts.append(rest // step)
        rest = rest % step
    return starts


def _as_grid(flat: jax.Array, grid: _Grid) -> jax.Array:
    missing = math.prod(grid.shape) - flat.shape[0]
    return (jnp.pad(flat, (0, missing)) if missing else flat).reshape(grid.shape)


def _places(g: Geometry, offset: Any) -> jax.Array:
    places = jnp.zeros(g.size, np.int64)
    for axis, (n, s) in enumerate(zip(g.size, g.stride, strict=True)):
        places = places + lax.broadcasted_iota(np.int64, g.size, axis) * s if n > 1 else places
    return places + offset


def _covers(numel: int, grid: _Grid, offset: int) -> bool:
    return offset == 0 and grid.shape == grid.window and math.prod(grid.shape) == numel


def _mirror(x: jax.Array) -> jax.Array:
    return jnp.conj(x) if scalar_types.is_complex(x.dtype) else -x


def _read_body(g: Geometry, grid: _Grid | None, whole: bool):
    if g.mirrored:
        plain = _read_body(g._replace(mirrored=False), grid, whole)
        return lambda base, offset=0: (_mirror(plain(base, offset)[0]),)

    def read(base, offset=0):
        flat = _elements(base, g.dtype)
        if 0 in g.size:
            return (jnp.zeros(g.size, g.dtype),)
        if grid is None:
            return (flat[_places(g, offset)],)
        box = _as_grid(flat, grid)
        if not whole:
            box = lax.dynamic_slice(box, _starts(offset, grid), grid.window)
        box = box.reshape(grid.window[:-1])
        box = box.transpose([grid.order.index(i) for i in sorted(grid.order)])
        box = box.reshape([n if g.stride[i] else 1 for i, n in enumerate(g.size)])
        return (broadcast_to(box, g.size),)

    return read


def _last_written(new: jax.Array, old: jax.Array, g: Geometry) -> jax.Array:
    """``new`` with the dimensions of stride 0 reduced to size 1: of the elements that share a place, the last changed."""
    for axis, (n, s) in enumerate(zip(g.size, g.stride, strict=True)):
        if n > 1 and s == 0:
            changed = (new != old) & ~((new != new) & (old != old))
            order = lax.broadcasted_iota(np.int64, new.shape, axis)
            last = jnp.argmax(jnp.where(changed, order, -1), axis, keepdims=True)
            new, old = jnp.take_along_axis(new, last, axis), jnp.take_along_axis(old, last, axis)
    return new


def _write_body(g: Geometry, grid: _Grid | None, whole: bool):
    if g.mirrored:
        plain = _write_body(g._replace(mirrored=False), grid, whole)
        return lambda base, new, offset=0: plain(base, _mirror(new), offset)
    read = _read_body(g, grid, whole)

    def write(base, new, offset=0):
        if 0 in g.size:
            return (base,)
        flat = _elements(base, g.dtype)
        if overlaps(g.size, g.stride):
            new = _last_written(new, read(base, offset)[0], g)
        if grid is None:
            flat = flat.at[_places(g, offset)].set(new)
        else:
            box = new.reshape([n for n, s in zip(g.size, g.stride, strict=True) if n > 1 and s]).transpose(
                [sorted(grid.order).index(i) for i in grid.order]
            )
            box = box.reshape(grid.window)
            if not whole:
                box = lax.dynamic_update_slice(_as_grid(flat, grid), box, _starts(offset, grid))
            flat = box.reshape(-1)[: flat.shape[0]]
        return (_elements(flat, base.dtype).reshape(base.shape),)

    return write


class ViewKernels:
    """The kernels of one geometry over one base aval. ``offset`` says whether they take it as an operand."""

    def __init__(self, base: Aval, g: Geometry):
        numel = base.nbytes // g.dtype.itemsize
        self._base, self._geometry = base, g
        self._grid = _grid(numel, g)
        self._whole = self._grid is not None and _covers(numel, self._grid, g.offset)
        self.offset = not self._whole and 0 not in g.size

    @functools.cached_property
    def read(self) -> Kernel:
        body = _read_body(self._geometry, self._grid, self._whole)
        offset = [int] if self.offset else []
        return Kernel("view", body, [self._base, *offset], self._base.placement, node="AsStridedBackward0")

    @functools.cached_property
    def write(self) -> Kernel:
        body = _write_body(self._geometry, self._grid, self._whole)
        new = _view_aval(self._base, self._geometry)
        offset = [int] if self.offset else []
        return Kernel("view_write", body, [self._base, new, *offset], self._base.placement, node="CopySlices")


class RestridedKernels:
    """The same for a view of a base that has itself become a view of its Storage, by ``t_()`` for instance.

    ``base`` and ``g`` both lie over a Storage of aval ``storage``; operands and results are those of ``ViewKernels``.
    """

    offset = False

    def __init__(self, storage: Aval, base: Geometry, g: Geometry):
        self._storage, self._base, self._geometry = storage, base, g

    def _bodies(self, g: Geometry) -> tuple[Any, Any]:
        grid = _grid(self._storage.nbytes // g.dtype.itemsize, g)
        read, write = _read_body(g, grid, False), _write_body(g, grid, False)
        return lambda s: read(s, g.offset)[0], lambda s, new: write(s, new, g.offset)[0]

    @functools.cached_property
    def read(self) -> Kernel:
        storage, (_, write_base), (read_view, _) = self._storage, self._bodies(self._base), self._bodies(self._geometry)

        def body(base):
            return (read_view(write_base(jnp.zeros(storage.shape, storage.dtype), base)),)

        return Kernel("view", body, [_view_aval(storage, self._base)], storage.placement, node="AsStridedBackward0")

    @functools.cached_property
    def write(self) -> Kernel:
        storage, (read_base, write_base) = self._storage, self._bodies(self._base)
        _, write_view = self._bodies(self._geometry)

        def body(base, new):
            whole = write_base(jnp.zeros(storage.shape, storage.dtype), base)
            return (read_base(write_view(whole, new)),)

        avals = [_view_aval(storage, self._base), _view_aval(storage, self._geometry)]
        return Kernel("view_write", body, avals, storage.placement, node="CopySlices")


def _view_aval(base: Aval, g: Geometry) -> Aval:
    from .._exec.value import aval_of

    return aval_of(g.size, g.dtype, base.placement)


_kernels: dict[tuple, ViewKernels] = {}


def kernels_of(base: Aval, g: Geometry) -> ViewKernels:
    """The kernels that read and write the view ``g`` of a base of aval ``base``."""
    exact = (base, g)
    found = _kernels.get(exact)
    if found is None:
        grid = _grid(base.nbytes // max(g.dtype.itemsize, 1), g)
        whole = grid is not None and _covers(base.nbytes // max(g.dtype.itemsize, 1), grid, g.offset)
        shared = (base, g.size, g.stride, g.dtype, g.mirrored, grid, whole)
        found = _kernels.get(shared)
        if found is None:
            found = _kernels[shared] = ViewKernels(base, g)
        if len(_kernels) > 1 << 16:
            _kernels.clear()
        _kernels[exact] = found
    return found


_restrided: dict[tuple, RestridedKernels] = {}


def restrided_kernels_of(storage: Aval, base: Geometry, g: Geometry) -> RestridedKernels:
    """The kernels that read and write ``g`` in a tensor of geometry ``base`` over the same Storage."""
    key = (storage, base, g)
    found = _restrided.get(key)
    if found is None:
        found = _restrided[key] = RestridedKernels(storage, base, g)
    return found


_pieces: dict[tuple, Kernel] = {}


def pieces_kernel(base: Aval, dim: int, sizes: tuple[int, ...] | None) -> Kernel:
    """The kernel of several views at once: pieces of the given sizes of one dimension, or for None all its slices."""
    key = (base, dim, sizes)
    found = _pieces.get(key)
    if found is None:

        def body(x):
            parts = lax.split(x, sizes or (1,) * base.shape[dim], dim)
            return tuple(lax.squeeze(p, (dim,)) for p in parts) if sizes is None else tuple(parts)

        found = _pieces[key] = Kernel("view", body, [base], base.placement)
    return found
