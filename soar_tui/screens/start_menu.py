"""The menu of `r`: start an engine, let it go on, drain it, or go round once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.config import ConfigError, load_settings
from engine.control import SETTINGS_NAME
from soar_tui import steering
from soar_tui.actions import ALIVE

if TYPE_CHECKING:
    from soar_tui.app import SoarApp
    from soar_tui.feed import Header


def choices(header: Header | None) -> list[tuple[str, str, str | None]]:
    """Return what the menu offers: id, words, and why it is off (None: it is on)."""
    state = header.state.state if header is not None else "new"
    alive = state in ALIVE
    going = f"the engine is {state}"
    idle = f"no engine is running (the run is {state})"
    through = "all its iterations are through; go round once more instead"
    start_off = going if alive else through if state == "finished" else None
    drain_off = idle if not alive else going if state == "draining" else None
    return [
        ("start", "Start the engine: go on where it was", start_off),
        ("go-on", "Go on after a pause", None if state == "paused" else _not_paused(state)),
        ("drain", "Drain: let pulls under way finish, then end the engine", drain_off),
        (
            "iterate",
            "Go round once more: one iteration on top of those there are",
            going if alive else None,
        ),
    ]


def _not_paused(state: str) -> str:
    return f"the engine is not paused (the run is {state})"


class StartMenu(ModalScreen[None]):
    """Offers what can be done to the engine now; what cannot says why."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "leave it"),
        Binding("j", "down", "down", show=False),
        Binding("k", "up", "up", show=False),
    ]

    def __init__(self, folder: Path, header: Header | None) -> None:
        super().__init__()
        self._folder, self._header = folder, header

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = "the engine"
            options = [
                Option(words if reason is None else f"{words}\n   off: {reason}", id=name)
                for name, words, reason in choices(self._header)
            ]
            yield OptionList(*options, markup=False)
            yield Static("Enter chooses · Escape leaves it as it is", classes="hint", markup=False)

    def action_down(self) -> None:
        """Go down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go up."""
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Do what was chosen, or say why not."""
        from soar_tui.app import SoarApp

        assert isinstance(self.app, SoarApp)
        app, name = self.app, event.option.id
        reason = next(reason for choice, _, reason in choices(self._header) if choice == name)
        if reason is not None:
            app.tell(reason, severity="warning")
            return
        self.dismiss()
        if name == "start":
            steering.start(app, self._folder)
        elif name == "go-on":
            steering.command(app, self._folder, "resume")
        elif name == "drain":
            steering.command(app, self._folder, "drain")
        else:
            self._iterate(app)

    def _iterate(self, app: SoarApp) -> None:
        try:
            settings = load_settings(self._folder / SETTINGS_NAME)
        except ConfigError as error:
            app.tell(str(error), severity="error")
            return
        more = msgspec.structs.replace(settings, iterations=settings.iterations + 1)
        steering.go_on(app, self._folder, more)
