"""What counts as a Python block in a tutorial's text: small texts of every kind that the tutorials hold."""

from __future__ import annotations

import pytest
from tutorials import python_blocks


def fenced(*bodies: str, language: str = "") -> str:
    return "\n\nprose\n\n".join(f"```{language}\n{body}\n```" for body in bodies)


def test_a_fence_with_code_is_a_block() -> None:
    assert python_blocks(fenced("x = 1\n\nprint(x)", language="python")) == ["x = 1\n\nprint(x)\n"]


@pytest.mark.parametrize(
    "output",
    [
        "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)\nNone",
        "tensor([2., 4., 4.])",
        "tensor(0)",
        "True\ntensor(1., grad_fn=<PowBackward0>) True",
        "<AddBackward0 object at 0x000001366C4A92B0>",
        "RuntimeError: grad can be implicitly created only for scalar outputs",
        "ValueError: negative",
        "# y.grad\nVariable containing:\n  0.1352\n -0.4037\n[torch.FloatTensor of size 2]",
        "-1.5",
    ],
)
def test_a_fence_with_output_is_none(output: str) -> None:
    assert python_blocks(fenced(output)) == []


def test_code_with_a_typing_error_stays() -> None:
    broken = "x = torch.ones(3)\n\nx.backward(torch.tensor([1, 1)]))\nprint(x.grad)"
    assert python_blocks(fenced(broken)) == [broken + "\n"]


def test_output_below_the_code_is_cut() -> None:
    assert python_blocks(fenced("print(x)\n\ntensor([1.,\n        2.])\ntensor(3)")) == ["print(x)\n"]
    marked = 'w.add_(1)\n\n# output:\n  File "a.py", line 1\n    w.add_(1)\nRuntimeError: no'
    assert python_blocks(fenced(marked)) == ["w.add_(1)\n"]


def test_a_name_alone_is_code() -> None:
    assert python_blocks(fenced("x", "x1.grad")) == ["x\n", "x1.grad\n"]


def test_an_indented_paragraph_belongs_to_the_one_before() -> None:
    code = "if flag:\n    w = 1\n\n    print(w)"
    assert python_blocks(fenced(code)) == [code + "\n"]


def test_each_prompt_of_a_transcript_is_a_block() -> None:
    session = "In [4]: x = f(1,\n   ...:       2)\n\nIn [5]: x.flag\nOut[5]: False\n\nIn [6]: x\nOut[6]: \ntensor(1)"
    assert python_blocks(fenced(session)) == ["x = f(1,\n      2)\n", "x.flag\n", "x\n"]


def test_a_pasted_notebook_without_fences() -> None:
    notebook = (
        "In [None]:\n'''\n@Author: somebody\n'''\n\n# A title, prose below\n\n"
        "In [1]:\nimport torch\n\n#a comment\nx = torch.ones(2)\n\nx.sum()\n\n说明（如下）。\n\n"
        "In [2]:\nprint(x.requires_grad)\n\nFalse\n\n## More\n\n* prose\n\n"
        "In [3]:\n%%html\n<img>\n\n* prose again\n"
    )
    assert python_blocks(notebook) == [
        "import torch\n\n#a comment\nx = torch.ones(2)\n\nx.sum()\n",
        "print(x.requires_grad)\n",
        "%%html\n<img>\n",
    ]
