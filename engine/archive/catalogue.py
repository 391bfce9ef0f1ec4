"""The user's small documents: known runs, bookmarks, notes, preferences; TinyDB in one JSON file.

Every change reads the file, changes it and replaces it whole under a lock between processes, so
two apps at once lose nothing and a crash leaves the file before or after. What is found in runs
lives in their archives, never here.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from tinydb import TinyDB, where
from tinydb.queries import QueryInstance
from tinydb.storages import Storage

_LOCK_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.01


class CatalogueError(RuntimeError):
    """A catalogue that cannot be read or written; the message names the file and says why."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run the user has made or opened: its folder, and when it became known and was last open."""

    folder: str
    added: float
    opened: float


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A candidate of a run that the user wants to find again."""

    folder: str
    candidate: int
    created: float


@dataclass(frozen=True, slots=True)
class Note:
    """What the user wrote on a run (candidate None) or on one of its candidates."""

    folder: str
    candidate: int | None
    text: str
    written: float


@dataclass(frozen=True, slots=True)
class _Preference:
    name: str
    value: Any


_D = TypeVar("_D", KnownRun, Bookmark, Note, _Preference)


class Catalogue:
    """One user's catalogue file, created with the first change.

    Every call raises CatalogueError when the file cannot be read, is not a catalogue, or stays
    locked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self) -> list[KnownRun]:
        """Return the known runs, the last opened first."""
        found = self._documents("runs", KnownRun)
        return sorted(found, key=lambda run: -run.opened)

    def add_run(self, folder: Path) -> None:
        """Note that a run was made or opened now."""
        now, name = time.time(), str(folder.absolute())
        with self._changing() as database:
            table = database.table("runs")
            before = table.get(where("folder") == name)
            added = before["added"] if isinstance(before, Mapping) else now
            table.upsert(asdict(KnownRun(name, added, now)), where("folder") == name)

    def forget_run(self, folder: Path) -> None:
        """Forget a run with its bookmarks and notes; its folder stays."""
        with self._changing() as database:
            for table in ("runs", "bookmarks", "notes"):
                database.table(table).remove(where("folder") == str(folder.absolute()))

    def bookmarks(self, folder: Path | None = None) -> list[Bookmark]:
        """Return the bookmarks (of one run), oldest first."""
        found = self._documents("bookmarks", Bookmark, folder)
        return sorted(found, key=lambda bookmark: bookmark.created)

    def set_bookmark(self, folder: Path, candidate: int, *, on: bool = True) -> None:
        """Bookmark a candidate, or take its bookmark away."""
        place = _place(folder, candidate)
        with self._changing() as database:
            table = database.table("bookmarks")
            if not on:
                table.remove(place)
            elif not table.contains(place):
                table.insert(asdict(Bookmark(str(folder.absolute()), candidate, time.time())))

    def notes(self, folder: Path | None = None) -> list[Note]:
        """Return the notes (of one run), oldest first."""
        found = self._documents("notes", Note, folder)
        return sorted(found, key=lambda note: note.written)

    def set_note(self, folder: Path, candidate: int | None, text: str) -> None:
        """Write the note on a run or a candidate; an empty text takes it away."""
        place = _place(folder, candidate)
        with self._changing() as database:
            table = database.table("notes")
            if text:
                note = Note(str(folder.absolute()), candidate, text, time.time())
                table.upsert(asdict(note), place)
            else:
                table.remove(place)

    def preferences(self) -> dict[str, Any]:
        """Return the app's preferences by name."""
        return {one.name: one.value for one in self._documents("preferences", _Preference)}

    def set_preference(self, name: str, value: object) -> None:
        """Set a preference to plain data. Raises TypeError for what JSON cannot hold."""
        document = {"name": name, "value": json.loads(json.dumps(value))}
        with self._changing() as database:
            database.table("preferences").upsert(document, where("name") == name)

    def _documents(self, table: str, kind: type[_D], folder: Path | None = None) -> list[_D]:
        # A file is only ever replaced whole, so reading it needs no lock.
        with TinyDB(self._path, storage=_AtomicFile) as database:
            documents = database.table(table).all()
        chosen = [d for d in documents if folder is None or d["folder"] == str(folder.absolute())]
        try:
            return msgspec.convert(chosen, list[kind])  # type: ignore[valid-type] # known at run time
        except msgspec.ValidationError as error:
            raise CatalogueError(f"{self._path}: table {table}: {error}") from error

    @contextmanager
    def _changing(self) -> Iterator[TinyDB]:
        with (
            _locked(self._path.with_name(self._path.name + ".lock")),
            TinyDB(self._path, storage=_AtomicFile) as database,
        ):
            yield database


def _place(folder: Path, candidate: int | None) -> QueryInstance:
    place: QueryInstance = (where("folder") == str(folder.absolute())) & (
        where("candidate") == candidate
    )
    return place


class _AtomicFile(Storage):
    """TinyDB's storage as a JSON file that is replaced whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CatalogueError(f"{self._path}: {error.strerror}") from error
        except ValueError as error:
            raise CatalogueError(
                f"{self._path}: not a catalogue ({error}); repair it or move it away"
            ) from error
        if not isinstance(content, dict) or not all(isinstance(t, dict) for t in content.values()):
            raise CatalogueError(f"{self._path}: not a catalogue; repair it or move it away")
        return content

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        unfinished = self._path.with_name(self._path.name + ".new")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                json.dump(data, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        except OSError as error:
            raise CatalogueError(f"{self._path}: {error.strerror}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the system lets go of it when its holder dies."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            deadline = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise CatalogueError(
                            f"{path}: held by another process for {_LOCK_SECONDS:.0f} s"
                        ) from None
                    time.sleep(_RETRY_SECONDS)
            yield
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}") from error
