"""Tensor methods that read data or describe the tensor: item, numpy, tolist, size, stride, printing, copying."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from .._exec.window import materialise
from .._ops import scalar_types
from . import printing
from .geometry import Geometry, is_contiguous
from .graph import AccumulateGrad
from .public import public
from .tensor import Tensor, View
from .user_warnings import warn_once

_NUMPY_OF_GRAD = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


def host_array(t: Tensor) -> np.ndarray:
    """The tensor's data as a NumPy array that nobody may write to."""
    array = in_memory(t)
    return np.asarray(materialise(t._value())) if array is None else array


def in_memory(t: Tensor) -> np.ndarray | None:
    """``host_array`` where it takes no work: None for data that is pending, traced, mirrored or not on the CPU."""
    storage = t._storage
    if storage.aval.placement.type != "cpu":
        return None
    base = storage.host
    if storage.value is not None:
        base = storage.value.array
        if base is None or isinstance(base, jax.core.Tracer):
            return None
        base = np.asarray(base)
    view = t._view
    if view is None:
        return base
    return None if view.geometry.mirrored else _strided(base, view.geometry)


def _strided(base: np.ndarray, g: Geometry) -> np.ndarray:
    """The elements of ``base``, which is contiguous, that ``g`` shows."""
    if not base.size or 0 in g.size:
        return np.zeros(g.size, g.dtype)
    step = g.dtype.itemsize
    memory = base.reshape(-1).view(np.uint8)
    return np.ndarray(g.size, g.dtype, memory, g.offset * step, tuple(s * step for s in g.stride))


# Reading


@public("Tensor")
def item(self: Tensor) -> Any:
    """The one element as a Python number."""
    aval = self._aval
    if aval.numel != 1:
        raise RuntimeError(f"a Tensor with {aval.numel} elements cannot be converted to Scalar")
    array = in_memory(self)
    return (materialise(self._value()) if array is None else array).item()


@public("Tensor")
def tolist(self: Tensor) -> Any:
    """Nested lists of Python numbers; a number for a 0-dim tensor."""
    array = host_array(self)
    return array.astype(np.float32).tolist() if array.dtype.kind == "V" else array.tolist()


@public("Tensor")
def numpy(self: Tensor, *, force: bool = False) -> np.ndarray:
    """A NumPy array that shares the tensor's memory: each sees the other's writes.

    Raises:
        RuntimeError: if the tensor requires grad (unless ``force``).
        TypeError: for a dtype that NumPy lacks, or a tensor on an accelerator.
    """
    if force:
        plain: Any = self.detach().cpu()  # type: ignore[attr-defined]
        return numpy(plain.resolve_conj().resolve_neg())
    if self.requires_grad:
        raise RuntimeError(_NUMPY_OF_GRAD)
    if self._geometry().mirrored:
        bit, call = ("conjugate", "resolve_conj") if self.dtype.is_complex else ("negative", "resolve_neg")
        raise RuntimeError(f"Can't call numpy() on Tensor that has {bit} bit set. Use tensor.{call}().numpy() instead.")
    aval = self._storage.aval
    if aval.placement.type != "cpu":
        raise TypeError(
            f"can't convert {aval.placement} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            "memory first."
        )
    if self._aval.dtype.kind == "V":
        raise TypeError("Got unsupported ScalarType BFloat16")
    base = self._storage.share_with_numpy()
    if self._view is None:
        return base.view()
    return _strided(base, self._view.geometry)


def _array(self: Tensor, dtype: Any = None, copy: Any = None) -> np.ndarray:
    array = numpy(self)
    if dtype is not None and array.dtype != np.dtype(dtype):
        return array.astype(dtype)
    return array.copy() if copy else array


def _array_wrap(self: Tensor, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Tensor:
    """What a NumPy function of a tensor gives: a tensor again, and of bools one of uint8."""
    from .creation import from_numpy_array

    return from_numpy_array(np.asarray(array.astype(np.uint8) if array.dtype == np.bool_ else array))


_NEEDS_GRAD = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
    "tensor.detach() first."
)


def _number(convert: Any, name: str) -> Any:
    def method(self: Tensor) -> Any:
        if self._aval.numel != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        if convert is not int and self.requires_grad:
            warn_once(_NEEDS_GRAD)
        value = item(self)
        if value.__class__ is complex and convert is not complex:
            scalar_types.check_fits(value, np.dtype(np.float64 if convert is float else np.int64))
            value = value.real
        return convert(value)

    method.__name__ = name
    return method


def _bool(self: Tensor) -> bool:
    n = self._aval.numel
    if n == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if n > 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(item(self))


def _index(self: Tensor) -> int:
    aval = self._aval
    if aval.dtype.kind not in "iub" or aval.numel != 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(item(self))


def _len(self: Tensor) -> int:
    if not self.shape:
        raise TypeError("len() of a 0-d tensor")
    return self.shape[0]


def _iter(self: Tensor) -> Iterator[Tensor]:
    if not self.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))  # type: ignore[attr-defined]


def _contains(self: Tensor, element: Any) -> bool:
    if not isinstance(element, (Tensor, int, float, bool, complex)):
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
    return bool((element == self).any().item())  # type: ignore[attr-defined]


# Shape and layout


@public("Tensor")
def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    if dim is None:
        return self.shape
    from .views import wrap_dim

    if not self.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return self.shape[wrap_dim(dim, len(self.shape))]


@public("Tensor", aliases=("ndimension",))
def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return len(self.shape)


@public("torch", "Tensor", aliases=())
def numel(input: Tensor) -> int:
    """The number of elements."""
    return input._aval.numel


@public("Tensor")
def nelement(self: Tensor) -> int:
    """The number of elements."""
    return self._aval.numel


@public("Tensor")
def stride(self: Tensor, dim: int | None = None) -> Any:
    """The strides in elements, or that of one dimension."""
    strides = self._geometry().stride
    if dim is None:
        return strides
    from .views import wrap_dim

    return strides[wrap_dim(dim, len(strides))]


@public("Tensor")
def storage_offset(self: Tensor) -> int:
    """Where in its Storage the first element lies."""
    return self._geometry().offset


@public("Tensor", name="is_contiguous")
def is_contiguous_(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in order."""
    g = self._geometry()
    if memory_format is not None and getattr(memory_format, "order", None) is not None:
        return memory_format.holds(g.size, g.stride)
    return is_contiguous(g.size, g.stride)


@public("Tensor")
def element_size(self: Tensor) -> int:
    """Bytes an element."""
    return self._aval.dtype.itemsize


def _define_properties() -> None:
    T: Any = Tensor
    T.ndim = property(dim, doc=dim.__doc__)
    T.itemsize = property(element_size, doc=element_size.__doc__)
    T.nbytes = property(lambda self: self._aval.nbytes, doc="Bytes of all elements.")
    T.names = property(lambda self: (None,) * len(self.shape), doc="Dimension names, of which there are none.")
    T.is_cuda = property(lambda self: self._storage.aval.placement.type == "cuda", doc="Whether it lies on a GPU.")
    T.is_cpu = property(lambda self: self._storage.aval.placement.type == "cpu", doc="Whether it lies on the CPU.")
    T.is_sparse = property(lambda self: False, doc="Whether the layout is sparse: never.")
    T.is_quantized = property(lambda self: False, doc="Whether the dtype is quantized: never.")
    T.is_meta = property(lambda self: False, doc="Whether it has no data: never.")
    T.is_mkldnn = property(lambda self: False, doc="Whether the layout is mkldnn's: never.")
    T.is_nested = property(lambda self: False, doc="Whether it is nested: never.")
    T._base = property(lambda self: None if self._view is None else self._view.base, doc="The tensor that this views.")


_define_properties()


@public()
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is floating."""
    return input.dtype.is_floating_point


@public()
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    return input.dtype.is_complex


@public("Tensor")
def is_signed(self: Tensor) -> bool:
    """Whether the dtype is signed."""
    return self.dtype.is_signed


@public()
def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not zero."""
    return _bool(input)


@public()
def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input._is_inference()


@public("Tensor")
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both are the same elements of the same Storage."""
    return self._storage is tensor._storage and self._geometry() == tensor._geometry()


@public("Tensor")
def _is_view(self: Tensor) -> bool:
    return self._view is not None and self._view.base is not None


@public("Tensor")
def data_ptr(self: Tensor) -> int:
    """A number that two tensors share exactly where their first elements share memory."""
    g = self._geometry()
    if 0 in g.size:
        return 0
    storage = self._storage
    if storage.host is not None:
        return storage.host.ctypes.data + g.offset * g.dtype.itemsize
    # Data moves when XLA writes it, so the address of the Storage itself stands for the memory's.
    return (id(storage) << 8) + g.offset * g.dtype.itemsize


@public("Tensor")
def get_device(self: Tensor) -> int:
    """The index of the accelerator, -1 on the CPU."""
    p = self._storage.aval.placement
    return -1 if p.type == "cpu" else p.index


# Printing


def tensor_text(t: Tensor) -> str:
    """The tensor as PyTorch prints it."""
    aval = t._aval
    edges = printing.edge_indices(aval.shape)
    source = t.detach()
    if edges is None:
        array = host_array(source)
    else:
        whole = host_array(source)
        array = whole[np.ix_(*edges)] if aval.shape else whole
    grad_fn_name = _grad_fn_name(t)
    placement = aval.placement
    return printing.tensor_str(
        array,
        dtype_name=scalar_types.BY_NP_DTYPE[aval.dtype].name,
        default_dtype_name=scalar_types.BY_NP_DTYPE[scalar_types.default_float()].name,
        device=None if placement.type == "cpu" else str(placement),
        requires_grad=t.requires_grad and grad_fn_name is None,
        grad_fn_name=grad_fn_name,
        shape=aval.shape,
    )


def _grad_fn_name(t: Tensor) -> str | None:
    try:
        grad_fn = t.grad_fn
    except RuntimeError:  # a view that does not follow its base
        return "Invalid"
    return None if grad_fn is None else type(grad_fn).__name__


def _repr(self: Tensor, *, tensor_contents: Any = None) -> str:
    return tensor_text(self)


def _format(self: Tensor, spec: str) -> str:
    if not self.shape and type(self) is Tensor:
        return format(item(self), spec)
    return object.__format__(self, spec) if spec else str(self)


# Copying


def deepcopy_tensor(t: Tensor, memo: dict[int, Any]) -> Tensor:
    if not t.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    if id(t) in memo:
        return memo[id(t)]
    made: Tensor = object.__new__(type(t))
    storage = memo.get(id(t._storage))
    if storage is None:
        from .storage import Storage

        storage = memo[id(t._storage)] = Storage(t._storage.read())
    made._storage = storage
    made._view = None if t._view is None else View(t._view.geometry, None, t._view.relative, 0)
    made._edge = made._extra = None
    made._grad = None if t._grad is None else copy.deepcopy(t._grad, memo)
    memo[id(t)] = made
    if t.requires_grad:
        made.requires_grad_()
    for name, value in t.__dict__.items():
        made.__dict__[name] = copy.deepcopy(value, memo)
    return made


def _copy(self: Tensor) -> Tensor:
    made: Tensor = object.__new__(type(self))
    made._storage, made._view, made._edge = self._storage, self._view, self._edge
    made._grad, made._extra = self._grad, None
    made.__dict__.update(self.__dict__)
    if self._edge is not None and isinstance(self._edge[0], AccumulateGrad):
        made._edge = (AccumulateGrad(made), 0)
    return made


def rebuild_storage(array: np.ndarray, device: str) -> Any:
    from .._exec.value import from_numpy
    from .device import placement_of
    from .storage import Storage

    return Storage(from_numpy(array, placement_of(device)))


def rebuild_tensor(cls: type, storage: Any, geometry: Any, requires_grad: bool, state: dict[str, Any]) -> Tensor:
    made: Tensor = object.__new__(cls)
    made._storage = storage
    made._view = None
    if geometry is not None:
        made._view = View(geometry, None, geometry, 0)
    made._edge = made._grad = made._extra = None
    if requires_grad:
        made.requires_grad_()
    made.__dict__.update(state)
    return made


def _reduce(self: Tensor, protocol: int) -> Any:
    if not self.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries.  If you just want to transfer the data, call detach() on the tensor before "
            "serializing (e.g., putting it on the queue)."
        )
    storage = self._storage
    view = self._view
    state = dict(self.__dict__)
    return rebuild_tensor, (
        type(self),
        storage,
        None if view is None else view.geometry,
        self.requires_grad,
        state,
    )


def _storage_reduce(self: Any, protocol: int) -> Any:
    return rebuild_storage, (np.asarray(materialise(self.read())), str(self.aval.placement))


def _delitem(self: Tensor, index: Any) -> None:
    raise TypeError("Tensor does not support deleting items")


def attach() -> None:
    """Put the special methods on the class."""
    from . import indexing
    from .storage import Storage

    T: Any = Tensor
    T.__array__ = _array
    T.__array_priority__ = 1000
    T.__array_wrap__ = _array_wrap
    T.__float__ = _number(float, "__float__")
    T.__int__ = _number(int, "__int__")
    T.__complex__ = _number(complex, "__complex__")
    T.__bool__ = _bool
    T.__index__ = _index
    T.__len__ = _len
    T.__iter__ = _iter
    T.__contains__ = _contains
    T.__repr__ = _repr
    T.__format__ = _format
    T.__hash__ = lambda self: id(self)
    T.__deepcopy__ = deepcopy_tensor
    T.__copy__ = _copy
    T.__reduce_ex__ = _reduce
    T.__getitem__ = indexing.getitem
    T.__setitem__ = indexing.setitem
    T.__delitem__ = _delitem
    Storage.__reduce_ex__ = _storage_reduce  # type: ignore[method-assign, assignment]


attach()
