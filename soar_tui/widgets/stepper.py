"""Where an iteration stands: Sample → Refine → Vote → Learn, with progress, rate and time left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.strip import Strip

from engine.figures.numbers import duration, of, rate, short
from soar_tui.sanitise import one_line
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, beside, fit

Standing: TypeAlias = Literal["waiting", "running", "done", "skipped"]

_SIGNS: dict[Standing, tuple[str, Role]] = {
    "waiting": ("○", "muted"),
    "running": ("●", "accent"),
    "done": ("✓", "good"),
    "skipped": ("–", "faint"),
}
_GAP = " → "
_BAR = "━"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `done` of `whole` units (whole 0: not countable), per second, seconds left."""

    name: str
    standing: Standing
    done: int = 0
    whole: int = 0
    per_second: float | None = None
    left: float | None = None


def draw_steps(steps: Sequence[Step], width: int, palette: Palette) -> list[Strip]:
    """Draw steps in three lines: name, progress bar, figures."""
    if not steps:
        return [Strip.blank(width)] * 3
    gaps = len(_GAP) * (len(steps) - 1)
    room = max(8, (width - gaps) // len(steps))
    lines: list[list[Strip]] = [[], [], []]
    for place, step in enumerate(steps):
        if place:
            arrow = fit([(_GAP, palette.ink("faint"))], len(_GAP))
            lines[0].append(arrow)
            lines[1].append(Strip.blank(len(_GAP)))
            lines[2].append(Strip.blank(len(_GAP)))
        for line, strip in zip(lines, _draw(step, room, palette), strict=True):
            line.append(strip)
    return [beside(line).adjust_cell_length(width) for line in lines]


class Stepper(LineView, can_focus=False):
    """Shows the steps of the present iteration."""

    DEFAULT_CSS = """
    Stepper { height: 3; scrollbar-gutter: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._steps: tuple[Step, ...] = ()
        self.set_extent(3)

    def show(self, steps: Sequence[Step]) -> None:
        """Show these steps in place of what was there."""
        self._steps = tuple(steps)
        if self.is_mounted:
            self.redraw()

    def draw_line(self, y: int, width: int) -> Strip:
        """Draw names, bars or figures."""
        return draw_steps(self._steps, width, self.palette)[y]


def _draw(step: Step, width: int, palette: Palette) -> list[Strip]:
    sign, role = _SIGNS[step.standing]
    running = step.standing == "running"
    name: list[Part] = [
        (f"{sign} ", palette.ink(role, bold=True)),
        (one_line(step.name), palette.ink("text" if running else "muted", bold=running)),
    ]
    share = 1.0 if step.standing == "done" else step.done / step.whole if step.whole else 0.0
    filled = int(width * max(0.0, min(1.0, share)))
    bar: list[Part] = [
        (_BAR * filled, palette.ink(role)),
        ("─" * (width - filled), palette.ink("faint")),
    ]
    figures: list[Part] = [(_figures(step, width), palette.ink("muted"))]
    return [fit(name, width), fit(bar, width), fit(figures, width)]


def _figures(step: Step, width: int) -> str:
    """Say as much as there is room for: progress first, then time left, then rate."""
    known = [of(step.done, step.whole)] if step.whole else []
    if step.standing == "running":
        if step.left is not None:
            known.append(f"{duration(step.left)} left")
        if step.per_second is not None:
            known.append(rate(step.per_second))
    text = ""
    for fact in known:
        longer = f"{text}  {fact}" if text else fact
        if len(longer) <= width:
            text = longer
    return text or (f"{short(step.done)}/{short(step.whole)}" if step.whole else "")
