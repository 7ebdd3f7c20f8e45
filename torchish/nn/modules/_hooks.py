"""Module hooks: their handles, the hooks of all modules, and the boundary that backward hooks need.

A full backward hook wants the gradients of a module's inputs and of its outputs together. Tensor hooks
cannot give that: an input may be used outside the module too. So the inputs and the outputs of a hooked
module pass through a :class:`BackwardHook`, an identity with a node of its own in the autograd graph on
each side: what flows through the output's node is ``grad_output``, what leaves the input's is ``grad_input``.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torchish
from torchish._core.dispatch import call
from torchish._core.graph import RemovableHandle
from torchish._core.tensor import Tensor
from torchish._ops.registry import OPS


class Hooks:
    """The hooks of one kind, with what is known of each by its key."""

    def __init__(self) -> None:
        self.forward_pre: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self.forward: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self.forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
        self.forward_always_called: OrderedDict[int, bool] = OrderedDict()
        self.backward_pre: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self.backward: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self.backward_is_full: bool | None = None
        self.registration: dict[str, OrderedDict[int, Callable[..., Any]]] = {
            kind: OrderedDict() for kind in ("parameter", "buffer", "module")
        }

    @property
    def any_at_call(self) -> bool:
        return bool(self.forward_pre or self.forward or self.backward_pre or self.backward)


GLOBAL = Hooks()


def add_hook(hooks: Any, hook: Callable[..., Any], prepend: bool = False, extra: Sequence[Any] = ()) -> RemovableHandle:
    """Put ``hook`` last (or first) among ``hooks``, and mark it in each dictionary of ``extra``."""
    handle = RemovableHandle(hooks, extra_dict=list(extra))
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for marks in extra:
        marks[handle.id] = True
    return handle


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever any module registers a buffer; a result replaces it."""
    return add_hook(GLOBAL.registration["buffer"], hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` whenever any module registers a child; a result replaces it."""
    return add_hook(GLOBAL.registration["module"], hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, param)`` whenever any module registers a parameter; a result replaces it."""
    return add_hook(GLOBAL.registration["parameter"], hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before the ``forward`` of every module, ahead of the module's own hooks."""
    return add_hook(GLOBAL.forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the ``forward`` of every module, ahead of the module's own hooks."""
    extra = [GLOBAL.forward_with_kwargs] * with_kwargs + [GLOBAL.forward_always_called] * always_call
    return add_hook(GLOBAL.forward, hook, extra=extra)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """The old form of :func:`register_module_full_backward_hook`, for every module."""
    if GLOBAL.backward_is_full is True:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    GLOBAL.backward_is_full = False
    return add_hook(GLOBAL.backward, hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before the backward of every module; a result replaces ``grad_output``."""
    return add_hook(GLOBAL.backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` in the backward of every module; a result replaces ``grad_input``."""
    if GLOBAL.backward_is_full is False:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    GLOBAL.backward_is_full = True
    return add_hook(GLOBAL.backward, hook)


class BackwardHook:
    """Runs the full backward hooks of one call of a module.

    Args:
        module: given to the hooks.
        hooks: called with ``(module, grad_input, grad_output)``.
        pre_hooks: called with ``(module, grad_output)`` before those.
    """

    def __init__(self, module: Any, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.input_positions: list[int] | None = None
        self.output_positions: list[int] = []
        self.n_inputs = -1
        self.n_outputs = -1

    def setup_input_hook(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pass the inputs through the boundary; called with a module's arguments before its ``forward``."""

        def on_grad_input(grad_input: tuple[Any, ...], _: Any) -> Any:
            if self.grad_outputs is None:  # the graph was entered below this module's output
                return None
            grads = self._spread(self.input_positions, grad_input, self.n_inputs)
            for hook in self.hooks:
                result = hook(self.module, grads, self.grad_outputs)
                if result is None:
                    continue
                result = result if isinstance(result, tuple) else (result,)
                if len(result) != len(grads):
                    raise RuntimeError(
                        "Backward hook returned an invalid number of grad_input, "
                        f"got {len(result)}, but expected {len(grads)}"
                    )
                grads = result
            self.grad_outputs = None
            assert self.input_positions is not None
            return tuple(grads[i] for i in self.input_positions)

        self.n_inputs = len(args)
        args, self.input_positions = self._through_boundary(args, lambda node: node.register_hook(on_grad_input))
        return args

    def setup_output_hook(self, result: Any) -> Any:
        """Pass the outputs through the boundary; called with what ``forward`` returned."""

        def on_grad_output(grad_output: tuple[Any, ...]) -> Any:
            self.grad_outputs = self._spread(self.output_positions, grad_output, self.n_outputs)
            self._run_pre_hooks()
            grads = self.grad_outputs
            if self.input_positions is None:
                self._run_hooks_without_grad_input()
                self.grad_outputs = None
            if any(grads[i] is None for i in self.output_positions):
                return None
            return tuple(grads[i] for i in self.output_positions)

        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, positions = self._through_boundary(outputs, lambda node: node.register_prehook(on_grad_output))
        self.output_positions = positions or []
        return outputs if isinstance(result, tuple) else outputs[0]

    def _run_pre_hooks(self) -> None:
        assert self.grad_outputs is not None
        expected = len(self.grad_outputs)
        for hook in self.pre_hooks:
            result = hook(self.module, self.grad_outputs)
            if result is None:
                continue
            result = result if isinstance(result, tuple) else (result,)
            if len(result) != expected:
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(result)}, but expected {expected}"
                )
            self.grad_outputs = result

    def _run_hooks_without_grad_input(self) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since "
            "no inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=2,
        )
        for hook in self.hooks:
            result = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if result is not None and not (isinstance(result, tuple) and all(g is None for g in result)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or "
                    "None for all gradients."
                )

    @staticmethod
    def _spread(positions: list[int] | None, grads: Sequence[Any], length: int) -> tuple[Any, ...]:
        """``grads`` at ``positions`` of a tuple of ``length``, None elsewhere."""
        out: list[Any] = [None] * length
        for position, grad in zip(positions or (), grads, strict=True):
            out[position] = grad
        return tuple(out)

    @staticmethod
    def _through_boundary(
        args: tuple[Any, ...], attach: Callable[[Any], Any]
    ) -> tuple[tuple[Any, ...], list[int] | None]:
        """``args`` with the tensors that require grad behind a new node, which ``attach`` receives, and their places.

        The places are None where no gradient can flow: then there is no node either.
        """
        positions = [i for i, arg in enumerate(args) if isinstance(arg, Tensor) and arg.requires_grad]
        if not (positions and torchish.is_grad_enabled()):
            return args, None
        result = call(OPS["module_boundary"], ([args[i] for i in positions],))
        passed = (result,) if isinstance(result, Tensor) else result
        attach(passed[0].grad_fn)
        out = list(args)
        for position, tensor in zip(positions, passed, strict=True):
            out[position] = tensor
        return tuple(out), positions


def attach_old_backward_hooks(module: Any, hooks: list[Callable[..., Any]], args: Any, result: Any) -> None:
    """Non-full backward hooks: PyTorch hangs them on the node of the first tensor of the result, no more."""
    first = result
    while not isinstance(first, Tensor):
        if isinstance(first, dict):
            first = next(value for value in first.values() if isinstance(value, Tensor))
        else:
            first = first[0]
    node = first.grad_fn
    _warn_of_old_hooks(args, result, node)
    if node is None:
        return
    of_addmm = node.vjp.forward.name == "linear" and type(node).__name__ in ("AddmmBackward0", "MmBackward0")
    for hook in hooks:
        bound = functools.partial(hook, module)
        node.register_hook(functools.partial(_as_of_addmm, bound) if of_addmm else bound)


def _as_of_addmm(hook: Callable[..., Any], grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> Any:
    """PyTorch's linear layer is ``addmm``: the bias comes first, and the weight transposed."""

    def turned(weight: Any) -> Any:
        return None if weight is None else weight.t()

    input, weight, *bias = grad_inputs
    changed = hook((*bias, input, turned(weight)), grad_outputs)
    if changed is None:
        return None
    *bias, input, weight = changed
    return (input, turned(weight), *bias)


_OLD_HOOKS_END = (
    "is deprecated and will be removed in future versions. This hook will be missing some {}. Please use "
    "register_full_backward_hook to get the documented behavior."
)


def _warn_of_old_hooks(args: Any, result: Any, node: Any) -> None:
    """PyTorch's warning of what a non-full backward hook does not see."""

    def are_tensors(x: Any) -> bool:
        return all(isinstance(t, Tensor) for t in (x if isinstance(x, tuple) else (x,)))

    results = result if isinstance(result, tuple) else (result,)
    if not are_tensors(result):
        what = "Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors"
        missing = "of the grad_output"
    elif not are_tensors(args):
        what = "Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of Tensors"
        missing = "of the grad_input"
    elif len({t.grad_fn for t in results if t.grad_fn is not None}) > 1:
        what, missing = (
            "Using a non-full backward hook when outputs are generated by different autograd Nodes",
            "grad_output",
        )
    elif node is not None and {t.grad_fn for t in args if t.grad_fn is not None} != {n for n, _ in node.next_functions}:
        what, missing = "Using a non-full backward hook when the forward contains multiple autograd Nodes", "grad_input"
    else:
        return
    warnings.warn(f"{what} {_OLD_HOOKS_END.format(missing)}", FutureWarning, stacklevel=5)


def warn_output_not_tensors(result: Any) -> None:
    warnings.warn(
        "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
        f"but received {type(result)}",
        stacklevel=4,
    )
