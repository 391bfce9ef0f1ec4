"""Mending a run folder: what can be read goes into a new archive, the damaged files are kept."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.archive.database import open_to_read
from engine.archive.salvage import Salvaged, salvage
from engine.archive.schema import ARCHIVE, CONTROL, LIVE, ArchiveError, MissingFileError, Schema
from engine.config import load_settings
from engine.control.folder import SETTINGS_NAME
from engine.control.integrity import VoteFault, vote_faults
from engine.control.lock import EngineLock

_UNFINISHED = ".repair"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did: where the files as they were are now, and what came over."""

    aside: Path
    salvaged: Salvaged


def repair(folder: Path, on_table: Callable[[str, int], None]) -> Repaired:
    """Replace a run's damaged archive by one of what can be read of it.

    The files as they were are kept in a folder `damaged-N` beside. Searches that lost something
    go on with the next engine from their last whole pull; votes that their candidates do not add
    up to are taken again. `on_table` hears the table being read and its rows so far. Raises
    EngineRunningError while an engine is on the folder, ArchiveError when too little can be read;
    then nothing is changed.
    """
    settings = load_settings(folder / SETTINGS_NAME)
    with EngineLock(folder, passing="repaired"):
        unfinished = folder / _UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            distrusted = _distrusted(vote_faults(folder, settings, _unheard))
            salvaged = salvage(folder, unfinished, on_table, distrusted=distrusted)
            aside = _aside(folder)
            _keep(folder, ARCHIVE, aside)
            # SQLite would take a log that is not this file's for its own.
            _remove_logs(folder, ARCHIVE)
            (unfinished / ARCHIVE.file).replace(folder / ARCHIVE.file)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        for schema in (LIVE, CONTROL):
            if _damaged(folder, schema):
                _keep(folder, schema, aside)
                _remove_logs(folder, schema)
                (folder / schema.file).unlink()
    return Repaired(aside, salvaged)


def _unheard(name: str, done: int, total: int | None) -> None:
    del name, done, total


def _distrusted(faults: Iterator[VoteFault]) -> set[tuple[int, int]]:
    """Return the searches whose vote is wrong, so far as the damaged archive lets it be told."""
    found: set[tuple[int, int]] = set()
    with contextlib.suppress(ArchiveError):
        for fault in faults:
            found.add((fault.iteration, fault.task))
    return found


def _aside(folder: Path) -> Path:
    number = 1
    while (folder / f"damaged-{number}").exists():
        number += 1
    aside = folder / f"damaged-{number}"
    aside.mkdir()
    return aside


def _keep(folder: Path, schema: Schema, aside: Path) -> None:
    """Put a second name, or a copy, of a database and its log into a folder."""
    for name in (schema.file, f"{schema.file}-wal"):
        if (folder / name).exists():
            try:
                os.link(folder / name, aside / name)
            except OSError:  # a file system without links
                shutil.copy2(folder / name, aside / name)


def _remove_logs(folder: Path, schema: Schema) -> None:
    for suffix in ("-wal", "-shm"):
        (folder / f"{schema.file}{suffix}").unlink(missing_ok=True)


def _damaged(folder: Path, schema: Schema) -> bool:
    try:
        with contextlib.closing(open_to_read(folder, schema)) as sql:
            return bool(sql.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except MissingFileError:
        return False
    except ArchiveError:
        return True
