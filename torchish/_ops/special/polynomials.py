"""Orthogonal polynomials: Chebyshev's, Hermite's, Laguerre's and Legendre's, of a degree that is an operand too.

All come from their recurrences, computed for all elements together up to the largest degree among them. Chebyshev's have
closed forms between -1 and 1, which spare the recurrence there. PyTorch's conventions: the degree is cut to an integer, of a negative
degree (or NaN) the polynomial is 0, and none has a derivative.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax

from ..broadcasting import check_broadcast
from ..kernel_dtypes import require_dtype
from ..registry import Number, Tensor, op

# p(k + 1) from k, x, p(k) and p(k - 1).
Step = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
# k, p(k - 1), p(k), and the polynomial of each element's own degree as far as it is known.
State = tuple[Tensor, Tensor, Tensor, Tensor]


def _recurrence(x: Tensor, n: Tensor, first: Tensor, step: Step) -> Tensor:
    """The polynomial of degree ``n`` of those that begin with 1 and ``first``; only where ``n`` is not negative."""

    def some_left(state: State) -> Tensor:
        k, _, last, _ = state
        return jnp.any((k < n) & ~jnp.isnan(last))  # once NaN it stays NaN

    def advance(state: State) -> State:
        k, before, last, found = state
        following = step(k, x, last, before)
        return k + 1, last, following, jnp.where(k < n, following, found)

    one = jnp.ones_like(x)
    start = (jnp.ones((), x.dtype), one, first, jnp.where(n == 0, one, first))
    return lax.while_loop(some_left, advance, start)[-1]


def _doubled(k: Tensor, x: Tensor, last: Tensor, before: Tensor) -> Tensor:
    """The step that all of Chebyshev's polynomials share."""
    return 2 * x * last - before


def _power_of_minus_one(n: Tensor) -> Tensor:
    return 1 - 2 * (n % 2)


def _chebyshev(
    x: Tensor, n: Tensor, first: Tensor, inside: Callable[[Tensor, Tensor], Tensor], right: Tensor, left: Tensor
) -> Tensor:
    """By ``inside(angle, n)`` between -1 and 1 for large degrees; ``right`` and ``left`` are the values at 1 and -1."""
    closed = (jnp.abs(x) < 1) & (n > 6)
    at_ends = jnp.abs(x) == 1
    n_left = jnp.where(closed | at_ends, 0, n)
    angle = jnp.arccos(jnp.where(closed, x, 0))
    found = jnp.where(closed, inside(angle, n), _recurrence(x, n_left, first, _doubled))
    return jnp.where(at_ends, jnp.where(x > 0, right, left), found)


def _t(x: Tensor, n: Tensor) -> Tensor:
    return _chebyshev(x, n, x, lambda a, n: jnp.cos(n * a), jnp.ones_like(x), _power_of_minus_one(n))


def _u(x: Tensor, n: Tensor) -> Tensor:
    ends = n + 1
    return _chebyshev(x, n, 2 * x, lambda a, n: jnp.sin((n + 1) * a) / jnp.sin(a), ends, ends * _power_of_minus_one(n))


def _v(x: Tensor, n: Tensor) -> Tensor:
    left = (2 * n + 1) * _power_of_minus_one(n)
    inside = lambda a, n: jnp.cos((n + 0.5) * a) / jnp.cos(a / 2)  # noqa: E731
    return _chebyshev(x, n, 2 * x - 1, inside, jnp.ones_like(x), left)


def _w(x: Tensor, n: Tensor) -> Tensor:
    inside = lambda a, n: jnp.sin((n + 0.5) * a) / jnp.sin(a / 2)  # noqa: E731
    return _chebyshev(x, n, 2 * x + 1, inside, 2 * n + 1, _power_of_minus_one(n))


def _h(x: Tensor, n: Tensor) -> Tensor:
    return _hermite(x, n, 2 * x, lambda k, x, last, before: 2 * x * last - 2 * k * before)


def _he(x: Tensor, n: Tensor) -> Tensor:
    return _hermite(x, n, x, lambda k, x, last, before: x * last - k * before)


def _hermite(x: Tensor, n: Tensor, first: Tensor, step: Step) -> Tensor:
    """PyTorch's convention: NaN above the degree from which on most values overflow."""
    limit = 128 if x.dtype == jnp.float32 else 512
    return jnp.where(n > limit, jnp.nan, _recurrence(x, jnp.minimum(n, limit), first, step))


def _l(x: Tensor, n: Tensor) -> Tensor:
    found = _recurrence(x, n, 1 - x, lambda k, x, last, before: ((2 * k + 1 - x) * last - k * before) / (k + 1))
    return jnp.where(x == 0, 1, found)


def _p(x: Tensor, n: Tensor) -> Tensor:
    at_ends = jnp.abs(x) == 1
    inner = jnp.where(at_ends, 0, n)
    found = _recurrence(x, inner, x, lambda k, x, last, before: ((2 * k + 1) * x * last - k * before) / (k + 1))
    return jnp.where(at_ends, jnp.where(x > 0, 1, _power_of_minus_one(n)), found)


def _polynomial(name: str, x: Tensor, n: Tensor, compute: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    check_broadcast(x, n)
    if x.dtype not in (jnp.float32, jnp.float64):
        require_dtype(x.dtype, "", f"{name}_cpu")
    x, n = jnp.broadcast_arrays(lax.stop_gradient(x), lax.stop_gradient(n))
    degree = jnp.trunc(n)
    exists = degree >= 0
    return jnp.where(exists, compute(x, jnp.where(exists, degree, 0)), 0)


def _of_degree(name: str) -> Callable[..., Callable[..., Tensor]]:
    """An op of ``torch.special`` of ``x`` and the degree ``n``."""
    return op(
        name=f"special_{name}",
        aliases=(f"special.{name}",),
        namespaces=(),
        promote=("x", "n"),
        int_to_float=True,
        out=True,
        differentiable=False,
    )


@_of_degree("chebyshev_polynomial_t")
def special_chebyshev_polynomial_t(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the first kind of degree ``n`` at ``x``, broadcast."""
    return _polynomial("chebyshev_polynomial_t", x, n, _t)


@_of_degree("chebyshev_polynomial_u")
def special_chebyshev_polynomial_u(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the second kind of degree ``n`` at ``x``, broadcast."""
    return _polynomial("chebyshev_polynomial_u", x, n, _u)


@_of_degree("chebyshev_polynomial_v")
def special_chebyshev_polynomial_v(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the third kind of degree ``n`` at ``x``, broadcast."""
    return _polynomial("chebyshev_polynomial_v", x, n, _v)


@_of_degree("chebyshev_polynomial_w")
def special_chebyshev_polynomial_w(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the fourth kind of degree ``n`` at ``x``, broadcast."""
    return _polynomial("chebyshev_polynomial_w", x, n, _w)


@_of_degree("hermite_polynomial_h")
def special_hermite_polynomial_h(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """The physicists' Hermite polynomial of degree ``n`` at ``x``, broadcast. Very large degrees give NaN."""
    return _polynomial("hermite_polynomial_h", x, n, _h)


@_of_degree("hermite_polynomial_he")
def special_hermite_polynomial_he(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """The probabilists' Hermite polynomial of degree ``n`` at ``x``, broadcast. Very large degrees give NaN."""
    return _polynomial("hermite_polynomial_he", x, n, _he)


@_of_degree("laguerre_polynomial_l")
def special_laguerre_polynomial_l(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Laguerre's polynomial of degree ``n`` at ``x``, broadcast."""
    return _polynomial("laguerre_polynomial_l", x, n, _l)


@_of_degree("legendre_polynomial_p")
def special_legendre_polynomial_p(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Legendre's polynomial of degree ``n`` at ``x``, broadcast."""
    return _polynomial("legendre_polynomial_p", x, n, _p)


@_of_degree("shifted_chebyshev_polynomial_t")
def special_shifted_chebyshev_polynomial_t(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the first kind of degree ``n`` at ``2 * x - 1``, broadcast."""
    return _polynomial("shifted_chebyshev_polynomial_t", 2 * x - 1, n, _t)


@_of_degree("shifted_chebyshev_polynomial_u")
def special_shifted_chebyshev_polynomial_u(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the second kind of degree ``n`` at ``2 * x - 1``, broadcast."""
    return _polynomial("shifted_chebyshev_polynomial_u", 2 * x - 1, n, _u)


@_of_degree("shifted_chebyshev_polynomial_v")
def special_shifted_chebyshev_polynomial_v(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the third kind of degree ``n`` at ``2 * x - 1``, broadcast."""
    return _polynomial("shifted_chebyshev_polynomial_v", 2 * x - 1, n, _v)


@_of_degree("shifted_chebyshev_polynomial_w")
def special_shifted_chebyshev_polynomial_w(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the fourth kind of degree ``n`` at ``2 * x - 1``, broadcast."""
    return _polynomial("shifted_chebyshev_polynomial_w", 2 * x - 1, n, _w)
