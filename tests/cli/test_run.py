"""``torchish run``: a program runs as under Python itself, and ``import torch`` in it gives torchish.

Most tests compare with Python running the same program. They start torchish without its public namespace,
whose import takes seconds and plays no part; the tests marked slow start all of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

WITHOUT_NAMESPACE = f"""
import sys, types
package = sys.modules["torchish"] = types.ModuleType("torchish")
package.__path__ = [{str(ROOT / "torchish")!r}]
def set_default_device(device):
    if device == "nonsense":
        raise RuntimeError("no such device")
    print("default device:", device)
package.set_default_device = set_default_device
from torchish._cli import main
sys.exit(main())
"""
TORCHISH = [sys.executable, "-c", WITHOUT_NAMESPACE]
WHOLE_TORCHISH = [sys.executable, "-m", "torchish"]

# Defines machinery(), which fails below frames of torchish's and JAX's modules.
MACHINERY = """
import collections
def module(name, source, **given):
    namespace = {"__name__": name, **given}
    exec(compile(source, name, "exec"), namespace)
    return namespace["f"]
inner = module("jax._src.core", "def f(action): return action()")
machinery = module("torchish._core.dispatch", "def f(action): return inner(action)", inner=inner)
def fail(text):
    return module("torchish._ops.elementwise.pointwise", "def f(): raise RuntimeError(text)", text=text)
"""


FRAMES = r"line \d+, in (\S+)\n"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Runner = Callable[..., Outcome]


def run(command: Sequence[str], folder: Path, stdin: str = "", **environment: str) -> Outcome:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(command, cwd=folder, input=stdin, env=env, capture_output=True, text=True, timeout=120)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def torchish(tmp_path: Path) -> Runner:
    """Runs ``torchish run ...`` in a folder of its own."""

    def runner(*arguments: str, **more: str) -> Outcome:
        return run([*TORCHISH, "run", *arguments], tmp_path, **more)

    return runner


def write(folder: Path, name: str, source: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source))
    return name


def without_program_name(outcome: Outcome) -> Outcome:
    """``python: can't open ...`` and ``torchish: can't open ...`` are the same message."""
    return outcome._replace(err=re.sub(r"^\S*(python\S*|torchish): ", "", outcome.err))


SHOW_MAIN = """
    import sys
    print(__name__, globals().get("__file__"), __package__, __spec__ and __spec__.name)
    print(sys.argv, sys.path[0], sorted(globals()))
    import __main__
    print(__main__.__dict__ is globals(), sys.modules["__main__"] is __main__)
"""

PROGRAMS = {
    "what_a_script_sees": SHOW_MAIN,
    "uncaught_exception": """
        def f(x):
            return (1 +
                    x["a"])
        print("before")
        f({})
    """,
    "syntax_error": "x = 1\ndef f(:\n    pass\n",
    "exit_code": "import sys, atexit; atexit.register(print, 'at exit'); sys.exit(3)",
    "exit_message": "raise SystemExit('goodbye')",
    "exit_none": "import sys; sys.exit()",
    "keyboard_interrupt": "print('before'); raise KeyboardInterrupt",
    "chained_exceptions": """
        try:
            {}["q"]
        except KeyError as error:
            try:
                int("z")
            except ValueError:
                raise RuntimeError("both") from error
    """,
    "exception_group": "raise ExceptionGroup('many', [KeyError(1), ValueError(2)])",
    "exception_in_a_thread": """
        import threading
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        print("end")
    """,
    "its_own_excepthook": """
        import sys, traceback
        def hook(kind, value, tb):
            traceback.print_tb(tb)
            sys.__excepthook__(kind, value, tb)
        sys.excepthook = hook
        1 / 0
    """,
    "pickling_from_main": """
        import pickle
        class A:
            pass
        if __name__ == "__main__":
            data = pickle.dumps(A())
            print(data, type(pickle.loads(data)) is A)
    """,
    "standard_input": "print(input()); print(input()); input()",
    "unflushed_output": "import sys; sys.stdout.write('no newline')",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_script_runs_as_under_python(name: str, tmp_path: Path, torchish: Runner) -> None:
    script = write(tmp_path, f"folder/{name}.py", PROGRAMS[name])
    expected = run([sys.executable, script, "a", "-m", "--device", "b"], tmp_path, stdin="one\ntwo\n")
    assert torchish(script, "a", "-m", "--device", "b", stdin="one\ntwo\n") == expected


def test_module_runs_as_under_python(tmp_path: Path, torchish: Runner) -> None:
    write(tmp_path, "package/__init__.py", "")
    write(tmp_path, "package/part.py", "value = 3")
    write(tmp_path, "package/__main__.py", SHOW_MAIN + "    from .part import value\n    value / 0\n")
    expected = run([sys.executable, "-m", "package", "-c", "x"], tmp_path)
    assert "ZeroDivisionError" in expected.err
    assert torchish("-m", "package", "-c", "x") == expected


def test_missing_module_is_reported_as_by_python(tmp_path: Path, torchish: Runner) -> None:
    assert torchish("-m", "nowhere.at_all") == run([sys.executable, "-m", "nowhere.at_all"], tmp_path)


def test_code_runs_as_under_python(tmp_path: Path, torchish: Runner) -> None:
    code = "import sys; print(sys.argv, sys.path[0], input(), sorted(globals())); 1 / 0"
    arguments = ["-c", code, "a", "-b"]
    assert torchish(*arguments, stdin="line\n") == run([sys.executable, *arguments], tmp_path, stdin="line\n")


def test_standard_input_runs_as_under_python(tmp_path: Path, torchish: Runner) -> None:
    program = textwrap.dedent(SHOW_MAIN) + "1 / 0\n"
    expected = run([sys.executable, "-", "a"], tmp_path, stdin=program)
    assert torchish("-", "a", stdin=program) == expected


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_folder_or_zip_runs_as_under_python(packed: bool, tmp_path: Path, torchish: Runner) -> None:
    write(tmp_path, "app/__main__.py", SHOW_MAIN)
    if packed:
        with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
            archive.write(tmp_path / "app/__main__.py", "__main__.py")
    program = "app.zip" if packed else "app"
    assert torchish(program, "a") == run([sys.executable, program, "a"], tmp_path)


def test_symbolic_link_imports_from_where_it_leads(tmp_path: Path, torchish: Runner) -> None:
    write(tmp_path, "folder/script.py", SHOW_MAIN)
    (tmp_path / "link.py").symlink_to("folder/script.py")
    assert torchish("link.py") == run([sys.executable, "link.py"], tmp_path)


def test_missing_script_is_reported_as_by_python(tmp_path: Path, torchish: Runner) -> None:
    expected = run([sys.executable, "nowhere.py"], tmp_path)
    assert expected.code == 2
    assert without_program_name(torchish("nowhere.py")) == without_program_name(expected)


def test_torch_is_torchish(tmp_path: Path, torchish: Runner) -> None:
    write(tmp_path, "script.py", "import torch, sys; print(torch.__name__, torch is sys.modules['torchish'])")
    assert torchish("script.py") == (0, "torchish True\n", "")


class TestErrorInAnOp:
    def script(self, folder: Path, source: str) -> str:
        (folder / "script.py").write_text(MACHINERY + textwrap.dedent(source))
        return "script.py"

    def test_is_shown_at_the_users_line(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(tmp_path, "def user():\n    machinery(fail('bad shapes'))\nuser()\n")
        outcome = torchish(script)
        assert outcome.code == 1
        assert re.findall(FRAMES, outcome.err) == ["<module>", "user"]
        assert outcome.err.endswith("\nRuntimeError: bad shapes\n")

    def test_is_shown_whole_where_asked(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(tmp_path, "machinery(fail('bad shapes'))\n")
        err = torchish(script, TORCHISH_FULL_TRACEBACK="1").err
        assert re.findall(r'File "(\S+)"', err)[1:] == [
            "torchish._core.dispatch",
            "jax._src.core",
            "torchish._ops.elementwise.pointwise",
        ]

    def test_users_frames_below_the_machinery_stay(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(tmp_path, "def backward():\n    machinery(fail('bad'))\nmachinery(backward)\n")
        err = torchish(script).err
        assert re.findall(FRAMES, err) == ["<module>", "f", "f", "backward"]

    def test_library_frames_below_the_machinery_go(self, tmp_path: Path, torchish: Runner) -> None:
        source = "import json\ndef f(): json.loads('{')\n"
        script = self.script(tmp_path, f"module('torchish._core.x', {source!r})()\n")
        assert re.findall(FRAMES, torchish(script).err) == ["<module>"]

    def test_users_own_library_calls_stay(self, tmp_path: Path, torchish: Runner) -> None:
        script = write(tmp_path, "script.py", "import json\njson.loads('{')\n")
        assert torchish(script) == run([sys.executable, script], tmp_path)

    def test_chained_exceptions_end_at_the_users_line_too(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(
            tmp_path,
            """
            try:
                machinery(fail("first"))
            except RuntimeError as error:
                raise ValueError("second") from error
            """,
        )
        err = torchish(script).err
        assert re.findall(FRAMES, err) == ["<module>", "<module>"]
        assert "first" in err and "direct cause" in err and "second" in err

    def test_what_the_machinery_handled_is_not_shown(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(
            tmp_path,
            """
            source = '''
            def f(action):
                try:
                    action()
                except RuntimeError as error:
                    raise ValueError("outer") from error
            '''
            import textwrap
            handler = module("torchish._exec.window", textwrap.dedent(source))
            try:
                {}["users"]
            except KeyError:
                handler(fail("in" + "ner"))
            """,
        )
        err = torchish(script).err
        assert "inner" not in err
        assert "KeyError: 'users'" in err and "During handling" in err and err.endswith("ValueError: outer\n")

    def test_in_a_thread(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(
            tmp_path,
            """
            import threading
            def work():
                machinery(fail("bad"))
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            """,
        )
        assert re.findall(FRAMES, torchish(script).err)[-1] == "work"

    def test_jax_note_about_its_frames_goes(self, tmp_path: Path, torchish: Runner) -> None:
        script = self.script(
            tmp_path,
            """
            error = ValueError("bad")
            error.add_note("--------\\nFor simplicity, JAX has removed its internal frames from the traceback")
            error.add_note("the user's note")
            raise error
            """,
        )
        assert torchish(script).err.endswith("ValueError: bad\nthe user's note\n")


class TestCommandLine:
    def test_device_is_set_first(self, torchish: Runner) -> None:
        for arguments in (["--device", "cuda"], ["--device=cuda"]):
            assert torchish(*arguments, "-c", "print('running')").out == "default device: cuda\nrunning\n"

    def test_unknown_device_is_refused(self, torchish: Runner) -> None:
        outcome = torchish("--device", "nonsense", "-c", "print('running')")
        assert outcome == (2, "", "torchish run: error: --device nonsense: no such device\n")

    @pytest.mark.parametrize("arguments", [[], ["-m"], ["--device"], ["--device", "cpu"], ["--unknown", "x.py"]])
    def test_senseless_arguments_are_refused(self, arguments: list[str], torchish: Runner) -> None:
        outcome = torchish(*arguments)
        assert outcome.code == 2
        assert outcome.err.startswith("usage: torchish run") and "error: " in outcome.err

    def test_help(self, tmp_path: Path, torchish: Runner) -> None:
        assert torchish("--help").out.startswith("usage: torchish run")
        outcome = run([*TORCHISH, "--help"], tmp_path)
        assert outcome.code == 0 and "run a PyTorch program" in outcome.out
        assert run(TORCHISH, tmp_path).code == 2

    def test_unknown_command_is_refused(self, tmp_path: Path) -> None:
        outcome = run([*TORCHISH, "walk"], tmp_path)
        assert outcome.code == 2 and "there is no command 'walk'" in outcome.err

    def test_version(self, tmp_path: Path) -> None:
        outcome = run([*TORCHISH, "--version"], tmp_path)
        assert outcome.code == 0 and re.match(r"torchish .+, jax \d.+, Python 3\.", outcome.out)


@pytest.mark.slow
def test_whole_torchish_ends_as_python_does(tmp_path: Path) -> None:
    script = write(tmp_path, "script.py", "import torch\nprint(torch.__name__)\nraise KeyboardInterrupt\n")
    outcome = run([*WHOLE_TORCHISH, "run", script], tmp_path)
    interrupted = run([sys.executable, "-c", "raise KeyboardInterrupt"], tmp_path).code
    assert (outcome.code, outcome.out) == (interrupted, "torchish\n")
    assert re.findall(r'File "(.+?)"', outcome.err) == [str(tmp_path / script)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forkserver needs Unix")
def test_processes_started_by_multiprocessing_have_the_alias(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        "script.py",
        """
        import multiprocessing, os, sys
        import torch

        class Item:
            pass

        def work(queue, item):
            queue.put((torch.__name__, type(item).__module__))

        if __name__ == "__main__":
            os.chdir("/")
            for method in ("spawn", "forkserver"):
                context = multiprocessing.get_context(method)
                queue = context.Queue()
                process = context.Process(target=work, args=(queue, Item()))
                process.start()
                print(method, *queue.get(timeout=60))
                process.join()
        """,
    )
    outcome = run([*WHOLE_TORCHISH, "run", script], tmp_path)
    assert outcome == (0, "spawn torchish __mp_main__\nforkserver torchish __mp_main__\n", "")
