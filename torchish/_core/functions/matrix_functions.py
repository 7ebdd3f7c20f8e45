"""Linear algebra under the names of ``torch`` and ``Tensor``, and functions of several signatures."""

from __future__ import annotations

from typing import Any

from ..arguments import as_int
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn
from .overloads import _run
from .view_functions import diagonal

_said: set[str] = set()


def _deprecated(text: str) -> None:
    """Warn once in a process, as PyTorch's own deprecations do."""
    if text not in _said:
        _said.add(text)
        warn(text)


# Names in torch and on Tensor whose parameters are called otherwise in torch.linalg


@public()
def det(input: Tensor) -> Tensor:
    """The determinant of each square matrix. https://docs.pytorch.org/docs/stable/generated/torch.det.html

    >>> import torchish as torch
    >>> torch.det(torch.tensor([[2.0, 1.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return _run("linalg_det", (input,), ())


def _inverse(input: Tensor, out: Any) -> Tensor:
    return _run("linalg_inv", (input,), (), out)


@public("torch", name="inverse")
def inverse_function(input: Tensor, *, out: Any = None) -> Tensor:
    """The inverse of each square matrix. https://docs.pytorch.org/docs/stable/generated/torch.inverse.html

    >>> import torchish as torch
    >>> torch.inverse(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return _inverse(input, out)


@public("Tensor")
def inverse(self: Tensor) -> Tensor:
    """The inverse of each square matrix."""
    return _inverse(self, None)


@public("torch", name="matrix_power")
def matrix_power_function(input: Tensor, n: int, *, out: Any = None) -> Tensor:
    """The ``n``-th power of each square matrix. https://docs.pytorch.org/docs/stable/generated/torch.matrix_power.html

    >>> import torchish as torch
    >>> torch.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    return _run("linalg_matrix_power", (input,), (as_int(n),), out)


@public("Tensor")
def matrix_power(self: Tensor, n: int) -> Tensor:
    """The ``n``-th power of each square matrix."""
    return _run("linalg_matrix_power", (self,), (as_int(n),))


@public()
def matrix_exp(input: Tensor) -> Tensor:
    """The exponential of each square matrix. https://docs.pytorch.org/docs/stable/generated/torch.matrix_exp.html

    >>> import torchish as torch
    >>> torch.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _run("linalg_matrix_exp", (input,), ())


# Pseudo-inverses and ranks


@public("linalg", name="pinv")
def linalg_pinv(
    input: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """The pseudo-inverse of each matrix. https://docs.pytorch.org/docs/stable/generated/torch.linalg.pinv.html

    >>> import torchish as torch
    >>> torch.linalg.pinv(torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    if rcond is not None:
        if atol is not None or rtol is not None:
            raise TypeError("linalg_pinv() received an invalid combination of arguments - rcond besides atol or rtol")
        atol, rtol = 0.0, rcond
    return _run("linalg_pinv", (input, atol, rtol), (bool(hermitian),), out)


@public()
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse of each matrix. https://docs.pytorch.org/docs/stable/generated/torch.pinverse.html

    >>> import torchish as torch
    >>> torch.pinverse(torch.tensor([[0.0], [2.0]]))
    tensor([[0.0000, 0.5000]])
    """
    return linalg_pinv(input, rcond)


@public("linalg", name="matrix_rank")
def linalg_matrix_rank(
    input: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """The rank of each matrix. https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html

    >>> import torchish as torch
    >>> torch.linalg.matrix_rank(torch.ones(3, 3))
    tensor(1)
    """
    if tol is not None:
        if atol is not None or rtol is not None:
            raise TypeError(
                "linalg_matrix_rank() received an invalid combination of arguments - tol besides atol or rtol"
            )
        atol, rtol = tol, 0.0
    return _run("linalg_matrix_rank", (input, atol, rtol), (bool(hermitian),), out)


@public("torch")
def matrix_rank(input: Tensor, tol: Any = None, symmetric: bool = False, *, out: Any = None) -> Tensor:
    """Removed from PyTorch, which still says so; ``torch.linalg.matrix_rank`` is there."""
    raise RuntimeError(
        "This function was deprecated since version 1.9 and is now removed.\nPlease use the `torch.linalg.matrix_rank` "
        "function instead. The parameter 'symmetric' was renamed in `torch.linalg.matrix_rank()` to 'hermitian'."
    )


# Products


@public("torch")
def chain_matmul(*matrices: Tensor, out: Any = None) -> Tensor:
    """The product of matrices, under its deprecated name.

    https://docs.pytorch.org/docs/stable/generated/torch.chain_matmul.html

    >>> import torchish as torch
    >>> torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 1)])
    tensor([[3.],
            [3.]])
    """
    for i, matrix in enumerate(matrices):
        if not isinstance(matrix, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(matrix).__name__}")
    _deprecated(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters."
    )
    for matrix in matrices:
        if matrix.ndim != 2:  # type: ignore[attr-defined]
            raise RuntimeError(f"Tensor dimension is {matrix.ndim}, expected 2 instead.")  # type: ignore[attr-defined]
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    if len(matrices) == 1:
        return matrices[0].clone() if out is None else out.resize_(matrices[0].shape).copy_(matrices[0])  # type: ignore[attr-defined]
    return _run("linalg_multi_dot", (list(matrices),), (), out)


_CROSS = (
    "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply use "
    "torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release."
)


def _cross(input: Tensor, other: Tensor, dim: int | None, out: Any) -> Tensor:
    if dim is None:
        _deprecated(_CROSS)
        threes = [i for i, size in enumerate(input.shape) if size == 3]
        if not threes:
            raise RuntimeError("no dimension of size 3 in input")
        dim = threes[0]
    return _run("linalg_cross", (input, other), (as_int(dim),), out)


@public("torch", name="cross")
def cross_function(input: Tensor, other: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """The vector product along ``dim``: the first dimension of size 3 unless given, which is deprecated.

    https://docs.pytorch.org/docs/stable/generated/torch.cross.html

    >>> import torchish as torch
    >>> torch.cross(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]), dim=0)
    tensor([0., 0., 1.])
    """
    return _cross(input, other, dim, out)


@public("Tensor")
def cross(self: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product along ``dim``: the first dimension of size 3 unless given, which is deprecated."""
    return _cross(self, other, dim, None)


@public("linalg", name="diagonal")
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A view of the diagonal of each matrix. https://docs.pytorch.org/docs/stable/generated/torch.linalg.diagonal.html

    >>> import torchish as torch
    >>> torch.linalg.diagonal(torch.arange(4).reshape(2, 2))
    tensor([0, 3])
    """
    return diagonal(A, offset, dim1, dim2)


# Covariance


def _warn_of_freedom(input: Tensor, correction: int) -> None:
    """PyTorch's warning where every result is a division by zero."""
    if not isinstance(input, Tensor):
        return  # the op refuses it
    shape = input.shape
    if len(shape) <= 2 and (shape[-1] if shape else 1) <= correction:
        warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.")


@public()
def cov(input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """The covariance matrix of variables, one a row. https://docs.pytorch.org/docs/stable/generated/torch.cov.html

    Too few observations are warned of where no weights are given: weights would have to be read for that.

    >>> import torchish as torch
    >>> torch.cov(torch.tensor([[0.0, 2.0], [2.0, 0.0]]))
    tensor([[ 2., -2.],
            [-2.,  2.]])
    """
    if fweights is None and aweights is None:
        _warn_of_freedom(input, correction)
    return _run("cov", (input, fweights, aweights), (as_int(correction),))


@public()
def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of variables, one a row.

    https://docs.pytorch.org/docs/stable/generated/torch.corrcoef.html

    >>> import torchish as torch
    >>> torch.corrcoef(torch.tensor([[0.0, 1.0, 3.0], [9.0, 1.0, 5.0]]))[0, 1].round(decimals=4)
    tensor(-0.3273)
    """
    _warn_of_freedom(input, 1)
    return _run("corrcoef", (input,), ())
