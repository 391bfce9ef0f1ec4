"""Overview (1): where the iteration stands, what it has cost, every task on one wall, the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.arc import Task
from engine.archive.rows import EventRow, IterationRow, TaskRow
from engine.config import SearchConfig
from engine.figures.numbers import count, duration, money, of, percent
from soar_tui.feed import Header
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.sanitise import one_line
from soar_tui.screens.curves import solved_curves
from soar_tui.screens.of_task import task_rows
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.widgets.curve import Axes, CurveView, Series
from soar_tui.widgets.event_log import EventLog, LogEvent
from soar_tui.widgets.stepper import Step, Stepper
from soar_tui.widgets.task_wall import TaskWall, WallState, WallTask

_EVENTS: Final = 300
_APART: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class OverviewBody:
    """One iteration as a whole; `events` are the newest of the run, oldest first.

    `tasks` are those it searches, `first` the index in the run of the first of them; `learned`
    are the iterations that learning has made a checkpoint of.
    """

    tasks: Sequence[Task]
    first: int
    rows: Sequence[TaskRow]
    iterations: Sequence[IterationRow]
    row: IterationRow
    events: Sequence[EventRow]
    search: SearchConfig
    curves: tuple[Series, ...]
    learned: frozenset[int]
    planned: int


@dataclass(frozen=True, slots=True)
class OverviewQuestion:
    """An iteration, None being the latest."""

    iteration: int | None

    def answer(self, run: OpenRun) -> OverviewBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        chosen = rows[-1] if self.iteration is None else rows[min(self.iteration, len(rows) - 1)]
        searched = run.task_range(chosen)
        of_tasks = task_rows(run, chosen.index)
        return OverviewBody(
            tasks=run.keep(
                "searched", searched, lambda: run.reader.tasks()[searched.start : searched.stop]
            ),
            first=searched.start,
            rows=of_tasks,
            iterations=rows,
            row=chosen,
            events=run.reader.events(limit=_EVENTS, newest=True),
            search=run.settings.search_at(chosen.index),
            curves=solved_curves(rows, chosen, of_tasks),
            learned=frozenset(made.iteration for made in run.reader.checkpoints()),
            planned=run.planned,
        )


def wall_state(row: TaskRow) -> WallState:
    """Return how a task's search stands, in the wall's words."""
    if row.state == "untouched":
        return "untouched"
    if row.state == "searching":
        return "fits" if row.perfect else "searching"
    if row.vote_right:
        return "right"
    if row.best is None and not row.perfect:
        return "given up"
    return "unknown" if row.vote_right is None else "wrong"


def shares(rows: Sequence[TaskRow], search: SearchConfig) -> tuple[float, float]:
    """Return which shares of all sampling and of all refining are behind us, 0..1.

    Samples come first, so candidates beyond their number are refinements; a task whose search is
    over needs no more of either.
    """
    sampled = refined = 0.0
    for row in rows:
        if row.state == "finished":
            sampled, refined = sampled + 1, refined + 1
        else:
            sampled += min(1.0, row.candidates / search.samples) if search.samples else 1.0
            beyond = max(0, row.candidates - search.samples)
            refined += min(1.0, beyond / search.refinements) if search.refinements else 0.0
    return sampled / max(1, len(rows)), refined / max(1, len(rows))


def steps(body: OverviewBody, header: Header | None) -> tuple[Step, ...]:
    """Return the steps of the iteration with progress, rate and time left."""
    row, search = body.row, body.search
    sampled, refined = shares(body.rows, search)
    live = header is not None and header.state.state in ("running", "draining")
    running = live and row.ended is None and row.index == body.iterations[-1].index
    done = (sampled * search.samples + refined * search.refinements) / max(
        1, search.samples + search.refinements
    )
    elapsed = _elapsed(header, row)
    left = elapsed / done * (1 - done) if running and elapsed and done > 0.02 else None
    whole = row.tasks

    def step(name: str, share: float, *, first: bool = False) -> Step:
        if share >= 1 or row.ended is not None:
            return Step(name, "done", round(share * whole), whole)
        on = running and (first or share > 0)
        per_second = header.rate if on and header is not None else None
        return Step(
            name,
            "running" if on else "waiting",
            int(share * whole),
            whole,
            per_second=per_second if name == "Refine" or (first and refined == 0) else None,
            left=left if name == "Refine" or (first and refined == 0) else None,
        )

    return (
        step("Sample", sampled, first=True),
        step("Refine", refined) if search.refinements else Step("Refine", "skipped"),
        step("Vote", row.finished / max(1, whole)),
        _learn_step(body, header, live=live),
    )


def _learn_step(body: OverviewBody, header: Header | None, *, live: bool) -> Step:
    row = body.row
    if row.index in body.learned:
        return Step("Learn", "done")
    if row.index + 1 >= body.planned:
        return Step("Learn", "skipped")  # nothing comes after it that could use what is learned
    status = header.statuses.get("training") if header is not None else None
    value = status.value if status is not None else None
    if live and isinstance(value, dict) and value.get("iteration") == row.index:
        return Step("Learn", "running", int(value["step"]), int(value["steps"]))
    searched = row.finished >= row.tasks
    return Step("Learn", "running" if live and searched else "waiting")


def _elapsed(header: Header | None, row: IterationRow) -> float | None:
    """Return for how many seconds engines have worked on the iteration."""
    if row.seconds is not None:
        return row.seconds
    status = header.statuses.get("engine") if header is not None else None
    if status is None or not isinstance(status.value, dict):
        return None
    seconds = status.value.get("iteration_seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def facts(body: OverviewBody, header: Header | None) -> list[tuple[str, str, str]]:
    """Return the counters: name, figure, and what else there is to say of it."""
    row = body.row
    seconds = _elapsed(header, row)
    rate = "" if not seconds else f"{row.candidates / seconds:,.0f}/s overall"
    none = f"{of(row.candidates - row.programs, row.candidates)} replies held none"
    lines = [
        ("candidates", count(row.candidates), rate),
        ("programs", count(row.programs), none),
        ("fit all", count(row.perfect), "right on every demonstration"),
        ("failed", count(row.errors), _kills(header)),
        ("filtered", count(row.filtered), "barred from vote and arms"),
    ]
    if row.tokens_out:
        per = "" if not seconds else f"{row.tokens_out / seconds:,.0f}/s, "
        prompts = f"{count(row.tokens_in)} in prompts, {count(row.tokens_cached)} of them cached"
        lines.append(("tokens", count(row.tokens_out), f"{per}{prompts}"))
    if row.cost:
        lines.append(("cost", money(row.cost), "by the prices of the endpoints"))
    if row.known:
        solved, oracle = row.solved or 0, row.oracle or 0
        lines += [
            ("solved", percent(solved / row.known), of(solved, row.known)),
            ("oracle", percent(oracle / row.known), of(oracle, row.known)),
            ("partial", percent(row.partial_credit), "share of test inputs matched"),
        ]
    else:
        lines.append(("solved", "?", "the truth of these tasks is unknown"))
    begun = f"begun with {one_line(row.policy)}, {one_line(Path(row.checkpoint).name)}"
    lines.append(("time", duration(seconds), begun))
    return lines


def figures(body: OverviewBody, header: Header | None) -> Text:
    """Return the counters, one per line."""
    text = Text(overflow="ellipsis", no_wrap=True)
    for name, value, rest in facts(body, header):
        text.append(f"{name:<12}", style="dim")
        text.append(f"{value:>10}", style="bold")
        text.append(f"  {rest}\n", style="dim")
    return text


def short_figures(body: OverviewBody, header: Header | None, width: int) -> Text:
    """Return the counters run together in lines of `width`, each figure beside its name."""
    text = Text(no_wrap=True)
    left = width
    for name, value, rest in facts(body, header):
        told = f" {name} ({rest})" if name in ("solved", "oracle") else f" {name}"
        needed = cell_len(value + told)
        if text.plain and needed + _APART > left:
            text.append("\n")
            left = width
        elif text.plain:
            text.append(" " * _APART)
            left -= _APART
        text.append(value, style="bold")
        text.append(told, style="dim")
        left -= needed
    return text


def _kills(header: Header | None) -> str:
    status = header.statuses.get("sandbox") if header is not None else None
    value = status.value if status is not None else None
    kills = value.get("kills") if isinstance(value, dict) else None
    if not isinstance(kills, dict) or not kills:
        return "no valid output at all"
    return "ended: " + ", ".join(
        f"{count(number)} {one_line(str(k))}" for k, number in kills.items()
    )


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
        header = self.soar.header
        self.query_one("#steps", Stepper).show(steps(body, header))
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
            if self.focused is None:
                wall.focus()
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
                return "no iteration has begun yet"
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
