"""Whether an archive is whole: its pages, its references, its blobs, its counters.

Each check is a generator of plain sentences, one per fault found; none means that all is well.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from engine.archive.database import explain, open_to_read
from engine.archive.packing import (
    Decompressor,
    PackingError,
    digest,
    packed_grids,
    unpack_reply,
    unpack_results,
    unpack_text,
)
from engine.archive.reading import dictionary
from engine.archive.schema import ARCHIVE

_PAGE: Final = 2_000
_MOST: Final = 20
"""Faults told of one kind; the rest are only counted."""

OnRows = Callable[[int], None]
"""Hears how many rows have been looked at so far."""


def page_faults(folder: Path) -> Iterator[str]:
    """Yield what SQLite finds wrong with the file itself. Raises ArchiveError if it cannot look."""
    with closing(open_to_read(folder, ARCHIVE)) as sql:
        try:
            for (line,) in sql.execute(f"PRAGMA integrity_check({_MOST})"):
                if line != "ok":
                    yield " ".join(str(line).split())
        except sqlite3.DatabaseError as error:
            yield str(explain(error, folder / ARCHIVE.file))


def reference_faults(folder: Path) -> Iterator[str]:
    """Yield rows that refer to rows which are not there. Raises ArchiveError as page_faults."""
    with closing(open_to_read(folder, ARCHIVE)) as sql:
        try:
            found = sql.execute("PRAGMA foreign_key_check").fetchmany(_MOST)
        except sqlite3.DatabaseError as error:
            yield str(explain(error, folder / ARCHIVE.file))
            return
        for table, row, missing, _ in found:
            yield f"{table} {row} refers to a {missing} that is not there"


def blob_faults(folder: Path, on_rows: OnRows) -> Iterator[str]:
    """Yield sources, results, outputs and replies that cannot be read, or are not what they were.

    What is stored once is found by its digest, so a changed byte is noticed even where it still
    unpacks. Raises ArchiveError as page_faults.
    """
    seen = 0
    with closing(open_to_read(folder, ARCHIVE)) as sql:
        expand = Decompressor(lambda name: dictionary(sql, name))
        for table, (query, check) in _BLOBS.items():
            told, last = 0, -1
            while True:
                try:
                    rows = sql.execute(query, (last, _PAGE)).fetchall()
                except sqlite3.DatabaseError as error:
                    yield f"{table} after {last}: {explain(error, folder / ARCHIVE.file)}"
                    break
                if not rows:
                    break
                for identifier, blob, *rest in rows:
                    fault = _fault(check, expand, blob, rest)
                    if fault is not None:
                        told += 1
                        if told <= _MOST:
                            yield f"{table} {identifier}: {fault}"
                last = rows[-1][0]
                seen += len(rows)
                on_rows(seen)
            if told > _MOST:
                yield f"{table}: {told - _MOST} more like these"


def counter_faults(folder: Path) -> Iterator[str]:
    """Yield searches whose counters are not what their rows add up to, and pulls cut short."""
    with closing(open_to_read(folder, ARCHIVE)) as sql:
        try:
            rows = sql.execute(_COUNTS).fetchmany(_MOST)
        except sqlite3.DatabaseError as error:
            yield str(explain(error, folder / ARCHIVE.file))
            return
        for iteration, task, pulls, candidates, counted_pulls, counted in rows:
            yield (
                f"iteration {iteration}, task {task}: says {pulls} pulls and {candidates} "
                f"candidates, has {counted_pulls} and {counted}"
            )


def _fault(
    check: Callable[[bytes, list[object]], str | None],
    expand: Decompressor,
    blob: bytes,
    rest: list[object],
) -> str | None:
    try:
        return check(expand(blob), rest)
    except PackingError as error:
        return str(error)


def check_program(content: bytes, rest: list[object]) -> str | None:
    """Return what is wrong with an expanded source, given its hash, or None."""
    unpack_text(content)
    return None if digest(content) == rest[0] else "not the text it was stored as"


def check_outcome(content: bytes, rest: list[object]) -> str | None:
    """Return what is wrong with expanded results, given digest and marks, or None."""
    unpack_results(content)
    key, right = rest
    assert isinstance(right, int)
    whole = digest(right.to_bytes(8, "little") + content)
    return None if whole == key else "not the results it was stored with"


def check_pattern(content: bytes, rest: list[object]) -> str | None:
    """Return what is wrong with expanded outputs, given their digest, or None."""
    packed_grids(content)
    return None if digest(content) == rest[0] else "not the outputs it was stored with"


def check_reply(content: bytes, rest: list[object]) -> str | None:
    """Return None for a reply's text; raises PackingError otherwise."""
    unpack_reply(content, None)
    return None


_BLOBS: Final[dict[str, tuple[str, Callable[[bytes, list[object]], str | None]]]] = {
    "program": (
        "SELECT id, source, hash FROM program WHERE id > ? ORDER BY id LIMIT ?",
        check_program,
    ),
    "outcome": (
        "SELECT id, results, digest, right FROM outcome WHERE id > ? ORDER BY id LIMIT ?",
        check_outcome,
    ),
    "pattern": (
        "SELECT id, outputs, digest FROM pattern WHERE id > ? ORDER BY id LIMIT ?",
        check_pattern,
    ),
    "reply": (
        "SELECT candidate, text FROM reply WHERE candidate > ? ORDER BY candidate LIMIT ?",
        check_reply,
    ),
}

_COUNTS: Final = """
SELECT * FROM (
  SELECT s.iteration, s.task, s.pulls, s.candidates,
    (SELECT count(*) FROM pull AS p WHERE p.iteration = s.iteration AND p.task = s.task) AS pulled,
    (SELECT count(*) FROM candidate AS c WHERE c.id
       BETWEEN (s.iteration << 16 | s.task) << 24
       AND (s.iteration << 16 | s.task) << 24 | 16777215) AS counted
  FROM search AS s
) WHERE pulls <> pulled OR candidates <> counted
"""
