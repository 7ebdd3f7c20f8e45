"""Where a gradient would go to an operand by which an op has no derivative: an error, when it gets there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from .._exec.kernel import Kernel
from .._exec.value import Aval
from .graph import Edge, Node, next_sequence_number, node_class


class Underived:
    """Stands in a node for a derivative kernel."""

    needs = (0,)
    uses: tuple[int, ...] = ()
    frees = False
    placement = None  # it can be no part of a Tape

    def __init__(self, what: str, aval: Aval):
        self.what = what
        self.forward = Kernel("underived", lambda x: (x,), [aval], aval.placement)
        self.out_avals = (aval,)

    def pull(self, cotangents: Sequence[Any]) -> NoReturn:
        raise NotImplementedError(f"the derivative for '{self.what}' is not implemented.")


_known: dict[tuple[str, Aval], Underived] = {}


def refusing_node(what: str, aval: Aval, edge: Edge) -> Node:
    """A node between an op and its operand of ``aval`` whose history ``edge`` is."""
    node: Any = object.__new__(node_class("NotImplemented"))
    node.vjp = _known.get((what, aval)) or _known.setdefault((what, aval), Underived(what, aval))
    node.saved, node.versions, node.edges = (), (), (edge,)
    node.sequence_nr, node.hooks = next_sequence_number(), None
    node.window, node.position = None, -1
    return node
