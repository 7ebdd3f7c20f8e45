"""How a module is called: ``forward`` between its hooks, and the methods that register them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from torchish._core.tensor import Tensor

from ._hooks import (
    GLOBAL,
    BackwardHook,
    RemovableHandle,
    add_hook,
    attach_old_backward_hooks,
    warn_output_not_tensors,
)


class HookedCall:
    """The part of :class:`Module` that runs ``forward`` and hooks."""

    _compiled_call_impl: Callable[..., Any] | None = None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        With ``with_kwargs`` the hook is called with ``(module, args, kwargs)`` and returns both, or None.
        """
        extra = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return add_hook(self._forward_pre_hooks, hook, prepend, extra)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        Args:
            hook: the function.
            prepend: run it before the hooks there are.
            with_kwargs: call it with ``(module, args, kwargs, output)``.
            always_call: run it also where ``forward`` raised (its own exceptions become warnings then).
        """
        extra = [self._forward_hooks_with_kwargs] * with_kwargs + [self._forward_hooks_always_called] * always_call
        return add_hook(self._forward_hooks, hook, prepend, extra)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known; a result replaces them."""
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        What it returns replaces ``grad_input``. Entries of arguments that are no tensors are None.
        """
        self._choose_backward_hooks(full=True)
        return add_hook(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The old form: the hook sees the last operation of ``forward`` alone. Use the full one."""
        self._choose_backward_hooks(full=False)
        return add_hook(self._backward_hooks, hook)

    def _choose_backward_hooks(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. "
                "Please use only one of them."
            )
        self._is_full_backward_hook = full

    def _get_backward_hooks(self) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
        """The full backward hooks, and the others; those of all modules first."""
        full: list[Callable[..., Any]] = []
        other: list[Callable[..., Any]] = []
        for is_full, hooks in (
            (GLOBAL.backward_is_full, GLOBAL.backward),
            (self._is_full_backward_hook, self._backward_hooks),
        ):
            (full if is_full else other).extend(hooks.values())
        return full, other

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        return self._call_impl(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if not (
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or GLOBAL.any_at_call
        ):
            return self.forward(*args, **kwargs)
        if not (self._forward_hooks_always_called or GLOBAL.forward_always_called):
            return self._call_between_hooks(args, kwargs, set())
        called: set[int] = set()
        try:
            return self._call_between_hooks(args, kwargs, called)
        except Exception:
            self._run_always_called(args, kwargs, called)
            raise

    def _call_between_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int]) -> Any:
        args, kwargs = self._run_forward_pre_hooks(args, kwargs)
        full, other = self._get_backward_hooks()
        pre = [*GLOBAL.backward_pre.values(), *self._backward_pre_hooks.values()]
        boundary = BackwardHook(self, full, pre) if full or pre else None
        if boundary is not None:
            args = boundary.setup_input_hook(args)
        result = self.forward(*args, **kwargs)
        for key, hook, with_kwargs in self._all_forward_hooks():
            called.add(key)
            replaced = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            if replaced is not None:
                result = replaced
        if boundary is not None:
            if not isinstance(result, (Tensor, tuple)):
                warn_output_not_tensors(result)
            result = boundary.setup_output_hook(result)
        if other:
            attach_old_backward_hooks(self, other, args, result)
        return result

    def _all_forward_hooks(self) -> list[tuple[int, Callable[..., Any], bool]]:
        everywhere = [(k, hook, k in GLOBAL.forward_with_kwargs) for k, hook in GLOBAL.forward.items()]
        return everywhere + [(k, hook, k in self._forward_hooks_with_kwargs) for k, hook in self._forward_hooks.items()]

    def _run_forward_pre_hooks(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for key, hook in (*GLOBAL.forward_pre.items(), *self._forward_pre_hooks.items()):
            if key not in self._forward_pre_hooks_with_kwargs:
                result = hook(self, args)
                if result is not None:
                    args = result if isinstance(result, tuple) else (result,)
                continue
            result = hook(self, args, kwargs)
            if result is None:
                continue
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                )
            args, kwargs = result
        return args, kwargs

    def _run_always_called(self, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int]) -> None:
        """``forward`` or a hook raised: run the hooks that asked to run anyway, with no output."""
        always = {*self._forward_hooks_always_called, *GLOBAL.forward_always_called}
        for key, hook, with_kwargs in self._all_forward_hooks():
            if key not in always or key in called:
                continue
            try:
                hook(self, args, kwargs, None) if with_kwargs else hook(self, args, None)
            except Exception as error:
                kind = "global module forward hook" if key in GLOBAL.forward else "module forward hook"
                warnings.warn(
                    f"{kind} with ``always_call=True`` raised an exception that was silenced as another error "
                    f"was raised in forward: {error}",
                    stacklevel=3,
                )
