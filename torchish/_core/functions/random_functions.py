"""Random numbers as Tensors: ``rand``, ``normal_``, ``bernoulli``, ``randperm``, ... over ``random_ops``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._exec.statistics import Reason
from ..._exec.value import from_numpy
from ..._exec.window import THREADS, flush, materialise, record
from ..._ops.kernel_dtypes import require_dtype
from ..._ops.out_rules import ALL, ANY
from ..._ops.registry import OPS
from .. import generator, random_ops
from ..arguments import as_int, as_size
from ..creation import _nonnegative, _np_dtype, _sizes
from ..device import placement_of
from ..dispatch import _bind, call, make_kernel, wrap
from ..inplace import check_made_out, check_writable, give_made_out, give_out, store
from ..public import public
from ..random_ops import Pending
from ..rejection_draws import draw_binomial, draw_poisson
from ..tensor import Tensor, aval_of_argument, requiring_grad
from ..underived import without_derivative

_device_generators: dict[Any, generator.Generator] = {}


def default_of(placement: Any) -> generator.Generator:
    """The generator that a device uses unless given one."""
    if placement.type == "cpu":
        return generator.default_generator
    found = _device_generators.get(placement)
    if found is None:
        found = _device_generators[placement] = generator.Generator(str(placement))
        found.manual_seed(generator.default_generator.initial_seed())
    return found


def source_of(given: Any, placement: Any) -> generator.Generator:
    """The generator given, which must be of that device, or the device's own."""
    if given is None:
        return default_of(placement)
    if not isinstance(given, generator.Generator):
        raise TypeError(f"argument 'generator' must be torch._C.Generator, not {type(given).__name__}")
    if given.device.type != placement.type:
        raise RuntimeError(f"Expected a '{placement.type}' device type for generator but found '{given.device.type}'")
    return given


def seed_devices(seed: int) -> None:
    """Seed the generators of all accelerators."""
    for each in _device_generators.values():
        each.manual_seed(seed)


def drawn(result: Any, placement: Any) -> Tensor:
    """What a draw gave, as a Tensor on ``placement``."""
    if isinstance(result, np.ndarray):
        return wrap(from_numpy(result, placement))
    assert isinstance(result, Pending)
    op = OPS[result.op]
    operands = []
    for x in result.operands:
        if isinstance(x, (np.ndarray, Pending)):
            x = drawn(x, placement)
        operands.append(x.item() if isinstance(x, np.generic) else x)
    static = tuple(result.static.get(p.name, p.default) for p in op.params if not p.is_operand)
    values, key, *_ = _bind(operands, static)
    full = (*key, placement)
    kernel = op.kernels.get(full)
    if kernel is None:
        kernel = op.kernels[full] = make_kernel(op, tuple(key), placement)
    return wrap(record(THREADS.context, kernel, values))


def _made(
    draw: Any, shape: Any, dtype: np.dtype, device: Any, given: Any, requires_grad: bool, out: Any, *params: Any
) -> Tensor:
    placement = placement_of(device if out is None else out.device)
    t = drawn(draw(source_of(given, placement), shape, dtype, *params), placement)
    if out is not None:
        return give_made_out(t, out, requires_grad)
    return requiring_grad(t) if requires_grad else t


def _dtype_for(name: str, dtype: Any, out: Any, device: Any, default: Any = None) -> np.dtype:
    return _np_dtype(dtype, default) if out is None else check_made_out(name, out, dtype, device)


_ANY_OUT = ANY.but(shared=ALL)


def _drawn_into(name: str, made: Tensor, out: Any, *parameters: Any) -> Tensor:
    return give_out(name, _ANY_OUT, dict(enumerate(parameters)), made, out)


def _maker(name: str, draw: Any, what: str) -> None:
    def make(
        *sizes: Any,
        size: Any = None,
        generator: Any = None,
        out: Any = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        names: Any = None,
    ) -> Tensor:
        shape = _nonnegative(_sizes(sizes if size is None else (size,), name), name)
        np_dtype = _dtype_for(name, dtype, out, device)
        return _made(draw, shape, np_dtype, device, generator, requires_grad, out)

    def make_like(
        input: Tensor,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        memory_format: Any = None,
        generator: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        aval = aval_of_argument(f"{name}_like", input)
        return _made(
            draw,
            aval.shape,
            _np_dtype(dtype, aval.dtype),
            device if device is not None else aval.placement,
            generator,
            requires_grad,
            None,
        )

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"{what}.\n\nhttps://docs.pytorch.org/docs/stable/generated/torch.{name}.html"
    make_like.__name__ = make_like.__qualname__ = f"{name}_like"
    make_like.__doc__ = f"{what}, of ``input``'s size, dtype and device."
    public("torch")(make)
    public("torch")(make_like)


_maker("rand", random_ops.draw_uniform, "Numbers uniform in [0, 1)")
_maker("randn", random_ops.draw_normal, "Numbers of the standard normal distribution")


@public("torch")
def randint(
    *args: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Integers uniform in [low, high). ``randint(high, size)`` or ``randint(low, high, size)``."""
    given = list(args)
    if size is None:
        if len(given) + (low is not None) + (high is not None) < 2:
            got = ", ".join(type(x).__name__ for x in args)
            raise TypeError(
                f"randint() received an invalid combination of arguments - got ({got}), but expected a bound and a size"
            )
        size = given.pop()
        _require_sizes(size, "randint", len(given) + 1)
    first, last = _bounds("randint", given, low, high)
    np_dtype = _dtype_for("randint", dtype, out, device, np.int64)
    shape = _nonnegative(as_size(size), "randint")
    return _made(random_ops.draw_integers, shape, np_dtype, device, generator, requires_grad, out, first, last)


def _require_sizes(size: Any, name: str, position: int) -> None:
    if not isinstance(size, (list, tuple)):
        raise TypeError(
            f"{name}(): argument 'size' (position {position}) must be tuple of ints, not {type(size).__name__}"
        )


def _bounds(name: str, given: list[Any], low: Any, high: Any) -> tuple[int, int]:
    """The bounds that a call gives: ``(high)``, ``(low, high)``, or some of them by name."""
    if len(given) == 2:
        low, high = given
    elif given:
        if high is None:
            high = given[0]
        else:
            low = given[0]
    bounds = []
    for which, bound in (("low", low), ("high", high)):
        whole = as_int(bound)
        if bound is not None and (not isinstance(whole, int) or isinstance(bound, bool)):
            position = len(given) if which == "high" else 1
            raise TypeError(
                f"{name}(): argument '{which}' (position {position}) must be int, not {type(bound).__name__}"
            )
        bounds.append(whole)
    if high is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "high"')
    return bounds[0] or 0, bounds[1]


@public("torch")
def randint_like(
    input: Tensor,
    *args: Any,
    low: Any = None,
    high: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    generator: Any = None,
) -> Tensor:
    """Integers uniform in [low, high), of ``input``'s size, dtype and device."""
    first, last = _bounds("randint_like", list(args), low, high)
    aval = aval_of_argument("randint_like", input)
    where = device if device is not None else aval.placement
    return _made(
        random_ops.draw_integers,
        aval.shape,
        _np_dtype(dtype, aval.dtype),
        where,
        generator,
        requires_grad,
        None,
        first,
        last,
    )


@public("torch")
def randperm(
    n: int,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A random order of the integers below ``n``."""
    if not isinstance(as_int(n), int):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    n = as_int(n)
    placement = placement_of(device if out is None else out.device)
    np_dtype = _dtype_for("randperm", dtype, out, device, np.int64)
    t = drawn(random_ops.draw_permutation(source_of(generator, placement), n, np_dtype), placement)
    if out is not None:
        return give_made_out(t, out, requires_grad)
    return requiring_grad(t) if requires_grad else t


def _fill(self: Tensor, draw: Any, given: Any, *params: Any, eager: bool = False) -> Tensor:
    context = THREADS.context
    check_writable(self, context.grad_enabled and self.requires_grad)
    aval, g = self._aval, self._geometry()
    source = source_of(given, aval.placement)
    extra = {"eager": True} if eager else {}
    t = drawn(draw(source, aval.shape, aval.dtype, *params, strides=g.stride, **extra), aval.placement)
    store(context, self, t._value(), None)
    return self


@public("Tensor")
def uniform_(self: Tensor, a: float = 0, b: float = 1, *, generator: Any = None, **renamed: float) -> Tensor:
    """Fill with numbers uniform in [a, b) (PyTorch's ``from`` and ``to``)."""
    a, b = renamed.get("from", a), renamed.get("to", b)
    return _fill(self, random_ops.draw_uniform, generator, float(a), float(b), eager=True)


@public("Tensor")
def normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with numbers of a normal distribution."""
    return _fill(self, random_ops.draw_normal, generator, float(mean), float(std), eager=True)


@public("Tensor")
def exponential_(self: Tensor, lambd: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with numbers of an exponential distribution of rate ``lambd``."""
    return _fill(self, random_ops.draw_exponential, generator, float(lambd))


@public("Tensor")
def geometric_(self: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Fill with numbers of a geometric distribution."""
    return _fill(self, random_ops.draw_geometric, generator, float(p))


@public("Tensor")
def cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with numbers of a Cauchy distribution."""
    return _fill(self, random_ops.draw_cauchy, generator, float(median), float(sigma))


@public("Tensor")
def log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Any = None) -> Tensor:
    """Fill with numbers whose logarithm is normal."""
    return _fill(self, random_ops.draw_log_normal, generator, float(mean), float(std))


@public("Tensor")
def random_(self: Tensor, a: Any = None, b: Any = None, *, generator: Any = None, **renamed: int) -> Tensor:
    """Fill with integers: ``random_()``, ``random_(to)`` or ``random_(from, to)``."""
    low, high = renamed.get("from", a), renamed.get("to", b)
    if low is None and high is None:
        return _fill(self, random_ops.draw_random, generator)
    if high is None:
        low, high = 0, low
    return _fill(self, random_ops.draw_integers, generator, int(low or 0), int(high))


def _bernoulli_of(p: Any, shape: Any, dtype: np.dtype, placement: Any, given: Any, strides: Any = None) -> Tensor:
    source = source_of(given, placement)
    if isinstance(p, Tensor):
        return drawn(random_ops.draw_bernoulli_tensor(source, shape, dtype, p, p._aval.dtype, strides), placement)
    return drawn(random_ops.draw_bernoulli(source, shape, dtype, float(p), strides), placement)


@public()
def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None, out: Any = None) -> Tensor:
    """Zeros and ones: ones with the probabilities in ``input`` (or with ``p``)."""
    aval = aval_of_argument("bernoulli", input)
    if not aval.inexact and p is None:
        raise NotImplementedError(
            f"\"bernoulli_tensor_cpu_self_\" not implemented for '{input.dtype._scalar.scalar_name}'"
        )
    made = _bernoulli_of(input.detach() if p is None else p, aval.shape, aval.dtype, aval.placement, generator)
    return made if out is None else _drawn_into("bernoulli", made, out, input)


@public("Tensor")
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with zeros and ones: ones with probability ``p``, a number or a tensor."""
    context = THREADS.context
    check_writable(self, context.grad_enabled and self.requires_grad)
    aval = self._aval
    made = _bernoulli_of(p, aval.shape, aval.dtype, aval.placement, generator, self._geometry().stride)
    store(context, self, made._value(), None)
    return self


def dropout_mask(t: Tensor, shape: tuple[int, ...], p: float) -> Tensor:
    """The scaled mask that dropout multiplies by, of ``t``'s dtype and device."""
    aval = t._aval
    source = default_of(aval.placement)
    order = _memory_order(t) if shape == tuple(t.shape) else list(range(len(shape)))
    laid_out = tuple(shape[d] for d in order)
    mask: Any = drawn(random_ops.draw_dropout_mask(source, laid_out, aval.dtype, p), aval.placement)
    return mask if laid_out == shape else mask.permute([order.index(d) for d in range(len(shape))])


def _memory_order(t: Any) -> list[int]:
    """The dimensions of a permuted tensor from the largest stride to the smallest, in which draws fill it."""
    dims = list(range(len(t.shape)))
    if t._view is None:
        return dims
    order = sorted(dims, key=lambda d: -t.stride(d))
    return order if t.permute(order).is_contiguous() else dims


@public()
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Tensor:
    """Indices drawn with the probabilities in each row of ``input``."""
    aval = aval_of_argument("multinomial", input)
    source = source_of(generator, aval.placement)
    made = drawn(
        random_ops.draw_multinomial(source, input.detach(), aval.shape, aval.dtype, num_samples, replacement),
        aval.placement,
    )
    if out is not None and out.dtype != made.dtype:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out.dtype._scalar.scalar_name}")
    return made if out is None else _drawn_into("multinomial", made, out)


@public("torch")
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers of normal distributions whose means and deviations are numbers or tensors."""
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError(
                "normal() received an invalid combination of arguments - got "
                f"({type(mean).__name__}, {type(std).__name__}), but expected a tensor or a size"
            )
        return _made(
            random_ops.draw_normal,
            as_size(size),
            _dtype_for("normal", dtype, out, device),
            device,
            generator,
            requires_grad,
            out,
            float(mean),
            float(std),
        )
    from ..._ops.broadcasting import broadcast_shapes

    if isinstance(std, Tensor) and std.dtype.is_complex:
        raise RuntimeError("normal expects standard deviation to be non-complex")
    shape = broadcast_shapes(*[tuple(x.shape) for x in tensors])
    if len(tensors) == 2 and tensors[0]._aval.numel == tensors[1]._aval.numel:
        shape = tuple(tensors[0].shape)
    aval = tensors[0]._aval
    source = source_of(generator, aval.placement)
    parts: Any = [x.detach() if isinstance(x, Tensor) else float(x) for x in (mean, std)]
    dtype_drawn = aval.dtype if out is None else out._aval.dtype
    made = drawn(random_ops.draw_normal_like(source, shape, dtype_drawn, *parts), aval.placement)
    return made if out is None else _drawn_into("normal", made, out, *tensors)


# Counts


def _on_host(t: Tensor) -> np.ndarray:
    value = t.detach()._value()
    if value.array is None and value.window is not None:
        flush(value.window, Reason.DATA_SHAPE)
    return np.asarray(materialise(value))


@public("torch")
def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Numbers of Poisson distributions with the means in ``input``; on the CPU they are PyTorch's, bit for bit.

    How many draws they take depends on the means, so pending work runs.
    https://docs.pytorch.org/docs/stable/generated/torch.poisson.html
    """
    aval = input._aval
    require_dtype(aval.dtype, "f", "poisson_cpu")
    means = _on_host(input)
    if not (means >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    source = source_of(generator, aval.placement)
    made = drawn(draw_poisson(source, input.detach(), lambda: means, aval.shape, aval.dtype), aval.placement)
    return call(OPS["random.poisson"], (input, made))


@public("torch")
def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """How many of ``count`` trials of probability ``prob`` succeed, broadcast; on the CPU the numbers are PyTorch's."""
    from ..._ops.broadcasting import broadcast_shapes

    dtype = count._aval.dtype
    for name, t in (("count", count), ("prob", prob)):
        if not t.dtype.is_floating_point:
            raise ValueError(
                f"binomial only supports floating-point dtypes for {name}, got: {t.dtype._scalar.scalar_name}"
            )
    if prob._aval.dtype != dtype:
        names = [t.dtype._scalar.scalar_name for t in (prob, count)]
        raise RuntimeError(f"Found dtype {names[0]} but expected {names[1]}")
    shape = broadcast_shapes(count._aval.shape, prob._aval.shape)
    placement = count._aval.placement
    source = source_of(generator, placement)
    data = lambda: [np.broadcast_to(_on_host(t), shape) for t in (count, prob)]  # noqa: E731
    made = drawn(draw_binomial(source, count.detach(), prob.detach(), data, shape, dtype), placement)
    without_derivative(made, (count, prob), "binomial")
    return made
