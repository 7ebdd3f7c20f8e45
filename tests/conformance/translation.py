"""Carries arguments from PyTorch to torchish and results back, and finds torchish's counterpart of a PyTorch callable."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import torchish


def to_array(t: torch.Tensor) -> np.ndarray:
    """A PyTorch tensor's data; bfloat16, which NumPy lacks, as float32."""
    t = t.detach().resolve_conj().resolve_neg()
    if t._is_zerotensor():
        t = torch.zeros(t.shape, dtype=t.dtype)
    return (t.float() if t.dtype == torch.bfloat16 else t).numpy().copy()


def array_of(t: torchish.Tensor) -> np.ndarray:
    """A torchish tensor's data; bfloat16 as float32."""
    t = t.detach().resolve_conj().resolve_neg()
    return np.asarray((t.float() if t.dtype == torchish.bfloat16 else t).numpy())


def name_of(dtype: Any) -> str:
    """``float32`` for either library's dtype."""
    return str(dtype).removeprefix("torch.")


class NoCounterpart(Exception):
    """Of an argument, such as a sparse layout."""


class Translator:
    """One call's arguments. A tensor that stands in several places is one tensor on the other side too."""

    def __init__(self, requires_grad: bool = False, share_memory: bool = False) -> None:
        """``share_memory``: whether tensors that share memory do so on the other side too, as views of one."""
        self.requires_grad, self.share_memory = requires_grad, share_memory
        self.made: dict[int, torchish.Tensor] = {}
        self.memories: dict[int, torchish.Tensor] = {}

    def __call__(self, x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            if id(x) not in self.made:
                self.made[id(x)] = self._tensor(x)
            return self.made[id(x)]
        if isinstance(x, torch.Size):
            return torchish.Size(x)
        if isinstance(x, tuple) and not hasattr(x, "_fields"):
            return tuple(self(y) for y in x)
        if isinstance(x, list):
            return [self(y) for y in x]
        if isinstance(x, dict):
            return {name: self(y) for name, y in x.items()}
        if isinstance(x, torch.dtype):
            return getattr(torchish, name_of(x))
        if isinstance(x, torch.device):
            return torchish.device(str(x))
        if isinstance(x, (torch.layout, torch.memory_format)):
            name = str(x).removeprefix("torch.")
            if not hasattr(torchish, name):
                raise NoCounterpart(name)
            return getattr(torchish, name)
        if isinstance(x, torch.Generator):
            return torchish.Generator()
        if isinstance(x, torch.nn.Module):  # a loss may take one: PairwiseDistance
            made = getattr(torchish.nn, type(x).__name__)()
            made.__dict__.update({name: value for name, value in vars(x).items() if not name.startswith("_")})
            return made
        if isinstance(x, types.FunctionType) and (id(x) in _names() or x.__module__.startswith("torch.testing")):
            return counterpart(x, x.__name__)
        return x

    def _tensor(self, t: torch.Tensor) -> torchish.Tensor:
        if t.device.type != "cpu":
            raise NoCounterpart(str(t.device))
        if t.dim() > 64:
            raise NoCounterpart("NumPy takes 64 dimensions at the most")
        if self.share_memory and t.layout is torch.strided and not t.is_conj() and t.numel():
            return self._view(t)
        differentiable = self.requires_grad and t.requires_grad
        if isinstance(t, torch.nn.Parameter):
            return torchish.nn.Parameter(self._copy(t), requires_grad=differentiable)
        return self._copy(t).requires_grad_(differentiable)

    def _view(self, t: torch.Tensor) -> torchish.Tensor:
        memory = t.untyped_storage()
        whole = self.memories.get(memory.data_ptr())
        if whole is None:
            flat = torch.empty(0, dtype=t.dtype).set_(memory, 0, (memory.nbytes() // t.element_size(),))
            whole = self.memories[memory.data_ptr()] = self._copy(flat)
        return torchish.as_strided(whole, t.shape, t.stride(), t.storage_offset())

    def _copy(self, t: torch.Tensor) -> torchish.Tensor:
        return torchish.tensor(to_array(t), dtype=getattr(torchish, name_of(t.dtype)))


def leaves(tree: Any) -> Iterator[Any]:
    """What lists, tuples and dicts hold in the end."""
    if isinstance(tree, (tuple, list)):
        for x in tree:
            yield from leaves(x)
    elif isinstance(tree, dict):
        yield from leaves(list(tree.values()))
    else:
        yield tree


_PLACES = {
    "": torch,
    "nn.functional.": torch.nn.functional,
    "linalg.": torch.linalg,
    "fft.": torch.fft,
    "special.": torch.special,
    "signal.windows.": torch.signal.windows,
    "masked.": torch.masked,
    "sparse.": torch.sparse,
    "Tensor.": torch.Tensor,
}


@functools.cache
def _names() -> dict[int, tuple[Any, str]]:
    """Every public PyTorch function with its name, by identity (held, so that no other object gets its number)."""
    names: dict[int, tuple[Any, str]] = {}
    for prefix, place in _PLACES.items():
        for name in dir(place):
            found = getattr(place, name)
            if callable(found):
                names.setdefault(id(found), (found, prefix + name))
    return names


def _look_up(dotted: str) -> Any:
    found: Any = torchish
    for part in dotted.split("."):
        found = getattr(found, part)
    return found


def _same_function(dotted: str, function: Any) -> bool:
    found: Any = torch
    for part in dotted.split("."):
        found = getattr(found, part, None)
    return found is function


def counterpart(function: Any, name: str) -> Callable[..., Any]:
    """What torchish has for a PyTorch callable.

    Args:
        function: the callable; one that PyTorch's own test code defines is run over torchish.
        name: the operator's name in PyTorch's database, for a callable without a public name.

    Raises:
        AttributeError: torchish has no such name.
    """
    if isinstance(function, types.FunctionType) and function.__module__.startswith("torch.testing"):
        return over_torchish(function)
    found = _names()[id(function)][1] if id(function) in _names() else name
    # Of several public names the database's own: F.threshold is F._threshold too.
    return _look_up(name if _same_function(name, function) else found)


def over_torchish(function: types.FunctionType) -> types.FunctionType:
    """A function of PyTorch's test code with torchish in PyTorch's place."""
    cells = tuple(types.CellType(_moved(cell.cell_contents)) for cell in function.__closure__ or ())
    scope = {name: torchish if value is torch else value for name, value in function.__globals__.items()}
    defaults = tuple(_moved(x) for x in function.__defaults__) if function.__defaults__ else None
    made = types.FunctionType(function.__code__, scope, function.__name__, defaults, cells)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _moved(x: Any) -> Any:
    if x is torch:
        return torchish
    if id(x) in _names() or (isinstance(x, types.FunctionType) and x.__module__.startswith("torch.testing")):
        return counterpart(x, x.__name__)
    return Translator()(x)
