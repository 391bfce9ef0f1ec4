"""A task as prompts show it: its grids as text, whatever they were before.

Prompts need nothing else of a grid, so those of a dataset's lines are made without building arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.arc import Grid, Task, unpack
from engine.programs.candidate import Candidate, Failure

Drawn: TypeAlias = str
"""A grid as a prompt shows it after what it is: its shape, then its rows."""


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A task's id, its demonstration pairs as (input, output), and its test inputs."""

    id: str
    train: Sequence[tuple[Drawn, Drawn]]
    test: Sequence[Drawn]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A program to repair, what it gave on each input, and which demonstrations it got right."""

    candidate: int
    source: str
    results: Sequence[Drawn | Failure]
    right: Sequence[bool]


def puzzle(task: Task) -> Puzzle:
    """Return a task as prompts show it."""
    train = [(draw(pair.input), draw(pair.output)) for pair in task.train]
    return Puzzle(task.id, train, [draw(grid) for grid in task.test])


def attempt(task: Task, parent: Candidate) -> Attempt:
    """Return a candidate of the task as prompts show it.

    Raises ValueError when it has no program or no evaluation.
    """
    if parent.source is None or parent.evaluation is None:
        raise ValueError(f"task {task.id}: candidate {parent.id} holds no program to repair")
    evaluation = parent.evaluation
    results = [
        result if isinstance(result, Failure) else draw(unpack(result))
        for result in evaluation.results
    ]
    return Attempt(parent.id, parent.source, results, evaluation.right)


def draw(grid: Grid) -> Drawn:
    """Return a grid as prompts show it."""
    rows, columns = grid.shape
    return drawn(rows, columns, grid_text(grid))


def drawn(rows: int, columns: int, text: str) -> Drawn:
    """Return a grid of known shape as prompts show it; `text` is its grid_text."""
    return f"(grid shape: {rows} by {columns})\n{text}\n"


def grid_text(grid: Grid) -> str:
    """Return a grid's rows as numpy prints them, e.g. `[[0 1 2]]` where it has one row."""
    rows = (" ".join(map(str, row)) for row in grid.tolist())
    return "[[" + "]\n [".join(rows) + "]]"
