"""The arms of one search, as its bandit knows them after the recorded pulls (SOAR §5)."""

from __future__ import annotations

from engine.archive.reading import Reading, candidate_range
from engine.archive.rows import ArmRow


def arm_rows(reading: Reading, iteration: int, task: int, c: float) -> list[ArmRow]:
    """Return the arms of a search in the order in which they came, islands apart.

    `c` is the bandit's C. Pulls under way are not in the archive, so the bandit itself may count
    a few completions more.
    """
    drawn = _drawn(reading, iteration, task)
    rows = reading.sql.execute(
        "SELECT min(c.id), c.program, p.island, c.accuracy, p.parent FROM candidate AS c "
        "JOIN pull AS p ON p.id = c.pull JOIN outcome AS o ON o.id = c.outcome "
        "WHERE c.id BETWEEN ? AND ? AND o.runs AND c.accuracy < 1 AND c.program IS NOT NULL "
        "AND (c.filter IS NULL OR c.filter = 'invalid') GROUP BY c.program, p.island ORDER BY 1",
        candidate_range(iteration, task),
    )
    arms = []
    for candidate, program, island, accuracy, parent in rows.fetchall():
        pulls, children, best, draw, number = drawn.get((program, island), (0, 0, None, None, None))
        arms.append(
            ArmRow(
                candidate=candidate,
                parent=parent,
                program=program,
                island=island,
                accuracy=accuracy,
                pulls=pulls,
                alpha=1 + c * accuracy,
                beta=1 + c * (1 - accuracy) + pulls,
                children=children,
                best_child=best,
                last_draw=draw,
                last_pull=number,
            )
        )
    return arms


_Drawn = tuple[int, int, float | None, float | None, int | None]


def _drawn(reading: Reading, iteration: int, task: int) -> dict[tuple[int, int], _Drawn]:
    """Return, per program and island, what was drawn from it and what came of it."""
    rows = reading.sql.execute(
        "SELECT a.program, p.island, p.count, count(c.program), "
        "max(c.accuracy) FILTER (WHERE c.filter IS NULL), p.draw, p.number "
        "FROM pull AS p JOIN candidate AS a ON a.id = p.parent "
        "LEFT JOIN candidate AS c ON c.id BETWEEN p.first AND p.first + p.count - 1 "
        "WHERE p.iteration = ? AND p.task = ? GROUP BY p.number ORDER BY p.number",
        (iteration, task),
    )
    drawn: dict[tuple[int, int], _Drawn] = {}
    for program, island, count, programs, best, draw, number in rows:
        pulls, children, before, _, _ = drawn.get((program, island), (0, 0, None, None, None))
        bests = [accuracy for accuracy in (before, best) if accuracy is not None]
        drawn[program, island] = (
            pulls + count,
            children + programs,
            max(bests, default=None),
            draw,
            number,
        )
    return drawn
