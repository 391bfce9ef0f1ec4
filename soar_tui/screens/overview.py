"""Overview (1): where the iteration stands, what it has cost, every task on one wall, the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.arc import Task
from engine.control import State
from soar_tui.feed import Header
from soar_tui.keys import bindings
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.screens.standing import (
    OverviewBody,
    OverviewQuestion,
    figures,
    short_figures,
    steps,
    wall_state,
)
from soar_tui.widgets.curve import Axes, CurveView
from soar_tui.widgets.event_log import EventLog, LogEvent
from soar_tui.widgets.stepper import Stepper
from soar_tui.widgets.task_wall import TaskWall, WallTask


class Overview(Place):
    """Stepper, counters and curve above the task wall; the journal beneath it."""

    place = "overview"
    BINDINGS: ClassVar[list[BindingType]] = bindings("overview")

    def __init__(self) -> None:
        super().__init__()
        self._body: OverviewBody | None = None
        self._walled: Sequence[Task] | None = None
        self._stood: int | None = None
        self._last_event = 0
        self._following = False
        self._stepped: State | None = None

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Stepper(id="steps")
            with Horizontal(id="figures"):
                yield Static("", id="counters", markup=False)
                yield CurveView(id="curve")
            yield TaskWall(id="wall", classes="pane")
            yield EventLog(id="events", classes="pane")

    def question(self) -> OverviewQuestion:
        return OverviewQuestion(self.view.iteration)

    def forget_run(self) -> None:
        super().forget_run()
        self._walled = self._stood = None
        self._last_event = 0
        if self.is_mounted:
            self.query_one("#events", EventLog).clear()

    def forget_answer(self) -> None:
        self._body = None

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nThe engine reads the tasks and warms up.")
            return
        assert isinstance(body, OverviewBody)
        self._body = body
        self._show_steps(body)
        self._show_figures(body)
        self.query_one("#curve", CurveView).show(
            body.curves, Axes(low=0, high=body.row.known or body.row.tasks, x_name="tasks voted on")
        )
        self._show_wall(body)
        log = self.query_one("#events", EventLog)
        fresh = [event for event in body.events if event.id > self._last_event]
        if fresh:
            self._last_event = fresh[-1].id
            log.add(LogEvent(e.time, e.level, e.kind, e.text) for e in fresh)
        entitle(log, "journal")

    def _show_steps(self, body: OverviewBody) -> None:
        header = self.soar.header
        self._stepped = None if header is None else header.state.state
        self.query_one("#steps", Stepper).show(steps(body, header))

    def show_header(self, header: Header | None, banner: str | None, *, frozen: bool) -> None:
        """Show how the run stands; of an engine that has died or hangs the archive says nothing."""
        super().show_header(header, banner, frozen=frozen)
        state = None if header is None else header.state.state
        if self._body is not None and state not in (None, self._stepped) and not frozen:
            self._show_steps(self._body)

    def _show_figures(self, body: OverviewBody) -> None:
        header = self.soar.header
        short = self.has_class("-low") or self.has_class("-flat")
        shown = short_figures(body, header, self.size.width - 2) if short else figures(body, header)
        put(self.query_one("#counters", Static), shown)

    def on_resize(self) -> None:
        """Show the counters as there is room for them now."""
        if self._body is not None:
            self.call_after_refresh(self._show_figures, self._body)

    def _show_wall(self, body: OverviewBody) -> None:
        wall = self.query_one("#wall", TaskWall)
        entitle(wall, f"tasks of iteration {body.row.index + 1}")
        states = {row.index: wall_state(row) for row in body.rows}
        if self._walled is not body.tasks:
            self._walled = body.tasks
            wall.show(
                tuple(
                    WallTask(index, task.id, task.test[0], states[index])
                    for index, task in enumerate(body.tasks, body.first)
                )
            )
            self._stood = None
            self.focus_first(wall)
        else:
            wall.set_states(states)
        # Not while the task is the same: a key may have moved the cursor, which is yet to tell.
        if self._stood != self.view.task:
            wall.cursor = self.view.task - body.first
            if wall.selected is not None:
                self._look_at(wall.selected.index)
        if self._following:
            active = [row for row in body.rows if row.active is not None]
            if active:
                newest = max(active, key=lambda row: row.active or 0.0)
                wall.cursor = newest.index - body.first

    @on(TaskWall.Moved)
    def _select(self, event: TaskWall.Moved) -> None:
        self._look_at(event.task.index)

    def _look_at(self, task: int) -> None:
        self._stood = task
        if task != self.view.task:
            self.soar.look(task=task, candidate=None, pattern=None, parent=None)

    @on(TaskWall.Chosen)
    def _open(self, event: TaskWall.Chosen) -> None:
        self._look_at(event.task.index)
        self.soar.go("task")

    def why_not(self, key: str) -> str | None:
        body = self._body
        if key in ("follow", "next-iteration", "previous-iteration"):
            if body is None:
                return "no iteration is shown yet"
            if key == "next-iteration" and body.row is body.iterations[-1]:
                return "this is the latest iteration"
            if key == "previous-iteration" and body.row.index == 0:
                return "this is the first iteration"
        return None

    def do_next_iteration(self) -> None:
        """Look at the iteration after."""
        self._step(1)

    def do_previous_iteration(self) -> None:
        """Look at the iteration before."""
        self._step(-1)

    def _step(self, step: int) -> None:
        assert self._body is not None
        index = self._body.row.index + step
        latest = index == self._body.iterations[-1].index
        self.soar.look(iteration=None if latest else index)

    def do_follow(self) -> None:
        """Keep the task that was active last selected, or stop."""
        self._following = not self._following
        self.soar.tell("following the active task" if self._following else "not following")

    def copied(self) -> tuple[str, str] | None:
        body = self._body
        return None if body is None else ("overview.txt", figures(body, self.soar.header).plain)

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None:
            return None
        lines = ["index,task,state,candidates,perfect,best,vote_right,oracle"]
        for row in body.rows:
            cells = (row.index, row.id, row.state, row.candidates, row.perfect, row.best)
            marks = (row.vote_right, row.oracle)
            lines.append(",".join("" if cell is None else str(cell) for cell in (*cells, *marks)))
        return {f"tasks-iteration-{body.row.index + 1}.csv": "\n".join(lines) + "\n"}


PLACE = Overview
