"""The training menu: what to learn from and how, a dry run of that, and then the start of it."""

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
from engine.figures.numbers import count
from soar_tui import steering
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
"""Only for language models; the embedded policy's fit has no such settings."""
TRAINERS: tuple[tuple[str, str], ...] = (
    ("unsloth", "unsloth, on a GPU"),
    ("hf", "transformers and peft"),
)


class Train(ModalScreen[None]):
    """Asks how a run is to be learned from, and starts its engine for that alone.

    `off`: why learning cannot be started now; a dry run can always be made.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "leave it"),
        Binding("ctrl+s", "start", "learn"),
        Binding("ctrl+t", "try_out", "dry run"),
    ]

    def __init__(
        self, folder: Path, settings: Settings, row: IterationRow | None, off: str | None
    ) -> None:
        super().__init__()
        self._folder, self._settings, self._row, self._off = folder, settings, row, off
        self._trainers = settings.policy.kind != "grammar"
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
            with Horizontal(classes="field"):
                yield Label("repairs of")
                yield Select(
                    [("tasks with known truth", "truth"), ("all tasks", "all")],
                    value="all" if learn.repairs_without_truth else "truth",
                    allow_blank=False,
                    compact=True,
                    id="repairs-of",
                )
            if self._trainers:
                with Horizontal(classes="field"):
                    yield Label("learner")
                    yield Select(
                        [(told, name) for name, told in TRAINERS],
                        value=self._settings.train.trainer,
                        allow_blank=False,
                        compact=True,
                        id="trainer",
                    )
            for name, label, about in self._fields:
                with Horizontal(classes="field"):
                    yield Label(label)
                    line = Input(value=self._value(name), id=_id(name), compact=True)
                    line.cursor_blink = False
                    yield line
                yield Static(about, classes="about", markup=False)
            yield Static(
                "Enter shows what it would learn from · Ctrl+S learns, without searching on\n"
                "Escape leaves it",
                classes="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        """Begin in a line, where Enter goes on to the dry run; in a choice it would open that."""
        self.query_one(f"#{_id(self._fields[0][0])}", Input).focus()

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
            "The embedded policy is fitted by maximum likelihood, on the CPU's cores."
            if policy == "grammar"
            else "The learner tunes "
            f"{one_line(self._settings.train.model or self._settings.serve.model or 'no model')}."
        )
        text.append(how, style="dim")
        if self._off is not None:
            text.append(f"\nOnly a dry run can be made now: {one_line(self._off)}")
        return text

    def _value(self, name: str) -> str:
        value: object = self._settings
        for part in name.split("."):
            value = getattr(value, part)
        return str(value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Make a dry run."""
        self.action_try_out()

    def chosen(self) -> Settings:
        """Return the run's settings as the menu changes them. Raises ConfigError."""
        changes: dict[str, object] = {
            "learn.strategy": str(self.query_one("#strategy", Select).value),
            "learn.pool": self.query_one("#pool", Select).value == "all",
            "learn.repairs_without_truth": self.query_one("#repairs-of", Select).value == "all",
            "learn_last": True,
        }
        if self._trainers:
            changes["train.trainer"] = str(self.query_one("#trainer", Select).value)
        for name, label, _ in self._fields:
            text = self.query_one(f"#{_id(name)}", Input).value.strip()
            try:
                changes[name] = msgspec.json.decode(text)
            except msgspec.DecodeError as error:
                raise ConfigError(f"{label}: must be a number, not {text!r}") from error
        return override(self._settings, changes)

    def _chosen_or_told(self) -> Settings | None:
        try:
            return self.chosen()
        except ConfigError as error:
            self.notify(one_line(str(error)), severity="error", markup=False)
            return None

    def action_try_out(self) -> None:
        """Show what would be learned from, with the way back here."""
        from soar_tui.screens.dry_run import DryRunScreen

        settings = self._chosen_or_told()
        if settings is None:
            return

        def answered(learn: bool | None) -> None:
            if learn:
                self.action_start()

        self.app.push_screen(DryRunScreen(self._folder, settings, self._off), answered)

    def action_start(self) -> None:
        """Start the engine to learn."""
        from soar_tui.app import SoarApp

        assert isinstance(self.app, SoarApp)
        if self._off is not None:
            self.notify(one_line(self._off), severity="warning", markup=False)
            return
        settings = self._chosen_or_told()
        if settings is not None:
            self.dismiss()
            steering.go_on(self.app, self._folder, settings)


def _id(field: str) -> str:
    return "field-" + field.replace(".", "-").replace("_", "-")
