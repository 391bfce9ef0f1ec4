"""Panels: parts of equal size, divided by lines or by halving, compared, combined or chosen."""

# ruff: noqa: D401 - a docstring here names what a function gives

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from engine.policies.grammar.language import Values, choice, primitive, remember
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.objects import count_each
from engine.policies.grammar.problem import Problem


@remember
def separators(grid: Grid) -> tuple[Any, ...]:
    """The dividing lines: (colour, rows, columns) of the colour with most whole lines.

    A colour other than the background is preferred. Raises ValueError when there are none.
    """
    height, width = grid.shape
    whole_rows = [r for r in range(height) if (grid[r] == grid[r, 0]).all()]
    whole_columns = [c for c in range(width) if (grid[:, c] == grid[0, c]).all()]
    empty = background(grid)
    best, best_score = None, (False, 0)
    for colour in range(10):
        rows = [r for r in whole_rows if grid[r, 0] == colour]
        columns = [c for c in whole_columns if grid[0, c] == colour]
        count = len(rows) + len(columns)
        score = (colour != empty, count)
        if 0 < count < height + width - 2 and score > best_score:
            best, best_score = (colour, rows, columns), score
    if best is None:
        raise ValueError("no dividing lines")
    return best


def spans(lines: list[Any], length: int) -> list[Any]:
    """The (start, end) ranges between dividing lines."""
    starts, ends = [0, *[line + 1 for line in lines]], [*lines, length]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if end > start]


def panel_rows(grid: Grid) -> list[Any]:
    """The panels between dividing lines, row by row."""
    _, rows, columns = separators(grid)
    return [
        [grid[top:bottom, left:right] for left, right in spans(columns, grid.shape[1])]
        for top, bottom in spans(rows, grid.shape[0])
    ]


def equal(parts: list[Grid]) -> list[Grid]:
    """The parts, if there are several and all have one shape."""
    if len(parts) < 2 or len({part.shape for part in parts}) > 1 or parts[0].size == 0:
        raise ValueError("no equal parts")
    return parts


def cut(lines: Grid, count: int) -> list[Grid]:
    """Cut rows into so many parts of equal height, with or without a row between them."""
    gap = 0 if len(lines) % count == 0 else 1
    if (len(lines) + gap) % count:
        raise ValueError("no equal parts")
    step = (len(lines) + gap) // count
    return equal([lines[i * step : (i + 1) * step - gap] for i in range(count)])


@remember
def between_lines(grid: Grid) -> list[Grid]:
    """The panels between dividing lines, in reading order."""
    return equal([panel for row in panel_rows(grid) for panel in row])


def quarters(grid: Grid) -> list[Grid]:
    """The four corners of half the height and width."""
    height, width = grid.shape
    h, w = height // 2, width // 2
    top, bottom = grid[:h], grid[height - h :]
    return equal([top[:, :w], top[:, width - w :], bottom[:, :w], bottom[:, width - w :]])


def two_across(grid: Grid) -> list[Grid]:
    """The left and the right half."""
    return [part.T for part in cut(grid.T, 2)]


def three_across(grid: Grid) -> list[Grid]:
    """Three parts from left to right."""
    return [part.T for part in cut(grid.T, 3)]


def four_across(grid: Grid) -> list[Grid]:
    """Four parts from left to right."""
    return [part.T for part in cut(grid.T, 4)]


def two_down(grid: Grid) -> list[Grid]:
    """The upper and the lower half."""
    return cut(grid, 2)


def three_down(grid: Grid) -> list[Grid]:
    """Three parts from top to bottom."""
    return cut(grid, 3)


def four_down(grid: Grid) -> list[Grid]:
    """Four parts from top to bottom."""
    return cut(grid, 4)


DIVISION = choice(
    two_across, two_down, three_across, three_down, four_across, four_down, quarters, between_lines
)
PanelQuality: TypeAlias = Callable[[list[np.ndarray]], list[int]]
Division: TypeAlias = Callable[[np.ndarray], list[np.ndarray]]


def _divides(problem: Problem) -> bool:
    try:
        for grid in problem.demos:
            separators(grid)
    except ValueError:
        return False
    return True


def _combination(problem: Problem, slots: Values) -> Values | None:
    divided = [slots[0](grid) for grid in problem.demos]
    count = len(divided[0])
    if count > 6 or any(
        len(parts) != count or parts[0].shape != target.shape
        for parts, target in zip(divided, problem.targets, strict=True)
    ):
        return None
    seen: dict[tuple[int, ...], list[int]] = {}
    for parts, target in zip(divided, problem.targets, strict=True):
        columns = [part.ravel().tolist() for part in parts]
        for key, colour in zip(zip(*columns, strict=True), target.ravel().tolist(), strict=True):
            seen.setdefault(key, [0] * 10)[colour] += 1
    if len(seen) > 60:
        return None
    return ({key: counts.index(max(counts)) for key, counts in sorted(seen.items())},)


@primitive(DIVISION, size="changes", weight=3.0, fit=_combination)
def combine_panels(grid: Grid, division: Division, table: dict[Any, Any]) -> Grid:
    """Lay the panels on each other; a table says which colours together give which."""
    parts = np.stack(division(grid), axis=-1)
    combined = np.zeros(parts.shape[:2], dtype=np.int64)
    for colours, result in table.items():
        combined[(parts == colours).all(axis=-1)] = result
    return combined


@primitive(DIVISION, choice("first on top", "last on top"), size="changes")
def overlay_panels(grid: Grid, division: Division, order: str) -> Grid:
    """Lay the panels on each other; background is transparent."""
    parts = division(grid)
    if order == "last on top":
        parts = parts[::-1]
    whole = parts[0]
    for part in parts[1:]:
        whole = np.where(whole == background(grid), part, whole)
    return whole


def filled_cells(parts: list[Grid]) -> list[int]:
    """How many cells of each panel are not black."""
    return [int((part != 0).sum()) for part in parts]


def colours_inside(parts: list[Grid]) -> list[int]:
    """How many colours each panel has."""
    return [len(np.unique(part)) for part in parts]


def panel_mirrors(parts: list[Grid]) -> list[int]:
    """How many of the two mirror symmetries each panel has."""
    return [int((p == p[::-1]).all()) + int((p == p[:, ::-1]).all()) for p in parts]


def commonest_inside(parts: list[Grid]) -> list[int]:
    """The commonest colour of each panel."""
    return [int(np.bincount(part.ravel()).argmax()) for part in parts]


def same_panels(parts: list[Grid]) -> list[int]:
    """How many panels look like each one."""
    return count_each([part.tolist() for part in parts])


def places_in_order(parts: list[Grid]) -> list[int]:
    """Each panel's place in reading order."""
    return list(range(len(parts)))


PANEL_QUALITIES = (
    filled_cells,
    colours_inside,
    panel_mirrors,
    commonest_inside,
    same_panels,
    places_in_order,
)
PANEL_RANKS = ("largest", "smallest", "unique")


def choose_panel(parts: list[Grid], quality: PanelQuality, rank: str) -> Grid:
    """The first panel whose quality is the largest, the smallest or unique."""
    values = quality(parts)
    if rank == "unique":
        return parts[[values.count(value) for value in values].index(1)]
    return parts[values.index(max(values) if rank == "largest" else min(values))]


def _suggest_panel(problem: Problem, drawn: Values) -> Sequence[Values]:
    divided = [drawn[0](grid) for grid in problem.demos]
    best: list[Values] = []
    top = 1
    for quality in PANEL_QUALITIES:
        for rank in PANEL_RANKS:
            score = 0
            for parts, target in zip(divided, problem.targets, strict=True):
                values = quality(parts)
                if rank != "unique" or 1 in count_each(values):
                    score += np.array_equal(choose_panel(parts, quality, rank), target)
            if score > top:
                top, best = score, []
            if score == top:
                best.append((drawn[0], quality, rank))
    return best


@primitive(
    DIVISION,
    choice(*PANEL_QUALITIES),
    choice(*PANEL_RANKS),
    size="changes",
    weight=2.0,
    suggest=_suggest_panel,
)
def keep_panel(grid: Grid, division: Division, quality: PanelQuality, rank: str) -> Grid:
    """Keep the panel a quality singles out."""
    return choose_panel(division(grid), quality, rank)


@primitive(size="changes", applies=_divides)
def remove_separators(grid: Grid) -> Grid:
    """Take the dividing lines out."""
    _, rows, columns = separators(grid)
    return np.delete(np.delete(grid, rows, axis=0), columns, axis=1)


def summarise(block: Grid, how: str, empty: int) -> int:
    """One colour for a block of cells."""
    counts = np.bincount(block.ravel(), minlength=10)
    if how == "commonest":
        return int(counts.argmax())
    if how == "full":
        return int(counts[empty] == 0)
    counts[empty] = 0
    if how == "content":
        return int(counts.argmax()) if counts.any() else empty
    return int(counts.any())


@primitive(
    choice("content", "commonest", "full", "filled"), size="changes", weight=2.0, applies=_divides
)
def summarise_panels(grid: Grid, how: str) -> Grid:
    """One cell per panel: its main colour, its commonest, or 1 where full or not empty."""
    empty = background(grid)
    return np.array([[summarise(panel, how, empty) for panel in row] for row in panel_rows(grid)])


@primitive(
    choice(1, 2, 3, 4, 5, 6),
    choice(1, 2, 3, 4, 5, 6),
    choice("content", "commonest"),
    size="changes",
)
def summarise_blocks(grid: Grid, rows: int, columns: int, how: str) -> Grid:
    """Cut the grid into so many rows and columns of blocks; one cell per block."""
    height, width = grid.shape
    if height % rows or width % columns:
        raise ValueError("the blocks do not fit")
    h, w = height // rows, width // columns
    empty = background(grid)
    return np.array(
        [
            [
                summarise(grid[r * h : (r + 1) * h, c * w : (c + 1) * w], how, empty)
                for c in range(columns)
            ]
            for r in range(rows)
        ]
    )
