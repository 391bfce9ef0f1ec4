"""Colours: exchanged, replaced, kept, removed, ranked."""

# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import (
    Grid,
    background,
    main_colour,
    rarest_colour,
    shift,
)
from engine.policies.grammar.problem import Problem


@primitive(COLOUR, COLOUR)
def recolour(grid: Grid, old: int, new: int) -> Grid:
    """Replace a colour by another."""
    return np.where(grid == old, new, grid)


@primitive(COLOUR, COLOUR)
def swap_colours(grid: Grid, one: int, other: int) -> Grid:
    """Exchange two colours."""
    return np.where(grid == one, other, np.where(grid == other, one, grid))


@primitive(COLOUR)
def keep_colour(grid: Grid, colour: int) -> Grid:
    """Turn everything but one colour into background."""
    return np.where(grid == colour, grid, background(grid))


@primitive(COLOUR)
def remove_colour(grid: Grid, colour: int) -> Grid:
    """Turn a colour into background (the background itself into black)."""
    empty = background(grid)
    return np.where(grid == colour, empty if empty != colour else 0, grid)


@primitive(COLOUR)
def paint_content(grid: Grid, colour: int) -> Grid:
    """Give everything that is not background one colour."""
    return np.where(grid != background(grid), colour, grid)


@primitive(choice("main", "rarest"), choice("keep", "remove"))
def filter_by_frequency(grid: Grid, which: str, action: str) -> Grid:
    """Keep or remove the most or least frequent colour that is not background."""
    colour = main_colour(grid) if which == "main" else rarest_colour(grid)
    chosen = grid == colour
    return np.where(chosen if action == "remove" else ~chosen, background(grid), grid)


@primitive()
def commonest_to_black(grid: Grid) -> Grid:
    """Exchange the most frequent colour and black."""
    commonest = int(np.bincount(grid.ravel(), minlength=10).argmax())
    return np.where(grid == commonest, 0, np.where(grid == 0, commonest, grid))


def _colour_map(problem: Problem, _: Values) -> Values | None:
    counts = np.bincount(problem.current * 10 + problem.wanted, minlength=100).reshape(10, 10)
    table = {
        old: int(counts[old].argmax())
        for old in range(10)
        if counts[old].any() and int(counts[old].argmax()) != old
    }
    return (table,) if table else None


@primitive(fit=_colour_map, applies=lambda problem: problem.same_size)
def map_colours(grid: Grid, table: dict[Any, Any]) -> Grid:
    """Replace colours by a table."""
    new = np.arange(10)
    for old, colour in table.items():
        new[old] = colour
    return new[grid]


@primitive()
def majority_of_neighbours(grid: Grid) -> Grid:
    """Give every cell the commonest colour among itself and its eight neighbours."""
    most = np.zeros(grid.shape) - 1
    result = grid
    for colour in range(10):
        mask = (grid == colour).astype(np.int64)
        if not mask.any():
            continue
        votes = sum(shift(mask, y, x, 0) for y in (-1, 0, 1) for x in (-1, 0, 1))
        result = np.where(votes > most, colour, result)
        most = np.maximum(votes, most)
    return result
