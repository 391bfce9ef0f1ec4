"""`soar-tui runs` and `status`: which runs there are, and how one stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.figures.numbers import age, duration, size
from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, exit_code, message
from soar_tui.cli.options import JsonOption, RunArgument
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from soar_tui.cli.documents.runs import RunRowDocument
    from soar_tui.cli.standing import Standing

RUNS_EPILOG = """Examples:

  soar-tui runs

  soar-tui runs --json"""
STATUS_EPILOG = """Examples:

  soar-tui status last

  soar-tui status 2026-11-20-arc1-train-grammar --json"""

WIDE = 100
"""Columns from which on the list of runs shows everything."""

_STYLES = {"running": "green", "finished": "", "crashed": "red", "stalled": "yellow"}


def status(run: RunArgument, as_json: JsonOption = False) -> int:
    """Show how a run stands, whether an engine is on it or not."""
    from engine.control import LOG_NAME, find_run, log_tail
    from soar_tui.cli.results import print_run, run_document
    from soar_tui.cli.standing import standing

    folder = find_run(run)
    now = standing(folder)
    if as_json:
        terminal.emit(run_document(now))
        return OK
    console = terminal.out()
    print_run(console, now)
    if now.process is not None:
        console.print(f"  engine       process {now.process}, heartbeat {_last_sign(now)}")
    if now.state.state in ("crashed", "stalled"):
        console.print(Text(f"\nThe end of {folder / LOG_NAME}:", style="bold"))
        for line in log_tail(folder / LOG_NAME).splitlines():
            console.print(Text(one_line(line), style="dim"))
    return OK


def _last_sign(now: Standing) -> str:
    silent = now.state.silent
    return "none so far" if silent is None else f"{duration(silent)} ago"


def runs(as_json: JsonOption = False) -> int:
    """List the known runs: those under the folder of runs and those seen elsewhere."""
    from engine.control import known_runs, soar_home
    from soar_tui.cli.documents.runs import RunsDocument

    rows, problems = [], []
    for folder in known_runs():
        try:
            rows.append(_row(folder))
        except Exception as error:
            # One run that cannot be read must not hide the others.
            if exit_code(error) is None:
                raise
            problems.append(f"{folder.name}: {message(error)}")
    if as_json:
        terminal.emit(RunsDocument(home=str(soar_home()), runs=rows, problems=problems))
        return OK
    console = terminal.out()
    if not rows:
        console.print(f"No runs under {soar_home()} yet. Begin with `soar-tui run --preset demo`.")
    else:
        console.print(_table(rows, console.width))
    for problem in problems:
        terminal.err().print(Text(one_line(problem), style="red"))
    return OK


def _row(folder: Path) -> RunRowDocument:
    from soar_tui.cli.documents.runs import RunRowDocument
    from soar_tui.cli.standing import standing

    now = standing(folder, with_results=False)
    last = now.last
    return RunRowDocument(
        run=folder.name,
        folder=str(folder),
        state=now.state.state,
        reason=now.state.reason,
        task_set=now.settings.tasks,
        policy=now.settings.policy.kind,
        tasks=now.searched,
        known=0 if last is None else last.known,
        finished=0 if last is None else last.finished,
        iteration=None if last is None else last.index + 1,
        iterations=now.settings.planned_iterations,
        solved=None if last is None else last.solved,
        candidates=now.candidates,
        seconds=now.seconds,
        started=now.iterations[0].started if now.iterations else None,
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _table(rows: list[RunRowDocument], width: int) -> Table:
    """Return the list of runs; what an 80-column terminal has no room for is left out there."""
    wide = width >= WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("run", style="bold", overflow="fold")
    table.add_column("state")
    for name in ("iteration", "searched", "solved", "begun", *(["candidates", "disk"] * wide)):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        cells = [
            "–" if row.iteration is None else f"{row.iteration}/{row.iterations}",
            f"{row.finished:,}/{row.tasks:,}",
            f"{row.solved:,}/{row.known:,}" if row.solved is not None else "?",
            age(row.started),
        ]
        if wide:
            cells += [f"{row.candidates:,}", size(row.bytes)]
        table.add_row(
            one_line(row.run), Text(row.state, style=_STYLES.get(row.state, "dim")), *cells
        )
    return table
