"""What can be read of a damaged archive, written into a new one in which everything fits together.

Tables are read by key, past what cannot be read. A search that has lost something keeps its pulls
up to the first incomplete one and is marked unfinished, so that the next engine goes on from there:
what was lost is searched again. The damaged file is only read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.archive.cutting import make_whole
from engine.archive.database import explain, open_to_read, open_to_write
from engine.archive.integrity import check_outcome, check_pattern, check_program, check_reply
from engine.archive.packing import Decompressor, PackingError, pack_text
from engine.archive.reading import dictionary
from engine.archive.schema import ARCHIVE, ArchiveError

_PAGE: Final = 500
_KEYS: Final = {"task": "idx", "iteration": "idx", "reply": "candidate"}
"""Tables whose first column, the key, is not `id`."""
_NEEDED: Final = ("meta", "task", "iteration")
"""Without all of these no archive can be made; each fits into a page or two."""
_PLAIN: Final = ("dictionary", "checkpoint", "event", "metric", "example", "pull", "candidate")
_BLOBS: Final[dict[str, tuple[int, Callable[[bytes, list[Any]], str | None], tuple[int, ...]]]] = {
    "program": (3, check_program, (1,)),
    "pattern": (3, check_pattern, (2,)),
    "outcome": (3, check_outcome, (2, 4)),
    "reply": (1, check_reply, ()),
}
"""Table → the place of its blob among its columns, the check, the places of what it is given."""


@dataclass(slots=True)
class Salvaged:
    """What came over: rows per table, rows that could be found but not read, searches cut short.

    `cut` holds (iteration, task, pulls kept); those searches go on with the next engine.
    """

    kept: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    cut: list[tuple[int, int, int]] = field(default_factory=list)


def salvage(
    damaged: Path,
    folder: Path,
    on_table: Callable[[str, int], None],
    *,
    distrusted: Collection[tuple[int, int]] = (),
) -> Salvaged:
    """Write what can be read of `damaged`'s archive into a new one in `folder`.

    `distrusted` are searches, by iteration and task, whose vote is not to be kept. `on_table`
    hears the table being read and how many of its rows have come over. Raises ArchiveError when
    the damaged file does not open, lacks what no archive can be without, or is of another version.
    """
    path = damaged / ARCHIVE.file
    found = Salvaged()
    with (
        closing(open_to_read(damaged, ARCHIVE)) as source,
        closing(open_to_write(folder, ARCHIVE)) as target,
    ):
        try:
            target.execute("PRAGMA foreign_keys = OFF")
            target.execute("PRAGMA synchronous = OFF")
            target.execute("BEGIN IMMEDIATE")
            target.execute("DELETE FROM meta")
            for table in (*_NEEDED, *_PLAIN, *_BLOBS):
                _copy(source, target, table, found, on_table)
            _copy_searches(source, target, found)
            found.cut = make_whole(target, distrusted)
            target.execute("COMMIT")
            wrong = target.execute("PRAGMA foreign_key_check").fetchone()
            target.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            raise explain(error, path) from error
    if wrong is not None:
        raise ArchiveError(f"{path}: what is left of it does not fit together ({wrong[0]})")
    return found


def _copy(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    table: str,
    found: Salvaged,
    on_table: Callable[[str, int], None],
) -> None:
    """Copy a table row by row, leaving out blobs that are not what they were."""
    kept, lost = 0, 0
    expand = Decompressor(lambda name: dictionary(target, name))
    for row in _rows(source, table, found):
        if table in _BLOBS and not _sound(row, *_BLOBS[table], expand):
            lost += 1
            continue
        _insert(target, table, row)
        kept += 1
        if not kept % 10_000:
            on_table(table, kept)
    found.kept[table] = kept
    if lost:
        found.unreadable[table] = found.unreadable.get(table, 0) + lost
    on_table(table, kept)


def _insert(target: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> None:
    # Text goes as bytes, for it may hold lone surrogates. A damaged index may hand out a row
    # twice; the first one is as good as the second.
    marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, str) else "?" for value in row)
    values = [pack_text(value) if isinstance(value, str) else value for value in row]
    target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608 - our own tables


def _sound(
    row: tuple[Any, ...],
    place: int,
    check: Callable[[bytes, list[Any]], str | None],
    given: tuple[int, ...],
    expand: Decompressor,
) -> bool:
    try:
        return check(expand(row[place]), [row[at] for at in given]) is None
    except PackingError:
        return False


def _rows(source: sqlite3.Connection, table: str, found: Salvaged) -> Iterator[tuple[Any, ...]]:
    """Yield a table's readable rows in key order, stepping over what cannot be read."""
    if table == "meta":
        try:
            yield from source.execute("SELECT * FROM meta").fetchall()
        except sqlite3.DatabaseError as error:
            raise ArchiveError(f"its table meta cannot be read: {error}") from error
        return
    key = _KEYS.get(table, "id")
    query = f"SELECT * FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608 - our own tables
    last, limit = -1, _PAGE
    while True:
        try:
            rows = source.execute(query, (last, limit)).fetchall()
        except sqlite3.DatabaseError as error:
            if table in _NEEDED:
                raise ArchiveError(f"its table {table} cannot be read: {error}") from error
            if limit > 1:
                limit = 1
                continue
            found.unreadable[table] = found.unreadable.get(table, 0) + 1
            further = _next_readable(source, query, last, _last_key(source, table, key))
            if further is None:
                return
            last = further
            continue
        if not rows:
            return
        yield from rows
        last = rows[-1][0]
        limit = min(_PAGE, 2 * limit)


def _next_readable(source: sqlite3.Connection, query: str, last: int, end: int) -> int | None:
    """Return the least key behind which rows can be read again, or None when there is none."""

    def readable(key: int) -> bool:
        try:
            source.execute(query, (key, 1)).fetchall()
        except sqlite3.DatabaseError:
            return False
        return True

    step = 1
    while not readable(min(last + step, end)):
        if last + step >= end:
            return None
        step *= 2
    low, high = last + step // 2, min(last + step, end)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if readable(middle) else (middle, high)
    return high


def _last_key(source: sqlite3.Connection, table: str, key: str) -> int:
    try:
        row = source.execute(f"SELECT ifnull(max({key}), -1) FROM {table}").fetchone()  # noqa: S608 - our own tables
    except sqlite3.DatabaseError:
        return 1 << 62
    number: int = row[0]
    return number


def _copy_searches(source: sqlite3.Connection, target: sqlite3.Connection, found: Salvaged) -> None:
    """Copy searches and their votes, one by one; a vote that is not whole is left out."""
    kept = {"search": 0, "vote": 0}
    places = target.execute(
        "SELECT i.idx, k.idx FROM iteration AS i JOIN task AS k "
        "ON k.idx BETWEEN i.first AND i.first + i.tasks - 1 ORDER BY 1, 2"
    ).fetchall()
    for place in places:
        rows: dict[str, list[tuple[Any, ...]]] = {}
        try:
            for table in kept:
                query = f"SELECT * FROM {table} WHERE iteration = ? AND task = ?"  # noqa: S608 - our own tables
                rows[table] = source.execute(query, place).fetchall()
        except sqlite3.DatabaseError:
            found.unreadable["search"] = found.unreadable.get("search", 0) + 1
            continue
        for table, several in rows.items():
            for row in several:
                _insert(target, table, row)
            kept[table] += len(several)
    found.kept.update(kept)
