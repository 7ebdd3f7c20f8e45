"""Tensor methods about memory and class, and those that call back into Python for each element."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._exec import placement as placements
from ..arguments import as_size, named_size, unpack
from ..creation import tensor_of_array
from ..dtypes import of
from ..generate import OP_FUNCTIONS
from ..geometry import is_contiguous
from ..indexing import copy_into
from ..methods import host_array
from ..public import public
from ..tensor import Tensor
from ..views import view_of
from . import view_functions
from .conversion import resize_

# A Python function for each element


def _type_name(t: Tensor) -> str:
    return f"torch.{of(t._aval.dtype)._scalar.scalar_name}Tensor"


def _elements(t: Tensor) -> list[Any]:
    array = host_array(t.detach())
    return (array.astype(np.float32) if array.dtype.kind == "V" else array).reshape(-1).tolist()


def _apply(name: str, self: Tensor, others: Sequence[Tensor], function: Callable[..., Any]) -> Tensor:
    if self.requires_grad:
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    for which, t in zip(("other",) if len(others) == 1 else ("x", "y"), others, strict=False):
        if not isinstance(t, Tensor):
            raise TypeError(f"{name}(): argument '{which}' must be Tensor, not {type(t).__name__}")
        if t._aval.dtype != self._aval.dtype:
            raise TypeError(f"{name}: expected {_type_name(self)} for '{which}' (got {_type_name(t)})")
    for t in (self, *others):
        if t._aval.placement.type != "cpu":
            raise TypeError(f"{name} is only implemented on CPU tensors")
    if not callable(function):
        raise TypeError(f"'{type(function).__name__}' object is not callable")
    operands = [_elements(self), *(_elements(view_functions.expand(t, self.shape)) for t in others)]
    results = np.array([function(*each) for each in zip(*operands, strict=True)], object)
    array = results.astype(np.float64 if self._aval.dtype.kind == "V" else self._aval.dtype)
    made = tensor_of_array(array.astype(self._aval.dtype).reshape(self.shape), self._aval.placement)
    return copy_into(self, made)


@public("Tensor")
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by what a Python function makes of it. CPU only, and slow.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.apply_.html

    >>> import torchish as torch
    >>> torch.tensor([1.0, 2.0]).apply_(lambda x: x * 10)
    tensor([10., 20.])
    """
    return _apply("apply_", self, (), callable)


@public("Tensor")
def map_(self: Tensor, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element by what a Python function makes of it and of ``other``'s, broadcast. CPU only, and slow."""
    return _apply("map_", self, (other,), callable)


@public("Tensor")
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replace each element by what a Python function makes of it, ``x``'s and ``y``'s. CPU only, and slow."""
    return _apply("map2_", self, (x, y), callable)


# Class and layout


@public("Tensor")
def as_subclass(self: Tensor, cls: type) -> Tensor:
    """The tensor as an instance of ``cls``, a subclass of Tensor; it shares its data and is part of its graph."""
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    if not issubclass(cls, Tensor):
        raise RuntimeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your "
            "class inherits from Tensor."
        )
    view = view_of(self, lambda g: g, "AliasBackward0")
    made: Tensor = object.__new__(cls)
    made._storage, made._view, made._edge = view._storage, view._view, view._edge
    made._grad = made._extra = None
    return made


def _legal_formats(t: Tensor, formats: Any) -> int:
    return sum(bool(t.is_contiguous(memory_format=each)) for each in formats)  # type: ignore[attr-defined]


@public("Tensor")
def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions in the order in which they lie in memory, outermost first.

    ``ambiguity_check``: RuntimeError where that is not unique; or a list of memory formats, of which one must fit.
    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.dim_order.html

    >>> import torchish as torch
    >>> torch.ones(2, 3).t().dim_order()
    (1, 0)
    """
    formats: Sequence[Any] = ()
    if not isinstance(ambiguity_check, bool):
        if not isinstance(ambiguity_check, (list, tuple)):
            raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
        formats = ambiguity_check
    g = self._geometry()
    repeated = any(a == b for a, b in zip(g.stride, g.stride[1:], strict=False)) or 1 in g.size
    if (formats or ambiguity_check is True) and repeated and _legal_formats(self, formats) != 1:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
        )
    ndim = len(g.size)
    if is_contiguous(g.size, g.stride):
        return tuple(range(ndim))
    return tuple(sorted(range(ndim), key=lambda d: -g.stride[d]))


# Memory


@public("Tensor")
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Fill the main diagonal with a number; ``wrap``: of a tall matrix also those below its first square.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.fill_diagonal_.html

    >>> import torchish as torch
    >>> torch.zeros(2, 3).fill_diagonal_(1)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    size, g = tuple(self.shape), self._geometry()
    if len(size) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(size) > 2 and len(set(size)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    count, step = min(size), sum(g.stride)
    view_functions.as_strided(self, (count,), (step,), g.offset).fill_(fill_value)  # type: ignore[attr-defined]
    if wrap and len(size) == 2 and size[0] > size[1] + 1:
        more = -(-self._aval.numel // (size[1] + 1)) - count
        start = g.offset + g.stride[0] * (size[1] + 1)
        view_functions.as_strided(self, (more,), (step,), start).fill_(fill_value)  # type: ignore[attr-defined]
    return self


@public()
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Give ``input`` the size of another tensor; elements are kept in order, new ones are unspecified."""
    return resize_(input, the_template.shape)


@public("Tensor")
def sum_to_size(self: Tensor, *size: Any, **named: Any) -> Tensor:
    """The sum over the dimensions that broadcasting a tensor of this size to ``self``'s would have repeated.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sum_to_size.html

    >>> import torchish as torch
    >>> torch.ones(3, 2).sum_to_size(1, 2)
    tensor([[3., 3.]])
    """
    wanted, shape = as_size(named_size("sum_to_size", "size", named) if named else unpack(size)), tuple(self.shape)
    lead = len(shape) - len(wanted)
    if lead < 0 or any(n not in (1, m) for n, m in zip(wanted, shape[lead:], strict=True)):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    dims = [d for d in range(len(shape)) if d < lead or (wanted[d - lead] == 1 and shape[d] != 1)]
    if not dims and wanted:  # to no dimensions PyTorch sums always, which makes integers int64
        return self
    total = OP_FUNCTIONS["sum"](self, dims, keepdim=True)
    return view_functions.view(total, wanted) if lead else total


def _shared_memory(t: Tensor) -> bool:
    host = t._storage.host
    while isinstance(host, np.ndarray) and host.base is not None:
        host = host.base
    return isinstance(host.obj if isinstance(host, memoryview) else host, mmap.mmap)


@public("Tensor")
def is_shared(self: Tensor) -> bool:
    """Whether the data lies in memory that processes forked from this one share: see ``share_memory_``."""
    return self._storage.aval.placement.type == "cuda" or _shared_memory(self)


@public("Tensor")
def share_memory_(self: Tensor) -> Tensor:
    """Move the data into memory that processes forked from this one share with it: each sees the others' writes."""
    storage = self._storage
    if storage.aval.placement.type != "cpu" or _shared_memory(self) or not storage.aval.nbytes:
        return self
    data = np.array(host_array(self.detach()) if self._view is None else _base_array(storage))
    memory = np.frombuffer(mmap.mmap(-1, data.nbytes), data.dtype).reshape(data.shape)
    np.copyto(memory, data)
    storage.host, storage.value = memory, None
    return self


def _base_array(storage: Any) -> np.ndarray:
    from ..._exec.window import materialise

    return np.asarray(materialise(storage.read()))


@public("Tensor")
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the data lies in page-locked memory: never, JAX copies to an accelerator from ordinary memory."""
    return False


@public("Tensor")
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: JAX copies to an accelerator from ordinary memory. RuntimeError where there is none."""
    if not placements.devices("cuda"):
        raise RuntimeError("Cannot access accelerator device when none is available.")
    return self


@public("Tensor")
def module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
    """What ``load_state_dict`` puts in this tensor's place: ``other`` written into it, or ``other`` itself."""
    return other.detach() if assign else copy_into(self, other).detach()
