"""What a language model is shown, and the answer it should give (SOAR §3, App. A).

Pure functions from a task (and, to repair, a parent candidate) to chat messages. Training rows
are built by these very functions, so a model is trained on what it will be asked; none of them
reads `task.truth`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from engine.arc import Grid, Task, unpack
from engine.programs.candidate import Candidate, Evaluation, Failure, Operator, Result


class Message(TypedDict):
    """One message of a chat, in the form every OpenAI-compatible server takes."""

    role: Literal["system", "user", "assistant"]
    content: str


Messages: TypeAlias = list[Message]


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A task and a program that solves it, shown as a few-shot example."""

    task: Task
    source: str


ChooseShot: TypeAlias = Callable[[Task, Operator, int], Solved | None]
"""Chooses the few-shot example of a call from its task, operator and seed."""

SYSTEM = (
    "You are a specialist in ARC-AGI puzzles: you reason about grids of colours and turn the rule "
    "you find into Python."
)

_GOAL = """\
Find the rule of the puzzle below and write it down as a Python program.

Each training pair shows an input grid and the output grid that one hidden rule makes of it. A grid
is a rectangle of 1 to 30 rows and 1 to 30 columns whose cells are integers from 0 to 9, each of
them a colour.

- Infer the one rule that explains every training pair. It must hold for the test inputs too, whose
  outputs you are not shown.
- Write the rule itself. Do not copy output grids into the program, and do not tell the pairs
  apart by anything the test inputs lack.
"""

_REPAIR_GOAL = """\
The program below was written to solve the puzzle below, and it does not solve it yet. Find out
where it goes wrong and write a program that is right.

Each training pair shows an input grid and the output grid that one hidden rule makes of it. A grid
is a rectangle of 1 to 30 rows and 1 to 30 columns whose cells are integers from 0 to 9, each of
them a colour. The program must be right for every training pair, and its rule must hold for the
test inputs too, whose outputs you are not shown. Keep what is sound, or start anew if the idea
itself is wrong. Do not copy output grids into the program.
"""

_FORMAT = """\
First reason in a few sentences. Then give the whole program in a single block that starts with
```python and ends with ```. It may import numpy, and it must define

def transform(grid: list[list[int]]) -> list[list[int]]:

which takes an input grid as a list of rows and returns the output grid in the same form.
"""

_LEGEND = """\
Colours: 0 Black, 1 Blue, 2 Red, 3 Green, 4 Yellow, 5 Grey, 6 Pink, 7 Orange, 8 Purple, 9 Brown.
"""

_FAILED = {
    "exception": "it raised an error",
    "timeout": "it was stopped, because it took too long",
    "memory": "it was stopped, because it used too much memory",
    "invalid": "what it returned is not a grid of at most 30 by 30 cells 0 to 9, so it is not shown",
    "crash": "its process died",
    "refused": "it could not be run",
}


def sample_messages(task: Task, shot: Solved | None = None) -> Messages:
    """Return the chat that asks for a program from the task alone.

    `shot` is a solved task shown first. Raises ValueError when it is the target itself.
    """
    parts = [_GOAL, _FORMAT, _LEGEND, *_example(task, shot)]
    parts += ["# The puzzle to solve\n", *_task(task, "##")]
    return _chat(parts)


def refine_messages(task: Task, parent: Candidate, shot: Solved | None = None) -> Messages:
    """Return the chat that asks to repair `parent`, with what it gave on every input of the task.

    `shot` is a solved task shown first. Raises ValueError when it is the target itself, when the
    parent has no program or no evaluation, or it is of another task.
    """
    if parent.source is None or parent.evaluation is None:
        raise ValueError(f"task {task.id}: candidate {parent.id} holds no program to repair")
    evaluation = parent.evaluation
    shape = (len(evaluation.right), len(evaluation.results) - len(evaluation.right))
    if shape != (len(task.train), len(task.test)):
        raise ValueError(
            f"task {task.id}: candidate {parent.id} was run on {shape[0]} pairs and {shape[1]} "
            f"test inputs, the task has {len(task.train)} and {len(task.test)}"
        )
    parts = [
        _REPAIR_GOAL,
        _LEGEND,
        *_example(task, shot),
        "# The puzzle\n",
        *_task(task, "##"),
        "# The program\n\n" + fenced(parent.source) + "\n",
        "# What it gives\n",
        f"It is correct on {sum(evaluation.right)} of {len(evaluation.right)} training pairs.\n",
        *_outputs(evaluation),
        _verdict(evaluation.right),
        "# Your answer\n\n" + _FORMAT,
    ]
    return _chat(parts)


def answer_message(source: str) -> Message:
    """Return the reply a model is trained to give: the program in the block it is asked for."""
    return {"role": "assistant", "content": fenced(source)}


def fenced(source: str) -> str:
    """Return a program as a fenced block, with a fence longer than any the program holds."""
    longest = max(map(len, re.findall(r"`{3,}", source)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}python\n{source.rstrip()}\n{fence}"


def grid_text(grid: Grid) -> str:
    """Return a grid's rows as numpy prints them, e.g. `[[0 1 2]]` where it has one row."""
    rows = (" ".join(map(str, row)) for row in grid.tolist())
    return "[[" + "]\n [".join(rows) + "]]"


def _chat(parts: Sequence[str]) -> Messages:
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "\n".join(parts)},
    ]


def _example(task: Task, shot: Solved | None) -> Iterator[str]:
    if shot is None:
        return
    if shot.task.id == task.id:
        raise ValueError(f"task {task.id}: cannot be its own few-shot example")
    yield "# A solved example\n"
    yield from _task(shot.task, "##")
    yield "## Its program\n\n" + fenced(shot.source) + "\n"


def _task(task: Task, mark: str) -> Iterator[str]:
    for number, pair in enumerate(task.train, 1):
        yield _grid(f"{mark} Training pair {number}, input", pair.input)
        yield _grid(f"{mark} Training pair {number}, output", pair.output)
    for number, grid in enumerate(task.test, 1):
        yield _grid(f"{mark} Test input {number}", grid)


def _grid(heading: str, grid: Grid) -> str:
    rows, columns = grid.shape
    return f"{heading} (grid shape: {rows} by {columns})\n{grid_text(grid)}\n"


def _outputs(evaluation: Evaluation) -> Iterator[str]:
    pairs = len(evaluation.right)
    for number, result in enumerate(evaluation.results[:pairs], 1):
        if evaluation.right[number - 1]:
            yield f"## Training pair {number}: correct\n"
        else:
            yield _output(f"## Training pair {number}: wrong, it gives", result)
    for number, result in enumerate(evaluation.results[pairs:], 1):
        yield _output(f"## Test input {number}: not known whether correct, it gives", result)


def _output(heading: str, result: Result) -> str:
    if isinstance(result, Failure):
        return f"{heading} no grid\n{_FAILED[result.kind]}: {result.text}\n"
    return _grid(f"{heading} this", unpack(result))


def _verdict(right: Sequence[bool]) -> str:
    wrong = [str(number) for number, correct in enumerate(right, 1) if not correct]
    if not wrong:
        return "Every training pair is correct, yet the output for some test input is wrong.\n"
    pairs = "pair" if len(wrong) == 1 else "pairs"
    return f"Wrong are the outputs for training {pairs} {', '.join(wrong)}.\n"
