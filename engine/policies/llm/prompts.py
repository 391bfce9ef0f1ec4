"""What a language model is shown, and the answer it should give (SOAR §3, App. A).

Pure functions from a task (and, to repair, a parent candidate) to chat messages. Training rows
are built by these very functions, so a model is trained on what it will be asked; `task.truth` is
no part of what they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from engine.arc import Task
from engine.policies.llm.puzzle import Attempt, Drawn, Puzzle, attempt, puzzle
from engine.programs.candidate import Candidate, Failure, Operator


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
    return sample_chat(puzzle(task), shot)


def refine_messages(task: Task, parent: Candidate, shot: Solved | None = None) -> Messages:
    """Return the chat that asks to repair `parent`, with what it gave on every input of the task.

    `shot` is a solved task shown first. Raises ValueError when it is the target itself, when the
    parent has no program or no evaluation, or it is of another task.
    """
    return refine_chat(puzzle(task), attempt(task, parent), shot)


def sample_chat(shown: Puzzle, shot: Solved | None = None) -> Messages:
    """Return what sample_messages does, of a task as it is shown."""
    parts = [_GOAL, _FORMAT, _LEGEND, *_example(shown, shot)]
    parts += ["# The puzzle to solve\n", *_puzzle(shown)]
    return _chat(parts)


def refine_chat(shown: Puzzle, parent: Attempt, shot: Solved | None = None) -> Messages:
    """Return what refine_messages does, of a task and a candidate as they are shown."""
    right = parent.right
    shape = (len(right), len(parent.results) - len(right))
    if shape != (len(shown.train), len(shown.test)):
        raise ValueError(
            f"task {shown.id}: candidate {parent.candidate} was run on {shape[0]} pairs and "
            f"{shape[1]} test inputs, the task has {len(shown.train)} and {len(shown.test)}"
        )
    parts = [
        _REPAIR_GOAL,
        _LEGEND,
        *_example(shown, shot),
        "# The puzzle\n",
        *_puzzle(shown),
        "# The program\n\n" + fenced(parent.source) + "\n",
        "# What it gives\n",
        f"It is correct on {sum(right)} of {len(right)} training pairs.\n",
        *_outputs(parent),
        _verdict(right),
        "# Your answer\n\n" + _FORMAT,
    ]
    return _chat(parts)


def answer_message(source: str) -> Message:
    """Return the reply a model is trained to give: the program in the block it is asked for."""
    return {"role": "assistant", "content": fenced(source)}


def fenced(source: str) -> str:
    """Return a program as a fenced block, with a fence longer than any the program holds."""
    fence = "```"
    while fence in source:
        fence += "`"
    return f"{fence}python\n{source.rstrip()}\n{fence}"


def _chat(parts: Sequence[str]) -> Messages:
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "\n".join(parts)},
    ]


def _example(shown: Puzzle, shot: Solved | None) -> Iterator[str]:
    if shot is None:
        return
    if shot.task.id == shown.id:
        raise ValueError(f"task {shown.id}: cannot be its own few-shot example")
    yield "# A solved example\n"
    yield from _puzzle(puzzle(shot.task))
    yield "## Its program\n\n" + fenced(shot.source) + "\n"


def _puzzle(shown: Puzzle) -> Iterator[str]:
    for number, (given, output) in enumerate(shown.train, 1):
        yield f"## Training pair {number}, input {given}"
        yield f"## Training pair {number}, output {output}"
    for number, given in enumerate(shown.test, 1):
        yield f"## Test input {number} {given}"


def _outputs(parent: Attempt) -> Iterator[str]:
    pairs = len(parent.right)
    for number, result in enumerate(parent.results[:pairs], 1):
        if parent.right[number - 1]:
            yield f"## Training pair {number}: correct\n"
        else:
            yield _output(f"## Training pair {number}: wrong, it gives", result)
    for number, result in enumerate(parent.results[pairs:], 1):
        yield _output(f"## Test input {number}: not known whether correct, it gives", result)


def _output(heading: str, result: Drawn | Failure) -> str:
    if isinstance(result, Failure):
        return f"{heading} no grid\n{_FAILED[result.kind]}: {result.text}\n"
    return f"{heading} this {result}"


def _verdict(right: Sequence[bool]) -> str:
    wrong = [str(number) for number, correct in enumerate(right, 1) if not correct]
    if not wrong:
        return "Every training pair is correct, yet the output for some test input is wrong.\n"
    pairs = "pair" if len(wrong) == 1 else "pairs"
    return f"Wrong are the outputs for training {pairs} {', '.join(wrong)}.\n"
