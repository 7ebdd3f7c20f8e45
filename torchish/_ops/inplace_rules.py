"""What PyTorch demands of a tensor that an op writes in place: the memory it may share, and its shape.

``@op(inplace=RULE)`` says which holds; ``inplace=True`` is ``INPLACE``, what most ops have.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from .out_rules import ALL

Sizes = list[int]


def _broadcast_mismatch(size: Sizes, result: Sizes) -> str:
    return f"output with shape {size} doesn't match the broadcast shape {result}"


@dataclasses.dataclass(frozen=True)
class InPlace:
    """One way to check the tensor that is written.

    Attributes:
        expanded: whether several of its elements may share a place in memory; ``"by numbers"``: where the other operands
            are numbers.
        shared: the operands of which it may hold parts in its memory (``ALL``: every one). PyTorch refuses that of others,
            unless both are the same elements.
        apart: the operands that may not even be that (``ALL``: every one).
        itself: whether writing its own elements into it is no write at all.
        resized: whether it takes the result's shape where that is another.
        mismatch: the text where the result has another shape, from the tensor's and the result's.
        generated: whether the form with an underscore comes from the definition; if not, a function of several forms
            calls the op.
    """

    expanded: bool | str = False
    shared: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    itself: bool = False
    resized: bool = False
    mismatch: Callable[[Sizes, Sizes], str] = _broadcast_mismatch
    generated: bool = True


INPLACE = InPlace()
EXPANDED = InPlace(expanded=True)
# Each element written is chosen by an index: what says where, and what is written, must lie elsewhere.
BY_INDEX = InPlace(apart=ALL)
BY_INDEX_EXPANDED = InPlace(expanded=True, apart=ALL)
MASKED_FILL = InPlace(expanded=True, shared=("value",))
MASKED_SCATTER = InPlace(shared=ALL)
FILL = InPlace(expanded="by numbers", shared=ALL, generated=False)
COPY = InPlace(itself=True)
# Products of matrices are added: computed aside first.
PRODUCT = InPlace(
    shared=ALL,
    mismatch=lambda size, result: (
        f"Bad in-place call: input tensor size {size} and output tensor size {result} should match"
    ),
)
SUMMED_PRODUCT = InPlace(shared=ALL, resized=True)


def _not_an_outer_product(size: Sizes, result: Sizes) -> str:
    if len(size) != 2:
        return f"2D tensor expected, got {len(size)}D tensor for input"
    return f"size mismatch, input: {size}, v1: {result[:1]}, v2: {result[1:]}"


OUTER_PRODUCT = InPlace(mismatch=_not_an_outer_product)
