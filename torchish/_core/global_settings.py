"""Process-wide settings: determinism, precision of products, threads. What has no meaning on XLA says so.

https://docs.pytorch.org/docs/stable/torch.html#utilities
"""

from __future__ import annotations

import os
from typing import Any

from .._exec import placement as placements
from .._ops import precision
from .._ops.registry import OPS
from .device import device as Device
from .public import public
from .user_warnings import is_warn_always_enabled, set_warn_always, warn

public("torch")(set_warn_always)
public("torch")(is_warn_always_enabled)

# Determinism

_deterministic = {"enabled": False, "warn_only": False}


@public("torch")
def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for operations that give the same numbers in every run.

    XLA's are on a CPU. On a GPU they are where the process was started with
    ``XLA_FLAGS=--xla_gpu_deterministic_ops=true``, which cannot be set later: without it there is a warning.
    https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
    """
    if not isinstance(mode, bool):
        raise TypeError(
            "_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not " + type(mode).__name__
        )
    on_gpu = mode and any(p.jax_device.platform != "cpu" for p in placements.devices("cuda"))
    if on_gpu and "xla_gpu_deterministic_ops=true" not in os.environ.get("XLA_FLAGS", ""):
        warn(
            "torchish: on a GPU, XLA's operations are deterministic only where the process was started with "
            "XLA_FLAGS=--xla_gpu_deterministic_ops=true"
        )
    _deterministic.update(enabled=mode, warn_only=bool(warn_only))


@public("torch")
def are_deterministic_algorithms_enabled() -> bool:
    """Whether ``use_deterministic_algorithms(True)`` was called."""
    return _deterministic["enabled"]


@public("torch")
def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether ``use_deterministic_algorithms`` was told to warn only."""
    return _deterministic["warn_only"]


_DEBUG_MODES = {"default": 0, "warn": 1, "error": 2}


@public("torch")
def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """``use_deterministic_algorithms`` by a name or number: 0 "default", 1 "warn", 2 "error"."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str) and debug_mode not in _DEBUG_MODES:
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
        )
    mode = _DEBUG_MODES[debug_mode] if isinstance(debug_mode, str) else debug_mode
    if mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {mode}")
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


@public("torch")
def get_deterministic_debug_mode() -> int:
    """The number that ``set_deterministic_debug_mode`` would take to set what is set."""
    return 0 if not _deterministic["enabled"] else 1 if _deterministic["warn_only"] else 2


# Precision of float32 products


def set_precision(matmul: str | None = None, conv: str | None = None) -> None:
    """Set how precisely an accelerator computes products and convolutions of float32; None leaves one as it is."""
    before = precision.names()
    wanted = (matmul or before[0], conv or before[1])
    if wanted != before:
        precision.set_names(*wanted)
        for op in OPS.values():
            op.kernels.clear()


@public("torch")
def set_float32_matmul_precision(precision: str) -> None:
    """How precisely an accelerator multiplies float32 matrices: ``"highest"``, ``"high"`` or ``"medium"``.

    ``highest``, which is set from the start, is float32; the others let JAX use TensorFloat-32 or bfloat16. On a CPU
    all are float32.
    https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html
    """
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in ("highest", "high", "medium"):
        warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
            "setFloat32MatmulPrecision call has no effect."
        )
        return
    set_precision(matmul=precision)


@public("torch")
def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` has set."""
    return precision.names()[0]


@public("torch")
def set_flush_denormal(mode: bool) -> bool:
    """Whether the CPU was told to take denormal numbers for zero: False, XLA decides that for itself."""
    if not isinstance(mode, bool):
        raise TypeError(f"flush_denormal expects a bool, but got {type(mode).__name__}")
    return False


# Threads

_interop: list[int] = []


@public("torch")
def get_num_interop_threads() -> int:
    """How many threads operations may run on beside each other: what was set, or the number of processors."""
    return _interop[0] if _interop else os.cpu_count() or 1


@public("torch")
def set_num_interop_threads(num: int) -> None:
    """Accepted once, for compatibility: XLA has threads of its own."""
    if not isinstance(num, int) or isinstance(num, bool):
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    if _interop:
        raise RuntimeError(
            "Error: cannot set number of interop threads after parallel work has started or "
            "set_num_interop_threads called"
        )
    _interop.append(num)


# The rest


@public("torch")
def _assert(condition: Any, message: str) -> None:
    """``assert``, as a function."""
    assert condition, message


@public("torch")
def compiled_with_cxx11_abi() -> bool:
    """Whether the native code has C++11's ABI: jaxlib's has."""
    return True


@public("torch")
def get_device_module(device: Any = None) -> Any:
    """The module of a device's functions: ``torch.cuda`` or ``torch.cpu``; that of the accelerator, if any, unless named.

    >>> import torchish as torch
    >>> torch.get_device_module("cpu").device_count()
    1
    """
    from .. import cpu, cuda

    modules = {"cpu": cpu, "cuda": cuda}
    if device is None:
        return cuda if placements.devices("cuda") else cpu
    name = Device(device).type
    if name not in modules:
        raise RuntimeError(f"Device '{name}' does not have a corresponding module registered as 'torch.{name}'.")
    return modules[name]
