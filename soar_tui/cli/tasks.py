"""`soar-tui tasks`: which task sets there are, what is in one, and what a task looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.arc import Grid, Task, TaskSet
    from soar_tui.cli.documents.tasks import TaskDocument, TaskRowDocument

EPILOG = """Examples:

  soar-tui tasks

  soar-tui tasks arc1-train:20

  soar-tui tasks sample --show half-turn"""


def tasks(
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="SPEC",
            help="A set by name, a task file, a folder or a Kaggle challenges file; SPEC:K is its "
            "first K tasks, SPEC/ID one task of a named set. Without it: the named sets.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option("--show", metavar="ID", help="Draw this task.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """List the task sets, or the tasks of one; draw a task."""
    if spec is None:
        if show is not None:
            raise InputError("--show needs a SPEC to find the task in, e.g. tasks sample --show ID")
        _list_sets(as_json=as_json)
        return OK
    from engine.arc import load_tasks

    task_set = load_tasks(spec)
    if show is None:
        _list_tasks(task_set, as_json=as_json)
        return OK
    task = next((task for task in task_set.tasks if task.id == show), None)
    if task is None:
        raise InputError(f"--show: no task {show!r} in {spec}")
    if as_json:
        terminal.emit(task_document(task))
    else:
        _draw(task)
    return OK


def _list_sets(*, as_json: bool) -> None:
    from engine.arc import task_sets
    from soar_tui.cli.documents.tasks import NamedSetDocument, TaskSetsDocument

    sets = task_sets()
    if as_json:
        terminal.emit(
            TaskSetsDocument(
                sets=[
                    NamedSetDocument(name=s.name, tasks=s.tasks, tests=s.tests, about=s.about)
                    for s in sets
                ]
            )
        )
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("set", style="bold")
    table.add_column("tasks", justify="right")
    table.add_column("test inputs", justify="right")
    table.add_column("what it is")
    for named in sets:
        table.add_row(named.name, f"{named.tasks:,}", f"{named.tests:,}", named.about)
    console = terminal.out()
    console.print(table)
    console.print("\nAlso: FILE.json, FOLDER, challenges.json, and NAME:K for the first K tasks.")


def _list_tasks(task_set: TaskSet, *, as_json: bool) -> None:
    from soar_tui.cli.documents.tasks import TasksDocument

    rows = [_row(task) for task in task_set.tasks]
    if as_json:
        terminal.emit(TasksDocument(task_set=task_set.name, tasks=rows))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("task", style="bold", overflow="fold")
    table.add_column("pairs", justify="right")
    table.add_column("tests", justify="right")
    table.add_column("inputs")
    table.add_column("outputs")
    table.add_column("truth")
    for row in rows:
        table.add_row(
            one_line(row.id),
            str(row.pairs),
            str(row.tests),
            _shapes(row.input_shapes),
            _shapes(row.output_shapes),
            "known" if row.known else "unknown",
        )
    terminal.out().print(table)


def _row(task: Task) -> TaskRowDocument:
    from soar_tui.cli.documents.tasks import TaskRowDocument

    return TaskRowDocument(
        id=task.id,
        pairs=len(task.train),
        tests=len(task.test),
        known=task.truth is not None,
        input_shapes=[list(grid.shape) for grid in task.inputs],
        output_shapes=[list(pair.output.shape) for pair in task.train],
    )


def _shapes(shapes: list[list[int]]) -> str:
    """Return the range of shapes as rows×columns, e.g. `3×3` or `3×3 to 10×12`."""
    smallest, largest = min(shapes), max(shapes)
    first = f"{smallest[0]}×{smallest[1]}"
    return first if smallest == largest else f"{first} to {largest[0]}×{largest[1]}"


def task_document(task: Task) -> TaskDocument:
    """Return a task as a document."""
    from soar_tui.cli.documents.tasks import PairDocument, TaskDocument, TestInputDocument

    truth: tuple[Grid | None, ...] = task.truth or (None,) * len(task.test)
    return TaskDocument(
        id=task.id,
        train=[
            PairDocument(input=pair.input.tolist(), output=pair.output.tolist())
            for pair in task.train
        ],
        test=[
            TestInputDocument(
                input=given.tolist(), output=None if output is None else output.tolist()
            )
            for given, output in zip(task.test, truth, strict=True)
        ],
    )


def _draw(task: Task) -> None:
    from soar_tui.cli.grid_text import cells_for, draw, side_by_side

    console = terminal.out()
    truth: tuple[Grid | None, ...] = task.truth or (None,) * len(task.test)
    outputs = [pair.output for pair in task.train] + [grid for grid in truth if grid is not None]
    cells = cells_for(console, [*task.inputs, *outputs])
    for number, pair in enumerate(task.train, 1):
        console.print(Text(f"demonstration pair {number}", style="bold"))
        pictures = [draw(pair.input, cells), draw(pair.output, cells)]
        console.print(*side_by_side(pictures, console.width), sep="\n")
    for number, (given, output) in enumerate(zip(task.test, truth, strict=True), 1):
        known = "" if output is not None else " (its output is not known)"
        console.print(Text(f"test input {number}{known}", style="bold"))
        pictures = [draw(grid, cells) for grid in (given, output) if grid is not None]
        console.print(*side_by_side(pictures, console.width), sep="\n")
