"""Samples to a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import torchish
from torchish._core.creation import tensor_of_array
from torchish._core.device import placement_of
from torchish._core.geometry import contiguous, is_contiguous
from torchish._core.methods import in_memory
from torchish._core.tensor import Tensor
from torchish._core.views import view_of
from torchish._exec.value import aligned_empty

CollateFunctions = dict[type | tuple[type, ...], Callable[..., Any]]

default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def _is_of_text(dtype: np.dtype) -> bool:
    return any(kind in dtype.str for kind in "SaUO")


def rebuilt_mapping(like: Mapping[Any, Any], entries: dict[Any, Any]) -> Any:
    """A mapping of the class of ``like`` with ``entries``; a plain dict where that class can't be made so."""
    try:
        if isinstance(like, MutableMapping):
            # A copy, since the class may have arguments and attributes of its own.
            made = copy.copy(like)
            made.update(entries)
            return made
        return type(like)(entries)  # type: ignore[call-arg]
    except TypeError:
        return entries


def rebuilt_sequence(like: Sequence[Any], entries: Callable[[], Iterable[Any]]) -> Any:
    """A sequence of the class of ``like`` with ``entries()``; a plain list where that class can't be made so."""
    try:
        if isinstance(like, MutableSequence):
            made = copy.copy(like)
            for i, entry in enumerate(entries()):
                made[i] = entry
            return made
        return type(like)(list(entries()))  # type: ignore[call-arg]
    except TypeError:
        return list(entries())


def default_convert(data: Any) -> Any:
    """``data`` with every NumPy array and scalar in it, however deep, as a tensor.

    >>> default_convert({"x": np.array([1, 2]), "name": "a"})
    {'x': tensor([1, 2]), 'name': 'a'}
    """
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "string_"):
        if isinstance(data, np.ndarray) and _is_of_text(data.dtype):
            return data
        return torchish.as_tensor(data)
    if isinstance(data, Mapping):
        return rebuilt_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(each) for each in data))
    if isinstance(data, tuple):
        return [default_convert(each) for each in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return rebuilt_sequence(data, lambda: (default_convert(each) for each in data))
    return data


def collate(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Any:
    """The samples of ``batch`` put together: by ``collate_fn_map`` (by class), or entry by entry in containers.

    Raises:
        RuntimeError: where sequences differ in length.
        TypeError: for samples that are neither in the map nor containers.
    """
    first = batch[0]
    kind = type(first)
    function = _function_for(first, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def together(samples: Any) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return rebuilt_mapping(first, {key: together([sample[key] for sample in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(together(samples) for samples in zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = list(zip(*batch, strict=False))
        if isinstance(first, tuple):
            return [together(samples) for samples in columns]
        return rebuilt_sequence(first, lambda: (together(samples) for samples in columns))
    raise TypeError(default_collate_err_msg_format.format(kind))


def _function_for(sample: Any, functions: CollateFunctions) -> Callable[..., Any] | None:
    """The function for the very class of ``sample``, or the first for one of its bases."""
    found = functions.get(type(sample))
    return found or next((function for key, function in functions.items() if isinstance(sample, key)), None)


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Tensor:
    """Tensors of one shape, stacked."""
    if not _are_alike(batch):
        return torchish.stack(batch, 0)
    rows = _rows_of_one(batch)
    if rows is None:
        samples = [array for t in batch if (array := in_memory(t)) is not None]
        if len(samples) < len(batch):
            return torchish.stack(batch, 0)
        rows = np.stack(samples, out=aligned_empty((len(batch), *samples[0].shape), samples[0].dtype))
    return tensor_of_array(rows, placement_of("cpu"))


# What lies ready in memory is put together by NumPy: an operation on as many operands as the batch has samples
# would cost many times that.


def _are_alike(batch: Any) -> bool:
    """Whether these are plain tensors of one shape and dtype, and nothing is to be recorded for a gradient."""
    aval = batch[0]._aval
    return all(type(t) is Tensor and t._aval is aval and not t.requires_grad for t in batch)


def _rows_of_one(batch: Any) -> np.ndarray | None:
    """The samples where they are rows of one tensor, as ``dataset[i]`` mostly is; None where they are not."""
    storage, view = batch[0]._storage, batch[0]._view
    if view is None or not all(t._storage is storage and t._view is not None for t in batch):
        return None
    g, n = view.geometry, batch[0].numel()
    offsets = [t._view.geometry.offset for t in batch]
    alike = all(t._view.geometry.stride == g.stride and t._view.geometry.mirrored == g.mirrored for t in batch)
    if not alike or not n or not is_contiguous(g.size, g.stride) or any(offset % n for offset in offsets):
        return None
    whole = (storage.aval.nbytes // g.dtype.itemsize // n, *g.size)
    table = view_of(batch[0], lambda g: contiguous(whole, g.dtype)._replace(mirrored=g.mirrored), "")
    data = in_memory(table)
    return (
        None
        if data is None
        else data.take([o // n for o in offsets], 0, aligned_empty((len(batch), *g.size), g.dtype), "clip")
    )


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Any:
    """NumPy arrays of one shape, as a stacked tensor."""
    if _is_of_text(batch[0].dtype):
        raise TypeError(default_collate_err_msg_format.format(batch[0].dtype))
    return collate([torchish.as_tensor(each) for each in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Tensor:
    """NumPy scalars, as a tensor of one dimension."""
    return torchish.as_tensor(batch)


def collate_float_fn(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Tensor:
    """Python floats, as a float64 tensor."""
    return torchish.tensor(batch, dtype=torchish.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Tensor:
    """Python integers (or bools), as a tensor."""
    return torchish.tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: CollateFunctions | None = None) -> Any:
    """Texts stay as they are."""
    return batch


default_collate_fn_map: CollateFunctions = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """A list of samples as one batch: tensors, arrays and numbers become tensors with a new first dimension.

    Containers are kept: a list of dicts becomes a dict of batches, a list of tuples a list of batches.

    Raises:
        TypeError: for samples of other classes.
        RuntimeError: where the samples' shapes or lengths differ.

    >>> default_collate([(0, 1.5), (2, 2.5)])
    [tensor([0, 2]), tensor([1.5000, 2.5000], dtype=torch.float64)]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
