"""Which argument of a call that has failed is of a class that PyTorch's parser refuses, and its text for that.

PyTorch looks at the classes of all arguments before a call. Here a call that goes well looks at none: only where it has
failed, with whatever error, are its arguments held against what the definition says, and the first that does not fit is
named in place of the error.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .arguments import as_int, class_name

Explain = Callable[[dict[str, Any]], TypeError | None]


def _is_tensor(x: Any) -> bool:
    from .tensor import Tensor

    return isinstance(x, Tensor)


def _is_number(x: Any) -> bool:
    return isinstance(x, (numbers.Number, np.generic)) or _is_tensor(x)


def _is_real(x: Any) -> bool:
    return isinstance(x, (numbers.Real, np.generic)) or _is_tensor(x)


def _is_int(x: Any) -> bool:
    """Tensors too: whether one is an integer is not a question of its class."""
    return _is_tensor(x) or as_int(x).__class__ is int


def _are_ints(x: Any) -> bool:
    return isinstance(x, (list, tuple, np.ndarray)) or _is_int(x)


# What an annotation takes, and what PyTorch calls it; the first that a parameter has names it.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Tensor": (_is_tensor, "Tensor"),
    "Dims": (_are_ints, "tuple of ints"),
    "Size": (_are_ints, "tuple of ints"),
    "Ints": (_are_ints, "tuple of ints"),
    "int": (_is_int, "int"),
    "float": (_is_real, "float"),
    "Number": (_is_number, "Number"),
    "bool": (lambda x: isinstance(x, (bool, np.bool_)), "bool"),
    "str": (lambda x: isinstance(x, str), "str"),
    "None": (lambda x: x is None, "None"),
}


def explainer(name: str, signature: inspect.Signature, kinds: Mapping[str, frozenset[str]], method: bool) -> Explain:
    """A function of a failed call's arguments, by parameter, that gives the TypeError for the first of a wrong class.

    Args:
        name: what the text calls the function.
        signature: its parameters; an argument that is a parameter's default is right.
        kinds: what the parameters take, in the words of annotations; those with words that are not known take anything.
        method: whether the first parameter is ``self``, which positions do not count.
    """

    def explain(given: dict[str, Any]) -> TypeError | None:
        for position, p in enumerate(list(signature.parameters.values())[method:], 1):
            takes = kinds.get(p.name, frozenset())
            if not takes or not takes <= _KINDS.keys():
                continue
            value = given[p.name]
            if p.kind is p.VAR_POSITIONAL:
                value = value[0] if len(value) == 1 else value
            if value is p.default or any(_KINDS[kind][0](value) for kind in takes):
                continue
            want = next(text for kind, (_, text) in _KINDS.items() if kind in takes)
            where = "" if p.kind is p.KEYWORD_ONLY else f" (position {position})"
            return TypeError(f"{name}(): argument '{p.name}'{where} must be {want}, not {class_name(value)}")
        return None

    return explain


def annotated_kinds(function: Callable[..., Any]) -> dict[str, frozenset[str]]:
    """The words of a function's annotations, which are texts."""
    return {
        name: frozenset(part.strip() for part in annotation.split("|"))
        for name, annotation in function.__annotations__.items()
        if isinstance(annotation, str)
    }
