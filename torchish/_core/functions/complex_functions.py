"""Complex tensors: from their parts, their parts as views, and conjugates, which are views as well."""

from __future__ import annotations

from typing import Any

from .. import views
from ..generate import OP_FUNCTIONS
from ..public import public
from ..tensor import Tensor
from ..user_warnings import warn
from ..views import view_of
from .overloads import _run
from .view_functions import transpose


@public("torch", name="polar")
def polar_(abs: Tensor, angle: Tensor, *, out: Any = None) -> Tensor:
    """Complex numbers from their absolute values and angles. https://docs.pytorch.org/docs/stable/generated/torch.polar.html

    >>> import torchish as torch
    >>> torch.polar(torch.tensor([2.0], dtype=torch.float64), torch.tensor([0.0], dtype=torch.float64))
    tensor([2.+0.j], dtype=torch.complex128)
    """
    return _run("polar", (abs, angle), (), out)


@public("torch", name="complex")
def complex_(real: Tensor, imag: Tensor, *, out: Any = None) -> Tensor:
    """Complex numbers from their real and imaginary parts. https://docs.pytorch.org/docs/stable/generated/torch.complex.html

    >>> import torchish as torch
    >>> torch.complex(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor([1.+3.j, 2.+4.j])
    """
    return _run("complex.parts", (real, imag), (), out)


# Parts, which share the data


@public("torch")
def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor as real pairs in a last dimension of size 2, sharing its data."""
    if not input.dtype.is_complex:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    if is_conj(input):
        raise RuntimeError(
            "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can view "
            "it as real, use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original."
        )
    return view_of(input, views.as_real, "ViewAsRealBackward0")


@public("torch")
def view_as_complex(input: Tensor) -> Tensor:
    """Real pairs in a last dimension of size 2 as a complex tensor, sharing its data."""
    return view_of(resolve_neg(input), views.as_complex, "ViewAsComplexBackward0")


@public("torch")
def real(input: Tensor) -> Tensor:
    """The real part, sharing the data; a real tensor itself."""
    if not input.dtype.is_complex:
        return input
    return view_of(input, lambda g: views.part_of_complex(g, 0), "SelectBackward0")


@public("torch")
def imag(input: Tensor) -> Tensor:
    """The imaginary part, sharing the data."""
    if not input.dtype.is_complex:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return view_of(input, lambda g: views.part_of_complex(g, 1), "SelectBackward0")


def _part(function: Any) -> property:
    def write(self: Tensor, values: Any) -> None:
        part = function(self)
        part.copy_(values) if isinstance(values, Tensor) else part.fill_(values)

    return property(function, write, doc=function.__doc__)


Tensor.real = _part(real)  # type: ignore[attr-defined]
Tensor.imag = _part(imag)  # type: ignore[attr-defined]


# Conjugates. They are computed where they are read: the tensor shares the data of what it is the conjugate of.


@public()
def conj(input: Tensor) -> Tensor:
    """The complex conjugate, sharing the data; a real tensor itself.

    https://docs.pytorch.org/docs/stable/generated/torch.conj.html

    >>> import torchish as torch
    >>> z = torch.tensor([1 + 2j])
    >>> z.conj(), z.conj().is_conj()
    (tensor([1.-2.j]), True)
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"conj(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if not input.dtype.is_complex:
        return input
    return view_of(input, views.mirrored, "ConjBackward0")


@public()
def is_conj(input: Tensor) -> bool:
    """Whether the tensor is the conjugate of what lies in its memory."""
    return input.dtype.is_complex and input._geometry().mirrored


@public()
def is_neg(input: Tensor) -> bool:
    """Whether the tensor is the negative of what lies in its memory: the imaginary part of a conjugate."""
    return not input.dtype.is_complex and input._geometry().mirrored


@public()
def resolve_conj(input: Tensor) -> Tensor:
    """A copy that holds its elements, where the tensor is a conjugate that shares its data; otherwise itself."""
    return OP_FUNCTIONS["clone"](input) if is_conj(input) else input


@public()
def resolve_neg(input: Tensor) -> Tensor:
    """A copy that holds its elements, where the tensor is a negative that shares its data; otherwise itself."""
    return OP_FUNCTIONS["clone"](input) if is_neg(input) else input


def _adjoint(input: Tensor, name: str) -> Tensor:
    ndim = len(input.shape)
    if ndim == 0:
        warn(f"{name} is deprecated on 0-D tensors. Consider using x.conj().")
        return conj(input)
    if ndim == 1:
        called = name if name.endswith("()") else f"tensor.{name.rpartition('.')[2]}"
        raise RuntimeError(
            f"{'tensor.' if name.endswith('()') else ''}{called} is only supported on matrices or batches of matrices. "
            "Got 1-D tensor."
        )
    return conj(transpose(input, -2, -1))


@public()
def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of the last two dimensions, sharing the data."""
    return _adjoint(input, "adjoint()")


def _batched_adjoint(self: Tensor) -> Tensor:
    return _adjoint(self, "Tensor.mH")


def _matrix_adjoint(self: Tensor) -> Tensor:
    ndim = len(self.shape)
    if ndim not in (0, 2):
        more = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{more}")
    return _adjoint(self, "Tensor.H")


Tensor.H = property(_matrix_adjoint, doc="The conjugate transpose of a matrix.")  # type: ignore[attr-defined]
Tensor.mH = property(_batched_adjoint, doc="The conjugate transpose of the last two dimensions.")  # type: ignore[attr-defined]
