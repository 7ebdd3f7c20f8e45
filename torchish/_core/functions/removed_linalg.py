"""Decompositions that PyTorch has removed: the names are there, and say what to use."""

from __future__ import annotations

from typing import Any, NoReturn

from ..public import public
from ..tensor import Tensor

_REMOVED = "This function was deprecated since version 1.9 and is now removed. "


@public("torch")
def eig(self: Tensor, eigenvectors: bool = False, *, e: Any = None, v: Any = None) -> NoReturn:
    """Removed: ``torch.linalg.eig`` and ``torch.linalg.eigvals``."""
    raise RuntimeError(
        _REMOVED + "`torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather than real tensors "
        "mimicking complex tensors.\n\nL, _ = torch.eig(A) should be replaced with:\nL_complex = torch.linalg.eigvals(A)"
        "\n\nand\n\nL, V = torch.eig(A, eigenvectors=True) should be replaced with:\n"
        "L_complex, V_complex = torch.linalg.eig(A)"
    )


@public("Tensor", name="eig")
def eig_method(self: Tensor, eigenvectors: bool = False) -> NoReturn:
    """Removed: ``torch.linalg.eig`` and ``torch.linalg.eigvals``."""
    eig(self, eigenvectors)


@public("torch")
def symeig(input: Tensor, eigenvectors: bool = False, upper: bool = True, *, out: Any = None) -> NoReturn:
    """Removed: ``torch.linalg.eigh`` and ``torch.linalg.eigvalsh``."""
    raise RuntimeError(
        _REMOVED
        + "The default behavior has changed from using the upper triangular portion of the matrix by default to "
        "using the lower triangular portion.\n\nL, _ = torch.symeig(A, upper=upper) should be replaced with:\n"
        "L = torch.linalg.eigvalsh(A, UPLO='U' if upper else 'L')\n\nand\n\n"
        "L, V = torch.symeig(A, eigenvectors=True) should be replaced with:\n"
        "L, V = torch.linalg.eigh(A, UPLO='U' if upper else 'L')"
    )


@public("Tensor", name="symeig")
def symeig_method(self: Tensor, eigenvectors: bool = False) -> NoReturn:
    """Removed: ``torch.linalg.eigh`` and ``torch.linalg.eigvalsh``."""
    symeig(self, eigenvectors)


@public("torch")
def lstsq(input: Tensor, A: Tensor, *, out: Any = None) -> NoReturn:
    """Removed: ``torch.linalg.lstsq``."""
    raise RuntimeError(
        _REMOVED + "`torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`.\n`torch.linalg.lstsq` has reversed "
        "arguments and does not return the QR decomposition in the returned tuple (although it returns other information "
        "about the problem).\n\nTo get the QR decomposition consider using `torch.linalg.qr`.\n\nThe returned solution in "
        "`torch.lstsq` stored the residuals of the solution in the last m - n columns of the returned value whenever m > "
        "n. In torch.linalg.lstsq, the residuals are in the field 'residuals' of the returned named tuple.\n\nThe "
        "unpacking of the solution, as in\nX, _ = torch.lstsq(B, A).solution[:A.size(1)]\nshould be replaced with:\n"
        "X = torch.linalg.lstsq(A, B).solution"
    )


@public("Tensor", name="lstsq")
def lstsq_method(self: Tensor, other: Tensor) -> NoReturn:
    """Removed: ``torch.linalg.lstsq``."""
    lstsq(self, other)
