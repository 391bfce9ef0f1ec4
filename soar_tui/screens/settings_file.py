"""Asking for a settings file to compare with: it is read before it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.config import ConfigError, load_settings
from soar_tui.sanitise import one_line
from soar_tui.screens.put import put


class SettingsFile(ModalScreen[Path | None]):
    """Asks for the path of a settings file; answers it, absolute, once it can be read as one.

    `beside` are the names of the runs that it is compared with. None: Escape was pressed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave it")]

    def __init__(self, beside: Sequence[str]) -> None:
        super().__init__()
        self._beside = tuple(beside)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = "compare with a settings file"
            names = ", ".join(map(one_line, self._beside))
            yield Static(
                f"Only settings are compared: those of {names} and the file's.", markup=False
            )
            line = Input(placeholder="a run's run.toml, or a file for --config", compact=True)
            line.cursor_blink = False
            yield line
            yield Static("", id="trouble", classes="trouble", markup=False)
            yield Static("Enter compares · Escape leaves it", classes="hint", markup=False)

    def on_input_changed(self) -> None:
        """Say nothing more of the path before."""
        put(self.query_one("#trouble", Static), "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the file."""
        if event.value.strip():
            self._read(event.value.strip())

    @work(thread=True, exclusive=True, group="settings-file")
    def _read(self, text: str) -> None:
        found: Path | str
        try:
            found = Path(text).expanduser().absolute()
            if found.exists() and not found.is_file():
                # Opening a pipe would wait for whoever writes to it.
                found = f"{text}: not a file"
            else:
                load_settings(found)
        except (ConfigError, OSError, RuntimeError, ValueError) as error:
            found = str(error)
        self.app.call_from_thread(self._say, text, found)

    def _say(self, text: str, found: Path | str) -> None:
        if not self.is_current or self.query_one(Input).value.strip() != text:
            return  # the user has left, or means another file by now
        if isinstance(found, Path):
            self.dismiss(found)
        else:
            put(self.query_one("#trouble", Static), one_line(found))
