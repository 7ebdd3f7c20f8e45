"""The one place where an op is defined: the ``@op`` decorator and the table that it fills.

An op is a pure JAX function with PyTorch's signature::

    @op(promote=("input", "tensor1", "tensor2"), inplace=True, out=True)
    def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        \"\"\"``input + value * tensor1 * tensor2``, broadcast. ...\"\"\"
        return input + value * tensor1 * tensor2

From the definition come the public function, the method, the in-place method, ``out=``, the autograd
node's name, the shape and dtype rule (``jax.eval_shape``), the derivative (``jax.vjp``), the
documentation and the contract tests.

The annotations say what each parameter is. Modules that define ops start with
``from __future__ import annotations``, so that they are read here as text:

=====================  =========================================================================
``Tensor``             an array operand
``Number``             a Python number (or a tensor), an operand at run time: never a constant
``Tensor | Number``    either
``... | None``         the same, or absent
``Tensors``            a sequence of arrays
``Size``               static; a tuple of ints, given as a sequence or one by one where ``variadic``
``Ints``               static; a tuple of ints, given as a sequence alone
``Dims``               static; an int, a tuple of ints, or None
``DType``              static; the body sees NumPy's dtype (or None)
anything else          static: part of the compile key, so it must be hashable
=====================  =========================================================================

What a body sees: operands as JAX arrays. Where the op promotes, all operands in ``promote`` have the
common dtype and every other number is cast to it too; elsewhere a number arrives as a 0-dim float64,
int64, bool or complex128 array. A number left at its default arrives as that Python number.
A body raises PyTorch's exception, word for word, on shapes and dtypes that PyTorch refuses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import numpy as np

from .inplace_rules import INPLACE, InPlace
from .out_rules import CASTABLE, Rule

Tensor: TypeAlias = jax.Array
Number: TypeAlias = Any  # jax.Array of shape (), or the Python number that is the default
Tensors: TypeAlias = Sequence[jax.Array]
Size: TypeAlias = tuple[int, ...]
Ints: TypeAlias = tuple[int, ...]
Dims: TypeAlias = int | tuple[int, ...] | None
DType: TypeAlias = np.dtype | None

OPERAND_KINDS = {"Tensor", "Number", "Tensors"}


@dataclass(frozen=True)
class Param:
    """One parameter of an op, as its annotation describes it."""

    name: str
    kinds: frozenset[str]
    default: Any
    keyword_only: bool

    is_operand: bool = field(init=False)
    required: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_operand", not self.kinds.isdisjoint(OPERAND_KINDS))
        object.__setattr__(self, "required", self.default is inspect.Parameter.empty)


@dataclass(eq=False)
class Op:
    """An op's definition. ``kernels`` is filled by dispatch: one entry for each operand signature."""

    name: str
    fn: Callable[..., Any]
    params: tuple[Param, ...]
    promote: tuple[str, ...]
    int_to_float: bool
    namespaces: tuple[str, ...]
    aliases: tuple[str, ...]
    elsewhere: tuple[str, ...]
    inplace: bool
    inplace_rule: InPlace
    out: bool
    out_rule: Rule
    node: str | Callable[..., str]
    grad_node: str | None
    saves: str | None
    differentiable: bool | tuple[int, ...]
    underived: dict[str, str]
    returns: tuple[str, ...] | None
    variadic: str | None
    takes_numbers: bool
    wide_numbers: bool
    fits: bool
    refuses_derivative: Callable[..., Exception | None] | None = None
    check: Callable[..., Any] | None = None
    check_error: Callable[..., Exception] | None = None
    derivative_check: Callable[..., Any] | None = None
    derivative_error: Callable[[], Exception] | None = None
    validate: Callable[[dict[str, np.dtype]], None] | None = None
    kernels: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.fn) or ""

    def node_name(self, static: dict[str, Any]) -> str:
        """The name of the autograd node, such as ``AddBackward0``."""
        return self.node if isinstance(self.node, str) else self.node(**static)


OPS: dict[str, Op] = {}


def _params(fn: Callable[..., Any]) -> tuple[Param, ...]:
    params = []
    for p in inspect.signature(fn).parameters.values():
        if not isinstance(p.annotation, str):
            raise TypeError(f"{fn.__module__}.{fn.__name__}: parameter {p.name} has no annotation as text")
        kinds = frozenset(part.strip() for part in p.annotation.split("|"))
        params.append(Param(p.name, kinds, p.default, p.kind is p.KEYWORD_ONLY))
    return tuple(params)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace(".", "_").split("_"))


def op(
    *,
    name: str | None = None,
    promote: tuple[str, ...] = (),
    int_to_float: bool = False,
    namespaces: tuple[str, ...] = ("torch", "Tensor"),
    aliases: tuple[str, ...] = (),
    inplace: bool | InPlace = False,
    out: bool | Rule = False,
    node: str | Callable[..., str] | None = None,
    grad_node: str | None = None,
    saves: str | None = None,
    differentiable: bool | tuple[int, ...] = True,
    underived: dict[str, str] | None = None,
    returns: tuple[str, ...] | None = None,
    variadic: str | None = None,
    takes_numbers: bool = False,
    refuses_derivative: Callable[..., Exception | None] | None = None,
    fits: bool = False,
    wide_numbers: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Define an op. The decorated function stays the pure JAX body; the definition goes to ``OPS``.

    Args:
        name: the op's name where it is not the function's; ``"max.dim"`` is an overload that no
            namespace shows: a composite (``torchish/_core/functions``) chooses among overloads.
        promote: the parameters whose dtypes are promoted together, as PyTorch promotes them.
        int_to_float: whether an integral common dtype becomes the default floating dtype.
        namespaces: where the function is public, of ``torch``, ``Tensor``, ``nn.functional``, ...
            Empty: internal, reached through ``torchish._core.functions`` alone.
        aliases: other public names for it in the same namespaces; with dots, one in another namespace
            (``"linalg.det"``, ``"special.expit"``), where it has no in-place form.
        inplace: whether there is an in-place form (``add_``), in the same namespaces, and where memory or shape have a rule of
            their own: that (``inplace_rules.py``).
        out: whether the public function takes ``out=``, and where it does not simply check that the result can be cast to
            it: what PyTorch demands of it (``out_rules.py``).
        node: the autograd node's name, or a function of the static arguments that gives it.
            ``AddcmulBackward0`` for ``addcmul`` unless said.
        grad_node: the name of the node that a gradient computed with ``create_graph=True`` shows:
            the last step of PyTorch's own formula, such as ``MulBackward0``.
        saves: ``"result"`` where PyTorch's derivative reads the result instead of the operands
            (exp, tanh, sigmoid, ...): it decides which later in-place change is an error.
            ``"operands"`` where it reads the operands although ours needs no value of them (pools).
            ``"nothing"`` where ours reads operands that PyTorch's does not: changing them in place is no error, and
            ours has the old data. ``"indices"`` where in addition the derivative is the same for nearby operands:
            PyTorch's reads indices among the results (``max`` over a dimension, ``sort``).
        differentiable: False for ops whose result never requires grad; or which of several results do.
        underived: the operands by which PyTorch has no derivative, and what its error calls that, which ``backward()``
            raises where a gradient is to go there. The body's derivative by them is NaN.
        returns: the field names of the result where PyTorch gives a named tuple.
        variadic: the ``Size``/``Dims`` parameter that may be given as separate arguments.
        takes_numbers: whether operands that may be numbers may all be, as in ``torch.add(2, 3)``.
        refuses_derivative: where the result requires grad and yet has no derivative: the exception that ``backward()``
            raises there, or None, as a function of the arguments by name (of tensors, ``jax.ShapeDtypeStruct``).
        fits: whether a number has to fit the first operand's dtype, as in ``x.fill_(300)``.
        wide_numbers: whether numbers and 0-dim tensors of another dtype stay float32 beside float16 and bfloat16:
            PyTorch does not round 0.1 before it multiplies by it. The body is ``half_in_float32``.
    """

    def define(fn: Callable[..., Any]) -> Callable[..., Any]:
        op_name = name or fn.__name__
        if op_name in OPS:
            raise ValueError(f"op {op_name} is defined twice")
        definition = Op(
            name=op_name,
            fn=fn,
            params=_params(fn),
            promote=promote,
            int_to_float=int_to_float,
            namespaces=() if "." in op_name else namespaces,
            aliases=tuple(alias for alias in aliases if "." not in alias),
            elsewhere=tuple(alias for alias in aliases if "." in alias),
            inplace=inplace.generated if isinstance(inplace, InPlace) else inplace,
            inplace_rule=inplace if isinstance(inplace, InPlace) else INPLACE,
            out=out is not False,
            out_rule=CASTABLE if isinstance(out, bool) else out,
            node=node or f"{_camel(op_name)}Backward0",
            grad_node=grad_node,
            saves=saves,
            differentiable=differentiable,
            underived=underived or {},
            returns=returns,
            variadic=variadic,
            takes_numbers=takes_numbers,
            refuses_derivative=refuses_derivative,
            fits=fits,
            wide_numbers=wide_numbers,
        )
        OPS[op_name] = definition
        fn.op = definition  # type: ignore[attr-defined]
        return fn

    return define


def validation_of(fn: Callable[..., Any]) -> Callable[[Callable[[dict[str, np.dtype]], None]], Any]:
    """Attach a check of the operands' dtypes as they are before promotion, by parameter name, as a decorator."""

    def attach(validate: Callable[[dict[str, np.dtype]], None]) -> Any:
        fn.op.validate = validate  # type: ignore[attr-defined]
        return validate

    return attach


def check_of(fn: Callable[..., Any], error: Callable[..., Exception]) -> Callable[..., Any]:
    """Attach a check on data to an op, as a decorator of the check.

    The check is a pure JAX function with the op's parameters that returns ``(bad, witness)``: a bool
    scalar, and an int64 scalar that ``error(witness, **arguments)`` puts into the text; of tensors,
    ``arguments`` holds ``jax.ShapeDtypeStruct``. On concrete operands it runs at once, on pending
    ones its flag rides along in the window.

        @check_of(gather, lambda witness, input, dim, **_: IndexError(...))
        def _(input, dim, index, **_): ...
    """

    def attach(check: Callable[..., Any]) -> Callable[..., Any]:
        definition: Op = fn.op  # type: ignore[attr-defined]
        definition.check, definition.check_error = check, error
        return check

    return attach


def derivative_check_of(fn: Callable[..., Any], error: Callable[[], Exception]) -> Callable[..., Any]:
    """Attach a check on the gradients that arrive at an op, as a decorator: a pure JAX function that says whether they
    are bad. Its parameters are the op's results, as a tuple, and their gradients as PyTorch has them (None where none).
    """

    def attach(check: Callable[..., Any]) -> Callable[..., Any]:
        definition: Op = fn.op  # type: ignore[attr-defined]
        definition.derivative_check, definition.derivative_error = check, error
        return check

    return attach
