"""The command line: ``python -m torchish`` and ``torchish``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import NamedTuple

PROGRAM = "torchish"

RUN_USAGE = f"""\
usage: {PROGRAM} run [--device DEVICE] script.py [argument ...]
       {PROGRAM} run [--device DEVICE] -m module [argument ...]
       {PROGRAM} run [--device DEVICE] -c code [argument ...]
       {PROGRAM} run [--device DEVICE] - [argument ...]
"""

RUN_HELP = (
    RUN_USAGE
    + """
Runs a PyTorch program as Python itself would, with torchish wherever it imports torch. The program is a
script (or a folder or zip file with a __main__.py), a module (-m), code (-c) or standard input (-).

options:
  --device DEVICE  the default device: cpu, cuda, ...
  -h, --help       show this text

Tracebacks end at the program's own line where the error arose inside torchish;
TORCHISH_FULL_TRACEBACK=1 in the environment shows them whole.
"""
)


class UsageError(Exception):
    """The command line makes no sense. The text says why."""


class Command(NamedTuple):
    """A subcommand: what it does, in a line, and the function that gets the arguments after its name."""

    summary: str
    main: Callable[[Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (``sys.argv`` without its first entry, unless given) and return the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv:
        sys.stderr.write(_help())
        return 2
    name, rest = argv[0], argv[1:]
    if name in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if name in ("-V", "--version"):
        print(_version())
        return 0
    if name not in COMMANDS:
        return _refuse(f"there is no command {name!r} (see {PROGRAM} --help)")
    return COMMANDS[name].main(rest)


def run(argv: Sequence[str]) -> int:
    """``torchish run``: see ``RUN_HELP``."""
    try:
        device, target = _parse_run(argv)
    except UsageError as error:
        sys.stderr.write(RUN_USAGE)
        return _refuse(str(error), "run")
    if target is None:
        sys.stdout.write(RUN_HELP)
        return 0

    import torchish
    from torchish import _run
    from torchish._alias import install

    install()
    if device is not None:
        try:
            torchish.set_default_device(device)
        except RuntimeError as error:
            return _refuse(f"--device {device}: {error}", "run")
    option, program, arguments = target
    return _run.MAIN_OF[option](program, arguments)


COMMANDS = {"run": Command("run a PyTorch program on torchish", run)}


def _parse_run(argv: Sequence[str]) -> tuple[str | None, tuple[str, str, list[str]] | None]:
    """The device, and ``(option, program, arguments)``; None instead of that where help is asked for.

    By hand, because everything after the program is the program's own, whatever it looks like.
    """
    device = None
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            return device, None
        if word == "--device" or word.startswith("--device="):
            _, equals, device = word.partition("=")
            if not equals:
                device = _value_of(word, rest)
        elif word[:2] in ("-m", "-c"):
            return device, (word[:2], word[2:] or _value_of(word, rest), rest)
        elif word == "-":
            return device, ("-", word, rest)
        elif word == "--":
            return device, ("", _value_of(word, rest), rest)
        elif word.startswith("-"):
            raise UsageError(f"unknown option {word}")
        else:
            return device, ("", word, rest)
    raise UsageError("what should run? Give a script, -m module, -c code or -")


def _value_of(option: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"{option} needs something after it")
    return rest.pop(0)


def _refuse(text: str, *command: str) -> int:
    print(" ".join([PROGRAM, *command]) + f": error: {text}", file=sys.stderr)
    return 2


def _help() -> str:
    width = max(map(len, COMMANDS))
    commands = "".join(f"  {name.ljust(width)}  {command.summary}\n" for name, command in COMMANDS.items())
    return (
        f"usage: {PROGRAM} [-h] [--version] command ...\n\n"
        "PyTorch's semantics on JAX.\n\n"
        f"commands:\n{commands}\n"
        "options:\n"
        "  -h, --help  show this text\n"
        "  --version   show the version\n\n"
        f"{PROGRAM} command --help says more about a command.\n"
    )


def _version() -> str:
    """torchish's own version, not that of the PyTorch it follows (``torch.__version__``)."""
    try:
        version = metadata.version("torchish")
    except metadata.PackageNotFoundError:
        version = "(not installed: run from its source)"
    return f"{PROGRAM} {version}, jax {metadata.version('jax')}, Python {sys.version.split()[0]}"
