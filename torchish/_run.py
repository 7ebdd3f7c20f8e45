"""Running a program as ``__main__``, the way Python does it.

Everything that Python does around a program it does here too: the exit code of an exception, the status
of an interrupt, flushing, waiting for threads. So an exception simply leaves through the top, and only
the hook that prints it is ours: it takes the runner's frames off the traceback (``_tracebacks`` those of
torchish's machinery).
"""

from __future__ import annotations

import builtins
import io
import linecache
import os
import pkgutil
import runpy
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

from torchish import _tracebacks


def run_script(path: str, arguments: Sequence[str]) -> int:
    """``python path arguments``. A folder or zip file runs the ``__main__.py`` in it."""
    absolute = os.path.join(os.getcwd(), path)
    if pkgutil.get_importer(path) is not None:
        _prepare([path, *arguments], absolute)
        return _run_module("__main__", alter_argv=False)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(
            f"torchish: can't open file {absolute!r}: [Errno {error.errno}] {error.strerror}",
            file=sys.stderr,
        )
        return 2
    _prepare([path, *arguments], os.path.dirname(os.path.realpath(path)))
    bytecode = pkgutil.read_code(io.BytesIO(source))
    loader = (SourceFileLoader if bytecode is None else SourcelessFileLoader)("__main__", absolute)
    return _run_code(bytecode or source, absolute, {"__file__": absolute, "__cached__": None, "__loader__": loader})


def run_module(name: str, arguments: Sequence[str]) -> int:
    """``python -m name arguments``."""
    _prepare(["-m", *arguments], os.getcwd())
    return _run_module(name, alter_argv=True)


def run_command(code: str, arguments: Sequence[str]) -> int:
    """``python -c code arguments``."""
    _prepare(["-c", *arguments], "")
    if sys.version_info >= (3, 13):
        # From 3.13 on, tracebacks show the lines of such code.
        linecache.cache["<string>"] = (len(code), None, [line + "\n" for line in code.splitlines()], "<string>")
    return _run_code((code + "\n").encode("utf-8", "surrogateescape"), "<string>", {})


def run_stdin(_: str, arguments: Sequence[str]) -> int:
    """``python - arguments``: the program is all of standard input."""
    _prepare(["-", *arguments], "")
    return _run_code(sys.stdin.buffer.read(), "<stdin>", {"__file__": "<stdin>", "__cached__": None})


# By the option that says what the program is; "" for a script.
MAIN_OF: dict[str, Callable[[str, Sequence[str]], int]] = {
    "": run_script,
    "-m": run_module,
    "-c": run_command,
    "-": run_stdin,
}


def _prepare(argv: list[str], first_path: str) -> None:
    """``sys.argv``, ``sys.path[0]`` and a fresh ``__main__`` in the place of torchish's own."""
    sys.argv[:] = argv
    if not sys.flags.safe_path:
        sys.path[0] = first_path
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __loader__=BuiltinImporter)
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={})
    sys.modules["__main__"] = main

    report_in_thread = threading.excepthook

    def excepthook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            _tracebacks.end_at_user_line(args.exc_value)
            traceback = args.exc_value.__traceback__
            args = threading.ExceptHookArgs((args.exc_type, args.exc_value, traceback, args.thread))
        report_in_thread(args)

    threading.excepthook = excepthook


def _run_code(source: bytes | CodeType, filename: str, entries: Mapping[str, Any]) -> int:
    namespace = sys.modules["__main__"].__dict__
    namespace.update(entries)
    try:
        exec(compile(source, filename, "exec", dont_inherit=True) if isinstance(source, bytes) else source, namespace)
    except BaseException as error:
        _report_without_runner(error)
        raise
    return 0


def _run_module(name: str, *, alter_argv: bool) -> int:
    try:
        # Python's own -m: its frames in tracebacks and its messages are what users know.
        runpy._run_module_as_main(name, alter_argv)  # type: ignore[attr-defined]
    except BaseException as error:
        _report_without_runner(error)
        raise
    return 0


def _report_without_runner(error: BaseException) -> None:
    """Have ``error``, on its way out, printed with the frames of the program only.

    Called where the runner caught it, so the first entry of the traceback is the runner. Between here
    and the hook Python adds those of the runner's callers.
    """
    assert error.__traceback__ is not None
    of_program = error.__traceback__.tb_next
    print_exception = sys.excepthook

    def excepthook(kind: type[BaseException], raised: BaseException, traceback: TracebackType | None) -> None:
        if raised is error:
            traceback = of_program
            raised.__traceback__ = traceback
            _tracebacks.end_at_user_line(raised)
            sys.last_traceback = traceback = raised.__traceback__  # type: ignore[assignment]
        print_exception(kind, raised, traceback)

    sys.excepthook = excepthook
