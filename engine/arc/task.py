"""Tasks: demonstration pairs to learn a rule from, test inputs to apply it to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.arc.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One demonstration: an input grid and the output the hidden rule makes of it."""

    input: Grid
    output: Grid


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One ARC task.

    `train` holds 1 or more demonstration pairs, `test` 1 or more test inputs; `truth` holds the
    test outputs in the same order, or None where they are not known. A search is only ever given
    `without_truth()`.
    """

    id: str
    train: tuple[Pair, ...]
    test: tuple[Grid, ...]
    truth: tuple[Grid, ...] | None = None

    @property
    def inputs(self) -> tuple[Grid, ...]:
        """Every input a program is run on: the demonstrations' first, then the test inputs."""
        return tuple(pair.input for pair in self.train) + self.test

    def without_truth(self) -> Task:
        """Return the task as a solver may see it."""
        return self if self.truth is None else replace(self, truth=None)


@dataclass(frozen=True, slots=True, eq=False)
class TaskSet:
    """Tasks in a fixed order, ids unique, under the name they were asked for by."""

    name: str
    tasks: tuple[Task, ...]
