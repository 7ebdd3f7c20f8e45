"""Arguments by keyword as PyTorch's own parser takes them.

Its functions know NumPy's names beside their own (``x.sum(axis=0, keepdims=True)``, ``torch.add(x1=a, x2=b)``) and have
texts of their own for what is missing, unknown or too much. A function that takes ``*extra`` and ``**named`` and leaves
parameters that must be given at ``MISSING`` costs nothing more when called well, and hands the rest over to ``rebound``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any, NoReturn

from .wrong_arguments import annotated_kinds, explainer

NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}
_TRANSLATED = frozenset(NUMPY_NAMES.values())


class _Missing:
    """Stands for an argument that was not given."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


def rebound(
    function: Callable[..., Any], name: str, given: dict[str, Any], named: dict[str, Any], extra: tuple = ()
) -> Any:
    """Call ``function`` again with the arguments in ``named`` under its own names.

    Args:
        function: what was called; its ``__signature__`` has the parameters.
        name: what error texts call it.
        given: the parameters as they were bound, ``MISSING`` where nothing was given. A parameter ``*sizes`` is a tuple.
        named: keyword arguments that are none of its parameters, or that name ``*sizes``.
        extra: positional arguments beyond its parameters.

    Raises:
        TypeError: an argument is missing, unknown, given twice, or one too many.
    """
    parameters = function.__signature__.parameters  # type: ignore[attr-defined]
    if extra:
        _refuse_extra(name, parameters.values(), len(extra), function.takes_self)  # type: ignore[attr-defined]
    variadic = next((p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL), None)
    unknown = None
    for keyword, value in named.items():
        own = keyword if keyword in parameters else NUMPY_NAMES.get(keyword, "")
        if own not in given:
            unknown = unknown or keyword
            continue
        empty = () if own == variadic else parameters[own].default
        if given[own] is not MISSING and given[own] is not empty:
            raise TypeError(f"{name}() got multiple values for argument '{own}'")
        given[own] = value
    absent = [p for p, value in given.items() if value is MISSING]
    if absent:
        _refuse_absent(name, absent)
    if unknown is not None:
        raise TypeError(f"{name}() got an unexpected keyword argument '{unknown}'")
    if variadic is None:
        return function(**given)
    at = list(given).index(variadic)
    values = list(given.values())
    sizes = values[at] if isinstance(values[at], Sequence) else [values[at]]
    return function(*values[:at], *sizes, **dict(list(given.items())[at + 1 :]))


def _refuse_extra(name: str, parameters: Iterable[inspect.Parameter], extra: int, method: bool) -> NoReturn:
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][method:]
    most, least = len(positional), sum(p.default is p.empty for p in positional)
    if not most:
        raise TypeError(f"TensorBase.{name}() takes no arguments ({extra} given)")
    taken = f"from {least} to {most}" if least < most else str(most)
    plural = "" if taken == "1" else "s"
    raise TypeError(f"{name}() takes {taken} positional argument{plural} but {most + extra} were given")


def _refuse_absent(name: str, absent: Sequence[str]) -> NoReturn:
    # The plural is PyTorch's.
    plural = "s" if len(absent) == 1 else ""
    quoted = ", ".join(f'"{p}"' for p in absent)
    raise TypeError(f"{name}() missing {len(absent)} required positional argument{plural}: {quoted}")


_CODES: dict[str, CodeType] = {}


def _code_of(source: str) -> CodeType:
    """The code of the one function in ``source``. Most ops have the signature of another: they share it."""
    code = _CODES.get(source)
    if code is None:
        module = compile(source, "<torchish>", "exec")
        code = _CODES[source] = next(x for x in module.co_consts if isinstance(x, CodeType))
    return code


def function_of(
    signature: inspect.Signature,
    name: str,
    body: Sequence[str],
    values: dict[str, Any],
    kinds: Mapping[str, frozenset[str]],
    method: bool,
    shown: str = "",
) -> Any:
    """A function from its body's source, that takes NumPy's names too and refuses what is missing as PyTorch does.

    Args:
        signature: its parameters. The body may ask ``x is _default_x`` for one that has a default.
        name: its name.
        body: the lines of its body.
        values: its global names.
        kinds: what its parameters take, in the words of annotations.
        method: whether the first is ``self``.
        shown: its name in texts about arguments of a wrong class, where that is another one.
    """
    parts: list[str] = []
    bound: list[str] = []
    defaults: list[Any] = []
    by_keyword: dict[str, Any] = {}
    asked = ["named"]
    extra = "()"
    if not any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        extra = "extra"
        asked.append(extra)
    for p in signature.parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            parts.append(f"*{p.name}")
        else:
            default = values[f"_default_{p.name}"] = MISSING if p.default is p.empty else p.default
            if p.kind is p.KEYWORD_ONLY:
                if not by_keyword and extra == "extra":
                    parts.append("*extra")
                by_keyword[p.name] = default
            else:
                defaults.append(default)
            parts.append(f"{p.name}=0")  # the code does not hold the default: the function does
            if p.default is p.empty:
                asked.append(f"{p.name} is _missing")
        bound.append(f"{p.name!r}: {p.name}")
    if not by_keyword and extra == "extra":
        parts.append("*extra")
    lines = [
        f"def function({', '.join([*parts, '**named'])}):",
        f"    if {' or '.join(asked)}:",
        f"        return _rebound(_self, _self.__name__, {{{', '.join(bound)}}}, named, {extra})",
        "    try:",
        *("        " + line for line in body),
        "    except Exception:",
        f"        wrong = _explain({{{', '.join(bound)}}})",
        "        if wrong is not None:",
        "            raise wrong from None",
        "        raise",
    ]
    explain = explainer(shown or name, signature, kinds, method)
    values.update(_missing=MISSING, _rebound=rebound, _explain=explain)
    code = _code_of("\n".join(lines)).replace(co_name=name, co_qualname=name)
    function: Any = FunctionType(code, values, name, tuple(defaults))
    function.__kwdefaults__ = by_keyword
    function.__signature__ = signature
    function.takes_self = method
    values["_self"] = function
    return function


def with_numpy_names(function: Callable[..., Any], name: str, method: bool) -> Callable[..., Any]:
    """``function`` under ``name``, taking NumPy's names too where it has a parameter that they stand for.

    ``method``: whether its first parameter is ``self``, which positions in error texts do not count.
    """
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    if not any(p.name in _TRANSLATED for p in parameters) or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return function
    passed = []
    for p in parameters:
        star = "*" if p.kind is p.VAR_POSITIONAL else ""
        passed.append(f"{p.name}={p.name}" if p.kind is p.KEYWORD_ONLY else star + p.name)
    body = [f"return _function({', '.join(passed)})"]
    values = {"_function": function, "__name__": function.__module__}
    wrapper = function_of(signature, name, body, values, annotated_kinds(function), method)
    wrapper.__doc__ = function.__doc__
    return wrapper
