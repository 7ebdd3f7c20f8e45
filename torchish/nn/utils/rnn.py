"""Sequences of different lengths, padded or packed. https://docs.pytorch.org/docs/stable/nn.html#utility-functions"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import torchish
from torchish._core.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences of different lengths without padding: made by ``pack_padded_sequence``, taken by recurrent modules.

    Attributes:
        data: the steps of all sequences, ``(steps in all, features)``.
        batch_sizes: how many sequences have each step, int64 on the CPU.
        sorted_indices: where the sequences were, which are sorted by length here; None if they were sorted.
        unsorted_indices: the other way round.

    >>> import torchish as torch
    >>> pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. "
                "They should be instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. "
                "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """With ``data`` of another dtype or on another device, as ``Tensor.to``; itself where nothing changes."""
        data = self.data.to(*args, **kwargs)  # type: ignore[attr-defined]
        if data is self.data:
            return self
        indices = (t if t is None else t.to(data.device) for t in (self.sorted_indices, self.unsorted_indices))  # type: ignore[attr-defined]
        return type(self)(data, self.batch_sizes, *indices)

    def pin_memory(self) -> Self:
        """In pinned memory."""
        indices = (t if t is None else t.pin_memory() for t in (self.sorted_indices, self.unsorted_indices))  # type: ignore[attr-defined]
        return type(self)(self.data.pin_memory(), self.batch_sizes, *indices)  # type: ignore[attr-defined]

    def _on(self, device: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        example = torchish.tensor((), dtype=self.data.dtype, device=self.data.device).to(*args, **kwargs)
        if example.device.type != device:
            kwargs["device"] = device
        return self.to(*args, **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """On the GPU."""
        return self._on("cuda", args, kwargs)

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """On the CPU."""
        return self._on("cpu", args, kwargs)

    def double(self) -> Self:
        """As float64."""
        return self.to(dtype=torchish.float64)

    def float(self) -> Self:
        """As float32."""
        return self.to(dtype=torchish.float32)

    def half(self) -> Self:
        """As float16."""
        return self.to(dtype=torchish.float16)

    def long(self) -> Self:
        """As int64."""
        return self.to(dtype=torchish.int64)

    def int(self) -> Self:
        """As int32."""
        return self.to(dtype=torchish.int32)

    def short(self) -> Self:
        """As int16."""
        return self.to(dtype=torchish.int16)

    def char(self) -> Self:
        """As int8."""
        return self.to(dtype=torchish.int8)

    def byte(self) -> Self:
        """As uint8."""
        return self.to(dtype=torchish.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data lies on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether the data lies in pinned memory."""
        return self.data.is_pinned()  # type: ignore[attr-defined]


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation``, a vector of int64; None of None."""
    if permutation is None:
        return None
    places = torchish.arange(0, permutation.numel(), device=permutation.device)  # type: ignore[attr-defined]
    return torchish.empty_like(permutation).scatter_(0, permutation, places)


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch.

    Args:
        input: ``(steps, batch, ...)``, or ``(batch, steps, ...)`` with ``batch_first``.
        lengths: of the sequences: a list, or an int64 tensor on the CPU.
        batch_first: see ``input``.
        enforce_sorted: whether the sequences must be sorted already, the longest first; else they are sorted here.

    Raises:
        RuntimeError: where lengths are not sorted, are not positive, or are not as many as there are sequences.

    >>> import torchish as torch
    >>> pack_padded_sequence(torch.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True).batch_sizes
    tensor([2, 1, 1])
    """
    if isinstance(lengths, Tensor):
        lengths = lengths.to(dtype=torchish.int64)  # type: ignore[attr-defined]
    else:
        lengths = torchish.as_tensor(lengths, dtype=torchish.int64, device="cpu")
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = torchish.sort(lengths, descending=True)
        sorted_indices = sorted_indices.to(input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)  # type: ignore[attr-defined]
    data, batch_sizes = torchish._pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded batch and the lengths of its sequences: undoes ``pack_padded_sequence``.

    Args:
        sequence: packed sequences.
        batch_first: whether the result is ``(batch, steps, ...)`` instead of ``(steps, batch, ...)``.
        padding_value: of what is filled up.
        total_length: how many steps the result has; those of the longest sequence unless given.

    Raises:
        ValueError: where ``total_length`` is too small.
    """
    steps = sequence.batch_sizes.size(0)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    padded, lengths = torchish._pad_packed_sequence(
        sequence.data, sequence.batch_sizes, batch_first, padding_value, steps
    )
    unsorted = sequence.unsorted_indices
    if unsorted is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, unsorted), lengths[unsorted.cpu()]  # type: ignore[attr-defined]


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Tensors of shape ``(length, ...)`` as one, filled up to the longest: ``(steps, batch, ...)``.

    Args:
        sequences: an iterable of tensors (or one tensor) whose sizes differ in the first dimension alone.
        batch_first: whether the result is ``(batch, steps, ...)``.
        padding_value: of what is filled up.
        padding_side: ``"right"`` or ``"left"``.

    Raises:
        RuntimeError: for no sequences, or sizes that don't fit.

    >>> import torchish as torch
    >>> pad_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    for i, each in enumerate(sequences):
        if not isinstance(each, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(each).__name__}")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    steps = max(each.size(0) for each in sequences)
    rest = sequences[0].size()[1:]
    filled = []
    for each in sequences:
        if each.size()[1:] != rest:
            each.new_empty(each.size(0), *rest).copy_(each)  # raises
        padding = each.new_full((steps - each.size(0), *rest), padding_value)
        parts = [each, padding]
        filled.append(torchish.cat(parts[::-1] if padding_side == "left" else parts))
    dtype = sequences[0].dtype
    return torchish.stack([each.to(dtype) for each in filled], 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, each of its length. Without ``batch_first`` the batch is transposed in place."""
    if not batch_first:
        padded_sequences.transpose_(0, 1)
    return [sequence[:length] for sequence, length in zip(padded_sequences, lengths.tolist(), strict=True)]  # type: ignore[attr-defined]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """``pack_padded_sequence`` of sequences that are not padded yet."""
    lengths = torchish.as_tensor([each.size(0) for each in sequences])  # type: ignore[attr-defined]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences, each of its length, in the order in which they were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
