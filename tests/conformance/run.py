#!/usr/bin/env python3
"""The whole conformance run: every operator of PyTorch's database, every check, and the page with the results.

python tests/conformance/run.py                          # float32, all checks, 4 samples each
python tests/conformance/run.py -k linalg --samples 0    # operators whose name contains linalg, all samples
python tests/conformance/run.py --all-dtypes --write     # nine dtypes too; writes docs/conformance.md
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("JAX_PLATFORMS", "cpu")

ALL_CHECKS = "forward backward gradgrad inplace out errors".split()
DTYPES = "float64 int64 int32 uint8 bool complex64 float16 bfloat16".split()
OPERATORS_A_PROCESS = 40
PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"


class Record(NamedTuple):
    """One check of one operator in one dtype: ``why`` is empty where it passed."""

    operator: str
    dtype: str
    check: str
    why: str


class TimedOut(Exception):
    """A check took longer than ``--limit`` seconds."""


def _expire(*_: Any) -> None:
    raise TimedOut("took too long")


def records_of(index: int, dtypes: Iterable[str], checks: Iterable[str], n: int, limit: int) -> list[Record]:
    """All checks of the operator at ``index`` in the database."""
    warnings.filterwarnings("ignore")
    import torch
    from judge import CHECKS, OPERATORS, applies, label

    signal.signal(signal.SIGALRM, _expire)
    op, records = OPERATORS[index], []
    for dtype in dtypes:
        for check in checks if dtype == "float32" else [c for c in checks if c in ("forward", "backward")]:
            if not applies(op, getattr(torch, dtype), check):
                continue
            why = ""
            signal.alarm(limit)
            try:
                if CHECKS[check](op, getattr(torch, dtype), n) == 0 and check != "forward":
                    continue
            except Exception as failure:
                lines = str(failure).strip().splitlines()
                why = f"{type(failure).__name__}: {lines[0][:160] if lines else ''}"
            finally:
                signal.alarm(0)
            records.append(Record(label(op), dtype, check, why))
    return records


def _with_differences(records: Iterable[Record]) -> Iterator[tuple[Record, str]]:
    """Each record with the reason why torchish is not held to it, if there is one."""
    from differences import reason

    for record in records:
        yield record, reason(record.operator, record.dtype, record.check)


def page(records: list[Record], n: int) -> str:
    """The Markdown page of a run."""
    import torch

    import torchish

    lines = [
        "# Conformance",
        "",
        f"Written by `python tests/conformance/run.py --all-dtypes --write`: torchish {torchish.__version__} against",
        f"PyTorch {torch.__version__}'s own database of operators and sample inputs"
        f" ({'all samples' if not n else f'{n} samples'} a check).",
        "A check is one of `forward`, `backward`, `gradgrad` (second order), `inplace`, `out` and `errors` of one operator in",
        "one dtype; it passes when all its samples do.",
        "",
        "| dtype | check | passed | of |",
        "|---|---|---|---|",
    ]
    total, passed = Counter(), Counter()
    for r in records:
        total[r.dtype, r.check] += 1
        passed[r.dtype, r.check] += not r.why
    dtypes = list(dict.fromkeys(dtype for dtype, _ in total))
    for d, c in sorted(total, key=lambda key: (dtypes.index(key[0]), ALL_CHECKS.index(key[1]))):
        lines.append(f"| {d} | {c} | {passed[d, c]} | {total[d, c]} |")
    lines += ["", "## What does not pass", ""]
    failed = [(r, known) for r, known in _with_differences(records) if r.why]
    if not failed:
        lines.append("Nothing.")
    else:
        lines += ["| operator | dtype | check | what is seen | reason |", "|---|---|---|---|---|"]
        lines += [f"| {r.operator} | {r.dtype} | {r.check} | {_cell(r.why)} | {known} |" for r, known in failed]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", default="", help="only operators whose name contains this")
    parser.add_argument("--checks", default=",".join(ALL_CHECKS))
    parser.add_argument("--dtypes", default="float32")
    parser.add_argument("--all-dtypes", action="store_true", help="float32 and eight more (these: forward, backward)")
    parser.add_argument("--samples", type=int, default=4, help="samples a check (0: all)")
    parser.add_argument("--limit", type=int, default=120, help="seconds that a check may take")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="write the records there")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args()
    dtypes = ["float32", *DTYPES] if given.all_dtypes else given.dtypes.split(",")

    sys.path.insert(0, str(Path(__file__).parent))
    from judge import OPERATORS, label

    chosen = [i for i, op in enumerate(OPERATORS) if given.k in label(op)]
    records: list[Record] = []
    judged = functools.partial(
        records_of, dtypes=dtypes, checks=given.checks.split(","), n=given.samples, limit=given.limit
    )
    # New processes now and then: what both libraries and the compiler keep of all these shapes grows.
    with multiprocessing.get_context("spawn").Pool(given.processes, maxtasksperchild=OPERATORS_A_PROCESS) as pool:
        for found in pool.imap(judged, chosen):
            records.extend(found)
            for record, known in _with_differences(found):
                if record.why:
                    print(f"FAIL {' '.join(record[:3])}: {record.why}{f' [{known}]' if known else ''}", flush=True)
    for check in given.checks.split(","):
        of_check = [r for r in records if r.check == check]
        print(f"{check}: {sum(not r.why for r in of_check)} of {len(of_check)}")
    if given.json:
        given.json.write_text(json.dumps([r._asdict() for r in records]))
    if given.write:
        PAGE.write_text(page(records, given.samples))
    return 1 if any(r.why and not known for r, known in _with_differences(records)) else 0


if __name__ == "__main__":
    sys.exit(main())
