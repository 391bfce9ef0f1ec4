"""`soar-tui iterate, train, checkpoints`: going round again, learning now, and what was learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError, OutcomeError
from soar_tui.cli.options import DetachOption, JsonOption, RunArgument, SetOption, changed

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.config import Settings
    from soar_tui.checkpoints import KnownCheckpoint

ITERATE_EPILOG = """Examples:

  soar-tui iterate last

  soar-tui iterate 2026-11-20-arc1-train-grammar --iterations 2 --detach"""
TRAIN_EPILOG = """Examples:

  soar-tui train last

  soar-tui train last --dry-run --set learn.strategy=correct-only

  soar-tui train last --from 2026-11-19-arc1-train-grammar --from 2026-11-20-arc1-train-local

  soar-tui run --tasks arc1-eval --checkpoint last"""
CHECKPOINTS_EPILOG = """Examples:

  soar-tui checkpoints

  soar-tui checkpoints --use 2026-11-20-arc1-train-grammar

  soar-tui checkpoints --back"""


def iterate(
    run: RunArgument,
    iterations: Annotated[
        int, typer.Option("--iterations", metavar="N", min=1, help="How many more.")
    ] = 1,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> int:
    """Let a run go round again: learn from what it has found, then search its tasks anew."""
    import msgspec

    from engine.archive.reader import RunReader

    folder, settings = _resting(run)
    with RunReader(folder) as reader:
        _check_through(folder, settings, reader)
    more = msgspec.structs.replace(settings, iterations=settings.iterations + iterations)
    return _go_on(folder, more, detach=detach, as_json=as_json)


def train(
    run: RunArgument,
    *,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only tell what would be learned from; also while an engine is on it."
        ),
    ] = False,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Learn from what this run has found, too; may be given again.",
            show_default=False,
        ),
    ] = None,
    assignments: SetOption = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> int:
    """Learn now from what a run has found, without searching on; gives a checkpoint.

    The run's own settings say what is chosen and how it is learned (`learn` and `train`), unless
    --set says otherwise.
    """
    import msgspec

    from engine.archive.reader import RunReader

    if dry:
        return _dry(run, others or [], assignments or [], as_json=as_json)
    folder, settings = _resting(run)
    settings = changed(settings, assignments or [], _together_with(others or []))
    with RunReader(folder) as reader:
        last_one = _check_through(folder, settings, reader)
        learned = {checkpoint.iteration for checkpoint in reader.checkpoints()}
    if last_one in learned:
        raise OutcomeError(
            f"{folder.name}: its last iteration has been learned from; see `soar-tui checkpoints`"
        )
    last = msgspec.structs.replace(settings, learn_last=True)
    return _go_on(folder, last, detach=detach, as_json=as_json)


def checkpoints(
    use: Annotated[
        str | None,
        typer.Option(
            "--use",
            metavar="CHECKPOINT",
            help="Start new runs of the embedded policy from this one: a run's name (its newest), "
            "RUN:ITERATION, a file, or `shipped`.",
            show_default=False,
        ),
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", help="Go back to the one that was in use before.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """List what was learned, say which checkpoint new runs start from, and change it."""
    from soar_tui.checkpoints import go_back, known_checkpoints, use_checkpoint
    from soar_tui.cli.documents.runs import CheckpointDocument, CheckpointsDocument

    if use is not None and back:
        raise InputError("--use and --back both change the checkpoint in use: give one of them")
    if use is not None:
        use_checkpoint(use)
    if back:
        go_back()
    known = known_checkpoints()
    if as_json:
        terminal.emit(
            CheckpointsDocument(
                checkpoints=[
                    CheckpointDocument(
                        checkpoint=entry.name,
                        path=str(entry.path),
                        policy=entry.policy,
                        examples=entry.examples,
                        seconds=entry.seconds,
                        created=entry.created,
                        in_use=entry.in_use,
                    )
                    for entry in known
                ]
            )
        )
        return OK
    _print(known)
    return OK


def _together_with(others: list[str]) -> dict[str, object]:
    """Return the change of settings that learns from other runs, too. Raises RunFolderError."""
    from engine.control import find_run

    return {"learn.runs": [str(find_run(other)) for other in others]} if others else {}


def _dry(run: str, others: list[str], assignments: list[str], *, as_json: bool) -> int:
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, find_run
    from soar_tui.cli.dry_run import dry_run

    folder = find_run(run)
    settings = load_settings(folder / SETTINGS_NAME)
    settings = changed(settings, assignments, _together_with(others))
    return dry_run(folder, settings, as_json=as_json)


def _print(known: list[KnownCheckpoint]) -> None:
    from rich.table import Table

    from engine.figures.numbers import count, duration
    from soar_tui.sanitise import one_line

    table = Table(box=None, pad_edge=False)
    for column, justify in (
        ("", "left"),
        ("checkpoint", "left"),
        ("policy", "left"),
        ("examples", "right"),
        ("took", "right"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]  # one of rich's words
    for entry in known:
        table.add_row(
            "*" if entry.in_use else "",
            one_line(entry.name),
            entry.policy,
            "" if entry.examples is None else count(entry.examples),
            "" if entry.seconds is None else duration(entry.seconds),
        )
    console = terminal.out()
    console.print(table)
    console.print(
        "* new runs of the embedded policy start from it; --from-scratch starts untrained"
    )


def _resting(run: str) -> tuple[Path, Settings]:
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, engine_alive, find_run

    folder = find_run(run)
    if engine_alive(folder):
        raise OutcomeError(f"{folder.name}: an engine is on it; stop it first or wait for its end")
    return folder, load_settings(folder / SETTINGS_NAME)


def _check_through(folder: Path, settings: Settings, reader: RunReader) -> int:
    """Return the index of a run's last iteration. Raises OutcomeError while there is one to go on with."""
    ended = [row.index for row in reader.iterations() if row.ended is not None]
    if len(ended) < settings.planned_iterations:
        raise OutcomeError(
            f"{folder.name}: its search is not through; go on with `soar-tui resume {folder.name}`"
        )
    return ended[-1]


def _go_on(folder: Path, settings: Settings, *, detach: bool, as_json: bool) -> int:
    from engine.control import changed_settings
    from soar_tui.cli.run import carry_out

    with changed_settings(folder, settings):
        return carry_out(folder, settings, detach=detach, as_json=as_json)
