"""Panels judged by what they hold: one cell or one painted panel each, by fitted tables; mirrors."""

# ruff: noqa: D401 - a docstring here names what a function gives

from typing import Any

import numpy as np

from engine.policies.grammar.language import Values, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, Quality, background
from engine.policies.grammar.primitives.objects import describe
from engine.policies.grammar.primitives.panels import panel_rows, separators, spans, summarise
from engine.policies.grammar.primitives.relations import ranks
from engine.policies.grammar.primitives.selection import QUALITY
from engine.policies.grammar.problem import Problem

OWN = 10
"""In a table of colours: the panel's own main colour."""
_MAX_PANELS = 100
_SUPPORTED = 0.5
_ORDERS = choice("by value", "largest first", "smallest first")


def values_of_panels(grid: Grid, quality: Quality, order: str) -> list[Any]:
    """A quality of what each panel holds, row by row; None for a panel that holds nothing."""
    panels = [panel for row in panel_rows(grid) for panel in row]
    empty = background(grid)
    filled = [number for number, panel in enumerate(panels) if (panel != empty).any()]
    things = [describe(panels[number], panels[number] != empty) for number in filled]
    values = dict(zip(filled, ranks(quality(grid, things), order), strict=True))
    return [values.get(number) for number in range(len(panels))]


def _divides(problem: Problem) -> bool:
    try:
        return all(1 < sum(map(len, panel_rows(g))) <= _MAX_PANELS for g in problem.demos)
    except (ValueError, LookupError):
        return False


def _table(keyed: list[list[tuple[Any, int]]]) -> Values | None:
    """The colour of every key, from pairs per demonstration; None where they disagree."""
    found: dict[Any, int] = {}
    seen: dict[Any, int] = {}
    for pairs in keyed:
        for key, colour in pairs:
            if found.setdefault(key, colour) != colour:
                return None
        for key in {key for key, _ in pairs}:
            seen[key] = seen.get(key, 0) + 1
    supported = sum(count > 1 for count in seen.values())
    if not found or (len(keyed) > 1 and supported < _SUPPORTED * len(found)):
        return None
    return ({key: found[key] for key in sorted(found, key=repr)},)


def _summaries(problem: Problem, slots: Values) -> Values | None:
    keyed = []
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        keys = values_of_panels(grid, *slots)
        if len(keys) != target.size or len(panel_rows(grid)) != len(target):
            return None
        keyed.append(list(zip(keys, target.ravel().tolist(), strict=True)))
    return _table(keyed)


@primitive(QUALITY, _ORDERS, size="changes", weight=1.0, fit=_summaries, applies=_divides)
def summarise_panels_by(grid: Grid, quality: Quality, order: str, table: dict[Any, int]) -> Grid:
    """One cell per panel, in the colour a table has for a quality of what the panel holds."""
    colours = [table.get(key, background(grid)) for key in values_of_panels(grid, quality, order)]
    return np.array(colours).reshape(len(panel_rows(grid)), -1)


def cut_like(grid: Grid, other: Grid) -> list[Any]:
    """A grid's parts where another of its size has panels, row by row, as views."""
    _, rows, columns = separators(other)
    return [
        grid[top:bottom, left:right]
        for top, bottom in spans(rows, grid.shape[0])
        for left, right in spans(columns, grid.shape[1])
    ]


def _paintings(problem: Problem, slots: Values) -> Values | None:
    if not problem.same_size:
        return None
    keyed = []
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        pairs = []
        keys, parts = values_of_panels(grid, *slots), cut_like(grid, grid)
        for key, before, after in zip(keys, parts, cut_like(target, grid), strict=True):
            paint = int(after[0, 0])
            if np.array_equal(before, after):
                paint = -1
            elif (after != paint).any():
                return None
            elif key is not None and paint == summarise(before, "content", background(grid)):
                paint = OWN
            pairs.append((key, paint))
        keyed.append(pairs)
    fitted = _table(keyed)
    return fitted if fitted and any(paint >= 0 for paint in fitted[0].values()) else None


@primitive(QUALITY, _ORDERS, weight=1.0, fit=_paintings, applies=_divides)
def paint_panels_by(grid: Grid, quality: Quality, order: str, table: dict[Any, int]) -> Grid:
    """Paint whole panels by a table of a quality of what they hold; -1 leaves one as it is."""
    painted = grid.copy()
    keys = values_of_panels(grid, quality, order)
    for key, panel in zip(keys, cut_like(painted, grid), strict=True):
        paint = table.get(key, -1)
        if paint == OWN:
            paint = summarise(panel, "content", background(grid))
        if paint >= 0:
            panel[:] = paint
    return painted


@primitive(applies=_divides)
def mirror_over_lines(grid: Grid) -> Grid:
    """Fill background with the mirror image of what lies across each dividing line."""
    _, rows, columns = separators(grid)
    empty, filled = background(grid), grid.copy()
    for sideways, lines in ((False, rows), (True, columns)):
        for line in lines:
            view = filled.T if sideways else filled
            reach = min(line, len(view) - line - 1)
            before, after = view[line - reach : line][::-1], view[line + 1 : line + 1 + reach]
            image = before.copy()
            before[before == empty] = after[before == empty]
            after[after == empty] = image[after == empty]
    return filled
