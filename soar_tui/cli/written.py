"""What every export begins and ends with: the run, where to write, and what was written."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.figures.numbers import count, duration, size
from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.config import Settings
    from engine.exports.resuming import Found


@dataclass(slots=True)
class Left:
    """What an export that was cut off left at a place; hearing of it, it is said."""

    out: Path
    as_json: bool
    kept: int = 0
    anew: bool = False

    def __call__(self, found: Found) -> None:
        """Hear what was found there."""
        self.kept, self.anew = found.kept, bool(found.anew)
        said = f"begun anew, for {found.anew}" if found.anew else f"{count(found.kept)} rows kept"
        if (found.anew or found.kept) and not self.as_json:
            from engine.exports.output import unfinished

            terminal.err().print(
                f"{one_line(str(unfinished(self.out)))}: an export that was cut off: {said}",
                soft_wrap=True,
            )


@dataclass(frozen=True, slots=True)
class Begun:
    """An export under way: the run's folder and settings, where it goes, what is there, since when."""

    folder: Path
    settings: Settings
    out: Path
    as_json: bool
    left: Left
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


def begin(
    run: str, out: Path, suffixes: tuple[str, ...], *, as_json: bool, whole: bool = False
) -> Begun:
    """Find the run and check where the export is to go; `-` stands for `suffixes`' first.

    Without suffixes it is a folder. `whole`: it is made in one go, so that nothing of one that was
    cut off is of use. Raises InputError and RunFolderError.
    """
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, find_run
    from engine.exports.output import unfinished
    from engine.exports.resuming import Found

    to_stdout = str(out) == "-"
    if to_stdout and as_json:
        raise InputError("--out - and --json both want stdout: write to a file")
    if to_stdout and not suffixes:
        raise InputError("--out -: what is written is a folder, which stdout cannot take: name one")
    if suffixes and not to_stdout and out.suffix not in suffixes:
        raise InputError(f"--out {out}: its name must end in {' or '.join(suffixes)}")
    folder = find_run(run)
    left = Left(out, as_json)
    if whole and not to_stdout and unfinished(out).exists():
        left(Found(anew="it is made in one go"))
    settings = load_settings(folder / SETTINGS_NAME)
    return Begun(folder, settings, out, as_json, left, time.monotonic())


@contextlib.contextmanager
def interruptible(begun: Begun) -> Iterator[None]:
    """Say at Ctrl+C what is kept of an export that can go on."""
    from engine.exports.output import unfinished

    try:
        yield
    except KeyboardInterrupt:
        part = unfinished(begun.out)
        if str(begun.out) != "-" and part.exists():
            terminal.err().print(
                f"Ctrl+C: the same command goes on from what is in {one_line(str(part))}, or "
                "delete it",
                soft_wrap=True,
            )
        raise


def say(begun: Begun, written: Written) -> int:
    """Say what was written and return the exit code."""
    from soar_tui.cli.documents.files import CountDocument, FileDocument, WrittenDocument

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
                begun_anew=begun.left.anew,
                kept_rows=begun.left.kept,
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
