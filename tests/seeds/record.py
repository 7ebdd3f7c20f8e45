"""Write what the scripts in behaviours/ print under real PyTorch: ``python tests/seeds/record.py``.

The scripts import torchish; here the name is exchanged for torch. The recorded files are what test_behaviours compares
with, so that it needs no PyTorch.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SCRIPTS = sorted((Path(__file__).parent / "behaviours").glob("*.py"))


def printed_under_pytorch(script: Path) -> str:
    source = re.sub(r"\btorchish\b", "torch", script.read_text(encoding="utf-8"))
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    for script in SCRIPTS:
        printed = printed_under_pytorch(script)
        script.with_suffix(".txt").write_text(printed, encoding="utf-8")
        print(script.name, len(printed.splitlines()), "lines")


if __name__ == "__main__":
    main()
