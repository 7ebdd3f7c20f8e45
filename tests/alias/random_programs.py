"""Random programs of views, in-place operations and gradients, as data, and what running one shows.

A program is a list of steps; a step is a name from ``ACTIONS`` and a few integers, which the action reads modulo
whatever it has to choose from. So every list of steps is a program, programs shrink well, and the same program means the
same under any implementation of PyTorch's interface, as long as the two agree: ``run`` gives the observations after each
step, and the first that differs is where they part.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

MOST_TENSORS = 10
SHAPES = ((2, 3), (3,), (3, 3), (), (2, 1), (4,))
# Under no_grad they leave a graph behind whose nodes do not fit the tensor's shape.
CHANGE_THE_SHAPE = ("t_", "unsqueeze_", "squeeze_")
# Of a view that does not follow its base. PyTorch raises it before errors about shapes, torchish after them.
STALE = "its base or another view of its base has been modified inplace"
NUMBERS = (0.5, 2.0, -1.0, 3.0, 0.25)


class Step(NamedTuple):
    """One statement: which action, on which tensors, with which choices, and whether under ``no_grad``."""

    action: str
    first: int
    second: int
    choice: int
    detail: int
    no_grad: bool


Action = Callable[["State", Step], Any]
ACTIONS: dict[str, Action] = {}


def action(function: Action) -> Action:
    ACTIONS[function.__name__] = function
    return function


def _memory(t: Any) -> int:
    return t.untyped_storage().data_ptr() if hasattr(t, "untyped_storage") else id(t._storage)


class State:
    """The tensors of a running program."""

    def __init__(self, torch: ModuleType):
        self.torch = torch
        self.tensors: list[Any] = []

    def pick(self, number: int) -> Any:
        return self.tensors[number % len(self.tensors)]

    def other(self, step: Step) -> Any:
        """What to write into the first tensor. PyTorch leaves open what a write that reads part of what it writes gives,
        unless it is refused: such a part is copied."""
        target, source = self.pick(step.first), self.pick(step.second)
        if _memory(target) != _memory(source):
            return source
        plain = target.is_contiguous() and source.is_contiguous() and target.shape == source.shape
        return source if plain else source.clone()

    def read(self, number: int) -> Any:
        """A tensor to compute with: PyTorch's results have the strides of what they come from, torchish's do not."""
        return self.pick(number).contiguous()

    def keep(self, made: Any) -> None:
        """Name the results, in place of the oldest where there are too many."""
        for t in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(t, self.torch.Tensor) and not any(t is known for known in self.tensors):
                self.tensors.append(t)
        del self.tensors[:-MOST_TENSORS]


def _fresh(state: State, step: Step, **options: Any) -> Any:
    shape = SHAPES[step.choice % len(SHAPES)]
    count = int(np.prod(shape))
    data = (np.arange(count) * 0.375 - step.detail % 5 * 0.5).reshape(shape)
    return state.torch.tensor(data.tolist(), dtype=state.torch.float64, **options)


# Creation


@action
def plain_leaf(state: State, step: Step) -> Any:
    return _fresh(state, step)


@action
def leaf_with_grad(state: State, step: Step) -> Any:
    return _fresh(state, step, requires_grad=True)


# Views


def _dim(t: Any, number: int) -> int:
    return number % max(t.dim(), 1)


@action
def select(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    dim = _dim(t, step.choice)
    return t.select(dim, step.detail % max(t.shape[dim] if t.dim() else 1, 1))


@action
def index_with_int(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return t[step.detail % 3 if t.dim() else 0]


@action
def slice_(state: State, step: Step) -> Any:
    start, stop, by = ((1, None, None), (None, -1, None), (None, None, 2), (0, 2, None), (None, None, None))[
        step.detail % 5
    ]
    t = state.pick(step.first)
    index = (slice(None),) * _dim(t, step.choice) + (slice(start, stop, by),)
    return t[index]


@action
def narrow(state: State, step: Step) -> Any:
    return state.pick(step.first).narrow(0, step.detail % 2, 1 + step.choice % 2)


@action
def t(state: State, step: Step) -> Any:
    return state.pick(step.first).t()


@action
def transpose(state: State, step: Step) -> Any:
    return state.pick(step.first).transpose(0, -1)


@action
def view(state: State, step: Step) -> Any:
    sizes = ((-1,), (3, -1), (1, -1), (2, -1), (-1, 1))
    return state.pick(step.first).view(sizes[step.choice % len(sizes)])


@action
def reshape(state: State, step: Step) -> Any:
    sizes = ((-1,), (3, -1), (1, -1), (2, -1), (-1, 1))
    return state.pick(step.first).reshape(sizes[step.choice % len(sizes)])


@action
def expand(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    sizes = ((2, 3), (2, -1), (3, -1), (-1, 3), (3, 2, -1))
    return t.expand(sizes[step.choice % len(sizes) if t.dim() else 0])


@action
def diagonal(state: State, step: Step) -> Any:
    return state.pick(step.first).diagonal(step.detail % 3 - 1)


@action
def unbind(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return t.unbind(_dim(t, step.choice))


@action
def chunk(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return t.chunk(2, _dim(t, step.choice))


@action
def split(state: State, step: Step) -> Any:
    return state.pick(step.first).split([1, 2] if step.detail % 2 else 1)


@action
def unsqueeze(state: State, step: Step) -> Any:
    return state.pick(step.first).unsqueeze(step.choice % 2)


@action
def squeeze(state: State, step: Step) -> Any:
    return state.pick(step.first).squeeze()


@action
def permute(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return t.permute(list(range(t.dim()))[::-1])


@action
def flatten(state: State, step: Step) -> Any:
    return state.pick(step.first).flatten()


@action
def unfold(state: State, step: Step) -> Any:
    return state.pick(step.first).unfold(0, 2, 2)


@action
def as_strided(state: State, step: Step) -> Any:
    return state.pick(step.first).as_strided((2,), (1 + step.choice % 2,), step.detail % 2)


@action
def alias_of_all(state: State, step: Step) -> Any:
    return state.pick(step.first)[...]


@action
def with_a_new_dimension(state: State, step: Step) -> Any:
    return state.pick(step.first)[None]


@action
def detach(state: State, step: Step) -> Any:
    return state.pick(step.first).detach()


@action
def contiguous(state: State, step: Step) -> Any:
    return state.pick(step.first).contiguous()


@action
def view_as(state: State, step: Step) -> Any:
    return state.pick(step.first).view_as(state.pick(step.second))


# In place


@action
def add_number_(state: State, step: Step) -> Any:
    return state.pick(step.first).add_(NUMBERS[step.choice % len(NUMBERS)])


@action
def mul_number_(state: State, step: Step) -> Any:
    return state.pick(step.first).mul_(NUMBERS[step.choice % len(NUMBERS)])


@action
def add_(state: State, step: Step) -> Any:
    return state.pick(step.first).add_(state.other(step), alpha=NUMBERS[step.choice % len(NUMBERS)])


@action
def mul_(state: State, step: Step) -> Any:
    return state.pick(step.first).mul_(state.other(step))


@action
def sub_(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    t -= state.other(step)
    return t


@action
def copy_(state: State, step: Step) -> Any:
    return state.pick(step.first).copy_(state.other(step))


@action
def fill_(state: State, step: Step) -> Any:
    return state.pick(step.first).fill_(NUMBERS[step.choice % len(NUMBERS)])


@action
def zero_(state: State, step: Step) -> Any:
    return state.pick(step.first).zero_()


@action
def tanh_(state: State, step: Step) -> Any:
    return state.pick(step.first).tanh_()


@action
def sin_(state: State, step: Step) -> Any:
    return state.pick(step.first).sin_()


@action
def relu_(state: State, step: Step) -> Any:
    return state.pick(step.first).relu_()


@action
def clamp_(state: State, step: Step) -> Any:
    return state.pick(step.first).clamp_(-0.75, 0.8)


@action
def masked_fill_(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return t.masked_fill_(t.detach() > 0.1, NUMBERS[step.choice % len(NUMBERS)])


@action
def assign_number(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    t[step.detail % 3 if t.dim() else 0] = NUMBERS[step.choice % len(NUMBERS)]


@action
def assign_tensor(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    t[step.detail % 3 if t.dim() else 0] = state.other(step)


@action
def assign_to_slice(state: State, step: Step) -> Any:
    index = (slice(1, None), slice(None, 2), (slice(None), 0), (..., slice(0, 1)), slice(None))[step.choice % 5]
    state.pick(step.first)[index] = state.other(step)


@action
def assign_under_mask(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    t[t.detach() > 0.1] = NUMBERS[step.choice % len(NUMBERS)]


@action
def assign_by_index_list(state: State, step: Step) -> Any:
    state.pick(step.first)[[0, -1]] = state.other(step)


@action
def add_to_slice(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    t[step.detail % 2 if t.dim() else 0] += state.other(step)


@action
def t_(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return None if t.retains_grad else t.t_()


@action
def unsqueeze_(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return None if t.retains_grad else t.unsqueeze_(0)


@action
def squeeze_(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    return None if t.retains_grad else t.squeeze_()


@action
def detach_(state: State, step: Step) -> Any:
    return state.pick(step.first).detach_()


@action
def requires_grad_(state: State, step: Step) -> Any:
    return state.pick(step.first).requires_grad_(step.choice % 4 != 0)


# Out of place


@action
def add(state: State, step: Step) -> Any:
    return state.read(step.first) + state.read(step.second)


@action
def mul(state: State, step: Step) -> Any:
    return state.read(step.first) * state.read(step.second)


@action
def mul_number(state: State, step: Step) -> Any:
    return state.read(step.first) * NUMBERS[step.choice % len(NUMBERS)]


@action
def tanh(state: State, step: Step) -> Any:
    return state.read(step.first).tanh()


@action
def sin(state: State, step: Step) -> Any:
    return state.read(step.first).sin()


@action
def clone(state: State, step: Step) -> Any:
    return state.read(step.first).clone()


@action
def sum_(state: State, step: Step) -> Any:
    return state.read(step.first).sum()


@action
def sum_of_dim(state: State, step: Step) -> Any:
    t = state.read(step.first)
    return t.sum(_dim(t, step.choice))


@action
def stack(state: State, step: Step) -> Any:
    return state.torch.stack([state.read(step.first), state.read(step.second)])


@action
def cat(state: State, step: Step) -> Any:
    return state.torch.cat([state.read(step.first), state.read(step.second)])


@action
def where(state: State, step: Step) -> Any:
    a = state.read(step.first)
    return state.torch.where(a.detach() > 0, a, state.read(step.second))


@action
def index_with_mask(state: State, step: Step) -> Any:
    t = state.read(step.first)
    return t[t.detach() > 0.1]


@action
def index_with_list(state: State, step: Step) -> Any:
    return state.read(step.first)[[-1, 0, -1]]


@action
def largest_of_dim(state: State, step: Step) -> Any:
    return state.read(step.first).max(0).values


# Gradients


def _compact(gradient: Any) -> Any:
    """A copy: PyTorch may give a gradient that is an expanded view."""
    return None if gradient is None else gradient.contiguous() * 1


@action
def backward(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    options = {"retain_graph": step.choice % 3 != 0}
    if step.detail % 4 == 0:
        t.backward(**options)
    else:
        t.sum().backward(**options)


@action
def backward_with_graph(state: State, step: Step) -> Any:
    t = state.pick(step.first)
    (t * t).sum().backward(create_graph=True)


@action
def backward_to_inputs(state: State, step: Step) -> Any:
    state.pick(step.first).sum().backward(inputs=[state.pick(step.second)], retain_graph=True)


@action
def grad(state: State, step: Step) -> Any:
    out, inputs = state.pick(step.first), [state.pick(step.second), state.pick(step.detail)]
    found = state.torch.autograd.grad(
        out.sum(), inputs, create_graph=step.choice % 3 == 0, retain_graph=True, allow_unused=step.choice % 2 == 0
    )
    return [_compact(g) for g in found]


@action
def grad_of_square(state: State, step: Step) -> Any:
    out = state.pick(step.first)
    (found,) = state.torch.autograd.grad(
        (out * out).sum(), state.pick(step.second), create_graph=step.choice % 3 != 0, retain_graph=True
    )
    return _compact(found)


@action
def retain_grad(state: State, step: Step) -> Any:
    state.pick(step.first).retain_grad()


@action
def forget_grad(state: State, step: Step) -> Any:
    state.pick(step.first).grad = None


@action
def zero_the_grad(state: State, step: Step) -> Any:
    grad = state.pick(step.first).grad
    if grad is not None:
        grad.zero_()


@action
def keep_the_grad(state: State, step: Step) -> Any:
    return _compact(state.pick(step.first).grad)


@action
def hook_that_doubles(state: State, step: Step) -> Any:
    state.pick(step.first).register_hook(lambda g: g * 2)


# The rest


@action
def forget(state: State, step: Step) -> Any:
    if len(state.tensors) > 1:
        del state.tensors[step.first % len(state.tensors)]


@action
def look(state: State, step: Step) -> Any:
    return None


def _masked(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def _history(t: Any) -> tuple:
    try:
        grad_fn = t.grad_fn
    except RuntimeError as error:  # a view that does not follow its base
        return (str(error),)
    return (None if grad_fn is None else type(grad_fn).__name__, t.is_leaf, t.output_nr)


def _facts(t: Any) -> tuple:
    return (tuple(t.shape), t._version, t.requires_grad, t._is_view(), *_history(t))


def _layout(t: Any) -> tuple:
    strides = tuple(s for n, s in zip(t.shape, t.stride(), strict=True) if n != 1)
    return strides if t.numel() else (), t.storage_offset(), t.is_contiguous()


class Observation(NamedTuple):
    """What one step shows: the error it raised, facts about each tensor, and values where they are looked at."""

    error: str | None
    facts: list[tuple]
    values: list[list[Any]] | None


def _values(t: Any) -> list[Any]:
    try:
        grad = t.grad
    except RuntimeError:  # PyTorch asks for the history, to warn
        grad = None
    return [t.data.tolist(), None if grad is None else grad.data.tolist()]


def _observe(state: State, error: str | None, looking: bool) -> Observation:
    facts = [_facts(t) for t in state.tensors]
    if not looking:
        return Observation(error, facts, None)
    facts = [(*f, *_layout(t)) for f, t in zip(facts, state.tensors, strict=True)]
    return Observation(error, facts, [_values(t) for t in state.tensors])


def run(
    program: Sequence[Step], torch: ModuleType, at_the_end: Callable[[list[Any]], None] | None = None
) -> list[Observation]:
    """Run the program; one observation a step. Values are looked at in ``look`` steps and at the end.

    ``at_the_end`` is given the tensors that there are then.
    """
    state = State(torch)
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state.keep(leaf_with_grad(state, Step("", 0, 0, 0, 0, False)))
        for number, step in enumerate(program):
            error = None
            try:
                with torch.set_grad_enabled(not step.no_grad or step.action in CHANGE_THE_SHAPE):
                    made = ACTIONS[step.action](state, step)
            except Exception as raised:
                error = _masked(f"{type(raised).__name__}: {raised}")
            else:
                state.keep(made)
            looking = step.action == "look" or number == len(program) - 1
            seen.append(_observe(state, error, looking))
    if at_the_end is not None:
        at_the_end(state.tensors)
    return seen


def same_values(a: Any, b: Any) -> bool:
    """Whether nested lists of numbers are equal up to rounding."""
    if a is None or b is None:
        return a is b
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return x.shape == y.shape and np.allclose(x, y, rtol=1e-9, atol=1e-12, equal_nan=True)


def difference(expected: Sequence[Observation], actual: Sequence[Observation]) -> str | None:
    """Where two runs first part, in words; None where they do not."""
    for number, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
        if wanted.error != got.error and not (wanted.error and got.error and STALE in wanted.error):
            return f"step {number} should give\n  {wanted.error}\nand gave\n  {got.error}"
        if wanted.facts != got.facts:
            pairs = zip(wanted.facts, got.facts, strict=False)
            which = [f"tensor {i}: {w} but {g}" for i, (w, g) in enumerate(pairs) if w != g]
            return f"after step {number}: " + "; ".join(which or ["another number of tensors"])
        for i, (w, g) in enumerate(zip(wanted.values or [], got.values or [], strict=True)):
            for what, a, b in zip(("values", "grad"), w, g, strict=True):
                if not same_values(a, b):
                    return f"after step {number}: {what} of tensor {i} should be {a} and are {b}"
    return None


def text_of(program: Sequence[Step]) -> str:
    return "\n".join(f"  {number}: {step}" for number, step in enumerate(program))
