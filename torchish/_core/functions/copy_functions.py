"""The view functions that copy (``select_copy``, ...), and those whose results autograd takes for no views
(``unsafe_split``, ...)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..._exec.window import THREADS
from ..dtypes import dtype as Dtype
from ..generate import OP_FUNCTIONS
from ..graph import AccumulateGrad, node_class
from ..inplace import resize_for
from ..public import public
from ..tensor import Tensor
from ..underived import without_derivative
from ..views import sliced, view_of, wrap_dim
from . import complex_functions, view_functions
from .counting_functions import _CPP_DTYPES

# Copies


def _copy_of(view: Tensor) -> Tensor:
    """The data of a view in a tensor of its own, with the view's place in the graph."""
    edge = view._current_edge()
    made = OP_FUNCTIONS["clone"](view.detach())
    if edge is not None and not isinstance(edge[0], AccumulateGrad):
        _rename(edge[0], "_copy")
        made._edge = edge
    return made


def _rename(node: Any, suffix: str) -> None:
    """Views that share one node share its name: it is given once."""
    name = type(node).__name__
    if not name.endswith(suffix):
        node.__class__ = node_class(name + suffix)


def _into(out: Tensor, made: Tensor) -> Tensor:
    aval, wanted = out._aval, made._aval
    if aval.dtype != wanted.dtype:
        names = [_CPP_DTYPES.get(a.dtype.name, a.dtype.name) for a in (wanted, aval)]
        raise RuntimeError(f"Expected out tensor to have dtype {names[0]}, but got {names[1]} instead")
    resize_for(out, wanted.shape)
    return out.copy_(made.detach())  # type: ignore[attr-defined]


def _copying(name: str, view: Callable[..., Any], *namespaces: str) -> None:
    """Publish ``name_copy``, which gives what ``view`` gives as tensors that share nothing with the input."""

    def function(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        found = view(input if out is None else input.detach(), *args, **kwargs)
        if isinstance(found, Tensor):
            return _copy_of(found) if out is None else _into(out, found)
        if out is None:
            return tuple(_copy_of(v) for v in found)
        if len(out) != len(found):
            raise RuntimeError(
                f"{_OUT_NAMES[name]} expected an out= argument of size {len(found)}, got size {len(out)}"
            )
        for target, v in zip(out, found, strict=True):
            _into(target, v)
        return None

    function.__name__ = function.__qualname__ = f"{name}_copy"
    function.__doc__ = f"What ``{name}`` gives, as a copy that shares no memory with ``input``."
    public(*(namespaces or ("torch",)))(function)


_OUT_NAMES = {
    "split": "split_copy_Tensor_out()",
    "split_with_sizes": "split_with_sizes_copy_out()",
    "unbind": "unbind_copy_int_out",
}


def _alias(input: Tensor) -> Tensor:
    return view_of(input, lambda g: g, "AliasBackward0")


def _slice(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    if not input.shape:
        raise RuntimeError("slice() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, len(input.shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, last, _ = slice(start, end, step).indices(input.shape[d])
    return view_of(input, lambda g: sliced(g, d, first, max(first, last), step), "SliceBackward0")


def _view(input: Tensor, size: Any) -> Tensor:
    """``view``, also where strides do not allow one: a copy has any shape."""
    if isinstance(size, Dtype):
        return view_functions.view(input, size)
    try:
        return view_functions.view(input, size)
    except RuntimeError:
        return view_functions.view(input.contiguous(), size)  # type: ignore[attr-defined]


def _view_as_complex(input: Tensor) -> Tensor:
    if input.requires_grad and THREADS.context.grad_enabled:
        raise RuntimeError(
            "view_as_complex_copy does not support automatic differentiation for outputs with complex dtype."
        )
    return complex_functions.view_as_complex(input)


_copying("alias", _alias)
_copying("as_strided", view_functions.as_strided)
_copying("diagonal", view_functions.diagonal)
_copying("expand", view_functions.expand)
_copying("permute", view_functions.permute)
_copying("select", view_functions.select)
_copying("slice", _slice)
_copying("split", view_functions.split)
_copying("split_with_sizes", view_functions.split_with_sizes)
_copying("squeeze", view_functions.squeeze)
_copying("t", view_functions.t)
_copying("transpose", view_functions.transpose)
_copying("unbind", view_functions.unbind)
_copying("unfold", view_functions.unfold)
_copying("unsqueeze", view_functions.unsqueeze)
_copying("view", _view)
_copying("view_as_real", complex_functions.view_as_real)
_copying("view_as_complex", _view_as_complex)


@public("torch")
def detach_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy that no gradient passes: ``backward()`` through it is an error."""
    if out is not None:
        return _into(out, input.detach())
    made = OP_FUNCTIONS["clone"](input.detach())
    without_derivative(made, (input,), "detach_copy")
    return made


@public()
def narrow_copy(input: Tensor, dim: int, start: int, length: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of ``length`` entries of one dimension from ``start`` on."""
    ndim = len(input.shape)
    if ndim and dim >= ndim:
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error "
            "message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    if ndim and length < 0:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({input.shape[wrap_dim(dim, ndim)]})."
        )
    found = view_functions.narrow(input if out is None else input.detach(), dim, start, length)
    if out is not None:
        return _into(out, found)
    made = _copy_of(found)
    if made._edge is not None:
        made._edge[0].__class__ = node_class("NarrowCopyBackward0")
    return made


# Pieces that autograd takes for no views: they may be changed in place


def _unsafe(pieces: Sequence[Tensor], node: str) -> tuple[Tensor, ...]:
    for piece in pieces:
        assert piece._view is not None
        if piece._edge is not None:
            piece._edge[0].__class__ = node_class(node)
        piece._view.base = piece._view.creation = None
    return tuple(pieces)


@public()
def unsafe_split(tensor: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """``split`` into pieces that may be changed in place; the derivative knows nothing of such changes to each other."""
    return _unsafe(view_functions.split(tensor, split_size, dim), "UnsafeSplitBackward0")


@public()
def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """``split_with_sizes`` into pieces that may be changed in place."""
    return _unsafe(view_functions.split(input, list(split_sizes), dim), "UnsafeSplitWithSizesBackward0")


@public()
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """``chunk`` into pieces that may be changed in place."""
    return _unsafe(view_functions.chunk(input, chunks, dim), "UnsafeSplitBackward0")
