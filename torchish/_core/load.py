"""Puts the library together: op definitions, the functions generated from them, and Tensor's methods."""

from __future__ import annotations

import gc
import importlib
import pkgutil

from .. import _ops
from . import generate
from .public import PUBLIC
from .tensor import Tensor


def _import_all(package: str, path: list[str]) -> None:
    for module in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(module.name)


# Thousands of objects are made here and none dies: a collection would only look through all that JAX has.
_collecting = gc.isenabled()
gc.disable()

_import_all(_ops.__name__, list(_ops.__path__))
generate.generate()

from . import creation, functions, global_settings, legacy_types, methods, operators, storage_objects  # noqa: E402

_import_all(functions.__name__, list(functions.__path__))
operators.attach()
if _collecting:
    gc.enable()
for _name, _function in PUBLIC["Tensor"].items():
    setattr(Tensor, _name, _function)

__all__ = ["PUBLIC", "Tensor", "creation", "global_settings", "legacy_types", "methods", "storage_objects"]
