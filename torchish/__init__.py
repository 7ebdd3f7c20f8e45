"""PyTorch's semantics on JAX.

``import torchish as torch`` runs PyTorch code; ``python -m torchish run script.py`` runs an unmodified script.
The names here are PyTorch's; https://docs.pytorch.org/docs/stable/torch.html describes them.
"""

from __future__ import annotations

import typing as _typing

from ._exec.cache import configure_jax as _configure_jax

_configure_jax()

from ._alias import install, uninstall  # noqa: E402
from ._core.device import device, get_default_device, set_default_device  # noqa: E402
from ._core.dtypes import ALIASES as _ALIASES  # noqa: E402
from ._core.dtypes import DTYPES as _DTYPES  # noqa: E402
from ._core.dtypes import dtype, get_default_dtype  # noqa: E402
from ._core.load import PUBLIC as _PUBLIC  # noqa: E402
from ._core.printing import set_printoptions  # noqa: E402
from ._core.size import Size  # noqa: E402
from ._core.storage_objects import TypedStorage, UntypedStorage  # noqa: E402
from ._core.tensor import Tensor  # noqa: E402

globals().update(_DTYPES)
globals().update(_ALIASES)
globals().update(_PUBLIC["torch"])

from . import (  # noqa: E402
    autograd,
    backends,
    compiler,
    cpu,
    cuda,
    fft,
    interop,
    linalg,
    masked,
    nn,
    optim,
    quasirandom,
    random,
    return_types,
    signal,
    special,
    storage,
    utils,
)
from ._core.settings import (  # noqa: E402
    channels_last,
    channels_last_3d,
    contiguous_format,
    e,
    finfo,
    get_num_threads,
    iinfo,
    inf,
    is_storage,
    is_tensor,
    layout,
    memory_format,
    nan,
    newaxis,
    numel,
    pi,
    preserve_format,
    set_default_dtype,
    set_default_tensor_type,
    set_num_threads,
    strided,
    typename,
)
from .autograd.grad_mode import (  # noqa: E402
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .random import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state  # noqa: E402

__version__ = "2.13.0+torchish0.1.0"

if _typing.TYPE_CHECKING:  # the functions generated from the op definitions

    def __getattr__(name: str) -> _typing.Any: ...
