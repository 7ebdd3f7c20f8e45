"""Matrix products: the ``matmul`` family, ``addmm`` and its kin, ``linear`` and ``bilinear``.

Products of floats are computed in full precision everywhere unless a setting says otherwise (``precision.py``):
accelerators would round float32 operands to fewer bits. Half types multiply as they are; XLA accumulates them in float32.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..broadcasting import broadcast_shapes, broadcast_to
from ..dims import normalize_dim
from ..inplace_rules import OUTER_PRODUCT, PRODUCT, SUMMED_PRODUCT
from ..kernel_dtypes import require_dtype
from ..out_rules import CASTABLE, DOT, EXPECTED, UNCHECKED, UNCHECKED_EXPANDED, Out, inner_rule, matmul_rule
from ..precision import matmul_precision
from ..registry import DType, Number, Tensor, op
from ..scalar_types import is_bool, is_complex, is_floating, is_inexact, scalar_name

_CPP_NAMES = {
    "Byte": "unsigned char",
    "Char": "signed char",
    "Short": "short int",
    "Int": "int",
    "Long": "long int",
    "Half": "c10::Half",
    "Float": "float",
    "Double": "double",
    "ComplexFloat": "c10::complex<float>",
    "ComplexDouble": "c10::complex<double>",
    "Bool": "bool",
    "BFloat16": "c10::BFloat16",
    "UInt16": "short unsigned int",
    "UInt32": "unsigned int",
    "UInt64": "long unsigned int",
}


def cpp_name(dtype: Any) -> str:
    """The C++ type that some of PyTorch's error texts name, such as ``long int``.

    >>> cpp_name(np.int64)
    'long int'
    """
    return _CPP_NAMES[scalar_name(dtype)]


def expand(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """``x`` broadcast to exactly ``shape``; the error of PyTorch's ``expand`` where it cannot be."""
    if x.ndim > len(shape):
        raise RuntimeError(
            f"expand(torch.{scalar_name(x.dtype)}Tensor{{{list(x.shape)}}}, size={list(shape)}): the number of sizes "
            f"provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({x.ndim})"
        )
    offset = len(shape) - x.ndim
    for i in reversed(range(x.ndim)):
        if x.shape[i] not in (1, shape[offset + i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[offset + i]}) must match the existing size ({x.shape[i]}) at "
                f"non-singleton dimension {offset + i}.  Target sizes: {list(shape)}.  Tensor sizes: {list(x.shape)}"
            )
    return broadcast_to(x, shape)


def size_at(x: Tensor, dim: int) -> int:
    """``x.shape[dim]`` with PyTorch's error for a dimension that there is not."""
    if x.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    normalize_dim(dim, x.ndim)
    return x.shape[dim]


def _refuse_bool(dtype: Any, kernel: str) -> None:
    """Refuse bools, and the wide unsigned integers, of which PyTorch has no products either."""
    require_dtype(dtype, "ifc", kernel)


def _product(a: Tensor, b: Tensor) -> Tensor:
    return jnp.matmul(a, b, precision=matmul_precision())


def _check_mm(rows: int, a: Tensor, b: Tensor) -> None:
    """Refuse ``a`` (folded to ``rows`` rows) times the matrix ``b`` as PyTorch's ``mm`` does."""
    if a.shape[-1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and {b.shape[0]}x{b.shape[1]})"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {cpp_name(a.dtype)} != {cpp_name(b.dtype)}"
        )
    _refuse_bool(a.dtype, "addmm_impl_cpu_")


def _check_mv(rows: int, mat: Tensor, vec: Tensor) -> None:
    if mat.shape[-1] != vec.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({rows}), mat ({rows}x{mat.shape[-1]}), vec ({vec.shape[0]})")
    if mat.dtype != vec.dtype:
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got "
            f"{scalar_name(vec.dtype)}, {scalar_name(mat.dtype)}, and {scalar_name(vec.dtype)}"
        )
    _refuse_bool(mat.dtype, "addmv_impl_cpu")


def _check_dot(a: Tensor, b: Tensor) -> None:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{scalar_name(a.dtype)} and {scalar_name(b.dtype)}"
        )
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src [{b.shape[0]}] to have the same number "
            f"of elements, but got {a.shape[0]} and {b.shape[0]} elements respectively"
        )
    _refuse_bool(a.dtype, "dot")


def _check_bmm(batch: int, a: Tensor, b: Tensor, kernel: str = "bmm") -> None:
    """Refuse the batched product, ``b`` broadcast to ``batch`` matrices, as PyTorch's ``bmm`` does."""
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {a.shape[-1]}] "
            f"but got: [{batch}, {b.shape[-2]}]."
        )
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(a.dtype)} but found {scalar_name(b.dtype)}")
    _refuse_bool(a.dtype, kernel)


def _matmul_node(ndims: tuple[int | None, ...], **_: Any) -> str:
    by_ndims: dict[tuple[int | None, ...], str] = {
        (1, 1): "DotBackward0",
        (2, 1): "MvBackward0",
        (1, 2): "SqueezeBackward4",
        (2, 2): "MmBackward0",
    }
    if ndims in by_ndims:
        return by_ndims[ndims]
    return "CloneBackward0" if ndims[0] == 2 else "UnsafeViewBackward0"


@op(out=matmul_rule, node=_matmul_node, aliases=("linalg.matmul",))
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product of the last two dimensions, batch dimensions broadcast.

    A 1-D ``input`` is a row and a 1-D ``other`` a column; that dimension is absent from the result.
    """
    if input.ndim == 0 or other.ndim == 0:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and {other.ndim}D"
        )
    if other.ndim == 1:
        if input.ndim == 1:
            _check_dot(input, other)
        else:
            _check_mv(int(np.prod(input.shape[:-1])), input, other)
    elif other.ndim == 2:
        _check_mm(int(np.prod(input.shape[:-1])), input, other)
    else:
        batch = broadcast_shapes(input.shape[:-2], other.shape[:-2])
        _check_bmm(int(np.prod(batch)), input, other)
    return _product(input, other)


def _wide_product(a: Tensor, b: Tensor, out_dtype: DType) -> Tensor:
    """The product as ``out_dtype``: unrounded float32 sums of half-precision products."""
    if out_dtype is None:
        return _product(a, b)
    if a.dtype != out_dtype and not (out_dtype == np.float32 and is_floating(a.dtype) and a.dtype.itemsize == 2):
        raise RuntimeError("out_dtype must be the same as input dtype or fp32 for fp16/bf16 inputs")
    return jnp.matmul(a, b, precision=matmul_precision(), preferred_element_type=out_dtype)


@op(out=UNCHECKED, grad_node="MmBackward0")
def mm(input: Tensor, mat2: Tensor, out_dtype: DType = None) -> Tensor:
    """The product of two matrices, ``(n, m)`` by ``(m, p)``; nothing is broadcast.

    ``out_dtype``: float32 of half-precision operands, on every device (PyTorch has it on GPUs alone).
    """
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_mm(input.shape[0], input, mat2)
    return _wide_product(input, mat2, out_dtype)


@op(out=UNCHECKED_EXPANDED, grad_node="BmmBackward0")
def bmm(input: Tensor, mat2: Tensor, out_dtype: DType = None) -> Tensor:
    """The products of two batches of matrices, ``(b, n, m)`` by ``(b, m, p)``; nothing is broadcast.

    ``out_dtype``: float32 of half-precision operands, on every device (PyTorch has it on GPUs alone).
    """
    _check_batches(input, mat2)
    return _wide_product(input, mat2, out_dtype)


def _check_batches(batch1: Tensor, batch2: Tensor, kernel: str = "bmm") -> None:
    for name, x in (("batch1", batch1), ("batch2", batch2)):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if batch2.shape[0] != batch1.shape[0]:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{batch1.shape[0]}, {batch1.shape[2]}] but got: [{batch2.shape[0]}, {batch2.shape[1]}]."
        )
    _check_bmm(batch1.shape[0], batch1, batch2, kernel)


@op(out=UNCHECKED_EXPANDED, grad_node="MulBackward0")
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix ``(n, m)`` and a vector ``(m,)``."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    _check_mv(input.shape[0], input, vec)
    return _product(input, vec)


@op(out=DOT, grad_node="MulBackward0")
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors of one length (no conjugation)."""
    _check_dot(input, tensor)
    return _product(input, tensor)


@op(out=DOT, grad_node="MulBackward0")
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """``dot`` with the first vector conjugated."""
    _check_dot(input, other)
    return _product(jnp.conj(input), other)


def _scalar_result_type(a: Tensor, b: Tensor) -> np.dtype:
    """The common dtype of ``a`` and ``b`` where one of them is 0-dim: it counts by its category alone."""
    if (a.ndim == 0) == (b.ndim == 0):
        return jnp.promote_types(a.dtype, b.dtype)
    scalar, other = (a, b) if a.ndim == 0 else (b, a)

    def category(dtype: Any) -> int:
        return 3 if is_complex(dtype) else 2 if is_inexact(dtype) else 0 if is_bool(dtype) else 1

    if category(scalar.dtype) <= category(other.dtype):
        return np.dtype(other.dtype)
    return jnp.promote_types(scalar.dtype, other.dtype if is_inexact(other.dtype) else scalar.dtype)


def _inner_node(ndims: tuple[int | None, ...], **_: Any) -> str:
    return "MulBackward0" if 0 in ndims else "ViewBackward0"


@op(out=inner_rule, node=_inner_node, grad_node="PermuteBackward0")
def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products over the last dimension of both; a product where one of them is 0-dim."""
    if input.ndim == 0 or other.ndim == 0:
        dtype = _scalar_result_type(input, other)
        return input.astype(dtype) * other.astype(dtype)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    _check_same_dtype(input, other)
    return lax.dot_general(
        input, other, (((input.ndim - 1,), (other.ndim - 1,)), ((), ())), precision=matmul_precision()
    )


def _check_same_dtype(a: Tensor, b: Tensor) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    _refuse_bool(a.dtype, "addmm_impl_cpu_")


def _check_vectors(name: str, **vectors: Tensor) -> None:
    for argument, x in vectors.items():
        if x.ndim != 1:
            raise RuntimeError(f"{name}: Expected 1-D argument {argument}, but got {x.ndim}-D")


@op(
    promote=("input", "vec2"),
    out=CASTABLE.but(autograd="mul"),
    aliases=("ger",),
    node="MulBackward0",
    grad_node="ViewBackward0",
)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of two vectors: ``result[i, j] = input[i] * vec2[j]``."""
    _check_vectors("outer", self=input, vec2=vec2)
    return input[:, None] * vec2[None, :]


def _scaled(factor: Number, x: Tensor) -> Tensor:
    """``factor * x``; exactly zero where ``factor`` is, whatever ``x`` holds."""
    if isinstance(factor, int) and factor == 1:
        return x
    factor = jnp.asarray(factor).astype(x.dtype)
    return jnp.where(factor == 0, jnp.zeros((), x.dtype), factor * x)


@op(inplace=PRODUCT, out=EXPECTED.but(shared=("mat1", "mat2"), first=False), grad_node="MmBackward0")
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``; with ``beta`` 0 the values of ``input`` do not matter."""
    _check_addmm(input, mat1, mat2)
    target = expand(input, (mat1.shape[0], mat2.shape[1]))
    return _scaled(beta, target) + _scaled(alpha, _product(mat1, mat2))


def _check_addmm(input: Tensor, mat1: Tensor, mat2: Tensor) -> None:
    for name, x in (("mat1", mat1), ("mat2", mat2)):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x.ndim}-D tensor")
    if mat1.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({mat1.shape[0]}x{mat1.shape[1]} "
            f"and {mat2.shape[0]}x{mat2.shape[1]})"
        )
    for name, x in (("self", input), ("mat1", mat1)):
        if x.dtype != mat2.dtype:
            raise RuntimeError(
                f"{name} and mat2 must have the same dtype, but got "
                f"{scalar_name(x.dtype)} and {scalar_name(mat2.dtype)}"
            )
    _refuse_bool(mat2.dtype, "addmm_impl_cpu_")


@op(inplace=PRODUCT, out=EXPECTED.but(shared=("mat", "vec"), first=False), grad_node="MulBackward0")
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
    if mat.ndim != 2 or vec.ndim != 1 or input.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    rows = mat.shape[0]
    if mat.shape[1] != vec.shape[0] or (input.size != 1 and input.shape != (rows,)):
        raise RuntimeError(
            f"size mismatch, got input ({input.size}), mat ({rows}x{mat.shape[1]}), vec ({vec.shape[0]})"
        )
    if not input.dtype == mat.dtype == vec.dtype:
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got "
            f"{scalar_name(input.dtype)}, {scalar_name(mat.dtype)}, and {scalar_name(vec.dtype)}"
        )
    _refuse_bool(mat.dtype, "addmv_impl_cpu")
    return _scaled(beta, jnp.broadcast_to(input, (rows,))) + _scaled(alpha, _product(mat, vec))


@op(
    inplace=SUMMED_PRODUCT,
    out=Out(
        "self and mat2 must have the same dtype, but got {got} and {want}",
        "same",
        shared=("batch1", "batch2"),
        first=False,
        warns=False,
    ),
    grad_node="BmmBackward0",
)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input`` plus ``alpha`` times the sum over the batch of ``batch1 @ batch2``."""
    target = expand(input, (size_at(batch1, 1), size_at(batch2, 2)))
    for name, x in (("batch1", batch1), ("batch2", batch2)):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if batch1.shape[0] != batch2.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {batch1.shape[0]} and {batch2.shape[0]}"
        )
    if batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({batch1.shape[1]}x{batch1.shape[2]} "
            f"and {batch2.shape[1]}x{batch2.shape[2]})"
        )
    for name, x in (("self", input), ("mat1", batch1)):
        if x.dtype != batch2.dtype:
            raise RuntimeError(
                f"{name} and mat2 must have the same dtype, but got "
                f"{scalar_name(x.dtype)} and {scalar_name(batch2.dtype)}"
            )
    _refuse_bool(batch2.dtype, "addmm_impl_cpu_")
    total = lax.dot_general(batch1, batch2, (((0, 2), (0, 1)), ((), ())), precision=matmul_precision())
    return _scaled(beta, target) + _scaled(alpha, total)


@op(inplace=PRODUCT, out=EXPECTED.but(shared=("batch1", "batch2"), first=False), grad_node="BmmBackward0")
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)``, one product for each matrix of the batch."""
    target = expand(input, (size_at(batch1, 0), size_at(batch1, 1), size_at(batch2, 2)))
    if not input.dtype == batch1.dtype == batch2.dtype:
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {cpp_name(input.dtype)}, "
            f"batch1: {cpp_name(batch1.dtype)}, batch2: {cpp_name(batch2.dtype)}"
        )
    _check_batches(batch1, batch2, "baddbmm")
    return _scaled(beta, target) + _scaled(alpha, _product(batch1, batch2))


@op(promote=("input", "vec1", "vec2"), inplace=OUTER_PRODUCT, out=True, grad_node="MvBackward0")
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``; of bools, the ``or`` and ``and`` of them."""
    _check_vectors("addr", vec1=vec1, vec2=vec2)
    target = expand(input, (vec1.shape[0], vec2.shape[0]))
    require_dtype(input.dtype, "bifc", "addr_cpu")
    if is_bool(input.dtype):
        return (target & jnp.asarray(beta, bool)) | (vec1[:, None] & vec2[None, :] & jnp.asarray(alpha, bool))
    product = vec1[:, None] * vec2[None, :]
    if not (isinstance(alpha, int) and alpha == 1):
        product = jnp.asarray(alpha).astype(product.dtype) * product
    return _scaled(beta, target) + product


def _linear_node(ndims: tuple[int | None, ...], **_: Any) -> str:
    if len(ndims) == 3:
        return "AddmmBackward0" if ndims[0] == 2 else "ViewBackward0"
    # Without bias it is matmul(input, weight.t()).
    return _matmul_node(ndims)


@op(out=UNCHECKED, namespaces=("nn.functional",), node=_linear_node, grad_node="MmBackward0")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias`` over the last dimension; ``weight`` is ``(out, in)``, or ``(in,)`` without bias."""
    if input.ndim == 0 or weight.ndim == 0:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {input.ndim}D and {weight.ndim}D"
        )
    if weight.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if weight.ndim == 1 and bias is None:
        return matmul(input, weight)
    rows = int(np.prod(input.shape[:-1]))
    if bias is None:
        _check_mm(rows, input, weight.T)
    else:
        _check_addmm(bias, jnp.zeros((rows, input.shape[-1]), input.dtype), weight.T)
    product = lax.dot_general(input, weight, (((input.ndim - 1,), (1,)), ((), ())), precision=matmul_precision())
    if bias is None:
        return product
    return product + expand(bias, (rows, weight.shape[0])).reshape(product.shape)


def _bilinear_node(ndims: tuple[int | None, ...], **_: Any) -> str:
    return "AddBackward0" if len(ndims) == 4 else "ViewBackward0"


@op(namespaces=("torch", "nn.functional"), node=_bilinear_node, grad_node="ViewBackward0")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``result[..., k] = input1[..., :] @ weight[k] @ input2[..., :] + bias[k]``."""
    if input1.ndim != input2.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}")
    for i, (m, n) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if m != n:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {i}: got {m} and {n}")
    for i, x in ((1, input1), (2, input2)):
        if x.shape[-1] != size_at(weight, i):
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: "
                f"got {x.shape[-1]} but expected {weight.shape[i]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {weight.shape[0]}"
        )
    if not input1.dtype == input2.dtype == weight.dtype:
        raise RuntimeError(
            f"All tensors must have the same dtype, got input1: {cpp_name(input1.dtype)}, "
            f"input2: {cpp_name(input2.dtype)}, weight: {cpp_name(weight.dtype)}"
        )
    _refuse_bool(weight.dtype, "bmm")
    result = jnp.einsum("...i,oij,...j->...o", input1, weight, input2, precision=matmul_precision())
    return result if bias is None else result + bias
