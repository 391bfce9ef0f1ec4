"""What happened, in order: events, pulls as they come in, curves, checkpoints, examples."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from engine.archive.candidates import PULL
from engine.archive.reading import Reading, placeholders
from engine.archive.rows import Checkpoint, EventRow, Example, ExampleCount, MetricPoint, PullRow
from engine.programs.candidate import Pull

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


def pulls_after(reading: Reading, after: int, limit: int) -> list[PullRow]:
    """Return up to `limit` pulls committed after the one of row id `after`, in commit order."""
    rows = reading.sql.execute(
        f"SELECT id, first, count, (SELECT max(accuracy) FROM candidate AS c "  # noqa: S608 - a constant
        "WHERE c.id BETWEEN first AND first + count - 1 AND c.filter IS NULL), "
        "(SELECT count(*) FROM candidate AS c WHERE c.id BETWEEN first AND first + count - 1 "
        f"AND c.filter IS NULL AND c.accuracy = 1), {PULL} "
        "FROM pull WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [
        PullRow(identifier, Pull(*said), first, count, best, perfect)
        for identifier, first, count, best, perfect, *said in rows
    ]


def last_pull(reading: Reading) -> int:
    """Return the row id of the pull committed last, 0 before the first."""
    row = reading.sql.execute("SELECT ifnull(max(id), 0) FROM pull").fetchone()
    number: int = row[0]
    return number


def metric_names(reading: Reading) -> list[str]:
    """Return the names of the curves there are, numbers in them by their size."""
    rows = reading.sql.execute("SELECT DISTINCT name FROM metric ORDER BY name")
    return sorted((name for (name,) in rows), key=_by_numbers)


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """Return what a name is sorted by: its texts and its numbers, a longer number being larger."""
    return [
        (len(part) if place % 2 else 0, part)
        for place, part in enumerate(re.split(r"([0-9]+)", name))
    ]


def metric_points(reading: Reading, name: str, after: int) -> list[MetricPoint]:
    """Return a curve's points after a row id, in the order in which they were put.

    Where a step is not above the one before, what drew the curve began anew from there: points that
    it had put at that step or after are left out.
    """
    rows = reading.sql.execute(
        "SELECT id, step, value FROM metric WHERE name = ? AND id > ? ORDER BY id", (name, after)
    )
    points = list[MetricPoint]()
    for identifier, step, value in rows:
        while points and points[-1].step >= step:
            points.pop()
        points.append(MetricPoint(identifier, step, math.nan if value is None else value))
    return points


def checkpoints(reading: Reading) -> list[Checkpoint]:
    """Return what each iteration's learning produced, oldest first."""
    rows = reading.sql.execute(
        "SELECT iteration, path, policy, base, examples, seconds, created FROM checkpoint "
        "ORDER BY id"
    )
    return [Checkpoint(*row) for row in rows]


def examples(reading: Reading, iteration: int, after: int, limit: int) -> list[tuple[int, Example]]:
    """Return up to `limit` examples weighed up in an iteration, each with its row id.

    Those of learning that has not come to a checkpoint do not count, here and in `example_counts`.
    """
    rows = reading.sql.execute(
        "SELECT id, iteration, kind, label, candidate, parent, weight, run, rejected FROM example "
        "WHERE iteration = ? AND id > ? "
        "AND EXISTS (SELECT 1 FROM checkpoint WHERE iteration = ?) ORDER BY id LIMIT ?",
        (iteration, after, iteration, limit),
    )
    return [(identifier, Example(*said)) for identifier, *said in rows]


def example_counts(reading: Reading, iteration: int) -> list[ExampleCount]:
    """Return how many examples of an iteration there are per kind, label and rejection."""
    rows = reading.sql.execute(
        "SELECT kind, label, rejected, count(*) FROM example WHERE iteration = ? "
        "AND EXISTS (SELECT 1 FROM checkpoint WHERE iteration = ?) "
        "GROUP BY kind, label, rejected ORDER BY kind, label, rejected",
        (iteration, iteration),
    )
    return [ExampleCount(*row) for row in rows]


def left_over(reading: Reading, iteration: int) -> bool:
    """Whether there are examples of an iteration that has no checkpoint."""
    (found,) = reading.sql.execute(
        "SELECT EXISTS (SELECT 1 FROM example WHERE iteration = ? "
        "AND NOT EXISTS (SELECT 1 FROM checkpoint WHERE iteration = ?))",
        (iteration, iteration),
    ).fetchone()
    return bool(found)
