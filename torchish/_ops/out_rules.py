"""What PyTorch demands of the tensor given as ``out=``: its dtype, the memory it may share, what autograd says.

PyTorch's kernels check this each in its own way. A rule names the way; ``@op(out=RULE)`` says which holds, or a function
of the op's arguments that gives the rule, of which tensors are ``jax.ShapeDtypeStruct``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from .scalar_types import is_complex, is_inexact, scalar_name

ALL = ("*",)


@dataclasses.dataclass(frozen=True)
class Out:
    """One way to check ``out=``.

    Attributes:
        accepts: which dtypes of ``out`` are taken: those that the result's can be cast to (``"castable"``), that alone
            (``"same"``), ``"any"``, or what a function of the result's dtype and ``out``'s says.
        text: the error's text, where it is not taken; one for each of several results, or a function of the dtypes of the
            result and of ``out``. ``{want}`` and ``{got}`` stand
            for the two dtypes in PyTorch's names, ``{c_want}`` and ``{c_got}`` in those of C++, ``{want_type}`` and
            ``{got_type}`` for tensor types.
        error: the error's class.
        follows: whether the op is run with ``out``'s dtype as its ``dtype=``.
        expanded: whether several elements of an ``out`` of the result's shape may share a place in memory; or the results
            of which that holds.
        first: whether an ``out`` of another shape in which several do is refused, before it is resized. Unless given,
            it is where the memory of operands is looked at.
        shared: the operands of which ``out`` may hold parts in its memory (``ALL``: every one). PyTorch refuses that
            of others, unless ``out`` and the operand are the same elements.
        apart: the operands that may not even be that (``ALL``: every one).
        autograd: the name in the text about ``requires_grad``, where it is not the op's.
        lenient: whether operands that require grad are taken; the result then does not.
        copies: whether the result is copied into ``out`` by an operation that ``backward()`` knows.
        warns: whether another shape of ``out`` is warned about.
    """

    text: str | tuple[str, ...] | Callable[[np.dtype, np.dtype], str] = (
        "result type {want} can't be cast to the desired output type {got}"
    )
    accepts: str | Callable[[np.dtype, np.dtype], bool] = "castable"
    error: type[Exception] = RuntimeError
    follows: bool = False
    expanded: bool | tuple[int, ...] = False
    first: bool | None = None
    shared: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    autograd: str = ""
    lenient: bool = False
    copies: bool = False
    warns: bool = True

    @property
    def expanded_first(self) -> bool:
        return self.shared != ALL if self.first is None else self.first

    def but(self, **changes: Any) -> Out:
        """This rule with some things changed."""
        return dataclasses.replace(self, **changes)


Rule = Out | Callable[..., Out]

CASTABLE = Out()
ANY = Out(accepts="any")
EXPECTED = Out("Expected out tensor to have dtype {c_want}, but got {c_got} instead", "same")
FOUND = Out("Found dtype {got} but expected {want}", "same")
EXPECTED_SCALAR_TYPE = Out("expected scalar_type {want} but found {got}", "same")

# Kernels that look at no memory, since they write nothing before all is read or leave that to the caller.
UNCHECKED = EXPECTED.but(shared=ALL)
UNCHECKED_EXPANDED = UNCHECKED.but(expanded=True)
# Each result element is read from anywhere among the operand's.
GATHERED = EXPECTED.but(apart=("input",), first=False)
SCATTERED = EXPECTED.but(apart=("index", "src", "source"))
SOFTMAX = UNCHECKED.but(lenient=True)
DOT = Out("result dtype {got} does not match input dtype {want}", "same", shared=ALL)
TENSORDOT = Out(
    "tensordot: Expected the output tensor to have dtype {want}, but got an output tensor with dtype {got}",
    "same",
    shared=ALL,
    copies=True,
    autograd="tensordot",
)
CONCATENATED = Out(
    "torch.cat(): input types can't be cast to the desired output type {got}",
    error=TypeError,
    apart=ALL,
    first=False,
    autograd="cat",
)
SORTED_POSITIONS = Out(
    "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether "
    "out_int32 flag is True, but we got output tensor's dtype {got} and out_int32 flag is ",
    "same",
    shared=ALL,
)
EXTREMES = Out(
    "Expected the dtype for input and out to match, but got {want} for input's dtype and {got} for out's dtype.",
    "same",
    shared=ALL,
    expanded=True,
)
PARTS = Out("Expected object of scalar type {want} but got scalar type {got} for argument 'out'", "same")
SELECTED = Out("masked_select(): self and result must have the same scalar type", "same", apart=ALL)
NONZERO = Out("nonzero: Expected out tensor to have scalar type {want} but got scalar type{got}", "same", lenient=True)
OF_ALL = Out(
    "Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got "
    "false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)",
    shared=ALL,
)
LOG_SIGMOID = Out(
    "expected scalar type {want} but found {got}", "same", shared=ALL, autograd="log_sigmoid_forward", warns=False
)
MEDIAN = Out(
    (
        "Expected tensor for 'values' to have the same type as tensor for argument #2 'self'; but type {got_type} does "
        "not equal {want_type} (while checking arguments for median)",
        "Expected tensor for argument #1 'indices' to have scalar type {want}; but got {got_type} instead (while "
        "checking arguments for median)",
    ),
    "same",
    shared=ALL,
)


def positions_rule(out_int32: bool, **_: Any) -> Out:
    return SORTED_POSITIONS.but(text=SORTED_POSITIONS.text + str(bool(out_int32)))  # type: ignore[operator]


def booleans_only(name: str) -> Out:
    return Out(f"{name} does not support non-boolean outputs.", "same")


def any_or_all(name: str) -> Out:
    return Out(
        f"{name} only supports bool tensor for result, got: {{got}}",
        lambda result, out: out in (np.bool_, np.uint8),
        shared=ALL,
        expanded=True,
    )


def matmul_rule(input: Any, other: Any, **_: Any) -> Out:
    if input.ndim == 1 and other.ndim == 1:
        return DOT.but(autograd="dot")
    return UNCHECKED_EXPANDED if input.ndim == 1 or other.ndim == 1 else UNCHECKED


def inner_rule(input: Any, other: Any, **_: Any) -> Out:
    return TENSORDOT if input.ndim and other.ndim else CASTABLE.but(autograd="mul")


def _heaviside_text(result: np.dtype, out: np.dtype) -> str:
    return f"heaviside is not yet implemented for {'complex tensors' if is_complex(out) else 'tensors with different dtypes'}."


HEAVISIDE = Out(_heaviside_text, "same", lenient=True)


def abs_rule(input: Any, **_: Any) -> Out:
    """Of complex numbers PyTorch first takes the modulus as a complex number."""
    if not is_complex(input.dtype):
        return FOUND

    def text(result: np.dtype, out: np.dtype) -> str:
        complex_of_input = f"Found dtype {{got}} but expected {scalar_name(input.dtype)}"
        return complex_of_input if is_complex(out) else str(CASTABLE.text)

    return Out(text, lambda result, out: is_inexact(out) and (not is_complex(out) or out == input.dtype), first=False)


def _ldexp_text(result: np.dtype, out: np.dtype) -> str:
    return (
        str(CASTABLE.text)
        if is_complex(result) and is_inexact(out)
        else "ldexp can't be cast to the desired output type {got}"
    )


LDEXP = Out(_ldexp_text, shared=("other",))


def by_numbers(*names: str) -> Callable[..., Out]:
    """``FOUND`` where none of these operands is a tensor, else ``CASTABLE``."""

    def rule(**given: Any) -> Out:
        return CASTABLE if any(hasattr(given[name], "dtype") for name in names) else FOUND

    return rule


def lerp_rule(weight: Any, **_: Any) -> Out:
    return FOUND if hasattr(weight, "dtype") else CASTABLE


def summed_rule(dtype: Any, **_: Any) -> Out:
    return UNCHECKED_EXPANDED if dtype else ANY.but(follows=True, shared=ALL, expanded=True)


def prod_rule(dim: Any, dtype: Any, **_: Any) -> Out:
    if dim is None:
        raise TypeError("prod() received an invalid combination of arguments - got (Tensor, out=Tensor)")
    return summed_rule(dtype)


def nansum_rule(input: Any, dtype: Any, **_: Any) -> Out:
    if not is_inexact(input.dtype):
        return summed_rule(dtype)
    if dtype is not None:
        text = "nansum: provided dtype must match dtype of result. Got {got} and {want}."
        return Out(text, "same", shared=ALL, expanded=True) if is_inexact(dtype) else UNCHECKED_EXPANDED
    return Out(
        "\"nansum_cpu\" not implemented for '{got}'",
        lambda result, out: is_inexact(out) and not is_complex(out),
        NotImplementedError,
        follows=True,
        shared=ALL,
        expanded=True,
    )


def mean_rule(dim: Any, dtype: Any, **_: Any) -> Out:
    if dtype is not None:
        return UNCHECKED
    rule = CASTABLE.but(follows=True, shared=ALL)
    return (
        rule
        if dim is not None
        else rule.but(text="mean.dtype_out(): input types can't be cast to the desired output type {got}")
    )


def nanmean_rule(input: Any, dtype: Any, **_: Any) -> Out:
    return nansum_rule(input, dtype).but(expanded=False, autograd="nansum")


def cumulative_rule(name: str) -> Callable[..., Out]:
    def rule(dtype: Any, **_: Any) -> Out:
        if dtype is not None:
            return EXPECTED.but(first=False)
        text = f"\"{name}_out_cpu\" not implemented for '{{got}}'"
        return Out(text, lambda result, out: out != np.bool_, NotImplementedError, follows=True, first=False)

    return rule


def logsumexp_rule(**_: Any) -> Out:
    text = "logsumexp(): Expected floating point type for result tensor, but got: {got}"
    return Out(text, lambda result, out: is_inexact(out), shared=ALL)


def diff_rule(n: int, **_: Any) -> Out:
    return CASTABLE.but(autograd="sub", shared=ALL, first=True) if n else EXPECTED_SCALAR_TYPE


def diag_rule(input: Any, **_: Any) -> Out:
    return SOFTMAX.but(autograd="diag_embed" if input.ndim == 1 else "diagonal_copy")


HISTOGRAM = Out(
    "torch.histogram: input tensor and hist tensor should have the same dtype, but got input {c_want} and hist {c_got}",
    "same",
    shared=ALL,
    expanded=True,
)


def mvlgamma_rule(input: Any, **_: Any) -> Out:
    text = f"mvlgamma: result type {scalar_name(input.dtype)} can't be cast to the desired output type {{want}}"
    return CASTABLE.but(text=text, shared=ALL)


# Linear algebra


def safely_castable(function: str, *results: str, **more: Any) -> Out:
    """Functions that compute a tensor of their own and copy it."""
    texts = tuple(
        f"{function}: Expected {what} to be safely castable from {{want}} dtype, but got {what} with dtype {{got}}"
        for what in results or ("result",)
    )
    return Out(texts, shared=ALL, **more)


def _matrix_power_text(result: np.dtype, out: np.dtype) -> str:
    if is_inexact(out) and (is_complex(out) or not is_complex(result)):
        return str(EXPECTED.text)
    return "matrix_power: Expected result to be safely castable from {want} dtype, but got result with dtype {got}"


MATRIX_POWER = Out(_matrix_power_text, "same", shared=ALL, autograd="matmul")
FREXP = Out(
    (
        "torch.frexp() expects mantissa to have dtype {c_want} but got {c_got}",
        "torch.frexp() expects exponent to have {c_want} dtype but got {c_got}",
    ),
    "same",
)


# Fourier transforms


def fft_rule(name: str, real: str = "_fft_c2c", lenient: bool = False) -> Callable[..., Out]:
    """Transforms to complex numbers; ``real``: what autograd calls the one of real numbers, ``lenient`` then."""
    text = f"{name} expects a complex output tensor, but got {{got}}"

    def rule(input: Any, **_: Any) -> Out:
        autograd, never = ("_fft_c2c", False) if is_complex(input.dtype) else (real, lenient)
        return Out(text, lambda result, out: is_complex(out), shared=ALL, autograd=autograd, lenient=never, first=never)

    return rule


def fft_to_real(name: str) -> Out:
    text = f"{name} expects a floating point output tensor, but got {{got}}"
    return Out(text, lambda result, out: is_inexact(out) and not is_complex(out), shared=ALL, autograd="_fft_c2r")
