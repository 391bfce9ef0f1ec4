"""The curves of a run, from what the archive says of its iterations and tasks."""

from __future__ import annotations

from collections.abc import Sequence

from engine.archive.rows import IterationRow, TaskRow
from soar_tui.widgets.curve import Series
from soar_tui.widgets.palette import Role


def solved_curves(
    iterations: Sequence[IterationRow], row: IterationRow, rows: Sequence[TaskRow]
) -> tuple[Series, ...]:
    """Return how many tasks were solved as more were voted on, and how many could have been."""
    voted = sorted(
        (task for task in rows if task.state == "finished" and task.active is not None),
        key=lambda task: (task.active or 0.0, task.index),
    )
    if not row.known:
        return (_counted("voted on", voted, [True] * len(voted), "primary"),)
    return (
        _counted("oracle", voted, [bool(task.oracle) for task in voted], "muted"),
        _counted("solved", voted, [bool(task.vote_right) for task in voted], "good"),
    )


def _counted(name: str, voted: Sequence[TaskRow], marks: Sequence[bool], role: Role) -> Series:
    points, total = [(0.0, 0.0)], 0
    for place, mark in enumerate(marks, 1):
        total += mark
        points.append((float(place), float(total)))
    return Series(name, tuple(points), role)
