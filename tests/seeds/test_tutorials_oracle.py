"""Every Python block of the five tutorials shows under torchish what it shows under PyTorch.

The texts lie beside the repository and are no part of it. Each tutorial runs once under each backend, in a process of
its own, with the same seed; see ``tutorials`` for what counts as a block and ``session`` for how blocks are run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from launch import ROOT, run_script
from printed import differences, mask_identities
from tutorials import python_blocks

TEXTS = sorted((ROOT.parent / "shared" / "seeds").glob("*.txt"))
SESSION = Path(__file__).with_name("session.py")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not TEXTS, reason="the tutorials' texts do not lie beside the repository"),
]


def records_of(backend: str, blocks: list[str], folder: Path) -> list[dict[str, Any]]:
    """Run the blocks in one session under a backend; one record for each block."""
    blocks_path, records_path = folder / "blocks.json", folder / f"{backend}.json"
    blocks_path.write_text(json.dumps(blocks), encoding="utf-8")
    done = run_script(backend, SESSION, str(blocks_path), str(records_path))
    assert done.returncode == 0, f"the session under {backend} ended early:\n{done.stderr[-4000:]}"
    return json.loads(records_path.read_text(encoding="utf-8"))


def block_differences(expected: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    found = differences(mask_identities(expected["printed"]), mask_identities(actual["printed"]))
    for what in ("error", "warnings"):
        if expected[what] != actual[what]:
            found.append(f"{what}:\n  expected {expected[what]!r}\n  got      {actual[what]!r}")
    return found


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_tutorial_shows_what_pytorch_shows(path: Path, tmp_path: Path) -> None:
    blocks = python_blocks(path.read_text(encoding="utf-8"))
    assert blocks, f"no code was found in {path.name}"
    expected = records_of("torch", blocks, tmp_path)
    actual = records_of("torchish", blocks, tmp_path)
    failures = []
    for number, (source, wanted, got) in enumerate(zip(blocks, expected, actual, strict=True)):
        if found := block_differences(wanted, got):
            failures.append("\n".join([f"block {number}:", source, *found]))
    assert not failures, f"{len(failures)} of {len(blocks)} blocks differ\n\n" + "\n\n".join(failures)
