"""Arguments of counts, quantiles, segments, and writes into parts of copies."""

from __future__ import annotations

from typing import Any

from .values import SQUARE, Fixed, f

_LENGTHS = Fixed([1, 2])

ARGUMENTS: dict[str, dict[str, Any]] = {
    "histc.counts": {"bins": 3, "low": 0.0, "high": 1.0},
    "histogram.edges": {"bins": 3, "dimension": 0, "low": 0.0, "high": 1.0},
    "histogramdd.counts": {"input": f(5, 2), "edges": [Fixed([0.0, 0.5, 1.0]), Fixed([0.0, 0.25, 1.0])]},
    "nonzero_static": {"size": 4},
    "quantile.of": {"q": 0.3, "dim": 1, "keepdim": False, "interpolation": "linear", "ignore_nan": False},
    "segment_reduce.of": {
        "data": SQUARE,
        "lengths": _LENGTHS,
        "offsets": None,
        "initial": None,
        "reduce": "max",
        "axis": 0,
        "unsafe": False,
    },
    "select_scatter.at": {"src": f(3), "index": 1, "dim": 0},
    "slice_scatter.at": {"src": f(2, 3), "start": 0, "dim": 0, "length": 2, "step": 2},
    "diagonal_scatter": {"src": f(3)},
    "as_strided_scatter.flat": {"src": f(2, 2), "offset": 1, "size": (2, 2), "stride": (3, 1)},
    "_chunk_cat": {"dim": 0, "num_chunks": 2},
}
