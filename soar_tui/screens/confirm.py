"""Asking before what cannot be undone: yes is a word to type."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from soar_tui.sanitise import many_lines, one_line


class Confirm(ModalScreen[bool]):
    """Shows a question; answers True once `word` has been typed, False on Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "no")]

    def __init__(self, question: str, *, word: str) -> None:
        super().__init__()
        self._question, self._word = question, word

    def compose(self) -> ComposeResult:
        word = one_line(self._word)
        with Vertical(classes="dialog"):
            yield Static(many_lines(self._question), markup=False)
            yield Static(f"\nType {word} and Enter to go ahead, Escape to leave it.", markup=False)
            line = Input(placeholder=word, compact=True)
            line.cursor_blink = False
            yield line

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go ahead if the word is right."""
        if event.value.strip() in (self._word, one_line(self._word)):
            self.dismiss(True)
        else:
            self.app.notify("that is not the word", severity="warning", markup=False)
