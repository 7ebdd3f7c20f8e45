"""The layout of the package: imports run one way, and files stay short enough to read.

``_ops`` <- ``_exec`` <- ``_core`` <- ``autograd`` <- the public namespaces. What is imported inside a function, or for
type checkers alone, is no part of the order in which modules are loaded, and so not looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import torchish

PACKAGE = Path(torchish.__file__).parent
FILES = sorted(p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py"))
MOST_LINES = 650

# What each layer may import of torchish at module level.
MAY_IMPORT = {
    "_ops": ("_ops",),
    "_exec": ("_ops", "_exec"),
    "_core": ("_ops", "_exec", "_core"),
    "autograd": ("_ops", "_exec", "_core", "autograd"),
}
# What a user installs with torchish.
RUN_TIME_DEPENDENCIES = ("jax", "jaxlib", "numpy", "ml_dtypes")


def module_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is loaded, those in ``if`` and ``try`` included."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        statement = pending.pop()
        yield statement
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            pending.extend(statement.orelse)
        elif isinstance(statement, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
            for field in ("body", "orelse", "finalbody"):
                pending.extend(getattr(statement, field, []))
            for handler in getattr(statement, "handlers", []):
                pending.extend(handler.body)


def imported(path: Path, statement: ast.stmt) -> list[str]:
    """Full names of the modules that an import statement in ``path`` names."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if not isinstance(statement, ast.ImportFrom):
        return []
    if not statement.level:
        return [statement.module or ""]
    package = ("torchish", *path.parent.parts)
    base = package[: len(package) - statement.level + 1]
    if statement.module:
        return [".".join((*base, statement.module))]
    return [".".join((*base, alias.name)) for alias in statement.names]


def imports_of(path: Path) -> list[str]:
    tree = ast.parse((PACKAGE / path).read_text())
    return [name for statement in module_level(tree) for name in imported(path, statement)]


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_imports_run_one_way(layer: str) -> None:
    wrong = [
        f"{path} imports {name}"
        for path in FILES
        if path.parts[0] == layer
        for name in imports_of(path)
        if name.partition(".")[0] == "torchish" and name.split(".")[1:2] not in [[m] for m in MAY_IMPORT[layer]]
    ]
    assert wrong == []


def test_ops_know_no_tensor_even_inside_functions() -> None:
    for path in FILES:
        if path.parts[0] != "_ops":
            continue
        for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for name in imported(path, node):
                    assert name.partition(".")[0] != "torchish" or name.startswith("torchish._ops"), f"{path}: {name}"


def test_nothing_imports_pytorch() -> None:
    wrong = []
    for path in FILES:
        for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                wrong += [
                    f"{path}: {n}" for n in imported(path, node) if n.partition(".")[0] in ("torch", "torchvision")
                ]
    assert wrong == []


def test_only_the_dependencies_that_are_declared_are_imported() -> None:
    import sys

    known = {*sys.stdlib_module_names, *RUN_TIME_DEPENDENCIES, "torchish", "__future__"}
    wrong = [f"{path}: {name}" for path in FILES for name in imports_of(path) if name.partition(".")[0] not in known]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    assert len((PACKAGE / path).read_text().splitlines()) <= MOST_LINES


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(p) for p in FILES if not ast.get_docstring(ast.parse((PACKAGE / p).read_text()))]
    assert silent == []


def test_no_drawers() -> None:
    drawers = [str(p) for p in FILES if p.stem in ("utils", "helpers", "misc", "common")]
    assert drawers == []
