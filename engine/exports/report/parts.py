"""The small parts a task is shown by in a report: grids, panels, pairs, marks."""

from __future__ import annotations

from engine.arc import Grid
from engine.exports.drawing import grid_paths
from engine.exports.picture import Panel
from engine.exports.text import markup

SIDE = 150
"""Pixels that the longer side of a grid takes at most; a cell takes CELL at most."""
CELL = 14


def grid_svg(panel: Panel) -> str:
    """Return a panel's grid as inline SVG."""
    assert panel.grid is not None
    rows, columns = panel.grid.shape
    cell = min(CELL, SIDE / max(rows, columns))
    return (
        f'<svg class="g" width="{columns * cell:.0f}" height="{rows * cell:.0f}" '
        f'viewBox="-.03 -.03 {columns + 0.06:g} {rows + 0.06:g}">'
        + "".join(grid_paths(panel.grid, panel.wrong))
        + "</svg>"
    )


def figure(panel: Panel) -> str:
    """Return a panel with its caption."""
    body = grid_svg(panel) if panel.grid is not None else f"<p>{markup(panel.note)}</p>"
    return f'<figure class="panel">{body}<figcaption>{markup(panel.caption)}</figcaption></figure>'


def pair(left: Grid, right: Grid | None) -> str:
    """Return an input and its output side by side."""
    output = "" if right is None else figure(Panel("output", right))
    return f'<div class="pair">{figure(Panel("input", left))}{output}</div>'


def mark(right: bool | None) -> str:
    """Return the mark of right, wrong and unknown."""
    if right is None:
        return '<span class="soft">?</span>'
    return '<span class="good">✓</span>' if right else '<span class="bad">✗</span>'
