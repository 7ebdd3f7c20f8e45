"""Execute blocks of code in order in one namespace, as a notebook does, and record what each one shows.

    python session.py blocks.json records.json       # under PyTorch
    python -m torchish run session.py ...            # under torchish

``blocks.json`` holds a list of sources. A record holds what the block printed (with the value of a last expression, as
a notebook shows it), the class and message of the exception that ended it, and the categories of its warnings.
"""

import torch

# ruff: isort: split
import ast
import contextlib
import importlib.util
import io
import json
import sys
import traceback
import warnings
from pathlib import Path

SEED = 0

# The tutorials take these for granted, as a reader's session would have them; torchvision stays missing.
CUSTOMARY = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "optim": "from torch import optim",
    "torchvision": "import torchvision",
}
if importlib.util.find_spec("torchvision"):
    sys.modules["torchvision"] = None


def missing_imports(tree, namespace):
    """The customary imports of names that the block uses, and neither it nor an earlier one binds."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    loaded = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return [line for name, line in CUSTOMARY.items() if name in loaded - bound and name not in namespace]


def run_block(source, number, namespace):
    """Compile and run one block; print the value of its last expression unless that is None."""
    tree = ast.parse(source)
    for line in missing_imports(tree, namespace):
        exec(line, namespace)
    shown = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, f"<block {number}>", "exec"), namespace)
    if shown is not None:
        value = eval(compile(ast.Expression(shown.value), f"<block {number}>", "eval"), namespace)
        if value is not None:
            print(repr(value))


def record(source, number, namespace):
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run_block(source, number, namespace)
        except Exception as raised:
            error = {"class": type(raised).__name__, "message": str(raised)}
            traceback.print_exc()
    categories = [warning.category.__name__ for warning in caught]
    return {"printed": printed.getvalue(), "error": error, "warnings": categories}


def main(blocks_path, records_path):
    blocks = json.loads(Path(blocks_path).read_text(encoding="utf-8"))
    namespace = {"__name__": "__main__"}
    torch.manual_seed(SEED)
    records = [record(source, number, namespace) for number, source in enumerate(blocks)]
    Path(records_path).write_text(json.dumps(records, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
