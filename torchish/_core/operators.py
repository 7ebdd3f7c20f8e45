"""Python's operators on Tensors: each is the op's dispatch without a wrapper between."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._ops.registry import OPS
from .dispatch import call
from .generate import OP_FUNCTIONS
from .inplace import call_inplace
from .tensor import NUMBER_CLASSES, TENSOR_CLASSES, Tensor

_OPERAND_CLASSES = (Tensor, bool, int, float, complex, np.number, np.bool_)


def _binary(op_name: str, extra: tuple = (), static: tuple = ()) -> Any:
    """An operator whose op takes (input, other), then operands at their defaults and static arguments."""
    op = OPS[op_name]

    def operator(self: Tensor, other: Any) -> Any:
        cls = other.__class__
        if cls in TENSOR_CLASSES or cls in NUMBER_CLASSES or isinstance(other, _OPERAND_CLASSES):
            return call(op, (self, other) + extra if extra else (self, other), static)  # noqa: RUF005
        return NotImplemented

    return operator


def _reflected(op_name: str, extra: tuple = (), static: tuple = ()) -> Any:
    op = OPS[op_name]

    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERAND_CLASSES):
            return call(op, (other, self, *extra), static)
        return NotImplemented

    return operator


def _inplace(op_name: str, extra: tuple = (), static: tuple = ()) -> Any:
    op = OPS[op_name]

    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERAND_CLASSES):
            return call_inplace(op, (self, other, *extra), static)
        return NotImplemented

    return operator


def _function(op_name: str) -> Any:
    function = OP_FUNCTIONS[op_name]

    def operator(self: Tensor) -> Any:
        return function(self)

    return operator


def _guarded(function: Any) -> Any:
    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERAND_CLASSES):
            return function(self, other)
        return NotImplemented

    return operator


# operator -> (op, operands left at their default, static arguments); reflected and in-place forms follow.
_BINARY: dict[str, tuple[str, tuple, tuple]] = {
    "add": ("add", (None,), ()),
    "sub": ("sub", (None,), ()),
    "mul": ("mul", (), ()),
    "truediv": ("div", (), (None,)),
    "floordiv": ("floor_divide", (), ()),
    "mod": ("remainder", (), ()),
    "and": ("bitwise_and", (), ()),
    "or": ("bitwise_or", (), ()),
    "xor": ("bitwise_xor", (), ()),
    "lshift": ("bitwise_left_shift", (), ()),
    "rshift": ("bitwise_right_shift", (), ()),
}
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def attach(T: Any = Tensor) -> None:
    """Put the operators on the class."""
    from .functions.overloads import matmul_operator, pow_, pow_inplace

    for name, (op_name, extra, static) in _BINARY.items():
        setattr(T, f"__{name}__", _binary(op_name, extra, static))
        setattr(T, f"__r{name}__", _reflected(op_name, extra, static))
        setattr(T, f"__i{name}__", _inplace(op_name, extra, static))
    for name in _COMPARISONS:
        setattr(T, f"__{name}__", _binary(name))
    # As PyTorch composes them, which decides the graph and the last bit.
    T.__radd__, T.__rmul__ = T.__add__, T.__mul__
    T.__rsub__ = _binary("rsub", (None,))
    T.__rtruediv__ = _guarded(lambda self, other: OP_FUNCTIONS["reciprocal"](self) * other)
    T.__div__, T.__rdiv__, T.__idiv__ = T.__truediv__, T.__rtruediv__, T.__itruediv__
    T.__neg__ = _function("neg")
    T.__abs__ = _function("abs")
    T.__invert__ = _function("bitwise_not")
    T.__pos__ = lambda self: self
    T.__pow__ = _guarded(pow_)
    T.__rpow__ = _guarded(lambda self, other: pow_(other, self))
    T.__ipow__ = _guarded(pow_inplace)
    T.__matmul__ = matmul_operator
    T.__rmatmul__ = lambda self, other: matmul_operator(other, self)
    T.__imatmul__ = matmul_operator
