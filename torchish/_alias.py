"""``import torch`` gives torchish.

``install()`` enters torchish and the submodules loaded so far into ``sys.modules`` under ``torch``, and puts
a finder in front of all others that maps ``torch.x.y`` to ``torchish.x.y`` for those loaded later. A module
has one object whatever it is called: ``torch.nn is torchish.nn``, with ``torchish.nn`` for its ``__name__``.

Without ``install()`` nothing here touches the name ``torch``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ALIAS = "torch"
PACKAGE = __name__.partition(".")[0]


def install(force: bool = False) -> None:
    """Make ``import torch``, in all its forms, give torchish, here and in processes that ``multiprocessing`` starts.

    Installing again changes nothing.

    Args:
        force: replace a PyTorch that is imported already. Modules that hold the old one keep it.

    Raises:
        RuntimeError: PyTorch is imported already.

    >>> import torchish
    >>> torchish.install()  # doctest: +SKIP
    >>> import torch.nn  # doctest: +SKIP
    >>> torch.nn is torchish.nn  # doctest: +SKIP
    True
    """
    ours = sys.modules[PACKAGE]
    present = sys.modules.get(ALIAS)
    if present is not None and present is not ours:
        if not force:
            where = getattr(present, "__file__", None) or "an unknown place"
            raise RuntimeError(
                f"{ALIAS} is already imported, from {where}: call {PACKAGE}.install() before the first "
                f"`import {ALIAS}`, or {PACKAGE}.install(force=True) to replace it"
            )
        _displaced.update(_remove_aliases())
    for name, module in list(sys.modules.items()):
        if name == PACKAGE or name.startswith(PACKAGE + "."):
            sys.modules[ALIAS + name[len(PACKAGE) :]] = module
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _children.follow()


def uninstall() -> None:
    """Undo ``install()``: ``torch`` is again whatever it was before. Modules already imported stay what they are."""
    if _finder not in sys.meta_path:
        return
    sys.meta_path.remove(_finder)
    _remove_aliases()
    sys.modules.update(_displaced)
    _displaced.clear()
    _children.leave()


# What install(force=True) took out of sys.modules.
_displaced: dict[str, ModuleType] = {}


def _remove_aliases() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == ALIAS or name.startswith(ALIAS + ".")]
    return {name: sys.modules.pop(name) for name in names}


class _AliasFinder(MetaPathFinder):
    """Finds ``torch.x.y`` where there is a ``torchish.x.y``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != ALIAS and not fullname.startswith(ALIAS + "."):
            return None
        own_name = PACKAGE + fullname[len(ALIAS) :]
        own = _spec_of(own_name)
        if own is None:
            # importlib.util.find_spec() asks whether a module exists and expects None; an import
            # can say more than that there is none.
            if sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
                raise ModuleNotFoundError(
                    f"No module named {fullname!r} ({PACKAGE} stands in for {ALIAS} here and has no {own_name})",
                    name=fullname,
                )
            return None
        return ModuleSpec(
            fullname,
            _AliasLoader(own_name),
            origin=own.origin,
            is_package=own.submodule_search_locations is not None,
        )


def _spec_of(name: str) -> ModuleSpec | None:
    module = sys.modules.get(name)
    if module is None:
        return importlib.util.find_spec(name)
    return module.__spec__ or ModuleSpec(name, None, is_package=hasattr(module, "__path__"))


class _AliasLoader(Loader):
    """Loads a module by importing it under its own name."""

    def __init__(self, own_name: str) -> None:
        self.own_name = own_name
        self.own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.own_name)
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just given the module the alias's spec.
        module.__spec__ = self.own_spec


_finder = _AliasFinder()


class _InstallInChild:
    """Unpickles to nothing, and installs the alias while it does.

    It says where the package lies, because a child reads it before it has its parent's ``sys.path``.
    """

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        folder = str(Path(__file__).resolve().parent.parent)
        source = (
            "import sys\n"
            f"if {folder!r} not in sys.path: sys.path.append({folder!r})\n"
            f"from {__name__} import install\n"
            "install()\n"
        )
        return exec, (source, {})


class _Children:
    """Has ``multiprocessing`` send ``_InstallInChild`` to the processes it starts by spawn or forkserver.

    Such a process imports the main module anew, and needs the alias before it does. The first thing it
    reads is a pickled dict of settings, so that is where this goes. (A forked process has the alias.)
    """

    def __init__(self) -> None:
        self.original: Callable[[str], dict[str, Any]] | None = None

    def follow(self) -> None:
        if self.original is not None:
            return
        from multiprocessing import spawn

        original = self.original = spawn.get_preparation_data

        def get_preparation_data(name: str) -> dict[str, Any]:
            return {PACKAGE: _InstallInChild(), **original(name)}

        spawn.get_preparation_data = get_preparation_data

    def leave(self) -> None:
        if self.original is not None:
            from multiprocessing import spawn

            spawn.get_preparation_data = self.original  # type: ignore[assignment]
            self.original = None


_children = _Children()
