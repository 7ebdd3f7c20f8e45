"""The one door through which every operation goes: bind, promote, record, differentiate, wrap.

The public functions are generated (``generate.py``); each ends in ``call``, ``call_inplace`` or
``call_out`` with its operands and its static arguments. What depends on the operands' avals alone (promotion,
shapes, errors about them, the derivative) is worked out once and kept in a ``Kernel``.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from .._exec import placement as placements
from .._exec.kernel import Kernel
from .._exec.value import Aval, Value
from .._exec.window import THREADS, Context, record
from .._ops import scalar_types
from .._ops.registry import OPS, Op, Param
from . import promotion
from .device_copy import copy_node
from .graph import AccumulateGrad, Edge, Node, next_sequence_number, node_class
from .storage import InferenceCounter, Storage, on_device
from .tensor import NUMBER_CLASSES, TENSOR_CLASSES, Tensor
from .underived import not_implemented, refusing_node

_new = object.__new__


def wrap(value: Value) -> Tensor:
    """A Tensor of its own Storage."""
    t = _new(Tensor)
    t._storage = s = _new(Storage)
    s.value = value
    s.aval = value.aval
    context = THREADS.context
    s.counter = InferenceCounter((0,)) if context.inference else [0]
    s.writes = 0
    s.host = None
    s.trace = context.trace
    t._view = t._edge = t._grad = t._extra = None
    return t


def _bind(operands: Sequence[Any], static: tuple) -> tuple[list, list, list, list, list]:
    """Values, key, needs, edges and owners (what each value came from) of operands."""
    values: list[Any] = []
    key: list[Any] = [static]
    needs: list[int] = []
    edges: list[Edge] = []
    owners: list[Any] = []
    for x in operands:
        cls = x.__class__
        if cls in TENSOR_CLASSES:
            if x._view is None:
                v = x._storage.value
                if v is None:
                    v = x._storage.read()
                edge = x._edge
            else:
                v = x._read()
                edge = x._current_edge() if THREADS.context.grad_enabled else None
            if edge is not None:
                needs.append(len(values))
                edges.append(edge)
            key.append(v.aval)
        elif x is None:
            key.append(None)
            continue
        elif cls in NUMBER_CLASSES:
            v = x
            key.append(cls)
        elif cls is Value:
            v = x
            key.append(v.aval)
        elif cls is list or cls is tuple or isinstance(x, (list, tuple)):
            inner = _bind(x, ())
            key.append(len(x))
            key.extend(inner[1][1:])
            needs.extend([i + len(values) for i in inner[2]])
            edges.extend(inner[3])
            values.extend(inner[0])
            owners.extend(inner[4])
            continue
        else:
            v = _as_number(x)
            key.append(v.__class__)
        values.append(v)
        owners.append(x)
    return values, key, needs, edges, owners


class _NotAnOperand:
    """Marks, in a key, an argument of a class that no op takes."""

    def __init__(self, cls: type):
        self.cls = cls


def _as_number(x: Any) -> Any:
    """A NumPy scalar as the Python number it is."""
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    if isinstance(x, (float, np.floating)):
        return float(x)
    if isinstance(x, (complex, np.complexfloating)):
        return complex(x)
    return _NotAnOperand(type(x))


def drop_jax_notes(error: Exception) -> None:
    """Take away what JAX adds to the text of an exception about frames that it removed."""
    notes = getattr(error, "__notes__", None)
    if notes:
        notes[:] = [n for n in notes if "JAX has removed its internal frames" not in n]


def _kernel(op: Op, values: list, key: list) -> Kernel:
    full = tuple(key)
    kernel = op.kernels.get(full)
    if kernel is None:
        for v in values:
            if v.__class__ is _NotAnOperand:
                _refuse(op, key, values)
        try:
            kernel = op.kernels[full] = make_kernel(op, full)
        except Exception as error:
            drop_jax_notes(error)
            raise
    if kernel.moves:
        for i in kernel.moves:
            values[i] = on_device(values[i], kernel.placement)
    return kernel


def call(op: Op, operands: Sequence[Any], static: tuple = ()) -> Any:
    """Record ``op``; its result as a Tensor, or a tuple of Tensors."""
    values, key, needs, edges, owners = _bind(operands, static)
    if op.fits:
        check_numbers(values)
    kernel = op.kernels.get(tuple(key))
    if kernel is None or kernel.moves:
        kernel = _kernel(op, values, key)
        if kernel.moves and needs:
            edges = edges_across(kernel, operands, needs, edges)
    context = THREADS.context
    results = record(context, kernel, values)
    node = None
    if needs and context.grad_enabled and kernel.differentiable:
        node = make_node(context, kernel, values, needs, edges, owners)
    if kernel.single is None:
        return _wrap_all(op, kernel, results, node)
    t = _new(Tensor)
    t._storage = s = _new(Storage)
    s.value = results
    s.aval = results.aval
    s.counter = InferenceCounter((0,)) if context.inference else [0]
    s.writes = 0
    s.host = None
    s.trace = context.trace
    t._view = t._grad = t._extra = None
    if node is None:
        t._edge = None
    else:
        t._edge = (node, 0)
        if kernel.saves_result:
            node.versions = ((s.counter, 0),)
    return t


def check_numbers(values: Sequence[Any]) -> None:
    """Raise PyTorch's error for a number that does not fit the first operand's dtype."""
    for value in values[1:]:
        if value.__class__ in NUMBER_CLASSES:
            scalar_types.check_fits(value, values[0].aval.dtype)


def edges_across(kernel: Kernel, operands: Sequence[Any], needs: Sequence[int], edges: Sequence[Edge]) -> list[Edge]:
    """The edges of operands of which some were carried to the kernel's device: those go through a copy back."""
    avals = _bind(operands, ())[0]
    return [
        (copy_node(avals[i].aval.placement, cast(Aval, kernel.in_avals[i]), edge), 0) if i in kernel.moves else edge
        for i, edge in zip(needs, edges, strict=True)
    ]


def edges_refusing(kernel: Kernel, needs: Sequence[int], edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """The edges of operands of which some have no derivative: those lead to a node that says so when it is run."""
    return tuple(
        (refusing_node(not_implemented(kernel.underived[i]), cast(Aval, kernel.in_avals[i]), edge), 0)
        if i in kernel.underived
        else edge
        for i, edge in zip(needs, edges, strict=True)
    )


def _wrap_all(op: Op, kernel: Kernel, results: tuple, node: Node | None) -> tuple:
    tensors = []
    for i, value in enumerate(results):
        t = wrap(value)
        t._storage.trace = THREADS.context.trace
        if node is not None and i in kernel.grad_results:
            t._edge = (node, i)
        tensors.append(t)
    if op.returns is not None:
        return return_type(op)(tensors)
    return tuple(tensors)


_INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in "
    "autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)


def make_node(
    context: Context, kernel: Kernel, values: Sequence[Any], needs: Sequence[int], edges: Sequence[Edge], owners
) -> Node:
    """The node of an instruction that was just recorded.

    ``owners``: the tensor that each operand is, whose version the node will check; None where it shall not.
    """
    which = tuple(needs)
    vjp = kernel.vjps.get(which) or kernel.vjp(which)
    cls = vjp.node_class
    if cls is None:
        cls = vjp.node_class = node_class(kernel.node)
    node = _new(cls)
    node.vjp = vjp
    node.saved = vjp.pick(values) if vjp.pick is not None else tuple([values[i] for i in vjp.uses])
    node.edges = tuple(edges) if not kernel.underived else edges_refusing(kernel, needs, edges)
    node.sequence_nr = next_sequence_number()
    node.hooks = None
    # A full window was flushed by record: then the position is -1, in a window of no code.
    node.window = window = context.window
    node.position = len(window.code) - 1 if context.trace is None else -1
    versions = []
    for i in vjp.guards:
        x = owners[i]
        if x is not None:
            counter = x._storage.counter if x._view is None else x._counter()
            versions.append((counter, counter[0]))
    node.versions = tuple(versions)
    if InferenceCounter.used and any(counter.__class__ is InferenceCounter for counter, _ in versions):
        raise RuntimeError(_INFERENCE_SAVED)
    if context.hooks is not None:
        context.hooks.node_made(node)
    return node


def make_kernel(op: Op, key: tuple, on: Any = None) -> Kernel:
    """Work out everything about ``op`` on operands of these avals: ``key`` is (static, avals...).

    ``on``: the device, where no operand says it.
    """
    marks = iter(key[1:])
    static_values = iter(key[0])
    plan: list[tuple[Param, str, Any]] = []  # parameter, "one" | "list" | "absent" | "static", count or value
    avals: list[Any] = []
    owner: list[Param] = []
    for position, param in enumerate(op.params):
        if not param.is_operand:
            plan.append((param, "static", next(static_values)))
            continue
        mark = next(marks)
        if mark is None:
            if param.required and "None" not in param.kinds:
                raise TypeError(_wrong_class(op, position, "NoneType"))
            plan.append((param, "absent", None if param.required else param.default))
        elif mark.__class__ is int:
            if "Tensors" not in param.kinds:
                raise TypeError(_wrong_class(op, position, "tuple"))
            plan.append((param, "list", mark))
            entries = list(itertools.islice(marks, mark))
            for i, entry in enumerate(entries):
                if not isinstance(entry, Aval):
                    raise TypeError(_wrong_element(i, position, entry))
            avals.extend(entries)
            owner.extend([param] * mark)
        else:
            if "Tensors" in param.kinds:
                got = mark.__name__ if isinstance(mark, type) else "Tensor"
                raise TypeError(_wrong_class(op, position, got, "tuple of Tensors"))
            if isinstance(mark, type) and "Number" not in param.kinds:
                raise TypeError(_wrong_class(op, position, mark.__name__))
            if isinstance(mark, Aval) and not param.kinds & {"Tensor", "Number"}:
                raise TypeError(_wrong_class(op, position, "Tensor", "tuple of Tensors"))
            plan.append((param, "one", None))
            avals.append(mark)
            owner.append(param)
    mixed = any({"Tensor", "Number"} <= p.kinds for p in owner)
    if mixed and on is None and not op.takes_numbers and not any(isinstance(a, Aval) for a in avals):
        got = ", ".join(a.__name__ for a in avals)
        raise TypeError(f"{op.name.partition('.')[0]}() received an invalid combination of arguments - got ({got})")
    placement, moves = _common_placement(op, avals, plan)
    placement = on or placement
    if op.validate is not None:
        op.validate(
            {
                p.name: a.dtype if isinstance(a, Aval) else promotion.number_dtype(a)
                for p, a in zip(owner, avals, strict=True)
            }
        )
    casts = _casts(op, avals, owner)
    body = _body(op, op.fn, plan, casts)
    static = {param.name: value for param, kind, value in plan if kind == "static"}
    node = op.node if isinstance(op.node, str) else op.node(**static, **_for_node_name(plan, avals, owner))
    check = None if op.check is None else _body(op, op.check, plan, casts, by_name=True)
    in_avals = [a if isinstance(a, type) or i not in moves else _moved(a, placement) for i, a in enumerate(avals)]
    kernel = Kernel(
        op.name,
        body,
        in_avals,
        placement,
        node=node,
        grad_node=op.grad_node,
        saves_result=op.saves == "result",
        saves_operands=op.saves == "operands",
        guards_operands=op.saves not in ("nothing", "indices"),
        selects=op.saves == "indices",
        differentiable=op.differentiable,
        derivative_check=(op.derivative_check, op.derivative_error) if op.derivative_check is not None else None,  # type: ignore[arg-type]
        check=check,
        check_error=_check_error(op, plan, in_avals) if check is not None else None,
    )
    kernel.moves = moves
    kernel.underived = {i: op.underived[p.name] for i, p in enumerate(owner) if p.name in op.underived}
    if op.refuses_derivative is not None:
        arguments = _named_arguments(plan, in_avals)
        if op.refuses_derivative(**arguments) is not None:
            kernel.refusal = functools.partial(op.refuses_derivative, **arguments)
    kernel.tensor_operands = tuple(i for i, p in enumerate(owner) if p.kinds & {"Tensor", "Tensors"})
    return kernel


def _for_node_name(plan: Sequence[tuple], avals: Sequence[Any], owner: Sequence[Param]) -> dict[str, Any]:
    """What a node's name may depend on besides static arguments: of the operands the dimensions and dtypes, and which
    are numbers."""
    ndims = tuple(a.ndim if isinstance(a, Aval) else None for a in avals)
    dtypes = tuple(a.dtype if isinstance(a, Aval) else promotion.number_dtype(a) for a in avals)
    numbers = tuple(p.name for p, a in zip(owner, avals, strict=True) if isinstance(a, type))
    absent = tuple(p.name for p, kind, _ in plan if kind == "absent")
    return {"ndims": ndims, "dtypes": dtypes, "numbers": numbers, "absent": absent}


def _moved(aval: Aval, placement: Any) -> Aval:
    from .._exec.value import aval_of

    return aval_of(aval.shape, aval.dtype, placement)


def _common_placement(op: Op, avals: Sequence[Any], plan: Sequence[tuple]) -> tuple[Any, tuple[int, ...]]:
    """The device that the op runs on, and the 0-dim CPU operands that have to be carried there."""
    for param, kind, value in plan:
        if kind == "static" and "Device" in param.kinds:
            return value, ()
    found: dict[Any, None] = dict.fromkeys(a.placement for a in avals if isinstance(a, Aval))
    if not found:
        return placements.cpu(), ()
    if len(found) == 1:
        return next(iter(found)), ()
    scalars = [i for i, a in enumerate(avals) if isinstance(a, Aval) and a.ndim == 0 and a.placement.type == "cpu"]
    rest = dict.fromkeys(a.placement for i, a in enumerate(avals) if isinstance(a, Aval) and i not in scalars)
    if len(rest) == 1:
        return next(iter(rest)), tuple(scalars)
    first, second = list(found)[:2]
    raise RuntimeError(
        f"Expected all tensors to be on the same device, but found at least two devices, {first} and {second}!"
    )


def _casts(op: Op, avals: Sequence[Any], owner: Sequence[Param]) -> list[np.dtype | None]:
    """The dtype that each operand is cast to before the body sees it."""
    ranked = []
    for aval, param in zip(avals, owner, strict=True):
        if param.name in op.promote:
            if isinstance(aval, Aval):
                ranked.append((aval.dtype, 2 if aval.ndim else 1))
            else:
                ranked.append((promotion.number_dtype(aval), 0))
    if not ranked:
        return [None] * len(avals)
    common = promotion.result_type(ranked)
    if op.int_to_float and promotion.category(common) < 2:
        common = scalar_types.default_float()
    casts: list[np.dtype | None] = []
    number = np.dtype(np.float32) if op.wide_numbers and common.itemsize == 2 and common.kind in "fV" else common
    for aval, param in zip(avals, owner, strict=True):
        if param.name in op.promote:
            casts.append(common if isinstance(aval, Aval) and (aval.ndim or aval.dtype == common) else number)
        elif isinstance(aval, type):
            kind = promotion.category(promotion.number_dtype(aval))
            if kind == 2 and promotion.category(common) < 2:
                raise RuntimeError(
                    f"For integral input tensors, argument {param.name} must not be a floating point number."
                )
            casts.append(number)
        else:
            casts.append(None)
    return casts


def _body(op: Op, fn: Callable, plan: Sequence[tuple], casts: Sequence[Any], by_name: bool = False) -> Callable:
    """``fn`` as a function of the operands alone that returns a tuple; ``by_name``, for checks, what it returns."""

    def body(*operands):
        rest = iter(
            x if cast is None or x.dtype == cast else x.astype(cast) for x, cast in zip(operands, casts, strict=True)
        )
        positional, named = [], {}
        for param, kind, value in plan:
            if kind == "one":
                value = next(rest)
            elif kind == "list":
                value = [next(rest) for _ in range(value)]
            if param.keyword_only or by_name:
                named[param.name] = value
            else:
                positional.append(value)
        result = fn(*positional, **named)
        if by_name:
            return result
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    return body


def _check_error(op: Op, plan: Sequence[tuple], avals: Sequence[Any]) -> Callable[[int], Exception]:
    arguments = _named_arguments(plan, avals)
    return lambda witness: op.check_error(witness, **arguments)  # type: ignore[misc]


def _named_arguments(plan: Sequence[tuple], avals: Sequence[Any]) -> dict[str, Any]:
    """An op's arguments by name; of tensors, shape and dtype."""
    rest = iter(a.struct if isinstance(a, Aval) else a for a in avals)
    arguments = {}
    for param, kind, value in plan:
        if kind == "one":
            value = next(rest)
        elif kind == "list":
            value = [next(rest) for _ in range(value)]
        arguments[param.name] = value
    return arguments


def _wrong_class(op: Op, position: int, got: str, want: str = "Tensor") -> str:
    name = op.name.partition(".")[0]
    return f"{name}(): argument '{op.params[position].name}' (position {position + 1}) must be {want}, not {got}"


def _wrong_element(i: int, position: int, mark: Any) -> str:
    got = mark.__name__ if isinstance(mark, type) else "list" if mark.__class__ is int else "NoneType"
    return f"expected Tensor as element {i} in argument {position}, but got {got}"


def _refuse(op: Op, key: list, values: list) -> None:
    """Raise for the first argument of a class that no op takes."""
    operands = [i for i, p in enumerate(op.params) if p.is_operand]
    bad = next(v for v in values if v.__class__ is _NotAnOperand)
    position, marks = 0, iter(key[1:])
    for position in operands:
        mark = next(marks)
        if mark is _NotAnOperand:
            break
        if mark.__class__ is int:
            entries = list(itertools.islice(marks, mark))
            if _NotAnOperand in entries:
                raise TypeError(_wrong_element(entries.index(_NotAnOperand), position, bad.cls))
    param = op.params[position]
    want = "Tensor" if "Tensor" in param.kinds else "tuple of Tensors" if "Tensors" in param.kinds else "Number"
    raise TypeError(_wrong_class(op, position, bad.cls.__name__, want))


_return_types: dict[str, type] = {}


def return_type(op: Op, suffix: str = "") -> type:
    """The named tuple of an op's results, ``torch.return_types.max`` for instance, ``max_out`` where they were given."""
    from .return_types import make

    found = _return_types.get(op.name + suffix)
    if found is None:
        assert op.returns is not None
        found = _return_types[op.name + suffix] = make(op.name.partition(".")[0] + suffix, op.returns)
    return found


def record_raw(op_name: str, operands: Sequence[Any], static: tuple = ()) -> Any:
    """Record an op on Tensors or Values without autograd; pending Values come back."""
    op = OPS[op_name]
    values, key, *_ = _bind(operands, static)
    return record(THREADS.context, _kernel(op, values, key), values)


def update(op_name: str, targets: Sequence[Tensor | list[Tensor]], *operands: Any, **static: Any) -> None:
    """Record one op and write its results into ``targets``, in order, outside of autograd.

    A target may be several tensors, which all get that result. ``operands`` are Tensors (or their Values), lists of them
    or Python numbers in the order of the op's parameters, ``static`` its static arguments (and numbers) by name.
    This is how an optimizer step is one instruction.
    """
    op = OPS[op_name]
    given = iter(operands)
    ordered, fixed = [], []
    for param in op.params:
        if param.is_operand:
            ordered.append(static[param.name] if param.name in static else next(given, None))
        else:
            fixed.append(static.get(param.name, param.default))
    values, key, *_ = _bind(ordered, tuple(fixed))
    results = record(THREADS.context, _kernel(op, values, key), values)
    if results.__class__ is Value:
        results = (results,)
    for target, value in zip(targets, results, strict=True):
        for each in target if target.__class__ is list else (target,):
            each._write(value)  # type: ignore[union-attr]


def differentiates(t: Tensor) -> bool:
    edge = t._edge if t._view is None else t._current_edge()
    return edge is not None and not isinstance(edge[0], AccumulateGrad)
