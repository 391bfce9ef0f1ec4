"""Exports that go on where they were cut off: `NAME.part` is a folder until all is there.

It holds what is written so far, growing in place, and a mark that says how much of it counts. What
lies beyond the mark is cut off when the same export goes on, so a kill at any moment does no harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from engine.exports.output import LOCK, ExportError, check_free, durably, locked, unfinished

MARK: Final = "mark.json"
CONTENT: Final = "content"
"""The file or folder under way, which is moved to its place when it is whole."""
FORM: Final = 1
"""Raised when exports come to be written otherwise, so that none goes on from another form."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an export is.

    `job` is what is exported, and how; `stamp` what the archive held of what is written. Then come
    the place where the source goes on, the rows of each file, the bytes that count of the one under
    way, how many of its Parquet pieces are closed, and what was left out by reason.
    """

    job: str
    stamp: str = ""
    place: tuple[int, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    size: int = 0
    pieces: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier export left: rows that are kept, or why it is begun anew (else empty)."""

    kept: int = 0
    anew: str = ""


OnFound: TypeAlias = Callable[[Found], None]
"""Hears what was found, before anything is written."""


def unheard(_: Found) -> None:
    """Let nobody hear."""


@dataclass(slots=True)
class Part:
    """An export under way: its content's place and the last mark."""

    folder: Path
    mark: Mark

    @property
    def content(self) -> Path:
        """The file or folder under way."""
        return self.folder / CONTENT

    def advance(self, mark: Mark) -> None:
        """Count what is written from now on; its bytes have to be on the disk already."""
        durably(self.folder / MARK, msgspec.json.encode(mark))
        self.mark = mark


def digest(*parts: object) -> str:
    """Return a short text that is the same for the same parts only; they are plain JSON data."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@contextlib.contextmanager
def going_on(
    path: Path,
    job: str,
    stamp: Callable[[Mark], str],
    on_found: OnFound,
    *,
    force: bool,
    as_folder: bool = False,
) -> Iterator[Part]:
    """Yield an export's part; its content becomes `path` when the block ends well.

    The content is a file, or a folder if `as_folder`. A part is gone on with when it is of the same
    job and `stamp` of its mark is still what it was; any other is begun anew. When the block fails,
    what is marked is kept. Raises ExportError like new_file.
    """
    check_free(path, force=force, as_folder=as_folder)
    folder = unfinished(path)
    left = folder.exists()
    if folder.is_file():
        with locked(folder, path):
            folder.unlink()
    folder.mkdir(exist_ok=True)
    _check_ours(folder)
    with locked(folder / LOCK, path):
        mark = _read(folder)
        anew = _reason(folder, mark, job, stamp) if left else ""
        if mark is None or anew:
            _clear(folder)
            mark = Mark(job)
        on_found(Found(sum(mark.rows.values()), anew))
        part = Part(folder, mark)
        try:
            yield part
            check_free(path, force=force, as_folder=as_folder)
        except BaseException:
            if not (folder / MARK).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
        if as_folder and path.is_dir():
            shutil.rmtree(path)
        part.content.replace(path)
        shutil.rmtree(folder)


def _check_ours(folder: Path) -> None:
    """Raise ExportError when a folder holds what no export put there."""
    ours = (LOCK, MARK, CONTENT, "footer-")
    strange = sorted(one.name for one in folder.iterdir() if not one.name.startswith(ours))
    if strange:
        raise ExportError(
            f"{folder}: in the way, and holds {strange[0]!r}, which no export put there"
        )


def _read(folder: Path) -> Mark | None:
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Mark)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _reason(folder: Path, mark: Mark | None, job: str, stamp: Callable[[Mark], str]) -> str:
    """Return why what was left cannot be gone on with, or an empty text."""
    if mark is None or not (folder / CONTENT).exists():
        return "nothing of it was kept"
    if mark.job != job:
        return "it was another run's, another command's or had other options"
    if mark.stamp != stamp(mark):
        return "the run has changed in what it had written"
    return ""


def _clear(folder: Path) -> None:
    # The mark goes first: without it nothing else counts.
    (folder / MARK).unlink(missing_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
