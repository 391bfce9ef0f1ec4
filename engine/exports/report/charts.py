"""Line charts as inline SVG: the style sheet colours them, so they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.exports.text import markup
from engine.figures.figure import Line
from engine.figures.numbers import short

WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 104, 12, 36
COLOURS = 6
"""How many colours the style sheet has for curves (`.c0` … `.c5`)."""
NAMED = 16
"""Characters of a name that there is room for beside its curve."""
POINTS = 400
"""Points of a curve that are drawn; of a longer one every so many."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows; `share`: y is 0..1, shown in percent; `log`: x grows by factors.

    A point whose y is not a number breaks its curve.
    """

    title: str
    x: str
    curves: tuple[Line, ...]
    share: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(value)
        share = (at - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def chart(what: Chart) -> str:
    """Return a chart as a figure, or an empty string when no curve has a point to draw."""
    curves = [
        (curve, points)
        for curve in map(_thinned, what.curves)
        if (
            points := [
                p for p in curve.points if math.isfinite(p[1]) and (p[0] > 0 or not what.log)
            ]
        )
    ]
    if not curves:
        return ""
    xs = [x for _, points in curves for x, _ in points]
    ys = [y for curve, points in curves for y in [p[1] for p in points] + _ends(curve)]
    across = _Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT, what.log)
    low, high = (0.0, 1.0) if what.share else (min(ys), max(ys))
    if what.share:
        high = min(1.0, 0.1 * math.ceil(10 * max(ys) + 0.5)) or 1.0
    elif low == high:
        low, high = low - 0.5, high + 0.5
    up = _Scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<figure class="chart"><figcaption>{markup(what.title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{markup(what.title)}">',
        *_axes(what, across, up),
    ]
    names = [curve.name for curve, _ in curves]
    key = ""
    if any(len(name) > NAMED for name in names):
        key = " · ".join(f"{number} {name}" for number, name in enumerate(names, 1))
        key = f'<p class="soft">{markup(key)}</p>'
        names = [str(number) for number in range(1, len(names) + 1)]
    heights = _apart([up(points[-1][1]) for _, points in curves])
    for number, ((curve, points), height) in enumerate(zip(curves, heights, strict=True)):
        parts += _drawn(curve, across, up, number % COLOURS, log=what.log)
        parts.append(
            f'<text class="c{number % COLOURS}" x="{across(points[-1][0]) + 6}" y="{height + 4}">'
            f"{markup(names[number])}</text>"
        )
    return "".join([*parts, f"</svg>{key}</figure>"])


def _thinned(curve: Line) -> Line:
    step = len(curve.points) // POINTS
    if step < 2:
        return curve
    kept = sorted({*range(0, len(curve.points), step), len(curve.points) - 1})
    return replace(
        curve,
        points=tuple(curve.points[k] for k in kept),
        bounds=tuple(curve.bounds[k] for k in kept) if curve.bounds else (),
    )


def _ends(curve: Line) -> list[float]:
    return [end for pair in curve.bounds for end in pair if math.isfinite(end)]


def _drawn(curve: Line, across: _Scale, up: _Scale, colour: int, *, log: bool) -> Iterator[str]:
    if len(curve.bounds) == len(curve.points) > 1:
        drawn = [
            (across(x), up(low), up(high))
            for (x, _), (low, high) in zip(curve.points, curve.bounds, strict=True)
            if x > 0 or not log
        ]
        upper = " ".join(f"{x},{high}" for x, _, high in drawn)
        lower = " ".join(f"{x},{low}" for x, low, _ in reversed(drawn))
        yield f'<polygon class="band c{colour}" points="{upper} {lower}"/>'
    path, begun = [], False
    for x, y in curve.points:
        if not math.isfinite(y) or (log and x <= 0):
            begun = False
            continue
        path.append(f"{'L' if begun else 'M'}{across(x)} {up(y)}")
        begun = True
    yield f'<path class="line c{colour}" d="{"".join(path)}"/>'
    if len(path) <= 24:
        for x, y in curve.points:
            if math.isfinite(y) and (x > 0 or not log):
                yield f'<circle class="dot c{colour}" cx="{across(x)}" cy="{up(y)}" r="2.5"/>'


def _axes(what: Chart, across: _Scale, up: _Scale) -> Iterator[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in _ticks(up.low, up.high):
        y = up(value)
        yield f'<path class="grid" d="M{LEFT} {y}H{right}"/>'
        text = f"{100 * value:.0f} %" if what.share else f"{value:.3g}"
        yield f'<text class="tick end" x="{LEFT - 6}" y="{y + 4}">{text}</text>'
    places = _powers(across.low, across.high) if what.log else _ticks(across.low, across.high)
    whole = all(x == int(x) for curve in what.curves for x, _ in curve.points)
    for value in places:
        if whole and value != int(value):
            continue
        x = across(value)
        yield f'<path class="grid" d="M{x} {TOP}V{bottom}"/>'
        yield f'<text class="tick mid" x="{x}" y="{bottom + 14}">{_short(value)}</text>'
    yield f'<text class="tick mid" x="{(LEFT + right) / 2}" y="{HEIGHT - 6}">{markup(what.x)}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round values from low to high."""
    if high <= low:
        return [low]
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Return the powers of ten, or where there are few of two, from low to high."""
    base = 10.0 if high / low >= 1000 else 2.0
    first, last = math.ceil(math.log(low, base) - 1e-9), math.floor(math.log(high, base) + 1e-9)
    step = max(1, (last - first + 1) // 6)
    return [base**n for n in range(first, last + 1, step)] or [low]


def _short(value: float) -> str:
    return short(value) if value >= 10_000 else f"{value:g}"


def _apart(heights: Sequence[float]) -> list[float]:
    """Return heights of labels moved down as far as they would overlap."""
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    moved, last = list(heights), -math.inf
    for k in order:
        moved[k] = last = max(heights[k], last + 13)
    return moved
