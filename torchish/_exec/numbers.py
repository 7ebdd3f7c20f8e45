"""The Python numbers of a window, as the arrays in which its compiled program takes them."""

from __future__ import annotations

from array import array

import jax
import numpy as np

from .cache import LeastRecentlyUsed
from .placement import Placement
from .value import from_numpy

_DTYPES = {"d": np.float64, "q": np.int64}
_known: LeastRecentlyUsed[tuple, jax.Array] = LeastRecentlyUsed(512)


def packed(code: str, numbers: list, placement: Placement) -> jax.Array | None:
    """``numbers`` as one array on ``placement``; None where there are none.

    ``code`` is their ``array`` type code: "d" for floats, "q" for ints, "Z" for complexes. The arrays of late are kept:
    most steps have the learning rate of the step before, and need not carry it to the device again. Bytes tell them apart,
    for 0.0 equals -0.0, and NaN not even itself.
    """
    if not numbers:
        return None
    if code == "Z":
        return from_numpy(np.array(numbers, np.complex128), placement).array
    data = array(code, numbers).tobytes()
    key = (data, code, placement)
    found = _known.get(key)
    if found is None:
        found = from_numpy(np.frombuffer(data, _DTYPES[code]), placement).array
        _known.put(key, found)
    return found


def clear() -> None:
    """Forget the arrays that are kept."""
    _known.clear()
