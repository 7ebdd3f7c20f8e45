"""``torch.backends.cudnn``: the precision of convolutions on a GPU. XLA chooses and times its kernels for itself."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator

from .. import cuda as _cuda
from .._core.global_settings import set_precision
from .._ops import precision as _precision

__all__ = ["flags", "is_available", "version"]

enabled = True
benchmark = False
deterministic = False
benchmark_limit = 10


class _Cudnn(types.ModuleType):
    """The module, with ``allow_tf32`` as a property."""

    @property
    def allow_tf32(self) -> bool:
        """Whether convolutions of float32 may round to TensorFloat-32."""
        return _precision.names()[1] != "highest"

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        if not isinstance(allowed, bool):
            raise RuntimeError(f"set_allow_tf32_cudnn expects a bool, but got {type(allowed).__name__}")
        set_precision(conv="high" if allowed else "highest")


sys.modules[__name__].__class__ = _Cudnn


def is_available() -> bool:
    """Whether JAX sees a GPU."""
    return _cuda.is_available()


def version() -> int | None:
    """The version of cuDNN: None, JAX does not say."""
    return None


_FLAGS = ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32")


@contextlib.contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:
    """The settings of this module as given, within a block."""
    module = sys.modules[__name__]
    before = {name: getattr(module, name) for name in _FLAGS}
    wanted = (enabled, benchmark, benchmark_limit, deterministic, allow_tf32)
    try:
        for name, value in zip(_FLAGS, wanted, strict=True):
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)
