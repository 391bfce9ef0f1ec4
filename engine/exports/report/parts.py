"""The small parts a report is put together of: grids, panels, tables, figures in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.analysis import Estimate, RunAnalysis
from engine.arc import Grid
from engine.exports.drawing import grid_paths
from engine.exports.picture import Panel
from engine.exports.text import markup

SIDE = 150
"""Pixels that the longer side of a grid takes at most; a cell takes CELL at most."""
CELL = 14
UNKNOWN_TRUTH = "the truth of these tasks is unknown"


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


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are markup already."""
    head = "".join(f"<th>{markup(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def section(
    name: str,
    about: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    drawn: str = "",
    *,
    after: str = "",
    empty: str = "nothing to show yet",
) -> str:
    """Return a figure: its name, what it means, its curves and its table; cells are markup already.

    `empty` stands where there are no rows.
    """
    head = f'<h2>{markup(name[:1].upper() + name[1:])}</h2><p class="soft">{markup(about)}</p>'
    if not rows:
        return f"{head}<p>{markup(empty)}</p>"
    charts = f'<div class="charts">{drawn}</div>' if drawn else ""
    return f"{head}{after}{charts}{table(heads, rows)}"


def warnings(run: RunAnalysis) -> str:
    """Return a run's warnings."""
    return "".join(
        f'<p class="bad">{markup(f"{one.name}: {one.text}")}</p>' for one in run.warnings
    )


def share(value: float | None) -> str:
    """Return a share in percent, `?` where it is not known."""
    return "?" if value is None else f"{100 * value:.1f} %"


def interval(value: Estimate | None) -> str:
    """Return an estimate in percent with its interval."""
    if value is None:
        return "?"
    return (
        f'{100 * value.value:.1f} % <span class="soft">{100 * value.low:.1f} to '
        f"{100 * value.high:.1f}</span>"
    )


def difference(value: Estimate) -> str:
    """Return a difference of shares in points with its interval."""
    return (
        f'{100 * value.value:+.1f} <span class="soft">{100 * value.low:+.1f} to '
        f"{100 * value.high:+.1f}</span>"
    )


def spread(value: Estimate | None) -> str:
    """Return a distance with its interval, in thousandths."""
    if value is None:
        return "–"
    return f'{value.value:.3f} <span class="soft">{value.low:.3f} to {value.high:.3f}</span>'


def count(number: float) -> str:
    """Return a whole number with its thousands separated."""
    return f"{number:,.0f}"


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def mark(right: bool | None) -> str:
    """Return the mark of right, wrong and unknown."""
    if right is None:
        return '<span class="soft">?</span>'
    return '<span class="good">✓</span>' if right else '<span class="bad">✗</span>'
