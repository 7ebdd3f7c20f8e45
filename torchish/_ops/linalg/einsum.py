"""Contractions that are written down: ``einsum`` by an equation, ``tensordot`` by dimensions.

An equation is read by PyTorch's rules (which are not NumPy's: a dimension of size 1 broadcasts against any
size of its label) into one list of labels for each operand; the contraction itself is JAX's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..dims import distinct_dims
from ..out_rules import TENSORDOT
from ..precision import matmul_precision
from ..registry import Tensor, Tensors, op
from ..scalar_types import is_integral, scalar_name
from .matmul import _check_same_dtype, _refuse_bool

# A label is a letter of the equation or, for a dimension that an ellipsis covers, its number.
Label = str | int


def _letters(text: str, offset: int, where: str, seen: str) -> list[str]:
    """The subscripts in one term of an equation: letters, and ``...`` for an ellipsis."""
    found: list[str] = []
    i = 0
    while i < len(text):
        c = text[i]
        if c == ".":
            if "..." in found:
                raise RuntimeError(f"einsum(): found '.' for {where} {seen}")
            if text[i : i + 3] != "...":
                raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis{_hint(where)}")
            found.append("...")
            i += 2
        elif re.fullmatch("[a-zA-Z]", c):
            found.append(c)
        elif c != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {offset + i} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
        i += 1
    return found


def _hint(where: str) -> str:
    return " (...)" if where == "output" else ""


def _terms(equation: str, count: int) -> tuple[list[list[str]], list[str] | None]:
    """The subscripts of each operand, and those of the output where the equation has an arrow."""
    left, arrow, right = equation.partition("->")
    inputs, offset = [], 0
    for i, text in enumerate(left.split(",")):
        if i >= count:
            raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
        inputs.append(_letters(text, offset, f"operand {i}", "for which an ellipsis was already found"))
        offset += len(text) + 1
    if len(inputs) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if not arrow:
        return inputs, None
    return inputs, _letters(right, len(left) + 2, "output", "but an ellipsis (...) was already found")


def _operand_labels(terms: list[list[str]], ndims: Sequence[int]) -> tuple[list[list[Label]], int]:
    """A label for each dimension of each operand; and how many dimensions the widest ellipsis covers."""
    covered = 0
    for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        named = len(term) - ("..." in term)
        if "..." in term:
            if named > ndim:
                raise RuntimeError(
                    f"einsum(): the number of subscripts in the equation ({named}) is more than "
                    f"the number of dimensions ({ndim}) for operand {i}"
                )
            covered = max(covered, ndim - named)
        elif named != ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match "
                f"the number of dimensions ({ndim}) for operand {i} and no ellipsis was given"
            )
    labels = []
    for term, ndim in zip(terms, ndims, strict=True):
        row: list[Label] = []
        for s in term:
            # Ellipses are aligned at their last dimension.
            row.extend(range(covered - (ndim - len(term) + 1), covered) if s == "..." else [s])
        labels.append(row)
    return labels, covered


def _output_labels(inputs: list[list[str]], output: list[str] | None, covered: int) -> list[Label]:
    letters = [s for term in inputs for s in term if s != "..."]
    if output is None:
        once = sorted(s for s in set(letters) if letters.count(s) == 1)
        return [*range(covered), *once]
    result: list[Label] = []
    for s in output:
        if s == "...":
            result.extend(range(covered))
        elif s in result:
            raise RuntimeError(f"einsum(): output subscript {s} appears more than once in the output")
        elif s not in letters:
            raise RuntimeError(f"einsum(): output subscript {s} does not appear in the equation for any input operand")
        else:
            result.append(s)
    return result


def _label_sizes(labels: list[list[Label]], shapes: Sequence[tuple[int, ...]]) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for i, (row, shape) in enumerate(zip(labels, shapes, strict=True)):
        own: dict[Label, int] = {}
        for label, size in zip(row, shape, strict=True):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {i} "
                    f"but the sizes don't match, {size} != {own[label]}"
                )
        for label, size in own.items():
            known = sizes.setdefault(label, size)
            if size != known and size != 1 and known != 1:
                if isinstance(label, int):
                    raise RuntimeError(
                        f"einsum(): dimension {label} covered by ellipsis in operand {i}has size {size} which does not "
                        f"broadcast with previously seen ellipsis with size {known} for the respective dimension"
                    )
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {i} "
                    f"which does not broadcast with previously seen size {known}"
                )
            if known == 1:
                sizes[label] = size
    return sizes


def _common_dtype(operands: Sequence[Tensor], labels: list[list[Label]], output: list[Label]) -> np.dtype:
    """The dtype in which PyTorch contracts: it promotes products, but not the operands of a matrix product."""
    everywhere = [label for row in labels for label in set(row)]
    summed = {label for label in everywhere if label not in output}
    lone = {label for label in summed if everywhere.count(label) == 1}
    first = operands[0].dtype
    for x in operands[1:]:
        if x.dtype != first and summed - lone:
            raise RuntimeError(f"expected scalar type {scalar_name(first)} but found {scalar_name(x.dtype)}")
    dtype = np.dtype(jnp.result_type(*[x.dtype for x in operands]))
    if summed - lone:
        _refuse_bool(dtype, "bmm")
    # A label of one operand alone is summed by ``sum``, which widens integers.
    return np.dtype(np.int64) if lone and is_integral(dtype) else dtype


def _einsum_node(equation: str, **_: Any) -> str:
    """PyTorch contracts from left to right: what the last step is decides the node."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = left.replace(",", "").replace(".", "")
    output = right if arrow else "".join(s for s in letters if letters.count(s) == 1)
    if len(terms) == 1:
        return "SumBackward1" if set(letters) - set(output) else "PermuteBackward0"
    last = set(terms[-1]) | (set(terms[0]) if len(terms) == 2 else set())
    return "ViewBackward0" if last - set(output) - {"."} else "MulBackward0"


@op(namespaces=(), node=_einsum_node, grad_node="PermuteBackward0")
def einsum(equation: str, operands: Tensors) -> Tensor:
    """Sums of products of the operands' elements, by an equation in Einstein's notation.

    ``"bij,bjk->bik"`` is a batched matrix product; ``...`` stands for dimensions that broadcast; without an
    arrow the output has the subscripts that occur once, in alphabetical order (capitals first).
    """
    if not operands:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, "
            "or at least one operand and its subscripts list"
        )
    terms, arrow_output = _terms(equation, len(operands))
    labels, covered = _operand_labels(terms, [x.ndim for x in operands])
    output = _output_labels(terms, arrow_output, covered)
    sizes = _label_sizes(labels, [x.shape for x in operands])
    dtype = _common_dtype(operands, labels, output)
    numbers = {label: i for i, label in enumerate(sizes)}
    arguments: list[Any] = []
    for x, row in zip(operands, labels, strict=True):
        squeezed = tuple(i for i, label in enumerate(row) if x.shape[i] == 1 != sizes[label])
        arguments.append(lax.squeeze(x.astype(dtype), squeezed))
        arguments.append([numbers[label] for i, label in enumerate(row) if i not in squeezed])
    return jnp.einsum(*arguments, [numbers[label] for label in output], precision=matmul_precision())


def _dim_pair(dims: Any, a: Tensor, b: Tensor) -> tuple[list[int], list[int]]:
    """The dimensions to contract, of ``a`` and of ``b``."""
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return list(range(-dims, 0)), list(range(dims))
    first, second = (list(d) if isinstance(d, Sequence) else [d] for d in dims)
    return first, second


@op(namespaces=(), out=TENSORDOT, node="ViewBackward0", grad_node="PermuteBackward0")
def tensordot(a: Tensor, b: Tensor, dims: int | tuple[Any, ...] = 2) -> Tensor:
    """The contraction of ``a`` and ``b`` over the last and first ``dims`` dimensions, or over a pair of lists."""
    first, second = _dim_pair(dims, a, b)
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    _check_same_dtype(a, b)
    contract = (distinct_dims(first, a.ndim), distinct_dims(second, b.ndim))
    for i, j in zip(first, second, strict=True):
        m, n = a.shape[i], b.shape[j]
        if m != n and m != 1 and n != 1:
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{m} in dim {i} and second has size {n} in dim {j}"
            )
        if m != n:  # a dimension of size 1 broadcasts: the other operand is summed over its own
            a = a if m == 1 else a.sum(i, keepdims=True, dtype=a.dtype)
            b = b if n == 1 else b.sum(j, keepdims=True, dtype=b.dtype)
    return lax.dot_general(a, b, (contract, ((), ())), precision=matmul_precision())
