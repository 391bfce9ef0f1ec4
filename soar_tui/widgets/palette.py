"""The present theme's colours as widgets draw with them, and what the terminal can show of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from rich.color import ColorSystem
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widget import Widget

from engine.arc.grid import COLOURS
from soar_tui.themes import ARC_DEFAULTS

Depth: TypeAlias = Literal["truecolor", "256", "16", "none"]
Role: TypeAlias = Literal["text", "muted", "faint", "accent", "good", "warn", "bad", "primary"]

ABSENT, RIGHT = COLOURS, COLOURS + 1
"""Codes beside the ten cells: no cell here, and a cell whose colour does not matter (it is right)."""

_FALLBACK = {
    "background": "#16161e",
    "surface": "#1a1b26",
    "panel": "#24283b",
    "foreground": "#c0caf5",
    "primary": "#7aa2f7",
    "accent": "#e0af68",
    "success": "#9ece6a",
    "warning": "#e0af68",
    "error": "#f7768e",
    **ARC_DEFAULTS,
}
_SIXTEEN = (
    Color(0, 0, 0),
    Color(85, 85, 255),
    Color(255, 85, 85),
    Color(85, 255, 85),
    Color(255, 255, 85),
    Color(170, 170, 170),
    Color(255, 85, 255),
    Color(170, 85, 0),
    Color(85, 255, 255),
    Color(170, 0, 0),
)
"""The ten cells' colours as ten different ones of a terminal's sixteen: each is the nearest to one."""

_DEPTHS: dict[str | None, Depth] = {
    "truecolor": "truecolor",
    "256": "256",
    "windows": "16",
    "standard": "16",
    None: "none",
}


@dataclass(frozen=True)
class Palette:
    """Colours of a theme by what they say, and `depth`, the colours the terminal can show.

    `arc` are the ten cells' colours, `surface` is what the widgets stand on. Two palettes are
    equal when everything drawn with them is.
    """

    depth: Depth
    arc: tuple[Color, ...]
    background: Color
    surface: Color
    panel: Color
    text: Color
    primary: Color
    accent: Color
    good: Color
    warn: Color
    bad: Color

    @property
    def muted(self) -> Color:
        """For what is read second: labels, units."""
        return self.text.blend(self.surface, 0.4)

    @property
    def faint(self) -> Color:
        """For what is hardly read: lines, axes, empty parts of bars."""
        return self.text.blend(self.surface, 0.72)

    @cached_property
    def digits(self) -> bool:
        """Whether cells need a digit to be told apart: of 16 colours some are hardly to be."""
        return _grey(self.arc) or self.depth in ("16", "none")

    @cached_property
    def highlight(self) -> Style:
        """What is added to the line under the cursor."""
        if self.depth in ("16", "none"):
            return Style(reverse=True)
        # Of 256 colours the nearest to a strong tint is a light grey that hides what is muted.
        tinted = self.depth == "256" and self.primary.hsl.s > 0.2
        strength = 0.15 if tinted else 0.3
        return Style(bgcolor=self.surface.blend(self.primary, strength).rich_color)

    @cached_property
    def lit(self) -> Style:
        """What is added to a line on which something happens right now."""
        if self.depth in ("16", "none"):
            return Style(bold=True, underline=True)
        return Style(bgcolor=self.surface.blend(self.accent, 0.22).rich_color)

    @cached_property
    def match(self) -> Style:
        """What is added to text that a search found."""
        return Style(reverse=True, bold=True)

    @cached_property
    def _inks(self) -> dict[tuple[Role, bool], Style]:
        colours: dict[Role, Color] = {
            "text": self.text,
            "muted": self.muted,
            "faint": self.faint,
            "accent": self.accent,
            "good": self.good,
            "warn": self.warn,
            "bad": self.bad,
            "primary": self.primary,
        }
        return {
            (role, bold): Style(color=colour.rich_color, bold=bold or None)
            for role, colour in colours.items()
            for bold in (False, True)
        }

    def ink(self, role: Role = "text", *, bold: bool = False) -> Style:
        """Return the style of text that plays a role."""
        return self._inks[role, bold]

    @cached_property
    def cells(self) -> tuple[Style, ...]:
        """Style of a whole cell per code: its colour, and an ink that can be read on it."""
        return tuple(
            Style(color=_ink_on(colour).rich_color, bgcolor=colour.rich_color)
            for colour in self._codes
        )

    @cached_property
    def halves(self) -> tuple[tuple[Style, ...], ...]:
        """Style of `▀` per code of the upper and code of the lower cell."""
        return tuple(
            tuple(Style(color=upper.rich_color, bgcolor=lower.rich_color) for lower in self._codes)
            for upper in self._codes
        )

    @cached_property
    def _codes(self) -> tuple[Color, ...]:
        return (*self.arc, self.surface, self.surface.blend(self.text, 0.16))


def palette_of(app: App[Any]) -> Palette:
    """Return the palette of an app's present theme."""
    variables = app.theme_variables
    known = _palettes.get(app)
    depth = _depth(app)
    if known is not None and known[0] is variables and known[1].depth == depth:
        return known[1]

    def colour(name: str) -> Color:
        parsed = Color.parse(variables.get(name, _FALLBACK[name]))
        # A theme that leaves colours to the terminal cannot be blended with.
        return Color.parse(_FALLBACK[name]) if parsed.ansi is not None else parsed

    palette = Palette(
        depth,
        _shown(tuple(colour(f"arc-{cell}") for cell in range(COLOURS)), depth),
        colour("background"),
        colour("surface"),
        colour("panel"),
        colour("foreground"),
        colour("primary"),
        colour("accent"),
        colour("success"),
        colour("warning"),
        colour("error"),
    )
    _palettes[app] = (variables, palette)
    return palette


class Painted(Widget):
    """A widget that draws its own lines with the theme's palette."""

    DEFAULT_CSS = """
    Painted { background: $surface; color: $foreground; }
    """

    _look: tuple[Palette, Style] | None = None

    @property
    def palette(self) -> Palette:
        """The palette of the present theme."""
        return palette_of(self.app)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        look = self.palette, self.rich_style
        if look != self._look:
            # Styles are also updated when nothing one can see has changed, on every focus change.
            self._look = look
            self.forget_drawn()

    def forget_drawn(self) -> None:
        """Drop whatever was drawn with an earlier palette."""


def _shown(arc: tuple[Color, ...], depth: Depth) -> tuple[Color, ...]:
    """Return the ten cells' colours as a terminal of so many can show them, grey ones as they are."""
    if depth != "16" or _grey(arc):
        return arc
    standard = ColorSystem.STANDARD
    nearest = {colour.rich_color.downgrade(standard).number for colour in arc}
    return arc if len(nearest) == len(arc) else _SIXTEEN


def _grey(arc: tuple[Color, ...]) -> bool:
    return all(max(colour.rgb) - min(colour.rgb) < 16 for colour in arc)


_palettes: WeakKeyDictionary[App[Any], tuple[dict[str, str], Palette]] = WeakKeyDictionary()


def _depth(app: App[Any]) -> Depth:
    return "none" if app.no_color else _DEPTHS.get(app.console.color_system, "truecolor")


def _ink_on(colour: Color) -> Color:
    return Color(0, 0, 0) if colour.brightness > 0.5 else Color(255, 255, 255)
