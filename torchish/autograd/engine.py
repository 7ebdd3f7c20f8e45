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

from collections.abc import Iterable, Sequence
from typing import Any

from .._core.dispatch import make_node, wrap
from .._core.graph import FREED, AccumulateGrad, Edge, GraphNode, Hooks, Node
from .._core.inplace import cast
from .._core.tensor import Tensor
from .._exec.tape import DISCARD, Capture, Entry, Root, tape_of
from .._exec.value import Aval, Value
from .._exec.window import THREADS, Context, record

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

    def _leading_to_captures(self) -> set[int]:
        """The nodes from which a captured edge can be reached."""
        assert self.captures is not None
        wanted = {node_id for node_id, _ in self.captures}
        needed: set[int] = set()
        for node in reversed(self.order):
            if any(id(n) in wanted or id(n) in needed for n, _ in node.edges):
                needed.add(id(node))
        return needed

    def goes_to(self, node: GraphNode) -> bool:
        """Whether gradients are carried to ``node`` at all."""
        if self.needed is None:
            return True
        return id(node) in self.needed or any(node_id == id(node) for node_id, _ in self.captures or ())


def _collect(roots: Iterable[Any]) -> tuple[list[Node], list[AccumulateGrad]]:
    """All nodes reachable from ``roots`` in the order in which they run, and the leaves."""
    seen: set[int] = set()
    nodes: list[Node] = []
    leaves: list[AccumulateGrad] = []
    stack = list(roots)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.__class__ is AccumulateGrad:
            leaves.append(node)
        else:
            nodes.append(node)
            for target, _ in node.edges:
                stack.append(target)
    nodes.sort(key=lambda n: n.sequence_nr, reverse=True)
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
    if task.create_graph or context.trace is not None or context.hooks is not None:
        return False
    placement = None
    for node in task.order:
        if node.hooks is not None and node.hooks.any():
            return False
        if node.vjp is None or (placement is not None and node.vjp.placement is not placement):
            return False
        placement = node.vjp.placement
    for leaf in task.leaves:
        if leaf.post_accumulate or (leaf.hooks is not None and leaf.hooks.any()):
            return False
    return placement is not None and all(g is None or g._aval.placement is placement for _, g, _ in task.roots)


def _check(node: Node) -> None:
    if node.saved is None:
        raise RuntimeError(FREED)
    node.check_versions()


def _release(node: Node) -> None:
    """Give up what the node saved; a second pass through it is an error where it saved tensors."""
    if node.vjp is not None and node.vjp.frees and (node.vjp.uses or node.vjp.forward.saves_result):
        node.saved = None
        node.versions = ()


# One instruction


def _run_tapes(context: Context, task: Task) -> None:
    order = [n for n in task.order if task.goes_to(n)]
    for node in order:
        _check(node)
    carried: dict[tuple[int, int], Value] = {}
    ones: list[tuple[Edge, Aval]] = []
    for edge, gradient, aval in task.roots:
        if gradient is None:
            ones.append((edge, aval))
        elif (id(edge[0]), edge[1]) in carried:
            raise AssertionError("roots are made distinct by the caller")
        else:
            carried[(id(edge[0]), edge[1])] = cast(context, gradient._value(), aval.dtype)
    for start in range(0, max(len(order), 1), LONGEST_TAPE):
        _record_tape(context, task, order[start : start + LONGEST_TAPE], ones, carried)
        ones = []
    for leaf in task.leaves:
        value = carried.pop((id(leaf), 0), None)
        if value is None:
            continue
        capture = None if task.captures is None else task.captures.get((id(leaf), 0))
        if capture is not None:
            task.captured[capture] = wrap(value)
        if task.accumulate and (task.captures is None or capture is not None):
            accumulate(leaf, wrap(value), create_graph=False)
    if not task.keep_graph:
        for node in order:
            _release(node)


def _record_tape(
    context: Context,
    task: Task,
    nodes: Sequence[Node],
    ones: Sequence[tuple[Edge, Aval]],
    carried: dict[tuple[int, int], Value],
) -> None:
    """Record the plan for ``nodes``; takes their cotangents out of ``carried`` and puts those of others in."""
    index = {id(n): i for i, n in enumerate(nodes)}
    operands: list[Any] = []
    exports: dict[tuple[int, int], int] = {}
    out_avals: list[Aval] = []
    captures: list[Capture] = []
    capture_of: list[tuple[int, Node, int]] = []

    def route(edge: Edge, aval: Aval) -> tuple[int, int]:
        target, number = edge
        at = index.get(id(target))
        if at is not None:
            return at, number
        if not task.goes_to(target):
            return DISCARD, 0
        key = (id(target), number)
        export = exports.get(key)
        if export is None:
            export = exports[key] = len(out_avals)
            out_avals.append(aval)
        return -1 - export, 0

    roots: list[Root] = []
    for edge, aval in ones:
        target, number = route(edge, aval)
        roots.append(Root(target, number, -1, aval))
    for key in [k for k in carried if k[0] in index or k in exports]:
        value = carried.pop(key)
        target, number = (index[key[0]], key[1]) if key[0] in index else (-1 - exports[key], 0)
        roots.append(Root(target, number, len(operands), None))
        operands.append(value)
    window = context.window
    entries: list[Entry] = []
    for node in nodes:
        vjp = node.vjp
        routes = tuple([route(edge, aval) for edge, aval in zip(node.edges, vjp.out_avals, strict=True)])
        if node.window is window and node.position >= 0:
            entries.append(Entry(vjp, node.position, -1, routes))
        else:
            entries.append(Entry(vjp, -1, len(operands), routes))
            operands.extend(node.saved)  # type: ignore[arg-type]
    for i, node in enumerate(nodes):
        for number in _watched(task, node):
            captures.append(Capture(i, number, len(out_avals)))
            capture_of.append((len(out_avals), node, number))
            out_avals.append(node.vjp.forward.out_avals[number])
    # A leaf may already have a gradient from an earlier tape: it enters this one and leaves it summed.
    for key, export in exports.items():
        if key in carried:
            roots.append(Root(-1 - export, 0, len(operands), None))
            operands.append(carried.pop(key))
    if not out_avals:
        return
    tape = tape_of(tuple(entries), tuple(roots), tuple(captures), tuple(out_avals), out_avals[0].placement)
    results = record(context, tape, operands)
    for key, export in exports.items():
        carried[key] = results[export]
    for export, node, number in capture_of:
        _deliver(task, node, number, wrap(results[export]))


def _watched(task: Task, node: Node) -> list[int]:
    """The results of ``node`` whose complete cotangent somebody wants."""
    numbers = set(node.hooks.retained) if node.hooks is not None else set()
    if task.captures is not None:
        numbers.update(number for node_id, number in task.captures if node_id == id(node))
    return sorted(numbers)


def _deliver(task: Task, node: GraphNode, number: int, gradient: Tensor) -> None:
    if task.captures is not None:
        capture = task.captures.get((id(node), number))
        if capture is not None:
            task.captured[capture] = gradient
    if node.hooks is not None and number in node.hooks.retained and task.accumulate:
        keeper = node.hooks.retained[number]()
        if keeper is not None:
            _add_to_grad(keeper, gradient, task.create_graph)


# Node by node


def _run_nodes(context: Context, task: Task) -> None:
    buffers: dict[int, list[Tensor | None]] = {}

    def receive(edge: Edge, gradient: Tensor, results: int) -> None:
        buffer = buffers.setdefault(id(edge[0]), [None] * results)
        known = buffer[edge[1]]
        buffer[edge[1]] = gradient if known is None else known + gradient

    for edge, gradient, aval in task.roots:
        if gradient is None:
            gradient = _ones(aval)
        elif gradient._aval.dtype != aval.dtype:
            gradient = gradient.to(_dtype(aval))
        receive(edge, gradient, _results_of(edge[0]))
    for node in task.order:
        buffer = buffers.pop(id(node), None)
        if buffer is None:
            continue
        buffer = _before(task, node, buffer)
        if task.needed is not None and id(node) not in task.needed:
            continue
        for (target, number), gradient in zip(node.edges, _apply(context, task, node, buffer), strict=True):
            if gradient is not None and task.goes_to(target):
                receive((target, number), gradient, _results_of(target))
        if not task.keep_graph:
            _release(node)
    for leaf in sorted(task.leaves, key=lambda n: n.sequence_nr):
        buffer = buffers.pop(id(leaf), None)
        if buffer is not None and task.goes_to(leaf):
            _finish_leaf(task, leaf, buffer)


def _results_of(node: GraphNode) -> int:
    return len(node.vjp.forward.out_avals) if isinstance(node, Node) else 1


def _ones(aval: Aval) -> Tensor:
    from .._core.creation import full_value

    return wrap(full_value(aval, 1))


def _dtype(aval: Aval) -> Any:
    from .._core.dtypes import of

    return of(aval.dtype)


def _hooked(hooks: Iterable[Any], gradient: Tensor) -> Tensor:
    for hook in list(hooks):
        new = hook(gradient)
        if new is not None:
            gradient = new
    return gradient


def _before(task: Task, node: GraphNode, buffer: list[Tensor | None]) -> list[Tensor | None]:
    """Tensor hooks, retained and captured gradients, then the node's own pre-hooks."""
    hooks: Hooks | None = node.hooks
    if hooks is not None:
        for number, registered in hooks.tensor.items():
            if buffer[number] is not None:
                buffer[number] = _hooked(registered.values(), buffer[number])  # type: ignore[arg-type]
    for number, gradient in enumerate(buffer):
        if gradient is not None:
            _deliver(task, node, number, gradient)
    if hooks is not None and hooks.pre:
        for hook in list(hooks.pre.values()):
            new = hook(tuple(buffer))
            if new is not None:
                buffer = list(new) if isinstance(new, (tuple, list)) else [new]
    return buffer


def _apply(context: Context, task: Task, node: Node, buffer: list[Tensor | None]) -> Sequence[Tensor | None]:
    """The gradients that ``node`` sends along its edges."""
    gradients = list(differentiate(node, context, buffer, task.create_graph))
    hooks = node.hooks
    if hooks is not None and hooks.post:
        for hook in list(hooks.post.values()):
            new = hook(tuple(gradients), tuple(buffer))
            if new is not None:
                gradients = list(new) if isinstance(new, (tuple, list)) else [new]
    return gradients


def differentiate(
    node: Node, context: Context, buffer: Sequence[Tensor | None], create_graph: bool
) -> Sequence[Tensor]:
    """Record the node's derivative, as an operation that can itself be differentiated."""
    _check(node)
    assert node.saved is not None
    vjp = node.vjp.partial(tuple(g is not None for g in buffer))
    saved = dict(zip(node.vjp.uses, node.saved, strict=True))
    cotangents = [g for g in buffer if g is not None]
    values: list[Any] = [*(saved[i] for i in vjp.uses), *(g._value() for g in cotangents)]
    results = record(context, vjp, values)
    outs = (results,) if vjp.single is not None else results
    tensors = [wrap(v) for v in outs]
    if create_graph:
        edges: list[Any] = [dict(zip(node.vjp.needs, node.edges, strict=True)).get(i) for i in vjp.uses]
        edges += [g._current_edge() for g in cotangents]
        needs = [i for i, e in enumerate(edges) if e is not None and isinstance(vjp.in_avals[i], Aval)]
        if needs and vjp.differentiable:
            made = make_node(context, vjp, values, needs, [edges[i] for i in needs], [None] * len(values))
            for number, t in enumerate(tensors):
                t._edge = (made, number)
    return tensors


def _finish_leaf(task: Task, leaf: AccumulateGrad, buffer: list[Tensor | None]) -> None:
    buffer = _before(task, leaf, buffer)
    gradient = buffer[0]
    captured = task.captures is not None and (id(leaf), 0) in task.captures
    if gradient is None or not task.accumulate or (task.captures is not None and not captured):
        return
    accumulate(leaf, gradient, create_graph=task.create_graph)
    variable = leaf.leaf()
    for hook in list(leaf.post_accumulate.values()):
        if variable is not None:
            hook(variable)
    if leaf.hooks is not None:
        for hook in list(leaf.hooks.post.values()):
            hook((), tuple(buffer))


def accumulate(leaf: AccumulateGrad, gradient: Tensor, *, create_graph: bool) -> None:
    """Add ``gradient`` to a leaf's ``grad``: in place, unless the graph of the gradient is wanted."""
    variable = leaf.leaf()
    if variable is not None:
        _add_to_grad(variable, gradient, create_graph)


def _add_to_grad(variable: Tensor, gradient: Tensor, create_graph: bool) -> None:
    known = variable._grad
    if known is None:
        variable._grad = gradient if create_graph or gradient._edge is None else gradient.detach()
    elif create_graph:
        variable._grad = known + gradient
    else:
        known._write((known.detach() + gradient.detach())._value())
