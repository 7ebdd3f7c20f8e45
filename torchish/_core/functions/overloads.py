"""Functions of PyTorch with several signatures: each looks at its arguments and picks the op."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._ops.elementwise.binary_math import STATIC_FLOAT_EXPONENTS
from ..._ops.out_rules import NONZERO, SELECTED
from ..._ops.registry import OPS
from .. import dtypes
from ..arguments import as_bool, as_dims, as_int, as_size
from ..dispatch import call
from ..generate import OP_FUNCTIONS
from ..inplace import call_inplace, call_out, give_out
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn


def _run(op_name: str, operands: tuple, static: tuple, out: Any = None) -> Any:
    op = OPS[op_name]
    return call(op, operands, static) if out is None else call_out(op, operands, static, out)


# Powers


def _pow_op(input: Any, exponent: Any) -> tuple[str, tuple, tuple]:
    if not isinstance(input, Tensor):
        return "pow.scalar", (input, exponent), ()
    if isinstance(exponent, Tensor):
        return "pow.tensor_tensor", (input, exponent), ()
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    if isinstance(exponent, int) and not isinstance(exponent, bool):
        return "pow.tensor_scalar", (input,), (exponent,)
    if isinstance(exponent, float) and exponent in STATIC_FLOAT_EXPONENTS and input._aval.inexact:
        return "pow.tensor_scalar", (input,), (exponent,)
    return "pow.tensor_number", (input, exponent), ()


def pow_(input: Any, exponent: Any) -> Tensor:
    name, operands, static = _pow_op(input, exponent)
    return call(OPS[name], operands, static)


def pow_inplace(input: Tensor, exponent: Any) -> Tensor:
    name, operands, static = _pow_op(input, exponent)
    return call_inplace(OPS[name], operands, static)


@public(name="pow")
def power(input: Any, exponent: Any, *, out: Any = None) -> Tensor:
    """``input`` to the power ``exponent``; either may be a number. https://docs.pytorch.org/docs/stable/generated/torch.pow.html

    >>> import torchish as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    name, operands, static = _pow_op(input, exponent)
    return _run(name, operands, static, out)


@public("Tensor", name="pow_")
def power_(self: Tensor, exponent: Any) -> Tensor:
    """``self`` to the power ``exponent``, in place."""
    return pow_inplace(self, exponent)


def matmul_operator(self: Any, other: Any) -> Any:
    if isinstance(self, Tensor) and isinstance(other, Tensor):
        return call(OPS["matmul"], (self, other))
    return NotImplemented


# Extremes


def _extreme(name: str) -> None:
    other_name = f"{name}imum"

    def function(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
        if isinstance(dim, Tensor):
            other, dim = dim, None
        if other is not None:
            return _run(other_name, (input, other), (), out)
        if dim is None:
            return _run(f"{name}.all", (input,), (), out)
        return _run(f"{name}.dim", (input,), (as_int(dim), as_bool(keepdim, name, "keepdim", 3)), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The {other_name} of all elements; along ``dim``, with its index; or of two tensors, elementwise.\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    public()(function)


_extreme("max")
_extreme("min")


# Spread


def warn_of_too_few(name: str, input: Tensor, dim: Any, correction: Any) -> None:
    """PyTorch's warning where the count less the correction, by which the squares are divided, is not positive."""
    shape = input._aval.shape
    dims = range(len(shape)) if dim is None or dim == () else dim if isinstance(dim, (list, tuple)) else (dim,)
    try:
        count = math.prod([shape[d] for d in dims]) if shape else 1
        few = count <= (1 if correction is None else correction)
    except (TypeError, IndexError):  # for the op to refuse
        return
    if few:
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
            "numel divided by output numel)."
        )


def _spread(name: str, has_out: bool) -> None:
    op_name = f"{name}.correction"

    def function(
        input: Tensor,
        dim: Any = None,
        unbiased: Any = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
        out: Any = None,
    ) -> Any:
        if isinstance(dim, bool):  # var(x, unbiased)
            dim, unbiased = None, dim
        if unbiased is not None:
            as_bool(unbiased, name, "unbiased", 3)
        if correction is None:
            correction = None if unbiased is None else int(unbiased)
        operands = (input, correction)
        warn_of_too_few(name, input, dim, correction)
        return _run(op_name, operands, (as_dims(dim), as_bool(keepdim, name, "keepdim", 4)), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"``{name}`` of all elements or along ``dim``, divided by the count less ``correction`` (1 unless given).\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    (public() if has_out else public("torch"))(function)


_spread("std", True)
_spread("var", True)
_spread("std_mean", False)
_spread("var_mean", False)


# Selection


@public("torch", name="where")
def where_(condition: Tensor, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """``input`` where ``condition`` holds, ``other`` elsewhere; with ``condition`` alone, where it holds."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return _run("where", (condition, input, other), (), out)


@public("Tensor", name="where")
def where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """``self`` where ``condition`` holds, ``other`` elsewhere."""
    return where_(condition, self, other)


@public()
def nonzero(input: Tensor, *, out: Any = None, as_tuple: bool = False) -> Any:
    """The coordinates of the nonzero elements: an (n, ndim) tensor, or one tensor a dimension."""
    from ..indexing import nonzero_positions

    if out is not None and as_tuple:
        raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
    found = nonzero_positions(input.detach() if input.shape else input.detach().reshape(1))  # type: ignore[attr-defined]
    if as_tuple:
        return tuple(found)
    if not input.shape:
        n = found[0].shape[0]
        made = OP_FUNCTIONS["to.dtype"](_zeros((n, 0)), dtypes.DTYPES["int64"])
    else:
        made = OP_FUNCTIONS["stack"](found, 1)
    return made if out is None else give_out("nonzero", NONZERO, {"input": input}, made, out)


@public()
def argwhere(input: Tensor) -> Tensor:
    """The coordinates of the nonzero elements, one a row."""
    return nonzero(input)


@public()
def masked_select(input: Tensor, mask: Tensor, *, out: Any = None) -> Tensor:
    """The elements where ``mask`` holds, in one dimension; runs pending work."""
    if mask._aval.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    from .view_functions import broadcast_tensors

    m, a = broadcast_tensors(mask, input)
    if out is None:
        return a[m]
    given = {"input": input, "mask": mask}
    return give_out("masked_select", SELECTED, given, a.detach()[m], out)


def _zeros(shape: tuple[int, ...]) -> Tensor:
    from ..creation import _filled

    return _filled(shape, 0, np.dtype(np.float32), None, False)


# Scatter


def _scatter_op(input: Tensor, dim: Any, index: Tensor, src: Any, value: Any, reduce: Any) -> tuple[str, tuple, tuple]:
    if src is None:
        src = value
    kind = "src" if isinstance(src, Tensor) else "value"
    d = as_int(dim)
    if reduce is not None:
        return f"scatter.{kind}_reduce", (input, index, src), (d, reduce)
    return f"scatter.{kind}", (input, index, src), (d,)


@public()
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None, out: Any = None
) -> Tensor:
    """``input`` with ``src`` (a tensor or a number) written at ``index`` along ``dim``."""
    return _run(*_scatter_op(input, dim, index, src, value, reduce), out)


@public("Tensor")
def scatter_(
    self: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """Write ``src`` at ``index`` along ``dim``."""
    name, operands, static = _scatter_op(self, dim, index, src, value, reduce)
    return call_inplace(OPS[name], operands, static)


# Indexing by tuples


def _by_dims(input: Tensor, indices: Sequence[Any]) -> tuple[tuple[int, ...], list[Tensor]]:
    from ..indexing import Parsed

    parsed = Parsed(input, tuple(slice(None) if i is None else i for i in indices))
    return parsed.integer_indices()


@public()
def index_put(input: Tensor, indices: Sequence[Any], values: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` with ``values`` written, or added, at ``indices``, one tensor a dimension."""
    dims, found = _by_dims(input, indices)
    return call(OPS["index_put.dims"], (input, found, values), (dims, bool(accumulate)))


@public()
def index_put_(input: Tensor, indices: Sequence[Any], values: Tensor, accumulate: bool = False) -> Tensor:
    """Write, or add, ``values`` at ``indices``, one tensor a dimension."""
    dims, found = _by_dims(input, indices)
    return call_inplace(OPS["index_put.dims"], (input, found, values), (dims, bool(accumulate)))


# Contractions


@public("torch", name="einsum")
def einsum_(equation: Any, *operands: Any) -> Tensor:
    """Sums of products as ``equation`` says. https://docs.pytorch.org/docs/stable/generated/torch.einsum.html

    >>> import torchish as torch
    >>> torch.einsum("ij,j->i", torch.ones(2, 3), torch.arange(3.0))
    tensor([3., 3.])
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    return call(OPS["einsum"], (list(operands),), (equation,))


def _from_sublists(args: Sequence[Any]) -> tuple[str, tuple]:
    """``(x, [0, 1], y, [1], [0])`` as an equation and operands."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def text(sublist: Sequence[Any]) -> str:
        return "".join("..." if i is Ellipsis else letters[i] for i in sublist)

    operands, terms = args[: len(args) // 2 * 2 : 2], args[1::2]
    equation = ",".join(text(s) for s in terms)
    if len(args) % 2:
        equation += "->" + text(args[-1])
    return equation, tuple(operands)


@public("torch", name="tensordot")
def tensordot_(a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Tensor:
    """The contraction of ``a`` and ``b`` over ``dims``: a count, or the dimensions of each."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()  # type: ignore[attr-defined]
    if isinstance(dims, (list, tuple)):
        dims = tuple(as_size(d) if isinstance(d, (list, tuple)) else (as_int(d),) for d in dims)
    return _run("tensordot", (a, b), (dims,), out)


# Comparison of whole tensors


@public()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and the same elements."""
    if input.shape != other.shape:
        return False
    return bool((input == other).all())  # type: ignore[attr-defined]


@public()
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements agree within ``atol + rtol * |other|``."""
    return bool(OP_FUNCTIONS["isclose"](input, other, rtol, atol, equal_nan).all())


@public()
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""
    return input.shape == other.shape


# Types


@public("torch")
def promote_types(type1: Any, type2: Any) -> Any:
    """The smallest dtype that both convert to."""
    from ..promotion import join

    return dtypes.of(join(type1.np, type2.np))


@public("torch")
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype of an arithmetic result of two tensors or numbers."""
    from .. import promotion

    ranked = []
    for x in (tensor1, tensor2):
        if isinstance(x, Tensor):
            ranked.append((x._aval.dtype, 2 if x.shape else 1))
        else:
            ranked.append((promotion.number_dtype(type(x)), 0))
    return dtypes.of(promotion.result_type(ranked))


@public("torch")
def can_cast(from_: Any, to: Any) -> bool:
    """Whether a result of ``from_`` may be written into a tensor of ``to``."""
    from .. import promotion

    return promotion.can_cast(from_.np, to.np)


# Medians, blocks, repetitions


def _median(name: str) -> None:
    def function(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
        if dim is None:
            return _run(f"{name}.all", (input,), (), out)
        return _run(f"{name}.dim", (input,), (as_int(dim), as_bool(keepdim, name, "keepdim", 3)), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        "The middle element, the lower of two; along ``dim``, with its index.\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    public()(function)


_median("median")
_median("nanmedian")


@public("torch", name="block_diag")
def block_diag_(*tensors: Tensor) -> Tensor:
    """Matrices along the diagonal of a matrix of zeros."""
    return call(OPS["block_diag"], (list(tensors),))


@public("torch", name="cartesian_prod")
def cartesian_prod_(*tensors: Tensor) -> Tensor:
    """All combinations of the vectors' elements, one a row."""
    return call(OPS["cartesian_prod"], (list(tensors),))


@public()
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: Any = None) -> Tensor:
    """Each element repeated: a number of times, or as often as a tensor says (which runs pending work)."""
    if repeats is None:  # torch.repeat_interleave(repeats): positions, each as often as it says
        counts = input
        return repeat_interleave(_positions(counts), counts, 0, output_size=output_size)
    if not isinstance(repeats, Tensor):
        return call(OPS["repeat_interleave.self_int"], (input,), (as_int(repeats), dim, output_size))
    if output_size is None:
        n = input._aval.numel if dim is None else input.shape[dim]
        total = int(repeats.sum())
        output_size = total * n if repeats._aval.numel == 1 else total
    return call(OPS["repeat_interleave.self_Tensor"], (input, repeats), (dim, output_size))


def _positions(counts: Tensor) -> Tensor:
    from ..creation import arange

    return arange(counts.shape[0], device=counts.device)
