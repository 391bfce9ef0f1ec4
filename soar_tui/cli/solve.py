"""`soar-tui solve`: search one task and show what came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from soar_tui.cli import terminal
from soar_tui.cli.errors import FAILED, OK, InputError, OutcomeError
from soar_tui.cli.follow import Interrupts, ending, follow
from soar_tui.cli.options import (
    CheckpointOption,
    ConfigOption,
    FromScratchOption,
    JsonOption,
    NameOption,
    PresetOption,
    RefinementsOption,
    SamplesOption,
    SeedOption,
    SetOption,
    settings_from,
    starting_from,
)

EPILOG = """Examples:

  soar-tui solve my_task.json

  soar-tui solve arc1-train/007bbfb7 --samples 400

  soar-tui solve my_task.json --seed 3 --json"""


def solve(
    *,
    spec: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="An ARC JSON file, or SET/ID for a task of a named set.",
            show_default=False,
        ),
    ],
    preset: PresetOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    seed: SeedOption = None,
    checkpoint: CheckpointOption = None,
    from_scratch: FromScratchOption = False,
    samples: SamplesOption = None,
    refinements: RefinementsOption = None,
    name: NameOption = None,
    as_json: JsonOption = False,
) -> int:
    """Search one task, then show its grids, its two submissions, the vote and the best program."""
    from engine.arc import load_tasks
    from soar_tui.cli.documents.tasks import SolveDocument
    from soar_tui.cli.results import next_steps, print_run
    from soar_tui.cli.run import make_run, start
    from soar_tui.cli.show import look
    from soar_tui.cli.standing import standing
    from soar_tui.cli.task_documents import show_document
    from soar_tui.cli.task_print import print_task

    settings = settings_from(
        preset,
        config,
        assignments or [],
        {
            "tasks": spec,
            "seed": seed,
            "search.samples": samples,
            "search.refinements": refinements,
        },
    )
    settings = starting_from(settings, checkpoint, from_scratch=from_scratch)
    tasks = load_tasks(settings.tasks).tasks
    if len(tasks) != 1:
        raise InputError(
            f"{settings.tasks}: holds {len(tasks)} tasks; solve takes one (SET/ID names one of a "
            "set), run takes many"
        )
    folder = make_run(settings, name)
    with Interrupts() as interrupts:
        start(folder)
        code = ending(follow(folder, settings, interrupts, terminal.err()), interrupts)
    now = standing(folder, with_results=False)
    if not now.candidates:
        if as_json:
            why = now.state.reason or now.state.state
            raise OutcomeError(
                f"{folder.name}: no candidate was archived ({why}); `soar-tui status {folder.name}` "
                "says how it stands",
                code or FAILED,
            )
        print_run(terminal.out(), now)
        return code
    view = look(folder, settings, tasks[0].id)
    if as_json:
        terminal.emit(
            SolveDocument(
                run=folder.name,
                folder=str(folder),
                state=now.state.state,
                seconds=now.seconds,
                task=show_document(view),
            )
        )
        return code
    console = terminal.out()
    print_task(console, view)
    if code != OK:
        console.print(f"\nThe search is {now.state.state}.")
    console.print()
    for line in next_steps(now):
        console.print(line, soft_wrap=True)
    return code
