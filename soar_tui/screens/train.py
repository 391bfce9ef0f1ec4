"""The training menu: what to learn from and how, and then the start of it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, get_args

import msgspec
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Select, Static

from engine.archive.rows import IterationRow
from engine.config import ConfigError, Settings, Strategy, override
from soar_tui import steering
from soar_tui.numbers import count
from soar_tui.sanitise import one_line
from soar_tui.screens.put import entitle

DATA: tuple[tuple[str, str, str], ...] = (
    ("learn.samples", "samples", "sampling examples of one task at most"),
    ("learn.repairs", "repairs", "refinement examples of one task at most"),
)
TUNING: tuple[tuple[str, str, str], ...] = (
    ("train.learning_rate", "learning rate", "of the optimiser, at its peak"),
    ("train.epochs", "epochs", "times it goes through the data set"),
    ("train.rank", "rank", "of the low-rank adapters"),
)
"""Only for language models; the embedded policy is fitted by counting."""


class Train(ModalScreen[None]):
    """Asks how a resting run is to be learned from, and starts its engine for that alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "leave it"),
        Binding("ctrl+s", "start", "learn"),
    ]

    def __init__(self, folder: Path, settings: Settings, row: IterationRow | None) -> None:
        super().__init__()
        self._folder, self._settings, self._row = folder, settings, row
        tunes = settings.policy.kind != "grammar"
        self._fields = (*DATA, *(TUNING if tunes else ()))

    def compose(self) -> ComposeResult:
        learn = self._settings.learn
        with VerticalScroll(classes="dialog form", can_focus=False) as box:
            entitle(box, f"learn from {self._folder.name}")
            yield Static(self._about(), id="data", markup=False)
            with Horizontal(classes="field"):
                yield Label("strategy")
                yield Select(
                    [(name, name) for name in get_args(Strategy)],
                    value=learn.strategy,
                    allow_blank=False,
                    compact=True,
                    id="strategy",
                )
            with Horizontal(classes="field"):
                yield Label("from")
                yield Select(
                    [("all iterations of this run", "all"), ("the last iteration only", "last")],
                    value="all" if learn.pool else "last",
                    allow_blank=False,
                    compact=True,
                    id="pool",
                )
            for name, label, about in self._fields:
                with Horizontal(classes="field"):
                    yield Label(label)
                    line = Input(value=self._value(name), id=_id(name), compact=True)
                    line.cursor_blink = False
                    yield line
                yield Static(about, classes="about", markup=False)
            yield Static(
                "Enter or Ctrl+S learns, without searching on · Escape leaves it",
                classes="hint",
                markup=False,
            )

    def _about(self) -> Text:
        row, policy = self._row, self._settings.policy.kind
        text = Text()
        if row is not None:
            text.append(
                f"{count(row.candidates)} candidates on {count(row.tasks)} tasks, "
                f"{count(row.perfect)} right on every demonstration\n",
                style="bold",
            )
        how = (
            "The embedded policy is fitted by counting, on one CPU core."
            if policy == "grammar"
            else f"The trainer {self._settings.train.trainer} tunes "
            f"{one_line(self._settings.train.model or self._settings.serve.model or 'no model')}."
        )
        text.append(how, style="dim")
        return text

    def _value(self, name: str) -> str:
        value: object = self._settings
        for part in name.split("."):
            value = getattr(value, part)
        return str(value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Learn."""
        self.action_start()

    def chosen(self) -> Settings:
        """Return the run's settings as the menu changes them. Raises ConfigError."""
        changes: dict[str, object] = {
            "learn.strategy": str(self.query_one("#strategy", Select).value),
            "learn.pool": self.query_one("#pool", Select).value == "all",
            "learn_last": True,
        }
        for name, label, _ in self._fields:
            text = self.query_one(f"#{_id(name)}", Input).value.strip()
            try:
                changes[name] = msgspec.json.decode(text)
            except msgspec.DecodeError as error:
                raise ConfigError(f"{label}: must be a number, not {text!r}") from error
        return override(self._settings, changes)

    def action_start(self) -> None:
        """Start the engine to learn."""
        from soar_tui.app import SoarApp

        assert isinstance(self.app, SoarApp)
        try:
            settings = self.chosen()
        except ConfigError as error:
            self.app.tell(str(error), severity="error")
            return
        self.dismiss()
        steering.go_on(self.app, self._folder, settings, "learn")


def _id(field: str) -> str:
    return "field-" + field.replace(".", "-").replace("_", "-")
