"""What happened, in order: events, pulls as they come in, curves, checkpoints, examples."""

from __future__ import annotations

from collections.abc import Sequence

from engine.archive.reading import Reading, placeholders
from engine.archive.rows import EventRow

_EVENT = "SELECT id, time, level, kind, text FROM event"


def events(reading: Reading, after: int, limit: int, *, newest: bool) -> list[EventRow]:
    """Return up to `limit` events after an id, oldest first; the last of them if `newest`."""
    order = "DESC" if newest else "ASC"
    rows = reading.sql.execute(
        f"{_EVENT} WHERE id > ? ORDER BY id {order} LIMIT ?",
        (after, limit),
    ).fetchall()
    return [EventRow(*row) for row in (reversed(rows) if newest else rows)]


def last_event(reading: Reading, kinds: Sequence[str] | None) -> EventRow | None:
    """Return the last event (of some kinds), or None when there is none."""
    chosen = "" if kinds is None else f"WHERE kind IN ({placeholders(kinds)})"
    row = reading.sql.execute(
        f"{_EVENT} {chosen} ORDER BY id DESC LIMIT 1", tuple(kinds or ())
    ).fetchone()
    return None if row is None else EventRow(*row)
