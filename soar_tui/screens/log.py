"""Why an engine did not come up: what happened, and the end of its log."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from soar_tui.sanitise import many_lines


class Log(ModalScreen[None]):
    """Shows a text that may be long; Escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "close")]

    def __init__(self, text: str, *, title: str = "the engine did not start") -> None:
        super().__init__()
        self._text, self._title = text, title

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as box:
            box.border_title = self._title
            yield Static(many_lines(self._text), markup=False)
            yield Static("Escape closes this", classes="hint", markup=False)
