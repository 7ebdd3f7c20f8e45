"""``torch.backends.cuda``: the precision of matrix products on a GPU."""

from __future__ import annotations

from .. import cuda as _cuda
from .._core.global_settings import get_float32_matmul_precision, set_precision

__all__ = ["is_built", "matmul"]


class _Matmul:
    """The settings of matrix products."""

    @property
    def allow_tf32(self) -> bool:
        """Whether float32 operands may be rounded to TensorFloat-32; as ``set_float32_matmul_precision("high")``."""
        return get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        if not isinstance(allowed, bool):
            raise RuntimeError(f"set_allow_tf32_cublas expects a bool, but got {type(allowed).__name__}")
        set_precision(matmul="high" if allowed else "highest")


matmul = _Matmul()


def is_built() -> bool:
    """Whether there is code for a GPU: whether JAX sees one."""
    return _cuda.is_available()
