"""Pixel tables: every cell's new colour looked up by a few features of the cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.policies.grammar.language import SOURCE, Feature, Values, features, primitive
from engine.policies.grammar.primitives.grids import Grid
from engine.policies.grammar.problem import Problem

COPY = 10
_MAX_ENTRIES = 80
_MAX_CODES = 2000
_SUPPORTED = 0.5
"""Share of a table's painting entries that must occur in two demonstrations: else it memorises."""
_TALLIED = 4000
"""Codes tallied at once, so that companions share the work and memory stays small."""
_OPTIONS = 12
"""How many of the best extra features a suggestion offers."""


def _joint(problem: Problem, keys: tuple[Feature, ...]) -> tuple[np.ndarray, int] | None:
    """One code per demonstration cell for its combination of feature values, and their number."""
    code, size = np.zeros(len(problem.current), dtype=np.int32), 1
    for key in keys:
        found = problem.feature(key)
        if found is None:
            return None
        code = code * len(found[0]) + found[1]
        size *= len(found[0])
    return code, size


def _source(problem: Problem, source: Feature) -> np.ndarray | None:
    found = problem.feature(source)
    return None if found is None else found[0][found[1]]


def _tally(
    problem: Problem, code: np.ndarray, size: int, copied: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Per code: what to do (-1 keep, COPY, or a colour), and whether it occurs."""
    wanted = problem.wanted
    counts = np.bincount(code * 10 + wanted, minlength=size * 10).reshape(size, 10)
    kept = np.bincount(code[problem.current == wanted], minlength=size)
    colour, most = counts.argmax(axis=1), counts.max(axis=1)
    action, right = np.where(kept >= most, -1, colour), np.maximum(kept, most)
    if copied is not None:
        fetched = np.bincount(code[(copied == wanted)], minlength=size)
        action = np.where(fetched > right, COPY, action)
    return action, counts.sum(axis=1) > 0


def _in_parts(chosen: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """Cut a list into consecutive parts of about _TALLIED codes each."""
    group = (np.cumsum(sizes) - sizes) // _TALLIED
    return np.split(chosen, np.flatnonzero(np.diff(group)) + 1) if len(chosen) else []


def _tally_all(
    problem: Problem, codes: np.ndarray, sizes: np.ndarray, copied: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """As _tally for each row of codes (of that many different ones): codes that occur, cells right."""
    starts = np.cumsum(sizes) - sizes
    total = int(sizes.sum())
    codes = codes + starts[:, None]
    wanted = problem.wanted
    counts = np.bincount((codes + wanted * total).ravel(), minlength=total * 10)
    right = counts.reshape(10, total).max(axis=0)
    np.maximum(
        right, np.bincount(codes[:, problem.current == wanted].ravel(), minlength=total), out=right
    )
    if copied is not None:
        fetched = np.bincount(codes[:, copied == wanted].ravel(), minlength=total)
        np.maximum(right, fetched, out=right)
    occurs = (right > 0).astype(np.int64)
    return np.add.reduceat(occurs, starts), np.add.reduceat(right, starts)


def _table(problem: Problem, slots: Values) -> Values | None:
    keys, source = slots[0], slots[1] if len(slots) > 1 else None
    joint = _joint(problem, keys) if problem.same_size else None
    if joint is None:
        return None
    copied = _source(problem, source) if source is not None else None
    if source is not None and copied is None:
        return None
    action, occurs = _tally(problem, *joint, copied)
    paints = occurs & (action >= 0)
    if int(occurs.sum()) > _MAX_ENTRIES or (source is not None and COPY not in action[paints]):
        return None
    seen = np.zeros((joint[1], len(problem.demos)), dtype=bool)
    seen[joint[0], problem.owners] = True
    supported = int((seen.sum(axis=1)[paints] > 1).sum())
    if len(problem.demos) > 1 and supported < _SUPPORTED * int(paints.sum()):
        return None
    sizes = [len(found[0]) for key in keys if (found := problem.feature(key)) is not None]
    table: dict[tuple[int, ...], int] = {}
    for code in np.flatnonzero(paints).tolist():
        place, entry = code, []
        for key, size in zip(reversed(keys), reversed(sizes), strict=True):
            found = problem.feature(key)
            assert found is not None
            entry.append(int(found[0][place % size]))
            place //= size
        table[tuple(reversed(entry))] = int(action[code])
    return (table,) if table else None


def _suggest_features(problem: Problem, drawn: Values) -> Sequence[Values]:
    """Offer the best companions of a feature drawn alone.

    What a step left is judged by two demonstrations, because there are many such problems.
    """
    if len(drawn[0]) > 1:
        return (drawn,)
    if problem.later:
        problem = problem.glimpse
    first, rest = drawn[0][0], drawn[1:]
    found = problem.feature(first) if problem.same_size else None
    copied = _source(problem, rest[0]) if rest else None
    if found is None or (rest and copied is None):
        return ()
    companions, sizes, indices = problem.stacked
    fitting = np.flatnonzero(len(found[0]) * sizes <= _MAX_CODES)
    tallies = [
        _tally_all(
            problem,
            found[1] * sizes[part, None] + indices[part],
            len(found[0]) * sizes[part],
            copied,
        )
        for part in _in_parts(fitting, len(found[0]) * sizes[fitting])
    ]
    if not tallies:
        return ()
    entries, right = (np.concatenate(column) for column in zip(*tallies, strict=True))
    few = entries <= _MAX_ENTRIES
    scores = right[few] / len(problem.current) - 0.0002 * entries[few]
    best = np.argsort(-scores, kind="stable")[:_OPTIONS]
    best = best[scores[best] >= scores[best[:1]] - 0.01]
    offered = [companions[which] for which in fitting[few][best].tolist()]
    return [((first,) if each is first else (first, each), *rest) for each in offered]


def look_up(grid: Grid, keys: list[Any], table: dict[Any, Any], source: Grid) -> Grid:
    """Cells whose features are in the table get its colour, or the source's for COPY."""
    values = np.stack([key(grid) for key in keys], axis=-1)
    painted = grid.copy()
    for entry, colour in table.items():
        here = (values == entry).all(axis=-1)
        painted[here] = source[here] if colour == COPY else colour
    return painted


@primitive(
    features(1, 2),
    weight=6.0,
    fit=_table,
    suggest=_suggest_features,
    applies=lambda problem: problem.same_size,
)
def paint_by(grid: Grid, keys: list[Any], table: dict[Any, Any]) -> Grid:
    """Paint cells by a table of their features."""
    return look_up(grid, keys, table, grid)


@primitive(
    features(1, 2, 3),
    SOURCE,
    weight=6.0,
    fit=_table,
    suggest=_suggest_features,
    applies=lambda problem: problem.same_size,
)
def copy_by(grid: Grid, keys: list[Any], source: Feature, table: dict[Any, Any]) -> Grid:
    """Paint cells by a table of their features; COPY in the table copies from the source."""
    return look_up(grid, keys, table, source(grid))


@primitive(
    features(2),
    SOURCE,
    fit=_table,
    applies=lambda problem: problem.same_size,
)
def copy_until_stable(grid: Grid, keys: list[Any], source: Feature, table: dict[Any, Any]) -> Grid:
    """Apply a table again and again until nothing changes (at most 30 times)."""
    for _ in range(30):
        painted = look_up(grid, keys, table, source(grid))
        if (painted == grid).all():
            break
        grid = painted
    return grid
