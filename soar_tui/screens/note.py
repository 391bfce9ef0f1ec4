"""A bookmark and its note."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.programs.candidate import split_candidate_id


class Note(ModalScreen["tuple[bool, str]"]):
    """Asks for a note on a candidate; answers (whether to bookmark it, the note)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "leave it"),
        Binding("ctrl+r", "remove", "take the bookmark away"),
    ]

    def __init__(self, candidate: int, note: str, *, marked: bool) -> None:
        super().__init__()
        self._number = split_candidate_id(candidate)[2]
        self._note, self._marked = note, marked

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = f"bookmark candidate #{self._number}"
            yield Static("A note, if you like:", markup=False)
            line = Input(
                value=self._note, placeholder="why it is worth finding again", compact=True
            )
            line.cursor_blink = False
            yield line
            hint = "Enter bookmarks it · Escape leaves it as it is"
            if self._marked:
                hint += " · Ctrl+R takes the bookmark away"
            yield Static(hint, classes="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep bookmark and note."""
        self.dismiss((True, event.value.strip()))

    def action_remove(self) -> None:
        """Take bookmark and note away."""
        self.dismiss((False, ""))
