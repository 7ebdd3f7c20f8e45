"""Lazy modules: their parameters get their shapes from the first input."""

from __future__ import annotations

from typing import Any

from ..parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Makes a module lazy: mixed in before the module's class, whose constructor leaves uninitialised parameters.

    The subclass defines ``initialize_parameters(*args)``, which materialises them from the first call's
    arguments, and may set ``cls_to_become``, the class that the module turns into then.
    """

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self.register_load_state_dict_pre_hook(_materialise_from_state)
        self._initialize_hook = self.register_forward_pre_hook(_infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialise the parameters from the arguments of the first call; every lazy module defines it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(is_lazy(tensor) for tensor in (*self._parameters.values(), *self._buffers.values()))


def _materialise_from_state(module: Any, state_dict: Any, prefix: str, *_: Any) -> None:
    """Before loading: give uninitialised parameters the shapes of the entries that they will get."""
    for name, tensor in (*module._parameters.items(), *module._buffers.items()):
        value = state_dict.get(prefix + name)
        if value is not None and is_lazy(tensor) and not is_lazy(value):
            tensor.materialize(value.shape)


def _infer_parameters(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Before the first ``forward``: make the module an ordinary one."""
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
    module._initialize_hook.remove()
    module._load_hook.remove()
    del module._initialize_hook, module._load_hook
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become
