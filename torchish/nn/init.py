"""Initialisers: they fill a tensor in place, without recording gradients, and return it.

Random ones draw from the generator in the order that PyTorch draws, so that one seed gives one network.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import torchish
from torchish._core.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = {
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which ``nonlinearity`` shrinks the standard deviation, inverted.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from the uniform distribution on [a, b)."""
    with torchish.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from the normal distribution."""
    with torchish.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with draws from the normal distribution cut to [a, b].

    Whole tensors are drawn, and elements that are refused take theirs from the next one: normal draws that must
    lie within [a, b] where that holds more than 0.3 of the distribution, uniform draws from [a, b] taken with
    the density's probability where it holds less.
    """

    def normal_cdf(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    within = normal_cdf((b - mean) / std) - normal_cdf((a - mean) / std)
    with torchish.no_grad():
        draw = _normal_within if within > 0.3 else _uniform_by_density
        refused = torchish.ones_like(tensor, dtype=torchish.bool)
        while bool(refused.any()):
            values, accepted = draw(tensor, mean, std, a, b, generator)
            tensor.copy_(torchish.where(refused, values, tensor))
            refused = refused & ~accepted
    return tensor


def _normal_within(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> tuple[Tensor, Tensor]:
    """Normal draws like ``tensor``, and which of them lie within [a, b]."""
    values = torchish.empty_like(tensor).normal_(mean, std, generator=generator)
    return values, (values >= a) & (values <= b)


def _uniform_by_density(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> tuple[Tensor, Tensor]:
    """Uniform draws from [a, b] like ``tensor``, and which are taken, likelier the higher the density."""
    values = torchish.empty_like(tensor).uniform_(a, b, generator=generator)
    chance = torchish.empty_like(tensor).uniform_(0, 1, generator=generator)
    densest = min(max(mean, a), b)
    return values, chance <= (-((values - mean) ** 2 - (densest - mean) ** 2) / (2 * std**2)).exp()


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    with torchish.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    with torchish.no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal, zeros elsewhere."""
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with torchish.no_grad():
        tensor.copy_(torchish.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it hands on its inputs, as many channels as there are.

    Args:
        tensor: of 3, 4 or 5 dimensions, ``(out, in / groups, *kernel)``.
        groups: the groups of the convolution.
    """
    if tensor.ndimension() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    sizes = tensor.size()
    if sizes[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = sizes[0] // groups
    centre = tuple(size // 2 for size in sizes[2:])
    with torchish.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, sizes[1])):
                tensor[(group * per_group + channel, channel, *centre)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs reach one output, and how many outputs one input reaches."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    receptive_field = math.prod(tensor.shape[2:])
    return tensor.size(1) * receptive_field, tensor.size(0) * receptive_field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    modes = ["fan_in", "fan_out"]
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill uniformly so that variances stay alike forward and backward (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill normally so that variances stay alike forward and backward (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill uniformly so that variances survive a rectifier (He et al., 2015).

    Args:
        tensor: of two dimensions or more.
        a: the negative slope, for ``leaky_relu``.
        mode: ``fan_in`` keeps the variance forward, ``fan_out`` backward.
        nonlinearity: what follows; see :func:`calculate_gain`.
        generator: where the numbers come from.
    """
    if _is_empty(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill normally so that variances survive a rectifier; the arguments of :func:`kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    return normal_(tensor, 0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill, seen as a matrix of ``size(0)`` rows, with a random (semi-)orthogonal matrix (Saxe et al., 2013)."""
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.size(0)
    columns = tensor.numel() // rows
    with torchish.no_grad():
        matrix = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        if rows < columns:
            matrix = matrix.t()
        q, r = torchish.linalg.qr(matrix)
        # With a positive diagonal of r the factor is unique, and so uniformly distributed.
        q = q * torchish.diag(r).sign()
        if rows < columns:
            q = q.t()
        tensor.copy_(q.reshape(tensor.shape))
        return tensor.mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix normally and set the fraction ``sparsity`` of each column, at random, to zero (Martens, 2010)."""
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with torchish.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[torchish.randperm(rows)[:zeros], column] = 0
    return tensor


def _deprecated(initialiser: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The old name, without the underscore."""
    new_name = initialiser.__name__
    old_name = new_name[:-1]

    def old(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old_name}` is now deprecated in favor of `nn.init.{new_name}`.", FutureWarning, stacklevel=2
        )
        return initialiser(*args, **kwargs)

    old.__name__ = old.__qualname__ = old_name
    old.__doc__ = f"The old name of :func:`{new_name}`."
    return old


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
