"""Much of an archive at once, for exports: pages of any table by key, a task's distinct programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.archive.packing import (
    pack_text,
    unpack_bits,
    unpack_reply,
    unpack_results,
    unpack_text,
)
from engine.archive.reading import Reading, candidate_range, placeholders
from engine.programs.candidate import FilterName, Operator, Result

_PROGRAMS = (
    "SELECT f.id, f.program, g.source, f.outcome, o.results, o.right, t.right, f.filter, "
    "p.operator FROM (SELECT min(id) AS id, program, outcome, pull, filter FROM candidate "
    "WHERE id BETWEEN ? AND ? AND program IS NOT NULL GROUP BY program) AS f "
    "CROSS JOIN pull AS p ON p.id = f.pull CROSS JOIN program AS g ON g.id = f.program "
    "LEFT JOIN outcome AS o ON o.id = f.outcome LEFT JOIN pattern AS t ON t.id = o.pattern "
    "ORDER BY f.id"
)


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A distinct program of one task in one iteration, as the first candidate holding it had it.

    `program` is the archive's id of the text, the same in all tasks and iterations. `results` has
    one entry per input, demonstrations first, and is None where the program was not run; `right`
    marks the demonstrations, `right_tests` the test inputs (None: truth unknown, or one of them
    without output).
    """

    candidate: int
    program: int
    source: str
    results: tuple[Result, ...] | None
    right: tuple[bool, ...]
    right_tests: tuple[bool, ...] | None
    filter: FilterName | None
    operator: Operator


def program_rows(reading: Reading, iteration: int, task: int) -> list[ProgramRow]:
    """Return the distinct programs of one search, in the order in which they first came."""
    pairs, tests = reading.outlines[task].pairs, reading.outlines[task].tests
    outcomes: dict[int | None, tuple[tuple[Result, ...] | None, tuple[bool, ...]]] = {
        None: (None, (False,) * pairs)
    }
    found = []
    for row in reading.sql.execute(_PROGRAMS, candidate_range(iteration, task)):
        candidate, program, source, outcome, results, right, marks, name, operator = row
        if outcome not in outcomes:
            unpacked = unpack_results(reading.expand(results))
            outcomes[outcome] = (unpacked, unpack_bits(right, pairs))
        found.append(
            ProgramRow(
                candidate,
                program,
                unpack_text(reading.expand(source)),
                *outcomes[outcome],
                None if marks is None else unpack_bits(marks, tests),
                name,
                operator,
            )
        )
    return found


def row_count(reading: Reading, table: str) -> int:
    """Return how many rows a table or view has."""
    rows = reading.sql.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - the schema's own names
    count: int = rows.fetchone()[0]
    return count


def table_page(
    reading: Reading,
    table: str,
    columns: Sequence[str],
    keys: Sequence[str],
    *,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """Return up to `limit` rows of a table or view after a key, in the order of its keys.

    Names are the schema's own, never a user's. Blobs come expanded.
    """
    key = ", ".join(keys)
    where = "" if after is None else f"WHERE ({key}) > ({placeholders(keys)})"
    rows = reading.sql.execute(
        f"SELECT {', '.join(columns)} FROM {table} {where} ORDER BY {key} LIMIT ?",  # noqa: S608 - the schema's own names
        (*(after or ()), limit),
    )
    found = [
        tuple(reading.expand(cell) if isinstance(cell, bytes) else cell for cell in row)
        for row in rows
    ]
    return [_whole_reply(reading, row) for row in found] if table == "reply" else found


def _whole_reply(reading: Reading, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put a reply's program, which is stored by itself, back into its text."""
    *keys, candidate, text = row
    found = reading.sql.execute(
        "SELECT g.source FROM candidate AS c JOIN program AS g ON g.id = c.program WHERE c.id = ?",
        (candidate,),
    ).fetchone()
    source = None if found is None else unpack_text(reading.expand(found[0]))
    return (*keys, candidate, pack_text(unpack_reply(text, source)))
