"""What the conformance run does not hold torchish to, and why.

A case that is listed here and passes fails the tests, so that the list cannot outlive its reasons.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

# Patterns of "operator dtype check", and the reason.
_NO_SUCH_NAME = "PyTorch has it under torch.ops.aten alone"
_FLOAT8 = "float8 products, which JAX has on accelerators alone"

KNOWN: dict[str, str] = {
    "slice * *": _NO_SUCH_NAME,
    "max_pool2d_with_indices_backward * *": _NO_SUCH_NAME,
    "nn.functional.multi_head_attention_forward * *": "not built yet: it comes with the attention modules",
    "torch._scaled_mm* * *": _FLOAT8,
    "matrix_exp float32 forward": "PyTorch itself is off by as much where elements are small beside the largest",
    "as_strided_scatter * backward": "PyTorch gives the gradient of the places written over, not of those kept",
    "as_strided_scatter * gradgrad": "PyTorch gives the gradient of the places written over, not of those kept",
    "linalg.norm.subgradients_at_zero float32 gradgrad": "the second derivative at 0 is 0 here, NaN in PyTorch",
    "__radd__ float32 errors": "called on an int, which a C method refuses and a Python function does not",
    "__rmul__ float32 errors": "called on an int, which a C method refuses and a Python function does not",
}


def reason(operator: str, dtype: str, check: str) -> str:
    """Why torchish is not held to this check; empty where it is."""
    case = f"{operator} {dtype} {check}"
    return next((why for pattern, why in KNOWN.items() if fnmatchcase(case, pattern)), "")
