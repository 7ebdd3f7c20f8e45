"""What the conformance run does not hold torchish to, and why.

A float32 case of the tests' sample that is listed here and passes fails them. Patterns for the other dtypes cover whole
operators: the page that ``run.py`` writes has what is really seen.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

# Patterns of "operator dtype check", and the reason.
_NO_SUCH_NAME = "PyTorch has it under torch.ops.aten alone"
_FLOAT8 = "float8 products, which JAX has on accelerators alone"
_HALVES = "PyTorch rounds after each step of its formula; torchish is nearer to the float64 result"
_TIES = "the positions of equal elements, which PyTorch gives in no promised order"
_COMPLEX32 = "complex32, a dtype that JAX lacks"
_WRAPPED = "PyTorch subtracts unsigned integers as such, which wraps around; here they are floats first"

# Where a rounding step by step is seen.
ROUNDED = """
    addbmm addcdiv addcmul ldexp pow __rpow__ logcumsumexp polygamma.polygamma_n_0 nn.functional.normalize
    nn.functional.conv2d nn.functional.conv3d nn.functional.conv_transpose2d nn.functional.conv_transpose3d
    nn.functional.grid_sample grid_sampler_2d grid_sampler_3d nn.functional.scaled_dot_product_attention
    linalg.multi_dot linalg.vector_norm special.polygamma.special_polygamma_n_0 masked.normalize
""".split()
# Where equal elements are told apart, as they are frequent among few values.
SELECTING = "kthvalue topk sort msort argsort".split()
COARSE = "int64 int32 uint8 bool float16 bfloat16".split()
# Where unsigned integers are subtracted.
UNSIGNED = """
    nn.functional.margin_ranking_loss nn.functional.triplet_margin_loss nn.functional.pairwise_distance
    nn.functional.triplet_margin_with_distance_loss
""".split()

KNOWN: dict[str, str] = {
    "slice * *": _NO_SUCH_NAME,
    "max_pool2d_with_indices_backward * *": _NO_SUCH_NAME,
    "nn.functional.multi_head_attention_forward *float16 *": "large values, rounded after each product on both sides: "
    "torchish is as far from the float64 result as PyTorch",
    "torch._scaled_mm* * *": _FLOAT8,
    "matrix_exp float32 forward": "PyTorch itself is off by as much where elements are small beside the largest",
    "matrix_exp *float16 *": "PyTorch's polynomial of high degree is NaN there",
    "as_strided_scatter * backward": "PyTorch gives the gradient of the places written over, not of those kept",
    "as_strided_scatter * gradgrad": "PyTorch gives the gradient of the places written over, not of those kept",
    "linalg.norm.subgradients_at_zero float32 gradgrad": "the second derivative at 0 is 0 here, NaN in PyTorch",
    "grid_sampler_3d float32 gradgrad": "sums that cancel: both are as far from the result in float64",
    "logsumexp complex64 backward": "phases of a million radians, whose sine float32 does not hold",
    "renorm complex64 backward": "PyTorch's gradient at 0 is NaN",
    "special.bessel_j0 float64 forward": "PyTorch is off by 3e-7 above 5; torchish by 1e-16",
    "special.bessel_y1 float64 forward": "PyTorch is off by 3e-7 above 5; torchish by 1e-16",
    "__radd__ float32 errors": "called on an int, which a C method refuses and a Python function does not",
    "__rmul__ float32 errors": "called on an int, which a C method refuses and a Python function does not",
    "view_as_complex float16 *": _COMPLEX32,
    "complex float16 *": _COMPLEX32,
    **{f"{name} uint8 forward": _WRAPPED for name in UNSIGNED},
    **{f"{name} {dtype} *": _TIES for name in SELECTING for dtype in COARSE},
    **{f"{name} *float16 *": _HALVES for name in ROUNDED},
}


def reason(operator: str, dtype: str, check: str) -> str:
    """Why torchish is not held to this check; empty where it is."""
    case = f"{operator} {dtype} {check}"
    return next((why for pattern, why in KNOWN.items() if fnmatchcase(case, pattern)), "")
