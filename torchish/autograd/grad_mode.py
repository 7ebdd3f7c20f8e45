"""Whether operations are recorded for ``backward()``: no_grad, enable_grad, set_grad_enabled, inference_mode."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from .._core.arguments import class_name
from .._core.storage import InferenceCounter
from .._exec.window import THREADS

F = TypeVar("F", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether operations are recorded for ``backward()`` in this thread."""
    return THREADS.context.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on in this thread."""
    return THREADS.context.inference


class _Mode:
    """A setting of this thread, as a context manager and as a decorator of functions, generators and classes."""

    def clone(self) -> _Mode:
        return type(self)()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *exc: Any) -> None:
        raise NotImplementedError

    def __call__(self, function: F) -> F:
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate "
                "the `__init__` method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
        if inspect.isgeneratorfunction(function):
            return self._generator(function)  # type: ignore[return-value]

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The mode holds while the generator runs, not while its consumer does."""

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            try:
                with self.clone():
                    item = next(generator)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            item = generator.throw(error)
                    else:
                        with self.clone():
                            item = generator.send(sent)
            except StopIteration as stop:
                return stop.value

        return inside


class _GradMode(_Mode):
    enabled: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        context = THREADS.context
        self._before.append(context.grad_enabled)
        # Inference mode records nothing, whatever is said inside it.
        context.grad_enabled = self.enabled and not context.inference

    def __exit__(self, *exc: Any) -> None:
        THREADS.context.grad_enabled = self._before.pop()


class no_grad(_GradMode):
    """Operations inside are not recorded for ``backward()``. A context manager and a decorator.

    >>> import torchish as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    enabled = False

    def __new__(cls, orig_func: Any = None) -> Any:
        self = super().__new__(cls)
        if orig_func is None:
            return self
        cls.__init__(self)
        return self(orig_func)

    def __init__(self, orig_func: Any = None) -> None:
        super().__init__()


class enable_grad(no_grad):
    """Operations inside are recorded again, within ``no_grad``."""

    enabled = True


class set_grad_enabled(_GradMode):
    """Switch recording on or off: at once as a function, until the end of the block as a context manager."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {class_name(mode)}")
        context = THREADS.context
        self._prior = context.grad_enabled
        self.enabled = self.mode = mode
        context.grad_enabled = self.enabled and not context.inference

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    def clone(self) -> _Mode:
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        THREADS.context.grad_enabled = self._prior
        return super().__call__(function)

    def __enter__(self) -> None:
        THREADS.context.grad_enabled = self.mode and not THREADS.context.inference

    def __exit__(self, *exc: Any) -> None:
        THREADS.context.grad_enabled = self._prior


class inference_mode(_Mode):
    """``no_grad`` whose tensors can never take part in recorded operations afterwards."""

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        cls.__init__(self)
        return self(mode)

    def __init__(self, mode: Any = True) -> None:
        self.mode = bool(mode)
        self._before: list[tuple[bool, bool]] = []

    def clone(self) -> _Mode:
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        context = THREADS.context
        self._before.append((context.grad_enabled, context.inference))
        if self.mode:
            InferenceCounter.used = True
        context.grad_enabled, context.inference = not self.mode, self.mode

    def __exit__(self, *exc: Any) -> None:
        context = THREADS.context
        context.grad_enabled, context.inference = self._before.pop()
