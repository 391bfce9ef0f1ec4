"""`soar-tui gc RUN`: what a run could do without, and dropping it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine.figures.numbers import size
from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption, RunArgument

if TYPE_CHECKING:
    from engine.control.gc import Kind, Litter

EPILOG = """Without a kind, all kinds but --sources are looked at and nothing is dropped.

Examples:

  soar-tui gc last

  soar-tui gc last --replies --datasets --dry-run

  soar-tui gc last --checkpoints --yes"""

ABOUT: dict[str, str] = {
    "replies": "whole answers of language models; their programs stay",
    "sources": "programs that differ from a shorter one in comments and layout only",
    "checkpoints": "checkpoints that are neither this run's last nor in use",
    "datasets": "what was trained on; learning writes it anew",
    "damaged": "files that a repair put aside",
}


def gc(
    run: RunArgument,
    *,
    replies: Annotated[bool, typer.Option("--replies", help=f"Drop {ABOUT['replies']}.")] = False,
    sources: Annotated[bool, typer.Option("--sources", help=f"Merge {ABOUT['sources']}.")] = False,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help=f"Drop {ABOUT['checkpoints']}.")
    ] = False,
    datasets: Annotated[
        bool, typer.Option("--datasets", help=f"Drop {ABOUT['datasets']}.")
    ] = False,
    damaged: Annotated[bool, typer.Option("--damaged", help=f"Drop {ABOUT['damaged']}.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many bytes it would free.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Drop what you name of a run to make it smaller; never while an engine is on it."""
    from engine.control import find_run
    from engine.control.gc import KINDS, survey, sweep
    from soar_tui.cli.documents.care import GarbageDocument, LitterDocument

    folder = find_run(run)
    asked = dict(zip(KINDS, (replies, sources, checkpoints, datasets, damaged), strict=True))
    named: list[Kind] = [kind for kind, wanted in asked.items() if wanted]
    looked = named or [kind for kind in KINDS if kind != "sources"]
    litter = survey(folder, looked, _kept(), _progress)
    only_looks = dry_run or not named
    if not only_looks and not yes and any(one.count for one in litter):
        if as_json or not sys.stdin.isatty():
            raise InputError("gc: nothing is dropped without --yes where nobody can be asked")
        _print(litter)
        typer.confirm(f"Drop this of {folder.name} for good?", abort=True, err=True)
    freed = 0 if only_looks else sweep(folder, litter)
    if as_json:
        rows = [LitterDocument(kind=one.kind, count=one.count, bytes=one.size) for one in litter]
        terminal.emit(GarbageDocument(dropped=not only_looks, freed=freed, litter=rows))
        return OK
    _print(litter)
    if only_looks:
        terminal.out().print("\nNothing was dropped. Name what is to go, e.g. --datasets.")
    else:
        terminal.out().print(f"\n{folder.name} is {size(freed)} smaller.")
    return OK


def _kept() -> list[Path]:
    """Return the checkpoints that new runs, or known ones, start from."""
    from engine.config import ConfigError, load_settings
    from engine.control import SETTINGS_NAME, known_runs
    from soar_tui.checkpoints import checkpoint_in_use

    names = [checkpoint_in_use()]
    for folder in known_runs():
        try:
            names.append(load_settings(folder / SETTINGS_NAME).policy.checkpoint)
        except ConfigError:
            continue  # `runs` says which runs cannot be read, and why
    return [Path(name) for name in names if name is not None and name != "shipped"]


def _progress(kind: str, done: int) -> None:
    # Every program is parsed to find its twins, which takes minutes on a large run.
    if done and not done % 100_000:
        terminal.err().print(f"{kind}: {done:,} looked at")


def _print(litter: list[Litter]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for one in litter:
        table.add_row(one.kind, f"{one.count:,}", size(one.size), ABOUT[one.kind])
    terminal.out().print(table)
