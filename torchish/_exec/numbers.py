"""The Python numbers of a window, as the arrays in which its compiled program takes them."""

from __future__ import annotations

from array import array

import jax
import numpy as np

from .cache import LeastRecentlyUsed
from .placement import Placement

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
        return jax.device_put(np.array(numbers, np.complex128), placement.jax_device)
    data = array(code, numbers).tobytes()
    key = (data, code, placement)
    found = _known.get(key)
    if found is None:
        found = jax.device_put(np.frombuffer(data, _DTYPES[code]), placement.jax_device)
        _known.put(key, found)
    return found


def clear() -> None:
    """Forget the arrays that are kept."""
    _known.clear()
