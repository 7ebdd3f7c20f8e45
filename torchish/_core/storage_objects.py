"""``untyped_storage()`` and ``storage()``: a tensor's memory as bytes, or as elements of one dtype.

Each is a thin object around a vector over the whole Storage; the same Storage gives the same object.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from .creation import tensor_of_array
from .device import device_of, placement_of
from .dtypes import DTYPES, of, to_np
from .geometry import Geometry
from .public import public
from .storage import Storage
from .tensor import Tensor, View
from .user_warnings import warn_once

_untyped: weakref.WeakValueDictionary[int, UntypedStorage] = weakref.WeakValueDictionary()


def vector_over(storage: Storage, dtype: np.dtype) -> Tensor:
    """All elements of a Storage, read as ``dtype``, as a vector that shares them."""
    made = object.__new__(Tensor)
    made._storage = storage
    g = Geometry((storage.aval.nbytes // dtype.itemsize,), (1,), 0, dtype)
    made._view = View(g, None, g, storage.counter[0])
    made._edge = made._grad = made._extra = None
    return made


def _storage_of(given: tuple, dtype: np.dtype, device: Any) -> Storage:
    """A new Storage of a size, or of a sequence of numbers."""
    if not given:
        array = np.zeros(0, dtype)
    elif len(given) == 1 and isinstance(given[0], int):
        array = np.zeros(given[0], dtype)
    elif len(given) == 1 and isinstance(given[0], (list, tuple)):
        array = np.array(given[0], dtype)
    else:
        raise TypeError("a storage takes a size, or a sequence of numbers")
    return tensor_of_array(array, placement_of(device))._storage


class _Memory:
    """What both kinds of storage have."""

    _vector: Tensor
    __module__ = "torch.storage"

    @property
    def device(self) -> Any:
        """Where the memory lies."""
        return device_of(self._vector._storage.aval.placement)

    @property
    def is_cuda(self) -> bool:
        """Whether the memory lies on a GPU."""
        return self._vector._storage.aval.placement.type == "cuda"

    def data_ptr(self) -> int:
        """What ``data_ptr()`` of a tensor that begins with the storage gives."""
        return self._vector.data_ptr()  # type: ignore[attr-defined]

    def nbytes(self) -> int:
        """Its size in bytes."""
        return self._vector._aval.nbytes

    def size(self) -> int:
        """How many elements it holds: of bytes, how many bytes."""
        return self._vector._aval.numel

    def element_size(self) -> int:
        """Bytes an element."""
        return self._vector._aval.dtype.itemsize

    def __len__(self) -> int:
        return self.size()

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._vector.tolist()  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def _place(self, index: Any) -> int:
        if isinstance(index, slice):
            raise NotImplementedError("torchish: a slice of a storage would share its memory; slice a tensor instead")
        n = self.size()
        if not -n <= index < n:
            raise IndexError(f"index {index} out of range for storage of size {n}")
        return index

    def __getitem__(self, index: int) -> Any:
        return self._vector[self._place(index)].item()  # type: ignore[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self._vector[self._place(index)] = value  # type: ignore[index]

    def fill_(self, value: Any) -> Any:
        """Write ``value`` into every place."""
        self._vector.fill_(value)  # type: ignore[attr-defined]
        return self

    def copy_(self, source: Any, non_blocking: bool = False) -> Any:
        """Write another storage's elements into this one's places."""
        self._vector.copy_(source._vector)  # type: ignore[attr-defined]
        return self

    def is_shared(self) -> bool:
        """Whether processes forked from this one share the memory."""
        return self._vector.is_shared()  # type: ignore[attr-defined]

    def share_memory_(self) -> Any:
        """Move it into memory that processes forked from this one share."""
        self._vector.share_memory_()  # type: ignore[attr-defined]
        return self

    def is_pinned(self, device: Any = "cuda") -> bool:
        """Whether it is page-locked memory: never."""
        return False

    def _shown(self) -> str:
        return "\n".join(f" {x}" for x in self.tolist())


class UntypedStorage(_Memory):
    """A tensor's memory as bytes. https://docs.pytorch.org/docs/stable/storage.html

    >>> import torchish as torch
    >>> torch.tensor([1.0]).untyped_storage().tolist()
    [0, 0, 128, 63]
    """

    __module__ = "torch.storage"

    def __init__(self, *size: Any, device: Any = None):
        self._vector = vector_over(_storage_of(size, np.dtype(np.uint8), device), np.dtype(np.uint8))

    @property
    def _cdata(self) -> int:
        return id(self._vector._storage)

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def clone(self) -> UntypedStorage:
        """A copy."""
        return untyped_of(self._vector.clone()._storage)  # type: ignore[attr-defined]

    def cpu(self) -> UntypedStorage:
        """The storage on the CPU."""
        return untyped_of(self._vector.cpu()._storage)  # type: ignore[attr-defined]

    def type(self) -> str:
        """``"torch.storage.UntypedStorage"``."""
        return "torch.storage.UntypedStorage"

    def __repr__(self) -> str:
        return f"{self._shown()}\n[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"


class TypedStorage(_Memory):
    """A tensor's memory as elements of its dtype (deprecated in PyTorch in favour of bytes)."""

    __module__ = "torch.storage"

    def __init__(self, *size: Any, dtype: Any = None, device: Any = None, wrap_storage: UntypedStorage | None = None):
        np_dtype = to_np(dtype or DTYPES["float32"])
        assert np_dtype is not None
        storage = _storage_of(size, np_dtype, device) if wrap_storage is None else wrap_storage._vector._storage
        self._vector = vector_over(storage, np_dtype)

    @property
    def dtype(self) -> Any:
        """The elements' dtype."""
        return of(self._vector._aval.dtype)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return untyped_of(self._vector._storage)

    def clone(self) -> TypedStorage:
        """A copy."""
        return typed_of(self._vector.clone())  # type: ignore[attr-defined]

    def cpu(self) -> TypedStorage:
        """The storage on the CPU."""
        return typed_of(self._vector.cpu())  # type: ignore[attr-defined]

    def type(self) -> str:
        """``"torch.FloatStorage"``, ..."""
        return f"torch.{'cuda.' if self.is_cuda else ''}{self.pickle_storage_type()}"

    def pickle_storage_type(self) -> str:
        """``"FloatStorage"``, ..."""
        return f"{self.dtype._scalar.scalar_name}Storage"

    def __repr__(self) -> str:
        kind = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return f"{self._shown()}\n[{kind} of size {len(self)}]"


def untyped_of(storage: Storage) -> UntypedStorage:
    """The one object that stands for a Storage."""
    found = _untyped.get(id(storage))
    if found is None or found._vector._storage is not storage:
        found = object.__new__(UntypedStorage)
        found._vector = vector_over(storage, np.dtype(np.uint8))
        _untyped[id(storage)] = found
    return found


def typed_of(t: Tensor) -> TypedStorage:
    """The memory that a tensor lies in, as elements of its dtype."""
    made = object.__new__(TypedStorage)
    made._vector = vector_over(t._storage, t._aval.dtype)
    return made


@public("Tensor")
def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that the tensor, and every view of it, lies in, as bytes."""
    return untyped_of(self._storage)


_DEPRECATED = (
    "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. "
    "This should only matter to you if you are using storages directly.  To access UntypedStorage directly, use "
    "tensor.untyped_storage() instead of tensor.storage()"
)


@public("Tensor")
def storage(self: Tensor) -> TypedStorage:
    """The memory that the tensor lies in, as elements of its dtype."""
    warn_once(_DEPRECATED)
    return typed_of(self)
