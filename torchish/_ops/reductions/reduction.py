"""Reductions: sums, means, products, extrema, moments and norms.

A 0-dim tensor is reduced as if it had one dimension. Half-precision inputs are accumulated in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .. import scalar_types
from ..dims import at_least_1d, cast, iota, is_nan, normalize_dim, normalize_dims, require_elements, size_of, widen
from ..elementwise.pointwise import refuse_bool_subtraction
from ..kernel_dtypes import require_dtype
from ..out_rules import (
    ALL,
    CASTABLE,
    EXPECTED,
    EXTREMES,
    OF_ALL,
    UNCHECKED_EXPANDED,
    any_or_all,
    logsumexp_rule,
    mean_rule,
    nanmean_rule,
    nansum_rule,
    prod_rule,
    summed_rule,
)
from ..quotients import quotient
from ..registry import Dims, DType, Number, Tensor, op


def _over(dim: Dims, base: str) -> str:
    """PyTorch numbers the node by overload: 0 for the whole tensor, 1 where a dim was given."""
    return f"{base}Backward{0 if dim is None else 1}"


def _sum_dtype(input: Tensor, dtype: DType) -> np.dtype:
    """What a sum or product yields: integers and bools give int64 unless ``dtype`` says otherwise."""
    if dtype is not None:
        return dtype
    return np.dtype(np.int64) if scalar_types.is_integral(input.dtype) else input.dtype


# --- sums, means, products ----------------------------------------------------------------------


@op(out=summed_rule, node=lambda dim, **_: _over(dim, "Sum"), grad_node="ExpandBackward0")
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The sum over ``dim`` (all dimensions by default). Integers and bools are summed as int64."""
    target = _sum_dtype(input, dtype)
    axes = normalize_dims(dim, input.ndim)
    return cast(jnp.sum(cast(input, target), axis=axes, keepdims=keepdim), target)


@op(out=nansum_rule, node="NansumBackward0", grad_node="MulBackward0")
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The sum over ``dim`` with NaN counted as zero. Real dtypes only."""
    if scalar_types.is_complex(input.dtype):
        raise RuntimeError("nansum on CPU does not support complex inputs")
    return sum(jnp.where(is_nan(input), jnp.zeros((), input.dtype), input), dim, keepdim, dtype=dtype)


def require_mean_dtype(dtype: np.dtype, which: str = "Input") -> None:
    """Refuse to average integers, as ``mean`` does."""
    if not scalar_types.is_inexact(dtype):
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {scalar_types.scalar_name(dtype)}"
        )


@op(out=mean_rule, node=lambda dim, **_: _over(dim, "Mean"), grad_node="DivBackward1")
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The arithmetic mean over ``dim`` (all dimensions by default). Floating and complex dtypes only."""
    target = input.dtype if dtype is None else dtype
    require_mean_dtype(target, "Input" if dtype is None else "Optional")
    axes = normalize_dims(dim, input.ndim)
    x = widen(cast(input, target))
    total = jnp.sum(x, axis=axes, keepdims=keepdim)
    return quotient(total, jnp.asarray(size_of(x, axes), x.dtype)).astype(target)


@op(out=nanmean_rule, node="DivBackward0", grad_node="MulBackward0")
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The mean over ``dim`` of the elements that are not NaN; NaN where there is none."""
    if not scalar_types.is_inexact(input.dtype):
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{scalar_types.scalar_name(input.dtype)}"
        )
    total = nansum(input, dim, keepdim, dtype=dtype)
    count = jnp.sum(~is_nan(input), axis=normalize_dims(dim, input.ndim), keepdims=keepdim)
    return quotient(total, count.astype(total.dtype))


@op(out=prod_rule, saves="operands", node=lambda dim, **_: _over(dim, "Prod"), grad_node="MulBackward0")
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """The product over ``dim`` (all dimensions by default). Integers and bools are multiplied as int64."""
    target = _sum_dtype(input, dtype)
    axes = normalize_dims(dim, input.ndim)
    return cast(jnp.prod(cast(input, target), axis=axes, keepdims=keepdim), target)


# --- extrema --------------------------------------------------------------------------------------


def _real_only(input: Tensor, kernel: str) -> None:
    require_dtype(input.dtype, "bif", kernel)


def _extremum(input: Tensor, dim: Dims, keepdim: bool, name: str) -> Tensor:
    """amax and amin: JAX's own derivative splits evenly among equal elements, as PyTorch's does."""
    _real_only(input, f"{name[1:]}_values_cpu")
    axes = normalize_dims(dim, input.ndim)
    require_elements(input, dim, name)
    return (jnp.max if name == "amax" else jnp.min)(input, axis=axes, keepdims=keepdim)


@op(out=EXTREMES, grad_node="MulBackward0")
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest value over ``dim`` (all by default); NaN wins. The gradient is split among equal elements."""
    return _extremum(input, dim, keepdim, "amax")


@op(out=EXTREMES, grad_node="MulBackward0")
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest value over ``dim`` (all by default); NaN wins. The gradient is split among equal elements."""
    return _extremum(input, dim, keepdim, "amin")


@op(out=EXPECTED, returns=("min", "max"), grad_node="MulBackward0")
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The smallest and the largest value over ``dim`` (all by default), as ``(min, max)``."""
    _real_only(input, "aminmax_cpu")
    axes = normalize_dims(dim, input.ndim)
    if input.size == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if input.size == 0 and size_of(input, axes) == 0:
        raise IndexError(f"aminmax: Expected reduction dim {axes[0]} to have non-zero size.")
    return jnp.min(input, axis=axes, keepdims=keepdim), jnp.max(input, axis=axes, keepdims=keepdim)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def even_share(select: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``select(x)``, a 0-dim array equal to some elements of ``x``, whose gradient is shared evenly among them.

    Where the result is NaN the NaN elements share it: PyTorch's convention for ``max()`` and ``median()``.
    """
    return select(x)


@even_share.defjvp
def _(select, primals, tangents):
    (x,), (t,) = primals, tangents
    result = even_share(select, x)
    hit = (x == result) | (is_nan(x) & is_nan(result))
    count = jnp.sum(hit).astype(x.dtype)
    return result, jnp.sum(jnp.where(hit, t, jnp.zeros((), t.dtype))) / count


def _extremum_of_all(input: Tensor, select: Callable[..., Tensor], name: str) -> Tensor:
    _real_only(input, f"{name}_all")
    require_elements(input, None, name)
    return even_share(select, input)


@op(name="max.all", out=OF_ALL, node="MaxBackward1", grad_node="MaskedFillBackward1")
def max_all(input: Tensor) -> Tensor:
    """The largest element, NaN if there is one. The gradient is split among equal elements."""
    return _extremum_of_all(input, jnp.max, "max")


@op(name="min.all", out=OF_ALL, node="MinBackward1", grad_node="MaskedFillBackward1")
def min_all(input: Tensor) -> Tensor:
    """The smallest element, NaN if there is one. The gradient is split among equal elements."""
    return _extremum_of_all(input, jnp.min, "min")


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def value_and_index(find: Callable[..., tuple[Tensor, Tensor]], axis: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """``find(x, axis)``: chosen values and their int64 positions along ``axis``, which is kept with size 1.

    The whole gradient goes to the chosen position, also where others are equal: PyTorch's convention.
    The tangent is a masked sum, so that its transpose is pointwise (a scatter is slow on CPU).
    """
    return find(x, axis)


@value_and_index.defjvp
def _(find, axis, primals, tangents):
    (x,), (t,) = primals, tangents
    values, index = value_and_index(find, axis, x)
    chosen = jnp.where(iota(x.shape, axis) == index, t, jnp.zeros((), t.dtype))
    index_tangent = np.zeros(index.shape, jax.dtypes.float0)
    return (values, index), (jnp.sum(chosen, axis=axis, keepdims=True), index_tangent)


def choose(find: Callable[..., tuple[Tensor, Tensor]], input: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """``value_and_index`` over ``dim`` of ``input``, with ``dim`` dropped unless ``keepdim``."""
    x = at_least_1d(input)
    axis = normalize_dim(dim, input.ndim)
    found = value_and_index(find, axis, x)
    if keepdim and input.ndim:
        return found
    return jnp.squeeze(found[0], axis), jnp.squeeze(found[1], axis)


def _first_extremum(reduce: Callable[..., Tensor], x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The extremum along ``axis`` and where it is first met: several times faster on CPU than XLA's argmax."""
    values = reduce(x, axis=axis, keepdims=True)
    hit = (x == values) | is_nan(x)
    index = jnp.min(jnp.where(hit, iota(x.shape, axis), x.shape[axis]), axis=axis, keepdims=True)
    return values, index.astype(np.int64)


_first_max = partial(_first_extremum, jnp.max)
_first_min = partial(_first_extremum, jnp.min)


def _extremum_over_dim(input: Tensor, dim: int, keepdim: bool, find, name: str) -> tuple[Tensor, Tensor]:
    if scalar_types.is_complex(input.dtype):
        raise RuntimeError(f"{name}(): does not support complex input")
    _real_only(input, f"{name}_cpu")
    normalize_dim(dim, input.ndim)
    require_elements(input, dim, name)
    return choose(find, input, dim, keepdim)


@op(
    saves="indices",
    out=EXPECTED,
    name="max.dim",
    node="MaxBackward0",
    returns=("values", "indices"),
    grad_node="ScatterBackward0",
)
def max_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The largest values along ``dim`` and the int64 index of the first of each; NaN counts as largest."""
    return _extremum_over_dim(input, dim, keepdim, _first_max, "max")


@op(
    saves="indices",
    out=EXPECTED,
    name="min.dim",
    node="MinBackward0",
    returns=("values", "indices"),
    grad_node="ScatterBackward0",
)
def min_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The smallest values along ``dim`` and the int64 index of the first of each; NaN counts as smallest."""
    return _extremum_over_dim(input, dim, keepdim, _first_min, "min")


def _arg_extremum(input: Tensor, dim: int | None, keepdim: bool, find, name: str) -> Tensor:
    for kind, refused in (("complex", scalar_types.is_complex), ("bool", scalar_types.is_bool)):
        if refused(input.dtype):
            raise RuntimeError(f"{name}(): does not support {kind} input")
    _real_only(input, f"{name}_cpu")
    if dim is None:
        if input.size == 0:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        return find(input.reshape(-1), 0)[1].reshape((1,) * input.ndim if keepdim else ())
    axis = normalize_dim(dim, input.ndim)
    require_elements(input, dim, name)
    index = find(at_least_1d(input), axis)[1]
    return index if keepdim and input.ndim else jnp.squeeze(index, axis)


@op(out=UNCHECKED_EXPANDED, differentiable=False)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The int64 index of the first largest element along ``dim``, of the flattened tensor without ``dim``."""
    return _arg_extremum(input, dim, keepdim, _first_max, "argmax")


@op(out=UNCHECKED_EXPANDED, differentiable=False)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The int64 index of the first smallest element along ``dim``, of the flattened tensor without ``dim``."""
    return _arg_extremum(input, dim, keepdim, _first_min, "argmin")


# --- truth ------------------------------------------------------------------------------------------


def _truth(input: Tensor, dim: Dims, keepdim: bool, reduce: Callable[..., Tensor]) -> Tensor:
    result = reduce(input != 0, axis=normalize_dims(dim, input.ndim), keepdims=keepdim)
    return result.astype(np.uint8) if input.dtype == np.uint8 else result


@op(out=any_or_all("any"), differentiable=False)
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether some element over ``dim`` is not zero: bool, but uint8 of uint8."""
    return _truth(input, dim, keepdim, jnp.any)


@op(out=any_or_all("all"), differentiable=False)
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element over ``dim`` is not zero: bool, but uint8 of uint8."""
    return _truth(input, dim, keepdim, jnp.all)


@op(differentiable=False)
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements over ``dim`` are not zero, as int64."""
    return jnp.sum((input != 0).astype(np.int64), axis=normalize_dims(dim, input.ndim))


# --- moments ------------------------------------------------------------------------------------------


def _square(x: Tensor) -> Tensor:
    """``|x|**2``, real."""
    return jnp.real(x) ** 2 + jnp.imag(x) ** 2 if scalar_types.is_complex(x.dtype) else x * x


def _dot(x: Tensor, t: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The real inner product of ``x`` and ``t`` over ``axes``, which are kept."""
    product = jnp.real(jnp.conj(x) * t) if scalar_types.is_complex(x.dtype) else x * t
    return jnp.sum(product, axis=axes, keepdims=True)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _scatter_about_mean(axes: tuple[int, ...], x: Tensor) -> Tensor:
    """The sum of squared distances from the mean over ``axes``, which are kept."""
    return jnp.sum(_square(x - jnp.mean(x, axis=axes, keepdims=True)), axis=axes, keepdims=True)


@_scatter_about_mean.defjvp
def _(axes, primals, tangents):
    # The deviations sum to zero, so the mean's own tangent drops out of the product.
    (x,), (t,) = primals, tangents
    deviation = x - jnp.mean(x, axis=axes, keepdims=True)
    return _scatter_about_mean(axes, x), 2 * _dot(deviation, t, axes)


@jax.custom_jvp
def _sqrt_flat_at_zero(x: Tensor) -> Tensor:
    """``sqrt`` whose derivative at 0 is 0: PyTorch's ``std`` of a constant vector has gradient 0."""
    return jnp.sqrt(x)


@_sqrt_flat_at_zero.defjvp
def _(primals, tangents):
    (x,), (t,) = primals, tangents
    root = _sqrt_flat_at_zero(x)
    zero = root == 0
    return root, jnp.where(zero, jnp.zeros((), t.dtype), t / (2 * jnp.where(zero, jnp.ones((), root.dtype), root)))


def _variance(input: Tensor, axes: tuple[int, ...], correction: Number | None, name: str) -> Tensor:
    """The variance over ``axes``, which are kept, in the dtype that it is accumulated in."""
    if not scalar_types.is_inexact(input.dtype):
        raise RuntimeError(f"{name} only support floating point and complex dtypes")
    x = widen(input)
    squares = _scatter_about_mean(axes, x)
    freedom = jnp.asarray(size_of(x, axes) - (1 if correction is None else correction)).astype(squares.dtype)
    return quotient(squares, jnp.maximum(freedom, jnp.zeros((), squares.dtype)))


def _moments(
    input: Tensor, dim: Dims, correction: Number | None, keepdim: bool, root: bool, name: str = "std and var"
) -> tuple[Tensor, Tensor]:
    """Standard deviation (``root``) or variance, and mean."""
    axes = normalize_dims(dim, input.ndim)
    spread = _variance(input, axes, correction, name)
    spread = _sqrt_flat_at_zero(spread) if root else spread
    spread = spread if keepdim else jnp.squeeze(spread, axes)
    return spread.astype(scalar_types.real_of(input.dtype)), mean(input, axes if input.ndim else None, keepdim)


@op(name="std.correction", out=CASTABLE.but(shared=ALL, expanded=True), node="StdBackward0", grad_node="MulBackward0")
def std(input: Tensor, dim: Dims = None, *, correction: Number | None = None, keepdim: bool = False) -> Tensor:
    """The standard deviation over ``dim``, with ``n - correction`` (1 if None) for the divisor; real.

    The gradient at a constant vector is 0. One element gives NaN with the default correction.
    """
    return _moments(input, dim, correction, keepdim, root=True)[0]


@op(name="var.correction", out=CASTABLE.but(shared=ALL, expanded=True), node="VarBackward0", grad_node="MulBackward0")
def var(input: Tensor, dim: Dims = None, *, correction: Number | None = None, keepdim: bool = False) -> Tensor:
    """The variance over ``dim``, with ``n - correction`` (1 if None) for the divisor; real."""
    return _moments(input, dim, correction, keepdim, root=False)[0]


@op(name="std_mean.correction", node="StdMeanBackward0", grad_node="MulBackward0")
def std_mean(
    input: Tensor, dim: Dims = None, *, correction: Number | None = None, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over ``dim``."""
    return _moments(input, dim, correction, keepdim, root=True, name="std_mean")


@op(name="var_mean.correction", node="VarMeanBackward0", grad_node="MulBackward0")
def var_mean(
    input: Tensor, dim: Dims = None, *, correction: Number | None = None, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """The variance and the mean over ``dim``."""
    return _moments(input, dim, correction, keepdim, root=False, name="var_mean")


# --- norms ----------------------------------------------------------------------------------------------


def _masked_divide(x: Tensor, by: Tensor) -> Tensor:
    """``x / by``, and 0 with a zero derivative where ``by`` is 0."""
    zero = by == 0
    return jnp.where(zero, jnp.zeros((), x.dtype), x / jnp.where(zero, jnp.ones((), by.dtype), by))


def _magnitude(x: Tensor) -> Tensor:
    """``|x|`` with derivative 0 at 0, for complex numbers too."""
    return _sqrt_flat_at_zero(_square(x)) if scalar_types.is_complex(x.dtype) else jnp.abs(x)


def _direction(x: Tensor) -> Tensor:
    """``x / |x|``, 0 at 0."""
    return _masked_divide(x, _magnitude(x)) if scalar_types.is_complex(x.dtype) else jnp.sign(x)


def _power(x: Tensor, exponent: float) -> Tensor:
    return x ** (int(exponent) if exponent == int(exponent) else exponent)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def p_norm(p: float, axes: tuple[int, ...], x: Tensor) -> Tensor:
    """``(sum |x|**p) ** (1/p)`` over ``axes``, which are kept; ``p`` may be 0 and plus or minus infinity."""
    size = _magnitude(x)
    if math.isinf(p):
        return (jnp.max if p > 0 else jnp.min)(size, axis=axes, keepdims=True)
    if p == 2:
        return jnp.sqrt(jnp.sum(_square(x), axis=axes, keepdims=True))
    terms = (size != 0).astype(size.dtype) if p == 0 else size if p == 1 else _power(size, p)
    total = jnp.sum(terms, axis=axes, keepdims=True)
    return total if p in (0, 1) else _power(total, 1 / p)


@p_norm.defjvp
def _(p, axes, primals, tangents):
    """PyTorch's subgradients: 0 at the origin for every ``p``, shared evenly among equals for infinite ``p``."""
    (x,), (t,) = primals, tangents
    norm = p_norm(p, axes, x)
    if p == 0:
        return norm, jnp.zeros_like(norm)
    if p == 1:
        slope = _direction(x)
    elif p == 2:
        slope = _masked_divide(x, norm)
    elif math.isinf(p):
        hit = (_magnitude(x) == norm) | (is_nan(norm) & is_nan(x))
        slope = _direction(x) * hit / jnp.sum(hit, axis=axes, keepdims=True).astype(norm.dtype)
    elif p < 1:
        size = _magnitude(x)
        safe = jnp.where(size == 0, jnp.ones((), size.dtype), size)
        slope = _direction(x) * jnp.where(size == 0, 0, _power(safe, p - 1)) * _power(norm, 1 - p)
    elif p < 2:
        slope = _masked_divide(_direction(x) * _power(_magnitude(x), p - 1), _power(norm, p - 1))
    else:
        slope = _masked_divide(x * _power(_magnitude(x), p - 2), _power(norm, p - 1))
    return norm, _dot(slope.astype(x.dtype), t, axes)


def _refuse_empty_norm(input: Tensor, ord: float, dim: Dims, axes: tuple[int, ...]) -> None:
    """A maximum, a minimum and a negative power have no value for no elements."""
    if size_of(input, axes) or (ord >= 0 and not math.isinf(ord)):
        return
    shown = "inf" if ord == math.inf else "-inf" if ord == -math.inf else f"{ord:g}"
    if dim is None or dim == ():
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {shown} norm on an empty tensor because the operation does "
            "not have an identity"
        )
    axis = next(axis for axis in axes if input.shape[axis] == 0)
    raise RuntimeError(
        f"linalg.vector_norm cannot compute the {shown} norm on the dimension {axis}because this dimension is empty "
        "and the operation does not have an identity"
    )


@op(namespaces=(), out=UNCHECKED_EXPANDED, node="LinalgVectorNormBackward0", grad_node="MulBackward0")
def linalg_vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None
) -> Tensor:
    """The ``ord``-norm of the vectors that ``dim`` spans (the whole tensor by default); real.

    ``ord`` 0 counts the elements that are not zero; infinite orders take the largest or smallest magnitude.
    The gradient at the origin is 0. ``dtype``: what to convert to first; it may not be narrower.
    """
    name = scalar_types.scalar_name
    if not scalar_types.is_inexact(x.dtype):
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {name(x.dtype)}"
        )
    if dtype is not None and not scalar_types.is_inexact(dtype):
        raise RuntimeError(f"linalg.vector_norm: dtype should be floating point or complex, but got {name(dtype)}")
    if dtype is not None and scalar_types.is_complex(dtype) != scalar_types.is_complex(x.dtype):
        kind = "complex" if scalar_types.is_complex(x.dtype) else "real"
        raise RuntimeError(f"linalg.vector_norm: dtype should be {kind} for {kind} inputs, but got {name(dtype)}")
    if dtype is not None and jnp.promote_types(x.dtype, dtype) != dtype:
        raise RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({name(x.dtype)}) should be convertible without narrowing "
            f"to the specified dtype ({name(dtype)})"
        )
    axes = normalize_dims(dim, x.ndim)
    _refuse_empty_norm(x, ord, dim, axes)
    wide = cast(x, dtype)
    norm = p_norm(float(ord), axes, widen(wide))
    return (norm if keepdim else jnp.squeeze(norm, axes)).astype(scalar_types.real_of(wide.dtype))


def _nuclear_norm(input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """The sum of singular values of the matrices that ``dim`` spans."""
    if input.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else dim
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    name = scalar_types.scalar_name(input.dtype)
    if not scalar_types.is_inexact(input.dtype):
        raise RuntimeError(f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {name}")
    if input.dtype.itemsize == 2:
        raise RuntimeError(f"linalg.matrix_norm: Low precision dtypes not supported. Got {name}")
    axes = normalize_dims(dims, input.ndim)
    matrices = jnp.moveaxis(input, axes, (-2, -1))
    total = jnp.sum(jnp.linalg.svd(matrices, full_matrices=False, compute_uv=False), axis=-1)
    return jnp.expand_dims(total, axes) if keepdim else total


def _norm_node(p: float | str, **_) -> str:
    return "SumBackward1" if p == "nuc" else "LinalgVectorNormBackward0"


@op(out=UNCHECKED_EXPANDED.but(autograd="linalg_vector_norm"), node=_norm_node, grad_node="MulBackward0")
def norm(
    input: Tensor, p: float | str = "fro", dim: Dims = None, keepdim: bool = False, *, dtype: DType = None
) -> Tensor:
    """The ``p``-norm of the flattened vectors that ``dim`` spans; ``"fro"`` is 2, ``"nuc"`` the nuclear norm."""
    if p == "nuc":
        return _nuclear_norm(cast(input, dtype), dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    return linalg_vector_norm(input, 2 if p == "fro" or p is None else p, dim, keepdim, dtype=dtype)


@op(promote=("input", "other"), grad_node="MulBackward0")
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The ``p``-norm of ``input - other``, which broadcast together: a 0-dim tensor."""
    refuse_bool_subtraction(input.dtype)
    if not scalar_types.is_inexact(input.dtype):
        name = scalar_types.scalar_name(input.dtype)
        raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {name} instead.")
    return linalg_vector_norm(input - other, p)


@op(aliases=("special.logsumexp",), promote=("input",), int_to_float=True, out=logsumexp_rule, grad_node="MulBackward0")
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` over ``dim``, without overflow. Integers give the default floating dtype."""
    axes = normalize_dims(dim, input.ndim)
    x = widen(input)
    if input.size == 0:
        return jnp.log(jnp.sum(jnp.exp(input), axis=axes, keepdims=keepdim))
    shift = jax.lax.stop_gradient(jnp.max(jnp.real(x), axis=axes, keepdims=True))
    shift = jnp.where(jnp.isinf(shift), jnp.zeros((), shift.dtype), shift)
    total = jnp.log(jnp.sum(jnp.exp(x - shift), axis=axes, keepdims=True)) + shift
    return (total if keepdim else jnp.squeeze(total, axes)).astype(input.dtype)
