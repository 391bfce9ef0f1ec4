"""The vote, live: patterns ranked by weight as bars, and their output grids beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from engine.arc.grid import Grid
from engine.figures.numbers import count, short
from soar_tui.widgets.grid_picture import Cells, picture_size
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.line_view import PictureView
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.pictures import Picture, flow, grid_picture
from soar_tui.widgets.strips import Part, beside, fit, fit_facts, right

_RANK, _COUNT, _WEIGHT, _SHARE = 4, 8, 7, 6
_FRAME = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One pattern of a task's vote: the outputs for all test inputs, and what stands behind them.

    `rank` counts from 1, `count` programs, `weight` by the formula in use; `submitted` are the two
    that were, by whichever formula, or before that the two that lead. `right` holds one mark per
    test input (None: truth unknown). `id` names the pattern whatever its rank.
    """

    id: int
    rank: int
    outputs: tuple[Grid, ...]
    count: int
    weight: float
    submitted: bool
    right: tuple[bool, ...] | None = None

    @property
    def oracle(self) -> bool:
        """Whether it is right on every test input, so that no vote could do better."""
        return self.right is not None and all(self.right)


def verdict(pattern: Pattern) -> tuple[str, Role]:
    """Return the sign of a pattern's truth and its role: unknown is never shown as wrong."""
    if pattern.right is None:
        return "?", "muted"
    if all(pattern.right):
        return "✓", "good"
    if any(pattern.right):
        return f"{sum(pattern.right)}/{len(pattern.right)}", "warn"
    return "✗", "bad"


class VoteBars(LineList):
    """A line per pattern: rank, a bar of its weight over a bar of its count, share, verdict.

    The cursor stays on its pattern when ranks move.
    """

    header = 2

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._patterns: tuple[Pattern, ...] = ()
        self._formula = ""

    def show(self, patterns: Iterable[Pattern], formula: str) -> None:
        """Show patterns, heaviest first, ranked by the named formula."""
        held = self.selected
        self._patterns, self._formula = tuple(patterns), formula
        self.set_extent(len(self._patterns))
        cursor = self.cursor
        if held is not None:
            cursor = next(
                (line for line, row in enumerate(self._patterns) if row.id == held.id), cursor
            )
        self.set_reactive(LineList.cursor, self.validate_cursor(cursor))
        if self.is_mounted:
            self.redraw()

    @property
    def selected(self) -> Pattern | None:
        """The pattern under the cursor."""
        return self._patterns[self.cursor] if self.cursor < len(self._patterns) else None

    def draw_header(self, y: int, width: int) -> Strip:
        """Draw the summary and the column titles."""
        palette = self.palette
        muted, strong = palette.ink("muted"), palette.ink("text", bold=True)
        if y == 1:
            room = _bar_width(width)
            legend = "▀ weight ▄ programs" if room > 19 else "▀ ▄"
            titles = (
                right("rank", _RANK + 1)
                + f"  {legend:{room}}"
                + right("programs", _COUNT + 1)
                + right("weight", _WEIGHT + 1)
                + right("share", _SHARE + 1)
                + "  truth"
            )
            return fit([(titles, muted)], width)
        programs = sum(pattern.count for pattern in self._patterns)
        best = next((pattern for pattern in self._patterns if pattern.oracle), None)
        truth: list[Part] = [("truth unknown", muted)]
        if best is not None:
            truth = [("the right one ranks ", muted), (f"#{best.rank}", palette.ink("good"))]
        elif any(pattern.right is not None for pattern in self._patterns):
            truth = [("none of them is right", palette.ink("bad"))]
        facts: list[list[Part]] = [
            [(count(len(self._patterns)), strong), (" patterns", muted)],
            truth if self._patterns else [],
            [("by ", muted), (self._formula, palette.ink("accent", bold=True))],
            [(count(programs), strong), (" programs", muted)],
        ]
        return fit_facts(facts, width)

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw one pattern."""
        weights = sum(pattern.weight for pattern in self._patterns) or 1.0
        programs = sum(pattern.count for pattern in self._patterns) or 1
        pattern = self._patterns[y]
        top = self._patterns[0]
        return draw_pattern(
            pattern,
            width,
            self.palette,
            bars=(pattern.weight / (top.weight or 1.0), pattern.count / max(1, top.count)),
            shares=(pattern.weight / weights, pattern.count / programs),
        )


class VoteGrids(PictureView):
    """The outputs of the heaviest patterns beside each other, one row of pictures per test input."""

    digits: reactive[bool | None] = reactive(None, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._patterns: tuple[Pattern, ...] = ()
        self._lines: list[Strip] = []

    def show(self, patterns: Iterable[Pattern]) -> None:
        """Show these patterns in their order."""
        self._patterns = tuple(patterns)
        self._draw()

    def fit_to_size(self) -> None:
        self._draw()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        self._draw()

    def watch_digits(self) -> None:
        """Draw anew."""
        self._draw()

    def draw_line(self, y: int, width: int) -> Strip:
        """Return a line of the pictures."""
        return self._lines[y]

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        digits = self.palette.digits if self.digits is None else self.digits
        cells = _cells(self._patterns, self.area.width, self.area.height, digits)
        tests = len(self._patterns[0].outputs) if self._patterns else 0
        self._lines = []
        for test in range(tests):
            if test:
                self._lines.append(Strip.blank(0))
            pictures = [
                pattern_picture(pattern, test, cells, self.palette, digits=digits)
                for pattern in self._patterns
            ]
            self._lines += flow(pictures, self.area.width, self.palette)
        widest = max((line.cell_length for line in self._lines), default=0)
        self.set_extent(len(self._lines), widest)
        self.redraw()


def pattern_picture(
    pattern: Pattern, test: int, cells: Cells, palette: Palette, *, digits: bool = False
) -> Picture:
    """Draw a pattern's output for one test input under its rank and verdict."""
    role: Role = "faint"
    caption: list[Part] = [(f"#{pattern.rank}", palette.ink("text", bold=True))]
    if pattern.submitted:
        caption.append((" ★", palette.ink("accent")))
        role = "accent"
    if pattern.right is not None:
        fits = pattern.right[test]
        caption.append((" ✓" if fits else " ✗", palette.ink("good" if fits else "bad")))
        role = "good" if fits else "bad"
    return grid_picture(
        pattern.outputs[test], cells, palette, caption=caption, digits=digits, edge=role
    )


def draw_pattern(
    pattern: Pattern,
    width: int,
    palette: Palette,
    *,
    bars: tuple[float, float],
    shares: tuple[float, float],
) -> Strip:
    """Draw a pattern as a line; `bars` and `shares` are 0..1, of weight and of count."""
    sign, role = verdict(pattern)
    star = "★" if pattern.submitted else " "
    plain, muted = palette.ink("text"), palette.ink("muted")
    head = fit(
        [
            (right(f"#{pattern.rank}", _RANK), plain),
            (star, palette.ink("accent", bold=True)),
            ("  ", None),
        ],
        _RANK + 3,
    )
    tail: list[Part] = [
        (right(count(pattern.count), _COUNT + 1), plain),
        (right(_weight(pattern.weight), _WEIGHT + 1), muted),
        (right(f"{100 * shares[0]:.0f} %", _SHARE + 1), plain),
        (f"  {sign}", palette.ink(role, bold=True)),
    ]
    if pattern.oracle and not pattern.submitted:
        tail.append((" missed", palette.ink("warn")))
    room = _bar_width(width)
    bar = _bar(bars[0], bars[1], room, palette, "accent" if pattern.submitted else "primary")
    left = max(0, width - head.cell_length - room)
    return beside([head, bar, fit(tail, left)]).adjust_cell_length(width)


def _weight(weight: float) -> str:
    """Return a weight; one that is no whole number, as formulas with a prior give, with two digits."""
    return short(weight) if weight >= 10 or weight == int(weight) else f"{weight:.2g}"


def _bar_width(width: int) -> int:
    fixed = _RANK + 3 + _COUNT + 1 + _WEIGHT + 1 + _SHARE + 1 + 11
    return max(6, width - fixed)


def _bar(weight: float, programs: float, width: int, palette: Palette, role: Role) -> Strip:
    """Draw two bars in one line: the upper half is the weight, the lower the count."""
    upper, lower = round(width * min(1.0, weight)), round(width * min(1.0, programs))
    # A bar of something is never blank.
    upper, lower = max(upper, int(weight > 0)), max(lower, int(programs > 0))
    both = min(upper, lower)
    # 16 colours merge the colours of text.
    ink, other = palette.ink(role), palette.ink("faint" if palette.depth == "16" else "muted")
    segments = [Segment("▀" * both, ink.from_color(ink.color, other.color))] if both else []
    if upper > both:
        segments.append(Segment("▀" * (upper - both), ink))
    if lower > both:
        segments.append(Segment("▄" * (lower - both), other))
    rest = width - max(upper, lower)
    if rest:
        segments.append(Segment("·" * rest, palette.ink("faint")))
    return Strip(segments, width)


def _cells(patterns: Sequence[Pattern], width: int, height: int, digits: bool) -> Cells:
    """Choose the largest cells with which the first four patterns stand beside each other."""
    first = [pattern.outputs for pattern in patterns[:4]]
    order: tuple[Cells, ...] = ("big", "wide")
    for cells in order:
        sizes = [[picture_size(grid.shape, cells) for grid in outputs] for outputs in first]
        across = sum(max(size[0] for size in outputs) + _FRAME + 2 for outputs in sizes)
        down = max((sum(size[1] + _FRAME + 2 for size in outputs) for outputs in sizes), default=0)
        if across <= width and down <= height:
            return cells
    return "single" if digits else "half"
