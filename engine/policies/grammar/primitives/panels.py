"""Panels: parts of equal size, divided by lines or by halving, compared, combined or chosen."""

from collections.abc import Sequence

import numpy as np

from engine.policies.grammar.language import Values, choice, primitive, remember
from engine.policies.grammar.primitives.grids import Grid, background
from engine.policies.grammar.primitives.objects import count_each
from engine.policies.grammar.problem import Problem


@remember
def separators(grid: Grid) -> tuple:
    """The dividing lines: (colour, rows, columns) of the colour with most whole lines.

    A colour other than the background is preferred. Raises ValueError when there are none.
    """
    height, width = grid.shape
    whole_rows = [r for r in range(height) if (grid[r] == grid[r, 0]).all()]
    whole_columns = [c for c in range(width) if (grid[:, c] == grid[0, c]).all()]
    empty = background(grid)
    best: tuple = ()
    best_score = (False, 0)
    for colour in range(10):
        rows = [r for r in whole_rows if grid[r, 0] == colour]
        columns = [c for c in whole_columns if grid[0, c] == colour]
        count = len(rows) + len(columns)
        score = (colour != empty, count)
        if 0 < count < height + width - 2 and score > best_score:
            best, best_score = (colour, rows, columns), score
    if not best:
        raise ValueError("no dividing lines")
    return best


def spans(lines: list, length: int) -> list:
    """The (start, end) ranges between dividing lines."""
    edges = [-1, *lines, length]
    return [(a + 1, b) for a, b in zip(edges, edges[1:], strict=False) if b > a + 1]


def panel_rows(grid: Grid) -> list:
    """The panels between dividing lines, row by row."""
    _, rows, columns = separators(grid)
    return [
        [grid[top:bottom, left:right] for left, right in spans(columns, grid.shape[1])]
        for top, bottom in spans(rows, grid.shape[0])
    ]


@remember
def panels(grid: Grid, division: str) -> list:
    """Equal parts of a grid, in reading order.

    "lines": between dividing lines; "quarters"; "2 across", "3 down" and so on: that many
    parts, with or without a line of cells between them. Raises ValueError when the parts are
    not equal.
    """
    height, width = grid.shape
    if division == "lines":
        parts = [panel for row in panel_rows(grid) for panel in row]
    elif division == "quarters":
        h, w = height // 2, width // 2
        parts = [grid[:h, :w], grid[:h, width - w :], grid[height - h :, :w]]
        parts.append(grid[height - h :, width - w :])
    else:
        count = int(division[0])
        across = division.endswith("across")
        length = width if across else height
        gap = 0 if length % count == 0 else 1
        if (length + gap) % count:
            raise ValueError("no equal parts")
        size = (length + gap) // count
        starts = [i * size for i in range(count)]
        lines = grid.T if across else grid
        cut = [lines[start : start + size - gap] for start in starts]
        parts = [part.T if across else part for part in cut]
    if len(parts) < 2 or len({part.shape for part in parts}) > 1 or parts[0].size == 0:
        raise ValueError("no equal parts")
    return parts


DIVISION = choice(
    "2 across", "2 down", "3 across", "3 down", "4 across", "4 down", "quarters", "lines"
)


def _divides(problem: Problem) -> bool:
    try:
        for grid in problem.demos:
            separators(grid)
    except ValueError:
        return False
    return True


def _combination(problem: Problem, slots: Values) -> Values | None:
    divided = [panels(grid, slots[0]) for grid in problem.demos]
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
def combine_panels(grid: Grid, division: str, table: dict) -> Grid:
    """Lay the panels on each other; a table says which colours together give which."""
    parts = np.stack(panels(grid, division), axis=-1)
    combined = np.zeros(parts.shape[:2], dtype=np.int64)
    for colours, result in table.items():
        combined[(parts == colours).all(axis=-1)] = result
    return combined


@primitive(DIVISION, choice("first on top", "last on top"), size="changes")
def overlay_panels(grid: Grid, division: str, order: str) -> Grid:
    """Lay the panels on each other; background is transparent."""
    parts = panels(grid, division)
    if order == "last on top":
        parts = parts[::-1]
    whole = parts[0]
    for part in parts[1:]:
        whole = np.where(whole == background(grid), part, whole)
    return whole


def panel_qualities(parts: list, quality: str) -> list:
    """One number per panel."""
    if quality == "filled":
        return [int((part != 0).sum()) for part in parts]
    if quality == "colours":
        return [len(np.unique(part)) for part in parts]
    if quality == "mirrors":
        return [int((p == p[::-1]).all()) + int((p == p[:, ::-1]).all()) for p in parts]
    if quality == "main colour":
        return [int(np.bincount(part.ravel()).argmax()) for part in parts]
    if quality == "same picture":
        return count_each([part.tolist() for part in parts])
    return list(range(len(parts)))


PANEL_QUALITIES = ("filled", "colours", "mirrors", "main colour", "same picture", "place")
PANEL_RANKS = ("largest", "smallest", "unique")


def choose_panel(parts: list, quality: str, rank: str) -> Grid:
    """The first panel whose quality is the largest, the smallest or unique."""
    values = panel_qualities(parts, quality)
    if rank == "unique":
        return parts[[values.count(value) for value in values].index(1)]
    return parts[values.index(max(values) if rank == "largest" else min(values))]


def _suggest_panel(problem: Problem, drawn: Values) -> Sequence[Values]:
    divided = [panels(grid, drawn[0]) for grid in problem.demos]
    best: list[Values] = []
    top = 1
    for quality in PANEL_QUALITIES:
        for rank in PANEL_RANKS:
            score = 0
            for parts, target in zip(divided, problem.targets, strict=True):
                values = panel_qualities(parts, quality)
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
def keep_panel(grid: Grid, division: str, quality: str, rank: str) -> Grid:
    """Keep the panel a quality singles out."""
    return choose_panel(panels(grid, division), quality, rank)


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
