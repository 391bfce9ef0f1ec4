"""The part of `soar-tui doctor RUN` that is about the run: looking it over, mending, telling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from soar_tui.cli import terminal
from soar_tui.cli.documents.care import RunCheckDocument
from soar_tui.cli.errors import OutcomeError
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.config import Settings
    from engine.control.integrity import Check

_TELL_EVERY = 200_000
_SHOWN = 5


def settings_of(folder: Path) -> Settings | None:
    """Return a run's settings, or None where they cannot be read (`look` says why)."""
    from engine.config import ConfigError, load_settings
    from engine.control import SETTINGS_NAME

    try:
        return load_settings(folder / SETTINGS_NAME)
    except ConfigError:
        return None


def look(folder: Path) -> list[Check]:
    """Look a run over, saying on stderr what is being looked at where that takes long."""
    from engine.control.integrity import check_run

    def progress(name: str, done: int, total: int | None) -> None:
        if done and not done % (_TELL_EVERY if total is None else 50):
            of = "" if total is None else f" of {total:,}"
            terminal.err().print(f"{name}: {done:,}{of} looked at")

    return list(check_run(folder, progress))


def mend(folder: Path, checks: list[Check]) -> Path | None:
    """Repair a run that needs it; return where its files as they were are now (None: no need).

    Raises OutcomeError when what is wrong is not for a repair.
    """
    from engine.control.repair import repair

    wrong = [check for check in checks if not check.ok]
    if not wrong:
        return None
    if not any(check.repairable for check in wrong):
        raise OutcomeError(f"{wrong[0].name}: {wrong[0].faults[0]}; a repair cannot mend that")

    def progress(table: str, rows: int) -> None:
        terminal.err().print(f"{table}: {rows:,} rows read")

    repaired = repair(folder, progress)
    for iteration, task, pulls in repaired.salvaged.cut:
        terminal.err().print(f"iteration {iteration}, task {task}: kept its first {pulls} pulls")
    return repaired.aside


def documents(checks: list[Check]) -> list[RunCheckDocument]:
    """Return checks as `--json` shows them."""
    return [
        RunCheckDocument(
            name=check.name,
            detail=check.detail,
            faults=list(check.faults),
            repairable=check.repairable,
            hint=check.hint,
        )
        for check in checks
    ]


def tell(console: Console, folder: Path, checks: list[Check], aside: Path | None) -> bool:
    """Print a run's checks; return whether all are well."""
    well = all(check.ok for check in checks)
    console.print(Text(f"\n{folder.name}", style="bold"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        lines = [check.detail, *(f"  {fault}" for fault in check.faults[:_SHOWN])]
        if len(check.faults) > _SHOWN:
            lines.append(f"  and {len(check.faults) - _SHOWN} more")
        if check.hint:
            lines.append(check.hint)
        mark = Text("✓", style="green") if check.ok else Text("✗", style="red")
        table.add_row(mark, check.name, "\n".join(map(one_line, lines)))
    console.print(table)
    if aside is not None:
        console.print(
            f"\nRepaired. The files as they were are in {aside}; soar-tui resume {folder.name} "
            "searches again what was lost."
        )
    console.print("\nThe run is whole." if well else "\nThe run is not whole.")
    return well
