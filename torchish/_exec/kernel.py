"""Kernels: an op bound to its operands' avals and static arguments, and its derivative.

A kernel is what the window records, by identity. Its ``fn`` takes the operands (arrays, and 0-dim
arrays for Python numbers) and returns a tuple of arrays. ``VjpKernel`` is the derivative of a kernel
and again a kernel, so a derivative has a derivative, of any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import jax
import jax.numpy as jnp
import numpy as np

from .placement import Placement
from .value import Aval, aval_of

# A number operand's aval: the Python class of the number.
OperandAval = Aval | type

_NUMBER_DTYPES = {
    bool: np.dtype(np.bool_),
    int: np.dtype(np.int64),
    float: np.dtype(np.float64),
    complex: np.dtype(np.complex128),
}


def struct_of(aval: OperandAval) -> jax.ShapeDtypeStruct:
    return aval.struct if isinstance(aval, Aval) else jax.ShapeDtypeStruct((), _NUMBER_DTYPES[aval])


def zeros_of(aval: OperandAval) -> jax.Array:
    s = struct_of(aval)
    return jnp.zeros(s.shape, s.dtype)


# A loaded program takes some memory maps, of which Linux gives a process 65,530: there must be an end to them.
MOST_LOADED = 4096
# What drops each of them, the oldest first.
_loaded: deque[Callable[[], None]] = deque()


def _note_loaded(drop: Callable[[], None]) -> None:
    _loaded.append(drop)
    if len(_loaded) > MOST_LOADED:
        _loaded.popleft()()


def number_array(number: Any) -> np.generic:
    """A Python number as the strongly typed NumPy scalar that a kernel expects."""
    return _NUMBER_DTYPES[number.__class__].type(number)


class Kernel:
    """An op on operands of known avals.

    Attributes:
        name: the op's name, for people.
        in_avals, out_avals: of the operands and results.
        fn: the pure JAX function, from operands to a tuple of results.
        node: the name of its autograd node.
        check: None, or the data check: a function of the operands that gives ``(bad, witness)``.
        check_error: the exception for a witness.
        check_uses: which operands the check reads.
        underived: the operands by which there is no derivative, and what the error calls it.
        derivative_check: None, or the check of its results and the gradients that arrive, and what makes the exception.
        refusal: None, or what makes the exception that ``backward()`` raises in place of a derivative.
        passed: where that is one array alone: those that are known to pass, by ``id``.
        warm: whether ``jitted``'s program is loaded, so that running it compiles nothing.
    """

    def __init__(
        self,
        name: str,
        fn: Callable[..., tuple],
        in_avals: Sequence[OperandAval],
        placement: Placement,
        *,
        node: str = "",
        grad_node: str | None = None,
        saves_result: bool = False,
        saves_operands: bool = False,
        guards_operands: bool = True,
        selects: bool = False,
        differentiable: bool | tuple[int, ...] = True,
        derivative_check: tuple[Callable[..., Any], Callable[[], Exception]] | None = None,
        check: Callable[..., Any] | None = None,
        check_error: Callable[[int], Exception] | None = None,
        weight: int = 1,
    ):
        self.name, self.fn, self.in_avals, self.placement = name, fn, tuple(in_avals), placement
        self.node, self.grad_node, self.saves_result = node, grad_node, saves_result
        structs = jax.eval_shape(fn, *[struct_of(a) for a in self.in_avals])
        self.out_avals = tuple(aval_of(s.shape, s.dtype, placement) for s in structs)
        self.single = self.out_avals[0] if len(self.out_avals) == 1 else None
        self.saves_operands, self.guards_operands, self.selects = saves_operands, guards_operands, selects
        # Which results take part in gradients.
        every = range(len(self.out_avals)) if isinstance(differentiable, bool) else differentiable
        self.grad_results = frozenset(i for i in every if differentiable is not False and self.out_avals[i].inexact)
        self.differentiable = bool(self.grad_results)
        self.nbytes = sum(a.nbytes for a in self.out_avals)
        self.weight = weight
        self.jitted = jax.jit(fn)
        self.warm = False
        # Operands that dispatch has to carry to ``placement`` first, and those that PyTorch sees as tensors.
        self.moves: tuple[int, ...] = ()
        self.underived: dict[int, str] = {}
        self.tensor_operands = tuple(i for i, a in enumerate(self.in_avals) if isinstance(a, Aval))
        self.derivative_check = derivative_check
        self.refusal: Callable[[], Any] | None = None
        self.check, self.check_error = check, check_error
        self.check_uses: tuple[int, ...] = ()
        if check is not None:
            self.check_uses = used_operands(check, self.in_avals)
            if not self.check_uses:  # it holds whatever the data, such as a zero divisor among floats
                self.check = None
            self._check_jitted = jax.jit(self._check_used)
            self._check_warm = False
            self.passed: WeakValueDictionary[int, jax.Array] = WeakValueDictionary()
        self.vjps: dict[tuple[int, ...], Any] = {}  # those made so far, by ``needs``

    def __repr__(self) -> str:
        return f"<Kernel {self.name} {list(self.in_avals)}>"

    def vjp(self, needs: tuple[int, ...]) -> Any:
        """The derivative with respect to the operands at ``needs``: a VjpKernel, or what stands for a refused one."""
        found = self.vjps.get(needs)
        if found is None:
            found = self.vjps[needs] = (
                VjpKernel(self, needs) if self.refusal is None else Underived(self, needs, self.refusal)
            )
        return found

    def _check_used(self, *used):
        operands = [zeros_of(a) for a in self.in_avals]
        for i, x in zip(self.check_uses, used, strict=True):
            operands[i] = x
        return self.check(*operands)  # type: ignore[misc]

    def flags(self, operands: Sequence[Any]) -> Any:
        """(bad, witness) of the data check on concrete operands."""
        found = self._check_jitted(*[operands[i] for i in self.check_uses])
        if not self._check_warm:
            self._check_warm = True
            _note_loaded(self._drop_check)
        return found

    def _drop_check(self) -> None:
        self._check_jitted.clear_cache()  # type: ignore[attr-defined]
        self._check_warm = False

    def error(self, witness: int) -> Exception:
        """The exception of a failed data check."""
        return self.check_error(witness)  # type: ignore[misc]

    def run(self, *operands: Any) -> Any:
        """The results of concrete operands, by a program of the kernel's own."""
        results = self.jitted(*operands)
        if not self.warm:
            self.warm = True
            _note_loaded(self._drop)
        return results

    def _drop(self) -> None:
        self.jitted.clear_cache()  # type: ignore[attr-defined]
        self.warm = False


class VjpKernel(Kernel):
    """The derivative of ``forward`` with respect to its operands at ``needs``.

    Its operands are those primal operands that the derivative reads (``uses``), then one cotangent
    for each inexact result of ``forward`` that is set in ``given``. PyTorch's gradient of a complex
    number is the conjugate of JAX's: this is the one place that conjugates.
    """

    def __init__(self, forward: Kernel, needs: tuple[int, ...], given: tuple[bool, ...] | None = None):
        self.forward, self.needs = forward, needs
        self.given = given or tuple(a.inexact for a in forward.out_avals)
        ct_avals = [a for a, g in zip(forward.out_avals, self.given, strict=True) if g]
        n = len(forward.in_avals)
        self.uses = tuple(range(n))
        used = {i for i in used_operands(self._apply, [*forward.in_avals, *ct_avals]) if i < n}
        # PyTorch's formula reads the result or the operands: its gradient depends on them even where ours is
        # constant. Of operands without elements JAX drops every use.
        keeps = forward.saves_result or forward.saves_operands
        empty = {i for i in needs if forward.name != "view" and struct_of(forward.in_avals[i]).size == 0}
        self.uses = tuple(sorted(used.union(needs if keeps else empty)))
        super().__init__(
            f"vjp[{forward.name}]",
            self._apply,
            [*(forward.in_avals[i] for i in self.uses), *ct_avals],
            forward.placement,
            node=forward.grad_node or _backward_of(forward.node),
            # Higher derivatives of a formula end in the same step.
            grad_node=forward.grad_node,
        )
        self.node_class: Any = None  # of the nodes that run it, set by dispatch
        # Whether running it once gives up what it saved, so that running it again is an error.
        self.frees = forward.name != "view" and bool(self.uses or forward.saves_result)
        # The operands whose later change in place is an error.
        guards = forward.guards_operands and not forward.saves_result
        self.guards = tuple(i for i in self.uses if guards and isinstance(forward.in_avals[i], Aval))
        # Takes the saved operands out of all: None where that is not several of them, which itemgetter would not give.
        self.pick = itemgetter(*self.uses) if len(self.uses) > 1 else None
        self._partial: dict[tuple[bool, ...], VjpKernel] = {}
        # None, or what checks the gradients that arrive, on the same operands.
        self.gradient_check: Kernel | None = None
        if forward.derivative_check is not None:
            check, error = forward.derivative_check
            made = Kernel(
                f"check[{self.name}]",
                lambda *_: (jnp.zeros(()),),
                self.in_avals,
                self.placement,
                check=lambda *operands: self._check_gradients(check, operands),
                check_error=lambda _witness: error(),
            )
            self.gradient_check = made if made.check is not None else None

    def partial(self, given: tuple[bool, ...]) -> VjpKernel:
        """The same derivative where only some results have a cotangent; the others' are zero."""
        if given == self.given:
            return self
        found = self._partial.get(given)
        if found is None:
            found = self._partial[given] = VjpKernel(self.forward, self.needs, given)
        return found

    def linearize(
        self, operands: Sequence[Any], given: Sequence[bool] | None = None
    ) -> tuple[tuple, Callable[[Sequence[Any]], tuple]]:
        """``forward`` at ``operands``, and the function that pulls cotangents back.

        The pullback takes one cotangent for each result, None where there is none. ``given`` says which results
        have one: the others' part of the derivative, which may be infinite, does not take part at all.
        """
        given = self.given if given is None else given

        def part(*needed):
            full = list(operands)
            for i, x in zip(self.needs, needed, strict=True):
                full[i] = x
            outs = self.forward.fn(*full)
            return tuple(x for x, g in zip(outs, given, strict=True) if g), tuple(outs)

        _, pull, outs = jax.vjp(part, *[operands[i] for i in self.needs], has_aux=True)
        avals = self.forward.out_avals

        def pullback(cotangents: Sequence[Any]) -> tuple:
            cts = [
                jnp.zeros(aval.shape, aval.dtype) if ct is None else _conj(ct)
                for ct, aval, g in zip(cotangents, avals, given, strict=True)
                if g
            ]
            return tuple(_conj(g) for g in pull(tuple(cts)))

        return outs, pullback

    def _split(self, operands):
        primals = [zeros_of(a) for a in self.forward.in_avals]
        for i, x in zip(self.uses, operands, strict=False):
            primals[i] = x
        rest = iter(operands[len(self.uses) :])
        return primals, [next(rest) if g else None for g in self.given]

    def _apply(self, *operands):
        primals, cotangents = self._split(operands)
        return self.linearize(primals)[1](cotangents)

    def _check_gradients(self, check, operands):
        primals, cotangents = self._split(operands)
        return check(self.forward.fn(*primals), cotangents), jnp.zeros((), jnp.int64)


class Underived:
    """Stands where the derivative would be of something that has none: going backward through it raises."""

    uses: tuple[int, ...] = ()
    guards: tuple[int, ...] = ()
    pick = None
    frees = False
    placement = None  # it can be no part of a Tape

    def __init__(self, forward: Kernel, needs: tuple[int, ...], error: Callable[[], Exception]):
        self.forward, self.needs, self.error = forward, needs, error
        self.node_class: Any = None

    def pull(self, cotangents: Sequence[Any]) -> NoReturn:
        raise self.error()


def _conj(x):
    return jnp.conj(x) if jnp.iscomplexobj(x) else x


def _backward_of(node: str) -> str:
    """PyTorch's pattern for the node of a derivative: ``EluBackward0`` has ``EluBackwardBackward0``."""
    return node[:-1] + "Backward0" if node.endswith("0") else node + "Backward0"


def used_operands(fn: Callable[..., Any], avals: Sequence[OperandAval]) -> tuple[int, ...]:
    """The operands that the result of ``fn`` depends on: what survives dead-code elimination."""
    jaxpr = jax.make_jaxpr(fn)(*[struct_of(a) for a in avals]).jaxpr
    live = _live_inputs(jaxpr, [True] * len(jaxpr.outvars))
    return tuple(i for i, used in enumerate(live) if used)


def _live_inputs(jaxpr, live_outs: Sequence[bool]) -> list[bool]:
    live = {id(v) for v, needed in zip(jaxpr.outvars, live_outs, strict=True) if needed}
    for eqn in reversed(jaxpr.eqns):
        outs = [id(v) in live for v in eqn.outvars]
        if not any(outs):
            continue
        inner = eqn.params.get("jaxpr")
        if eqn.primitive.name in ("jit", "pjit") and inner is not None:
            used = _live_inputs(inner.jaxpr, outs)
        else:
            used = [True] * len(eqn.invars)
        live.update(id(v) for v, needed in zip(eqn.invars, used, strict=True) if needed)
    return [id(v) in live for v in jaxpr.invars]
