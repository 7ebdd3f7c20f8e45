"""The backward pass.

The engine walks the graph from the roots, orders the nodes by the sequence numbers they were recorded under (later
first, so that every node comes after all that feed it), and pulls the cotangents back. It does that in one of
two ways that give the same numbers:

* as a ``Tape``: one instruction that carries the whole plan, whose arithmetic happens where the window is compiled.
  A very long graph becomes several tapes of equal length, so that the pieces of a long loop recur.
* node by node, through the same dispatch as any operation, where somebody may look at or take part in every step:
  hooks, ``create_graph=True``, anomaly mode, several devices, code inside a JAX transformation.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any

from .._core.device_copy import DeviceCopy
from .._core.dispatch import make_node, wrap
from .._core.generate import OP_FUNCTIONS
from .._core.graph import FREED, AccumulateGrad, Edge, GraphNode, Node
from .._core.inplace import cast
from .._core.tensor import Tensor
from .._exec.kernel import Underived, VjpKernel
from .._exec.tape import DISCARD, Capture, Root, tape_of
from .._exec.value import Aval, Value
from .._exec.window import THREADS, Context, record, undone_by_failure

LONGEST_TAPE = 256


class Task:
    """One backward pass: where it starts, what it has to give, and how."""

    def __init__(
        self,
        roots: Sequence[tuple[Edge, Tensor | None, Aval]],
        *,
        keep_graph: bool,
        create_graph: bool,
        captures: dict[tuple[int, int], int] | None,
        accumulate: bool,
    ):
        self.roots = roots
        self.keep_graph, self.create_graph = keep_graph, create_graph
        self.captures = captures
        self.accumulate = accumulate
        self.captured: dict[int, Tensor] = {}
        self.order, self.leaves = _collect(edge[0] for edge, _, _ in roots)
        self.needed: set[int] | None = None if captures is None else self._leading_to_captures()
        self._fed: set[tuple[int, int]] | None = None
        self.retains = False  # whether a node may have a result that retains its gradient

    def _leading_to_captures(self) -> set[int]:
        """The nodes that run: from which a captured edge can be reached. ``backward(inputs=...)`` runs the inputs' too."""
        assert self.captures is not None
        wanted = {node_id for node_id, _ in self.captures}
        needed = {id(n) for n in self.order if id(n) in wanted} if self.accumulate else set()
        for node in reversed(self.order):
            if any(id(n) in wanted or id(n) in needed for n, _ in node.edges):
                needed.add(id(node))
        return needed

    @cached_property
    def first_order(self) -> bool:
        """Whether no derivative is among the nodes: where one is, part of an op's gradient comes past the op."""
        return not any(isinstance(node.vjp.forward, VjpKernel) for node in self.order)

    def feeds(self, node: GraphNode, number: int) -> bool:
        """Whether a gradient arrives at result ``number`` of ``node``, which other results of it may need."""
        if self._fed is None:
            self._fed = {(id(edge[0]), edge[1]) for edge, _, _ in self.roots}
            reached = {node_id for node_id, _ in self._fed}
            for each in self.order:
                if id(each) in reached and (self.needed is None or id(each) in self.needed):
                    self._fed.update((id(target), n) for target, n in each.edges)
                    reached.update(id(target) for target, _ in each.edges)
        return (id(node), number) in self._fed

    def goes_to(self, node: GraphNode) -> bool:
        """Whether gradients are carried to ``node`` at all."""
        if self.needed is None:
            return True
        return id(node) in self.needed or any(node_id == id(node) for node_id, _ in self.captures or ())


_by_sequence = attrgetter("sequence_nr")


def _collect(roots: Iterable[Any]) -> tuple[list[Node], list[AccumulateGrad]]:
    """All nodes reachable from ``roots`` in the order in which they run, and the leaves."""
    seen: set[Any] = set(roots)
    nodes: list[Node] = []
    leaves: list[AccumulateGrad] = []
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node.__class__ is AccumulateGrad:
            leaves.append(node)
        else:
            nodes.append(node)
            for target, _ in node.edges:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
    nodes.sort(key=_by_sequence, reverse=True)
    return nodes, leaves


def run(task: Task) -> dict[int, Tensor]:
    """Carry a backward pass out; the captured gradients by their number."""
    context = THREADS.context
    before = context.grad_enabled
    context.grad_enabled = task.create_graph
    try:
        if _fits_a_tape(context, task):
            _run_tapes(context, task)
        else:
            _run_nodes(context, task)
    finally:
        context.grad_enabled = before
    return task.captured


def _fits_a_tape(context: Context, task: Task) -> bool:
    if task.create_graph or context.trace is not None or context.hooks is not None or not task.order:
        return False
    placement = task.order[0].vjp.placement
    if placement is None:
        return False
    for node in task.order:
        if node.vjp.placement is not placement or node.vjp.gradient_check is not None:
            return False
        if node.hooks is not None:
            task.retains = True
            if node.hooks.any():
                return False
    for leaf in task.leaves:
        if leaf.post_accumulate or (leaf.hooks is not None and leaf.hooks.any()):
            return False
    return all(g is None or g._aval.placement is placement for _, g, _ in task.roots)


def _check(node: Node) -> None:
    if node.saved is None:
        raise RuntimeError(FREED)
    node.check_versions()


def _release(nodes: Iterable[Node]) -> None:
    """Give up what the nodes saved; a second pass through one is an error where it saved tensors."""
    for node in nodes:
        if node.vjp.frees:
            node.saved = None
            node.versions = ()


# One instruction


def _run_tapes(context: Context, task: Task) -> None:
    order = task.order if task.needed is None else [n for n in task.order if id(n) in task.needed]
    for node in order:
        if node.saved is None:
            raise RuntimeError(FREED)
        for counter, version in node.versions:
            if counter[0] != version:
                node.check_versions()
    # The cotangents that have come from roots and from earlier tapes, by the (node, result number) that they belong to.
    carried: dict[Edge, Value] = {}
    ones: list[tuple[Edge, Aval]] = []
    for edge, gradient, aval in task.roots:
        if gradient is None:
            ones.append((edge, aval))
        else:
            assert edge not in carried, "roots are made distinct by the caller"
            carried[edge] = cast(context, gradient._value(), aval.dtype)
    for start in range(0, max(len(order), 1), LONGEST_TAPE):
        _record_tape(context, task, order[start : start + LONGEST_TAPE], ones, carried)
        ones = []
    if task.needed is not None:  # nodes that only give a gradient, and do not run
        for node in [n for n in task.order if id(n) not in task.needed]:
            for number in _watched(task, node):
                value = carried.pop((node, number), None)
                if value is not None:
                    _deliver(task, node, number, wrap(value))
    for leaf in task.leaves:
        value = carried.pop((leaf, 0), None)
        if value is None:
            continue
        gradient = wrap(value)
        if task.captures is not None:
            capture = task.captures.get((id(leaf), 0))
            if capture is None:
                continue
            task.captured[capture] = gradient
        if task.accumulate:
            accumulate(leaf, gradient, create_graph=False, owned=task.captures is None)
    if not task.keep_graph:
        _release(order)


def _record_tape(
    context: Context,
    task: Task,
    nodes: Sequence[Node],
    ones: Sequence[tuple[Edge, Aval]],
    carried: dict[Edge, Value],
) -> None:
    """Record the plan for ``nodes``; takes their cotangents out of ``carried`` and puts those of others in."""
    index = {node: i for i, node in enumerate(nodes)}
    window = context.window
    operands: list[Any] = []
    exports: dict[Edge, int] = {}
    plan: list[Any] = []

    def outside(edge: Edge) -> int:
        if task.needed is not None and not task.goes_to(edge[0]):
            return DISCARD
        return -1 - exports.setdefault(edge, len(exports))

    for node in nodes:
        plan.append(node.vjp)
        if node.window is window and node.position >= 0:
            plan.append(node.position)
        else:
            plan.append(-1 - len(operands))
            operands.extend(node.saved)  # type: ignore[arg-type]
        for edge in node.edges:
            at = index.get(edge[0])
            if at is None:
                plan.append(outside(edge))
                plan.append(0)
            else:
                plan.append(at)
                plan.append(edge[1])
    roots: list[Root] = []
    for edge, aval in ones:
        at = index.get(edge[0])
        roots.append(Root(at, edge[1], -1, aval) if at is not None else Root(outside(edge), 0, -1, aval))
    # A leaf may already have a gradient from an earlier tape: it enters this one and leaves it summed.
    for edge in [e for e in carried if e[0] in index or e in exports]:
        at = index.get(edge[0])
        target, number = (at, edge[1]) if at is not None else (-1 - exports[edge], 0)
        value = carried.pop(edge)
        roots.append(Root(target, number, len(operands), value.aval))
        operands.append(value)
    captures: list[Capture] = []
    if task.captures is not None or task.retains:
        for i, node in enumerate(nodes):
            for number in _watched(task, node):
                captures.append(Capture(i, number, len(exports) + len(captures)))
    if not exports and not captures:
        return
    results = record(context, tape_of(plan, roots, captures), operands)
    for edge, export in exports.items():
        carried[edge] = results[export]
    for capture in captures:
        _deliver(task, nodes[capture.entry], capture.number, wrap(results[capture.export]))


def _watched(task: Task, node: Node) -> list[int]:
    """The results of ``node`` whose complete cotangent somebody wants."""
    numbers = set(node.hooks.retained) if node.hooks is not None else set()
    if task.captures is not None:
        numbers.update(number for node_id, number in task.captures if node_id == id(node))
    return sorted(n for n in numbers if task.feeds(node, n))


def _capture(task: Task, node: GraphNode, number: int, gradient: Tensor) -> None:
    if task.captures is not None:
        capture = task.captures.get((id(node), number))
        if capture is not None:
            task.captured[capture] = gradient


def _deliver(task: Task, node: GraphNode, number: int, gradient: Tensor) -> None:
    _capture(task, node, number, gradient)
    if node.hooks is not None and number in node.hooks.retained:
        keeper = node.hooks.retained[number]()
        if keeper is not None:
            _add_to_grad(keeper, gradient, task.create_graph)


# Node by node


def _run_nodes(context: Context, task: Task) -> None:
    buffers: dict[int, list[Tensor | None]] = {}
    waiting = _edges_into_leaves(task)

    def receive(edge: Edge, gradient: Tensor, results: int) -> None:
        buffer = buffers.setdefault(id(edge[0]), [None] * results)
        known = buffer[edge[1]]
        buffer[edge[1]] = gradient if known is None else known + gradient

    def finish(leaf: AccumulateGrad) -> None:
        buffer = buffers.pop(id(leaf), None)
        if buffer is not None and task.goes_to(leaf):
            _finish_leaf(task, leaf, buffer)

    for edge, gradient, aval in task.roots:
        if gradient is None:
            gradient = _ones(aval)
        elif gradient._aval.dtype != aval.dtype:
            gradient = gradient.to(_dtype(aval))
        receive(edge, gradient, _results_of(edge[0]))
    for leaf in task.leaves:
        if not waiting[id(leaf)]:
            finish(leaf)
    for node in task.order:
        buffer = buffers.pop(id(node), None)
        if buffer is not None:
            _arrive(task, node, buffer)
            if task.needed is None or id(node) in task.needed:
                buffer = _before(node, buffer)
                for (target, number), gradient in zip(node.edges, _apply(context, task, node, buffer), strict=True):
                    if gradient is not None and task.goes_to(target):
                        receive((target, number), gradient, _results_of(target))
                if not task.keep_graph:
                    _release((node,))
        # A leaf is done as soon as nothing more can come, before the nodes further down.
        for target, _ in node.edges:
            if target.__class__ is AccumulateGrad:
                waiting[id(target)] -= 1
                if not waiting[id(target)]:
                    finish(target)


def _edges_into_leaves(task: Task) -> dict[int, int]:
    """How many edges lead to each leaf."""
    waiting = {id(leaf): 0 for leaf in task.leaves}
    for node in task.order:
        for target, _ in node.edges:
            if target.__class__ is AccumulateGrad:
                waiting[id(target)] += 1
    return waiting


def _results_of(node: GraphNode) -> int:
    return len(node.vjp.forward.out_avals) if isinstance(node, Node) else 1


def _ones(aval: Aval) -> Tensor:
    from .._core.creation import full_value

    return wrap(full_value(aval, 1))


def _dtype(aval: Aval) -> Any:
    from .._core.dtypes import of

    return of(aval.dtype)


def _hooked(hooks: Iterable[Any], gradient: Tensor | None) -> Tensor | None:
    for hook in list(hooks):
        gradient = _replaced(hook, gradient, hook(gradient))
    return gradient


def _replaced(hook: Any, old: Tensor | None, new: Any) -> Tensor | None:
    """What a hook returned in place of ``old``, if it may stand there."""
    if new is None:
        return old
    if not isinstance(new, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
    if old is None:
        return new
    was, got = old._aval, new._aval
    problem = None
    if was.dtype != got.dtype:
        problem = f"type of value (was {old.type()} got {new.type()})"  # type: ignore[attr-defined]
    elif was.placement is not got.placement:
        problem = "device of value"
    elif was.shape != got.shape:
        problem = "size of value"
    if problem is not None:
        raise RuntimeError(f"hook '{_name_of(hook)}' has changed the {problem}")
    return new


def _all_replaced(hook: Any, old: list[Tensor | None], new: Any) -> list[Tensor | None]:
    """The same for a hook that returns several gradients, or the only one."""
    if new is None:
        return old
    given = list(new) if isinstance(new, (tuple, list)) else [new]
    if len(given) != len(old):
        raise RuntimeError(
            f"hook '{_name_of(hook)}' has returned an incorrect number of values "
            f"(got {len(given)}, but expected {len(old)})"
        )
    return [_replaced(hook, was, got) if got is not None else None for was, got in zip(old, given, strict=True)]


def _name_of(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


def _arrive(task: Task, node: GraphNode, buffer: list[Tensor | None]) -> None:
    """The complete gradients of a node's results: tensor hooks, then whoever keeps or captures them."""
    before = list(buffer)
    if node.hooks is not None:
        for number, registered in node.hooks.tensor.items():
            buffer[number] = _hooked(registered.values(), buffer[number])
    for number, gradient in enumerate(buffer):
        if gradient is not None:
            _deliver(task, node, number, gradient)
    if task.needed is not None and id(node) in task.needed and not task.accumulate:
        # PyTorch captures what arrives at a node that runs before its tensor hooks change it.
        for number, gradient in enumerate(before):
            if gradient is not None:
                _capture(task, node, number, gradient)


def _before(node: GraphNode, buffer: list[Tensor | None]) -> list[Tensor | None]:
    """The gradients after the node's own pre-hooks."""
    if node.hooks is not None:
        for hook in list(node.hooks.pre.values()):
            buffer = _all_replaced(hook, buffer, hook(tuple(buffer)))
    return buffer


def _apply(context: Context, task: Task, node: Node, buffer: list[Tensor | None]) -> Sequence[Tensor | None]:
    """The gradients that ``node`` sends along its edges."""
    if node.vjp.forward.underived:
        for target, _ in node.edges:
            if isinstance(target, Node) and isinstance(target.vjp, Underived) and task.goes_to(target):
                target.vjp.pull(())
    gradients = differentiate(node, context, buffer, task.create_graph, task.first_order)
    if node.hooks is None or not node.hooks.post:
        return gradients
    slots = _operand_slots(node)
    shown = _spread(gradients, slots, len(node.next_functions))
    for hook in list(node.hooks.post.values()):
        shown = _all_replaced(hook, shown, hook(tuple(shown), tuple(buffer)))
    return [shown[i] for i in slots]


def _operand_slots(node: Node) -> list[int]:
    """Where among its ``next_functions`` each of the node's edges stands."""
    operands = node.vjp.forward.tensor_operands
    needs = node.vjp.needs
    if type(node).__name__ == "CopySlices" or not set(needs) <= set(operands):
        return list(range(len(needs)))
    return [operands.index(i) for i in needs]


def _spread(gradients: Sequence[Tensor | None], slots: Sequence[int], size: int = 0) -> list[Tensor | None]:
    shown: list[Tensor | None] = [None] * max(size, max(slots, default=-1) + 1)
    for i, gradient in zip(slots, gradients, strict=True):
        shown[i] = gradient
    return shown


def call_node(node: Node, *cotangents: Tensor | None) -> Any:
    """``grad_fn(cotangent)``: run one node by hand; its gradients, None for operands that need none."""
    context, expected = THREADS.context, len(node.vjp.forward.out_avals)
    if len(cotangents) != expected:
        raise TypeError(f"expected {expected} arguments, got {len(cotangents)} instead")
    for i, cotangent in enumerate(cotangents):
        if cotangent is not None and not isinstance(cotangent, Tensor):
            raise TypeError(f"argument {i} is not a Variable")
    if all(cotangent is None for cotangent in cotangents):
        gradients: Sequence[Tensor | None] = [None] * len(node.edges)
    else:
        gradients = differentiate(node, context, cotangents, context.grad_enabled)
    shown = _spread(gradients, _operand_slots(node), len(node.next_functions))
    return shown[0] if len(shown) == 1 else tuple(shown)


Node.__call__ = call_node  # type: ignore[method-assign]


def differentiate(
    node: Node, context: Context, buffer: Sequence[Tensor | None], create_graph: bool, check: bool = False
) -> Sequence[Tensor]:
    """Record the node's derivative, as an operation that can itself be differentiated.

    ``check``: whether the gradients in ``buffer`` are all that there is, so that they must be such as the op takes.
    """
    _check(node)
    assert node.saved is not None
    if isinstance(node.vjp, (DeviceCopy, Underived)):
        return node.vjp.pull(buffer)
    vjp = node.vjp.partial(tuple(g is not None for g in buffer))
    saved = dict(zip(node.vjp.uses, node.saved, strict=True))
    cotangents = [g for g in buffer if g is not None]
    values: list[Any] = [*(saved[i] for i in vjp.uses), *(g._value() for g in cotangents)]
    if check and vjp.gradient_check is not None:
        record(context, vjp.gradient_check, values)
    results = record(context, vjp, values)
    outs = (results,) if vjp.single is not None else results
    tensors = [wrap(v) for v in outs]
    if create_graph:
        known = {} if node.vjp.forward.selects else dict(zip(node.vjp.needs, node.edges, strict=True))
        edges: list[Any] = [known.get(i) for i in vjp.uses]
        edges += [g._current_edge() for g in cotangents]
        needs = [i for i, e in enumerate(edges) if e is not None and isinstance(vjp.in_avals[i], Aval)]
        if needs and vjp.differentiable:
            made = make_node(context, vjp, values, needs, [edges[i] for i in needs], [None] * len(values))
            for number, t in enumerate(tensors):
                t._edge = (made, number)
    return tensors


def _finish_leaf(task: Task, leaf: AccumulateGrad, buffer: list[Tensor | None]) -> None:
    _arrive(task, leaf, buffer)
    captured = task.captures is not None and (id(leaf), 0) in task.captures
    if not task.accumulate or (task.captures is not None and not captured):
        return
    buffer = _before(leaf, buffer)
    gradient = buffer[0]
    if gradient is None:
        return
    accumulate(leaf, gradient, create_graph=task.create_graph)
    variable = leaf.leaf()
    for hook in list(leaf.post_accumulate.values()):
        if variable is not None:
            hook(variable)
    if leaf.hooks is not None:
        for hook in list(leaf.hooks.post.values()):
            hook((), tuple(buffer))


def accumulate(leaf: AccumulateGrad, gradient: Tensor, *, create_graph: bool, owned: bool = False) -> None:
    """Add ``gradient`` to a leaf's ``grad``: in place, unless the graph of the gradient is wanted.

    ``owned``: nobody else has the tensor ``gradient``, so it may become the leaf's ``grad`` itself.
    """
    variable = leaf.leaf()
    if variable is not None and variable._edge is not None:  # it may not require grad any more
        if isinstance(variable._edge[0], Node):
            raise RuntimeError("leaf variable has been moved into the graph interior")
        _add_to_grad(variable, gradient, create_graph, owned)


def _restore_grad(variable: Tensor, known: Tensor | None) -> Callable[[list[Value]], None]:
    reference = weakref.ref(variable)

    def undo(results: list[Value]) -> None:
        target = reference()
        if target is not None:
            target._grad = known

    return undo


def _add_to_grad(variable: Tensor, gradient: Tensor, create_graph: bool, owned: bool = False) -> None:
    known, context = variable._grad, THREADS.context
    if variable._storage.trace is not context.trace:
        variable._storage.check_trace(context)
    window = context.window
    if window.checks and (known is None or create_graph):
        undone_by_failure(window, _restore_grad(variable, known))
    if known is None and owned:
        variable._grad = gradient
    elif known is None:
        # A tensor of its own: what the user gave as the cotangent, or a hook returned, is not the gradient itself.
        variable._grad = OP_FUNCTIONS["copy"](gradient.detach(), gradient) if create_graph else wrap(gradient._value())
    elif create_graph:
        variable._grad = known + gradient
    else:
        known._write((known.detach() + gradient.detach())._value())
