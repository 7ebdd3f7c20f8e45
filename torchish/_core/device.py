"""``torchish.device``, and the device that creation uses when none is named."""

from __future__ import annotations

import re
import threading
from typing import Any

from .._exec import placement as placements
from .._exec.placement import Placement

_TYPES = ("cpu", "cuda", "tpu", "xla")
_PYTORCH_TYPES = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, "
    "mtia, privateuseone"
)


class device:
    """A device by name: ``device("cpu")``, ``device("cuda:1")``, ``device("cuda", 0)``.

    ``cuda`` is the GPU that JAX sees; ``tpu`` and ``xla`` its accelerator.

    >>> device("cuda:1").type, device("cuda:1").index
    ('cuda', 1)
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __new__(cls, type: Any, index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        self = super().__new__(cls)
        if isinstance(type, int):
            type, index = "cuda", type
        elif not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {type.__class__.__name__}")
        elif ":" in type:
            name, _, number = type.partition(":")
            if index is not None or not re.fullmatch(r"0|[1-9]\d*", number):
                raise RuntimeError(f"Invalid device string: '{type}'")
            type, index = name, int(number)
        if type not in _TYPES:
            raise RuntimeError(f"Expected one of {_PYTORCH_TYPES} device type at start of device string: {type}")
        self.type, self.index = type, index
        return self

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (f", index={self.index})" if self.index is not None else ")")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        _DEFAULT.stack.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        _DEFAULT.stack.pop()


Device = device


class _Default(threading.local):
    def __init__(self) -> None:
        self.stack: list[device] = []


_DEFAULT = _Default()
_process_default: list[device] = []


def set_default_device(device: Any) -> None:
    """Let tensors that name no device be made on ``device``; None returns to the CPU."""
    _process_default[:] = [] if device is None else [Device(device)]


def get_default_device() -> device:
    """The device of tensors that name none."""
    if _DEFAULT.stack:
        return _DEFAULT.stack[-1]
    return _process_default[0] if _process_default else device("cpu")


def placement_of(d: Any) -> Placement:
    """The placement of a ``device`` argument; None is the default device."""
    if d is None:
        if not _DEFAULT.stack and not _process_default:
            return placements.cpu()
        d = get_default_device()
    elif isinstance(d, Placement):
        return d
    d = device(d)
    known = placements.devices(d.type)
    if not known:
        if d.type == "cuda":
            raise AssertionError("Torch not compiled with CUDA enabled")
        raise RuntimeError(f"torchish: JAX sees no device of type {d.type}")
    index = d.index or 0
    if index >= len(known):
        raise RuntimeError("CUDA error: invalid device ordinal" if d.type == "cuda" else f"no device {d}")
    return known[index]


def device_of(p: Placement) -> device:
    """The public device of a placement."""
    return device(p.type) if p.type == "cpu" else device(p.type, p.index)
