"""The derivative of a copy between devices, which no kernel on one device can be: a copy back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._exec.kernel import Kernel
from .._exec.placement import Placement
from .._exec.value import Aval, aval_of
from .graph import Edge, Node, next_sequence_number, node_class


class DeviceCopy:
    """Stands in a node for a derivative kernel."""

    needs = (0,)
    uses: tuple[int, ...] = ()
    frees = False
    placement = None  # it is on two devices, so that it can be no part of a Tape

    def __init__(self, source: Placement, out_aval: Aval):
        self.source = source
        self.forward = Kernel("to_device", lambda x: (x,), [out_aval], out_aval.placement)
        self.out_avals = (aval_of(out_aval.shape, out_aval.dtype, source),)

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """The cotangent on the source's device; a recorded copy itself while grad mode is on."""
        from .functions.conversion import to_placement

        (cotangent,) = cotangents
        return [None if cotangent is None else to_placement(cotangent, self.source)]


_known: dict[tuple[Placement, Aval], DeviceCopy] = {}


def copy_node(source: Placement, out_aval: Aval, edge: Edge) -> Node:
    """The node of a tensor of ``out_aval`` that was copied from ``source``."""
    node: Any = object.__new__(node_class("ToCopyBackward0"))
    node.vjp = _known.get((source, out_aval)) or _known.setdefault((source, out_aval), DeviceCopy(source, out_aval))
    node.saved, node.versions, node.edges = (), (), (edge,)
    node.sequence_nr, node.hooks = next_sequence_number(), None
    node.window, node.position = None, -1
    return node
