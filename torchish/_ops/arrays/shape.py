"""Joining, repeating, reordering and padding: ops whose result is a new tensor, never a view."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from .. import scalar_types
from ..dims import at_least_1d, distinct_dims, iota, normalize_dim
from ..inplace_rules import EXPANDED
from ..kernel_dtypes import half_in_float32, require_dtype
from ..out_rules import CASTABLE, CONCATENATED, UNCHECKED_EXPANDED, diag_rule
from ..registry import Dims, Ints, Number, Size, Tensor, Tensors, check_of, op
from .indexing import read, scalar_as, shown_shape

# --- joining ----------------------------------------------------------------------------------------


@op(
    promote=("tensors",),
    out=CONCATENATED,
    namespaces=("torch",),
    aliases=("concat", "concatenate"),
    grad_node="AddBackward0",
)
def cat(tensors: Tensors, dim: int = 0) -> Tensor:
    """The tensors joined along ``dim``; equal shapes elsewhere. One-dimensional empty tensors are skipped."""
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for place, t in enumerate(tensors):
        if t.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {place}) cannot be concatenated")
    parts = [(place, t) for place, t in enumerate(tensors) if t.shape != (0,)]
    if not parts:
        return tensors[0]
    first = parts[0][1]
    axis = normalize_dim(dim, first.ndim)
    for place, t in parts[1:]:
        if t.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {t.ndim}")
        for d in range(first.ndim):
            if d != axis and t.shape[d] != first.shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {first.shape[d]} but got "
                    f"size {t.shape[d]} for tensor number {place} in the list."
                )
    return jnp.concatenate([t for _, t in parts], axis)


@op(promote=("tensors",), out=CONCATENATED.but(autograd="stack"), namespaces=("torch",), grad_node="AddBackward0")
def stack(tensors: Tensors, dim: int = 0) -> Tensor:
    """The tensors, all of one shape, along a new dimension ``dim``."""
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0]
    axis = normalize_dim(dim, first.ndim + 1)
    for place, t in enumerate(tensors):
        if t.shape != first.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {shown_shape(first.shape)} at entry 0 and "
                f"{shown_shape(t.shape)} at entry {place}"
            )
    return jnp.stack(tensors, axis)


def _cat_as(tensors: Tensors, name: str, shape_of: Callable[[tuple[int, ...]], tuple[int, ...]], dim: int) -> Tensor:
    """``cat`` of the tensors, each reshaped by ``shape_of`` first."""
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return cat([t.reshape(shape_of(t.shape)) for t in tensors], dim)


def _two_dims(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (2 - len(shape)) + shape


def _three_dims(shape: tuple[int, ...]) -> tuple[int, ...]:
    """``(1, n, 1)`` for a vector, a trailing 1 for a matrix."""
    return (*_two_dims(shape), 1) if len(shape) < 3 else shape


def _column(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) > 1 else (*shape, 1) if shape else (1, 1)


@op(promote=("tensors",), out=CONCATENATED, namespaces=("torch",), node="CatBackward0", grad_node="AddBackward0")
def hstack(tensors: Tensors) -> Tensor:
    """The tensors side by side: along dimension 1, of vectors along 0."""
    vectors = bool(tensors) and tensors[0].ndim <= 1
    return _cat_as(tensors, "hstack", lambda shape: shape or (1,), 0 if vectors else 1)


@op(
    promote=("tensors",),
    out=CONCATENATED,
    namespaces=("torch",),
    aliases=("row_stack",),
    node="CatBackward0",
    grad_node="AddBackward0",
)
def vstack(tensors: Tensors) -> Tensor:
    """The tensors one below the other: along dimension 0, a vector counting as one row."""
    return _cat_as(tensors, "vstack", _two_dims, 0)


@op(promote=("tensors",), out=CONCATENATED, namespaces=("torch",), node="CatBackward0", grad_node="AddBackward0")
def dstack(tensors: Tensors) -> Tensor:
    """The tensors along dimension 2, which matrices and vectors get."""
    return _cat_as(tensors, "dstack", _three_dims, 2)


@op(promote=("tensors",), out=CONCATENATED, namespaces=("torch",), node="CatBackward0", grad_node="AddBackward0")
def column_stack(tensors: Tensors) -> Tensor:
    """The tensors side by side, a vector counting as one column."""
    return _cat_as(tensors, "column_stack", _column, 1)


@op(promote=("tensors",), namespaces=(), grad_node="AddBackward0")
def block_diag(tensors: Tensors) -> Tensor:
    """A matrix with the tensors, of at most two dimensions, along its diagonal and zeros elsewhere."""
    for place, t in enumerate(tensors):
        if t.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {place} has {t.ndim} dimensions"
            )
    blocks = [t.reshape(_two_dims(t.shape)) for t in tensors]
    width, left, rows = sum(b.shape[1] for b in blocks), 0, []
    for block in blocks:
        rows.append(jnp.pad(block, ((0, 0), (left, width - left - block.shape[1]))))
        left += block.shape[1]
    return jnp.concatenate(rows) if rows else jnp.zeros((1, 0), scalar_types.default_float())


@op(promote=("tensors",), namespaces=(), node="StackBackward0", grad_node="AddBackward0")
def cartesian_prod(tensors: Tensors) -> Tensor:
    """All ways to take one element of each vector, one a row; of a single vector, that vector."""
    for t in tensors:
        if t.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {shown_shape(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return jnp.stack([g.reshape(-1) for g in jnp.meshgrid(*tensors, indexing="ij")], axis=1)


@op(namespaces=("torch",), node="StackBackward0", grad_node="SelectBackwardBackward0")
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector, in order, one a row."""
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {shown_shape(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return jnp.zeros((0,), input.dtype)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    return input[rows]


# --- repeating --------------------------------------------------------------------------------------


@op(namespaces=("Tensor",), variadic="repeats", grad_node="SumBackward1")
def repeat(input: Tensor, repeats: Size) -> Tensor:
    """Copies of the whole tensor: ``repeats[d]`` along each dimension, new ones in front."""
    if len(repeats) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(repeats) - input.ndim) + input.shape
    target = [n * size for n, size in zip(repeats, shape, strict=True)]
    for size in target:
        if size < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {shown_shape(target)}")
    return half_in_float32(lambda x: jnp.tile(x, repeats))(input)


@op(variadic="dims", node="RepeatBackward0", grad_node="SumBackward1")
def tile(input: Tensor, dims: Size) -> Tensor:
    """``repeat`` that puts missing ones in front of ``dims``."""
    return repeat(input, (1,) * (input.ndim - len(dims)) + tuple(dims))


@op(name="repeat_interleave.self_int", node="ViewBackward0", grad_node="ViewBackward0")
def repeat_interleave(input: Tensor, repeats: int, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each slice along ``dim`` (each element of the flattened tensor without it) ``repeats`` times in a row."""
    x = input.reshape(-1) if dim is None else at_least_1d(input)
    axis = 0 if dim is None else normalize_dim(dim, input.ndim)
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    size = x.shape[axis] * repeats
    if output_size is not None and output_size != size:
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {size} but got {output_size}")
    shape = list(x.shape)
    shape.insert(axis + 1, repeats)
    wide = jnp.broadcast_to(jnp.expand_dims(x, axis + 1), shape)
    return wide.reshape(*x.shape[:axis], size, *x.shape[axis + 1 :])


@op(name="repeat_interleave.self_Tensor", node="IndexSelectBackward0", grad_node="IndexAddBackward0")
def repeat_interleave_tensor(input: Tensor, repeats: Tensor, dim: int | None = None, *, output_size: int) -> Tensor:
    """Slice ``i`` along ``dim`` (element ``i`` of the flattened tensor) ``repeats[i]`` times in a row.

    ``output_size`` is the sum of ``repeats``, an integer vector or a single number for all.
    """
    x = input.reshape(-1) if dim is None else at_least_1d(input)
    axis = 0 if dim is None else normalize_dim(dim, input.ndim)
    if repeats.dtype not in (np.int64, np.int32):
        raise RuntimeError("repeats has to be Long or Int tensor")
    if repeats.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if repeats.size not in (1, x.shape[axis]) or (repeats.size == 0 and x.shape[axis]):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {repeats.size} and "
            f"input.size({axis}) = {x.shape[axis]}"
        )
    ends = jnp.cumsum(jnp.broadcast_to(repeats.reshape(-1), (x.shape[axis],)).astype(np.int64))
    return read(x, (axis,), (jnp.searchsorted(ends, jnp.arange(output_size), side="right"),))


@check_of(repeat_interleave_tensor, lambda *_, **__: RuntimeError("repeats can not be negative"))
def _(input: Tensor, repeats: Tensor, **_) -> tuple[Tensor, Tensor]:
    return jnp.any(repeats < 0), jnp.asarray(0, np.int64)


@op(
    saves="nothing",
    promote=("input", "other"),
    out=CASTABLE.but(autograd="mul", first=False),
    node="UnsafeViewBackward0",
    grad_node="AddBackward0",
)
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product, of any number of dimensions."""
    if scalar_types.is_bool(input.dtype):
        return jnp.kron(input.astype(np.uint8), other.astype(np.uint8)) != 0
    return half_in_float32(jnp.kron)(input, other)


# --- reordering -------------------------------------------------------------------------------------


@op(variadic="dims", grad_node="FlipBackward0")
def flip(input: Tensor, dims: Dims) -> Tensor:
    """The elements in reverse order along each of ``dims``."""
    axes = distinct_dims((dims,) if isinstance(dims, int) else dims or (), input.ndim)
    return jnp.flip(input, axes) if input.ndim and axes else input


@op(node="FlipBackward0", grad_node="FlipBackward0")
def fliplr(input: Tensor) -> Tensor:
    """``flip`` along dimension 1."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return jnp.flip(input, 1)


@op(node="FlipBackward0", grad_node="FlipBackward0")
def flipud(input: Tensor) -> Tensor:
    """``flip`` along dimension 0."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return jnp.flip(input, 0)


@op(grad_node="RollBackward0")
def roll(input: Tensor, shifts: Dims, dims: Dims = ()) -> Tensor:
    """The elements moved by ``shifts`` along ``dims``, those pushed out entering at the other end.

    Without ``dims`` the flattened tensor is rolled.
    """
    shifts, dims = ((v,) if isinstance(v, int) else tuple(v or ()) for v in (shifts, dims))
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return jnp.roll(input, shifts[0])
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if input.ndim == 0:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    return jnp.roll(input, shifts, tuple(normalize_dim(d, input.ndim) for d in dims))


@op(grad_node="Rot90Backward0")
def rot90(input: Tensor, k: int = 1, dims: Size = (0, 1)) -> Tensor:
    """The tensor turned by ``k`` quarter turns in the plane of ``dims``, from the first towards the second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == input.ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return jnp.rot90(input, k, tuple(normalize_dim(d, input.ndim) for d in dims))  # type: ignore[arg-type]


# --- triangles and diagonals ------------------------------------------------------------------------


def _triangle(input: Tensor, diagonal: int, name: str, lower: bool) -> Tensor:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    offset = iota(input.shape[-2:], 1) - iota(input.shape[-2:], 0)
    kept = offset <= diagonal if lower else offset >= diagonal
    return jnp.where(kept, input, jnp.zeros((), input.dtype))


@op(inplace=EXPANDED, out=UNCHECKED_EXPANDED, grad_node="TrilBackward0")
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangles of the last two dimensions, up to ``diagonal`` above the main one; zeros elsewhere."""
    return _triangle(input, diagonal, "tril", lower=True)


@op(inplace=EXPANDED, out=UNCHECKED_EXPANDED, grad_node="TriuBackward0")
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangles of the last two dimensions, from ``diagonal`` above the main one; zeros elsewhere."""
    return _triangle(input, diagonal, "triu", lower=False)


@op(saves="nothing", name="diag", out=diag_rule, node="DiagEmbedBackward0", grad_node="DiagonalBackward0")
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A square matrix with a vector on its ``diagonal``, or the ``diagonal`` of a matrix as a new vector."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    rows, columns = input.shape
    length = max(0, min(rows, columns - diagonal) if diagonal >= 0 else min(rows + diagonal, columns))
    if length == 0:
        return jnp.zeros((0,), input.dtype)
    return jnp.diagonal(input, diagonal)


@op(grad_node="DiagonalBackward0")
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Square matrices in the plane of ``dim1`` and ``dim2`` with ``input``'s last dimension as ``offset`` diagonal."""
    rank = input.ndim + 1
    first, second = normalize_dim(dim1, rank), normalize_dim(dim2, rank)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    length = input.shape[-1]
    size = length + abs(offset)
    rows = jnp.pad(input, [(0, 0)] * (input.ndim - 1) + [(max(-offset, 0), max(offset, 0))])
    on_diagonal = iota((size, size), 1) - iota((size, size), 0) == offset
    square = jnp.where(on_diagonal, rows[..., :, None], jnp.zeros((), input.dtype))
    return jnp.moveaxis(square, (-2, -1), (first, second))


@op(node="DiagEmbedBackward0", grad_node="ReshapeAliasBackward0")
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A square matrix whose ``offset`` diagonal holds the flattened tensor."""
    return diag_embed(input.reshape(-1), offset)


@op(namespaces=(), differentiable=False)
def one_hot(tensor: Tensor, num_classes: int) -> Tensor:
    """A new last dimension of size ``num_classes``, 1 at the class and 0 elsewhere; int64 in and out."""
    if tensor.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    return (tensor[..., None] == jnp.arange(num_classes)).astype(np.int64)


def _class_error(witness: int, **_) -> RuntimeError:
    if witness < 0:
        return RuntimeError("Class values must be non-negative.")
    return RuntimeError("Class values must be smaller than num_classes.")


@check_of(one_hot, _class_error)
def _(tensor: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    if tensor.size == 0:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    low, high = jnp.min(tensor), jnp.max(tensor)
    return (low < 0) | (high >= num_classes), jnp.where(low < 0, low, high)


# --- padding ----------------------------------------------------------------------------------------


def _pairs(pad: Size, input: Tensor) -> list[tuple[int, int]]:
    """The amounts to add before and after each dimension; ``pad`` lists them from the last one on."""
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input.ndim}"
        )
    given = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    return [(0, 0)] * (input.ndim - len(given)) + given[::-1]


@op(namespaces=("torch",), grad_node="ConstantPadNdBackward0")
def constant_pad_nd(input: Tensor, pad: Size, value: Number = 0) -> Tensor:
    """``input`` with ``value`` around it: ``pad`` lists (before, after) from the last dimension on; negative crops."""
    pairs = _pairs(pad, input)
    for size, (before, after) in zip(input.shape, pairs, strict=True):
        if size + before + after < 0 or size + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    return jax.lax.pad(input, scalar_as(value, input.dtype), [(before, after, 0) for before, after in pairs])


def _pick_static(x: Tensor, axis: int, positions: np.ndarray) -> Tensor:
    """``x`` at static positions along ``axis``, as few slices as runs of rising, falling or equal positions allow."""
    parts, start = [], 0
    while start < len(positions):
        stop = start + 1
        step = 1 if stop == len(positions) else int(np.clip(positions[stop] - positions[start], -1, 1))
        while stop < len(positions) and positions[stop] - positions[stop - 1] == step:
            stop += 1
        first, last = int(positions[start]), int(positions[stop - 1])
        if step == 0:
            row = jax.lax.slice_in_dim(x, first, first + 1, axis=axis)
            shape = [stop - start if d == axis else n for d, n in enumerate(x.shape)]
            parts.append(jnp.broadcast_to(row, shape))
        else:
            run = jax.lax.slice_in_dim(x, min(first, last), max(first, last) + 1, axis=axis)
            parts.append(jnp.flip(run, axis) if step < 0 else run)
        start = stop
    if not parts:
        return jax.lax.slice_in_dim(x, 0, 0, axis=axis)
    return jnp.concatenate(parts, axis) if len(parts) > 1 else parts[0]


def _reflected(size: int, before: int, after: int) -> np.ndarray:
    positions = np.abs(np.arange(-before, size + after))
    return np.where(positions >= size, 2 * (size - 1) - positions, positions)


def _replicated(size: int, before: int, after: int) -> np.ndarray:
    return np.clip(np.arange(-before, size + after), 0, size - 1)


def _circular(size: int, before: int, after: int) -> np.ndarray:
    """What is left after cropping goes round, not the whole."""
    start, stop = max(-before, 0), size - max(-after, 0)
    if start == stop:
        return np.arange(0)
    return start + np.arange(-max(before, 0), stop - start + max(after, 0)) % (stop - start)


_POSITIONS = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}


_PADDED_RANKS = "\n".join(
    [
        "Supported combinations for non-constant padding:",
        *(
            f"  - {n + 1}D or {n + 2}D input: padding size = {2 * n} (pads last {'' if n == 1 else f'{n} '}dimension"
            f"{'' if n == 1 else 's'})"
            for n in (1, 2, 3)
        ),
    ]
)


def _refuse_size(input: Tensor, pairs: list[tuple[int, int]], mode: str, n: int) -> None:
    """Refuse to crop everything; the text has PyTorch's punctuation, which differs between kernels."""
    shape = input.shape[-n:]
    made = [size + sum(pair) for size, pair in zip(shape, pairs[-n:], strict=True)]
    if min(made) >= 1:
        return
    letters = "DHW"[-n:]
    separators = {1: [""], 2: [", ", " " if mode == "replicate" else ""], 3: [" ", ", ", ""]}[n]
    given = "".join(f"{c}: {size}{s}" for c, size, s in zip(letters, shape, separators, strict=True))
    wanted = " ".join(f"{c}: {size}" for c, size in zip(letters, made, strict=True))
    raise RuntimeError(f"input ({given}) is too small. Calculated output {wanted}")


def _refuse_padding(input: Tensor, pairs: list[tuple[int, int]], mode: str, n: int) -> None:
    if mode != "circular":
        require_dtype(input.dtype, "ifc", f"{'reflection' if mode == 'reflect' else 'replication'}_pad{n}d")
    for axis in reversed(range(input.ndim - n, input.ndim)):
        before, after = pairs[axis]
        size = input.shape[axis]
        if mode == "circular" and max(before, after) > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if mode == "circular" and size + before + after < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        if mode == "reflect" and max(before, after) >= size and (before, after) != (0, 0):
            argument = 4 + 2 * (input.ndim - 1 - axis)
            raise RuntimeError(
                f"Argument #{argument}: Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({before}, {after}) at dimension {axis} of input {shown_shape(input.shape)}"
            )
    if mode != "circular":
        _refuse_size(input, pairs, mode, n)


def _pad_node(pad: Size, mode: str, **_) -> str:
    if mode == "constant":
        return "ConstantPadNdBackward0"
    if mode == "circular":
        return "CopySlices"
    return f"{'Reflection' if mode == 'reflect' else 'Replication'}Pad{len(pad) // 2}DBackward0"


@op(saves="operands", namespaces=("nn.functional",), node=_pad_node)
def pad(input: Tensor, pad: Ints, mode: str = "constant", value: Number | None = None) -> Tensor:
    """``input`` padded: ``pad`` lists (before, after) from the last dimension on; a negative amount crops.

    ``mode``: "constant" (``value``, 0 by default; any dimensions); "reflect" (the edge not repeated),
    "replicate" (the edge repeated) and "circular", which pad the last 1, 2 or 3 dimensions of an input
    that has one or two more.
    """
    if not isinstance(mode, str):
        raise TypeError(f"pad(): argument 'mode' (position 3) must be str, not {type(mode).__name__}")
    pairs = _pairs(pad, input)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _POSITIONS:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    spatial = len(pad) // 2
    if not 1 <= spatial <= 3 or input.ndim - spatial not in (1, 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor.\n{_PADDED_RANKS}"
        )
    if 0 in input.shape[1 if input.ndim > spatial + 1 else 0 :]:
        raise RuntimeError(
            f"Expected {spatial + 1}D or {spatial + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {shown_shape(input.shape)}"
        )
    _refuse_padding(input, pairs, mode, spatial)
    if mode != "circular":
        require_dtype(input.dtype, "ifc", f"{'reflection' if mode == 'reflect' else 'replication'}_pad{spatial}d")
    for axis, (before, after) in enumerate(pairs):
        if (before, after) != (0, 0):
            input = _pick_static(input, axis, _POSITIONS[mode](input.shape[axis], before, after))
    return input


# --- pixels and channels ------------------------------------------------------------------------------


@op(namespaces=("torch", "nn.functional"))
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """``(..., C * r * r, H, W)`` to ``(..., C, H * r, W * r)``: channels become a finer grid."""
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    blocks = jnp.moveaxis(input.reshape(*batch, channels // r**2, r, r, height, width), (-2, -1), (-4, -2))
    return blocks.reshape(*batch, channels // r**2, height * r, width * r)


@op(namespaces=("torch", "nn.functional"))
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """``(..., C, H * r, W * r)`` to ``(..., C * r * r, H, W)``: the inverse of ``pixel_shuffle``."""
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, channels, height, width = input.shape
    for name, back, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({back})={size} "
                f"is not divisible by {r}"
            )
    blocks = jnp.moveaxis(input.reshape(*batch, channels, height // r, r, width // r, r), (-3, -1), (-4, -3))
    return blocks.reshape(*batch, channels * r * r, height // r, width // r)


@op(namespaces=("torch", "nn.functional"), aliases=("native_channel_shuffle",))
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """``(N, C, ...)`` with the channels of ``groups`` groups interleaved."""
    if input.ndim < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {shown_shape(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    batch, channels, *rest = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    grouped = input.reshape(batch, groups, channels // groups, *rest)
    return jnp.swapaxes(grouped, 1, 2).reshape(input.shape)
