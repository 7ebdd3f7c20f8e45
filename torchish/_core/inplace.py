"""In-place operations and ``out=``: the op's result, written into a tensor that exists.

The data of every alias changes because all read from the one Storage; the history is rebased as ``graph.py``
explains. All checks come before anything is written.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any

from .._exec.kernel import Kernel
from .._exec.value import Aval, Value, aval_of
from .._exec.window import THREADS, Context, record, undone_by_failure
from .._ops import scalar_types
from .._ops.inplace_rules import INPLACE, InPlace
from .._ops.out_rules import ALL, Out
from .._ops.registry import Op
from . import promotion
from .device import placement_of
from .dispatch import _bind, _kernel, call, check_numbers, edges_across, make_node, return_type
from .dtypes import of, to_np
from .geometry import contiguous_stride, is_dense, overlaps
from .graph import Edge, move_retained, node_class, short_name
from .storage import InferenceCounter, Storage
from .tensor import Tensor, View, creation_error, fresh_view_node, kernels_over_base
from .user_warnings import warn

_LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
_LEAF_VIEW = "a view of a leaf Variable that requires grad is being used in an in-place operation."
_OVERLAP = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
    "Please clone() the tensor before performing the operation."
)
_PARTIAL_OVERLAP = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation."
)


def call_inplace(op: Op, operands: Sequence[Any], static: tuple = (), node_name: str | None = None) -> Tensor:
    """Run ``op`` and write its result into its first operand, which is returned.

    ``node_name``: of the autograd node, where the in-place form has a name of its own.
    """
    target = operands[0]
    if not isinstance(target, Tensor):
        raise TypeError(f"{op.name}_(): argument 'input' (position 1) must be Tensor, not {type(target).__name__}")
    context = THREADS.context
    differentiable = context.grad_enabled and _requires_grad(operands)
    if differentiable:
        check_history(target, differentiable)
    values, key, needs, edges, owners = _bind(operands, static)
    if op.fits:
        check_numbers(values)
    storage = target._storage
    if target._view is not None or InferenceCounter.used or any([_may_share(x, storage) for x in operands[1:]]):
        check_memory(target, op, operands)
    kernel = op.kernels.get(tuple(key))
    if kernel is None or kernel.moves:
        kernel = _kernel(op, values, key)
        if kernel.moves and needs:
            edges = edges_across(kernel, operands, needs, edges)
    aval = kernel.out_avals[0]
    resized = False
    if aval is not storage.aval or target._view is not None:
        resized = check_fits(aval, target, op.inplace_rule)
    result = record(context, kernel, values)
    if kernel.single is None:
        result = result[0]
    node = None
    if differentiable and kernel.differentiable:
        # PyTorch keeps a copy of what the operation itself overwrites: that is no change of a saved tensor.
        owners[0] = None
        node = make_node(context, kernel, values, needs, edges, owners)
        if node_name is not None:
            node.__class__ = node_class(node_name)
    if resized:
        take_shape(target, aval.shape)
    store(context, target, result, None if node is None else (node, 0))
    if node is not None and kernel.saves_result:
        node.versions = ((target._counter(), target._counter()[0]),)
    return target


def _may_share(x: Any, storage: Storage) -> bool:
    return x._storage is storage if isinstance(x, Tensor) else isinstance(x, (list, tuple))


def _requires_grad(operands: Sequence[Any]) -> bool:
    return any(
        x.requires_grad if isinstance(x, Tensor) else isinstance(x, (list, tuple)) and _requires_grad(x)
        for x in operands
    )


def check_writable(target: Tensor, differentiable: bool) -> None:
    """Raise PyTorch's error where an in-place operation on ``target`` is not allowed.

    ``differentiable``: whether the operation would be recorded for ``backward()``.
    """
    check_history(target, differentiable)
    check_memory(target)


def check_memory(target: Tensor, op: Op | None = None, operands: Sequence[Any] = ()) -> None:
    """Raise PyTorch's error where elements that ``op`` writes share memory with each other, or with operands."""
    check_mode(target)
    view, rule = target._view, INPLACE if op is None else op.inplace_rule
    if rule.itself and operands[1].is_set_to(target):
        return
    if view is not None and overlaps(view.geometry.size, view.geometry.stride):
        tensors = any(isinstance(x, Tensor) for x in operands[1:])
        if not rule.expanded or (rule.expanded == "by numbers" and tensors):
            raise RuntimeError(_OVERLAP)
    if op is not None:
        given = dict(zip([p.name for p in op.params if p.is_operand], operands, strict=False))
        del given[next(iter(given))]
        check_shared(target, rule, given)


def check_shared(target: Tensor, rule: InPlace | Out, operands: dict[Any, Any], resized: Tensor | None = None) -> None:
    """Raise PyTorch's error where ``target`` has memory in common with operands that ``rule`` does not let it share.

    ``resized``: ``target`` as it will be.
    """
    resized = target if resized is None else resized
    for name, x in operands.items():
        whole = rule.apart == ALL or name in rule.apart
        if not whole and (rule.shared == ALL or name in rule.shared):
            continue
        for each in x if isinstance(x, (list, tuple)) else (x,):
            if not isinstance(each, Tensor) or each._storage is not target._storage:
                continue
            if whole if each is target else shares_places(each, resized, whole):
                raise RuntimeError(_PARTIAL_OVERLAP)


def shares_places(a: Tensor, b: Tensor, whole: bool = False) -> bool:
    """Whether two dense tensors over one Storage have some but not all of their places in common; or, ``whole``, all."""
    g, h = a._geometry(), b._geometry()
    if a is b:
        return whole
    if 0 in g.size or 0 in h.size:
        return False
    if not (is_dense(g) and is_dense(h)):
        return False
    start, other = g.offset * g.dtype.itemsize, h.offset * h.dtype.itemsize
    stop, other_stop = start + a._aval.nbytes, other + b._aval.nbytes
    if (start, stop) == (other, other_stop):
        return whole or g.stride != h.stride
    return start < other_stop and other < stop


def check_mode(target: Tensor) -> None:
    """Raise PyTorch's error where ``target`` was made in inference mode and that is over."""
    if target._is_inference() and not THREADS.context.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a "
            "normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
        )


def check_history(target: Tensor, differentiable: bool) -> None:
    """Raise PyTorch's error where ``target``'s place in the graph forbids to change it in place."""
    if not differentiable:
        return
    view, required = target._view, target.requires_grad
    if view is not None and view.base is not None:
        if view.creation is not None:
            raise RuntimeError(creation_error(target, indirect=False))
        if required and view.base.is_leaf:
            raise RuntimeError(_LEAF_VIEW)
    if required and target.is_leaf:
        raise RuntimeError(_LEAF)


def check_fits(result: Aval, target: Tensor, rule: InPlace) -> bool:
    """Raise PyTorch's error where a result cannot be written into ``target``; whether ``target`` has to be resized."""
    aval = target._aval
    if result.shape != aval.shape:
        if rule.resized:
            return True
        raise RuntimeError(rule.mismatch(list(aval.shape), list(result.shape)))
    check_castable(result, aval)
    return False


def check_castable(result: Aval, target: Aval) -> None:
    if not promotion.can_cast(result.dtype, target.dtype):
        raise RuntimeError(
            f"result type {of(result.dtype)._scalar.scalar_name} can't be cast to the desired output type "
            f"{of(target.dtype)._scalar.scalar_name}"
        )


_cast_kernels: dict[tuple[Aval, Any], Kernel] = {}


def cast(context: Context, value: Value, dtype: Any) -> Value:
    """``value`` in another dtype, recorded outside of autograd."""
    if value.aval.dtype == dtype:
        return value
    kernel = _cast_kernels.get((value.aval, dtype))
    if kernel is None:
        from .._ops.elementwise.casting import convert

        kernel = Kernel("cast", lambda x: (convert(x, dtype),), [value.aval], value.aval.placement)
        kernel = _cast_kernels.setdefault((value.aval, dtype), kernel)
    return record(context, kernel, (value,))


def store(context: Context, target: Tensor, result: Value, edge: Edge | None) -> None:
    """Write ``result`` into ``target`` and rebase its history onto ``edge`` (None: the result has none)."""
    view, given = target._view, result
    if edge is None or view is None or view.base is None:
        if view is not None or result.aval is not target._storage.aval:
            result = cast(context, result, target._aval.dtype)
        target._write(result)
        if edge is not None:
            edge = _through_cast(context, given, target, edge)
            rebase(context, target, edge)
            target._counter()[1:] = [short_name(edge[0])]
        return
    base: Tensor = view.base
    old = target._edge
    if old is not None and old[0].hooks is not None and edge[0].edges and edge[0].edges[0] == old:
        # The gradient goes on into the base, past what the view was: hooks on that do not see it.
        fresh = fresh_view_node(target)
        fresh.sequence_nr = old[0].sequence_nr
        edge[0].edges = ((fresh, 0), *edge[0].edges[1:])
    edge = _through_cast(context, result, target, edge)
    result = cast(context, result, target._aval.dtype)
    kernels, offset = kernels_over_base(view)
    base_edge = base._current_edge()
    values: list[Any] = [base._value(), result, *([offset] if kernels.offset else [])]
    needs = [1] if base_edge is None else [0, 1]
    edges = [edge] if base_edge is None else [base_edge, edge]
    written = record(context, kernels.write, values)
    node = make_node(context, kernels.write, values, needs, edges, [None] * len(values))
    node.versions = ()
    base._put(written)
    counter = target._counter()
    counter[0] += 1
    counter[1:] = [short_name(node)]
    rebase(context, base, (node, 0))


def rebase(context: Context, t: Tensor, edge: Edge) -> None:
    """Give ``t`` another place in the graph; ``retain_grad`` keeps the gradient of the tensor as it is there."""
    old = t._edge
    if context.window.checks:
        reference = weakref.ref(t)

        def undo(results: list[Value]) -> None:
            target = reference()
            if target is not None:
                target._edge = old

        undone_by_failure(context.window, undo)
    t._edge = edge
    move_retained(old, edge)


def _through_cast(context: Context, result: Value, target: Tensor, edge: Edge) -> Edge:
    """The edge of a result after it was cast to the target's dtype."""
    aval = target._aval
    if result.aval.dtype == aval.dtype:
        return edge
    if not aval.inexact:
        return edge
    cast(context, result, aval.dtype)
    kernel = _cast_kernels[(result.aval, aval.dtype)]
    node = make_node(context, kernel, (result,), [0], [edge], [None])
    return (node, 0)


def call_out(op: Op, operands: Sequence[Any], static: tuple, out: Any) -> Any:
    """Run ``op`` and write its results into ``out``, a tensor or a tuple of them; returns ``out``."""
    name = op.name.partition(".")[0]
    context = THREADS.context
    values, key, needs, *_ = _bind(operands, static)
    named, rule = _named_arguments(op, operands, static)
    targets = _targets(name, out, op)
    if op.differentiable or rule.lenient:
        differentiable = op.differentiable if isinstance(op.differentiable, tuple) else range(len(targets))
        check_out_history(name, rule, bool(needs), [t for i, t in enumerate(targets) if i in differentiable])
    kernel = _kernel(op, values, key)
    if len(kernel.out_avals) != len(targets):
        raise TypeError(f"expected tuple of {len(kernel.out_avals)} elements but got {len(targets)}")
    for position, (aval, target) in enumerate(zip(kernel.out_avals, targets, strict=True)):
        check_out(rule, named, aval, target, position)
    if rule.follows:
        static = _with_dtype(op, static, targets[0]._aval.dtype)
        values, key, *_ = _bind(operands, static)
        kernel = _kernel(op, values, key)
    if rule.copies and context.grad_enabled and (needs or targets[0].requires_grad):
        made = call(op, operands, static)
        if rule.autograd and targets[0].requires_grad and made.shape != targets[0].shape:
            raise RuntimeError(
                f"{rule.autograd}(): the 'out' tensor was specified and requires gradients, and its shape does not match "
                "the expected result. Either remove the 'out' argument, ensure it does not require gradients, or make "
                "sure its shape matches the expected output."
            )
        resize_for(targets[0], made.shape, rule.warns)
        return targets[0].copy_(made)  # type: ignore[attr-defined]
    results = record(context, kernel, values)
    for target, value in zip(targets, (results,) if kernel.single is not None else results, strict=True):
        write_out(rule, target, value)
    return out if op.returns is None else return_type(op, "_out")(targets)


def give_out(name: str, rule: Out, operands: dict[Any, Any], made: Tensor, out: Any) -> Tensor:
    """Write what a function of several ops has made of ``operands`` into ``out``, under ``rule``; returns ``out``."""
    (target,) = targets = _targets(name, out)
    check_out_history(name, rule, _requires_grad(list(operands.values())), targets)
    check_out(rule, operands, made._aval, target, 0)
    write_out(rule, target, made._value())
    return target


_MADE = Out(accepts="any", warns=False)


def check_made_out(name: str, out: Any, dtype: Any = None, device: Any = None) -> Any:
    """Check the ``out=`` of a function that makes tensors from nothing; returns the NumPy dtype that it has."""
    _targets(name, out)
    aval: Aval = out._aval
    given = to_np(dtype)
    if given is not None and given != aval.dtype:
        raise RuntimeError(
            f"dtype {of(given)._scalar.scalar_name} does not match dtype of out parameter "
            f"({of(aval.dtype)._scalar.scalar_name})"
        )
    if device is not None and placement_of(device).type != aval.placement.type:
        raise RuntimeError(
            f"device type {placement_of(device).type} does not match device type of out parameter "
            f"({aval.placement.type})"
        )
    check_mode(out)
    check_out_history(name, _MADE.but(lenient=True), False, [out])
    return aval.dtype


def give_made_out(made: Tensor, out: Tensor, requires_grad: bool = False) -> Tensor:
    """Write what was made from nothing into ``out``, whose size becomes that without a warning."""
    write_out(_MADE, out, made._value())
    return out.requires_grad_() if requires_grad else out  # type: ignore[attr-defined]


def _targets(name: str, out: Any, op: Op | None = None) -> Sequence[Tensor]:
    several = op is not None and op.returns is not None
    targets = out if several and isinstance(out, (tuple, list)) else (out,)
    for position, target in enumerate(targets):
        if isinstance(target, Tensor):
            if several and target is out:
                raise TypeError(f"{name}(): argument 'out' must be tuple of Tensors, not Tensor")
        elif target is not out and op is not None:
            raise TypeError(
                f"expected Tensor as element {position} in argument {len(op.params)}, but got {type(target).__name__}"
            )
        else:
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(target).__name__}")
    return targets


def _named_arguments(op: Op, operands: Sequence[Any], static: tuple) -> tuple[dict[str, Any], Out]:
    """The operands by name, and the rule for ``out=`` that holds for these arguments."""
    named = dict(zip([p.name for p in op.params if p.is_operand], operands, strict=False))
    if isinstance(op.out_rule, Out):
        return named, op.out_rule
    given = {n: x._aval.struct if isinstance(x, Tensor) else x for n, x in named.items()}
    given.update(zip([p.name for p in op.params if not p.is_operand], static, strict=True))
    return named, op.out_rule(**given)


def _with_dtype(op: Op, static: tuple, dtype: Any) -> tuple:
    names = [p.name for p in op.params if not p.is_operand]
    return tuple(dtype if name == "dtype" else value for name, value in zip(names, static, strict=True))


def check_out_history(name: str, rule: Out, needs: bool, targets: Sequence[Tensor]) -> None:
    """Raise PyTorch's error where the results written into ``targets`` would have to be recorded for ``backward()``."""
    if not THREADS.context.grad_enabled or rule.copies:
        return
    if any(t.requires_grad for t in targets) or (needs and not rule.lenient):
        raise RuntimeError(
            f"{'aten::' if rule.lenient else ''}{rule.autograd or name}(): functions with out=... arguments don't "
            "support automatic differentiation, but one of the arguments requires grad."
        )


def check_out(rule: Out, operands: dict[Any, Any], result: Aval, target: Tensor, position: int) -> None:
    """Raise PyTorch's error where ``target`` cannot be ``out=`` for a result."""
    check_mode(target)
    if result.placement is not target._aval.placement:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, "
            f"{result.placement} and {target._aval.placement}!"
        )
    _check_out_dtype(rule, result.dtype, target._aval.dtype, position)
    geometry = target._geometry()
    expanded = position in rule.expanded if isinstance(rule.expanded, tuple) else rule.expanded
    refused = not expanded if result.shape == geometry.size else rule.expanded_first
    if refused and overlaps(geometry.size, geometry.stride):
        raise RuntimeError(_OVERLAP)
    resized = target
    if result.shape != geometry.size:
        resized = target.detach()
        take_shape(resized, result.shape)
    check_shared(target, rule, operands, resized=resized)


def _check_out_dtype(rule: Out, result: Any, target: Any, position: int) -> None:
    accepts = rule.accepts
    if callable(accepts):
        accepted = accepts(result, target)
    else:
        accepted = (
            result == target or accepts == "any" or (accepts == "castable" and promotion.can_cast(result, target))
        )
    if accepted:
        return
    want, got = scalar_types.BY_NP_DTYPE[result], scalar_types.BY_NP_DTYPE[target]
    text = rule.text if isinstance(rule.text, str) else ""
    if callable(rule.text):
        text = rule.text(result, target)
    elif not text:
        text = rule.text[position]
    raise rule.error(
        text.format(
            want=want.scalar_name,
            got=got.scalar_name,
            c_want=want.cpp_name,
            c_got=got.cpp_name,
            want_type=tensor_type_name(want.scalar_name),
            got_type=tensor_type_name(got.scalar_name),
        )
    )


def tensor_type_name(scalar_name: str) -> str:
    """What PyTorch's older texts call a tensor of this dtype on the CPU."""
    old = scalar_name in ("Double", "Float", "Half", "Long", "Int", "Short", "Char", "Byte")
    return f"torch.{scalar_name}Tensor" if old else f"CPU{scalar_name}Type"


def write_out(rule: Out, target: Tensor, value: Value) -> None:
    """Write a result into ``target``, which takes its shape, outside of autograd."""
    resize_for(target, value.aval.shape, rule.warns)
    target._write(cast(THREADS.context, value, target._aval.dtype))


def resize_for(target: Tensor, shape: tuple[int, ...], warns: bool = True) -> None:
    """Give ``out`` tensors of another shape the result's, as PyTorch does (with its warning unless empty)."""
    aval = target._aval
    if aval.shape == shape:
        return
    if aval.numel and warns:
        warn(
            f"An output with one or more elements was resized since it had shape {list(aval.shape)}, which does not "
            f"match the required output shape {list(shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
            "tensor t by resizing it, inplace, to zero elements with t.resize_(0)."
        )
    take_shape(target, shape)


def has_room(target: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether the memory that ``target`` views holds so many elements, from its first one on."""
    g, whole = target._geometry(), target._storage.aval
    return g.dtype == whole.dtype and g.offset + math.prod(shape) <= whole.numel


def take_shape(target: Tensor, shape: tuple[int, ...]) -> None:
    """Give ``target`` another shape: where it stands in memory if there is room, else in memory of its own."""
    from .creation import full_value

    if has_room(target, shape):
        place = target._geometry()._replace(size=shape, stride=contiguous_stride(shape), mirrored=False)
        target._view = View(place, None, place, 0)
        return
    aval = target._aval
    fresh = full_value(aval_of(shape, aval.dtype, aval.placement), 0)
    target._storage, target._view = Storage(fresh), None
