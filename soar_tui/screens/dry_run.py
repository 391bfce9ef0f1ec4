"""A dry run of learning: make-up and examples of the data set, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.config import Settings
from engine.control import DryExample, DryRun, DryRunError, DryRunProcess, TaskShare
from engine.figures.numbers import count
from engine.programs.candidate import split_candidate_id
from soar_tui.sanitise import one_line
from soar_tui.screens.make_up import EXAMPLE_COLUMNS, example_row, make_up
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.grid_pair import PairRow, PairView
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.source_view import SourceView


class Came(Message):
    """The dry run has come further, or (`error`) it cannot be made."""

    def __init__(self, state: DryRun | None, error: str = "") -> None:
        super().__init__()
        self.state, self.error = state, error


class DryRunScreen(ModalScreen[bool]):
    """Gathers while it is shown; True when the user wants to learn from this.

    `off`: why learning cannot be started now, None when it can.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "back"),
        Binding("ctrl+s", "learn", "learn from this"),
        Binding("s", "turn", "by label or by task"),
    ]

    def __init__(self, folder: Path, settings: Settings, off: str | None) -> None:
        super().__init__()
        self._folder, self._settings, self._off = folder, settings, off
        self._state: DryRun | None = None
        self._process: DryRunProcess | None = None
        self._left = False
        self._shown: int | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dry-run") as box:
            entitle(box, f"what {self._folder.name} would learn from")
            yield Static("gathering …", id="told", markup=False)
            with Horizontal():
                with Vertical(id="lists"):
                    yield Rows(
                        (
                            Column("trains"),
                            Column("label", most=18),
                            Column("candidates", "right"),
                        ),
                        id="by-label",
                        classes="pane",
                    )
                    yield Rows(
                        (
                            Column("task", most=32),
                            Column("samples", "right"),
                            Column("repairs", "right"),
                            Column("left out", "right"),
                        ),
                        id="by-task",
                        classes="pane",
                    )
                    yield Rows(EXAMPLE_COLUMNS, id="examples", classes="pane")
                with Vertical(id="one"):
                    yield PairView(id="pairs", classes="pane")
                    yield SourceView(id="answer", classes="pane")
            yield Static(
                "Ctrl+S learns from this · s by task or label · Tab next pane · Escape back",
                classes="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        """Begin to gather."""
        self.query_one("#by-task").display = False
        entitle(self.query_one("#by-label"), "what it is made of")
        entitle(self.query_one("#by-task"), "what each task gives")
        entitle(self.query_one("#examples"), "examples, one of each label and task")
        self.query_one("#examples").focus()
        self.run_worker(self._gather, thread=True, group="dry-run")

    def on_unmount(self) -> None:
        """End a gathering that is under way."""
        self._left = True
        if self._process is not None:
            self._process.close()

    def _gather(self) -> None:
        try:
            with DryRunProcess(self._folder, self._settings) as self._process:
                if self._left:
                    return
                for state in self._process:
                    self.post_message(Came(state))
        except (DryRunError, OSError) as error:
            self.post_message(Came(None, str(error)))

    def on_came(self, message: Came) -> None:
        """Show how far it has come."""
        if message.state is None:
            put(self.query_one("#told", Static), Text(one_line(message.error), style="bold"))
            return
        state = self._state = message.state
        put(self.query_one("#told", Static), told(state, self._off))
        self.query_one("#by-label", Rows).show(make_up(state.counts))
        shares = sorted(state.shares, key=lambda share: -share.samples - share.repairs)
        self.query_one("#by-task", Rows).show([_share_row(share) for share in shares])
        names = {share.index: share.id for share in state.shares}
        self.query_one("#examples", Rows).show(
            [
                example_row(number, names[one.task_index], one.candidate, one.label)
                for number, one in enumerate(state.examples)
            ]
        )
        self._show_example()

    @on(LineList.Moved, "#examples")
    def _show_example(self) -> None:
        row = self.query_one("#examples", Rows).selected
        if self._state is None or row is None or row.key == self._shown:
            return
        assert isinstance(row.key, int)
        self._shown = row.key
        example = self._state.examples[row.key]
        pairs, answer = self.query_one("#pairs", PairView), self.query_one("#answer", SourceView)
        entitle(pairs, f"what it would be shown, as {one_line(example.label)}")
        pairs.show(pair_rows(example))
        number = split_candidate_id(example.candidate)[2]
        parent = (
            "" if example.parent is None else f", from #{split_candidate_id(example.parent)[2]}"
        )
        entitle(answer, f"its answer, #{number}{parent}")
        answer.show_source(example.source)

    def action_turn(self) -> None:
        """Show the make-up by label, or by task."""
        for name in ("#by-label", "#by-task"):
            pane = self.query_one(name)
            pane.display = not pane.display

    def action_learn(self) -> None:
        """Leave, to learn from this."""
        if self._off is not None:
            self.notify(self._off, severity="warning", markup=False)
            return
        self.dismiss(True)


def told(state: DryRun, off: str | None) -> Text:
    """Return in a line or two how far a dry run is and what it has found."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if state.finished:
        text.append(f"{count(state.used)} examples", style="bold")
    else:
        text.append(f"gathering: {count(state.gathered)} of {count(state.tasks)} tasks", "bold")
        text.append(f", {count(state.used)} examples so far")
    giving = sum(bool(share.samples or share.repairs) for share in state.shares)
    text.append(
        f" from {count(giving)} of {count(state.tasks)} tasks, "
        f"{count(state.left_out)} candidates left out · iteration {state.iteration + 1}"
    )
    text.append(f"\noff: {one_line(off)}" if off is not None else "", style="dim")
    return text


def pair_rows(example: DryExample) -> tuple[PairRow, ...]:
    """Return the pairs and inputs of the task an example shows."""
    again = ", relabelled" if example.label == "hindsight" else ""
    pairs = [
        PairRow(f"demonstration {number}{again}", pair.input, pair.output)
        for number, pair in enumerate(example.task.train, 1)
    ]
    tests = [
        PairRow(f"test input {number}", grid, None)
        for number, grid in enumerate(example.task.test, 1)
    ]
    return (*pairs, *tests)


def _share_row(share: TaskShare) -> Row:
    figures = (share.samples, share.repairs, share.left_out)
    return Row(
        share.index,
        ((one_line(share.id), "text"), *((count(figure), "text") for figure in figures)),
    )
