"""`soar-tui train RUN --dry-run`: what a run would learn from, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK

if TYPE_CHECKING:
    from engine.config import Settings
    from engine.control import DryRun

TASKS = 20
"""Tasks listed at most; --json has all."""


def dry_run(folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Gather, showing how far it is on stderr, and print the make-up. Raises DryRunError."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from engine.control import DryRunProcess

    console = terminal.err()
    columns = (TextColumn("gathering"), BarColumn(), MofNCompleteColumn(), TextColumn("tasks"))
    with (
        DryRunProcess(folder, settings) as process,
        Progress(*columns, console=console, transient=True, disable=as_json) as progress,
    ):
        bar = progress.add_task("", total=None)
        for state in process:
            found = state
            progress.update(bar, total=state.tasks, completed=state.gathered)
    if as_json:
        _emit(folder, found)
    else:
        _print(found)
    return OK


def _emit(folder: Path, found: DryRun) -> None:
    from soar_tui.cli.documents.runs import DryRunCountDocument, DryRunDocument, DryRunTaskDocument

    terminal.emit(
        DryRunDocument(
            run=folder.name,
            iteration=found.iteration + 1,
            used=found.used,
            left_out=found.left_out,
            counts=[
                DryRunCountDocument(
                    trains=entry.kind,
                    label=entry.label,
                    rejected=entry.rejected,
                    examples=entry.count,
                )
                for entry in found.counts
            ],
            tasks=[
                DryRunTaskDocument(
                    task=share.id,
                    samples=share.samples,
                    repairs=share.repairs,
                    left_out=share.left_out,
                )
                for share in found.shares
            ],
        )
    )


def _print(found: DryRun) -> None:
    from rich.table import Table

    from engine.figures.numbers import count, of
    from soar_tui.sanitise import one_line

    console = terminal.out()
    total = found.used + found.left_out
    table = Table("trains", "label", box=None, pad_edge=False)
    table.add_column("candidates", justify="right")
    for entry in sorted(found.counts, key=lambda e: (e.rejected is not None, e.kind, -e.count)):
        kind = entry.kind if entry.rejected is None else "left out"
        table.add_row(kind, one_line(entry.rejected or entry.label), of(entry.count, total))
    console.print(table)
    console.print()
    tasks = Table("task", box=None, pad_edge=False)
    for title in ("samples", "repairs", "left out"):
        tasks.add_column(title, justify="right")
    shares = sorted(found.shares, key=lambda share: -(share.samples + share.repairs))
    for share in shares[:TASKS]:
        figures = (share.samples, share.repairs, share.left_out)
        tasks.add_row(one_line(share.id), *map(count, figures))
    console.print(tasks)
    if len(shares) > TASKS:
        console.print(f"… and {count(len(shares) - TASKS)} tasks more")
    console.print(
        f"\nLearning from iteration {found.iteration + 1} would use {count(found.used)} examples of "
        f"{count(sum(bool(s.samples or s.repairs) for s in shares))} tasks. Nothing was changed."
    )
