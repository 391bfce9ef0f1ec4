"""Candidates: whole and exact for replay, as light rows for lists, and how they descend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.archive.packing import unpack_bits, unpack_results, unpack_text
from engine.archive.reading import Reading, candidate_range
from engine.programs.candidate import Candidate, Evaluation, Pull, Result

PULL = "iteration, task, number, operator, island, parent, draw, seed, created, seconds"

_WHOLE = (
    "SELECT c.id, c.program, g.source, c.outcome, o.results, o.right, c.filter, c.prior, r.text, "
    "c.finish, c.tokens_in, c.tokens_out FROM candidate AS c "
    "LEFT JOIN program AS g ON g.id = c.program LEFT JOIN outcome AS o ON o.id = c.outcome "
    "LEFT JOIN reply AS r ON r.candidate = c.id WHERE c.id BETWEEN ? AND ? ORDER BY c.id"
)


def pulls_of(reading: Reading, iteration: int, task: int) -> list[tuple[Pull, list[Candidate]]]:
    """Return a search's pulls in number order, each with its candidates, exactly as recorded."""
    pulls = reading.sql.execute(
        f"SELECT first, count, {PULL} FROM pull WHERE iteration = ? AND task = ? ORDER BY number",  # noqa: S608 - a constant
        (iteration, task),
    ).fetchall()
    rows = {row[0]: row for row in reading.sql.execute(_WHOLE, candidate_range(iteration, task))}
    whole = _Whole(reading.expand, len(reading.tasks[task].train))
    found = []
    for first, count, *said in pulls:
        pull = Pull(*said)
        found.append((pull, [whole(pull, rows[first + slot]) for slot in range(count)]))
    return found


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
        return Candidate(
            identifier,
            pull.operator,
            pull.number,
            pull.island,
            pull.parent,
            None if program is None else self._sources[program],
            evaluation,
            prior,
            None if reply is None else unpack_text(self._expand(reply)),
            *rest,
        )
