"""Making a salvaged archive fit together: what has lost something ends before its first loss.

A search's later pulls were chosen by what earlier ones showed, so none of them is of use without
the one that is lost. The next engine finds such a search unfinished and goes on with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from engine.archive.reading import candidate_range


def make_whole(
    target: sqlite3.Connection, distrusted: Collection[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """Cut searches off before their first loss, and take iterations with such ones for unfinished.

    `distrusted` searches, by iteration and task, keep their pulls and lose their vote. Returns
    (iteration, task, pulls kept) of each search that was cut.
    """
    target.execute(
        "DELETE FROM outcome WHERE pattern IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM pattern AS t WHERE t.id = pattern)"
    )
    cuts: dict[tuple[int, int], int] = {}
    for query in (_GAPS, _INCOMPLETE, _SHORT, _UNVOTED):
        for iteration, task, number in target.execute(query):
            place = (iteration, task)
            cuts[place] = min(number, cuts.get(place, number))
    kept = {place: _cut(target, *place, number) for place, number in cuts.items()}
    for place in distrusted:
        _reopen(target, *place)
    target.execute("DELETE FROM candidate WHERE pull NOT IN (SELECT id FROM pull)")
    target.execute("DELETE FROM reply WHERE candidate NOT IN (SELECT id FROM candidate)")
    target.execute(
        "UPDATE iteration SET ended = NULL, seconds = NULL WHERE ended IS NOT NULL AND tasks > "
        "(SELECT count(finished) FROM search AS s WHERE s.iteration = iteration.idx)"
    )
    return [(*place, pulls) for place, pulls in sorted(kept.items())]


def _cut(target: sqlite3.Connection, iteration: int, task: int, number: int) -> int:
    """Leave a search its pulls before a number, as not finished; count them anew, return how many."""
    place = (iteration, task)
    candidates = candidate_range(iteration, task)
    target.execute(
        "DELETE FROM candidate WHERE id BETWEEN ? AND ? AND pull NOT IN "
        "(SELECT id FROM pull WHERE iteration = ? AND task = ? AND number < ?)",
        (*candidates, *place, number),
    )
    target.execute(
        "DELETE FROM pull WHERE iteration = ? AND task = ? AND number >= ?", (*place, number)
    )
    target.execute("DELETE FROM vote WHERE iteration = ? AND task = ?", place)
    target.execute("DELETE FROM search WHERE iteration = ? AND task = ?", place)
    pulls: int = target.execute(
        "SELECT count(*) FROM pull WHERE iteration = ? AND task = ?", place
    ).fetchone()[0]
    if pulls:
        target.execute(_RECOUNT, (*place, *candidates))
    return pulls


def _reopen(target: sqlite3.Connection, iteration: int, task: int) -> None:
    """Have a search vote again: its pulls stay, its vote goes."""
    place = (iteration, task)
    target.execute("DELETE FROM vote WHERE iteration = ? AND task = ?", place)
    target.execute(
        "UPDATE search SET finished = NULL, seconds = NULL, formula = NULL "
        "WHERE iteration = ? AND task = ?",
        place,
    )


# Each query gives iteration, task, and the number from which on no pull can be kept.

# Pulls may leave out numbers, where an island without arms passed its turn; their candidates leave
# out none. A pull without candidates (-1 stands for its first) says nothing of those before it.
_GAPS: Final = """
SELECT iteration, task, min(number) FROM (
  SELECT iteration, task, number, first,
    sum(count) OVER (PARTITION BY iteration, task ORDER BY number) - count AS before
  FROM pull
) WHERE first >= 0 AND first & 16777215 <> before GROUP BY iteration, task
"""

_INCOMPLETE: Final = """
SELECT iteration, task, min(number) FROM pull AS p
WHERE count <> (
  SELECT count(*) FROM candidate AS c
  WHERE c.id BETWEEN p.first AND p.first + p.count - 1 AND c.pull = p.id
  AND (c.program IS NULL OR EXISTS (SELECT 1 FROM program AS g WHERE g.id = c.program))
  AND (c.outcome IS NULL OR EXISTS (SELECT 1 FROM outcome AS o WHERE o.id = c.outcome))
)
GROUP BY iteration, task
"""

_SHORT: Final = """
SELECT p.iteration, p.task, max(p.number) + 1 FROM pull AS p
LEFT JOIN search AS s ON s.iteration = p.iteration AND s.task = p.task
GROUP BY p.iteration, p.task HAVING s.pulls IS NULL OR s.pulls <> count(*)
UNION ALL
SELECT s.iteration, s.task, 0 FROM search AS s WHERE s.pulls > 0 AND NOT EXISTS
  (SELECT 1 FROM pull AS p WHERE p.iteration = s.iteration AND p.task = s.task)
"""

_UNVOTED: Final = """
SELECT v.iteration, v.task, (
  SELECT ifnull(max(p.number) + 1, 0) FROM pull AS p
  WHERE p.iteration = v.iteration AND p.task = v.task
) FROM vote AS v
WHERE NOT EXISTS (SELECT 1 FROM pattern AS t WHERE t.id = v.pattern)
GROUP BY v.iteration, v.task
"""

_RECOUNT: Final = """
INSERT INTO search (iteration, task, pulls, candidates, programs, errors, filtered, perfect, right,
  best, tokens_in, tokens_out, tokens_cached, cost, active)
SELECT ?1, ?2,
  (SELECT count(*) FROM pull AS p WHERE p.iteration = ?1 AND p.task = ?2),
  count(*), count(c.program), count(*) FILTER (WHERE NOT o.runs), count(c.filter),
  count(*) FILTER (WHERE c.accuracy = 1 AND c.filter IS NULL),
  count(*) FILTER (WHERE t.right = (1 << k.tests) - 1),
  max(c.accuracy) FILTER (WHERE c.filter IS NULL),
  ifnull(sum(c.tokens_in), 0), ifnull(sum(c.tokens_out), 0), ifnull(sum(c.tokens_cached), 0),
  ifnull(sum(c.cost), 0.0),
  (SELECT max(p.created) FROM pull AS p WHERE p.iteration = ?1 AND p.task = ?2)
FROM candidate AS c JOIN task AS k ON k.idx = ?2
LEFT JOIN outcome AS o ON o.id = c.outcome LEFT JOIN pattern AS t ON t.id = o.pattern
WHERE c.id BETWEEN ?3 AND ?4
"""
