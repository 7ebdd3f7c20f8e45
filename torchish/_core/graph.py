"""What autograd's graph is made of: nodes, and edges between them.

A ``Node`` is one derivative that ``backward()`` will run: the derivative kernel, the saved operands and,
for each operand that requires grad, an edge ``(node, result number)`` to whatever produced it. Edges are frozen
when the operation is recorded. Nodes never hold Tensors that an op produced, so that graph, Tensors and
Values form no cycle and reference counting alone frees them; a leaf is known through its ``AccumulateGrad``,
which the leaf holds and which refers back weakly.

In-place operations, with a drawing. ``y = x * 2; v = y[0]; v.mul_(3)`` where x requires grad::

    before                     after
    x <- Mul <- y              x <- Mul <-+------------- CopySlices <- y
              <- Select <- v              +- Select <- Mul <-+        <- AsStrided <- v

The new data of v goes into y's Storage; y's history becomes ``CopySlices``, whose derivative sends the part of
the gradient that lies in v through the multiplication and the rest to y's old history. v's own ``grad_fn`` is
made anew, from y, when somebody asks: its recorded version no longer equals the Storage's.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .._exec.kernel import VjpKernel

Edge = tuple[Any, int]  # (Node or AccumulateGrad, result number)

next_sequence_number = itertools.count().__next__

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
    "if you need to access saved tensors after calling backward."
)


class RemovableHandle:
    """What registering a hook returns: removes it, by :meth:`remove` or at the end of a ``with`` block.

    Args:
        hooks_dict: the ordered dictionary that holds the hook; kept weakly.
        extra_dict: one dictionary, or a list of them, that hold more about the hook under the same key.
    """

    _ids = itertools.count()

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = next(RemovableHandle._ids)
        extra = extra_dict if isinstance(extra_dict, list) else [] if extra_dict is None else [extra_dict]
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra)

    def remove(self) -> None:
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        hooks, self.id, extra = state
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks is None else hooks)
        self.extra_dict_ref = tuple(weakref.ref(OrderedDict() if d is None else d) for d in extra)
        RemovableHandle._ids = itertools.count(max(next(RemovableHandle._ids), self.id + 1))

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.remove()


RemovableHandle.__module__ = "torchish.utils.hooks"  # where users know it


def add_hook(hooks: OrderedDict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


class Hooks:
    """The hooks of one node: on the tensors that it produced, on the node before and after it runs."""

    __slots__ = ("post", "pre", "retained", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, OrderedDict[int, Any]] = {}
        self.retained: dict[int, Any] = {}  # result number -> weak reference to the tensor that keeps its grad
        self.pre: OrderedDict[int, Any] = OrderedDict()
        self.post: OrderedDict[int, Any] = OrderedDict()

    def any(self) -> bool:
        return bool(self.pre or self.post or any(self.tensor.values()))


# Nodes that PyTorch does not generate have a C++ namespace in ``name()``.
_CPP_NAMESPACED = ("AccumulateGrad", "CopyBackwards", "CopySlices")


class GraphNode:
    """What nodes of all kinds share: a name, hooks, and where they lead."""

    __slots__ = ("__weakref__", "hooks", "metadata_dict")
    hooks: Hooks | None

    def name(self) -> str:
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in _CPP_NAMESPACED else name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {hex(id(self))}>"

    @property
    def metadata(self) -> dict[Any, Any]:
        try:
            return self.metadata_dict
        except AttributeError:
            self.metadata_dict: dict[Any, Any] = {}
            return self.metadata_dict

    def own_hooks(self) -> Hooks:
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after the node has run; it may return new grad_inputs."""
        return add_hook(self.own_hooks().post, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before the node runs; it may return new grad_outputs."""
        return add_hook(self.own_hooks().pre, hook)


class Node(GraphNode):
    """One derivative to run. Its class is named for the op: ``type(y.grad_fn).__name__ == "MulBackward0"``."""

    __slots__ = ("edges", "position", "saved", "sequence_nr", "stack", "versions", "vjp", "window")

    vjp: VjpKernel
    sequence_nr: int
    window: Any
    position: int
    saved: tuple[Any, ...] | None
    versions: tuple[tuple[list[Any], int], ...]
    edges: tuple[Edge, ...]

    def _sequence_nr(self) -> int:
        return self.sequence_nr

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        if type(self).__name__ == "CopySlices":
            # The base's history, then what the operation on the view read besides the view.
            base, inner = (self.edges[0] if len(self.edges) > 1 else (None, 0)), self.edges[-1][0]
            return (base, *inner.next_functions[1:])
        edges = {i: e for i, e in zip(self.vjp.needs, self.edges, strict=True) if e[0] is not NOWHERE}
        return tuple(edges.get(i, (None, 0)) for i in self.vjp.forward.tensor_operands)

    def check_versions(self) -> None:
        """Raise PyTorch's error where a saved tensor was changed in place since."""
        for index, (counter, version) in enumerate(self.versions):
            if counter[0] != version:
                raise RuntimeError(self._modified(index, counter, version))

    def _modified(self, index: int, counter: list[Any], then: int) -> str:
        from .dtypes import of

        now = counter[0]
        aval: Any
        producer: Any
        if self.vjp.forward.saves_result:
            aval, producer = self.vjp.forward.out_avals[0], (short_name(self), 0)
        else:
            # The target of an in-place operation, its first operand, is not checked.
            operand = self.vjp.guards[len(self.vjp.guards) - len(self.versions) + index]
            aval = self.vjp.forward.in_avals[operand]
            edge = dict(zip(self.vjp.needs, self.edges, strict=True)).get(operand)
            producer = None
            if edge is not None and isinstance(edge[0], Node) and edge[0].window is None:
                producer = ("AsStrided", 0)  # a view, whose history is made anew after the write
            elif len(counter) > 1:
                producer = (counter[1], 0)
            elif edge is not None and isinstance(edge[0], Node):
                producer = (short_name(edge[0]), edge[1])
        scalar = of(aval.dtype)._scalar.scalar_name
        made = "" if producer is None else f", which is output {producer[1]} of {producer[0]},"
        kind = "torch.cuda" if aval.placement.type == "cuda" else "torch"
        return (
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[{kind}.{scalar}Tensor {list(aval.shape)}]{made} is at version {now}; expected version {then} "
            "instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
            "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )


def short_name(node: GraphNode) -> str:
    """A node's name as PyTorch's error texts have it: ``Mul`` for ``MulBackward0``, ``Sum1`` for ``SumBackward1``."""
    if type(node).__name__ in _CPP_NAMESPACED:
        return node.name()
    name, _, number = type(node).__name__.partition("Backward")
    return name if number == "0" else name + number


class AccumulateGrad(GraphNode):
    """The end of an edge at a leaf: adds to the leaf's ``grad``."""

    __slots__ = ("leaf", "post_accumulate", "sequence_nr")

    def __init__(self, leaf: Any):
        self.leaf = weakref.ref(leaf)
        self.hooks = None
        self.post_accumulate: OrderedDict[int, Any] = OrderedDict()
        self.sequence_nr = (1 << 62) + next_sequence_number()

    def _sequence_nr(self) -> int:
        return (1 << 64) - 1

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    @property
    def variable(self) -> Any:
        return self.leaf()

    @property
    def next_functions(self) -> tuple:
        return ()


class _Nothing:
    __slots__ = ("__weakref__",)


# Where an edge leads that PyTorch leaves empty, of a tensor that nevertheless counts as requiring grad: a view made
# under no_grad of a base that does.
NOWHERE = AccumulateGrad(_Nothing())
NOWHERE_EDGE: Edge = (NOWHERE, 0)


def move_retained(old: Edge | None, new: Edge) -> None:
    """Let ``retain_grad`` keep the gradient of the tensor as it is at its new place in the graph."""
    if old is None or old[0].hooks is None:
        return
    keeper = old[0].hooks.retained.pop(old[1], None)
    if keeper is not None:
        new[0].own_hooks().retained[new[1]] = keeper


_node_classes: dict[str, type[Node]] = {}


def node_class(name: str) -> type[Node]:
    """The class of nodes called ``name``."""
    found = _node_classes.get(name)
    if found is None:
        found = _node_classes.setdefault(name, type(name, (Node,), {"__slots__": (), "__module__": "torch.autograd"}))
    return found
