"""``x[...]`` and ``x[...] = ...``.

Ints, slices, None and Ellipsis make views. Index tensors and masks go to the ``index`` and ``index_put`` ops, over
the view that the other parts make. A mask's result has a shape that depends on data, so reading one runs the
pending work; writing a number under a mask does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._exec.statistics import Reason
from .._exec.window import THREADS, flush, materialise
from .._ops import scalar_types
from .._ops.registry import OPS
from . import views
from .dispatch import call
from .geometry import overlaps
from .inplace import call_inplace, check_history
from .tensor import NUMBER_CLASSES, Tensor
from .user_warnings import warn, warn_of_complex
from .views import view_of

_INVALID = "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {})"


def _items(t: Tensor, index: Any) -> tuple[list[Any], int]:
    """The index as a list, and how many dimensions an Ellipsis in it skips."""
    items = list(index) if isinstance(index, tuple) else [index]
    taken = sum(_dims_taken(item) for item in items)
    ndim = len(t.shape)
    if ndim == 0 and isinstance(index, slice):
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    if taken > ndim:
        if ndim == 0 and isinstance(index, (int, np.integer)):
            if index:
                raise IndexError(f"index {index} is out of bounds for dimension 0 with size 0")
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert "
                "a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    return items, ndim - taken


_OLD_SEQUENCE = (
    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
    "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], "
    "which will result either in an error or a different result"
)


def _as_tuple(index: Any) -> Any:
    """A short list that holds more than numbers counts as a tuple, as it did in NumPy of old."""
    if index.__class__ is list and len(index) < 32:
        if any(x is None or x is Ellipsis or isinstance(x, (Tensor, slice, Sequence, np.ndarray)) for x in index):
            warn(_OLD_SEQUENCE)
            return tuple(index)
    return index


def _dims_taken(item: Any) -> int:
    if item is None or item is Ellipsis or isinstance(item, (bool, np.bool_)):
        return 0
    if isinstance(item, Tensor) and item._aval.dtype.kind in "b":
        return len(item.shape)
    if isinstance(item, np.ndarray) and item.dtype.kind == "b":
        return item.ndim
    if isinstance(item, list):
        mask = np.asarray(item, dtype=object)
        if mask.size and all(isinstance(x, bool) for x in mask.flat):
            return mask.ndim
    return 1


def _as_index_tensor(item: Any) -> Tensor:
    """An advanced index as a tensor of int64 or bool."""
    from .creation import tensor

    if not isinstance(item, Tensor):
        try:
            item = tensor(item)
        except (TypeError, ValueError, RuntimeError) as error:
            if "invalid data type" in str(error):
                raise
            raise IndexError(_INVALID.format(type(item).__name__)) from None
        if item._aval.numel == 0 or item._aval.dtype.kind not in "biuc":  # floats are cut
            item = item.long()  # type: ignore[attr-defined]
    kind = item._aval.dtype
    if kind == np.uint8:
        warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.")
        item = item.bool()  # type: ignore[attr-defined]
    elif kind.kind not in "ib":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return item


class Parsed:
    """An index taken apart: the view that its basic parts make, and the advanced indices with their dimensions."""

    def __init__(self, t: Tensor, index: Any):
        self.view = t
        self.dims: list[int] = []
        self.indices: list[Tensor] = []
        self.trivial = True  # nothing but full slices so far
        items, skipped = _items(t, _as_tuple(index))
        dim = 0
        for place, item in enumerate(items):
            if item is Ellipsis:
                # As in PyTorch each Ellipsis skips as many dimensions: a second one is of no use, but no error.
                dim += skipped
            else:
                dim = self._take(item, dim, place)

    def _apply(self, rule: Any, node: str) -> None:
        self.view = view_of(self.view, rule, node)
        self.trivial = False

    def _take(self, item: Any, dim: int, place: int) -> int:
        """Apply one item at dimension ``dim`` of the view, ``place`` in the index; the next dimension."""
        if item is None:
            self._check_dim(dim, len(self.view.shape) + 1)
            self._apply(lambda g: views.inserted(g, dim), "UnsqueezeBackward0")
            return dim + 1
        if isinstance(item, slice):
            self._slice(item, dim)
            return dim + 1
        if isinstance(item, (bool, np.bool_)):
            from .creation import tensor

            self._apply(lambda g: views.inserted(g, dim), "UnsqueezeBackward0")
            self._advanced(tensor([bool(item)]), dim)
            return dim + 1
        if isinstance(item, (int, np.integer)) or (
            isinstance(item, Tensor)
            and not item.shape
            and item._aval.dtype.kind in "iu"
            and item._aval.dtype != np.uint8
        ):
            if not -(1 << 63) <= (number := int(item)) < 1 << 63:
                raise ValueError("Overflow when unpacking long long")
            self._select(number, dim, place)
            return dim
        if isinstance(item, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(item).__name__}'")
        if isinstance(item, (float, complex, dict, set)):
            raise IndexError(_INVALID.format(type(item).__name__))
        return self._advanced(_as_index_tensor(item), dim)

    @staticmethod
    def _check_dim(dim: int, ndim: int) -> None:
        if dim >= ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})"
            )

    def _slice(self, item: slice, dim: int) -> None:
        self._check_dim(dim, len(self.view.shape))
        n = self.view.shape[dim]
        parts = [None if p is None else _slice_bound(p) for p in (item.start, item.stop, item.step)]
        if parts[2] is not None and parts[2] <= 0:
            raise ValueError("slice step cannot be zero" if parts[2] == 0 else "step must be greater than zero")
        start, stop, step = slice(*parts).indices(n)
        whole = not parts[0] and (parts[1] is None or parts[1] >= n) and step == 1
        if not whole:
            stop = max(stop, start)
            self._apply(lambda g: views.sliced(g, dim, start, stop, step), "SliceBackward0")

    def _select(self, i: int, dim: int, place: int) -> None:
        n = self.view.shape[dim] if dim < len(self.view.shape) else 0
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of bounds for dimension {place} with size {n}")
        i = i + n if i < 0 else i
        self._apply(lambda g: views.selected(g, dim, i), "SelectBackward0")

    def _advanced(self, index: Tensor, dim: int) -> int:
        if dim >= len(self.view.shape) and index.shape:
            raise IndexError(f"too many indices for tensor of dimension {len(self.view.shape)} (got {dim + 1})")
        if index._aval.dtype.kind != "b":
            self.dims.append(dim)
            self.indices.append(index)
            return dim + 1
        shape, mine = tuple(index.shape), tuple(self.view.shape)[dim : dim + len(index.shape)]
        for k, (a, b) in enumerate(zip(shape, mine, strict=False)):
            if a != b:
                raise IndexError(
                    f"The shape of the mask {list(shape)} at index {k} does not match the shape of the indexed tensor "
                    f"{list(self.view.shape)} at index {dim + k}"
                )
        if not shape:  # a 0-dim mask adds a dimension of size 0 or 1
            self._apply(lambda g: views.inserted(g, dim), "UnsqueezeBackward0")
            self.dims.append(dim)
            self.indices.append(index.reshape(1))  # type: ignore[attr-defined]
            return dim + 1
        self.dims.append(dim)
        self.indices.append(index)
        return dim + len(shape)

    def integer_indices(self) -> tuple[tuple[int, ...], list[Tensor]]:
        """The advanced indices with masks turned into the positions where they hold."""
        dims: list[int] = []
        indices: list[Tensor] = []
        for dim, index in zip(self.dims, self.indices, strict=True):
            if index._aval.dtype.kind != "b":
                dims.append(dim)
                indices.append(index if index._aval.dtype == np.int64 else index.long())  # type: ignore[attr-defined]
                continue
            for k, found in enumerate(nonzero_positions(index)):
                dims.append(dim + k)
                indices.append(found)
        return tuple(dims), indices


def _slice_bound(p: Any) -> int:
    try:
        return p.__index__()
    except (AttributeError, TypeError):
        raise TypeError("slice indices must be integers or None or have an __index__ method") from None


def nonzero_positions(t: Tensor) -> list[Tensor]:
    """The coordinates of the nonzero elements, one int64 tensor a dimension; runs pending work."""
    from .creation import tensor_of_array

    value = t._value()
    if value.array is None:
        flush(value.window, Reason.DATA_SHAPE)  # type: ignore[index]
    found = np.nonzero(np.asarray(materialise(value)))
    return [tensor_of_array(np.ascontiguousarray(f), value.aval.placement) for f in found]


def getitem(self: Tensor, index: Any) -> Tensor:
    if index.__class__ is int and self.shape and -self.shape[0] <= index < self.shape[0]:
        # What loops over rows do, without taking the index apart.
        row = index % self.shape[0]
        return view_of(self, lambda g: views.selected(g, 0, row), "SelectBackward0")
    parsed = Parsed(self, index)
    if not parsed.dims:
        return view_of(self, lambda g: g, "AliasBackward0") if parsed.trivial else parsed.view
    dims, indices = parsed.integer_indices()
    return call(OPS["index"], (parsed.view, _on_device(indices, self)), (dims,))


def _on_device(indices: list[Tensor], t: Tensor) -> list[Tensor]:
    """Index tensors on the CPU may index a tensor on an accelerator."""
    placement = t._storage.aval.placement
    return [i if i._storage.aval.placement is placement else i.to(t.device) for i in indices]  # type: ignore[attr-defined]


def setitem(self: Tensor, index: Any, value: Any) -> None:
    parsed = Parsed(self, index)
    target = parsed.view
    if not parsed.dims:
        if value.__class__ is int and not -(1 << 63) <= value < 1 << 63:
            raise ValueError("Overflow when unpacking long long")
        if value.__class__ in NUMBER_CLASSES or isinstance(value, np.generic):
            _fill(target, value.item() if isinstance(value, np.generic) else value)
        else:
            _assign(target, _as_source(value, self))
        return
    masks = [i for i in parsed.indices if i._aval.dtype.kind == "b"]
    number = value.__class__ in NUMBER_CLASSES or isinstance(value, np.generic)
    zero_dim = isinstance(value, Tensor) and not value.shape
    if len(masks) == len(parsed.dims) == 1 and (number or zero_dim):
        mask = masks[0]
        dim, tail = parsed.dims[0], len(target.shape) - parsed.dims[0] - len(mask.shape)
        shape = (*[1] * dim, *mask.shape, *[1] * tail)
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, Tensor) and value._aval.dtype != self._aval.dtype:
            value = value.to(self.dtype)  # type: ignore[attr-defined]
        shaped = mask.reshape(shape)  # type: ignore[attr-defined]
        call_inplace(OPS["masked_fill"], (target, shaped, value), (), "IndexPutBackward0")
        return
    dims, indices = parsed.integer_indices()
    if value.__class__ in NUMBER_CLASSES:
        scalar_types.check_fits(value, self._aval.dtype)
    source = _without_leading_ones(_as_source(value, self))
    if source._aval.dtype != self._aval.dtype:
        if isinstance(value, Tensor):
            raise RuntimeError(
                "Index put requires the source and destination dtypes match, got "
                f"{self.dtype._scalar.scalar_name} for the destination and {source.dtype._scalar.scalar_name} for the source."
            )
        source = source.to(self.dtype)  # type: ignore[attr-defined]
    call_inplace(OPS["index_put.dims"], (target, _on_device(indices, self), source), (dims, False))


def _fill(target: Tensor, value: Any) -> None:
    g = target._geometry()
    if overlaps(g.size, g.stride):  # allowed to fill_() with a number, not to an assignment
        value = _as_source(value, target)
    call_inplace(OPS["fill"], (target, value), (), "FillBackward3")


def _assign(target: Tensor, source: Tensor) -> None:
    shape, size = tuple(source.shape), tuple(target.shape)
    if shape == size:
        copy_into(target, source)
    elif not shape and source._storage.aval.placement.type == "cpu":
        warn_of_complex(source._aval.dtype, target._aval.dtype)
        call_inplace(OPS["fill"], (target, source), (), "FillBackward3")
    else:
        copy_into(target, _without_leading_ones(source).expand(size))  # type: ignore[attr-defined]


def _without_leading_ones(source: Tensor) -> Tensor:
    shape = tuple(source.shape)
    lead = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return source.reshape(shape[lead:]) if lead else source  # type: ignore[attr-defined]


def _as_source(value: Any, target: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if value.__class__ in NUMBER_CLASSES or isinstance(value, np.generic):
        from .creation import tensor

        return tensor(value, dtype=target.dtype, device=target.device)
    from .creation import as_tensor

    if isinstance(value, (list, tuple, str, np.ndarray)) or value is None:
        raise TypeError(f"can't assign a {_class_name(value)} to a torch.{_tensor_type(target)}")
    return as_tensor(value)


def _class_name(value: Any) -> str:
    return "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__


def _tensor_type(t: Tensor) -> str:
    return f"{t.dtype._scalar.scalar_name}Tensor"


def copy_into(target: Tensor, source: Tensor) -> Tensor:
    """``target.copy_(source)``: broadcast, converted, from any device."""
    warn_of_complex(source._aval.dtype, target._aval.dtype)
    check_history(target, THREADS.context.grad_enabled and (target.requires_grad or source.requires_grad))
    if source._storage.aval.placement is not target._storage.aval.placement:
        source = source.to(target.device)  # type: ignore[attr-defined]
    return call_inplace(OPS["copy"], (target, source), (False,))
