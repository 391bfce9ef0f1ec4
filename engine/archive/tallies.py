"""Whole searches as columns, one at a time: what analysis counts, kept small enough to stream.

A search of 6 000 candidates is some 400 kB here; nothing is read of sources, replies or results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.archive.packing import packed_grids, unpack_bits, unpack_text
from engine.archive.reading import Reading, candidate_range, placeholders

_AT_ONCE: Final = 500
_HASH_BYTES: Final = 8

_CANDIDATES = (
    "SELECT c.id, c.pull, ifnull(c.program, -1), substr(g.hash, 1, 8), ifnull(g.length, 0), "
    "ifnull(c.outcome, -1), ifnull(o.runs, 0), ifnull(o.pattern, -1), ifnull(c.accuracy, -1.0), "
    "c.filter IS NOT NULL, c.prior FROM candidate AS c "
    "LEFT JOIN program AS g ON g.id = c.program LEFT JOIN outcome AS o ON o.id = c.outcome "
    "WHERE c.id BETWEEN ? AND ? ORDER BY c.id"
)

_SUBMITTED: Final = (
    "FROM vote AS v JOIN pattern AS t ON t.id = v.pattern "
    "WHERE v.iteration = ? AND v.task = ? AND v.rank <= 2 ORDER BY v.rank"
)


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One search as its counters say: a task in an iteration.

    `right` counts candidates right on every test input, filtered ones too (0 where the truth is
    unknown); `finished` is when it was voted on (None: not yet), `seconds` how long it took.
    """

    iteration: int
    task: int
    candidates: int
    right: int
    perfect: int
    best: float | None
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    cost: float
    finished: float | None
    seconds: float | None
    formula: str | None


@dataclass(frozen=True, slots=True, eq=False)
class SearchColumns:
    """One search's candidates as columns, in the order of their numbers.

    Per candidate: `id` int64; `refined` bool; `parent` int32, the parent's position here (-1:
    none); `pull` int32, a position in `pull_created`; `program` int64, the archive's id (-1: the
    reply held none), and `key` int64, which is the same for the same source in every run; `length`
    int32 in characters; `outcome` int64, one id per joint result (-1: none); `ran` bool, valid on
    some input; `pairs_right` int32 of `pairs` demonstrations (-1: not run); `barred` bool, a filter
    fired; `pattern` int32, a position in `outputs` (-1: a test output is missing); `prior` float64
    (NaN: none).

    Per pull: `pull_created` float64, Unix time, and `pull_refined` bool, in the order of numbers.

    Per pattern: `outputs`, its joined packed grids, in the order of the bytes; `marks` int64, bit
    t set where test output t is right (-1: truth unknown); `pattern_id` int64, the archive's.

    `submitted` holds the marks of the recorded submissions, best first (None: not voted on yet).
    """

    iteration: int
    task: int
    pairs: int
    tests: int
    known: bool
    id: NDArray[np.int64]
    refined: NDArray[np.bool_]
    parent: NDArray[np.int32]
    pull: NDArray[np.int32]
    program: NDArray[np.int64]
    key: NDArray[np.int64]
    length: NDArray[np.int32]
    outcome: NDArray[np.int64]
    ran: NDArray[np.bool_]
    pairs_right: NDArray[np.int32]
    barred: NDArray[np.bool_]
    pattern: NDArray[np.int32]
    prior: NDArray[np.float64]
    pull_created: NDArray[np.float64]
    pull_refined: NDArray[np.bool_]
    outputs: tuple[bytes, ...]
    marks: NDArray[np.int64]
    pattern_id: NDArray[np.int64]
    submitted: tuple[tuple[bool, ...] | None, ...] | None


def search_rows(reading: Reading) -> list[SearchRow]:
    """Return every search begun so far, by iteration and task."""
    rows = reading.sql.execute(
        "SELECT iteration, task, candidates, right, perfect, best, tokens_in, tokens_out, "
        "tokens_cached, cost, finished, seconds, formula FROM search ORDER BY iteration, task"
    )
    return [SearchRow(*row) for row in rows]


def search_columns(reading: Reading, iteration: int, task: int) -> SearchColumns:
    """Return the candidates of one search as columns."""
    outline = reading.outlines[task]
    pulls = reading.sql.execute(
        "SELECT id, operator = 'refine', ifnull(parent, -1), created FROM pull "
        "WHERE iteration = ? AND task = ? ORDER BY number",
        (iteration, task),
    ).fetchall()
    rows = reading.sql.execute(_CANDIDATES, candidate_range(iteration, task)).fetchall()
    given = list(zip(*rows, strict=True)) or [()] * 11
    ids = np.array(given[0], dtype=np.int64)
    places = {row[0]: place for place, row in enumerate(pulls)}
    pull = np.array([places[row] for row in given[1]], dtype=np.int32)
    refined = np.array([row[1] for row in pulls], dtype=np.bool_)
    parents = np.array([row[2] for row in pulls], dtype=np.int64)
    patterns = np.array(given[7], dtype=np.int64)
    pattern_ids, outputs, marks = _patterns(reading, np.unique(patterns[patterns >= 0]).tolist())
    order = {identifier: place for place, identifier in enumerate(pattern_ids)}
    return SearchColumns(
        iteration=iteration,
        task=task,
        pairs=outline.pairs,
        tests=outline.tests,
        known=outline.known,
        id=ids,
        refined=refined[pull],
        parent=_positions(ids, parents[pull]),
        pull=pull,
        program=np.array(given[2], dtype=np.int64),
        key=_keys(given[3]),
        length=np.array(given[4], dtype=np.int32),
        outcome=np.array(given[5], dtype=np.int64),
        ran=np.array(given[6], dtype=np.bool_),
        pairs_right=_whole_pairs(given[8], outline.pairs),
        barred=np.array(given[9], dtype=np.bool_),
        pattern=np.array([order.get(name, -1) for name in given[7]], dtype=np.int32),
        prior=np.array(given[10], dtype=np.float64),
        pull_created=np.array([row[3] for row in pulls], dtype=np.float64),
        pull_refined=refined,
        outputs=tuple(outputs),
        marks=np.array(marks, dtype=np.int64),
        pattern_id=np.array(pattern_ids, dtype=np.int64),
        submitted=_submitted(reading, iteration, task),
    )


def program_sources(reading: Reading, programs: Iterable[int]) -> list[str]:
    """Return the sources of programs by their ids, in the order of the ids given."""
    wanted = list(programs)
    found: dict[int, str] = {}
    for part in _parts(list(dict.fromkeys(wanted))):
        rows = reading.sql.execute(
            f"SELECT id, source FROM program WHERE id IN ({placeholders(part)})",  # noqa: S608 - question marks
            part,
        )
        found |= {identifier: unpack_text(reading.expand(source)) for identifier, source in rows}
    return [found[identifier] for identifier in wanted]


def submissions(reading: Reading, iteration: int, task: int) -> list[tuple[bytes, ...]] | None:
    """Return the packed grids of a task's recorded submissions, best first (None: not voted on)."""
    if not _voted(reading, iteration, task):
        return None
    rows = reading.sql.execute(
        f"SELECT t.outputs {_SUBMITTED}",
        (iteration, task),
    )
    return [packed_grids(reading.expand(packed)) for (packed,) in rows.fetchall()]


def _patterns(reading: Reading, ids: list[int]) -> tuple[list[int], list[bytes], list[int]]:
    """Return patterns' ids, joined outputs and marks, in the order of the outputs' bytes."""
    found: list[tuple[bytes, int, int]] = []
    for part in _parts(ids):
        rows = reading.sql.execute(
            f"SELECT id, outputs, ifnull(right, -1) FROM pattern WHERE id IN ({placeholders(part)})",  # noqa: S608 - question marks
            part,
        )
        found += [(reading.expand(packed), identifier, right) for identifier, packed, right in rows]
    found.sort()
    return [row[1] for row in found], [row[0] for row in found], [row[2] for row in found]


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]


def _submitted(
    reading: Reading, iteration: int, task: int
) -> tuple[tuple[bool, ...] | None, ...] | None:
    if not _voted(reading, iteration, task):
        return None
    tests = reading.outlines[task].tests
    rows = reading.sql.execute(
        f"SELECT t.right {_SUBMITTED}",
        (iteration, task),
    )
    return tuple(None if right is None else unpack_bits(right, tests) for (right,) in rows)


def _voted(reading: Reading, iteration: int, task: int) -> bool:
    row = reading.sql.execute(
        "SELECT finished IS NOT NULL FROM search WHERE iteration = ? AND task = ?",
        (iteration, task),
    ).fetchone()
    return row is not None and bool(row[0])


def _positions(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return where each wanted id is among the sorted ids, -1 where it is not."""
    if not len(ids):
        return np.zeros(0, dtype=np.int32)
    at = np.searchsorted(ids, wanted).clip(0, len(ids) - 1)
    return np.where(ids[at] == wanted, at, -1).astype(np.int32)


def _keys(hashes: Sequence[bytes | None]) -> NDArray[np.int64]:
    """Return the first 8 bytes of each source's digest as a number, 0 where there is no source."""
    joined = b"".join(one or bytes(_HASH_BYTES) for one in hashes)
    return np.frombuffer(joined, dtype=">i8").astype(np.int64)


def _whole_pairs(accuracies: Sequence[float], pairs: int) -> NDArray[np.int32]:
    shares = np.array(accuracies, dtype=np.float64)
    return np.where(shares < 0, -1, np.rint(shares * pairs)).astype(np.int32)
