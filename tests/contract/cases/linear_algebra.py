"""Arguments of the ops of linear algebra other than products and decompositions."""

from __future__ import annotations

from typing import Any

from .values import Fixed, f

# Far from singular, with a positive determinant.
_SAFE = Fixed([[2.0, 0.3, 0.1], [0.2, 1.5, 0.4], [0.3, 0.1, 1.8]])

ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: {"A": _SAFE} for name in ("linalg_det", "linalg_slogdet", "linalg_inv", "linalg_inv_ex")},
    **{name: {"input": _SAFE} for name in ("logdet", "slogdet", "linalg_matrix_exp")},
    "linalg_solve": {"A": _SAFE, "B": f(3, 2)},
    "linalg_solve_ex": {"A": _SAFE, "B": f(2, 3), "left": False},
    "linalg_tensorinv": {"input": f(4, 2, 2), "ind": 1},
    "linalg_tensorsolve": {"input": f(2, 2, 4), "other": f(2, 2)},
    "linalg_pinv": {"input": f(4, 3)},
    "linalg_matrix_power": {"input": _SAFE, "n": -3},
    "linalg_matrix_norm": {"input": f(3, 4), "ord": 2.0},
    "linalg_cond": {"input": _SAFE, "p": 1.0},
    "linalg_multi_dot": {"tensors": [f(3), f(3, 4), f(4, 2)]},
    "linalg_vander": {"N": 4},
    "vander": {"x": f(4)},
    "renorm": {"dim": 1, "maxnorm": 0.5},
    "cdist": {"x1": f(3, 4), "x2": f(2, 4), "p": 3.0},
    "pdist": {"input": f(4, 3)},
    "cov": {"aweights": f(3)},
    "corrcoef": {"input": f(3, 5)},
}
