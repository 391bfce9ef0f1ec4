"""What every export begins and ends with: the run, where to write, and what was written."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError
from soar_tui.numbers import count, duration, size
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.config import Settings


@dataclass(frozen=True, slots=True)
class Begun:
    """An export under way: the run's folder and settings, where it goes, since when.

    `anew`: what an export that was cut off left there is begun again.
    """

    folder: Path
    settings: Settings
    out: Path
    as_json: bool
    anew: bool
    started: float

    def reader(self) -> RunReader:
        """Return a reader of the run."""
        from engine.archive.reader import RunReader

        return RunReader(self.folder)


@dataclass(frozen=True, slots=True)
class Written:
    """What an export wrote: of what, how many rows, which files with how many rows each."""

    source: str
    rows: int
    files: tuple[tuple[Path, int | None], ...]
    left_out: Counter[str] = field(default_factory=Counter)


def begin(run: str, out: Path, suffixes: tuple[str, ...], *, as_json: bool) -> Begun:
    """Find the run and check where the export is to go; `-` stands for `suffixes`' first.

    Raises InputError and RunFolderError.
    """
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, find_run
    from engine.exports.output import unfinished

    to_stdout = str(out) == "-"
    if to_stdout and as_json:
        raise InputError("--out - and --json both want stdout: write to a file")
    if suffixes and not to_stdout and out.suffix not in suffixes:
        raise InputError(f"--out {out}: its name must end in {' or '.join(suffixes)}")
    folder = find_run(run)
    anew = not to_stdout and unfinished(out).exists()
    if anew and not as_json:
        terminal.err().print(
            f"{one_line(str(unfinished(out)))}: an export that was cut off; it is begun anew",
            soft_wrap=True,
        )
    settings = load_settings(folder / SETTINGS_NAME)
    return Begun(folder, settings, out, as_json, anew, time.monotonic())


def say(begun: Begun, written: Written) -> int:
    """Say what was written and return the exit code."""
    from soar_tui.cli.documents import CountDocument, FileDocument, WrittenDocument

    seconds = time.monotonic() - begun.started
    if begun.as_json:
        terminal.emit(
            WrittenDocument(
                run=begun.folder.name,
                path=str(begun.out.resolve()),
                source=written.source,
                rows=written.rows,
                files=[
                    FileDocument(path=str(path.resolve()), rows=rows, bytes=path.stat().st_size)
                    for path, rows in written.files
                ],
                left_out=[
                    CountDocument(what=reason, count=number)
                    for reason, number in written.left_out.most_common()
                ],
                seconds=seconds,
                begun_anew=begun.anew,
            )
        )
        return OK
    to_stdout = str(begun.out) == "-"
    bytes_ = "" if to_stdout else f", {size(sum(p.stat().st_size for p, _ in written.files))}"
    where = "stdout" if to_stdout else one_line(str(begun.out))
    console = terminal.err()
    console.print(
        f"{where}: {count(written.rows)} {written.source}{bytes_}, in {duration(seconds)}",
        soft_wrap=True,
    )
    for reason, number in written.left_out.most_common():
        console.print(f"  left out: {count(number)} {one_line(reason)}", soft_wrap=True)
    return OK
