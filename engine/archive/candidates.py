"""Candidates: whole and exact for replay, as light rows for lists, and how they descend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from engine.archive.packing import (
    PackingError,
    unpack_bits,
    unpack_reply,
    unpack_results,
    unpack_text,
)
from engine.archive.reading import Reading, candidate_range
from engine.archive.rows import CandidateDetail, CandidateRow
from engine.programs.candidate import Candidate, Evaluation, Pull, Result

PULL = "iteration, task, number, operator, island, parent, draw, seed, created, seconds"
_COLUMNS = tuple(field.name for field in fields(CandidateRow))
ROW = f"SELECT {', '.join(_COLUMNS)} FROM candidate_view"  # noqa: S608 - our own fields
_WHOLE = (
    "SELECT c.id, c.program, g.source, c.outcome, o.results, o.right, c.filter, c.prior, r.text, "
    "c.finish, c.tokens_in, c.tokens_out, c.tokens_cached, c.cost, c.weights FROM candidate AS c "
    "LEFT JOIN program AS g ON g.id = c.program LEFT JOIN outcome AS o ON o.id = c.outcome "
    "LEFT JOIN reply AS r ON r.candidate = c.id WHERE c.id BETWEEN ? AND ? ORDER BY c.id"
)
_WITHOUT_REPLY = _WHOLE.replace("r.text", "NULL").replace(
    "LEFT JOIN reply AS r ON r.candidate = c.id ", ""
)


def pulls_of(
    reading: Reading, iteration: int, task: int, *, on_from: int = 0, limit: int = -1, replies: bool
) -> list[tuple[Pull, list[Candidate]]]:
    """Return a search's pulls in number order, each with its candidates, exactly as recorded.

    Those from number `on_from`, at most `limit`; without `replies` all but the models' whole texts.
    """
    pulls = reading.sql.execute(
        f"SELECT first, count, {PULL} FROM pull WHERE iteration = ? AND task = ? AND number >= ? "  # noqa: S608 - a constant
        "ORDER BY number LIMIT ?",
        (iteration, task, on_from, limit),
    ).fetchall()
    if not pulls:
        return []
    ids = (min(pull[0] for pull in pulls), max(pull[0] + pull[1] for pull in pulls) - 1)
    query = _WHOLE if replies else _WITHOUT_REPLY
    rows = {row[0]: row for row in reading.sql.execute(query, ids)}
    whole = _Whole(reading.expand, reading.outlines[task].pairs)
    found = []
    for first, count, *said in pulls:
        pull = Pull(*said)
        lost = next((first + slot for slot in range(count) if first + slot not in rows), None)
        if lost is not None:
            raise PackingError(f"candidate {lost} is not there")
        found.append((pull, [whole(pull, rows[first + slot]) for slot in range(count)]))
    return found


def bare_candidate(reading: Reading, identifier: int) -> Candidate | None:
    """Return one candidate without the reply it came in, or None when there is none of that id."""
    row = reading.sql.execute(_WITHOUT_REPLY, (identifier, identifier)).fetchone()
    if row is None:
        return None
    pull = _pull_of(reading, identifier)
    return _Whole(reading.expand, reading.outlines[pull.task].pairs)(pull, row)


def candidate_detail(reading: Reading, identifier: int) -> CandidateDetail | None:
    """Return one candidate whole, or None when there is none of that id."""
    row = reading.sql.execute(_WHOLE, (identifier, identifier)).fetchone()
    if row is None:
        return None
    pull = _pull_of(reading, identifier)
    outline = reading.outlines[pull.task]
    pattern, right = reading.sql.execute(
        "SELECT t.id, t.right FROM candidate AS c LEFT JOIN outcome AS o ON o.id = c.outcome "
        "LEFT JOIN pattern AS t ON t.id = o.pattern WHERE c.id = ?",
        (identifier,),
    ).fetchone()
    marks = None if right is None else unpack_bits(right, outline.tests)
    whole = _Whole(reading.expand, outline.pairs)
    return CandidateDetail(whole(pull, row), pull, pattern, marks)


def _pull_of(reading: Reading, identifier: int) -> Pull:
    said = reading.sql.execute(
        f"SELECT {PULL} FROM pull WHERE id = (SELECT pull FROM candidate WHERE id = ?)",  # noqa: S608 - a constant
        (identifier,),
    ).fetchone()
    if said is None:
        raise PackingError(f"the pull of candidate {identifier} is not there")
    return Pull(*said)


def search_rows(reading: Reading, iteration: int, task: int) -> list[CandidateRow]:
    """Return all candidates of one search as light rows, in id order."""
    return _rows(reading, "WHERE id BETWEEN ? AND ?", candidate_range(iteration, task))


def chain(reading: Reading, identifier: int) -> list[CandidateRow]:
    """Return a candidate's refinement chain: from the sampled ancestor down to itself."""
    # A parent exists before its children, so ids along a chain grow.
    return _rows(
        reading,
        "WHERE id IN (WITH RECURSIVE up (id) AS (SELECT ? UNION SELECT p.parent FROM up "
        "JOIN candidate AS c ON c.id = up.id JOIN pull AS p ON p.id = c.pull "
        "WHERE p.parent IS NOT NULL) SELECT id FROM up)",
        (identifier,),
    )


def children(reading: Reading, identifier: int) -> list[CandidateRow]:
    """Return the candidates refined from one, in id order."""
    return _rows(
        reading,
        "WHERE id IN (SELECT c.id FROM pull AS p JOIN candidate AS c "
        "ON c.id BETWEEN p.first AND p.first + p.count - 1 WHERE p.parent = ?)",
        (identifier,),
    )


def _rows(reading: Reading, where: str, values: tuple[int, ...]) -> list[CandidateRow]:
    rows = reading.sql.execute(f"{ROW} {where} ORDER BY id", values)
    return [candidate_row(row) for row in rows]


def candidate_row(row: tuple[Any, ...]) -> CandidateRow:
    """Return a row of ROW's columns as a value."""
    named = dict(zip(_COLUMNS, row, strict=True))
    for name in ("runs", "right"):
        named[name] = None if named[name] is None else bool(named[name])
    return CandidateRow(**named)


class _Whole:
    """Builds candidates from rows; a program or outcome that returns is the same object again."""

    def __init__(self, expand: Callable[[bytes], bytes], pairs: int) -> None:
        self._expand = expand
        self._pairs = pairs
        self._sources: dict[int, str] = {}
        self._results: dict[int, tuple[Result, ...]] = {}

    def __call__(self, pull: Pull, row: tuple[Any, ...]) -> Candidate:
        identifier, program, source, outcome, results, right, name, prior, reply, *rest = row
        if program is not None and program not in self._sources:
            self._sources[program] = unpack_text(self._expand(source))
        evaluation = None
        if outcome is not None:
            if outcome not in self._results:
                self._results[outcome] = unpack_results(self._expand(results))
            marks = unpack_bits(right, self._pairs)
            evaluation = Evaluation(self._results[outcome], marks, name)
        source_text = None if program is None else self._sources[program]
        return Candidate(
            identifier,
            pull.operator,
            pull.number,
            pull.island,
            pull.parent,
            source_text,
            evaluation,
            prior,
            None if reply is None else unpack_reply(self._expand(reply), source_text),
            *rest,
        )
