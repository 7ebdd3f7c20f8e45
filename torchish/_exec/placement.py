"""Where data lives: one object for each device that PyTorch would name, bound to the JAX device behind it."""

from __future__ import annotations

import functools
import os

import jax


class Placement:
    """A concrete device: ``type`` and ``index`` as PyTorch names it, and the ``jax.Device`` behind it.

    There is one object a device, so identity is equality.
    """

    __slots__ = ("index", "jax_device", "sharding", "type")

    def __init__(self, type: str, index: int, jax_device: jax.Device):
        self.type, self.index, self.jax_device = type, index, jax_device
        self.sharding = jax.sharding.SingleDeviceSharding(jax_device)

    def __repr__(self) -> str:
        return self.type if self.type == "cpu" else f"{self.type}:{self.index}"

    def __reduce__(self):
        return placement, (self.type, self.index)


def _accelerator_devices(type: str) -> list[jax.Device]:
    """The JAX devices that ``cuda``, ``tpu`` or ``xla`` stand for; empty where there are none.

    ``TORCHISH_CUDA_PLATFORM=cpu`` lets the second and further CPU devices of JAX play ``cuda:0``,
    ``cuda:1``, ...: the tests of device semantics run without an accelerator this way.
    """
    if type == "cuda" and os.environ.get("TORCHISH_CUDA_PLATFORM") == "cpu":
        return jax.devices("cpu")[1:]
    platforms = {"cuda": ("cuda", "rocm"), "tpu": ("tpu",), "xla": ("tpu", "cuda", "rocm")}[type]
    for platform in platforms:
        try:
            return jax.devices(platform)
        except RuntimeError:
            continue
    return []


@functools.cache
def devices(type: str) -> tuple[Placement, ...]:
    """All devices of one type, by index."""
    if type == "cpu":
        return (Placement("cpu", 0, jax.devices("cpu")[0]),)
    return tuple(Placement(type, i, d) for i, d in enumerate(_accelerator_devices(type)))


def placement(type: str, index: int = 0) -> Placement:
    """The placement of ``type:index``; IndexError where there is no such device."""
    return devices(type)[index]


@functools.cache
def cpu() -> Placement:
    return placement("cpu")


@functools.cache
def of_jax_device(device: jax.Device) -> Placement:
    """The placement of a ``jax.Device``."""
    for type in ("cpu", "cuda", "tpu"):
        for p in devices(type):
            if p.jax_device == device:
                return p
    raise ValueError(f"{device} is none of the devices that torchish knows")
