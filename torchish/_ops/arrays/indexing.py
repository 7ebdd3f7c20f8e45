"""Reading and writing at positions given by index tensors.

Every op here reduces to one form: integer arrays that broadcast together index the dimensions ``dims``
of ``x``, the others are taken whole. ``at`` builds it. Bodies trust their indices; a check on data
beside each op raises PyTorch's error where one is out of range.

Writing twice to one position: the last value wins, but every written value receives the gradient of
its position, which is PyTorch's convention (JAX gives it to the winner alone). ``overwrite`` says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .. import scalar_types
from ..dims import at_least_1d, iota, normalize_dim
from ..inplace_rules import BY_INDEX, BY_INDEX_EXPANDED, MASKED_FILL, MASKED_SCATTER
from ..out_rules import ALL, GATHERED, SCATTERED, Out
from ..registry import Number, Size, Tensor, Tensors, check_of, op

IN_BOUNDS = jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS


def at(x: Tensor, dims: Sequence[int], indices: Sequence[Tensor]):
    """``x.at[...]`` with ``indices`` for the dimensions ``dims`` and all of the other ones."""
    key: list[object] = [slice(None)] * x.ndim
    for axis, index in zip(dims, indices, strict=True):
        key[axis] = index
    return x.at[tuple(key)]


def read(x: Tensor, dims: Sequence[int], indices: Sequence[Tensor], *, wrap: bool = False) -> Tensor:
    """The elements of ``x`` at ``indices``; ``wrap``: negative ones count from the end."""
    return at(x, dims, indices).get(mode=IN_BOUNDS, wrap_negative_indices=wrap)


def add_at(x: Tensor, dims: Sequence[int], indices: Sequence[Tensor], values: Tensor) -> Tensor:
    """``x`` with ``values`` added at ``indices``, as often as a position occurs. Bools are or-ed."""
    if scalar_types.is_bool(x.dtype):
        return add_at(x.astype(np.int32), dims, indices, values.astype(np.int32)) != 0
    return at(x, dims, indices).add(values, mode=IN_BOUNDS)


def written(x: Tensor, dims: Sequence[int], indices: Sequence[Tensor]) -> Tensor:
    """Which elements of ``x`` a write at ``indices`` reaches."""
    return at(jnp.zeros(x.shape, bool), dims, indices).set(True, mode=IN_BOUNDS)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def overwrite(dims: tuple[int, ...], x: Tensor, indices: tuple[Tensor, ...], values: Tensor) -> Tensor:
    """``x`` with ``values`` written at ``indices``. All of the values get their position's gradient."""
    return at(x, dims, indices).set(values, mode=IN_BOUNDS)


@overwrite.defjvp
def _(dims, primals, tangents):
    (x, indices, values), (x_t, _, values_t) = primals, tangents
    kept = jnp.where(written(x, dims, indices), jnp.zeros((), x_t.dtype), x_t)
    values_t = jnp.broadcast_to(values_t, jnp.shape(read(x, dims, indices)))
    return overwrite(dims, x, indices, values), kept + add_at(jnp.zeros_like(x_t), dims, indices, values_t)


def gather_along(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """``x`` at the positions ``index`` along ``axis``; ``index`` may be smaller in the other dimensions."""
    limits = [x.shape[d] if d == axis else index.shape[d] for d in range(x.ndim)]
    x = jax.lax.slice(x, (0,) * x.ndim, limits)
    return jnp.take_along_axis(x, index, axis, mode=IN_BOUNDS)


def _out_of_range(index: Tensor, low: int, high: int) -> tuple[Tensor, Tensor]:
    """Whether some index is not in ``[low, high)``, and the first such."""
    flat = index.reshape(-1)
    if flat.size == 0:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    wrong = (flat < low) | (flat >= high)
    first = jnp.min(jnp.where(wrong, iota(flat.shape, 0), flat.size - 1))
    return jnp.any(wrong), flat[first].astype(np.int64)


def _dim_size(shape: Sequence[int], dim: int) -> tuple[int, int]:
    """The dimension from the front, and its size; a 0-dim tensor counts as one element."""
    axis = normalize_dim(dim, len(shape))
    return axis, shape[axis] if shape else 1


def _bounds_text(witness: int, input: jax.ShapeDtypeStruct, dim: int) -> str:
    axis, size = _dim_size(input.shape, dim)
    return f"index {witness} is out of bounds for dimension {axis} with size {size}"


def bounds_error(witness: int, input: jax.ShapeDtypeStruct, dim: int, **_) -> RuntimeError:
    return RuntimeError(_bounds_text(witness, input, dim))


def _bounds_index_error(witness: int, input: jax.ShapeDtypeStruct, dim: int, **_) -> IndexError:
    return IndexError(_bounds_text(witness, input, dim))


def in_range_of_dim(input: Tensor, dim: int, index: Tensor, **_) -> tuple[Tensor, Tensor]:
    return _out_of_range(index, 0, _dim_size(input.shape, dim)[1])


def in_range_of_dim_wrapped(input: Tensor, dim: int, index: Tensor, **_) -> tuple[Tensor, Tensor]:
    size = _dim_size(input.shape, dim)[1]
    return _out_of_range(index, -size, size)


def is_index(x: Tensor) -> bool:
    return x.dtype in (np.int64, np.int32)


def shown_shape(shape: Sequence[int]) -> str:
    return str(list(shape))


def scalar_as(value: Number, dtype: np.dtype) -> Tensor:
    """A number as ``dtype``, as a fill takes it; a complex one does not become real."""
    value = jnp.asarray(value)
    if scalar_types.is_complex(value.dtype) and not scalar_types.is_complex(dtype):
        c_name = {"float32": "float", "float64": "double"}.get(np.dtype(dtype).name, f"{np.dtype(dtype).name}_t")
        if scalar_types.is_inexact(dtype) and np.dtype(dtype).itemsize == 2:
            c_name = f"c10::{scalar_types.scalar_name(dtype)}"
        raise RuntimeError(f"value cannot be converted to type {c_name} without overflow")
    return value.astype(dtype)


# --- one index for each slice -------------------------------------------------------------------------


@op(
    out=Out("index_select(): self and result must have the same scalar type", "same", apart=ALL),
    grad_node="IndexAddBackward0",
)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` along ``dim`` at ``index``, a vector of int64 or int32. No negative indices."""
    axis = normalize_dim(dim, input.ndim)
    if not is_index(index):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if input.ndim == 0:
        if index.size != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.size} value(s)")
        return input
    return read(input, (axis,), (at_least_1d(index),))


@check_of(index_select, lambda witness, **_: IndexError("index out of range in self"))
def _(input: Tensor, dim: int, index: Tensor, **_) -> tuple[Tensor, Tensor]:
    return in_range_of_dim(input, dim, index)


def check_slices(input: Tensor, index: Tensor, source: Tensor, axis: int) -> None:
    """The shapes and dtypes that index_add and index_reduce accept."""
    name = scalar_types.scalar_name
    if index.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{name(index.dtype)} and size: {shown_shape(index.shape)}"
        )
    if not is_index(index):
        raise RuntimeError(f"index_add_(): Expected dtype int32/int64 for index but got: {name(index.dtype)}")
    if input.dtype != source.dtype:
        raise RuntimeError(
            f"index_add_(): self ({name(input.dtype)}) and source ({name(source.dtype)}) must have the same scalar type"
        )
    count = source.shape[axis] if source.ndim else 1
    if index.size != count:
        raise RuntimeError(
            f"index_add_(): Number of indices ({index.size}) should be equal to source.size(dim): ({count}), "
            f"for dim: {axis}"
        )
    if max(source.ndim, 1) != max(input.ndim, 1) or any(
        source.shape[d] != input.shape[d] for d in range(input.ndim) if d != axis and source.ndim
    ):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {shown_shape(input.shape)} source.shape = {shown_shape(source.shape)}"
        )


@op(inplace=BY_INDEX, out=SCATTERED.but(first=False), grad_node="ExpandBackward0")
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """``input`` with ``alpha * source``'s slices added to its slices at ``index`` along ``dim``."""
    axis = normalize_dim(dim, input.ndim)
    check_slices(input, index, source, axis)
    x = at_least_1d(input)
    scaled = at_least_1d(source) * jnp.asarray(alpha).astype(input.dtype)
    return add_at(x, (axis,), (at_least_1d(index),), scaled).reshape(input.shape)


check_of(index_add, bounds_error)(in_range_of_dim)


@op(inplace=BY_INDEX, out=SCATTERED.but(first=False), grad_node="IndexFillBackward0")
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``input`` with its slices at ``index`` along ``dim`` replaced by ``source``'s slices."""
    axis = normalize_dim(dim, input.ndim)
    name = scalar_types.scalar_name
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if source.ndim == 0 and index.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.size})")
    if source.ndim and input.ndim and source.ndim != input.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. "
            f"Source dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if index.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {name(index.dtype)}")
    if input.dtype != source.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{name(input.dtype)} and (source) {name(source.dtype)}"
        )
    x, new = at_least_1d(input), at_least_1d(source)
    to, of = (tuple(s for d, s in enumerate(t.shape) if d != axis) for t in (x, new))
    if to != of:
        shown = (" ".join(map(str, shape)) for shape in (to, of))
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{next(shown)} at dimension {axis} and source slice shape: {next(shown)} at dimension 0."
        )
    if source.ndim and index.size != new.shape[axis]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) ({new.shape[axis]})"
        )
    return overwrite((axis,), x, (at_least_1d(index),), new).reshape(input.shape)


check_of(
    index_copy, lambda witness, **kw: IndexError("index_copy_(): " + _bounds_text(witness, kw["input"], kw["dim"]))
)(in_range_of_dim)


@op(fits=True, inplace=BY_INDEX_EXPANDED, grad_node="IndexFillBackward0")
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """``input`` with its slices at ``index`` along ``dim`` filled with one value. Negative indices wrap."""
    axis = normalize_dim(dim, input.ndim)
    value = jnp.asarray(value)
    if value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if index.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if scalar_types.is_complex(value.dtype) and not scalar_types.is_complex(input.dtype):
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    x = at_least_1d(input)
    size = x.shape[axis]
    hit = jnp.zeros(size, bool).at[at_least_1d(index)].set(True, mode=IN_BOUNDS)  # type: ignore[arg-type]
    hit = hit.reshape([size if d == axis else 1 for d in range(x.ndim)])
    return jnp.where(hit, value.astype(input.dtype), x).reshape(input.shape)


check_of(index_fill, _bounds_index_error)(in_range_of_dim_wrapped)


# --- flat positions -----------------------------------------------------------------------------------


def _check_flat_index(index: Tensor, name: str) -> None:
    if index.dtype != np.int64:
        raise RuntimeError(
            f"{name}(): Expected a long tensor for index, but got {scalar_types.scalar_name(index.dtype)}"
        )


def _flat_error(witness: int, input: jax.ShapeDtypeStruct, **_) -> IndexError:
    size = math.prod(input.shape)
    return IndexError(f"out of range: tried to access index {witness} on a tensor of {size} elements.")


def _in_range_of_all(input: Tensor, index: Tensor, **_) -> tuple[Tensor, Tensor]:
    return _out_of_range(index, -input.size, input.size)


@op(
    out=Out(
        "take(): self and out expected to have the same dtype, but got self.dtype = {want} and out.dtype = {got}",
        "same",
        apart=ALL,
    ),
    grad_node="PutBackward0",
)
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of the flattened ``input`` at ``index`` (int64), in its shape. Negative indices wrap."""
    _check_flat_index(index, "take")
    if input.size == 0:
        if index.size:
            raise IndexError("take(): tried to take from an empty tensor")
        return jnp.zeros(index.shape, input.dtype)
    return read(input.reshape(-1), (0,), (index,), wrap=True)


@op(inplace=True, grad_node="PutBackward0")
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` with ``source`` written (or added) at the flat positions ``index``. Negative indices wrap."""
    _check_flat_index(index, "put_")
    if input.dtype != source.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_types.scalar_name(input.dtype)} and source.dtype = {scalar_types.scalar_name(source.dtype)}"
        )
    if source.size != index.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.size}, index.numel() = {index.size}"
        )
    flat, where, values = input.reshape(-1), (index.reshape(-1),), source.reshape(-1)
    return (add_at if accumulate else _overwrite)(flat, (0,), where, values).reshape(input.shape)


def _overwrite(x: Tensor, dims: tuple[int, ...], indices: tuple[Tensor, ...], values: Tensor) -> Tensor:
    return overwrite(dims, x, indices, values)


check_of(take, _flat_error)(_in_range_of_all)
check_of(put, _flat_error)(_in_range_of_all)


@op(out=GATHERED.but(autograd="gather"), node="GatherBackward0", grad_node="ScatterAddBackward0")
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """``gather`` along ``dim`` whose operands broadcast in the other dimensions; flat without ``dim``."""
    if indices.dtype != np.int64:
        name = scalar_types.scalar_name(indices.dtype)
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {name}")
    if dim is None:
        return read(input.reshape(-1), (0,), (indices.reshape(-1),))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    axis = normalize_dim(dim, input.ndim)
    shapes = [(*x.shape[:axis], 1, *x.shape[axis + 1 :]) for x in (input, indices)]
    common = broadcast_shape(*shapes)
    x, index = (jnp.broadcast_to(t, (*common[:axis], t.shape[axis], *common[axis + 1 :])) for t in (input, indices))
    return gather_along(x, index, axis) if index.size else jnp.zeros(index.shape, input.dtype)


@check_of(take_along_dim, lambda witness, input, dim=None, **_: _along_dim_error(witness, input, dim))
def _(input: Tensor, indices: Tensor, dim: int | None = None) -> tuple[Tensor, Tensor]:
    if dim is None:
        return _out_of_range(indices, 0, input.size)
    return in_range_of_dim_wrapped(input, dim, indices)


def _along_dim_error(witness: int, input: jax.ShapeDtypeStruct, dim: int | None) -> RuntimeError:
    if dim is None:
        return RuntimeError(f"index {witness} is out of bounds for dimension 0 with size {math.prod(input.shape)}")
    return bounds_error(witness, input, dim)


def broadcast_shape(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The shape that ``a`` and ``b`` broadcast to, or PyTorch's error."""
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            raise RuntimeError(
                f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) "
                f"at non-singleton dimension {max(len(a), len(b)) - back}"
            )
    return np.broadcast_shapes(tuple(a), tuple(b))


# --- masks --------------------------------------------------------------------------------------------


@op(
    fits=True,
    inplace=MASKED_FILL,
    node=lambda numbers, **_: "MaskedFillBackward0" if numbers else "MaskedFillBackward1",
    grad_node="MaskedFillBackward0",
)
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """``input`` with ``value``, a number or a 0-dim tensor, wherever the bool ``mask`` is true; broadcast."""
    value = jnp.asarray(value)
    if value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if mask.dtype != np.bool_:
        c_names = {"int64": "long int", "uint8": "unsigned char", "int32": "int", "float32": "float"}
        shown = c_names.get(mask.dtype.name, mask.dtype.name)
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {shown}")
    broadcast_shape(mask.shape, input.shape)
    return jnp.where(mask, scalar_as(value, input.dtype), input)


@op(inplace=MASKED_SCATTER, grad_node="MaskedFillBackward0")
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """``input`` with the elements of ``source``, in order, wherever the bool ``mask`` is true.

    ``input`` and ``mask`` broadcast; ``source`` must have an element for each true one.
    """
    name = scalar_types.scalar_name
    if mask.dtype != np.bool_:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {name(mask.dtype)}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{name(input.dtype)} and "
            f"{name(source.dtype)}"
        )
    shape = broadcast_shape(mask.shape, input.shape)
    if source.size == 0:
        return jnp.broadcast_to(input, shape)
    mask = jnp.broadcast_to(mask, shape)
    order = jnp.cumsum(mask.reshape(-1), dtype=np.int64).reshape(shape) - 1
    taken = read(source.reshape(-1), (0,), (jnp.clip(order, 0, source.size - 1),))
    return jnp.where(mask, taken, input)


@check_of(masked_scatter, lambda *_, **__: RuntimeError("Number of elements of source < number of ones in mask"))
def _(input: Tensor, mask: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    shape = np.broadcast_shapes(mask.shape, input.shape)
    count = jnp.sum(jnp.broadcast_to(mask, shape).astype(np.int64))
    return count > source.size, count


# --- x[i, j] and x[i, j] = v ----------------------------------------------------------------------------


def _index_arrays(indices: Sequence[Tensor]) -> tuple[Tensor, ...]:
    try:
        shape = np.broadcast_shapes(*(i.shape for i in indices))
    except ValueError:
        shown = ", ".join(shown_shape(i.shape) for i in indices)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shown}"
        ) from None
    return tuple(jnp.broadcast_to(i, shape) for i in indices)


@op(namespaces=(), grad_node="IndexPutImplBackward0")
def index(input: Tensor, indices: Tensors, dims: Size) -> Tensor:
    """``input[..., i, ..., j, ...]``: ``indices`` broadcast together and index the ascending ``dims``.

    Their common shape takes the place of ``dims`` where these are adjacent, else comes first. Negative
    indices wrap.
    """
    where = _index_arrays(indices)
    _check_not_empty(input, where, dims)
    return read(input, dims, where, wrap=True)


def _check_not_empty(input: Tensor, where: tuple[Tensor, ...], dims: Size) -> None:
    if where and where[0].size and any(input.shape[d] == 0 for d in dims):
        raise IndexError("index is out of bounds for dimension with size 0")


@op(name="index_put.dims", inplace=BY_INDEX_EXPANDED, node="IndexPutBackward0", grad_node="IndexPutBackward0")
def index_put(input: Tensor, indices: Tensors, values: Tensor, dims: Size, accumulate: bool = False) -> Tensor:
    """``input`` with ``values`` written, or added, where ``index(input, indices, dims)`` reads."""
    name = scalar_types.scalar_name
    if values.dtype != input.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{name(input.dtype)} for the destination and {name(values.dtype)} for the source."
        )
    where = _index_arrays(indices)
    _check_not_empty(input, where, dims)
    target = jax.eval_shape(lambda x, i: read(x, dims, i), input, where).shape
    try:
        values = jnp.broadcast_to(values, target)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {shown_shape(values.shape)} cannot be broadcast to indexing result "
            f"of shape {shown_shape(target)}"
        ) from None
    where = tuple(jnp.where(i < 0, i + input.shape[d], i) for i, d in zip(where, dims, strict=True))
    return (add_at if accumulate else _overwrite)(input, dims, where, values)


def _indices_in_range(input: Tensor, indices: Tensors, dims: Size, **_) -> tuple[Tensor, Tensor]:
    """The witness packs the first bad index and its place among ``indices``: PyTorch names both."""
    arrays = _index_arrays(indices)
    if 0 in [n for d, n in enumerate(input.shape) if d not in dims]:  # nothing is read: PyTorch looks at no index
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    sizes = jnp.asarray([input.shape[d] for d in dims], np.int64)
    flat = jnp.stack([i.reshape(-1).astype(np.int64) for i in arrays], axis=-1)
    wrong = (flat < -sizes) | (flat >= sizes)
    packed = (flat * len(dims) + jnp.arange(len(dims))).reshape(-1)
    if packed.size == 0:
        return jnp.asarray(False), jnp.asarray(0, np.int64)
    first = jnp.min(jnp.where(wrong.reshape(-1), iota(packed.shape, 0), packed.size - 1))
    return jnp.any(wrong), packed[first]


def _indices_error(witness: int, input: jax.ShapeDtypeStruct, dims: Size, **_) -> IndexError:
    value, place = divmod(int(witness), len(dims))
    return IndexError(f"index {value} is out of bounds for dimension {place} with size {input.shape[dims[place]]}")


check_of(index, _indices_error)(_indices_in_range)
check_of(index_put, _indices_error)(_indices_in_range)
