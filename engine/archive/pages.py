"""Pages of candidates under filters, by key in both directions, in bounded time each."""

from __future__ import annotations

from engine.archive.candidates import ROW, candidate_row
from engine.archive.reading import Reading, candidate_range
from engine.archive.rows import CandidatePage, CandidateQuery, CandidateRow

_LOOK_AT = 20_000
_LOOK_INTO = 2_000  # where each source has to be expanded and searched


def candidate_page(
    reading: Reading, query: CandidateQuery, after: int | None, limit: int, *, backwards: bool
) -> CandidatePage:
    """Return up to `limit` candidates after an id (before it, if backwards), in that order."""
    conditions, values = _conditions(query)
    budget = _LOOK_AT if query.text is None else _LOOK_INTO
    rows: list[CandidateRow] = []
    for low, high in _ranges(reading, query, after, backwards=backwards):
        first, last = low, high
        while first <= last:
            seen, edge = _window(reading, first, last, budget, query, backwards=backwards)
            part = (first, edge) if not backwards else (edge, last)
            found = reading.sql.execute(
                f"{ROW} WHERE id BETWEEN ? AND ? {conditions} "
                f"ORDER BY id {'DESC' if backwards else 'ASC'} LIMIT ?",
                (*part, *values, limit - len(rows)),
            )
            rows += map(candidate_row, found)
            if len(rows) == limit:
                return CandidatePage(tuple(rows), rows[-1].id)
            first, last = (edge + 1, last) if not backwards else (first, edge - 1)
            budget -= seen
            if budget <= 0:
                return CandidatePage(tuple(rows), edge)
    return CandidatePage(tuple(rows), None)


def _window(
    reading: Reading,
    first: int,
    last: int,
    budget: int,
    query: CandidateQuery,
    *,
    backwards: bool,
) -> tuple[int, int]:
    """Return how many candidates of a key range to look at, and the id where they end."""
    far = first if backwards else last
    if query.perfect:
        return 0, far  # these have an index of their own
    order = "DESC" if backwards else "ASC"
    row = reading.sql.execute(
        f"SELECT id FROM candidate WHERE id BETWEEN ? AND ? ORDER BY id {order} LIMIT 1 OFFSET ?",  # noqa: S608 - one of two words
        (first, last, budget - 1),
    ).fetchone()
    if row is not None:
        return budget, row[0]
    count = reading.sql.execute(
        "SELECT count(*) FROM candidate WHERE id BETWEEN ? AND ?", (first, last)
    ).fetchone()[0]
    return count, far


def _ranges(
    reading: Reading, query: CandidateQuery, after: int | None, *, backwards: bool
) -> list[tuple[int, int]]:
    """Return the key ranges to go through, in the order asked for, cut off at `after`."""
    iterations = [
        index
        for (index,) in reading.sql.execute("SELECT idx FROM iteration ORDER BY idx")
        if query.iteration in (None, index)
    ]
    last_task = max(0, len(reading.outlines) - 1)
    tasks = (0, last_task) if query.task is None else (query.task, query.task)
    whole = [
        (candidate_range(index, tasks[0])[0], candidate_range(index, tasks[1])[1])
        for index in iterations
    ]
    if after is not None and backwards:
        whole = [(low, min(high, after - 1)) for low, high in whole]
    elif after is not None:
        whole = [(max(low, after + 1), high) for low, high in whole]
    kept = [(low, high) for low, high in whole if low <= high]
    return kept[::-1] if backwards else kept


def _conditions(query: CandidateQuery) -> tuple[str, list[object]]:
    """Return the query's SQL conditions, each led by AND, and their values."""
    parts: list[tuple[str, tuple[object, ...]]] = []
    if query.operator is not None:
        parts.append(("operator = ?", (query.operator,)))
    if query.island is not None:
        parts.append(("island = ?", (query.island,)))
    if query.program is not None:
        parts.append((f"program IS {'NOT ' if query.program else ''}NULL", ()))
    if query.runs is not None:
        parts.append(("runs = ?", (query.runs,)))
    if query.filter is not None:
        parts.append(("filter IS ?", (query.filter or None,)))
    if query.accuracy is not None:
        parts.append(("accuracy BETWEEN ? AND ?", query.accuracy))
    if query.perfect is not None:
        both = "(accuracy = 1 AND filter IS NULL)"
        parts.append((both if query.perfect else f"NOT ifnull({both}, 0)", ()))
    if query.right is not None:
        parts.append(("ifnull(right, 0) = ?", (query.right,)))
    if query.pattern is not None:
        parts.append(("pattern = ?", (query.pattern,)))
    if query.text is not None:
        searched = "(SELECT source FROM program AS g WHERE g.id = program)"
        parts.append((f"source_has({searched}, ?)", (query.text.casefold(),)))
    return "".join(f" AND {text}" for text, _ in parts), [v for _, vs in parts for v in vs]
