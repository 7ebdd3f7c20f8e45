"""Decompositions that PyTorch composes of others, its older names for them, and those that raise at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._exec.window import THREADS, materialise
from ..._ops.linalg.cholesky import not_positive_definite
from ..._ops.linalg.lu import singular
from ..._ops.linalg.matmul import cpp_name
from ..._ops.registry import OPS
from ..dispatch import call
from ..generate import OP_FUNCTIONS
from ..inplace import call_out, resize_for
from ..public import public
from ..return_types import make
from ..tensor import Tensor
from ..user_warnings import warn_once

# What can fail


def _require_success(info: Tensor, error: Callable[[int, int, bool], Exception]) -> None:
    """Raise ``error(position, info, batched)`` for the first matrix whose ``info`` is not 0.

    At once, as in PyTorch, since programs catch it and try again with something added to the diagonal: pending work runs.
    Inside a JAX transformation there is nothing to read, and a factor that does not exist is NaN.
    """
    if THREADS.context.trace is not None:
        return
    found = np.asarray(materialise(info._value())).reshape(-1)
    if found.any():
        position = int(np.flatnonzero(found)[0])
        raise error(position, int(found[position]), bool(info.shape))


def _require_tensor(x: Any, argument: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{argument} (position 1) must be Tensor, not {type(x).__name__}")


def _written(name: str, results: Sequence[Tensor], out: Any) -> Any:
    """``results`` written into ``out``, one tensor or a tuple, as PyTorch's structured functions do; returns ``out``."""
    targets = tuple(out) if isinstance(out, (tuple, list)) else (out,)
    if len(targets) != len(results):
        raise TypeError(f"expected tuple of {len(results)} elements but got {len(targets)}")
    if THREADS.context.grad_enabled and any(x.requires_grad for x in (*results, *targets)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    for target, made in zip(targets, results, strict=True):
        if target.dtype != made.dtype:
            raise RuntimeError(
                f"Expected out tensor to have dtype {cpp_name(made._aval.dtype)}, but got "
                f"{cpp_name(target._aval.dtype)} instead"
            )
    for target, made in zip(targets, results, strict=True):
        resize_for(target, made._aval.shape)
        target._write(made._value())
    return out


def _named(name: str, fields: tuple[str, ...], results: Sequence[Tensor]) -> Any:
    return make(name, fields)(results)


@public("linalg", name="cholesky")
def linalg_cholesky(input: Tensor, *, upper: bool = False, out: Any = None) -> Tensor:
    """The factor ``L`` of Hermitian positive-definite matrices, ``L @ L.mH == input``; of the upper triangle, ``L.mH``,
    where ``upper``. https://docs.pytorch.org/docs/stable/generated/torch.linalg.cholesky.html

    Raises ``torch.linalg.LinAlgError`` where a matrix is not positive-definite; that looks at the result, and so runs
    pending work.

    >>> import torchish as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 10.0]]))
    tensor([[2., 0.],
            [1., 3.]])
    """
    _require_tensor(input, "linalg_cholesky(): argument 'input'")
    L, info = call(OPS["linalg_cholesky_ex"], (input,), (bool(upper),))
    _require_success(info, lambda i, order, batched: not_positive_definite("linalg.cholesky", i, order, batched))
    return L if out is None else _written("linalg_cholesky_ex", (L,), out)


@public("linalg", name="cholesky_ex")
def linalg_cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """``linalg.cholesky`` that answers ``(L, info)`` in place of an error, unless ``check_errors``: ``info`` is 0, or the
    order of the first leading minor that is not positive.
    https://docs.pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html

    >>> import torchish as torch
    >>> torch.linalg.cholesky_ex(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).info
    tensor(2, dtype=torch.int32)
    """
    made = call(OPS["linalg_cholesky_ex"], (input,), (bool(upper),))
    if check_errors:
        name = "linalg.cholesky_ex"
        _require_success(made[1], lambda i, order, batched: not_positive_definite(name, i, order, batched))
    return made if out is None else _written("linalg_cholesky_ex", made, out)


@public()
def cholesky(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The older ``linalg.cholesky``. https://docs.pytorch.org/docs/stable/generated/torch.cholesky.html"""
    warn_once(
        "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch "
        "release.\nL = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\n"
        "U = torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\nThis transform will "
        "produce equivalent results for all valid (symmetric positive definite) inputs."
    )
    L, info = call(OPS["cholesky.info"], (input,), (bool(upper),))
    _require_success(info, lambda i, order, batched: not_positive_definite("cholesky", i, order, batched))
    return L if out is None else _castable("cholesky", L, out)


def _castable(name: str, made: Tensor, out: Tensor) -> Tensor:
    """``made`` written into ``out`` of a dtype that may hold it."""
    if THREADS.context.grad_enabled and (made.requires_grad or out.requires_grad):
        return _written(name, (made,), out)
    return call_out(OPS["clone"], (made,), (None,), out)


@public("linalg", name="lu_factor")
def linalg_lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """``L`` and ``U`` of matrices in one tensor, and the interchanges of rows, for ``linalg.lu_solve``. A zero on the
    diagonal of ``U`` is an error, found by running pending work.
    https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html

    >>> import torchish as torch
    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[1.0, 2.0], [2.0, 2.0]]))
    >>> pivots
    tensor([2, 2], dtype=torch.int32)
    """
    _require_tensor(A, "linalg_lu_factor(): argument 'A'")
    LU, pivots, info = call(OPS["linalg_lu_factor_ex"], (A,), (bool(pivot),))
    name = "torch.linalg.lu_factor"
    _require_success(info, lambda i, order, batched: singular(name, i, order, batched))
    if out is not None:
        return _written("linalg_lu_factor_ex", (LU, pivots), out)
    return _named("linalg_lu_factor", ("LU", "pivots"), (LU, pivots))


@public("linalg", name="lu_factor_ex")
def linalg_lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """``linalg.lu_factor`` that answers ``(LU, pivots, info)`` in place of an error, unless ``check_errors``.
    https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_factor_ex.html

    >>> import torchish as torch
    >>> torch.linalg.lu_factor_ex(torch.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """
    made = call(OPS["linalg_lu_factor_ex"], (A,), (bool(pivot),))
    if check_errors:
        name = "torch.linalg.lu_factor_ex"
        _require_success(made[2], lambda i, order, batched: singular(name, i, order, batched))
    return made if out is None else _written("linalg_lu_factor_ex", made, out)


def _singular_ldl(name: str) -> Callable[[int, int, bool], Exception]:
    return lambda i, code, batched: RuntimeError(f"{name}: Unknown error code: {code}.")


@public("linalg", name="ldl_factor")
def linalg_ldl_factor(input: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """``L`` and ``D`` of symmetric matrices (Hermitian where ``hermitian``) in one tensor, and the interchanges, for
    ``linalg.ldl_solve``. https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_factor.html

    >>> import torchish as torch
    >>> torch.linalg.ldl_factor(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).pivots
    tensor([-2, -2], dtype=torch.int32)
    """
    _require_tensor(input, "linalg_ldl_factor(): argument 'input'")
    LD, pivots, info = call(OPS["linalg_ldl_factor_ex"], (input,), (bool(hermitian),))
    _require_success(info, _singular_ldl("torch.linalg.ldl_factor"))
    if out is not None:
        return _written("linalg_ldl_factor_ex", (LD, pivots), out)
    return _named("linalg_ldl_factor", ("LD", "pivots"), (LD, pivots))


@public("linalg", name="ldl_factor_ex")
def linalg_ldl_factor_ex(input: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """``linalg.ldl_factor`` that answers ``(LD, pivots, info)`` in place of an error, unless ``check_errors``.
    https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_factor_ex.html

    >>> import torchish as torch
    >>> torch.linalg.ldl_factor_ex(torch.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """
    made = call(OPS["linalg_ldl_factor_ex"], (input,), (bool(hermitian),))
    if check_errors:
        _require_success(made[2], _singular_ldl("torch.linalg.ldl_factor_ex"))
    return made if out is None else _written("linalg_ldl_factor_ex", made, out)


@public("torch")
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The older ``linalg.lu_factor_ex``, of which a singular matrix is no error; ``info`` comes where ``get_infos``.
    https://docs.pytorch.org/docs/stable/generated/torch.lu.html"""
    warn_once(
        "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed in a "
        "future PyTorch release.\nLU, pivots = torch.lu(A, compute_pivots)\nshould be replaced with\n"
        "LU, pivots = torch.linalg.lu_factor(A, compute_pivots)\nand\n"
        "LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)\nshould be replaced with\n"
        "LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)"
    )
    made = call(OPS["linalg_lu_factor_ex"], (A,), (bool(pivot),))
    results = tuple(made) if get_infos else (made[0], made[1])
    if out is not None:
        return _written("linalg_lu_factor_ex", results, out)
    return _named("_lu_with_info", ("LU", "pivots", "info"), results) if get_infos else results


@public("Tensor", name="lu")
def lu_method(self: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """``torch.lu`` of the tensor, as a plain tuple."""
    return tuple(lu(self, pivot, get_infos))


# Singular values


def _require_no_driver(A: Any, driver: Any) -> None:
    if driver is not None and (not isinstance(A, Tensor) or A._aval.placement.type == "cpu"):
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


@public("linalg", name="svd")
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """``A == U @ diag(S) @ Vh``: orthonormal ``U`` and ``Vh`` (square where ``full_matrices``), descending ``S``.
    ``driver`` is for CUDA tensors, where XLA chooses. https://docs.pytorch.org/docs/stable/generated/torch.linalg.svd.html

    >>> import torchish as torch
    >>> torch.linalg.svd(torch.diag(torch.tensor([1.0, 3.0]))).S
    tensor([3., 1.])
    """
    _require_no_driver(A, driver)
    if out is not None and isinstance(out, Tensor):
        raise TypeError("linalg_svd(): argument 'out' must be tuple of Tensors, not Tensor")
    made = call(OPS["linalg_svd"], (A,), (bool(full_matrices),))
    return made if out is None else _written("_linalg_svd", made, out)


@public("linalg", name="svdvals")
def linalg_svdvals(A: Tensor, *, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values of matrices, descending.
    https://docs.pytorch.org/docs/stable/generated/torch.linalg.svdvals.html

    >>> import torchish as torch
    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor([4., 3.])
    """
    _require_no_driver(A, driver)
    made = call(OPS["linalg_svdvals"], (A,))
    return made if out is None else _written("_linalg_svd", (made,), out)


@public()
def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """The older ``linalg.svd``: ``V`` in place of ``Vh``, reduced where ``some``; without ``compute_uv`` ``U`` and ``V``
    are zeros. https://docs.pytorch.org/docs/stable/generated/torch.svd.html

    >>> import torchish as torch
    >>> U, S, V = torch.svd(torch.eye(2))
    >>> S
    tensor([1., 1.])
    """
    if isinstance(input, Tensor) and input.ndim < 2:
        raise RuntimeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {input.ndim} dimensions instead"
        )
    results: tuple[Any, ...]
    if compute_uv:
        U, S, Vh = call(OPS["linalg_svd"], (input,), (not some,))
        results = (U, S, Vh.mH)
    else:
        S = call(OPS["linalg_svdvals"], (input,))
        m, n = input.shape[-2:]
        results = tuple(
            x if isinstance(x, Tensor) else input.new_zeros((*input.shape[:-2], x, x))  # type: ignore[attr-defined]
            for x in (m, S, n)
        )
    return _named("svd", ("U", "S", "V"), results) if out is None else _written("svd", results, out)


# Older names


@public()
def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """The older ``linalg.qr``. https://docs.pytorch.org/docs/stable/generated/torch.qr.html"""
    warn_once(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.\n"
        "The boolean parameter 'some' has been replaced with a string parameter 'mode'.\n"
        "Q, R = torch.qr(A, some)\nshould be replaced with\n"
        "Q, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    )
    made = call(OPS["linalg_qr"], (input,), ("reduced" if some else "complete",))
    return _named("qr", ("Q", "R"), made) if out is None else _written("linalg_qr", made, out)


@public()
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Any = None,
) -> Any:
    """The older ``linalg.solve_triangular``: ``(solution, cloned_coefficient)``.
    https://docs.pytorch.org/docs/stable/generated/torch.triangular_solve.html"""
    made = call(OPS["triangular_solve.pair"], (input, A), (bool(upper), bool(transpose), bool(unitriangular)))
    warn_once(
        "torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangularand will be removed in a future "
        "PyTorch release.\ntorch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of "
        "the inputs.\nX = torch.triangular_solve(B, A).solution\nshould be replaced with\n"
        "X = torch.linalg.solve_triangular(A, B)."
    )
    return made if out is None else _written("triangular_solve", made, out)


@public()
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """The older ``linalg.lu_solve``. https://docs.pytorch.org/docs/stable/generated/torch.lu_solve.html"""
    warn_once(
        "torch.lu_solve is deprecated in favor of torch.linalg.lu_solveand will be removed in a future PyTorch release.\n"
        "Note that torch.linalg.lu_solve has its arguments reversed.\nX = torch.lu_solve(B, LU, pivots)\n"
        "should be replaced with\nX = torch.linalg.lu_solve(LU, pivots, B)"
    )
    return OP_FUNCTIONS["linalg_lu_solve"](LU_data, LU_pivots, input, out=out)


@public()
def orgqr(input: Tensor, input2: Tensor, *, out: Any = None) -> Tensor:
    """``linalg.householder_product``, whose ``tau`` is ``input2``.
    https://docs.pytorch.org/docs/stable/generated/torch.orgqr.html"""
    return OP_FUNCTIONS["linalg_householder_product"](input, input2, out=out)


# Least squares


@public("linalg", name="lstsq")
def linalg_lstsq(
    input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None, out: Any = None
) -> Any:
    """The ``X`` of least norm that minimises ``|input @ X - b|``: ``(solution, residuals, rank, singular_values)``.

    ``driver``: ``gelsy`` (the default on CPU), ``gels`` (full rank), ``gelsd`` or ``gelss``. Residuals are those of
    tall matrices of full rank, empty for ``gelsy``; the drivers with singular values read the rank to know.
    https://docs.pytorch.org/docs/stable/generated/torch.linalg.lstsq.html

    >>> import torchish as torch
    >>> A = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> torch.linalg.lstsq(A, torch.tensor([[1.0], [2.0], [3.0]])).solution
    tensor([[1.],
            [1.]])
    """
    made = call(OPS["linalg_lstsq"], (input, b, rcond), (driver,))
    if driver in ("gelsd", "gelss") and input.shape[-2] > input.shape[-1] and THREADS.context.trace is None:
        ranks = np.asarray(materialise(made[2]._value()))
        if (ranks != input.shape[-1]).any():
            residuals = made[1].new_zeros((0,))
            made = type(made)((made[0], residuals, made[2], made[3]))
    return made if out is None else _written("linalg_lstsq", made, out)
