"""The classes of named results, such as ``torch.return_types.max``."""

from __future__ import annotations

from ._core.dispatch import return_type as _return_type
from ._ops.registry import OPS as _OPS

for _op in _OPS.values():
    if _op.returns is not None:
        globals()[_op.name.partition(".")[0]] = _return_type(_op)
