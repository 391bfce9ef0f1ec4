"""`soar-tui run`: make a run folder, start its engine, follow it, show what it solved."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from soar_tui.cli import terminal
from soar_tui.cli.errors import INTERRUPTED, OK, InputError
from soar_tui.cli.follow import Interrupts, ending, follow
from soar_tui.cli.options import (
    CheckpointOption,
    ClusterOption,
    ConfigOption,
    DetachOption,
    FromScratchOption,
    JsonOption,
    NameOption,
    PresetOption,
    RefinementsOption,
    SamplesOption,
    SeedOption,
    SetOption,
    rooted,
    settings_from,
    starting_from,
)
from soar_tui.opening import on_terminal, open_app

if TYPE_CHECKING:
    from engine.config import Settings

EPILOG = """Examples:

  soar-tui run --tasks sample --preset demo

  soar-tui run --tasks arc1-train:100 --preset cpu --seed 0 --json

  soar-tui run --tasks my_tasks/ --samples 1000 --set search.c=10 --detach

  soar-tui run --tasks arc1-train --preset cpu --cluster auto"""


def run(
    *,
    tasks: Annotated[
        str | None,
        typer.Option(
            "--tasks",
            metavar="SPEC",
            help="A set by name, a task file, a folder, a Kaggle challenges file; SPEC:K for its "
            "first K tasks. `soar-tui tasks` lists the names. [default: sample]",
            show_default=False,
        ),
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    seed: SeedOption = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            "--iterations", metavar="N", help="How often to go round.", show_default=False
        ),
    ] = None,
    train_tasks: Annotated[
        str | None,
        typer.Option(
            "--train-tasks",
            metavar="SPEC",
            help="Tasks to search and learn from first, with their truth; then come --tasks.",
            show_default=False,
        ),
    ] = None,
    train_iterations: Annotated[
        int | None,
        typer.Option(
            "--train-iterations",
            metavar="N",
            help="How often to go round on --train-tasks.",
            show_default=False,
        ),
    ] = None,
    checkpoint: CheckpointOption = None,
    from_scratch: FromScratchOption = False,
    samples: SamplesOption = None,
    refinements: RefinementsOption = None,
    cluster: ClusterOption = None,
    name: NameOption = None,
    detach: DetachOption = False,
    in_app: Annotated[
        bool, typer.Option("--app", help="Watch it in the app, where there is a terminal.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Search a set of tasks: start an engine of its own and follow it.

    Ctrl+C lets the work under way finish and ends the engine; `soar-tui resume` goes on later.
    """
    settings = settings_from(
        preset,
        config,
        assignments or [],
        {
            "tasks": tasks,
            "seed": seed,
            "iterations": iterations,
            "train_tasks": train_tasks,
            "train_iterations": train_iterations,
            "search.samples": samples,
            "search.refinements": refinements,
            "cluster.address": cluster,
        },
    )
    if settings.train_tasks is None:
        given = ["--train-iterations"] if train_iterations is not None else []
        given += [
            f"--set {each}" for each in assignments or [] if each.strip().startswith("train_")
        ]
        if given:
            raise InputError(f"{given[0]}: needs --train-tasks, the tasks to learn from")
    settings = starting_from(settings, checkpoint, from_scratch=from_scratch)
    folder = make_run(settings, name)
    if in_app and on_terminal() and not detach and not as_json:
        start(folder)
        return open_app(folder)
    return carry_out(
        folder, settings, detach=detach, as_json=as_json, with_programs=preset == "demo"
    )


def make_run(settings: Settings, name: str | None) -> Path:
    """Make a run folder for settings whose tasks are known to load.

    Raises TaskFileError, ConfigError or RunFolderError before anything is written.
    """
    import msgspec

    from engine.control import create_run, run_tasks

    run_tasks(settings)
    settings = msgspec.structs.replace(settings, tasks=rooted(settings.tasks))
    if settings.train_tasks is not None:
        settings = msgspec.structs.replace(settings, train_tasks=rooted(settings.train_tasks))
    return create_run(settings, name=name, day=datetime.datetime.now().astimezone().date())


def carry_out(
    folder: Path,
    settings: Settings,
    *,
    detach: bool,
    as_json: bool,
    with_programs: bool = False,
) -> int:
    """Start a run's engine and follow it to its end, or leave it to itself; return the exit code."""
    from soar_tui.cli.documents.runs import LaunchDocument
    from soar_tui.cli.results import print_run, run_document
    from soar_tui.cli.standing import standing

    with Interrupts() as interrupts:
        process = start(folder)
        if detach:
            if as_json:
                terminal.emit(
                    LaunchDocument(
                        run=folder.name, folder=str(folder), state="running", process=process
                    )
                )
            else:
                say_detached(terminal.out(), folder.name)
            return INTERRUPTED if interrupts.count else OK
        code = ending(follow(folder, settings, interrupts, terminal.err()), interrupts)
    if as_json:
        terminal.emit(run_document(standing(folder)))
    else:
        print_run(terminal.out(), standing(folder), with_programs=with_programs)
    return code


def start(folder: Path) -> int:
    """Start a run's engine, wait until it is ready, and return its process id."""
    from engine.control import catalogue, launch

    catalogue().add_run(folder)
    console = terminal.err()
    if console.is_terminal:
        console.print(f"{folder.name}: starting the engine …")
    return launch(folder)


def say_detached(console: Console, run_name: str) -> None:
    """Say that an engine runs by itself, and how to look at it and end it."""
    console.print(f"{run_name} runs by itself now.")
    console.print(f"  watch it   soar-tui attach {run_name}")
    console.print(f"  end it     soar-tui stop {run_name}")
