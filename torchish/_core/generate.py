"""Public functions, generated from the op definitions.

From one ``@op`` come ``torch.addcmul``, ``Tensor.addcmul``, ``Tensor.addcmul_``, ``out=`` and the aliases of each. The
wrappers are generated as source (``keywords.py``), once at import, so that calling one costs no more than binding its
arguments.
``OP_FUNCTIONS`` holds the function of every op, internal ones included, by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .._ops.registry import OPS, Op, Param
from . import dispatch, inplace
from .arguments import as_bool, as_dims, as_ints, as_size, must_be_int, unpack
from .device import placement_of
from .dtypes import to_np
from .keywords import function_of
from .public import publish

OP_FUNCTIONS: dict[str, Callable[..., Any]] = {}

_CONVERSIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Size": ("as_size({0})", as_size),
    "Dims": ("{0} if {0}.__class__ is int or {0} is None else as_dims({0})", as_dims),
    "DType": ("{0} and to_np({0}, _name)", to_np),
    "Device": ("placement_of({0})", placement_of),
}

_GLOBALS: dict[str, Any] = {
    "as_ints": as_ints,
    "must_be_bool": as_bool,
    "must_be_int": must_be_int,
    "as_size": as_size,
    "as_dims": as_dims,
    "to_np": to_np,
    "placement_of": placement_of,
    "unpack": unpack,
    "call": dispatch.call,
    "call_inplace": inplace.call_inplace,
    "call_out": inplace.call_out,
}


def _static_expression(op: Op, param: Param) -> str:
    if "Ints" in param.kinds:
        position = op.params.index(param) + 1
        return f"as_ints({param.name}, _name, {param.name!r}, {position})"
    kinds = param.kinds - {"None"}
    for kind, (expression, _) in _CONVERSIONS.items():
        if kind in kinds:
            return expression.format(param.name)
    for kind in ("bool", "int"):
        if kinds == {kind}:
            name, position = param.name, op.params.index(param) + 1
            taken = f"{name}.__class__ is {kind}" + (f" or {name} is None" if "None" in param.kinds else "")
            return f"{name} if {taken} else must_be_{kind}({name}, _name, {name!r}, {position})"
    return param.name


def _operand_expression(op: Op, param: Param) -> str:
    if "Number" in param.kinds and not param.required and isinstance(param.default, (bool, int, float, complex)):
        return f"(None if {param.name} is _default_{param.name} else {param.name})"
    return param.name


def _signature(op: Op, extra: str) -> inspect.Signature:
    """The signature that users see: the op's own, and ``out=`` or ``inplace=``."""
    kinds, by_keyword = [], False
    for param in op.params:
        kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        if param.name == op.variadic:
            kind, by_keyword = inspect.Parameter.VAR_POSITIONAL, True
        elif param.keyword_only or by_keyword:
            kind, by_keyword = inspect.Parameter.KEYWORD_ONLY, True
        default = inspect.Parameter.empty if kind is inspect.Parameter.VAR_POSITIONAL else param.default
        kinds.append(inspect.Parameter(param.name, kind, default=default))
    if extra == "out":
        kinds.append(inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None))
    elif extra == "inplace":
        at = next((n for n, p in enumerate(kinds) if p.kind is not p.POSITIONAL_OR_KEYWORD), len(kinds))
        kinds.insert(at, inspect.Parameter("inplace", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False))
    return inspect.Signature(kinds)


def _refuses_out(op: Op) -> Callable[..., Any]:
    """Methods take no ``out=``."""

    def refuse(*_: Any) -> Any:
        name = op.name.partition(".")[0]
        if len(op.params) == 1:
            raise TypeError(f"TensorBase.{name}() takes no keyword arguments")
        raise TypeError(f"{name}() got an unexpected keyword argument 'out'")

    return refuse


def make_function(op: Op, name: str, *, form: str = "plain", method: bool = False) -> Callable[..., Any]:
    """The Python function of an op; ``form`` is ``plain``, ``inplace`` (the one with an underscore) or ``flag``
    (nn.functional's ``inplace=`` argument); ``method``: whether it is Tensor's.
    """
    extra = "inplace" if form == "flag" else "out" if form == "plain" and op.out else ""
    signature = _signature(op, extra)
    operands = "".join(_operand_expression(op, p) + ", " for p in op.params if p.is_operand)
    static = "".join(_static_expression(op, p) + ", " for p in op.params if not p.is_operand)
    arguments = f"_op, ({operands}), ({static})"
    body = []
    if op.variadic is not None:
        body.append(f"{op.variadic} = unpack({op.variadic})")
    if extra == "out":
        body += ["if out is not None:", f"    return call_out({arguments}, out)"]
    elif extra == "inplace":
        body += ["if inplace:", f"    return call_inplace({arguments})"]
    body.append(f"return {'call_inplace' if form == 'inplace' else 'call'}({arguments})")
    shown = op.name.partition(".")[0]
    values = {**_GLOBALS, "_op": op, "_name": shown, "__name__": __name__}
    if method and extra == "out":
        values["call_out"] = _refuses_out(op)
    kinds = {p.name: p.kinds for p in op.params}
    shown += "_" * (form == "inplace")
    function = function_of(signature, name, body, values, kinds, method, shown)
    if method and extra == "out":
        function.__signature__ = _signature(op, "")
    function.__doc__ = op.doc
    function.__module__ = "torch"
    return function


def generate() -> None:
    """Make and publish the functions of all ops that are defined by now."""
    for op in list(OPS.values()):
        identifier = op.name.replace(".", "_")
        function = OP_FUNCTIONS[op.name] = make_function(op, identifier)
        if op.inplace:
            OP_FUNCTIONS[op.name + "_"] = make_function(op, identifier + "_", form="inplace")
        for namespace in op.namespaces:
            method = namespace == "Tensor"
            shown, written = function, OP_FUNCTIONS.get(op.name + "_")
            if op.inplace and namespace == "nn.functional":
                shown = make_function(op, identifier, form="flag")
            elif method:
                shown = make_function(op, identifier, method=True)
                written = written and make_function(op, identifier + "_", form="inplace", method=True)
            for alias in (op.name, *op.aliases):
                publish(namespace, alias, shown)
                if written:
                    publish(namespace, alias + "_", written)
        for elsewhere in op.elsewhere:
            namespace, _, alias = elsewhere.rpartition(".")
            publish(namespace, alias, function)
