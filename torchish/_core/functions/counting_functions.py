"""Counts, histograms, distinct elements and quantiles: what their arguments may be, and the ops they come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._exec.statistics import Reason
from ..._exec.window import flush, materialise
from ..._ops.dims import normalize_dim
from ..._ops.kernel_dtypes import require_dtype
from ..._ops.registry import OPS
from ..arguments import as_int
from ..creation import tensor_of_array
from ..dispatch import call
from ..inplace import call_out
from ..public import public
from ..return_types import make
from ..tensor import NUMBER_CLASSES, Tensor
from ..underived import without_derivative


def _data(t: Tensor) -> np.ndarray:
    """The elements on the host, of a tensor on which the shape of a result depends: pending work runs."""
    value = t._value()
    if value.array is None and value.window is not None:
        flush(value.window, Reason.DATA_SHAPE)
    return np.asarray(materialise(value))


def _like(array: np.ndarray, t: Tensor) -> Tensor:
    return tensor_of_array(np.array(array, order="C"), t._storage.aval.placement)


# Counts


@public()
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs in ``input``; with ``weights``, the sum of those of its occurrences.

    The size depends on the data, so pending work runs and the counting is NumPy's.
    https://docs.pytorch.org/docs/stable/generated/torch.bincount.html

    Raises:
        RuntimeError: for input that has not one dimension, or a negative element.

    >>> import torchish as torch
    >>> torch.bincount(torch.tensor([1, 1, 3]))
    tensor([0, 2, 0, 1])
    """
    minlength = as_int(minlength)
    if not isinstance(minlength, int):
        raise TypeError(f"bincount(): argument 'minlength' must be int, not {type(minlength).__name__}")
    require_dtype(input._aval.dtype, "i", "bincount_cpu")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    aval = input._aval
    if aval.ndim == 1 and aval.numel == 0:
        return _like(np.zeros(minlength, np.int64), input)
    invalid = "bincount only supports 1-d non-negative integral inputs."
    if aval.ndim != 1:
        raise RuntimeError(invalid)
    if weights is not None and weights._aval.shape != aval.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    data = _data(input)
    if data.min() < 0:
        raise RuntimeError(invalid)
    if weights is None:
        return _like(np.bincount(data, minlength=minlength), input)
    amounts = _data(weights.detach())
    counts = np.bincount(data, amounts.real.astype(np.float64), minlength)
    made = _like(counts.astype(np.float32 if amounts.dtype == np.float32 else np.float64), input)
    without_derivative(made, (weights,), "bincount")
    return made


@public()
def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """How many elements lie in each of ``bins`` equal parts of [``min``, ``max``]; if these are equal, of the data's range.

    https://docs.pytorch.org/docs/stable/generated/torch.histc.html

    >>> import torchish as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    low, high = (x.item() if isinstance(x, Tensor) else x for x in (min, max))  # type: ignore[attr-defined]
    bins = as_int(bins)
    if not isinstance(bins, int):
        raise TypeError(f"histc(): argument 'bins' must be int, not {type(bins).__name__}")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    operands: tuple[Any, ...] = (input, None, None)
    if low != high or not input._aval.numel:
        operands = (input, low, high)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError("torch.histc: max must be larger than min")
    op = OPS["histc.counts"]
    return call(op, operands, (bins,)) if out is None else call_out(op, operands, (bins,), out)


# Histograms

_CPP_DTYPES = {"float32": "float", "float64": "double", "int64": "long int", "float16": "c10::Half"}


def _shown_dtype(t: Tensor) -> str:
    name = t._aval.dtype.name
    return _CPP_DTYPES.get(name, name)


def _check_weight(shape: Sequence[int], input: Tensor, weight: Tensor | None) -> None:
    if weight is None:
        return
    if weight._aval.dtype != input._aval.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same "
            f"dtype, but got input({_shown_dtype(input)}), and weight({_shown_dtype(weight)})"
        )
    if tuple(weight.shape) != tuple(shape[:-1]):
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(shape)} and weight with shape "
            f"{list(weight.shape)}"
        )


def _check_edges(input: Tensor, edges: Sequence[Tensor]) -> None:
    for d, edge in enumerate(edges):
        if edge._aval.dtype != input._aval.dtype:
            raise RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with "
                f"dtype {_shown_dtype(input)} and bins for dimension {d} with dtype {_shown_dtype(edge)}"
            )
        if edge._aval.ndim != 1:
            raise RuntimeError(
                "torch.histogramdd: bins tensor should have one dimension, but got "
                f"{edge._aval.ndim} dimensions in the bins tensor for dimension {d}"
            )
        if edge._aval.numel == 0:
            raise RuntimeError(
                "torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor "
                f"for dimension {d}"
            )


def _check_bins(bins: Sequence[int]) -> None:
    for d, n in enumerate(bins):
        if n <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {n} for dimension {d}")


def _check_range(range: Sequence[float] | None, dims: int) -> None:
    if range is None:
        return
    if len(range) != 2 * dims:
        raise RuntimeError(
            f"torch.histogramdd: for a {dims}-dimensional histogram range should have {2 * dims} elements, but got "
            f"{len(range)}"
        )
    for d, (low, high) in enumerate(zip(range[::2], range[1::2], strict=True)):
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"torch.histogramdd: dimension {d}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}"
            )


def _equal_bins(column: Tensor, bins: int, dimension: int, range: Sequence[float] | None) -> Tensor:
    ends = (None, None) if range is None else (float(range[2 * dimension]), float(range[2 * dimension + 1]))
    return call(OPS["histogram.edges"], (column, *ends), (bins, dimension))


@public()
def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> Any:
    """The counts of elements in bins, and the edges of those: ``bins`` equal ones, or those that a tensor gives.

    https://docs.pytorch.org/docs/stable/generated/torch.histogram.html

    >>> import torchish as torch
    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    require_dtype(input._aval.dtype, "f" if input._aval.dtype.itemsize >= 4 else "", "histogramdd")
    source = input.detach()
    if isinstance(bins, Tensor):
        if range is not None:
            raise TypeError("histogram() received an invalid combination of arguments: bins as a tensor take no range")
        _check_edges(input, [bins])
        _check_bins([bins._aval.numel - 1])
        edges = bins.detach()
    else:
        count = as_int(bins)
        _check_bins([count])
        _check_range(range, 1)
        edges = _equal_bins(source, count, 0, range)
    _check_weight((*input.shape, 1), input, weight)
    hist = call(OPS["histogramdd.counts"], (source, [edges], weight), (bool(density),))
    if out is not None:
        for target, made in zip(out, (hist, edges), strict=True):
            target.resize_(made.shape).copy_(made)
        return make("histogram_out", ("hist", "bin_edges"))(out)
    if isinstance(bins, Tensor):
        edges = edges.clone()  # type: ignore[attr-defined]
    without_derivative((hist, edges), (input, bins, weight), "histogram")
    return make("histogram", ("hist", "bin_edges"))((hist, edges))


@public("torch")
def histogramdd(
    input: Tensor,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """The counts of points, the vectors of the last dimension, in boxes, and the edges along each of its coordinates.

    ``bins``: how many along each, or along all of them; or one tensor of edges for each.
    https://docs.pytorch.org/docs/stable/generated/torch.histogramdd.html
    """
    if input._aval.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    dims = input.shape[-1]
    source = input.detach()
    if isinstance(bins, int):
        bins = [bins] * dims
    if bins and isinstance(bins[0], Tensor):
        if len(bins) != dims:
            raise RuntimeError(
                f"torch.histogramdd: expected {dims} sequences of bin edges for a {dims}-dimensional histogram but got "
                f"{len(bins)}"
            )
        _check_edges(input, bins)
        _check_bins([edge._aval.numel - 1 for edge in bins])
        edges = [edge.detach().clone() for edge in bins]
    else:
        if len(bins) != dims:
            raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
        counts = [as_int(n) for n in bins]
        require_dtype(input._aval.dtype, "f" if input._aval.dtype.itemsize >= 4 else "", "histogramdd")
        _check_bins(counts)
        _check_range(range, dims)
        edges = [_equal_bins(source.select(-1, d), n, d, range) for d, n in enumerate(counts)]  # type: ignore[attr-defined]
    _check_weight(input.shape, input, weight)
    hist = call(OPS["histogramdd.counts"], (source, edges, weight), (bool(density),))
    which = "bin_tensors" if bins and isinstance(bins[0], Tensor) else "bin_cts"
    without_derivative((hist, *edges), (input, *bins, weight), f"_histogramdd_from_{which}")
    return make("histogramdd", ("hist", "bin_edges"))((hist, tuple(edges)))


# Distinct elements


def _sortable(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "V" else array  # NumPy cannot order bfloat16


def _groups(order: np.ndarray, opens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of elements in the order ``order``, where ``opens`` says which start a run of equal ones: the first of each run,
    each element's run, and how long the runs are."""
    starts = np.flatnonzero(opens)
    inverse = np.empty(order.size, np.int64)
    inverse[order] = np.cumsum(opens) - 1
    return order[starts], inverse, np.diff(np.append(starts, order.size))


def _opens(rows: np.ndarray) -> np.ndarray:
    """Which rows differ from the row before; NaN differs from NaN."""
    opens = np.ones(rows.shape[0], bool)
    different = rows[1:] != rows[:-1]
    opens[1:] = different if rows.ndim == 1 else different.any(axis=1)
    return opens


def _distinct(array: np.ndarray, consecutive: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``_groups`` of the elements or rows of ``array``: sorted first, unless runs as they stand are asked for."""
    rows = _sortable(array)
    if consecutive:
        order = np.arange(rows.shape[0])
    elif rows.ndim == 1:
        order = np.argsort(rows, kind="stable")
    else:
        order = np.lexsort(rows.T[::-1]) if rows.shape[1] else np.arange(rows.shape[0])
    return _groups(order, _opens(rows[order]))


def _unique(
    input: Tensor, return_inverse: bool, return_counts: bool, dim: int | None, consecutive: bool, name: str, node: str
) -> Any:
    shape, dtype = tuple(input.shape), input._aval.dtype
    if dim is None:
        require_dtype(dtype, "biwf", "unique")
        flat = _data(input.detach()).reshape(-1)
        if not (consecutive or return_inverse or return_counts):  # a sort is quicker than the order that would sort
            ordered = np.sort(_sortable(flat), kind="stable")
            values = ordered[_opens(ordered)].astype(dtype, copy=False)
        else:
            first, inverse, counts = _distinct(flat, consecutive)
            values, inverse = flat[first], inverse.reshape(shape)
    else:
        dim = as_int(dim)
        if not shape:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        axis = normalize_dim(dim, len(shape))
        if any(n == 0 for d, n in enumerate(shape) if d != axis):
            raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
        require_dtype(dtype, "biwf", "unique_dim")
        slices = np.moveaxis(_data(input.detach()), axis, 0)
        first, inverse, counts = _distinct(slices.reshape(shape[axis], -1 if shape[axis] else 0), consecutive)
        values = np.moveaxis(slices[first], 0, axis)
    made = _like(values, input)
    without_derivative(made, (input,), name, node)
    found = [made]
    if return_inverse:
        found.append(_like(inverse, input))
    if return_counts:
        found.append(_like(counts, input))
    return tuple(found) if len(found) > 1 else made


@public()
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements, or slices along ``dim``, in ascending order; NaN is distinct from every other NaN.

    ``return_inverse``: where in the result each element went. ``return_counts``: how often each occurs. The size
    depends on the data, so pending work runs and the sorting is NumPy's. ``sorted=False`` changes nothing.
    https://docs.pytorch.org/docs/stable/generated/torch.unique.html

    >>> import torchish as torch
    >>> torch.unique(torch.tensor([1, 3, 2, 3]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """
    _require_tensor(input, "_unique2")
    name, node = ("_unique2", "Unique2Backward0") if dim is None else ("unique_dim", "UniqueDimBackward0")
    return _unique(input, return_inverse, return_counts, dim, False, name, node)


@public()
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements, or slices along ``dim``, without those that equal the one before.

    https://docs.pytorch.org/docs/stable/generated/torch.unique_consecutive.html

    >>> import torchish as torch
    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    _require_tensor(input, "unique_consecutive")
    node = "UniqueConsecutiveBackward0"
    return _unique(input, return_inverse, return_counts, dim, True, "unique_consecutive", node)


def _require_tensor(x: Any, name: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")


# Quantiles

_LARGEST = 16 * 1024 * 1024
_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name: str, ignore_nan: bool, what: str) -> None:
    def function(
        input: Tensor,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        *,
        interpolation: str = "linear",
        out: Tensor | None = None,
    ) -> Tensor:
        q = q.item() if isinstance(q, np.generic) else q
        if not isinstance(q, Tensor) and q.__class__ not in NUMBER_CLASSES:
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got (Tensor, {type(q).__name__}), but "
                "expected q to be a float or a Tensor"
            )
        _check_quantile(input, q, interpolation, out)
        operands: tuple[Any, ...] = (input, q if isinstance(q, Tensor) else float(q))  # type: ignore[arg-type]
        static = (as_int(dim), bool(keepdim), interpolation, ignore_nan)
        op = OPS["quantile.of"]
        return call(op, operands, static) if out is None else call_out(op, operands, static, out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The ``q``-quantiles along ``dim``, or of all elements{what}.\n\n"
        "``q``, between 0 and 1, is a number or a vector, whose results then lie along a new first dimension.\n"
        "``interpolation``: what to take between two elements, of linear, lower, higher, midpoint and nearest.\n\n"
        f"https://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    )
    public()(function)


def _check_quantile(input: Tensor, q: Any, interpolation: str, out: Tensor | None) -> None:
    _require_tensor(input, "quantile")
    aval = input._aval
    if not isinstance(q, Tensor) and not 0 <= q <= 1:
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if aval.numel == 0:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if aval.dtype not in (np.float32, np.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q._aval.ndim > 1:
            raise RuntimeError("quantile() q must be a scalar or 1D tensor")
        if q._aval.dtype != aval.dtype:
            raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
        if q._aval.placement is not aval.placement:
            raise RuntimeError("quantile() q tensor must be on the same device as the input tensor")
    if out is not None and out._aval.dtype != aval.dtype:
        raise RuntimeError("quantile() out tensor must be same dtype as the input tensor")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if aval.numel > _LARGEST:
        raise RuntimeError("quantile() input tensor is too large")


_quantile("quantile", False, "; NaN where there is one")
_quantile("nanquantile", True, " that are not NaN")
