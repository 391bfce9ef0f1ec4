"""`soar-tui import`: others' programs become a run, each of them run again in the sandbox."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.figures.numbers import count, duration, of
from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError, OutcomeError
from soar_tui.cli.options import (
    ConfigOption,
    JsonOption,
    PresetOption,
    SetOption,
    rooted,
    settings_from,
)
from soar_tui.cli.progress import counting
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.intake.taking import Intake
    from soar_tui.cli.documents.files import ImportDocument

EPILOG = """A row needs `task_id` and `code` (or `task` and `source`); what else it says is not believed.
The columns are those of `soar-tui export programs` and of the released SOAR dataset
(docs/exports.md). The run can then be shown, voted, pooled and learned from like any other.

Examples:

  soar-tui import theirs.jsonl --tasks arc1-train --name theirs

  soar-tui import soar_arc_train_5M.parquet --tasks arc1-train --train --per-task 500

  soar-tui show theirs 007bbfb7"""


def import_programs(
    *,
    programs: Annotated[
        Path,
        typer.Argument(
            metavar="PROGRAMS",
            help="A file of programs: .jsonl, .jsonl.zst or .parquet.",
            show_default=False,
        ),
    ],
    tasks: Annotated[
        str,
        typer.Option(
            "--tasks",
            metavar="DIR|NAME",
            help="The tasks that rows name: a set by name, a folder, a task file.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The run's name. [default: the file's]",
            show_default=False,
        ),
    ] = None,
    train: Annotated[
        bool,
        typer.Option(
            "--train", help="These are tasks to learn from: learning may use their test outputs."
        ),
    ] = False,
    per_task: Annotated[
        int | None,
        typer.Option(
            "--per-task",
            metavar="N",
            min=1,
            help="The first N programs of each task only.",
            show_default=False,
        ),
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a run of programs that were written elsewhere, every one run again in the sandbox.

    Rows that hold no program for one of the tasks are counted with the reason. Cut off by Ctrl+C or
    a crash, the same command goes on where it was; until then there is no run of that name. The
    settings are what `resume` and `iterate` go on with.
    """
    import asyncio

    import msgspec

    from engine.control import reserve_run, run_tasks
    from engine.control.evaluating import SandboxError
    from engine.control.lock import EngineRunningError
    from engine.intake.rows import look_at
    from engine.intake.taking import take_in

    started = time.monotonic()
    if any(
        assignment.partition("=")[0].strip() == "train_tasks" for assignment in assignments or []
    ):
        raise InputError("--set train_tasks: --train says that these are tasks to learn from")
    spec = rooted(tasks)
    settings = settings_from(
        preset,
        config,
        assignments or [],
        {"tasks": spec, "iterations": 1},
    )
    # Also where a settings file has some: what is not marked by --train is not learned from by truth.
    settings = msgspec.structs.replace(settings, train_tasks=settings.tasks if train else None)
    loaded, training = run_tasks(settings)
    seen = look_at(programs)
    folder = reserve_run(name or _name_of(programs))
    kept = 0
    with counting("rows", seen.rows, as_json=as_json) as show:

        def on_progress(intake: Intake) -> None:
            nonlocal kept
            kept = intake.run + intake.before
            refused = sum(intake.faults.values())
            show(kept + refused)

        try:
            intake = asyncio.run(
                take_in(
                    folder,
                    programs,
                    settings,
                    loaded,
                    training,
                    per_task=per_task,
                    seen=seen,
                    on_progress=on_progress,
                )
            )
        except EngineRunningError as error:
            raise OutcomeError(f"{folder.name}: another import is working on it") from error
        except SandboxError as error:
            raise OutcomeError(f"{folder.name}: {error}") from error
        except KeyboardInterrupt:
            terminal.err().print(
                f"Ctrl+C: {count(kept)} programs are kept; the same command goes on from there, "
                f"or delete {folder}",
                soft_wrap=True,
            )
            raise
    document = _document(folder, intake, time.monotonic() - started)
    if as_json:
        terminal.emit(document)
    else:
        _print(document)
    return OK


def _name_of(programs: Path) -> str:
    """Return a run's name made of a file's."""
    stem = programs.name.removesuffix(".zst").rpartition(".")[0]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "import"


def _document(folder: Path, intake: Intake, seconds: float) -> ImportDocument:
    from engine.archive.reader import RunReader
    from soar_tui.cli.documents.files import ImportDocument, RefusedDocument

    with RunReader(folder) as reader:
        (row,) = reader.iterations()
        tasks = sum(task.candidates > 0 for task in reader.task_rows(0))
    return ImportDocument(
        run=folder.name,
        folder=str(folder),
        rows=intake.rows,
        programs=row.candidates,
        run_now=intake.run,
        tasks=tasks,
        perfect=row.perfect,
        solved=row.solved,
        known=row.known,
        claims=intake.claims,
        denied=intake.denied,
        refused=[
            RefusedDocument(reason=reason, count=number, first=intake.first[reason])
            for reason, number in intake.faults.most_common()
        ],
        seconds=seconds,
    )


def _print(document: ImportDocument) -> None:
    console = terminal.out()
    for refused in document.refused:
        console.print(
            f"  refused      {count(refused.count)}: {one_line(refused.reason)} "
            f"(first: row {refused.first})",
            soft_wrap=True,
        )
    if document.claims:
        console.print(f"  claims       {of(document.denied, document.claims)} not borne out")
    solved = f", solved {of(document.solved, document.known)}" if document.known else ""
    console.print(
        f"{document.run}: {_many(document.programs, 'program')} of {_many(document.rows, 'row')} "
        f"for {_many(document.tasks, 'task')}, {count(document.perfect)} perfect{solved}, "
        f"in {duration(document.seconds)}",
        soft_wrap=True,
    )
    console.print(f"  look at it   soar-tui status {document.run}")
    console.print(f"  vote with it soar-tui analyze {document.run} OTHER-RUN")
    console.print(f"  train on it  soar-tui export dataset {document.run} --out chats.jsonl")


def _many(number: int, word: str) -> str:
    return f"{count(number)} {word}{'' if number == 1 else 's'}"
