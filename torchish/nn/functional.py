"""Functions of neural networks. https://docs.pytorch.org/docs/stable/nn.functional.html

Most are ops and come from their definitions; here are those that draw random numbers, write running statistics,
warn, or choose among ops.
"""

from __future__ import annotations

import typing as _typing
import warnings
from math import prod as _prod
from typing import Any

from .._core.arguments import as_dims as _as_dims
from .._core.dispatch import call as _call
from .._core.dtypes import to_np as _to_np
from .._core.functions.embedding_functions import renormalize as _renormalize
from .._core.functions.normalization_functions import write_statistics as _write_statistics
from .._core.generate import OP_FUNCTIONS as _OP_FUNCTIONS
from .._core.load import PUBLIC as _PUBLIC
from .._core.tensor import Tensor
from .._ops.registry import OPS as _OPS
from ._losses import losses as _losses

globals().update(_PUBLIC["nn.functional"])
globals().update(_losses())


# Softmax without a dim


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``exp(x)`` along ``dim``, divided by its sum."""
    if dim is None:
        dim = _implicit_dim("softmax", len(input.shape), _stacklevel)
    return _call(_OPS["softmax"], (input,), (dim, _to_np(dtype)))


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of ``softmax``."""
    if dim is None:
        dim = _implicit_dim("log_softmax", len(input.shape), _stacklevel)
    return _call(_OPS["log_softmax"], (input,), (dim, _to_np(dtype)))


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax`` of ``-input``."""
    if dim is None:
        dim = _implicit_dim("softmin", len(input.shape), _stacklevel)
    return _call(_OPS["softmin"], (input,), (dim, _to_np(dtype)))


# Activations whose inplace= flag has no in-place op behind it


def _with_flag(name: str) -> Any:
    op = _OPS[name]

    def function(input: Tensor, inplace: bool = False) -> Tensor:
        made = _call(op, (input,))
        return input.copy_(made) if inplace else made  # type: ignore[attr-defined]

    function.__name__ = function.__qualname__ = name
    function.__doc__ = op.doc
    return function


for _name in ("relu6", "silu", "mish", "hardsigmoid", "hardswish"):
    globals()[_name] = _with_flag(_name)


# Pools that can return indices


def _max_pool(n: int, always: bool = False) -> Any:
    plain, indexed = _OPS[f"max_pool{n}d"], _OPS[f"max_pool{n}d_with_indices"]

    def function(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        sizes = tuple(_as_dims(x) if x is not None else None for x in (kernel_size, stride, padding, dilation))
        return _call(indexed if return_indices or always else plain, (input,), (*sizes, bool(ceil_mode)))

    shown = indexed if always else plain
    function.__name__ = function.__qualname__ = shown.name
    function.__doc__ = shown.doc
    return function


max_pool1d, max_pool2d, max_pool3d = _max_pool(1), _max_pool(2), _max_pool(3)
max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = (_max_pool(n, True) for n in (1, 2, 3))


def _adaptive_max_pool(n: int) -> Any:
    op = _OPS[f"adaptive_max_pool{n}d.indices"]

    def function(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        out = _call(op, (input,), (_as_dims(output_size),))
        return tuple(out) if return_indices else out[0]

    function.__name__ = function.__qualname__ = f"adaptive_max_pool{n}d"
    function.__doc__ = op.doc
    return function


adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (_adaptive_max_pool(n) for n in (1, 2, 3))


def _adaptive_max_pool_with_indices(n: int) -> Any:
    op = _OPS[f"adaptive_max_pool{n}d.indices"]

    def function(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        return tuple(_call(op, (input,), (_as_dims(output_size),)))

    function.__name__ = function.__qualname__ = f"adaptive_max_pool{n}d_with_indices"
    function.__doc__ = op.doc
    return function


adaptive_max_pool1d_with_indices = _adaptive_max_pool_with_indices(1)
adaptive_max_pool2d_with_indices = _adaptive_max_pool_with_indices(2)
adaptive_max_pool3d_with_indices = _adaptive_max_pool_with_indices(3)


# Normalisation with running statistics, which are written in place


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel less its mean, divided by its standard deviation, scaled and shifted.

    While training, the statistics are the batch's, and the running ones move towards them by ``momentum``.
    """
    if not training:
        return _OP_FUNCTIONS["batch_norm.eval"](input, running_mean, running_var, weight, bias, eps)
    outputs = _OP_FUNCTIONS["batch_norm.train"](input, running_mean, running_var, weight, bias, momentum, eps)
    _write_statistics((running_mean, outputs[1]), (running_var, outputs[2]))
    return outputs[0]


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``batch_norm`` with the statistics of each sample alone."""
    if not use_input_stats:
        return _OP_FUNCTIONS["instance_norm.eval"](input, running_mean, running_var, weight, bias, eps)
    if _prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    outputs = _OP_FUNCTIONS["instance_norm.train"](input, running_mean, running_var, weight, bias, momentum, eps)
    _write_statistics((running_mean, outputs[1]), (running_var, outputs[2]))
    return outputs[0]


# Lookup


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """``weight[input]``; with ``max_norm``, the rows looked up are first scaled down to that norm, in place."""
    if max_norm is not None:
        _renormalize(weight, input, float(max_norm), norm_type)
    return _OP_FUNCTIONS["embedding.rows"](input, weight, padding_idx, scale_grad_by_freq)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 rows of zeros with a one at each index; as many classes as the largest index needs, unless given."""
    if num_classes == -1:
        num_classes = int(tensor.max()) + 1 if tensor.numel() else 0
    return _OP_FUNCTIONS["one_hot"](tensor, num_classes)


if _typing.TYPE_CHECKING:  # the functions generated from the op definitions

    def __getattr__(name: str) -> _typing.Any: ...
