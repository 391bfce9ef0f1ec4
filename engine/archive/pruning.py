"""Dropping from an archive what its user names: replies, and sources that differ in layout only.

The only place where recorded rows go. Votes, counters, accuracies and everything else stay.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from engine.archive.database import explain, merge_log, open_to_read, open_to_write
from engine.archive.packing import Decompressor, PackingError, unpack_text
from engine.archive.reading import dictionary
from engine.archive.schema import ARCHIVE, ArchiveError
from engine.programs.source import SourceError, normal_hash

_PAGE = 2_000
_QUOTED = (
    "SELECT DISTINCT c.program FROM reply AS r JOIN candidate AS c ON c.id = r.candidate "
    "WHERE c.program IS NOT NULL"
)
"""Programs that stand in replies: there their text is not stored again."""

OnRows = Callable[[int], None]
"""Hears how many rows have been looked at so far."""


def replies(folder: Path) -> tuple[int, int]:
    """Return how many replies an archive holds, and their bytes on disk. Raises ArchiveError."""
    with closing(open_to_read(folder, ARCHIVE)) as sql:
        try:
            row = sql.execute("SELECT count(*), ifnull(sum(length(text)), 0) FROM reply").fetchone()
        except sqlite3.Error as error:
            raise explain(error, folder / ARCHIVE.file) from error
    return row[0], row[1]


def drop_replies(folder: Path) -> None:
    """Drop the whole answers of language models; the programs in them stay. Raises ArchiveError."""
    _change(folder, lambda sql: sql.execute("DELETE FROM reply"))


def layout_twins(
    folder: Path, on_rows: OnRows, *, with_replies: bool
) -> tuple[dict[int, int], int]:
    """Return programs that differ from a shorter one in comments and layout only, and their bytes.

    The result maps the id of each to that of the one to keep. A program that is part of a reply
    goes only where replies do. Raises ArchiveError, also while an iteration is not through: until
    then a search tells its programs apart by their text.
    """
    kept: dict[bytes, tuple[int, int, int]] = {}
    twins: dict[int, int] = {}
    freed, last, seen = 0, 0, 0
    path = folder / ARCHIVE.file
    with closing(open_to_read(folder, ARCHIVE)) as sql:
        expand = Decompressor(lambda name: dictionary(sql, name))
        try:
            if sql.execute("SELECT 1 FROM iteration WHERE ended IS NULL").fetchone():
                raise ArchiveError(
                    f"{path}: an iteration is not through, and goes by its programs' exact text; "
                    "let the run finish first"
                )
            quoted: set[int] = set()
            if not with_replies:
                quoted = {program for (program,) in sql.execute(_QUOTED)}
            while rows := sql.execute(
                "SELECT id, length, source FROM program WHERE id > ? ORDER BY id LIMIT ?",
                (last, _PAGE),
            ).fetchall():
                for identifier, length, blob in rows:
                    if identifier in quoted:
                        continue
                    try:
                        key = normal_hash(unpack_text(expand(blob)))
                    except SourceError:
                        continue  # what does not parse has no layout to differ in
                    mine = (length, identifier, len(blob))
                    if key not in kept:
                        kept[key] = mine
                        continue
                    best, other = sorted((kept[key], mine))
                    kept[key] = best
                    twins[other[1]] = best[1]
                    freed += other[2]
                last, seen = rows[-1][0], seen + len(rows)
                on_rows(seen)
        except sqlite3.Error as error:
            raise explain(error, path) from error
        except PackingError as error:
            raise ArchiveError(f"{path}: {error}") from error
    return {twin: _end(twins, twin) for twin in twins}, freed


def merge_twins(folder: Path, twins: dict[int, int]) -> None:
    """Have candidates refer to the program that is kept of each twin. Raises ArchiveError."""

    def merge(sql: sqlite3.Connection) -> None:
        sql.execute("CREATE TEMP TABLE twin (dropped INTEGER PRIMARY KEY, kept INTEGER NOT NULL)")
        sql.executemany("INSERT INTO twin VALUES (?, ?)", twins.items())
        sql.execute(
            "UPDATE candidate SET program = (SELECT kept FROM twin WHERE dropped = program) "
            "WHERE program IN (SELECT dropped FROM twin)"
        )
        sql.execute("DELETE FROM program WHERE id IN (SELECT dropped FROM twin)")

    _change(folder, merge)


def compact(folder: Path) -> None:
    """Give back to the disk what was dropped, by writing the archive anew.

    Raises ArchiveError, also when the disk has no room for a second archive meanwhile.
    """
    path = folder / ARCHIVE.file
    free, needed = shutil.disk_usage(folder).free, path.stat().st_size
    if free < needed:
        raise ArchiveError(
            f"{path}: what was dropped is reused by later rows, but not given back: that needs "
            f"{needed / 1e6:,.0f} MB free meanwhile, there are {free / 1e6:,.0f}"
        )
    with closing(open_to_write(folder, ARCHIVE)) as sql:
        try:
            sql.execute("VACUUM")
            merge_log(sql)
        except sqlite3.Error as error:
            raise explain(error, path) from error


def _end(twins: dict[int, int], twin: int) -> int:
    """Return the program kept in the end, where the one kept first had a shorter twin itself."""
    while twin in twins:
        twin = twins[twin]
    return twin


def _change(folder: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    with closing(open_to_write(folder, ARCHIVE)) as sql:
        try:
            # Else each deletion would look for rows that refer to it, which no index tells.
            sql.execute("PRAGMA foreign_keys = OFF")
            sql.execute("BEGIN IMMEDIATE")
            change(sql)
            sql.execute("COMMIT")
        except sqlite3.Error as error:
            raise explain(error, folder / ARCHIVE.file) from error
