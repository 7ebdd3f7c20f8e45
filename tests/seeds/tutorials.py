"""Find the Python blocks in a tutorial's text: Markdown fences, IPython transcripts and pasted notebooks.

The texts mix code with what it printed, often inside one fence, and nothing marks which is which. The rules here:

- A cell is a fence, or one prompt of an IPython transcript, or what follows a notebook's ``In [3]:`` line.
- What stands below a comment ``# output:`` is what the author saw.
- A cell is read by paragraphs (an indented one belongs to the one before) and ends before the first that is not code.
- A paragraph is code when a statement in it does something. Literals and ``tensor(...)`` as PyTorch prints it do
  nothing. In a paragraph that does not compile, at least one line must be such a statement by itself: so code with
  a typing error stays in (it must fail in the same way everywhere), and printed text stays out.
- The first paragraph after a notebook's prompt is code, whatever it holds: the prompt says so.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
TRANSCRIPT_PROMPT = re.compile(r"^In \[\d+\]: (?P<code>.*)$|^ *\.{3,}: ?(?P<more>.*)$")
NOTEBOOK_PROMPT = re.compile(r"^In \[(?:\d+|None| )\]:[ \t]*\n", re.MULTILINE)
OUTPUT_MARK = re.compile(r"^#\s*output:", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A piece of a text that may hold code. ``prompted``: the text itself says that it starts with code."""

    text: str
    prompted: bool


def python_blocks(text: str) -> list[str]:
    """The source of every Python block, in order."""
    return [code for cell in cells(text) if (code := leading_code(cell))]


def cells(text: str) -> Iterator[Cell]:
    fences = [match[1] for match in FENCE.finditer(text)]
    if not fences:
        for cell in NOTEBOOK_PROMPT.split(text)[1:]:
            yield Cell(cell, prompted=True)
    for fence in fences:
        prompts = transcript_prompts(fence)
        if prompts:
            yield from (Cell(code, prompted=True) for code in prompts)
        else:
            yield Cell(fence, prompted=False)


def transcript_prompts(fence: str) -> list[str]:
    """What was typed at each prompt of an IPython session; empty where the fence is not one."""
    typed: list[str] = []
    for line in fence.splitlines():
        match = TRANSCRIPT_PROMPT.match(line)
        if match and match["code"] is not None:
            typed.append(match["code"])
        elif match and typed:
            typed[-1] += "\n" + match["more"]
    return typed


def leading_code(cell: Cell) -> str:
    """The cell's paragraphs up to the first that is not code; empty where it holds none."""
    text = OUTPUT_MARK.split(cell.text)[0]
    kept: list[str] = []
    for paragraph in paragraphs(text):
        forced = cell.prompted and not kept
        if not (forced or is_code(paragraph) or is_comment(paragraph)):
            break
        kept.append(paragraph)
    return "\n\n".join(kept) + "\n" if any(map(is_code, kept)) or (cell.prompted and is_broken(kept)) else ""


def paragraphs(text: str) -> list[str]:
    """The parts between blank lines; one that starts with an indent is joined to the one before it."""
    joined: list[str] = []
    for part in re.split(r"\n[ \t]*\n+", text.strip("\n")):
        part = part.rstrip()
        if joined and part[:1].isspace():
            joined[-1] += "\n\n" + part
        elif part:
            joined.append(part)
    return joined


def is_code(paragraph: str) -> bool:
    statements = parsed(paragraph)
    if statements is not None:
        return any(map(does_something, statements))
    alone = (parsed(line) for line in paragraph.splitlines())
    return any(does_something(statement) and not is_name(statement) for line in alone if line for statement in line)


def is_comment(paragraph: str) -> bool:
    return parsed(paragraph) == []


def is_broken(kept: list[str]) -> bool:
    return any(parsed(paragraph) is None for paragraph in kept)


def parsed(text: str) -> list[ast.stmt] | None:
    """The statements of ``text``, or None where it does not compile."""
    try:
        return ast.parse(textwrap.dedent(text)).body
    except SyntaxError:
        return None


def does_something(statement: ast.stmt) -> bool:
    """Whether a statement is more than a printed value. ``Error: word`` reads as an annotation, and is none."""
    if isinstance(statement, ast.AnnAssign):
        return statement.value is not None
    return not (isinstance(statement, ast.Expr) and is_printed_value(statement.value))


def is_printed_value(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return is_printed_value(operand)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return all(map(is_printed_value, elements))
        case ast.Call(func=ast.Name(id="tensor")):
            return True
    return False


def is_name(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name)
