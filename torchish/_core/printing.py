"""The printed form of a tensor, character for character PyTorch's, made from a NumPy array.

Three steps:

1. **Which elements.** A tensor of more than ``threshold`` elements shows ``edgeitems`` at either end of
   each dimension. ``edge_indices`` says which these are, so that a caller can gather them where the data
   lives and hand over just those (with the tensor's full shape).
2. **Columns.** All elements shown share one style and one width (complex tensors: one for the real parts,
   one for the imaginary parts). ``_column`` chooses them.
3. **Layout.** ``_layout`` nests the brackets and wraps rows at ``linewidth``; ``_with_suffixes`` then adds
   ``dtype=...``, ``grad_fn=...`` and the rest, on a new line where they no longer fit.

One habit of PyTorch looks odd and is kept: the width is measured on finite non-zero elements only, so that
``inf`` or ``-0.`` may stick out of a column of ``1.``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class PrintOptions:
    """What ``torch.set_printoptions`` sets. ``sci_mode=None`` lets the magnitudes decide."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed, as ``torch.set_printoptions``.

    Args:
        precision: digits after the decimal point.
        threshold: tensors of more elements than this are summarised.
        edgeitems: elements shown at either end of a summarised dimension.
        linewidth: characters in a line.
        profile: ``"default"``, ``"short"`` or ``"full"``; other arguments go over it, and an unknown name
            changes nothing.
        sci_mode: force scientific notation on or off. Each call sets this anew: leaving it out
            returns to the automatic choice.
    """
    global _options
    changes: dict[str, Any] = dict(PROFILES.get(profile, {})) if profile is not None else {}
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes.update((name, value) for name, value in given.items() if value is not None)
    _options = replace(_options, sci_mode=sci_mode, **changes)


def get_printoptions() -> dict[str, Any]:
    """The options in force, by name."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """``set_printoptions(**options)`` for the length of a ``with`` block."""
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def edge_indices(shape: Sequence[int]) -> tuple[np.ndarray, ...] | None:
    """The positions along each dimension that are printed, or None where all elements are.

    ``array[np.ix_(*edge_indices(shape))]`` is then all that ``tensor_str`` needs of the data.
    """
    if math.prod(shape) <= _options.threshold or not shape or _options.edgeitems < 0:
        return None
    edge = _options.edgeitems
    return tuple(
        np.concatenate([np.arange(edge), np.arange(size - edge, size)]) if size > 2 * edge else np.arange(size)
        for size in shape
    )


def tensor_str(
    array: np.ndarray | None,
    *,
    dtype_name: str,
    default_dtype_name: str = "float32",
    device: str | None = None,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    tensor_contents: str | None = None,
    shape: Sequence[int] | None = None,
    prefix: str = "tensor(",
    extra_suffixes: Sequence[str] = (),
) -> str:
    """``repr`` of a tensor.

    Args:
        array: the data; or what ``edge_indices(shape)`` selects of it; or None, for a tensor without
            data (``shape`` says its form then, and ``...`` stands for the contents).
        dtype_name: ``"float32"``, ``"int64"``, ...; shown where it is not what a reader would assume.
        default_dtype_name: the default floating dtype.
        device: ``"cuda:0"``, ``"meta"``, ...; None for the CPU, which is not shown.
        requires_grad: shown where there is no ``grad_fn_name``.
        grad_fn_name: ``"MulBackward0"``, ...
        tensor_contents: goes in the place of the formatted data.
        shape: the tensor's shape, where it is not that of ``array``.
        prefix: ``"MyTensor("`` for a subclass.
        extra_suffixes: further entries at the end, such as ``"tangent=..."``.
    """
    if shape is None:
        if array is None:
            raise TypeError("tensor_str() needs an array or a shape")
        shape = array.shape
    shape = tuple(int(size) for size in shape)
    indent = len(prefix)
    empty = math.prod(shape) == 0
    without_data = array is None or device == "meta"

    suffixes = [] if device is None else [f"device='{device}'"]
    # "[]" already says the size of an empty vector, "[...]" says nothing about any.
    if without_data or (len(shape) != 1 if empty else _options.edgeitems == 0):
        suffixes.append(f"size={shape}")
    if dtype_name not in _unsaid_dtypes(default_dtype_name, bare=empty or without_data):
        suffixes.append(f"dtype=torch.{dtype_name}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    suffixes.extend(extra_suffixes)

    if tensor_contents is not None:
        contents = tensor_contents
    elif array is None or without_data:
        contents = "..."
    elif empty:
        contents = "[]"
    else:
        contents = _contents(array, shape, indent)
    return _with_suffixes(prefix + contents, suffixes, indent)


def parameter_str(text: str, *, subclass: bool = False) -> str:
    """The printed form of a Parameter, from its form as a tensor.

    ``subclass`` is for a class derived from Parameter: its own name is in ``text``, and ``Parameter(...)``
    goes around that.
    """
    return "Parameter containing:\n" + (f"Parameter({text})" if subclass else text)


def _unsaid_dtypes(default_dtype_name: str, *, bare: bool) -> tuple[str, ...]:
    """The dtypes that are not shown. ``bare``: no element tells an integer from a float."""
    if bare:
        return (default_dtype_name,)
    complex_default = "complex128" if default_dtype_name == "float64" else "complex64"
    return (default_dtype_name, "int64", "bool", complex_default)


class _Column(NamedTuple):
    """Elements written out, each filled up with blanks to ``width`` where it is shorter."""

    texts: list[str]
    width: int


def _contents(array: np.ndarray, shape: tuple[int, ...], indent: int) -> str:
    edges = edge_indices(shape)
    if edges is not None and array.shape == shape:
        array = array[np.ix_(*edges)]
    elided = tuple(edges is not None and size > 2 * _options.edgeitems for size in shape)
    if array.size == 0:
        # edgeitems=0: PyTorch shows no more of a summarised dimension than its brackets.
        return _empty_summary(shape, elided, indent)
    cells = _cells(array)
    if not shape:
        return cells.texts[0]
    return _layout(cells, array.shape, elided, indent)


def _empty_summary(shape: tuple[int, ...], elided: tuple[bool, ...], indent: int) -> str:
    if len(shape) == 1 or elided[0]:
        return "[...]"
    between = "," + "\n" * (len(shape) - 1) + " " * (indent + 1)
    return "[" + between.join([_empty_summary(shape[1:], elided[1:], indent + 1)] * shape[0]) + "]"


def _cells(array: np.ndarray) -> _Column:
    """All elements of ``array`` in order, as they stand in the text."""
    flat = array.reshape(-1)
    kind = flat.dtype.kind
    if kind in "biu":
        texts = [str(value) for value in flat.tolist()]
        width = max(map(len, texts))
        return _Column([text.rjust(width) for text in texts], width)
    if kind == "c":
        real, imaginary = _column(flat.real), _column(flat.imag)
        texts = [a + _signed(b.lstrip()) + "j" for a, b in zip(real.texts, imaginary.texts, strict=True)]
        return _Column(texts, real.width + imaginary.width + 1)
    return _column(flat)


def _signed(text: str) -> str:
    return text if text[0] in "+-" else "+" + text


def _column(values: np.ndarray) -> _Column:
    """Floats in one style: ``1.`` (all whole), ``1.0000`` or ``1.0000e+00``."""
    # Exact: every floating dtype fits into float64.
    values = values.astype(np.float64)
    measured = values[np.isfinite(values) & (values != 0)]
    if not measured.size:
        return _written(values.tolist(), _whole, 1)

    whole = bool(np.all(measured == np.ceil(measured)))
    magnitudes = np.abs(measured)
    largest, smallest = float(magnitudes.max()), float(magnitudes.min())
    scientific = largest / smallest > 1000 or largest > 1e8 or (not whole and smallest < 1e-4)
    if _options.sci_mode is not None:
        scientific = _options.sci_mode
    style = _scientific if scientific else _whole if whole else _fixed
    width = max(len(style(value)) for value in measured.tolist())
    return _written(values.tolist(), style, width)


def _written(values: list[float], style: Callable[[float], str], width: int) -> _Column:
    return _Column([style(value).rjust(width) for value in values], width)


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def _fixed(value: float) -> str:
    return f"{value:.{_options.precision}f}"


def _scientific(value: float) -> str:
    return f"{value:.{_options.precision}e}"


def _layout(cells: _Column, shape: tuple[int, ...], elided: tuple[bool, ...], indent: int) -> str:
    """Brackets around the elements of ``shape``; ``...`` in the middle of each dimension in ``elided``.

    ``indent`` is the column in which the first bracket stands.
    """
    margin = " " * (indent + 1)
    if len(shape) == 1:
        parts = _with_gap(cells.texts, elided[0], " ...")
        in_line = max(1, (_options.linewidth - indent) // (cells.width + 2))
        lines = [", ".join(parts[start : start + in_line]) for start in range(0, len(parts), in_line)]
        return "[" + (",\n" + margin).join(lines) + "]"
    step = math.prod(shape[1:])
    parts = [
        _layout(_Column(cells.texts[start : start + step], cells.width), shape[1:], elided[1:], indent + 1)
        for start in range(0, len(cells.texts), step)
    ]
    between = "," + "\n" * (len(shape) - 1) + margin
    return "[" + between.join(_with_gap(parts, elided[0], "...")) + "]"


def _with_gap(parts: list[str], elided: bool, gap: str) -> list[str]:
    if not elided:
        return parts
    half = len(parts) // 2
    return [*parts[:half], gap, *parts[half:]]


def _with_suffixes(text: str, suffixes: Sequence[str], indent: int) -> str:
    """``text``, the suffixes and the closing bracket; a suffix that no longer fits starts a line."""
    # PyTorch counts one more than the characters of the last line.
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"
