"""``torchish.install()``: ``import torch`` gives torchish's own modules.

Each test is a program in a process of its own, since it changes what ``torch`` means. Most use a small
package in the place of torchish's public namespace, with the real ``_alias`` in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MODULES = {
    "torchish/__init__.py": f"from torchish import nn\n__path__.append({str(ROOT / 'torchish')!r})\n",
    "torchish/nn/__init__.py": "from torchish.nn import functional\nLinear = object()\n",
    "torchish/nn/functional.py": "def relu(): return 'relu'\n",
    "torchish/late/__init__.py": "print('late is loaded')\n",
    "torchish/late/data.py": "from torchish import late\nDataset = object()\n",
    "torchish/broken.py": "import module_that_does_not_exist\n",
    "torchish/simple.py": "",
}
PYTORCH = {
    "torch/__init__.py": "real = True\n",
    "torch/nn.py": "real = True\n",
    "torch/only_there.py": "real = True\n",
}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a small ``torchish`` and something that passes for PyTorch."""
    for name, source in {**MODULES, **PYTORCH}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


def run(program: str, *path: Path) -> str:
    """The output of ``program``; its assertions are the tests."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=path[0], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_every_form_of_import_gives_the_same_modules(packages: Path) -> None:
    run(
        """
        import torchish, sys
        from torchish._alias import install
        install()
        assert sys.modules["torch"] is torchish and sys.modules["torch.nn"] is torchish.nn
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        from torch import nn as nn2
        from torch.nn import Linear
        from torch.nn.functional import relu
        assert torch is torchish and nn is nn2 is torchish.nn and F is torchish.nn.functional
        assert Linear is nn.Linear and relu() == "relu"
        assert nn.__name__ == nn.__spec__.name == "torchish.nn"
        """,
        packages,
    )


def test_submodules_load_once_and_when_imported(packages: Path) -> None:
    output = run(
        """
        import sys, torchish
        from torchish._alias import install
        install()
        assert "torchish.late" not in sys.modules
        print("installed")
        import torch.late.data
        assert torch.late.data is sys.modules["torchish.late.data"] is sys.modules["torch.late.data"]
        assert torch.late.__spec__.name == torch.late.__name__ == "torchish.late"
        import torchish.late.data as data
        assert torch.late.data is data
        import torchish.simple
        import importlib
        assert importlib.import_module("torch.simple") is torchish.simple
        """,
        packages,
    )
    assert output == "installed\nlate is loaded\n"


def test_missing_submodule(packages: Path) -> None:
    run(
        """
        import importlib.util, torchish
        from torchish._alias import install
        install()
        for name in ("torch.foo", "torch.only_there", "torch.late.foo"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                assert str(error).startswith(f"No module named {name!r}") and error.name == name
                assert name.replace("torch", "torchish", 1) in str(error)
            else:
                raise AssertionError(name)
            assert importlib.util.find_spec(name) is None
        assert importlib.util.find_spec("torch.late.data").name == "torch.late.data"
        try:
            import torch.simple.inner
        except ModuleNotFoundError as error:
            assert str(error) == "No module named 'torch.simple.inner'; 'torch.simple' is not a package"
        """,
        packages,
    )


def test_error_inside_a_submodule_keeps_its_own_name(packages: Path) -> None:
    run(
        """
        import torchish
        from torchish._alias import install
        install()
        try:
            import torch.broken
        except ModuleNotFoundError as error:
            assert str(error) == "No module named 'module_that_does_not_exist'"
        """,
        packages,
    )


def test_without_install_pytorch_is_what_it_was(packages: Path) -> None:
    run(
        """
        import sys, torchish, torchish._alias
        assert "torch" not in sys.modules
        import torch, torch.nn
        assert torch.real and torch.nn.real and torch is not torchish
        """,
        packages,
    )


def test_installing_twice_is_installing_once(packages: Path) -> None:
    run(
        """
        import sys, torchish
        from torchish._alias import install, uninstall
        from multiprocessing import spawn
        before, original = list(sys.meta_path), spawn.get_preparation_data
        install()
        install()
        assert len(sys.meta_path) == len(before) + 1
        uninstall()
        uninstall()
        assert sys.meta_path == before and spawn.get_preparation_data is original
        """,
        packages,
    )


def test_uninstall_gives_pytorch_back(packages: Path) -> None:
    run(
        """
        import sys, torchish
        from torchish._alias import install, uninstall
        install()
        import torch.late.data
        uninstall()
        assert not [name for name in sys.modules if name.partition(".")[0] == "torch"]
        assert "torchish.late.data" in sys.modules
        import torch
        assert torch.real
        """,
        packages,
    )


def test_imported_pytorch_is_replaced_only_by_force(packages: Path) -> None:
    run(
        """
        import sys, torchish
        from torchish._alias import install, uninstall
        import torch, torch.only_there
        real = torch
        try:
            install()
        except RuntimeError as error:
            assert "already imported" in str(error) and real.__file__ in str(error) and "force=True" in str(error)
        else:
            raise AssertionError("not refused")
        assert sys.modules["torch"] is real
        install(force=True)
        import torch
        assert torch is torchish and "torch.only_there" not in sys.modules
        uninstall()
        import torch
        assert torch is real and sys.modules["torch.only_there"].real
        """,
        packages,
    )


@pytest.mark.slow
def test_importing_torchish_leaves_torch_alone() -> None:
    run("import sys, torchish; assert 'torch' not in sys.modules", ROOT)


@pytest.mark.slow
def test_pytorchs_own_names() -> None:
    run(
        """
        import sys, torchish
        torchish.install()
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        from torch import nn, optim
        from torch.nn.functional import relu
        assert nn is torchish.nn and optim is torchish.optim and relu is torchish.nn.functional.relu
        """,
        ROOT,
    )
