"""How precisely products of float32 are computed on an accelerator: settings that ops read when they are traced.

A kernel keeps what it was traced with, so whoever changes one clears the kernels of all ops
(``_core/global_settings.py``). On a CPU all of them mean float32.
"""

from __future__ import annotations

from jax import lax

BY_NAME = {"highest": lax.Precision.HIGHEST, "high": lax.Precision.HIGH, "medium": lax.Precision.DEFAULT}

# Within decompositions and inverses, whatever the user lets products be.
FULL = lax.Precision.HIGHEST

_matmul = "highest"
_conv = "highest"  # PyTorch lets convolutions use TensorFloat-32 unless told otherwise: here only when told to


def matmul_precision() -> lax.Precision:
    """That of matrix products: ``torch.set_float32_matmul_precision``."""
    return BY_NAME[_matmul]


def conv_precision() -> lax.Precision:
    """That of convolutions: ``torch.backends.cudnn.allow_tf32``."""
    return BY_NAME[_conv]


def names() -> tuple[str, str]:
    """The names of both, that of products first."""
    return _matmul, _conv


def set_names(matmul: str, conv: str) -> None:
    """Set both by name."""
    global _matmul, _conv
    _matmul, _conv = matmul, conv
