"""Pixel features of regions of background, of panels between lines, of legends and of patterns."""

# ruff: noqa: D401 - a docstring here names what a function gives
# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from typing import Any

import numpy as np

from engine.policies.grammar.language import colour_source, feature, remember
from engine.policies.grammar.primitives.grids import Grid, background, bounding_box, main_colour
from engine.policies.grammar.primitives.line_features import main_of_lines
from engine.policies.grammar.primitives.objects import find_objects, label, window
from engine.policies.grammar.primitives.panels import separators, spans


@remember
def label_background(grid: Grid) -> tuple[Any, ...]:
    """Number the connected pieces of background (by sides) from 1."""
    return label(np.where(grid == background(grid), 1, 0) + 0 * grid, False, False)


@feature
def region_size(grid: Grid) -> Grid:
    """Size of the background region, -1 on content."""
    numbers, _ = label_background(grid)
    return np.where(numbers > 0, np.bincount(numbers.ravel())[numbers], -1)


@feature
def enclosed(grid: Grid) -> Grid:
    """0 on content, 1 on background that reaches the edge, 2 on enclosed background."""
    numbers, count = label_background(grid)
    open_regions = np.zeros(count + 1, dtype=bool)
    for edge in (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]):
        open_regions[edge] = True
    return np.where(numbers == 0, 0, np.where(open_regions[numbers], 1, 2))


@feature
def region_size_rank(grid: Grid) -> Grid:
    """Rank of the background region by size: 0 smallest, 9 largest, -1 on content."""
    numbers, count = label_background(grid)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:].tolist()
    distinct = sorted(set(sizes))
    ranks = [9 if s == distinct[-1] else min(distinct.index(s), 8) for s in sizes]
    return np.array([-1, *ranks])[numbers]


@feature
def region_shape(grid: Grid) -> Grid:
    """0 on content, else 1 irregular, 2 rectangular, 3 square background region."""
    numbers, count = label_background(grid)
    if count > 120:
        raise ValueError("too many regions")
    shapes = [0]
    for number in range(1, count + 1):
        mask = numbers == number
        top, bottom, left, right = bounding_box(mask)
        rectangular = int(mask.sum()) == (bottom - top) * (right - left)
        shapes.append(1 + rectangular + (rectangular and bottom - top == right - left))
    return np.array(shapes)[numbers]


@feature
def region_width(grid: Grid) -> Grid:
    """Width of the enclosed background region, -1 elsewhere."""
    numbers, count = label_background(grid)
    if count > 120:
        raise ValueError("too many regions")
    widths = [-1]
    for number in range(1, count + 1):
        _, _, left, right = bounding_box(numbers == number)
        widths.append(right - left)
    return np.where(enclosed(grid) == 2, np.array(widths)[numbers], -1)


@colour_source
def colour_in_region(grid: Grid) -> Grid:
    """The main colour inside the region that lines of the grid's main colour bound."""
    empty = background(grid)
    numbers, count = label(np.where(grid == main_colour(grid), 0, 1), False, False)
    colours = np.full_like(grid, empty)
    if count > 120:
        raise ValueError("too many regions")
    for number in range(1, count + 1):
        inside = numbers == number
        counts = np.bincount(grid[inside], minlength=10)
        counts[empty] = 0
        if counts.any():
            colours[inside] = int(counts.argmax())
    return colours


@remember
def panel_places(grid: Grid) -> list[Any]:
    """(row of panels, column of panels, top, bottom, left, right) of every panel."""
    _, rows, columns = separators(grid)
    return [
        (i, j, top, bottom, left, right)
        for i, (top, bottom) in enumerate(spans(rows, grid.shape[0]))
        for j, (left, right) in enumerate(spans(columns, grid.shape[1]))
    ]


@feature
def panel_row(grid: Grid) -> Grid:
    """Which row of panels, -1 on dividing lines."""
    places = np.full_like(grid, -1)
    for i, _, top, bottom, left, right in panel_places(grid):
        places[top:bottom, left:right] = i
    return places


@feature
def panel_column(grid: Grid) -> Grid:
    """Which column of panels, -1 on dividing lines."""
    places = np.full_like(grid, -1)
    for _, j, top, bottom, left, right in panel_places(grid):
        places[top:bottom, left:right] = j
    return places


@feature
def panel_number(grid: Grid) -> Grid:
    """Which panel (20 times its row plus its column), -1 on dividing lines."""
    rows = panel_row(grid)
    return np.where(rows < 0, -1, rows * 20 + panel_column(grid))


@feature
def place_in_panel(grid: Grid) -> Grid:
    """Which cell of its panel (30 times the row plus the column), -1 on dividing lines."""
    places = np.full_like(grid, -1)
    for _, _, top, bottom, left, right in panel_places(grid):
        rows, columns = np.arange(bottom - top)[:, None], np.arange(right - left)[None, :]
        places[top:bottom, left:right] = rows * 30 + columns
    return places


@feature
def filled_in_panel(grid: Grid) -> Grid:
    """How many cells of the panel are content, 100 where most, -1 on dividing lines."""
    filled = grid != background(grid)
    counts = np.full_like(grid, -1)
    for _, _, top, bottom, left, right in panel_places(grid):
        counts[top:bottom, left:right] = int(filled[top:bottom, left:right].sum())
    return np.where(counts == counts.max(), 100, counts)


@colour_source
def main_of_panel(grid: Grid) -> Grid:
    """The main colour of the panel, background on dividing lines."""
    empty = background(grid)
    colours = np.full_like(grid, empty)
    for _, _, top, bottom, left, right in panel_places(grid):
        cells = grid[top:bottom, left:right].reshape(1, -1)
        colours[top:bottom, left:right] = main_of_lines(cells, empty)[0]
    return colours


@colour_source
def legend_partner(grid: Grid) -> Grid:
    """The colour paired with the cell's in an object of two cells, else the cell's own."""
    partner = np.arange(10)
    for thing in find_objects(grid, "mixed4"):
        if thing["size"] == 2 and (thing["counts"] > 0).sum() == 2:
            one, other = window(grid, thing).ravel().tolist()
            partner[one] = other
            partner[other] = one
    return partner[grid]


def repeats(grid: Grid, seen: Grid, period: int) -> bool:
    """Whether rows so far apart agree in every cell seen in both."""
    both = seen[period:] & seen[:-period]
    return not (both & (grid[period:] != grid[:-period])).any()


@remember
def find_period(grid: Grid, hidden: int) -> tuple[Any, ...]:
    """(grid continued by its smallest period, -1 where unknown; rows; columns of the period).

    Cells of the hidden colour are not looked at. Raises ValueError when there is no period.
    """
    height, width = grid.shape
    seen = grid != hidden
    downs = [n for n in range(1, height + 1) if repeats(grid, seen, n)]
    acrosses = [n for n in range(1, width + 1) if repeats(grid.T, seen.T, n)]
    for total in range(2, height + width):
        for down in downs:
            across = total - down
            if across not in acrosses or down * across * 2 > height * width:
                continue
            rows, columns = np.arange(height) % down, np.arange(width) % across
            place = rows[:, None] * across + columns[None, :]
            pattern = np.full(down * across, -1)
            pattern[place[seen]] = grid[seen]
            if (pattern[place][seen] == grid[seen]).all():
                return pattern[place], down, across
    raise ValueError("no period")


@colour_source
def continued_pattern(grid: Grid) -> Grid:
    """The cell's colour when the grid's period is continued over the background."""
    pattern = find_period(grid, background(grid))[0]
    return np.where(pattern < 0, grid, pattern)


def continue_lines(lines: Grid, empty: int) -> Grid:
    """Continue every line's content by its smallest period; empty lines stay."""
    whole = lines.copy()
    width = lines.shape[1]
    for number, line in enumerate(lines.tolist()):
        filled = [place for place in range(width) if line[place] != empty]
        for period in range(1, width if filled else 1):
            pattern = {place % period: line[place] for place in filled}
            if len(pattern) < period or any(line[at] != pattern[at % period] for at in filled):
                continue
            whole[number] = [pattern[place % period] for place in range(width)]
            break
    return whole


@colour_source
def continued_row(grid: Grid) -> Grid:
    """The cell's colour when the row's period is continued."""
    return continue_lines(grid, background(grid))


@colour_source
def continued_column(grid: Grid) -> Grid:
    """The cell's colour when the column's period is continued."""
    return continue_lines(grid.T, background(grid)).T


def continue_diagonals(grid: Grid) -> Grid:
    """The whole grid filled with the cycle of colours its diagonals show."""
    height, width = grid.shape
    filled = grid != background(grid)
    diagonal = np.arange(height)[:, None] + np.arange(width)[None, :]
    for period in range(1, 8):
        cycle = np.full(period, -1)
        cycle[diagonal[filled] % period] = grid[filled]
        if (cycle >= 0).all() and (cycle[diagonal % period][filled] == grid[filled]).all():
            return cycle[diagonal % period]
    raise ValueError("no diagonal cycle")


@colour_source
def continued_diagonal(grid: Grid) -> Grid:
    """The cell's colour when the cycle of the diagonals is continued."""
    return continue_diagonals(grid)
