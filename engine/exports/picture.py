"""A picture as data: rows of grids under captions, made of a task, a candidate or a chain.

`svg` and `png` draw it; what a picture shows is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arc import Grid, Task, unpack
from engine.programs.candidate import Candidate, Failure, Result


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One grid under its caption; `note` stands where there is none; `wrong` marks cells."""

    caption: str
    grid: Grid | None
    note: str = ""
    wrong: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A row of panels under a heading."""

    heading: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A title and strips below each other."""

    title: str
    strips: tuple[Strip, ...]


def task_picture(task: Task) -> Picture:
    """Return a task: a strip per demonstration pair, a strip per test input with its truth."""
    strips = [
        Strip(f"demonstration {number}", (Panel("input", pair.input), Panel("output", pair.output)))
        for number, pair in enumerate(task.train, 1)
    ]
    for number, given in enumerate(task.test, 1):
        panels = [Panel("input", given)]
        if task.truth is not None:
            panels.append(Panel("output", task.truth[number - 1]))
        strips.append(Strip(f"test {number}", tuple(panels)))
    return Picture(f"task {task.id}", tuple(strips))


def candidate_picture(task: Task, candidate: Candidate) -> Picture:
    """Return what a candidate gave on every input beside what was expected, wrong cells marked."""
    given = results_of(task, candidate)
    expected: list[Grid | None] = [pair.output for pair in task.train]
    expected += list(task.truth) if task.truth is not None else [None] * len(task.test)
    strips = []
    for number, (start, wanted, result) in enumerate(
        zip(task.inputs, expected, given, strict=True), 1
    ):
        pairs = len(task.train)
        name = f"demonstration {number}" if number <= pairs else f"test {number - pairs}"
        panels = [Panel("input", start)]
        if wanted is not None:
            panels.append(Panel("expected", wanted))
        panels.append(result_panel(result, wanted))
        strips.append(Strip(name, tuple(panels)))
    return Picture(_title(task, candidate), tuple(strips))


def chain_picture(task: Task, chain: Sequence[Candidate]) -> Picture:
    """Return a refinement chain: the expected outputs, then a strip per candidate, oldest first."""
    expected: list[Grid | None] = [pair.output for pair in task.train]
    expected += list(task.truth) if task.truth is not None else [None] * len(task.test)
    names = [f"demonstration {n}" for n in range(1, len(task.train) + 1)]
    names += [f"test {n}" for n in range(1, len(task.test) + 1)]
    strips = [
        Strip(
            "expected",
            tuple(
                Panel(name, grid, "not known") for name, grid in zip(names, expected, strict=True)
            ),
        )
    ]
    for step, candidate in enumerate(chain):
        panels = tuple(
            result_panel(result, wanted)
            for result, wanted in zip(results_of(task, candidate), expected, strict=True)
        )
        strips.append(Strip(f"{step + 1}. {describe(candidate)}", panels))
    return Picture(f"task {task.id}, a chain of {len(chain)}", tuple(strips))


def results_of(task: Task, candidate: Candidate) -> tuple[Result | None, ...]:
    """Return a candidate's results, one per input; None where it held no program."""
    if candidate.evaluation is None:
        return (None,) * len(task.inputs)
    return candidate.evaluation.results


def result_panel(result: Result | None, expected: Grid | None) -> Panel:
    """Return what a program gave on one input, its wrong cells marked where that can be told."""
    if result is None:
        return Panel("no program", None, "no program")
    if isinstance(result, Failure):
        return Panel("failed", None, f"{result.kind}: {result.text}")
    grid = unpack(result)
    if expected is None:
        return Panel("output", grid)
    if grid.shape != expected.shape:
        return Panel("wrong size", grid)
    wrong = grid != expected
    count = int(wrong.sum())
    if not count:
        return Panel("right", grid)
    return Panel(f"{count} cell{'s' if count > 1 else ''} wrong", grid, wrong=wrong)


def describe(candidate: Candidate) -> str:
    """Return a candidate in a few words: how it came, what it got right, which filter fired."""
    words = ["sampled" if candidate.operator == "sample" else "refined"]
    evaluation = candidate.evaluation
    if evaluation is None:
        return f"{words[0]}, no program"
    words.append(f"{sum(evaluation.right)} of {len(evaluation.right)} demonstrations right")
    if evaluation.filter is not None:
        words.append(f"filter {evaluation.filter}")
    return ", ".join(words)


def _title(task: Task, candidate: Candidate) -> str:
    return f"task {task.id}, candidate {candidate.id & 0xFFFFFF}: {describe(candidate)}"
