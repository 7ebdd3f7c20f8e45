"""Arguments for the contract tests: what each parameter of an op is given.

The annotation decides, then the parameter's name (``BY_NAME``), then the op (``cases``). This is data about values alone;
which ops there are, and what each promises, the tests read from the registry. An op whose parameters the general rules
do not fit gets a line in a module of ``cases``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from cases import BY_OP
from cases.values import SQUARE, Bools, Fixed, Floats, Ints, Permutation, f, i

import torchish as torch
from torchish import Tensor
from torchish._ops.registry import Op, Param

BY_KIND: dict[str, Any] = {
    "Tensor": SQUARE,
    "Number": 0.7,
    "Tensors": [SQUARE, f(3, 3)],
    "int": 1,
    "Size": (3, 3),
    "Ints": (3, 3),
    "Dims": 1,
    "DType": torch.float64,
    "bool": False,
    "float": 2.0,
}

BY_NAME: dict[str, Any] = {
    "dim": 0,
    "dims": (0, 1),
    "index": i(3, 3),
    "indices": i(3, 3),
    "mask": Bools((3, 3)),
    "condition": Bools((3, 3)),
    "kernel_size": 2,
    "output_size": 2,
    "reduce": "sum",
    "normalized_shape": (3,),
    "pad": (1, 2),
    "k": 2,
    "vec": f(3),
    "vec1": f(3),
    "vec2": f(3),
    "batch1": f(2, 3, 3),
    "batch2": f(2, 3, 3),
    "running_mean": f(3),
    "running_var": f(3),
    # Hyperparameters of optimizer steps, which may be tensors too.
    **{name: 0.1 for name in ("lr", "momentum", "gradient_weight", "weight_decay", "beta1", "beta2", "eps")},
    "max_norm": 0.5,
    "total_norm": 2.0,
}


def arguments(op: Op) -> dict[str, Any]:
    """What each parameter is given, by name: Tensors, Python numbers and static values; optional ones mostly absent."""
    special = BY_OP.get(op.name, {})
    given = {}
    for position, param in enumerate(op.params):
        if param.name in special:
            spec = special[param.name]
        elif param.required or param.name in ("running_mean", "running_var"):
            spec = _general(param)
        else:
            continue
        # A seed of its own for each parameter, the same in every run.
        given[param.name] = _made(spec, np.random.default_rng([zlib.crc32(op.name.encode()), position]))
    return given


def _general(param: Param) -> Any:
    if param.name in BY_NAME:
        return BY_NAME[param.name]
    for kind, spec in BY_KIND.items():
        if kind in param.kinds:
            return spec
    raise LookupError(f"no general rule for {param}: give the op a line in a module of cases")


def _made(spec: Any, rng: np.random.Generator) -> Any:
    if isinstance(spec, list):
        return [_made(each, rng) for each in spec]
    if isinstance(spec, Floats):
        return torch.tensor(rng.uniform(spec.low, spec.high, spec.shape))
    if isinstance(spec, Ints):
        return torch.tensor(rng.integers(spec.low, spec.high, spec.shape))
    if isinstance(spec, Permutation):
        return torch.tensor(rng.permutation(spec.n))
    if isinstance(spec, Bools):
        return torch.tensor(rng.random(spec.shape) < 0.5)
    if isinstance(spec, Fixed):
        data = np.asarray(spec.data)
        return torch.tensor(data.astype(np.float64) if data.dtype.kind == "f" else data)
    return spec


def tensors_of(given: dict[str, Any]) -> list[Tensor]:
    """All tensors among arguments, in order."""
    found: list[Tensor] = []
    for value in given.values():
        found.extend(x for x in (value if isinstance(value, Sequence) else [value]) if isinstance(x, Tensor))
    return found


def with_tensors(given: dict[str, Any], tensors: Sequence[Any]) -> dict[str, Any]:
    """The same arguments with these in the tensors' places."""
    rest = iter(tensors)

    def swap(x: Any) -> Any:
        if isinstance(x, list):
            return [swap(y) for y in x]
        return next(rest) if isinstance(x, Tensor) else x

    return {name: swap(value) for name, value in given.items()}


def call(op: Op, function: Callable[..., Any], given: dict[str, Any], **more: Any) -> Any:
    """``function`` with the op's arguments, positional ones by position as users give them."""
    positional, named, gap = [], {}, False
    for param in op.params:
        if param.name not in given:
            gap = True
        elif param.name == op.variadic:
            value = given[param.name]
            positional.extend(value if isinstance(value, (tuple, list)) else [value])
        elif gap or param.keyword_only:
            named[param.name] = given[param.name]
        else:
            positional.append(given[param.name])
    return function(*positional, **named, **more)
