"""The public names: which function stands in which of PyTorch's namespaces.

``generate.py`` fills the table from the op definitions. ``@public`` adds functions on Tensors that are no op of
their own: views, creation, and those that choose among overloads or combine ops.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from .keywords import with_numpy_names

F = TypeVar("F", bound=Callable[..., Any])

PUBLIC: dict[str, dict[str, Any]] = defaultdict(dict)


def publish(namespace: str, name: str, function: Any) -> None:
    """Show ``function`` as ``name`` in a namespace; every name is given once."""
    if name in PUBLIC[namespace]:
        raise ValueError(f"{namespace}.{name} is defined twice")
    PUBLIC[namespace][name] = function


def public(*namespaces: str, name: str | None = None, aliases: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Publish a function on Tensors; without namespaces, in ``torch`` and on ``Tensor``."""

    def add(function: F) -> F:
        places = namespaces or ("torch", "Tensor")
        function.__name__ = function.__qualname__ = name or function.__name__
        shown: dict[bool, Any] = {False: function}
        for method in {namespace == "Tensor" for namespace in places if namespace in ("torch", "Tensor")}:
            shown[method] = with_numpy_names(function, function.__name__, method)
        for namespace in places:
            for each in (function.__name__, *aliases):
                publish(namespace, each, shown[namespace == "Tensor"])
        return shown[False]

    return add
