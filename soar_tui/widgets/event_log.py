"""The newest events of a run, one line each; so many are kept, the newest in view."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from textual.strip import Strip

from soar_tui.sanitise import one_line
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.palette import Role
from soar_tui.widgets.strips import fit, left

KEPT = 2_000
_ROLES: dict[str, Role] = {"warning": "warn", "error": "bad", "debug": "faint"}


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event: Unix time, level ("info", "warning", "error", "debug"), its kind, one line."""

    time: float
    level: str
    kind: str
    text: str


class EventLog(LineList):
    """Shows events as they come; stays at the newest unless the cursor was moved up."""

    def __init__(
        self, kept: int = KEPT, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._kept = kept
        self._events: list[LogEvent] = []

    def add(self, events: Iterable[LogEvent]) -> None:
        """Append events, oldest first; the oldest are dropped once there are too many."""
        at_end = self.cursor >= len(self._events) - 1
        self._events += events
        over = max(0, len(self._events) - self._kept)
        del self._events[:over]
        if over:
            self._drawn.clear()
        self.set_extent(len(self._events))
        cursor = len(self._events) - 1 if at_end else self.cursor - over
        self.set_reactive(LineList.cursor, self.validate_cursor(cursor))
        if self.is_mounted:
            if at_end:
                self.show_line(self.cursor)
            self.redraw()

    def clear(self) -> None:
        """Drop all events, as for another run."""
        self._events.clear()
        self.set_extent(0)
        self.set_reactive(LineList.cursor, 0)
        self.repaint()

    @property
    def selected(self) -> LogEvent | None:
        """The event under the cursor."""
        return self._events[self.cursor] if self.cursor < len(self._events) else None

    def fit_to_size(self) -> None:
        self.show_line(self.cursor)

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw one event."""
        event = self._events[y]
        palette = self.palette
        clock = time.strftime("%H:%M:%S", time.localtime(event.time))
        role = _ROLES.get(event.level, "text")
        return fit(
            [
                (f"{clock} ", palette.ink("muted")),
                (f"{left(one_line(event.kind), 10)} ", palette.ink("muted")),
                (one_line(event.text), palette.ink(role)),
            ],
            width,
        )
