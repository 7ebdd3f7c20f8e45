#!/usr/bin/env python3
"""Writes docs/operators.md, the list of all ops and of what each supports, from the registry.

    python tests/contract/operators_page.py

``test_operators_page.py`` fails where the page is not what this gives.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).parent))

import jax
import numpy as np
from arguments import arguments, call, tensors_of, with_tensors

import torchish as torch
from torchish._core.generate import OP_FUNCTIONS
from torchish._core.public import PUBLIC
from torchish._ops.registry import OPS, Op
from torchish.interop import functional

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"

# One dtype stands for its kind.
KINDS = {
    "bool": "bool",
    "int": "int64",
    "half": "float16",
    "bf16": "bfloat16",
    "float": "float32",
    "complex": "complex64",
}

HEAD = """# Operators

Written by `python tests/contract/operators_page.py` from the definitions in `torchish/_ops`; a test holds it to them.

An op is shown under its public names. *in place*: there is a form with an underscore that writes into its first
argument. *out*: it takes `out=`. *gradient*: its results can require grad, to any order; the contract tests hold first
and second derivatives of each against `jax.grad`. *dtypes*: which kinds its tensors may have (`int` stands for all
integers, `float` for float32 and float64, `half` for float16, `bf16` for bfloat16).

| op | what | in place | out | gradient | dtypes |
|---|---|---|---|---|---|
"""

COMPOSITES = """# Functions over them

Views, functions that choose among ops, and those that combine several.

| function | what |
|---|---|"""


def public_names(op: Op) -> list[str]:
    """``torch.add``, ``Tensor.add``, ... as far as the op itself is public; internal ones stand for their overloads."""
    return [f"{space}.{name}" for space in op.namespaces for name in (op.name, *op.aliases)] + list(op.elsewhere)


def accepted_kinds(op: Op) -> list[str]:
    """The kinds of dtypes in which the op can be recorded; nothing is executed."""
    given = arguments(op)
    tensors = tensors_of(given)
    floating = [t.dtype.is_floating_point for t in tensors]
    which = floating if any(floating) else [True] * len(tensors)
    return [kind for kind, dtype in KINDS.items() if _is_accepted(op, given, tensors, which, getattr(torch, dtype))]


def _is_accepted(op: Op, given: dict[str, Any], tensors: list[Any], which: list[bool], dtype: Any) -> bool:
    @functional
    def run(*traced: Any) -> Any:
        outcome = call(op, OP_FUNCTIONS[op.name], with_tensors(given, traced))
        return list(outcome) if isinstance(outcome, (tuple, list)) else outcome

    avals = [
        jax.ShapeDtypeStruct(tuple(t.shape), dtype.np if chosen else np.dtype(t.dtype.np))
        for t, chosen in zip(tensors, which, strict=True)
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jax.eval_shape(run, *avals)
    except (RuntimeError, TypeError, ValueError, IndexError, ArithmeticError):
        return False
    return True


def row(op: Op) -> str:
    names = public_names(op)
    shown = _shown(names) if names else f"`{op.name}`"
    what = _first_lines(op.doc)
    if isinstance(op.differentiable, tuple):
        gradient = "result " + ", ".join(str(n) for n in op.differentiable)
    else:
        gradient = "yes" if op.differentiable else ""
    kinds = " ".join(accepted_kinds(op)) if tensors_of(arguments(op)) else ""
    return f"| {shown} | {what} | {'yes' if op.inplace else ''} | {'yes' if op.out else ''} | {gradient} | {kinds} |"


def composites() -> dict[str, list[str]]:
    """The public functions that are no op of their own, by the first line of their docstring: their names."""
    generated = {id(function) for function in OP_FUNCTIONS.values()}
    found: dict[str, list[str]] = defaultdict(list)
    for space, functions in sorted(PUBLIC.items()):
        for name, function in sorted(functions.items()):
            doc = (getattr(function, "__doc__", None) or "").strip()
            if callable(function) and id(function) not in generated and doc and function.__module__ != "torch":
                found[_first_lines(doc)].append(f"{space}.{name}")
    return found


def _first_lines(doc: str) -> str:
    text = doc.strip().split("\n\n")[0].replace("|", "\\|")
    return " ".join(word for word in text.split() if not word.startswith("https://"))


def _shown(names: list[str]) -> str:
    return ", ".join(f"`{name if name.startswith(('torch.', 'Tensor.')) else 'torch.' + name}`" for name in names)


def page() -> str:
    ops = sorted((op for op in OPS.values() if not op.name.startswith("random.")), key=lambda op: op.name)
    others = sorted(composites().items(), key=lambda item: item[1][0].rpartition(".")[2])
    lines = [row(op) for op in ops]
    lines += ["", f"{len(OPS)} ops, of which those named `random.` draw numbers.", "", COMPOSITES]
    lines += [f"| {_shown(names)} | {what} |" for what, names in others]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
