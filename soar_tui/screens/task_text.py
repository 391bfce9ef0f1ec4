"""A task as plain text, for files: grids as digits, what was produced beneath what is expected."""

from __future__ import annotations

from engine.arc import Task
from engine.arc.grid import Grid
from engine.programs.candidate import Failure
from soar_tui.sanitise import one_line
from soar_tui.widgets.grid_pair import PairRow


def grid_text(grid: Grid) -> str:
    """Return a grid as lines of digits."""
    return "\n".join("".join(map(str, row)) for row in grid.tolist())


def task_text(task: Task, rows: tuple[PairRow, ...]) -> str:
    """Return a task and what programs produced for it."""
    blocks = [f"task {one_line(task.id)}"]
    for row in rows:
        blocks.append(f"{row.title}\ninput\n{grid_text(row.input)}")
        if row.expected is not None:
            blocks.append(f"expected\n{grid_text(row.expected)}")
        for produced in row.produced:
            result = produced.result
            text = (
                f"{result.kind}: {one_line(result.text)}"
                if isinstance(result, Failure)
                else grid_text(result)
            )
            blocks.append(f"{one_line(produced.caption)}\n{text}")
    return "\n\n".join(blocks) + "\n"
