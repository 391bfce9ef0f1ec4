"""What a pane shows when it has nothing to show: empty, loading, crashed, too small; and stale.

One look for all: a still line or two in the middle, and the key that changes it. Nothing moves.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TypeAlias

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from soar_tui.numbers import duration
from soar_tui.sanitise import one_line
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import fit

_LOG_LINES = 8


@dataclass(frozen=True, slots=True)
class Empty:
    """There are no data yet: `what` is missing, how it comes about, the `key` that starts it."""

    what: str
    how: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    """`what` has been asked for and is not there yet."""

    what: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The engine is gone: `why`, the last lines of its log, and the `key` that goes on."""

    why: str
    log: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class TooSmall:
    """There is less room than `width` by `height`; `main` is the one thing still worth saying."""

    width: int
    height: int
    main: str = ""


PaneState: TypeAlias = Empty | Loading | Crashed | TooSmall


def draw_state(state: PaneState, width: int, height: int, palette: Palette) -> list[Strip]:
    """Draw a state as `height` lines of `width` cells, its text in the middle."""
    lines = [(text, role, True) for text, role in _words(state, width)]
    if isinstance(state, Crashed) and state.log:
        shown = state.log[-min(_LOG_LINES, max(1, height - len(lines) - 1)) :]
        lines += [("", "text", True), *((one_line(line), "muted", False) for line in shown)]
    lines = lines[:height]
    above = (height - len(lines)) // 2
    drawn = [Strip.blank(width)] * above
    for text, role, centred in lines:
        drawn.append(fit([(text.center(width) if centred else text, palette.ink(role))], width))
    return drawn + [Strip.blank(width)] * (height - len(drawn))


def _words(state: PaneState, width: int) -> list[tuple[str, Role]]:
    match state:
        case Empty(what, how, key):
            lines: list[tuple[str, Role]] = [(what, "text"), (how, "muted")]
            lines.append((f"press {key}" if key else "", "accent"))
        case Loading(what):
            lines = [(f"loading {what} …", "muted")]
        case Crashed(why, _, key):
            lines = [(why, "bad"), (f"press {key} to go on" if key else "", "accent")]
        case TooSmall(needed, high, main):
            lines = [(main, "text"), (f"{needed}×{high} shows more", "muted")]
    return [
        (part, role)
        for text, role in lines
        if text
        for part in textwrap.wrap(one_line(text), max(8, width - 2))
    ]


class StateView(LineView, can_focus=False):
    """Draws one state over its whole area."""

    DEFAULT_CSS = """
    StateView { scrollbar-gutter: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._state: PaneState | None = None

    def show(self, state: PaneState) -> None:
        """Show this state."""
        self._state = state
        if self.is_mounted:
            self.fit_to_size()
            self.redraw()

    def fit_to_size(self) -> None:
        self.set_extent(self.area.height)

    def draw_line(self, y: int, width: int) -> Strip:
        """Draw a line of the state."""
        if self._state is None:
            return Strip.blank(width)
        return draw_state(self._state, width, self.area.height, self.palette)[y]


class Pane(Vertical):
    """A titled frame around one widget that can step back for a state."""

    DEFAULT_CSS = """
    Pane {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        border-subtitle-color: $warning;
        background: $surface;
        height: 1fr;
        width: 1fr;
    }
    Pane:focus-within { border: round $primary; }
    Pane.-stale { border: round $warning; }
    Pane > StateView { display: none; }
    Pane.-state > StateView { display: block; }
    Pane.-state > .pane-body { display: none; }
    """

    def __init__(
        self, body: Widget, title: str = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.body = body
        body.add_class("pane-body")
        self._placeholder = StateView()
        self.name_pane(title)

    def compose(self) -> ComposeResult:
        """Hold the body and its placeholder."""
        yield self.body
        yield self._placeholder

    def name_pane(self, title: str) -> None:
        """Set the title in the frame."""
        self.border_title = Content(one_line(title)) if title else None

    def show_state(self, state: PaneState | None) -> None:
        """Show a state in place of the body, or the body again (None)."""
        if state is not None:
            self._placeholder.show(state)
        self.set_class(state is not None, "-state")

    def show_stale(self, seconds: float | None) -> None:
        """Say in the frame for how long the engine has been silent (None: it is not)."""
        self.set_class(seconds is not None, "-stale")
        self.border_subtitle = (
            None if seconds is None else Content(f"engine silent for {duration(seconds)}")
        )
