"""Arguments of matrix decompositions and the solvers built on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .values import Fixed, f

# Well-conditioned, with different eigenvalues and singular values.
_DEFINITE = Fixed([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]])
_GENERAL = Fixed([[2.0, 0.3, 0.1], [-0.4, 1.0, 0.2], [0.3, 0.6, 0.5]])
_LOWER = Fixed([[1.4, 0.0, 0.0], [0.3, 1.0, 0.0], [0.1, 0.2, 0.7]])
_TALL = Fixed([[2.0, 0.3], [-0.4, 1.0], [0.3, 0.6]])
_PIVOTS = Fixed(np.array([2, 2, 3], np.int32))

ARGUMENTS: dict[str, dict[str, Any]] = {
    "cholesky.info": {"input": _DEFINITE},
    "cholesky_inverse": {"input": _LOWER},
    "cholesky_solve": {"input": f(3, 2), "input2": _LOWER},
    "geqrf": {"input": _GENERAL},
    "linalg_cholesky_ex": {"input": _DEFINITE},
    "linalg_eig": {"input": _GENERAL},
    "linalg_eigh": {"input": _DEFINITE},
    "linalg_eigvals": {"input": _GENERAL},
    "linalg_eigvalsh": {"input": _DEFINITE},
    "linalg_householder_product": {"input": _GENERAL, "tau": f(3)},
    "linalg_ldl_factor_ex": {"input": _DEFINITE},
    "linalg_ldl_solve": {"LD": _DEFINITE, "pivots": Fixed(np.array([1, 2, 3], np.int32)), "B": f(3, 2)},
    "linalg_lstsq": {"input": _TALL, "b": f(3, 2), "driver": "gelsd"},
    "linalg_lu": {"A": _GENERAL},
    "linalg_lu_factor_ex": {"A": _GENERAL},
    "linalg_lu_solve": {"LU": _GENERAL, "pivots": _PIVOTS, "B": f(3, 2)},
    "linalg_solve_triangular": {"input": _LOWER, "B": f(3, 2), "upper": False},
    "linalg_svd": {"A": _GENERAL},
    "linalg_svdvals": {"A": _GENERAL},
    "lobpcg.iterate": {
        **{"A": Fixed(np.diag([9.0, 7.0, 4.0, 2.0, 1.0]) + 0.1), "B": None, "X": f(5, 1), "iK": None},
        **{"tol": 1e-9, "k": 1, "largest": True, "niter": 100},
    },
    "lu_unpack": {"LU_data": _GENERAL, "LU_pivots": _PIVOTS},
    "ormqr": {"input": _TALL, "input2": f(2), "input3": f(3, 3)},
    "triangular_solve.pair": {"input": f(3, 2), "A": _LOWER},
}
