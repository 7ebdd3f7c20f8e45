"""Covariance and correlation matrices."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..dims import widen
from ..precision import matmul_precision
from ..registry import Tensor, check_of, op
from ..scalar_types import default_float, is_bool, is_complex, is_floating, is_integral, scalar_name


def _check_weights(name: str, weights: Tensor | None, kind: str, allowed: bool, observations: int) -> None:
    if weights is None:
        return
    if weights.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {weights.ndim} dimensions"
        )
    if not allowed:
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {scalar_name(weights.dtype)} dtype"
        )
    if weights.size != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{weights.size} != {observations}"
        )


def _rows(input: Tensor, name: str) -> Tensor:
    """``input`` as a matrix of one variable a row, in the dtype that is computed in."""
    if input.ndim > 2:
        raise RuntimeError(
            f"{name}(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if is_bool(input.dtype):
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    return widen(x.astype(default_float()) if is_integral(x.dtype) else x)


def _covariance(x: Tensor, correction: int, fweights: Tensor | None, aweights: Tensor | None) -> Tensor:
    weights = None
    if fweights is not None:
        weights = fweights.reshape(-1)
    if aweights is not None:
        a = aweights.reshape(-1)
        weights = a if weights is None else weights * a
    if weights is None:
        mean = jnp.mean(x, axis=1, keepdims=True)
        freedom = jnp.asarray(max(x.shape[1] - correction, 0))
        scaled = x - mean
        centred = scaled
    else:
        dtype = jnp.promote_types(x.dtype, weights.dtype) if is_floating(weights.dtype) else x.dtype
        x, w = x.astype(dtype), weights.astype(dtype)
        total = jnp.sum(w)
        mean = jnp.sum(x * w, axis=1, keepdims=True) / total
        lost: Any = correction
        if aweights is not None and correction:
            lost = correction * jnp.sum(w * aweights.reshape(-1).astype(dtype)) / total
        freedom = jnp.real(total - lost)
        freedom = jnp.where(freedom > 0, freedom, jnp.zeros((), freedom.dtype))
        centred = x - mean
        scaled = centred * w
    product = jnp.matmul(centred, jnp.conj(scaled.T), precision=matmul_precision())
    return jnp.squeeze(product / freedom.astype(product.dtype))


@op(namespaces=(), node="SqueezeBackward0", grad_node="AddBackward0")
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance of the variables that the rows are, over the observations that the columns are.

    The sum of products is divided by the number of observations less ``correction``. ``fweights`` says how often each
    observation counts, ``aweights`` how much; a vector is one variable.
    """
    x = _rows(input, "cov")
    observations = x.shape[1]
    _check_weights("fweights", fweights, "integral", fweights is None or is_integral(fweights.dtype), observations)
    _check_weights(
        "aweights", aweights, "floating point", aweights is None or is_floating(aweights.dtype), observations
    )
    result = _covariance(x, correction, fweights, aweights)
    half = is_floating(input.dtype) and input.dtype.itemsize == 2 and (aweights is None or aweights.dtype.itemsize == 2)
    return result.astype(input.dtype) if half else result


_WEIGHT_ERRORS = {
    1: "cov(): fweights cannot be negative",
    2: "cov(): aweights cannot be negative",
    3: "cov(): weights sum to zero, can't be normalized",
}


@check_of(cov, lambda witness, **_: RuntimeError(_WEIGHT_ERRORS[witness]))
def _(input: Tensor, fweights: Tensor | None = None, aweights: Tensor | None = None, **_: Any) -> tuple[Tensor, Tensor]:
    if fweights is None and aweights is None:
        return jnp.zeros((), bool), jnp.zeros((), np.int64)
    no = jnp.zeros((), bool)
    frequency = no if fweights is None else jnp.any(fweights < 0)
    importance = no if aweights is None else jnp.any(aweights < 0)
    together = [w.reshape(-1) for w in (fweights, aweights) if w is not None]
    empty = jnp.sum(together[0] if len(together) == 1 else together[0] * together[1]) == 0
    code = jnp.where(frequency, 1, jnp.where(importance, 2, jnp.where(empty, 3, 0)))
    return code > 0, code.astype(np.int64)


@op(namespaces=(), node="ClampBackward1", grad_node="AddBackward0")
def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of the variables that the rows are: their covariance over their deviations.

    Each is between -1 and 1 (the real and the imaginary part, if complex); NaN for a variable that does not vary.
    """
    c = _covariance(_rows(input, "corrcoef"), 1, None, None)
    if c.ndim == 0:
        return (c / c).astype(_result_dtype(input))
    deviation = jnp.sqrt(jnp.real(jnp.diagonal(c)))
    r = c / deviation[:, None] / deviation[None, :]
    if is_complex(r.dtype):
        return _clipped(jnp.real(r)) + 1j * _clipped(jnp.imag(r))
    return _clipped(r).astype(_result_dtype(input))


def _result_dtype(input: Tensor) -> np.dtype:
    return default_float() if is_integral(input.dtype) else input.dtype


def _clipped(x: Tensor) -> Tensor:
    # Rounding alone takes it out of bounds: the derivative is that of the coefficient all the same.
    return jnp.where(jnp.abs(x) > 1, jnp.sign(x), x)
