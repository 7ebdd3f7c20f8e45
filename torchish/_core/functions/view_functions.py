"""The view functions: ``view``, ``t``, ``select``, ``split``, ... over the rules of ``views.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._exec.window import THREADS
from .. import views
from ..arguments import as_int, as_size, named_size, unpack
from ..dtypes import dtype as Dtype
from ..generate import OP_FUNCTIONS
from ..geometry import is_contiguous
from ..graph import node_class, short_name
from ..inplace import check_history
from ..public import public
from ..tensor import ELSEWHERE, Tensor, pieces_node, strided_node
from ..user_warnings import warn_once
from ..views import infer_size, view_of, wrap_dim


def _clone(t: Tensor) -> Tensor:
    return OP_FUNCTIONS["clone"](t)


# Shape


def _view_as_size(t: Tensor, size: Sequence[int], node: str = "ViewBackward0") -> Tensor:
    aval = t._aval
    shape = infer_size(as_size(size), aval.numel)
    return view_of(t, lambda g: views.reshaped(g, shape), node)


@public("Tensor")
def view(self: Tensor, *shape: Any) -> Tensor:
    """The same data in another shape, or seen as another dtype. RuntimeError where strides do not allow it."""
    if len(shape) == 1 and isinstance(shape[0], Dtype):
        to = shape[0].np
        return view_of(self, lambda g: views.reinterpreted(g, to), "ViewBackward0")
    return _view_as_size(self, unpack(shape))


@public("Tensor")
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """``view(other.size())``."""
    return _view_as_size(self, other.shape)


def _reshape(t: Tensor, size: Sequence[int]) -> Tensor:
    aval = t._aval
    shape = infer_size(as_size(size), aval.numel)
    if t._view is not None and views.restride(t._geometry(), shape) is None:
        made = view_of(_clone(t), lambda g: views.reshaped(g, shape), "UnsafeViewBackward0")
        assert made._view is not None
        made._view.base = None  # nobody else has the copy: to autograd it is no view
        return made
    contiguous = t._view is None or is_contiguous(t.shape, t._view.geometry.stride)
    return view_of(t, lambda g: views.reshaped(g, shape), "ViewBackward0" if contiguous else "ReshapeAliasBackward0")


@public()
def reshape(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """The same data in another shape: a view where strides allow it, otherwise a copy."""
    return _reshape(input, named_size("reshape", "shape", named) if named else unpack(shape))


@public("Tensor")
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """``reshape(other.size())``."""
    return _reshape(self, other.shape)


@public()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` as one."""
    size = input.shape
    start, end = wrap_dim(start_dim, len(size)), wrap_dim(end_dim, len(size))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not size:
        return _reshape(input, (1,))
    if start == end:
        return input
    merged = 1
    for n in size[start : end + 1]:
        merged *= n
    return _reshape(input, (*size[:start], merged, *size[end + 1 :]))


@public()
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return _reshape(contiguous(input), (-1,))


@public()
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension as several."""
    d = wrap_dim(dim, len(input.shape))
    sizes = as_size(sizes)
    n = input.shape[d]
    try:
        sizes = infer_size(sizes, n)
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({n}) in the input tensor"
        ) from None
    return _view_as_size(input, (*input.shape[:d], *sizes, *input.shape[d + 1 :]))


@public()
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the dimensions of size 1 (or without those of ``dim`` that are of size 1)."""
    ndim = len(input.shape)
    if dim is None:
        dims, node = set(range(ndim)), "SqueezeBackward0"
    elif isinstance(dim, (tuple, list)):
        dims, node = {wrap_dim(d, ndim) for d in dim}, "SqueezeBackward2"
    else:
        dims, node = {wrap_dim(as_int(dim), ndim)}, "SqueezeBackward1"
    keep = [d for d in range(ndim) if d not in dims or input.shape[d] != 1]
    return view_of(input, lambda g: views.permuted(g, keep), node)


@public()
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A dimension of size 1 inserted at ``dim``."""
    at = wrap_dim(as_int(dim), len(input.shape) + 1)
    return view_of(input, lambda g: views.inserted(g, at), "UnsqueezeBackward0")


# Order of dimensions


@public(aliases=("swapdims",))
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    ndim = len(input.shape)
    a, b = wrap_dim(as_int(dim0), ndim), wrap_dim(as_int(dim1), ndim)
    order = list(range(ndim))
    if ndim:
        order[a], order[b] = order[b], order[a]
    return view_of(input, lambda g: views.permuted(g, order), "TransposeBackward0")


@public()
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """``transpose``, with NumPy's name."""
    return transpose(input, axis0, axis1)


@public()
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors and scalars stay."""
    ndim = len(input.shape)
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    order = [1, 0] if ndim == 2 else list(range(ndim))
    return view_of(input, lambda g: views.permuted(g, order), "TBackward0")


@public()
def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Dimensions in another order."""
    order = as_size(named_size("permute", "dims", named) if named else unpack(dims))
    ndim = len(input.shape)
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    wrapped = [wrap_dim(d, ndim) for d in order]
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return view_of(input, lambda g: views.permuted(g, wrapped), "PermuteBackward0")


@public(aliases=("moveaxis",))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other positions; the rest keep their order."""
    ndim = len(input.shape)
    src = [wrap_dim(d, ndim) for d in (source if isinstance(source, (tuple, list)) else (source,))]
    dst = [wrap_dim(d, ndim) for d in (destination if isinstance(destination, (tuple, list)) else (destination,))]
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(src)} dims) should contain the same number of "
            f"dims as destination ({list(dst)} dims)"
        )
    if len(set(src)) != len(src):
        raise RuntimeError(f"movedim: repeated dim in `source` ({list(src)})")
    if len(set(dst)) != len(dst):
        raise RuntimeError(f"movedim: repeated dim in `destination` ({list(dst)})")
    rest = iter([d for d in range(ndim) if d not in src])
    placed = dict(zip(dst, src, strict=True))
    order = [placed[i] if i in placed else next(rest) for i in range(ndim)]
    return view_of(input, lambda g: views.permuted(g, order), "PermuteBackward0")


def _reversed(self: Tensor) -> Tensor:
    return view_of(self, lambda g: views.permuted(g, range(len(g.size))[::-1]), "PermuteBackward0")


_T_OF_OTHERS = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
    "error in a future release. Consider `x.mT` to transpose batches of matrices or "
    "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
)
_T_OF_NUMBERS = "Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases."


def _reversed_with_a_warning(self: Tensor) -> Tensor:
    if (n := len(self._aval.shape)) != 2:
        warn_once(_T_OF_OTHERS if n else _T_OF_NUMBERS)
    return _reversed(self)


def _matrix_transpose(self: Tensor) -> Tensor:
    if len(self.shape) < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {len(self.shape)}-D tensor."
        )
    return transpose(self, -2, -1)


Tensor.T = property(_reversed_with_a_warning, doc="All dimensions in reverse order.")  # type: ignore[attr-defined]
Tensor.mT = property(_matrix_transpose, doc="The last two dimensions exchanged.")  # type: ignore[attr-defined]


# Parts


@public()
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at ``index`` of one dimension, which goes away."""
    ndim = len(input.shape)
    if ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d, i = wrap_dim(as_int(dim), ndim), as_int(index)
    n = input.shape[d]
    if not -n <= i < n:
        raise IndexError(f"select(): index {i} out of range for tensor of size {list(input.shape)} at dimension {d}")
    i = i + n if i < 0 else i
    return view_of(input, lambda g: views.selected(g, d, i), "SelectBackward0")


@public()
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` entries of one dimension from ``start`` on."""
    ndim = len(input.shape)
    if isinstance(start, Tensor) and (start.shape or start._aval.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    if ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d, first, count = wrap_dim(as_int(dim), ndim), as_int(start), as_int(length)
    n = input.shape[d]
    if count < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= first <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {first})")
    first = first + n if first < 0 else first
    if first > n - count:
        raise RuntimeError(f"start ({first}) + length ({count}) exceeds dimension size ({n}).")
    return view_of(input, lambda g: views.sliced(g, d, first, first + count, 1), "SliceBackward0")


def _shared_node(input: Tensor, d: int, sizes: Sequence[int] | None, name: str) -> Any:
    edge = input._current_edge() if THREADS.context.grad_enabled else None
    return None if edge is None else pieces_node(input, d, None if sizes is None else tuple(sizes), edge, name)


def _pieces(input: Tensor, d: int, sizes: Sequence[int], name: str) -> tuple[Tensor, ...]:
    made, start = [], 0
    node = _shared_node(input, d, sizes, name)
    for i, n in enumerate(sizes):
        stop = start + n
        rule = lambda g, a=start, b=stop: views.sliced(g, d, a, b, 1)  # noqa: E731
        made.append(view_of(input, rule, name, multi=True, number=i, node=node))
        start = stop
    return tuple(made)


@public("torch")
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Consecutive pieces of one dimension: of a size (the last may be smaller), or of given sizes."""
    if len(tensor.shape) == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, len(tensor.shape))
    n = tensor.shape[d]
    if isinstance(split_size_or_sections, (list, tuple)):
        sizes = as_size(split_size_or_sections)
        if any(s < 0 for s in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}"
            )
        if sum(sizes) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), "
                f"but got split_sizes={list(sizes)}"
            )
        return _pieces(tensor, d, sizes, "SplitWithSizesBackward0")
    size = as_int(split_size_or_sections)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    count = max(-(-n // size), 1) if size else 1
    return _pieces(tensor, d, [min(size, n - i * size) for i in range(count)], "SplitBackward0")


@public("Tensor", name="split")
def split_method(self: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Consecutive pieces of one dimension: of a size (the last may be smaller), or of given sizes."""
    return split(self, split_size, dim)


@public()
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Consecutive pieces of one dimension, of given sizes."""
    return split(input, list(split_sizes), dim)


@public()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` consecutive pieces of one dimension, of equal size but for the last."""
    if len(input.shape) == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = wrap_dim(dim, len(input.shape))
    n = input.shape[d]
    size = -(-n // chunks)
    if size == 0:
        return _pieces(input, d, [0] * chunks, "SplitWithSizesBackward0")
    return split(input, size, d)


@public()
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of one dimension, as even as possible or cut at given indices."""
    if len(input.shape) == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    d = wrap_dim(dim, len(input.shape))
    n = input.shape[d]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()  # type: ignore[attr-defined]
    if isinstance(indices_or_sections, (list, tuple)):
        cuts = [0, *as_size(indices_or_sections), n]
        bounds = [range(n)[slice(a, b)] for a, b in zip(cuts, cuts[1:], strict=False)]
        return tuple(
            view_of(input, lambda g, r=r: views.sliced(g, d, r.start, max(r.start, r.stop), 1), "SliceBackward0")
            for r in bounds
        )
    k = as_int(indices_or_sections)
    if k <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {k}")
    sizes = [n // k + (i < n % k) for i in range(k)]
    starts = [sum(sizes[:i]) for i in range(k)]
    return tuple(
        view_of(input, lambda g, a=a, b=b: views.sliced(g, d, a, a + b, 1), "SliceBackward0")
        for a, b in zip(starts, sizes, strict=True)
    )


def _split_along(name: str, dim_of: Any, least: int) -> None:
    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        if len(input.shape) < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension{'s' if least > 1 else ''}, but got a "
                f"tensor with {len(input.shape)} dimensions!"
            )
        return tensor_split(input, indices_or_sections, dim_of(len(input.shape)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "``tensor_split`` along one fixed dimension."
    public()(function)


_split_along("hsplit", lambda ndim: 0 if ndim == 1 else 1, 1)
_split_along("vsplit", lambda ndim: 0, 2)
_split_along("dsplit", lambda ndim: 2, 3)


@public()
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices of one dimension, as a tuple."""
    if len(input.shape) == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    d = wrap_dim(dim, len(input.shape))
    name = "UnbindBackward0"
    node = _shared_node(input, d, None, name) if input.shape[d] else None
    return tuple(
        view_of(input, lambda g, i=i: views.selected(g, d, i), name, multi=True, number=i, node=node)
        for i in range(input.shape[d])
    )


@public()
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, as a last dimension."""
    ndim = len(input.shape)
    a, b = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return view_of(input, lambda g: views.diagonal_of(g, offset, a, b), "DiagonalBackward0")


@public("Tensor")
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` at distance ``step`` in one dimension, as a last dimension."""
    ndim = len(self.shape)
    d = wrap_dim(dimension, ndim)
    n = self.shape[d] if ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return view_of(self, lambda g: views.unfolded(g, d, size, step), "UnfoldBackward0")


@public("Tensor")
def expand(self: Tensor, *sizes: Any, implicit: bool = False, **named: Any) -> Tensor:
    """Dimensions of size 1 repeated without a copy; -1 leaves a dimension as it is."""
    size = as_size(named_size("expand", "size", named) if named else unpack(sizes))
    aval = self._aval
    try:
        return view_of(self, lambda g: views.expanded(g, size), "ExpandBackward0")
    except RuntimeError as error:
        if "torch.{}" in str(error):
            from ..dtypes import of

            kind = f"{of(aval.dtype)._scalar.scalar_name}Tensor"
            raise RuntimeError(
                str(error).replace("{}", kind + "{").replace("{[", "{[").replace("],", "]},", 1)
            ) from None
        raise


@public("Tensor")
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """``expand(other.size())``."""
    return expand(self, other.shape)


@public("torch", "Tensor")
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """``expand(size)``."""
    return expand(input, size)


@public("torch")
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Tensors expanded to their common shape."""
    from ..._ops.broadcasting import broadcast_shapes

    given = unpack(tensors)
    shape = broadcast_shapes(*[tuple(x.shape) for x in given])
    return tuple(expand(x, shape) for x in given)


@public()
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the Storage by size, stride and offset."""
    size, stride = as_size(size), as_size(stride)
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    offset = input._geometry().offset if storage_offset is None else storage_offset
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else offset
    itemsize = input._aval.dtype.itemsize
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    if 0 not in size and (last + 1) * itemsize > input._storage.aval.nbytes:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {itemsize} "
            f"requiring a storage size of {(last + 1) * itemsize} are out of bounds for storage of size "
            f"{input._storage.aval.nbytes}"
        )
    edge = input._current_edge() if THREADS.context.grad_enabled else None
    geometry = input._geometry()._replace(size=size, stride=stride, offset=offset)
    node = None if edge is None else strided_node(input, geometry, edge)
    made = view_of(input, lambda g: geometry, "AsStridedBackward0", node=node)
    assert made._view is not None
    if made._view.base._view is not None:
        made._view.over = ELSEWHERE
    return made


# Layout


@public("Tensor")
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself where its elements lie in order, otherwise a copy that does."""
    g = self._geometry()
    return self if is_contiguous(g.size, g.stride) else _clone(self)


@public("torch")
def detach(input: Tensor) -> Tensor:
    """The same data, outside of the graph."""
    return Tensor.detach(input)


# The same in place: the tensor itself gets the other size and strides


def _in_place(function: Any, *names: str, overloads: int = 1) -> None:
    """``overloads``: how many nodes the function has of its own, before those of its in-place form."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        differentiable = THREADS.context.grad_enabled and self.requires_grad
        check_history(self, differentiable)
        try:
            view = function(self, *args, **kwargs)
        except RuntimeError as error:
            raise RuntimeError(str(error).replace(f"{function.__name__}()", f"{names[0]}()", 1)) from None
        become(self, view, overloads if differentiable else None)
        return self

    for name in names:
        method.__name__ = method.__qualname__ = name
    method.__doc__ = f"``{function.__name__}`` in place: the tensor's own size and strides change, its data stays."
    public("Tensor", name=names[0], aliases=names[1:])(method)


def become(t: Tensor, view: Tensor, overloads: int | None) -> None:
    """Give ``t`` the geometry of ``view``, a view of it, and its history too where ``overloads`` is not None."""
    old, made = t._view, view._view
    assert made is not None
    made.creation = None if old is None else old.creation
    if made.base is t:
        made.base = made.over = None
    t._view = made
    counter = t._counter()
    counter[0] += 1
    if overloads is not None:
        made.attr_version = counter[0]
        assert view._edge is not None
        node, number = view._edge
        name, _, index = type(node).__name__.rpartition("Backward")
        node.__class__ = node_class(f"{name}Backward{int(index) + overloads}")
        t._edge = (node, number)
        counter[1:] = [short_name(node)]


_in_place(t, "t_")
_in_place(transpose, "transpose_", "swapaxes_", "swapdims_")
_in_place(squeeze, "squeeze_", overloads=3)
_in_place(unsqueeze, "unsqueeze_")
_in_place(as_strided, "as_strided_")
