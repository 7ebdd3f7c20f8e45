"""Public functions, generated from the op definitions.

From one ``@op`` come ``torch.addcmul``, ``Tensor.addcmul``, ``Tensor.addcmul_``, ``out=`` and the aliases of each. The
wrappers are generated as source, once at import, so that calling one costs no more than binding its arguments.
``OP_FUNCTIONS`` holds the function of every op, internal ones included, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._ops.registry import OPS, Op, Param
from . import dispatch, inplace
from .arguments import as_dims, as_int, as_size, named_size, unpack
from .device import placement_of
from .dtypes import to_np
from .numpy_names import accepting_numpy_names
from .public import publish

OP_FUNCTIONS: dict[str, Callable[..., Any]] = {}

_CONVERSIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Size": ("as_size({0})", as_size),
    "Dims": ("{0} if {0}.__class__ is int or {0} is None else as_dims({0})", as_dims),
    "DType": ("{0} and to_np({0})", to_np),
    "Device": ("placement_of({0})", placement_of),
    "int": ("{0} if {0}.__class__ is int or {0} is None else as_int({0})", as_int),
}

_GLOBALS: dict[str, Any] = {
    "as_size": as_size,
    "as_dims": as_dims,
    "as_int": as_int,
    "to_np": to_np,
    "placement_of": placement_of,
    "named_size": named_size,
    "unpack": unpack,
    "call": dispatch.call,
    "call_inplace": inplace.call_inplace,
    "call_out": inplace.call_out,
}


def _static_expression(param: Param) -> str:
    kinds = param.kinds - {"None"}
    for kind, (expression, _) in _CONVERSIONS.items():
        if kind in kinds and (kind != "int" or kinds == {"int"}):
            return expression.format(param.name)
    return param.name


def _operand_expression(op: Op, param: Param) -> str:
    if "Number" in param.kinds and not param.required and isinstance(param.default, (bool, int, float, complex)):
        return f"(None if {param.name} is _default_{param.name} else {param.name})"
    return param.name


def _signature(op: Op, extra: str, values: dict[str, Any]) -> str:
    parts, star = [], False
    for param in op.params:
        if param.name == op.variadic:
            parts.append(f"*{param.name}")
            star = True
            continue
        if param.keyword_only and not star:
            parts.append("*")
            star = True
        if param.required:
            parts.append(param.name)
        else:
            values[f"_default_{param.name}"] = param.default
            parts.append(f"{param.name}=_default_{param.name}")
    if extra == "out":
        parts.extend([] if star else ["*"])
        parts.append("out=None")
    elif extra == "inplace":
        at = parts.index("*") if "*" in parts else len(parts)
        parts.insert(at, "inplace=False")
    if op.variadic is not None:
        parts.append("**named")
    return ", ".join(parts)


def make_function(op: Op, name: str, *, form: str = "plain") -> Callable[..., Any]:
    """The Python function of an op; ``form`` is ``plain``, ``inplace`` (the method with an underscore) or ``flag``
    (nn.functional's ``inplace=`` argument)."""
    values: dict[str, Any] = {"_op": op}
    extra = "inplace" if form == "flag" else "out" if form == "plain" and op.out else ""
    signature = _signature(op, extra, values)
    operands = "".join(_operand_expression(op, p) + ", " for p in op.params if p.is_operand)
    static = "".join(_static_expression(p) + ", " for p in op.params if not p.is_operand)
    lines = [f"def {name}({signature}):"]
    if op.variadic is not None:
        by_name = f"named_size({name!r}, {op.variadic!r}, named)"
        lines.append(f"    {op.variadic} = {by_name} if named else unpack({op.variadic})")
    arguments = f"_op, ({operands}), ({static})"
    if extra == "out":
        lines.append("    if out is not None:")
        lines.append(f"        return call_out({arguments}, out)")
    elif extra == "inplace":
        lines.append("    if inplace:")
        lines.append(f"        return call_inplace({arguments})")
    lines.append(f"    return {'call_inplace' if form == 'inplace' else 'call'}({arguments})")
    namespace = {**_GLOBALS, **values, "__name__": __name__}
    exec("\n".join(lines), namespace)
    function = namespace[name]
    function.__doc__ = op.doc
    function.__module__ = "torch"
    return accepting_numpy_names(function)


def generate() -> None:
    """Make and publish the functions of all ops that are defined by now."""
    for op in list(OPS.values()):
        identifier = op.name.replace(".", "_")
        function = OP_FUNCTIONS[op.name] = make_function(op, identifier)
        if op.inplace:
            OP_FUNCTIONS[op.name + "_"] = make_function(op, identifier + "_", form="inplace")
        for namespace in op.namespaces:
            flagged = op.inplace and namespace == "nn.functional"
            for alias in (op.name, *op.aliases):
                publish(namespace, alias, make_function(op, identifier, form="flag") if flagged else function)
                if op.inplace:
                    publish(namespace, alias + "_", OP_FUNCTIONS[op.name + "_"])
        for elsewhere in op.elsewhere:
            namespace, _, alias = elsewhere.rpartition(".")
            publish(namespace, alias, function)
