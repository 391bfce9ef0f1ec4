"""Single tasks: the hardest, those lost since an earlier iteration, those nearly solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.figures.figure import Figure, Heading
from engine.figures.numbers import count, percent

if TYPE_CHECKING:
    from engine.analysis import RunAnalysis


def hardest(run: RunAnalysis) -> Figure:
    """Return the tasks that no iteration solved, the hardest first."""
    return Figure(
        name="hardest tasks",
        about="Never solved: no right candidate first, then the lowest best accuracy.",
        headings=(
            Heading("task", right=False, tasks=True),
            Heading("iterations", drop=2),
            Heading("candidates", drop=1),
            Heading("best"),
            Heading("perfect", drop=1),
            Heading("right"),
        ),
        rows=tuple(
            (
                one.task,
                str(one.iterations),
                count(one.candidates),
                percent(one.best),
                count(one.perfect),
                count(one.right),
            )
            for one in run.hardest
        ),
        empty="every task of known truth was solved, or none is known",
    )


def lost(run: RunAnalysis) -> Figure:
    """Return the tasks an earlier iteration solved and the latest did not."""
    return Figure(
        name="lost tasks",
        about="Solved by an earlier iteration, not by the latest; right: candidates that still are.",
        headings=(
            Heading("task", right=False, tasks=True),
            Heading("solved in"),
            Heading("lost in"),
            Heading("right"),
        ),
        rows=tuple(
            (
                one.task,
                str(one.solved_in + 1),
                str(one.lost_in + 1),
                count(one.still_right),
            )
            for one in run.lost
        ),
        empty="no task was lost",
    )


def near_misses(run: RunAnalysis) -> Figure:
    """Return unsolved tasks by how few cells their nearest pattern has wrong."""
    return Figure(
        name="near misses",
        about="Unsolved tasks by the wrong cells of their nearest pattern; 0: right, but outvoted.",
        headings=(
            Heading("task", right=False, tasks=True),
            Heading("iteration", drop=2),
            Heading("wrong cells"),
            Heading("of", drop=1),
            Heading("rank"),
            Heading("candidates", drop=1),
        ),
        rows=tuple(
            (
                one.task,
                str(one.iteration + 1),
                count(one.near.wrong),
                count(one.near.cells),
                str(one.near.rank),
                count(one.near.count),
            )
            for one in run.near_misses
        ),
        empty="no unsolved task has a pattern of the right shape",
    )
