"""``torch._foreach_*``: a function applied to each tensor of a list, one after another.

Each is made from the public function of the same name; here is only the list of names that PyTorch shows, by what comes
after the list of tensors. Recorded operations become one program, so that there is nothing to gain from doing them together.

>>> import torchish as torch
>>> torch._foreach_add([torch.ones(1), torch.zeros(2)], [1, 2])
(tensor([2.]), tensor([2., 2.]))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..._ops.registry import OPS
from ..inplace import call_inplace
from ..public import PUBLIC, publish
from ..tensor import Tensor

_OF_ONE = (
    *("abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma"),
    *("log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt"),
    *("tan", "tanh", "trunc"),
)
_WITH_OTHER = ("add", "sub", "mul", "div", "clamp_min", "clamp_max", "maximum", "minimum")
_WITH_TWO = ("addcmul", "addcdiv")
# What takes the place of functions of two tensors where the second operand is a number.
_OF_NUMBER = {"maximum": "clamp_min", "minimum": "clamp_max"}


# Arguments


def _tensors(name: str, given: Any, param: str = "self", position: int = 1) -> list[Tensor]:
    """A list argument, checked."""
    if not isinstance(given, (list, tuple)):
        raise TypeError(
            f"{name}(): argument '{param}' (position {position}) must be tuple of Tensors, not {type(given).__name__}"
        )
    for i, each in enumerate(given):
        if not isinstance(each, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument {position - 1}, but got {type(each).__name__}")
    if position == 1 and not given:
        raise RuntimeError("Tensor list must have at least one tensor.")
    return list(given)


def _matching(name: str, given: Any, count: int, param: str, position: int) -> list[Tensor]:
    found = _tensors(name, given, param, position)
    if len(found) != count:
        raise RuntimeError(f"Tensor lists must have the same number of tensors, got {count} and {len(found)}")
    return found


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex))


def _spread(name: str, given: Any, count: int, param: str, position: int) -> list[Any]:
    """An operand for each tensor: from a list of tensors, a list of numbers, one number or one 0-dim tensor."""
    if isinstance(given, (list, tuple)):
        if given and isinstance(given[0], Tensor):
            return _matching(name, given, count, param, position)
        if len(given) != count:
            raise RuntimeError("Tensor list must have same number of elements as scalar list.")
        for i, each in enumerate(given):
            if not _is_number(each):
                raise TypeError(
                    f"expected Tensor as element {i} in argument {position - 1}, but got {type(each).__name__}"
                )
        return list(given)
    if isinstance(given, Tensor):
        if given.ndim:
            raise RuntimeError(
                f"scalar tensor expected to be 0 dim but it has {given.ndim} dimensions and {given.numel()} elements."
            )
    elif not _is_number(given):
        raise TypeError(f"{name}() received an invalid combination of arguments - got (list, {type(given).__name__})")
    return [given] * count


def _one_of(name: str, param: str, given: Any, named: dict[str, Any], names: Sequence[str]) -> Any:
    """The argument that PyTorch's overloads call by different names."""
    found = [named.pop(each) for each in names if each in named]
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
    if given is not None:
        found.insert(0, given)
    if len(found) != 1:
        raise TypeError(f'{name}() missing 1 required positional arguments: "{param}"')
    return found[0]


# The functions


def _function(name: str, inplace: bool) -> Callable[..., Any]:
    """The method of one tensor that the function applies to each."""
    found = PUBLIC["Tensor"].get(name + "_" if inplace else name)
    if found is None:  # an in-place form that no tensor shows, of maximum and minimum
        return lambda *operands: call_inplace(OPS[name], operands)
    return found


def _published(name: str, make: Callable[[str, bool], Callable[..., Any]], *, plain: bool = True) -> None:
    """Publish ``_foreach_name`` and its in-place form, which returns its list."""
    for inplace in (False, True) if plain else (True,):
        full = f"_foreach_{name}{'_' if inplace else ''}"
        function = make(full, inplace)
        function.__name__ = function.__qualname__ = full
        function.__doc__ = f"``{name}`` of each tensor of a list" + (", in place." if inplace else ", as a tuple.")
        if name in _OF_ONE or name == "zero":
            function.__doc__ += f"\n\nhttps://docs.pytorch.org/docs/stable/generated/torch.{full}.html"
        publish("torch", full, function)


def _result(given: Any, made: list[Any], inplace: bool) -> Any:
    return given if inplace else tuple(made)


def _of_one(name: str) -> None:
    def make(full: str, inplace: bool) -> Callable[..., Any]:
        def function(self: Sequence[Tensor]) -> Any:
            tensors = _tensors(full, self)
            apply = _function(name, inplace)
            return _result(self, [apply(x) for x in tensors], inplace)

        return function

    _published(name, make, plain=name != "zero")


def _with_other(name: str) -> None:
    def make(full: str, inplace: bool) -> Callable[..., Any]:
        def function(self: Sequence[Tensor], other: Any = None, *, alpha: Any = 1, **named: Any) -> Any:
            tensors = _tensors(full, self)
            operand = _one_of(full, "other", other, named, ("scalar", "scalars"))
            others = _spread(full, operand, len(tensors), "other", 2)
            options = {} if alpha == 1 else {"alpha": alpha}
            if options and (name not in ("add", "sub") or not isinstance(others[0], Tensor)):
                raise TypeError(f"{full}() got an unexpected keyword argument 'alpha'")
            made = []
            for x, y in zip(tensors, others, strict=True):
                apply = _function(_OF_NUMBER.get(name, name) if _is_number(y) else name, inplace)
                made.append(apply(x, y, **options))
            return _result(self, made, inplace)

        return function

    _published(name, make)


def _with_two(name: str) -> None:
    def make(full: str, inplace: bool) -> Callable[..., Any]:
        def function(self: Sequence[Tensor], tensor1: Any, tensor2: Any, value: Any = None, **named: Any) -> Any:
            tensors = _tensors(full, self)
            first = _matching(full, tensor1, len(tensors), "tensor1", 2)
            second = _matching(full, tensor2, len(tensors), "tensor2", 3)
            scalars = _one_of(full, "value", value, named, ("scalars",)) if named or value is not None else 1
            values = _values(full, scalars, len(tensors))
            apply = _function(name, inplace)
            rows = zip(tensors, first, second, values, strict=True)
            return _result(self, [apply(x, a, b, value=v) for x, a, b, v in rows], inplace)

        return function

    _published(name, make)


def _values(name: str, given: Any, count: int) -> list[Any]:
    """The factors of ``addcmul`` and ``addcdiv``; a tensor of one dimension holds one for each."""
    if not isinstance(given, Tensor):
        return _spread(name, given, count, "value", 4)
    if given.ndim != 1:
        raise RuntimeError(f"Expected packed scalar Tensor to be of dimension 1. Got {given.ndim} instead.")
    if given.shape[0] != count:
        raise RuntimeError(
            f"Expected length of scalars to match input of length {count} but got {given.shape[0]} instead."
        )
    return given.tolist()  # type: ignore[attr-defined]


def _lerp(full: str, inplace: bool) -> Callable[..., Any]:
    def function(self: Sequence[Tensor], tensors1: Any, weight: Any = None, **named: Any) -> Any:
        tensors = _tensors(full, self)
        ends = _matching(full, tensors1, len(tensors), "tensors1", 2)
        weights = _spread(full, _one_of(full, "weight", weight, named, ("weights",)), len(tensors), "weights", 3)
        apply = _function("lerp", inplace)
        return _result(self, [apply(x, y, w) for x, y, w in zip(tensors, ends, weights, strict=True)], inplace)

    return function


def _pow(full: str, inplace: bool) -> Callable[..., Any]:
    def function(self: Any, exponent: Any) -> Any:
        if _is_number(self) and not inplace:
            return tuple(PUBLIC["torch"]["pow"](self, x) for x in _tensors(full, exponent, "exponent"))
        tensors = _tensors(full, self)
        exponents = _spread(full, exponent, len(tensors), "exponent", 2)
        apply = _function("pow", inplace)
        return _result(self, [apply(x, y) for x, y in zip(tensors, exponents, strict=True)], inplace)

    return function


def _copy(full: str, inplace: bool) -> Callable[..., Any]:
    def function(self: Sequence[Tensor], src: Any, non_blocking: bool = False) -> Any:
        tensors = _tensors(full, self)
        apply = _function("copy", inplace)
        for x, y in zip(tensors, _matching(full, src, len(tensors), "src", 2), strict=True):
            apply(x, y, non_blocking)
        return self

    return function


for _name in (*_OF_ONE, "zero"):
    _of_one(_name)
for _name in _WITH_OTHER:
    _with_other(_name)
for _name in _WITH_TWO:
    _with_two(_name)
_published("lerp", _lerp)
_published("pow", _pow)
_published("copy", _copy, plain=False)


# Those that have no in-place form


def _norm(self: Sequence[Tensor], ord: Any = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The ``ord``-norm of each tensor of a list."""
    if not _is_number(ord):
        raise TypeError(f"_foreach_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    norm = PUBLIC["linalg"]["vector_norm"]
    return tuple(norm(x, ord, dtype=dtype) for x in _tensors("_foreach_norm", self))


def _powsum(self: Sequence[Tensor], ord: Any = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The sum of the absolute values to the power ``ord`` of each tensor of a list; it has no derivative."""
    made = []
    for x in _tensors("_foreach_powsum", self):
        x = x.detach()
        x = x if dtype is None else x.to(dtype)  # type: ignore[attr-defined]
        if not x._aval.inexact:
            raise NotImplementedError(f"\"powsum_cpu\" not implemented for '{x.dtype._scalar.scalar_name}'")
        made.append(x.abs().pow(ord).sum())  # type: ignore[attr-defined]
    return tuple(made)


def _max(self: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The largest element of each tensor of a list."""
    tensors = _tensors("_foreach_max", self)
    if any(not x._aval.numel for x in tensors):
        raise RuntimeError(
            "_foreach_max cannot compute the maximum of an empty tensor; max over zero elements is undefined."
        )
    return tuple(PUBLIC["torch"]["max"](x) for x in tensors)


def _mm(self: Sequence[Tensor], mat2: Any) -> tuple[Tensor, ...]:
    """The product of each matrix of a list and the one of another."""
    tensors = _tensors("_foreach_mm", self)
    others = _matching("_foreach_mm", mat2, len(tensors), "mat2", 2)
    return tuple(PUBLIC["torch"]["mm"](x, y) for x, y in zip(tensors, others, strict=True))


def _clone(self: Sequence[Tensor], *, memory_format: Any = None) -> tuple[Tensor, ...]:
    """A copy of each tensor of a list."""
    return tuple(PUBLIC["torch"]["clone"](x) for x in _tensors("_foreach_clone", self))


for _function_of in (_norm, _powsum, _max, _mm, _clone):
    publish("torch", "_foreach" + _function_of.__name__, _function_of)
