"""Curves over a common x: braille lines with axes and a legend, drawn in a few milliseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.style import Style
from textual.strip import Strip

from engine.figures.numbers import short
from soar_tui.sanitise import one_line
from soar_tui.widgets.braille import ACROSS, DOWN, codes, line_dots, text
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, fit, right

_AXIS = 7
_FAR = 1e300
"""What lies further away (a diverged loss) is not drawn, lest the scale become infinite."""

_OUTSIDE = 1e6
"""A point so many plot heights away is as good as one further away."""


@dataclass(frozen=True, slots=True)
class Series:
    """A named curve: points (x, y) in order of x; a y that is not finite breaks the line."""

    name: str
    points: tuple[tuple[float, float], ...]
    role: Role = "primary"


@dataclass(frozen=True, slots=True)
class Axes:
    """What a picture of curves spans; None is taken from the points.

    `percent` labels y as such; `log_x` places x, which must be above 0, by its logarithm.
    """

    low: float | None = None
    high: float | None = None
    percent: bool = False
    x_name: str = ""
    log_x: bool = False


def draw_curves(
    series: Sequence[Series], axes: Axes, width: int, height: int, palette: Palette
) -> list[Strip]:
    """Draw curves in `height` lines of `width` cells: a legend, the plot, the x axis."""
    plot = (max(1, height - 2), max(1, width - _AXIS - 1))
    span = _span(series, axes)
    faint, muted = palette.ink("faint"), palette.ink("muted")
    lines = [_legend(series, axes, width, palette)]
    characters, styles = _plot(series, span, plot, palette, log_x=axes.log_x)
    for y, (line, inks) in enumerate(zip(characters, styles, strict=True)):
        share = 1 - y / max(1, plot[0] - 1)
        labelled = y in (0, plot[0] - 1) or (plot[0] > 6 and y == plot[0] // 2)
        label = _label(span[2] + share * (span[3] - span[2]), axes) if labelled else ""
        parts: list[Part] = [(right(label, _AXIS), muted), ("┤" if labelled else "│", faint)]
        for character, ink in zip(line, inks, strict=True):
            if parts[-1][1] == ink:
                parts[-1] = (parts[-1][0] + character, ink)
            else:
                parts.append((character, ink))
        lines.append(fit(parts, width))
    first, last = short(span[0]), short(span[1])
    name = one_line(axes.x_name).center(max(0, plot[1] - len(first) - len(last)))
    lines.append(fit([(" " * (_AXIS + 1), None), (first + name + last, muted)], width))
    return lines[:height]


class CurveView(LineView, can_focus=False):
    """Shows curves over its whole area."""

    DEFAULT_CSS = """
    CurveView { scrollbar-gutter: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._series: tuple[Series, ...] = ()
        self._axes = Axes()
        self._lines: list[Strip] = []

    def show(self, series: Sequence[Series], axes: Axes | None = None) -> None:
        """Show these curves in place of what was there."""
        self._series, self._axes = tuple(series), axes or Axes()
        self._draw()

    def fit_to_size(self) -> None:
        self._draw()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        self._draw()

    def draw_line(self, y: int, width: int) -> Strip:
        """Return a line of the picture."""
        return self._lines[y]

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        width, height = self.area
        self._lines = draw_curves(self._series, self._axes, width, height, self.palette)
        self.set_extent(len(self._lines))
        self.redraw()


def _span(series: Sequence[Series], axes: Axes) -> tuple[float, float, float, float]:
    points = [(x, y) for one in series for x, y in one.points if abs(x) < _FAR and abs(y) < _FAR]
    xs, ys = [x for x, _ in points] or [0.0, 1.0], [y for _, y in points] or [0.0, 1.0]
    low = min(ys) if axes.low is None else axes.low
    high = max(ys) if axes.high is None else axes.high
    return (min(xs), _above(min(xs), max(xs)), low, _above(low, high))


def _above(low: float, high: float) -> float:
    """Return the upper end of a span that is never empty."""
    return high if high > low else low + max(1.0, abs(low))


def _plot(
    series: Sequence[Series],
    span: tuple[float, float, float, float],
    size: tuple[int, int],
    palette: Palette,
    *,
    log_x: bool,
) -> tuple[list[str], list[list[Style | None]]]:
    height, width = size
    total = np.zeros((height, width), dtype=np.int64)
    owner = np.full((height, width), -1)
    for number, one in enumerate(series):
        if not one.points:
            continue
        values = np.array(one.points, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # a diverged loss may be anything
            places, edges = values[:, 0], np.array(span[:2])
            if log_x:
                places, edges = np.log(places), np.log(edges)
            xs = (places - edges[0]) / (edges[1] - edges[0])
            ys = (values[:, 1] - span[2]) / (span[3] - span[2])
        ys = np.clip(ys, -_OUTSIDE, _OUTSIDE)
        bits = codes(line_dots(xs, ys, (DOWN * height, ACROSS * width)))
        total |= bits
        owner[bits > 0] = number
    inks = [palette.ink(one.role) for one in series]
    styles = [[None if place < 0 else inks[place] for place in row] for row in owner.tolist()]
    return text(total), styles


def _legend(series: Sequence[Series], axes: Axes, width: int, palette: Palette) -> Strip:
    parts: list[Part] = [(" " * (_AXIS + 1), None)]
    for one in series:
        last = next((y for _, y in reversed(one.points) if math.isfinite(y)), None)
        value = "–" if last is None else _label(last, axes)
        parts += [
            ("━ ", palette.ink(one.role, bold=True)),
            (f"{one_line(one.name)} ", palette.ink("muted")),
            (f"{value}  ", palette.ink("text", bold=True)),
        ]
    return fit(parts, width)


def _label(value: float, axes: Axes) -> str:
    if axes.percent:
        return f"{100 * value:.0f} %"
    return short(value) if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
