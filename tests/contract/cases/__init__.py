"""The arguments of single ops, a module for each family: ``ARGUMENTS`` of every module, together."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

BY_OP: dict[str, dict[str, Any]] = {}

for _module in pkgutil.iter_modules(__path__):
    _found = getattr(importlib.import_module(f"{__name__}.{_module.name}"), "ARGUMENTS", {})
    if _twice := BY_OP.keys() & _found.keys():
        raise ValueError(f"{sorted(_twice)} have arguments in two modules")
    BY_OP.update(_found)
