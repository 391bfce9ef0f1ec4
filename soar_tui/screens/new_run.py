"""The form of a new run: presets, what to change, and an estimate that follows every keystroke."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Select, Static

from engine.config import PRESETS, ConfigError, Settings, override, preset
from engine.figures.numbers import count, duration, rate, size
from soar_tui import steering
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from soar_tui.app import SoarApp
    from soar_tui.screens.run_lines import RunLine

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("tasks", "tasks", "a set, a file, a folder, SPEC:K for the first K; sample is the demo's"),
    ("iterations", "iterations", "how often to go round"),
    ("search.samples", "samples", "programs sampled per task at most"),
    ("search.refinements", "refinements", "programs refined per task at most"),
    ("seed", "seed", "same seed, same run"),
    ("policy.kind", "policy", "grammar needs nothing; local, sglang, openai need a model"),
)
"""Dotted field, label, what it is."""
FIRST_PRESET = "demo"


@dataclass(frozen=True, slots=True)
class Speed:
    """What earlier runs of a policy on this machine measured, per candidate."""

    per_second: float
    bytes: float
    runs: int


def measured(lines: Sequence[RunLine], policy: str) -> Speed | None:
    """Return the speed earlier runs with a policy had, None when there is none to go by."""
    known = [
        line
        for line in lines
        if line.policy == policy and line.candidates and line.row is not None and line.row.seconds
    ]
    seconds = sum(line.row.seconds or 0.0 for line in known if line.row is not None)
    in_them = sum(line.row.candidates for line in known if line.row is not None)
    if not seconds or not in_them:
        return None
    everything = sum(line.candidates for line in known)
    disk = sum(line.bytes for line in known)
    return Speed(in_them / seconds, disk / everything, len(known))


def programs(settings: Settings, tasks: int) -> int:
    """Return how many candidates a run can have at most."""
    search = settings.search
    return tasks * settings.iterations * (search.samples + search.refinements)


def estimate(settings: Settings, tasks: int | None, speed: Speed | None) -> Text:
    """Return what a run will take at most, and what that is based on."""
    text = Text()
    if tasks is None:
        text.append("counting tasks …", style="dim")
        return text
    most = programs(settings, tasks)
    text.append(f"{count(tasks)} tasks, at most {count(most)} programs", style="bold")
    text.append(
        f"\n  {count(tasks)} × {count(settings.iterations)} × "
        f"({count(settings.search.samples)} + {count(settings.search.refinements)}); a task ends "
        f"early with {count(settings.search.perfect_stop)} that fit\n",
        style="dim",
    )
    if speed is None:
        text.append("time and disk: not known before a first run with this policy here")
    else:
        text.append(f"about {duration(most / speed.per_second)}, {size(round(most * speed.bytes))}")
        runs = "the one run" if speed.runs == 1 else f"the {speed.runs} runs"
        text.append(
            f"\n  at the {rate(speed.per_second)} and {size(round(speed.bytes))} per program of "
            f"{runs} with this policy",
            style="dim",
        )
    return text


class NewRun(ModalScreen[None]):
    """Asks for the settings of a run and starts it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "leave it"),
        Binding("ctrl+s", "start", "start"),
    ]

    def __init__(self, lines: Sequence[RunLine]) -> None:
        super().__init__()
        self._lines = tuple(lines)
        self._counted: dict[str, int | str] = {}
        self._making = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog form", can_focus=False) as box:
            box.border_title = "a new run"
            box.border_subtitle = "Enter or Ctrl+S starts it · Tab goes on · Escape leaves it"
            with Horizontal(classes="field"):
                yield Label("preset")
                yield Select(
                    [(name, name) for name in PRESETS],
                    value=FIRST_PRESET,
                    allow_blank=False,
                    compact=True,
                    id="preset",
                )
            for name, label, about in FIELDS:
                with Horizontal(classes="field"):
                    yield Label(label)
                    line = Input(id=_id(name), compact=True)
                    line.cursor_blink = False
                    yield line
                yield Static(about, classes="about", markup=False)
            with Horizontal(classes="field"):
                yield Label("name")
                line = Input(id="name", placeholder="day, task set and policy", compact=True)
                line.cursor_blink = False
                yield line
            with Vertical(id="estimate-box"):
                yield Static("", id="estimate", markup=False)

    def on_mount(self) -> None:
        """Fill in the preset."""
        self._fill()
        self.query_one(f"#{_id('tasks')}", Input).focus()

    def _fill(self) -> None:
        chosen = preset(str(self.query_one("#preset", Select).value))
        for name, _, _ in FIELDS:
            value: object = chosen
            for part in name.split("."):
                value = getattr(value, part)
            self.query_one(f"#{_id(name)}", Input).value = str(value)
        self._estimate()

    def on_select_changed(self, event: Select.Changed) -> None:
        """Fill in another preset."""
        self._fill()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Estimate anew."""
        self._estimate()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start."""
        self.action_start()

    def settings(self) -> Settings:
        """Return the settings the form holds. Raises ConfigError naming the field."""
        chosen = preset(str(self.query_one("#preset", Select).value))
        changes: dict[str, object] = {}
        for name, _, _ in FIELDS:
            text = self.query_one(f"#{_id(name)}", Input).value.strip()
            changes[name] = int(text) if re.fullmatch(r"\d+", text) and name != "tasks" else text
        return override(chosen, changes)

    def _estimate(self) -> None:
        shown = self.query_one("#estimate", Static)
        try:
            settings = self.settings()
        except ConfigError as error:
            self._refuse(str(error))
            return
        tasks = self._counted.get(settings.tasks)
        if isinstance(tasks, str):
            self._refuse(tasks)
            return
        if tasks is None:
            self._count(settings.tasks)
        shown.update(estimate(settings, tasks, measured(self._lines, settings.policy.kind)))

    def _refuse(self, why: str) -> None:
        self.query_one("#estimate", Static).update(Text(one_line(why), style="bold red"))

    @work(thread=True, exclusive=True, group="count")
    def _count(self, spec: str) -> None:
        from engine.arc import TaskFileError, load_tasks

        try:
            found: int | str = len(load_tasks(spec).tasks)
        except TaskFileError as error:
            found = str(error)
        self.app.call_from_thread(self._counted_now, spec, found)

    def _counted_now(self, spec: str, found: int | str) -> None:
        self._counted[spec] = found
        if self.is_mounted:
            self._estimate()

    def action_start(self) -> None:
        """Make the run and start its engine."""
        from soar_tui.app import SoarApp

        assert isinstance(self.app, SoarApp)
        try:
            settings = self.settings()
        except ConfigError as error:
            self.app.tell(str(error), severity="error")
            return
        tasks = self._counted.get(settings.tasks)
        if isinstance(tasks, str):
            self.app.tell(tasks, severity="error")
            return
        if not self._making:
            self._making = True
            name = self.query_one("#name", Input).value.strip() or None
            self._make(self.app, settings, name)

    @work(group="make")
    async def _make(self, app: SoarApp, settings: Settings, name: str | None) -> None:
        """Make the run's folder and start its engine; what is refused can be mended in the form."""
        try:
            folder = await steering.make(settings, name)
        except steering.RefusedError as error:
            self._making = False
            self._refuse(str(error))
            app.tell(str(error), severity="error")
        else:
            self.dismiss()
            steering.start(app, folder)


def _id(field: str) -> str:
    return "field-" + field.replace(".", "-")
