"""Window functions: those of ``torch.signal.windows``, and the older ones of ``torch`` itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .. import dtypes
from ..creation import _filled, arange, linspace, tensor
from ..dispatch import call
from ..generate import OPS
from ..public import public
from ..settings import strided
from ..tensor import Tensor

_PAGE = "https://docs.pytorch.org/docs/stable/generated/torch."


def _ones(size: int, dtype: Any, device: Any, requires_grad: bool = False) -> Tensor:
    return _filled((size,), 1, dtype.np, device, requires_grad)


# torch.signal.windows


class _Window:
    """The arguments that all windows share: their checks, and the points at which a window is taken."""

    def __init__(self, name: str, M: Any, sym: bool, dtype: Any, layout: Any, device: Any, requires_grad: bool):
        dtype = dtypes.get_default_dtype() if dtype is None else dtype
        if M < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={M}")
        if layout is not None and layout is not strided:
            raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if dtype not in (dtypes.DTYPES["float32"], dtypes.DTYPES["float64"]):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
        if not hasattr(M, "__index__"):
            raise TypeError(
                "linspace() received an invalid combination of arguments - argument 'steps' must be int, not "
                f"{type(M).__name__}"
            )
        self.size = M
        self.options = {"dtype": dtype, "device": device, "requires_grad": bool(requires_grad)}
        # How many steps the whole window has: a periodic one lacks the last point.
        self.steps = max(M - 1 if sym else M, 1) if M > 1 else 0

    def fixed(self, one: bool = True) -> Tensor | None:
        """The window where its length leaves no choice."""
        if self.size == 0 or (self.size == 1 and one):
            return _ones(self.size, **self.options)
        return None

    def points(self, first: float, step: float) -> Tensor:
        """``first``, ``first + step``, ...: one for each point."""
        return linspace(first, first + (self.size - 1) * step, self.size, **self.options)


def _cosines(window: _Window, weights: Sequence[Any]) -> Tensor:
    """The sum of ``(-1)**i * weights[i] * cos(2 * pi * i * x)``, where x runs from 0 to 1 over the window."""
    made = window.fixed()
    if made is not None:
        return made
    angle = window.points(0.0, 2 * math.pi / window.steps)
    options: dict[str, Any] = {"dtype": angle.dtype, "device": angle.device}
    signed = tensor([-w if i % 2 else w for i, w in enumerate(weights)], **options)
    orders = arange(len(weights), **options)
    return (signed.unsqueeze(-1) * (orders.unsqueeze(-1) * angle).cos()).sum(0)


def _exponential(window: _Window, center: float | None, tau: float) -> Tensor:
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    made = window.fixed(one=False)
    if made is not None:
        return made
    middle = window.steps / 2.0 if center is None else center
    return (-window.points(-middle / tau, 1 / tau).abs()).exp()


@public("signal.windows")
def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``exp(-|n - center| / tau)``; the centre is the middle unless given, which a symmetric window forbids.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.exponential.html

    >>> import torchish as torch
    >>> torch.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    window = _Window("exponential", M, sym, dtype, layout, device, requires_grad)
    if center is not None and sym:
        raise ValueError("Center must be None for symmetric windows")
    return _exponential(window, center, tau)


@public("signal.windows")
def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One half of a sine's period, ``sin(pi * (n + 1/2) / M)``.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.cosine.html

    >>> import torchish as torch
    >>> torch.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    window = _Window("cosine", M, sym, dtype, layout, device, requires_grad)
    made = window.fixed(one=False)
    if made is not None:
        return made
    step = math.pi / (window.steps + 1)
    return window.points(step / 2, step).sin()


@public("signal.windows")
def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``exp(-x**2 / (2 * std**2))``, where x is counted from the middle.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.gaussian.html

    >>> import torchish as torch
    >>> torch.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    window = _Window("gaussian", M, sym, dtype, layout, device, requires_grad)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    made = window.fixed(one=False)
    if made is not None:
        return made
    step = 1 / (std * math.sqrt(2))
    return (-(window.points(-window.steps / 2.0 * step, step) ** 2)).exp()


@public("signal.windows")
def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``i0(beta * sqrt(1 - x**2)) / i0(beta)``, where x runs from -1 to 1 over the window.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.kaiser.html

    >>> import torchish as torch
    >>> torch.signal.windows.kaiser(3, beta=2.0)
    tensor([0.4387, 1.0000, 0.4387])
    """
    window = _Window("kaiser", M, sym, dtype, layout, device, requires_grad)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    made = window.fixed()
    return made if made is not None else _kaiser_at(window.points(0.0, 1.0), window.steps, beta)


def _kaiser_at(points: Tensor, steps: int, beta: Any) -> Tensor:
    return call(OPS["kaiser_window.at"], (points, steps / 2.0, beta if isinstance(beta, Tensor) else float(beta)))


@public("signal.windows")
def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle that begins, and where symmetric ends, with 0.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.bartlett.html

    >>> import torchish as torch
    >>> torch.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    window = _Window("bartlett", M, sym, dtype, layout, device, requires_grad)
    made = window.fixed()
    return made if made is not None else 1 - window.points(-1.0, 2 / window.steps).abs()


@public("signal.windows")
def general_cosine(
    M: int,
    *,
    a: Iterable,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The sum of cosines of rising frequency with the weights ``a``, whose signs alternate.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.general_cosine.html

    >>> import torchish as torch
    >>> torch.signal.windows.general_cosine(3, a=[0.5, 0.3, 0.2])
    tensor([0.4000, 1.0000, 0.4000])
    """
    window = _Window("general_cosine", M, sym, dtype, layout, device, requires_grad)
    made = window.fixed()
    if made is not None:
        return made
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    return _cosines(window, list(a))


def _sum_of_cosines(name: str, weights: tuple[float, ...], what: str, checks_as: str, shown: str) -> None:
    def function(
        M: int,
        *,
        sym: bool = True,
        dtype: Any = None,
        layout: Any = strided,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Tensor:
        return _cosines(_Window(checks_as, M, sym, dtype, layout, device, requires_grad), weights)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{what}\n\n{_PAGE}signal.windows.{name}.html\n\n"
        f">>> import torchish as torch\n>>> torch.signal.windows.{name}(5)[1:4]\n{shown}\n"
    )
    public("signal.windows")(function)


_sum_of_cosines(
    "blackman",
    (0.42, 0.5, 0.08),
    "Blackman's sum of three cosines.",
    "blackman",
    "tensor([0.3400, 1.0000, 0.3400])",
)
_sum_of_cosines(
    "hamming", (0.54, 0.46), "Hamming's raised cosine.", "general_cosine", "tensor([0.5400, 1.0000, 0.5400])"
)
_sum_of_cosines("hann", (0.5, 0.5), "Hann's raised cosine.", "general_cosine", "tensor([0.5000, 1.0000, 0.5000])")
_sum_of_cosines(
    "nuttall",
    (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "Nuttall's sum of four cosines.",
    "general_cosine",
    "tensor([0.2270, 1.0000, 0.2270])",
)


@public("signal.windows")
def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``alpha - (1 - alpha) * cos(2 * pi * x)``, where x runs from 0 to 1 over the window.

    https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.general_hamming.html

    >>> import torchish as torch
    >>> torch.signal.windows.general_hamming(3, alpha=0.6)
    tensor([0.2000, 1.0000, 0.2000])
    """
    window = _Window("general_cosine", M, sym, dtype, layout, device, requires_grad)
    return _cosines(window, (alpha, 1.0 - alpha))


# torch.*_window


_C_NAMES = {
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "bool": "bool",
}


def _refuse_combination(name: str, arguments: str) -> None:
    raise TypeError(
        f"{name}() received an invalid combination of arguments - got ({arguments}), but expected one of:\n"
        " * (int window_length, *, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, "
        "bool pin_memory = False, bool requires_grad = False)\n"
        " * (int window_length, bool periodic, *, torch.dtype dtype = None, torch.layout layout = None, torch.device "
        "device = None, bool pin_memory = False, bool requires_grad = False)\n"
    )


class _Periodic:
    """The arguments of an older window: its checks, and the dtype and device it is computed in."""

    def __init__(self, name: str, length: Any, periodic: Any, dtype: Any, layout: Any, device: Any):
        if not isinstance(periodic, bool):
            _refuse_combination(name, f"{type(length).__name__}, {type(periodic).__name__}")
        if isinstance(length, bool) or not hasattr(length, "__index__"):
            raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(length).__name__}")
        dtype = dtypes.get_default_dtype() if dtype is None else dtype
        if dtype.is_complex:
            raise NotImplementedError(f"\"arange_cpu\" not implemented for '{dtype._scalar.scalar_name}'")
        if not dtype.is_floating_point:
            raise RuntimeError(
                f"{name} expects floating point dtypes, got: TensorOptions(dtype={_C_NAMES.get(dtype._scalar.name)}, "
                "device=cpu, layout=Strided (default), requires_grad=false (default), pinned_memory=false, "
                "memory_format=(nullopt))"
            )
        if length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
        self.length = length
        self.options = {"dtype": dtype, "device": device}
        self.steps = length if periodic else length - 1

    def of(self, function: Any, requires_grad: bool) -> Tensor:
        """The window of ``function``, which maps the points 0, 1, ... to values."""
        if self.length < 2:
            made = _ones(self.length, **self.options)
        else:
            made = function(arange(self.length, **self.options))
        return made.requires_grad_() if requires_grad else made


def _raised_cosine(window: _Periodic, alpha: float, beta: float, requires_grad: bool) -> Tensor:
    step = 2 * math.pi / window.steps if window.length > 1 else 0.0
    return window.of(lambda n: n.mul_(step).cos_().mul_(-beta).add_(alpha), requires_grad)


@public("torch")
def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Hann's window, ``0.5 - 0.5 * cos(2 * pi * n / N)``; periodic, or symmetric.

    https://docs.pytorch.org/docs/stable/generated/torch.hann_window.html

    >>> import torchish as torch
    >>> torch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    window = _Periodic("hann_window", window_length, periodic, dtype, layout, device)
    return _raised_cosine(window, 0.5, 0.5, requires_grad)


@public("torch")
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Hamming's window, ``alpha - beta * cos(2 * pi * n / N)``; periodic, or symmetric.

    https://docs.pytorch.org/docs/stable/generated/torch.hamming_window.html

    >>> import torchish as torch
    >>> torch.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    window = _Periodic("hamming_window", window_length, periodic, dtype, layout, device)
    return _raised_cosine(window, alpha, beta, requires_grad)


@public("torch")
def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Blackman's window, ``0.42 - 0.5 * cos(x) + 0.08 * cos(2 * x)``; periodic, or symmetric.

    https://docs.pytorch.org/docs/stable/generated/torch.blackman_window.html

    >>> import torchish as torch
    >>> torch.blackman_window(4, dtype=torch.float64)
    tensor([0.0000, 0.3400, 1.0000, 0.3400], dtype=torch.float64)
    """
    window = _Periodic("blackman_window", window_length, periodic, dtype, layout, device)
    step = math.pi / window.steps if window.length > 1 else 0.0

    def values(n: Any) -> Tensor:
        angle = n.mul_(step)
        return angle.mul(4).cos_().mul_(0.08) - angle.mul(2).cos_().mul_(0.5) + 0.42

    return window.of(values, requires_grad)


@public("torch")
def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Bartlett's window, a triangle over N points; periodic, or symmetric.

    https://docs.pytorch.org/docs/stable/generated/torch.bartlett_window.html

    >>> import torchish as torch
    >>> torch.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    window = _Periodic("bartlett_window", window_length, periodic, dtype, layout, device)
    first_half = window.steps // 2 + 1

    def values(n: Any) -> Tensor:
        n.mul_(2.0 / window.steps)
        n[first_half:].mul_(-1).add_(2)
        return n

    return window.of(values, requires_grad)


@public("torch")
def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Kaiser's window, ``i0(beta * sqrt(1 - x**2)) / i0(beta)``; periodic, or symmetric.

    https://docs.pytorch.org/docs/stable/generated/torch.kaiser_window.html

    >>> import torchish as torch
    >>> torch.kaiser_window(4, beta=2.0)
    tensor([0.4387, 0.8348, 1.0000, 0.8348])
    """
    window = _Periodic("kaiser_window", window_length, periodic, dtype, layout, device)
    return window.of(lambda n: _kaiser_at(n, window.steps, beta), requires_grad)
