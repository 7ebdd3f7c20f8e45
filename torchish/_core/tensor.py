"""Tensor: a Storage, a view of it, and autograd's fields.

A tensor made by an op owns a fresh Storage of exactly its shape, and ``_view`` is None: the common path knows no
views. A view shares its base's Storage; ``_view`` says where its elements lie. ``_edge`` is the place of
the tensor in autograd's graph, ``(node, result number)``, and None where it does not require grad; a leaf's
node is its ``AccumulateGrad``. Operators and methods are attached by ``generate.py`` and ``methods*.py``.
"""

from __future__ import annotations

from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

from .._exec.kernel import Kernel
from .._exec.value import Aval, Value, aval_of
from .._exec.window import THREADS, materialise, record
from . import dtypes
from .arguments import class_name
from .device import device, device_of
from .geometry import Geometry, contiguous, is_contiguous, kernels_of, pieces_kernel, restrided_kernels_of
from .graph import NOWHERE_EDGE, AccumulateGrad, Edge, Node, move_retained, next_sequence_number, node_class, short_name
from .size import Size
from .storage import InferenceCounter, Storage
from .user_warnings import warn

TENSOR_CLASSES: set[type] = set()
NUMBER_CLASSES: frozenset[type] = frozenset({float, int, bool, complex})


ELSEWHERE: Any = object()
_STRIDED = "AsStridedBackward0"
# The views that PyTorch makes anew by their own operation, which strides do not describe.
_REPEATED = frozenset({"ConjBackward0", "ViewAsRealBackward0", "ViewAsComplexBackward0"})


class View:
    """How a tensor views its Storage.

    Attributes:
        geometry: size, stride, offset and dtype over the Storage's base.
        base: the tensor that autograd sees as the base, which is never a view itself; None where the
            view is not differentiable (``detach()``).
        relative: the geometry over ``base`` as if that were contiguous.
        over: the base's own geometry when the view was made (None: its Storage's); ``relative`` holds while it stays
            so. ELSEWHERE: it never held.
        attr_version: the Storage's version when the edge was last known to be right.
        creation: None, or why in-place operations on the view are errors.
        counter: a version counter of its own (``.data``), or None.
        name: of the node of the last view operation.
    """

    __slots__ = (
        "attr_version",
        "base",
        "cached",
        "cached_writes",
        "counter",
        "creation",
        "geometry",
        "name",
        "over",
        "relative",
    )

    def __init__(self, geometry: Geometry, base: Any, relative: Geometry, version: int):
        self.geometry, self.base, self.relative = geometry, base, relative
        self.over = None if base is None or base._view is None else base._view.geometry
        self.attr_version = version
        self.creation: str | None = None
        self.counter: list[Any] | None = None
        self.cached: Value | None = None
        self.cached_writes = -1
        self.name = _STRIDED


class TensorMeta(type):
    """Keeps the set of Tensor classes that dispatch looks into."""

    def __init__(cls, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        TENSOR_CLASSES.add(cls)


class Tensor(metaclass=TensorMeta):
    """A multi-dimensional array of one dtype that can record its history for ``backward()``.

    Tensors come from functions such as ``torchish.tensor`` and ``torchish.zeros``.
    See https://docs.pytorch.org/docs/stable/tensors.html.

    >>> import torchish as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__dict__", "__weakref__", "_edge", "_extra", "_grad", "_storage", "_view")

    _storage: Storage
    _view: View | None
    _edge: Edge | None
    _grad: Tensor | None
    _extra: dict[str, Any] | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from .creation import legacy_tensor

        return legacy_tensor(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    if TYPE_CHECKING:  # operators and methods are attached at import

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Any: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...
        def __bool__(self) -> bool: ...
        def __index__(self) -> int: ...

    @staticmethod
    def _make_subclass(cls: Any, data: Tensor, require_grad: bool = False) -> Any:
        """A tensor of class ``cls`` over ``data``'s memory, outside of its graph."""
        made = object.__new__(cls)
        made._storage = data._storage
        made._view = None if data._view is None else View(data._view.geometry, None, data._view.geometry, 0)
        made._edge = made._grad = made._extra = None
        if require_grad:
            requiring_grad(made)
        return made

    # Data

    def _value(self) -> Value:
        """The tensor's data as it is now."""
        if self._view is None:
            value = self._storage.value
            return self._storage.read() if value is None else value
        return self._read()

    def _read(self) -> Value:
        view, storage = self._view, self._storage
        assert view is not None
        if storage.value is None:
            base = storage.read()
            if storage.value is None:
                return self._read_from(base)
        if view.cached_writes != storage.writes or view.cached is None:
            view.cached = self._read_from(storage.read())
            view.cached_writes = storage.writes
        return view.cached

    def _read_from(self, base: Value) -> Value:
        assert self._view is not None
        g = self._view.geometry
        if (
            g.size == base.aval.shape
            and g.dtype == base.aval.dtype
            and not g.mirrored
            and is_contiguous(g.size, g.stride)
        ):
            return base
        kernels = kernels_of(base.aval, g)
        return record(THREADS.context, kernels.read, (base, g.offset) if kernels.offset else (base,))

    def _write(self, value: Value) -> None:
        """Replace the data, for every alias, and move the version."""
        if self._view is None:
            self._storage.write(value)
            self._storage.counter[0] += 1
        else:
            self._put(value)
            self._counter()[0] += 1

    def _put(self, value: Value) -> None:
        """Replace the data, for every alias."""
        storage = self._storage
        if self._view is not None:
            g, aval = self._view.geometry, storage.aval
            same = g.size == aval.shape and g.dtype == aval.dtype and not g.mirrored
            if not (same and is_contiguous(g.size, g.stride)):
                kernels = kernels_of(aval, g)
                operands = (storage.read(), value, g.offset) if kernels.offset else (storage.read(), value)
                value = record(THREADS.context, kernels.write, operands)
        if self._view is not None and self._view.counter is not None:
            _show_to_graph(storage, value)
        storage.write(value)

    def _counter(self) -> list[Any]:
        view = self._view
        return self._storage.counter if view is None or view.counter is None else view.counter

    @property
    def _version(self) -> int:
        if self._is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter()[0]

    def _is_inference(self) -> bool:
        return self._storage.counter.__class__ is InferenceCounter

    @property
    def _aval(self) -> Aval:
        view, aval = self._view, self._storage.aval
        return aval if view is None else aval_of(view.geometry.size, view.geometry.dtype, aval.placement)

    def _geometry(self) -> Geometry:
        if self._view is not None:
            return self._view.geometry
        aval = self._storage.aval
        return contiguous(aval.shape, aval.dtype)

    @property
    def shape(self) -> Size:
        view = self._view
        return tuple.__new__(Size, self._storage.aval.shape if view is None else view.geometry.size)

    @property
    def dtype(self) -> dtypes.dtype:
        view = self._view
        return dtypes.of(self._storage.aval.dtype if view is None else view.geometry.dtype)

    @property
    def device(self) -> device:
        return device_of(self._storage.aval.placement)

    # Autograd

    def _current_edge(self) -> Edge | None:
        """The tensor's edge into the graph, made anew for a view whose base was changed in place.

        Raises:
            RuntimeError: if the base was changed and the view is one that does not follow.
        """
        view, edge = self._view, self._edge
        if view is None or view.base is None:
            return edge
        base_edge = view.base._edge
        if base_edge is None and (edge is None or isinstance(edge[0], AccumulateGrad)):
            return edge
        version = self._counter()[0]
        if view.attr_version != version:
            if view.creation is not None:
                raise RuntimeError(creation_error(self, indirect=True))
            old, self._edge = edge, (fresh_view_node(self), 0)
            move_retained(old, self._edge)
            edge = self._edge
            view.attr_version = version
        return NOWHERE_EDGE if edge is None else edge

    @property
    def requires_grad(self) -> bool:
        if self._edge is not None:
            return True
        view = self._view  # also of a base that requires grad, made under no_grad
        return view is not None and view.base is not None and view.base._edge is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether operations on this leaf are recorded for ``backward()``; returns the tensor.

        Raises:
            RuntimeError: for a tensor that is no leaf, or of a dtype that has no gradients.
        """
        if self._edge is not None and not isinstance(self._edge[0], AccumulateGrad):
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed "
                    "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return self
        if not requires_grad:
            if self._edge is not None:
                self._extras()["accumulate"] = self._edge
            self._edge = None
        elif self._edge is None:
            if not self._aval.inexact:
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
            if self._is_inference() and not THREADS.context.inference:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
                )
            kept = None if self._extra is None else self._extra.get("accumulate")
            self._edge = kept or (AccumulateGrad(self), 0)
        return self

    def _extras(self) -> dict[str, Any]:
        if self._extra is None:
            self._extra = {}
        return self._extra

    @property
    def is_leaf(self) -> bool:
        edge = self._current_edge()
        return edge is None or isinstance(edge[0], AccumulateGrad)

    @property
    def grad_fn(self) -> Any:
        edge = self._current_edge()
        return None if edge is None or isinstance(edge[0], AccumulateGrad) else edge[0]

    @property
    def output_nr(self) -> int:
        edge = self._current_edge()
        return 0 if edge is None else edge[1]

    @property
    def retains_grad(self) -> bool:
        return self._extra is not None and "retain" in self._extra and self.grad_fn is not None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward()`` has accumulated, or None. Reading a non-leaf's warns, as in PyTorch."""
        leaf = self._edge is None or isinstance(self._edge[0], AccumulateGrad)
        if self._grad is None and not leaf and not self.retains_grad:
            warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor "
                "by mistake, make sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 "
                "for more informations."
            )
        return self._grad

    @grad.setter
    def grad(self, new: Tensor | None) -> None:
        if new is not None:
            _check_grad(self, new)
            self._storage.check_trace(THREADS.context)
        self._grad = new

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """The same data without history. Writes to it are seen here but not by the version counter."""
        t = alias(self)
        assert t._view is not None
        t._view.counter = [0]
        return t

    @data.setter
    def data(self, new: Tensor) -> None:
        if not isinstance(new, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(new).__name__}")
        edge = self._current_edge()
        if edge is not None and not new._aval.inexact:
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._storage = new._storage
        self._view = None if new._view is None else View(new._view.geometry, None, new._view.relative, 0)
        self._edge = edge

    def detach(self) -> Tensor:
        """A tensor that shares this one's data and version, outside of the graph."""
        if self._view is None:
            t = object.__new__(Tensor)
            t._storage = self._storage
            t._view = t._edge = t._grad = t._extra = None
            return t
        t = alias(self)
        t._view.counter = self._view.counter  # type: ignore[union-attr]
        return t

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph, making it a leaf."""
        if self._view is not None and self._view.base is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients. To fix this error, please refer to the "
                "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
            )
        if self.is_leaf:
            return self.requires_grad_(False)
        self._edge = None
        return self


# What refers to a Storage's Value while an in-place operation through ``.data`` writes it, if no node saved it.
_REFERENCES_OF_A_WRITE = 6


def _show_to_graph(storage: Storage, new: Value) -> None:
    """Let derivatives still to run read what is written through ``.data``.

    A tensor that PyTorch saves is the memory itself: a write that the version does not see reaches it.
    """
    old = storage.value
    if old is not None and old.aval is new.aval and getrefcount(old) > _REFERENCES_OF_A_WRITE:
        materialise(old)
        old.array = materialise(new)


def aval_of_argument(function: str, x: Any, name: str = "input", position: int = 1) -> Aval:
    """What ``function`` needs to know of an argument that has to be a tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be Tensor, not {class_name(x)}")
    return x._aval


def requiring_grad(t: Tensor) -> Tensor:
    """A fresh tensor that requires grad from the start."""
    if not t._aval.inexact:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return t.requires_grad_()


def alias(t: Tensor) -> Tensor:
    """A plain Tensor over the same memory, outside of the graph."""
    made = object.__new__(Tensor)
    made._storage = t._storage
    g = t._geometry()
    made._view = View(g, None, g, t._storage.counter[0])
    made._edge = made._grad = made._extra = None
    return made


def view_node(base: Tensor, relative: Geometry, base_edge: Edge, name: str = "AsStridedBackward0") -> Node:
    """A node whose derivative puts a view's gradient into a zero gradient of ``base``."""
    return _lazy_node(kernels_of(base._aval, relative).read, relative.offset, base_edge, name)


def strided_node(t: Tensor, geometry: Geometry, edge: Edge) -> Node:
    """The node of a view of ``t`` that is given by its place in the Storage, whatever ``t``'s own."""
    if t._view is None:
        return view_node(t, geometry, edge)
    read = restrided_kernels_of(t._storage.aval, t._view.geometry, geometry).read
    return _lazy_node(read, 0, edge, "AsStridedBackward0")


def pieces_node(t: Tensor, dim: int, sizes: tuple[int, ...] | None, edge: Edge, name: str) -> Node:
    """The one node of several views of ``t``: pieces of one dimension, or for None all its slices."""
    return _lazy_node(pieces_kernel(t._aval, dim, sizes), 0, edge, name)


def kernels_over_base(view: View) -> tuple[Any, int]:
    """The kernels that read and write a view in its base, and the offset that they take."""
    base = view.base
    now = None if base._view is None else base._view.geometry
    if now == view.over:
        return kernels_of(base._aval, view.relative), view.relative.offset
    storage = base._storage.aval
    whole = contiguous(storage.shape, storage.dtype) if now is None else now
    return restrided_kernels_of(storage, whole, view.geometry), 0


def fresh_view_node(t: Tensor) -> Node:
    """The node of a view of its base as that is now."""
    assert t._view is not None
    view = t._view
    kernels, offset = kernels_over_base(view)
    name = view.name if view.name in _REPEATED else _STRIDED
    return _lazy_node(kernels.read, offset, view.base._edge or NOWHERE_EDGE, name)


def _lazy_node(read: Kernel, offset: int, edge: Edge, name: str) -> Node:
    """A node for the views that ``read`` reads, which nobody recorded."""
    vjp = read.vjp((0,))
    node = object.__new__(node_class(name))
    node.vjp = vjp
    node.saved = (offset,) if vjp.uses else ()
    node.versions = ()
    node.edges = (edge,)
    node.sequence_nr = next_sequence_number()
    node.hooks = None
    node.window = None
    node.position = -1
    hooks = THREADS.context.hooks
    if hooks is not None:
        hooks.node_made(node)
    return node


def creation_error(t: Tensor, *, indirect: bool) -> str:
    """Why a view must not be modified in place; ``indirect``: through its base or another view of that."""
    view, edge = t._view, t._edge
    assert view is not None
    what = "its base or another view of its base has been" if indirect else "is being"
    leaf = edge is None or isinstance(edge[0], AccumulateGrad)
    output = "" if edge is None or leaf else f"Output {edge[1]} of {short_name(edge[0])} is a view"
    mode, where = "no_grad", "with grad mode enabled"
    if view.creation == "inference":
        mode, where = "inference_mode", "in normal mode"
    if view.creation == "multi" and output:
        text = f"{output} and {what} modified inplace."
    else:
        start = f"{output} of a view which was" if output else "A view was"
        text = f"{start} created in {mode.partition('_mode')[0]} mode and {what} modified inplace {where}."
    if view.creation == "multi":
        return (
            f"{text} This view is the output of a function that returns multiple views. Such functions do not allow "
            "the output views to be modified inplace. You should replace the inplace operation by an out-of-place one."
        )
    return (
        f"{text} Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
        f"moving both the view and the inplace either both inside the {mode} block (if you don't want the inplace to "
        "be tracked) or both outside (if you want the inplace to be tracked)."
    )


def _check_grad(t: Tensor, new: Tensor) -> None:
    if not isinstance(new, Tensor):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(new).__name__}")
    if new is t:
        raise RuntimeError("can't assign Variable as its own grad")
    if new.dtype is not t.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{_scalar(new)}' to a tensor with grad_dtype '{t.dtype._scalar.scalar_name}'. "
            "The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the "
            "tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with "
            "caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume "
            "they match."
        )
    if new.device != t.device:
        raise RuntimeError(
            f"attempting to assign a gradient located on device with index {new.device} to a tensor located on "
            f"device with index {t.device}. Please ensure that the gradient and the tensor are on the same device"
        )
    if new.shape != t.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(new.shape)}' to a tensor of size '{list(t.shape)}'. "
            "Please ensure that the gradient and the tensor are the same size"
        )


def _scalar(t: Tensor) -> str:
    return t.dtype._scalar.scalar_name.lower() if isinstance(t, Tensor) else str(np.dtype(t))
