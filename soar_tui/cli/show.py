"""`soar-tui show`: one task of a run, its answers, its vote and its programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soar_tui.cli import terminal
from soar_tui.cli.answers import Pattern, ranked_patterns, searched_iterations
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption, RunArgument

if TYPE_CHECKING:
    from engine.arc import Task
    from engine.archive.reader import RunReader
    from engine.archive.rows import CandidateDetail, CandidateRow, TaskRow
    from engine.config import Settings
    from engine.programs.candidate import Result

EPILOG = """Examples:

  soar-tui show last 1a2b3c4d

  soar-tui show last 1a2b3c4d --candidate 137

  soar-tui show last 1a2b3c4d --program > solution.py

  soar-tui show last 1a2b3c4d --iteration 1 --json"""

LISTED = 10
"""How many of the candidates and of the patterns are listed."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """What a run's archive says of one task in one iteration.

    `best` are the best candidates, best first; `detail` is the one looked at (None: there is
    none with a program), `chain` its refinement chain from the first ancestor to itself.
    """

    run: str
    task: Task
    iteration: int
    row: TaskRow
    formula: str
    patterns: tuple[Pattern, ...]
    best: tuple[CandidateRow, ...]
    detail: CandidateDetail | None
    chain: tuple[CandidateRow, ...]

    @property
    def number(self) -> int | None:
        """The number of the candidate looked at."""
        return None if self.detail is None else number_of(self.detail.candidate.id)

    def produced(self) -> tuple[tuple[Result | None, ...], tuple[Result | None, ...]]:
        """Return what the candidate looked at gave on the demonstrations and the test inputs."""
        pairs, tests = len(self.task.train), len(self.task.test)
        if self.detail is None or self.detail.candidate.evaluation is None:
            return (None,) * pairs, (None,) * tests
        results = self.detail.candidate.evaluation.results
        return results[:pairs], results[pairs:]


def show(
    *,
    run: RunArgument,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="A task's id in the run.", show_default=False)
    ],
    iteration: Annotated[
        int | None,
        typer.Option(
            "--iteration",
            metavar="I",
            min=1,
            help="Which iteration, counted from 1; if not given, that of the candidate's id, else the "
            "latest that searched the task.",
            show_default=False,
        ),
    ] = None,
    candidate: Annotated[
        int | None,
        typer.Option(
            "--candidate",
            metavar="N",
            min=0,
            help="Look at this candidate (its number in the task, or its id), not at the best.",
            show_default=False,
        ),
    ] = None,
    program: Annotated[
        bool,
        typer.Option("--program", help="Print only the candidate's program, whole, ready to run."),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Show a task of a run: grids, the two submissions, the vote, the best program."""
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, find_run
    from soar_tui.cli.task_documents import show_document
    from soar_tui.cli.task_print import print_task

    folder = find_run(run)
    settings = load_settings(folder / SETTINGS_NAME)
    view = look(
        folder, settings, task, None if iteration is None else iteration - 1, number=candidate
    )
    if as_json:
        terminal.emit(show_document(view))
    elif program:
        _print_whole_program(view)
    else:
        print_task(terminal.out(), view, alone=candidate is not None)
    return OK


def _print_whole_program(view: TaskView) -> None:
    """Print a program to read on a terminal, or to the letter where something else reads it."""
    from soar_tui.cli.source_text import print_source

    source = None if view.detail is None else view.detail.candidate.source
    if source is None:
        raise InputError(f"task {view.task.id!r}: that candidate's reply held no program")
    console = terminal.out()
    if console.is_terminal:
        print_source(console, source)
    else:
        sys.stdout.write(source)


def look(
    folder: Path,
    settings: Settings,
    task_id: str,
    iteration: int | None = None,
    *,
    number: int | None = None,
) -> TaskView:
    """Read what a run says of a task. Raises InputError and ArchiveError."""
    from engine.archive.reader import RunReader

    with RunReader(folder) as reader:
        index = find_task(reader, task_id)
        searched = searched_iterations(reader)[index]
        if not searched:
            raise InputError(f"{folder.name}: task {task_id!r} has not been searched yet")
        if iteration is None:
            iteration = iteration_meant(searched, number)
        elif iteration not in searched:
            which = ", ".join(str(one + 1) for one in reversed(searched))
            raise InputError(
                f"--iteration {iteration + 1}: task {task_id!r} was searched in iteration {which}"
            )
        formula, patterns = ranked_patterns(reader, iteration, index, settings.vote)
        best = best_first(reader.candidate_rows(iteration, index))[:LISTED]
        chosen = find_candidate(reader, iteration, index, number) if number is not None else None
        if chosen is None and best:
            chosen = best[0].id
        return TaskView(
            run=folder.name,
            task=reader.task(index),
            iteration=iteration,
            row=next(row for row in reader.task_rows(iteration) if row.index == index),
            formula=formula,
            patterns=tuple(patterns),
            best=tuple(best),
            detail=None if chosen is None else reader.candidate(chosen),
            chain=() if chosen is None else tuple(reader.chain(chosen)),
        )


def find_task(reader: RunReader, task_id: str) -> int:
    """Return the index of the task a user means: an id or a unique beginning of one.

    Raises InputError.
    """
    ids = [task.id for task in reader.tasks()]
    if task_id in ids:
        return ids.index(task_id)
    starting = [identifier for identifier in ids if identifier.startswith(task_id)]
    if len(starting) == 1:
        return ids.index(starting[0])
    if starting:
        raise InputError(f"{task_id!r} could be any of {', '.join(starting[:8])}")
    few = ", ".join(ids[:8]) + (", …" if len(ids) > 8 else "")
    raise InputError(f"no task {task_id!r} in this run; it has {few}")


def iteration_meant(searched: Sequence[int], number: int | None) -> int:
    """Return the iteration that is looked at where none is named: a candidate id's own, or the first.

    `searched` are those that searched the task, latest first.
    """
    from engine.programs.candidate import split_candidate_id

    if number is not None and number >= 1 << 24:
        named, _, _ = split_candidate_id(number)
        if named in searched:
            return named
    return searched[0]


def find_candidate(reader: RunReader, iteration: int, task: int, number: int) -> int:
    """Return the id of a candidate given by its number in the task, or by the id itself.

    Raises InputError.
    """
    from engine.programs.candidate import candidate_id, split_candidate_id

    identifier = candidate_id(iteration, task, number) if number < 1 << 24 else number
    if split_candidate_id(identifier)[:2] != (iteration, task):
        raise InputError(f"--candidate {number}: that is a candidate of another task or iteration")
    if reader.bare_candidate(identifier) is None:
        row = next(row for row in reader.task_rows(iteration) if row.index == task)
        raise InputError(
            f"--candidate {number}: iteration {iteration + 1} has {row.candidates:,} candidates of "
            "this task, counted from 0"
        )
    return identifier


def number_of(identifier: int) -> int:
    """Return a candidate's number within its task and iteration."""
    from engine.programs.candidate import split_candidate_id

    return split_candidate_id(identifier)[2]


def best_first(rows: Iterable[CandidateRow]) -> list[CandidateRow]:
    """Order unfiltered candidates that ran: most accurate first, then shortest, then earliest."""
    ran = [row for row in rows if row.runs and row.filter is None]
    return sorted(ran, key=lambda row: (-(row.accuracy or 0), row.length or 0, row.id))
