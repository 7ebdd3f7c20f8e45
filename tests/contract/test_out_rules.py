"""``out=`` of every op against real PyTorch: the dtypes it takes, the memory it may share, gradients, resizing.

The ops come from the registry, their arguments from ``arguments.py``. What is compared is whether the call is refused,
and with which exception and text; the values of ``out=`` are compared by ``test_ops.py``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from arguments import arguments

import torchish
from torchish._core.generate import OP_FUNCTIONS
from torchish._exec.window import THREADS, _retire
from torchish._ops.registry import OPS, Op

pytestmark = pytest.mark.oracle

OUT_DTYPES = ("float64", "float32", "int64", "uint8", "bool", "complex64")

# With out=, PyTorch's function for all elements does not exist.
NEEDS_DIM = {"sum"}

# Of some dtypes PyTorch computes these elsewhere and copies, so that an expanded out= of another shape is taken.
COPIED_OF_SOME_DTYPES = {"angle", "nan_to_num", "pow.scalar", "std.correction", "var.correction"}

# Operands that PyTorch overwrites before it reads them, where they share memory with out.
WRITTEN_BEFORE_READ = {("lu_unpack", "LU_pivots")}


@pytest.fixture(autouse=True)
def nothing_is_run() -> Iterator[None]:
    """Nobody reads a result: what was recorded is forgotten, which saves compiling it."""
    torchish.compiler.synchronize()
    yield
    _retire(THREADS.context.window)


def pytorchs(op: Op) -> Callable[..., Any] | None:
    """PyTorch's function, where that takes ``out=`` and is no other overload's."""
    torch = pytest.importorskip("torch")
    name = op.name.partition(".")[0]
    places = [f"{n}.{name}".removeprefix("torch.") for n in op.namespaces if n != "Tensor"] + [*op.elsewhere, name]
    places.append(name.replace("_", ".", 1))  # linalg_vector_norm, fft_fft
    for place in places:
        try:
            return attrgetter(place)(torch)
        except AttributeError:
            continue
    return None


class Case:
    """An op's arguments as one library's: floats in one dtype, each tensor in its place."""

    def __init__(self, op: Op, library: Any, dtype: str):
        self.op, self.library, self.dtype = op, library, dtype
        self.given = {name: self.converted(x) for name, x in arguments(op).items()}
        if op.name in NEEDS_DIM:
            self.given["dim"] = 0

    def converted(self, x: Any) -> Any:
        if isinstance(x, list):
            return [self.converted(each) for each in x]
        if isinstance(x, torchish.dtype):
            return getattr(self.library, str(x).removeprefix("torch."))
        if not isinstance(x, torchish.Tensor):
            return x
        array = x.numpy()
        if array.dtype.kind == "f":
            array = (np.ceil(3 * array) if self.dtype in ("int32", "bool") else array).astype(self.dtype)
        return self.library.tensor(array)

    def tensors(self) -> Iterator[tuple[str, int | None, Any]]:
        for name, x in self.given.items():
            for i, each in enumerate(x) if isinstance(x, list) else [(None, x)]:
                if isinstance(each, self.library.Tensor):
                    yield name, i, each

    def swapped(self, name: str, i: int | None, tensor: Any) -> dict[str, Any]:
        given = dict(self.given)
        given[name] = tensor if i is None else [tensor if k == i else x for k, x in enumerate(given[name])]
        return given

    def run(self, function: Callable[..., Any], out: Any, given: dict[str, Any] | None = None) -> Any:
        given = self.given if given is None else given
        positional, named, gap = [], {}, False
        for param in self.op.params:
            if param.name not in given:
                gap = True
            elif gap or param.keyword_only:
                named[param.name] = given[param.name]
            else:
                positional.append(given[param.name])
        return function(*positional, **named, **({} if out is None else {"out": out}))

    def outs(self, avals: Sequence[tuple], position: int, tensor: Any) -> Any:
        """The results' places, of which ``tensor`` is one."""
        made = [self.library.empty(0, dtype=getattr(self.library, dtype)) for _, dtype in avals]
        made[position] = tensor
        return tuple(made) if len(made) > 1 else made[0]

    def empty(self, shape: Sequence[int], dtype: str, **more: Any) -> Any:
        return self.library.empty(shape, dtype=getattr(self.library, dtype), **more)

    def answers(self, function: Callable[..., Any], avals: Sequence[tuple]) -> dict[str, str]:
        """What calls with all kinds of ``out=`` end in, by the kind's name."""
        found: dict[str, str] = {}

        def ask(name: str, out: Any, given: dict[str, Any] | None = None) -> None:
            found[name] = outcome(lambda: self.run(function, out, given))

        for k, (shape, dtype) in enumerate(avals):
            for wanted in OUT_DTYPES:
                ask(f"result {k} in {wanted}", self.outs(avals, k, self.empty(0, wanted)))
            ask(f"result {k} of another size", self.outs(avals, k, self.empty((2, 7), dtype)))
            if dtype in ("float32", "complex64"):
                ask(f"result {k} requires grad", self.outs(avals, k, self.empty(0, dtype, requires_grad=True)))
            numel = int(np.prod(shape))
            if numel > 1:  # PyTorch writes without a look at the strides: so there is room
                one = self.library.zeros(numel, dtype=getattr(self.library, dtype))[:1]
                ask(f"result {k} expanded", self.outs(avals, k, one.reshape([1] * len(shape)).expand(shape)))
            if len(avals) == 1 and self.op.name not in COPIED_OF_SOME_DTYPES:
                twice = self.library.zeros(1, dtype=getattr(self.library, dtype)).expand(2)
                ask("expanded, of another shape", twice.expand(numel + 2, 2))
            for name, i, x in self.tensors():
                if x.dtype != getattr(self.library, dtype) or (self.op.name, name) in WRITTEN_BEFORE_READ:
                    continue
                label = f"result {k} in memory of {name} {i}"
                if tuple(x.shape) == shape:
                    same = x.clone()
                    ask(label, self.outs(avals, k, same), self.swapped(name, i, same))
                if numel > 1 and x.numel() > 1:
                    n = x.numel()
                    memory = self.library.zeros(n + numel, dtype=x.dtype)
                    part, out = memory[:n].view(x.shape), memory[n - 1 : n - 1 + numel].view(shape)
                    part.copy_(x)
                    ask(label + " in part", self.outs(avals, k, out), self.swapped(name, i, part))
        for name, i, x in self.tensors():
            if x.dtype.is_floating_point:
                leaf = x.clone().requires_grad_()
                ask(
                    f"{name} {i} requires grad",
                    self.outs(avals, 0, self.empty(0, avals[0][1])),
                    self.swapped(name, i, leaf),
                )
        return found


def outcome(call: Callable[[], Any]) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return "taken" + "".join(", warned" for w in caught if "was resized since" in str(w.message))


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.out], ids=lambda op: op.name)
def test_out_is_taken_and_refused_as_by_pytorch(op: Op) -> None:
    torch = pytest.importorskip("torch")
    theirs = pytorchs(op)
    assert theirs is not None, "PyTorch has no such function"
    for dtype in ("float32", "int32", "complex64"):
        case = Case(op, torch, dtype)
        try:
            results = case.run(theirs, None)
        except Exception:
            continue
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        avals = [(tuple(t.shape), str(t.dtype).removeprefix("torch.")) for t in results]
        expected = case.answers(theirs, avals)
        got = Case(op, torchish, dtype).answers(OP_FUNCTIONS[op.name], avals)
        assert got == expected, dtype
