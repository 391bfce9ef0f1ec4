"""How a run stands: its iterations, its tasks, its votes and tallies."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.archive.packing import PackingError, packed_grids, unpack_bits
from engine.archive.reading import Reading, TaskOutline, candidate_range
from engine.archive.rows import (
    IterationRow,
    SearchState,
    TallyRow,
    TaskRow,
    VoteResult,
    VoteRow,
)
from engine.programs.candidate import prior_weight

_SEARCH = (
    "iteration, task, pulls, candidates, programs, errors, filtered, perfect, right, best, "
    "tokens_in, tokens_out, tokens_cached, cost, active, finished, seconds"
)

_Submissions: TypeAlias = list[tuple[bool, ...]]


@dataclass(frozen=True, slots=True)
class _Search:
    """A row of the table `search`."""

    iteration: int
    task: int
    pulls: int
    candidates: int
    programs: int
    errors: int
    filtered: int
    perfect: int
    right: int
    best: float | None
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    cost: float
    active: float
    finished: float | None
    seconds: float | None


def _searches(reading: Reading, iteration: int | None) -> list[_Search]:
    """Return the searches of one iteration, or of all in their order."""
    rows = reading.sql.execute(
        f"SELECT {_SEARCH} FROM search WHERE ?1 IS NULL OR iteration = ?1 ORDER BY iteration",  # noqa: S608 - a constant
        (iteration,),
    )
    return [_Search(*row) for row in rows]


def iteration_rows(reading: Reading) -> list[IterationRow]:
    """Return the iterations begun so far, in order."""
    searches: dict[int, list[_Search]] = defaultdict(list)
    for search in _searches(reading, None):
        searches[search.iteration].append(search)
    marks: dict[int, list[tuple[int, _Submissions]]] = defaultdict(list)
    for (iteration, task), submissions in _submission_marks(reading, None).items():
        marks[iteration].append((task, submissions))
    rows = reading.sql.execute(
        "SELECT idx, phase, policy, checkpoint, first, tasks, started, ended, seconds "
        "FROM iteration ORDER BY idx"
    )
    return [
        _iteration_row(reading.outlines, row, searches[row[0]], marks[row[0]])
        for row in rows.fetchall()
    ]


def _iteration_row(
    outlines: Sequence[TaskOutline],
    row: tuple[Any, ...],
    searches: Sequence[_Search],
    marks: Sequence[tuple[int, _Submissions]],
) -> IterationRow:
    index, phase, policy, checkpoint, first, count, started, ended, seconds = row
    known = sum(outline.known for outline in outlines[first : first + count])
    credit = sum(_partial_credit(submitted, outlines[task].tests) for task, submitted in marks)
    return IterationRow(
        index=index,
        phase=phase,
        policy=policy,
        checkpoint=checkpoint,
        started=started,
        ended=ended,
        seconds=seconds,
        tasks=count,
        finished=sum(s.finished is not None for s in searches),
        known=known,
        solved=sum(any(map(all, submitted)) for _, submitted in marks) if known else None,
        oracle=sum(s.right > 0 for s in searches) if known else None,
        partial_credit=credit / known if known else None,
        pulls=sum(s.pulls for s in searches),
        candidates=sum(s.candidates for s in searches),
        programs=sum(s.programs for s in searches),
        errors=sum(s.errors for s in searches),
        filtered=sum(s.filtered for s in searches),
        perfect=sum(s.perfect for s in searches),
        tokens_in=sum(s.tokens_in for s in searches),
        tokens_out=sum(s.tokens_out for s in searches),
        tokens_cached=sum(s.tokens_cached for s in searches),
        cost=math.fsum(s.cost for s in searches),
    )


def _submission_marks(
    reading: Reading, iteration: int | None
) -> dict[tuple[int, int], _Submissions]:
    """Return, per finished search of known truth, each submission's marks per test input."""
    rows = reading.sql.execute(
        "SELECT s.iteration, s.task, t.right FROM search AS s "
        "LEFT JOIN vote AS v ON v.iteration = s.iteration AND v.task = s.task AND v.rank <= 2 "
        "LEFT JOIN pattern AS t ON t.id = v.pattern "
        "WHERE s.finished IS NOT NULL AND (?1 IS NULL OR s.iteration = ?1)",
        (iteration,),
    )
    marks: dict[tuple[int, int], _Submissions] = defaultdict(list)
    for number, index, right in rows:
        outline = reading.outlines[index]
        if outline.known:
            submissions = marks[number, index]
            if right is not None:
                submissions.append(unpack_bits(right, outline.tests))
    return marks


def _partial_credit(submissions: _Submissions, tests: int) -> float:
    return sum(any(marks) for marks in zip(*submissions, strict=True)) / tests


def task_rows(reading: Reading, iteration: int | None) -> list[TaskRow]:
    """Return one row per task, in index order; None merges all iterations.

    Merged, counts and seconds add up, `best`, `perfect` and `oracle` are over all, and state and
    vote are those of the latest iteration that has one.
    """
    marks = _submission_marks(reading, iteration)
    searches: dict[int, list[_Search]] = defaultdict(list)
    for search in _searches(reading, iteration):
        searches[search.task].append(search)
    return [
        _task_row(index, reading.outlines[index], searches.get(index, []), marks)
        for index in _iteration_tasks(reading, iteration)
    ]


def _iteration_tasks(reading: Reading, iteration: int | None) -> range:
    """Return the indexes of an iteration's tasks, or of all."""
    row = reading.sql.execute(
        "SELECT first, tasks FROM iteration WHERE idx = ?", (iteration,)
    ).fetchone()
    return range(len(reading.outlines)) if row is None else range(row[0], row[0] + row[1])


def _task_row(
    index: int,
    outline: TaskOutline,
    searches: Sequence[_Search],
    marks: Mapping[tuple[int, int], _Submissions],
) -> TaskRow:
    state: SearchState = "untouched"
    if searches:
        state = "searching" if searches[-1].finished is None else "finished"
    voted = [marks[s.iteration, index] for s in searches if (s.iteration, index) in marks]
    oracle = any(s.right for s in searches) if outline.known else None
    return TaskRow(
        index=index,
        id=outline.id,
        state=state,
        pulls=sum(s.pulls for s in searches),
        candidates=sum(s.candidates for s in searches),
        programs=sum(s.programs for s in searches),
        errors=sum(s.errors for s in searches),
        filtered=sum(s.filtered for s in searches),
        perfect=sum(s.perfect for s in searches),
        best=max((s.best for s in searches if s.best is not None), default=None),
        vote_right=any(map(all, voted[-1])) if voted else None,
        oracle=oracle,
        active=max((s.active for s in searches), default=None),
        seconds=sum(s.seconds for s in searches if s.seconds is not None) if searches else None,
        tokens_in=sum(s.tokens_in for s in searches),
        tokens_out=sum(s.tokens_out for s in searches),
        tokens_cached=sum(s.tokens_cached for s in searches),
        cost=math.fsum(s.cost for s in searches),
    )


def finished_tasks(reading: Reading, iteration: int) -> set[int]:
    """Return the indexes of the tasks whose search in an iteration is over."""
    rows = reading.sql.execute(
        "SELECT task FROM search WHERE iteration = ? AND finished IS NOT NULL", (iteration,)
    )
    return {task for (task,) in rows}


def tally_rows(reading: Reading, iterations: Iterable[int], task: int) -> list[TallyRow]:
    """Return what stands behind each pattern of a task over some iterations (SOAR §6).

    Filtered candidates are left out; most accuracy first, then most candidates.
    """
    tests, pairs = reading.outlines[task].tests, reading.outlines[task].pairs
    counted: dict[int, tuple[int, int, int]] = {}
    priors: dict[int, dict[int, float]] = defaultdict(dict)
    for iteration in sorted(set(iterations)):
        rows = reading.sql.execute(
            "SELECT o.pattern, count(*), sum(CAST(round(c.accuracy * ?) AS INTEGER)), "
            "min(g.length) FROM candidate AS c JOIN outcome AS o ON o.id = c.outcome "
            "JOIN program AS g ON g.id = c.program WHERE c.id BETWEEN ? AND ? "
            "AND c.filter IS NULL AND o.pattern IS NOT NULL GROUP BY o.pattern",
            (pairs, *candidate_range(iteration, task)),
        )
        for pattern, count, right, shortest in rows:
            before = counted.get(pattern, (0, 0, shortest))
            counted[pattern] = (before[0] + count, before[1] + right, min(before[2], shortest))
        weighed = reading.sql.execute(
            "SELECT o.pattern, c.program, max(c.prior) FROM candidate AS c "
            "JOIN outcome AS o ON o.id = c.outcome WHERE c.id BETWEEN ? AND ? "
            "AND c.filter IS NULL AND c.prior IS NOT NULL AND o.pattern IS NOT NULL "
            "GROUP BY o.pattern, c.program",
            candidate_range(iteration, task),
        )
        for pattern, program, prior in weighed:
            known = priors[pattern].get(program, 0.0)
            priors[pattern][program] = max(known, prior_weight(prior))
    found = []
    for pattern, (count, right, shortest) in counted.items():
        outputs, marks = _pattern(reading, pattern, tests)
        prior_sum = math.fsum(priors[pattern].values())
        found.append(TallyRow(pattern, outputs, count, right / pairs, shortest, prior_sum, marks))
    return sorted(found, key=lambda row: (-row.accuracy_sum, -row.count, row.shortest, row.pattern))


def vote_result(reading: Reading, iteration: int, task: int) -> VoteResult | None:
    """Return a task's vote, or None while its search goes on."""
    search = reading.sql.execute(
        "SELECT formula, finished, seconds FROM search WHERE iteration = ? AND task = ? "
        "AND finished IS NOT NULL",
        (iteration, task),
    ).fetchone()
    if search is None:
        return None
    tests = reading.outlines[task].tests
    rows = reading.sql.execute(
        "SELECT rank, pattern, weight, count FROM vote WHERE iteration = ? AND task = ? "
        "ORDER BY rank",
        (iteration, task),
    ).fetchall()
    ranked = []
    for rank, pattern, weight, count in rows:
        outputs, marks = _pattern(reading, pattern, tests)
        ranked.append(VoteRow(rank, pattern, outputs, weight, count, marks))
    formula, finished, seconds = search
    return VoteResult(formula, finished, seconds, tuple(ranked))


def _pattern(
    reading: Reading, pattern: int, tests: int
) -> tuple[tuple[bytes, ...], tuple[bool, ...] | None]:
    """Return a pattern's outputs and its marks per test input, if the truth is known.

    Raises PackingError when there is none of that id.
    """
    row = reading.sql.execute(
        "SELECT outputs, right FROM pattern WHERE id = ?", (pattern,)
    ).fetchone()
    if row is None:
        raise PackingError(f"pattern {pattern} is not there")
    packed, right = row
    marks = None if right is None else unpack_bits(right, tests)
    return packed_grids(reading.expand(packed)), marks
