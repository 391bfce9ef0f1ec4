"""How an iteration stands: its steps with progress and time left, and its counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from engine.arc import Task
from engine.archive.rows import EventRow, IterationRow, TaskRow
from engine.config import SearchConfig
from engine.figures.numbers import count, duration, money, of, percent, rate
from soar_tui.feed import Header
from soar_tui.open_run import OpenRun
from soar_tui.sanitise import one_line
from soar_tui.screens.curves import solved_curves
from soar_tui.screens.of_task import task_rows
from soar_tui.widgets.curve import Series
from soar_tui.widgets.stepper import Step
from soar_tui.widgets.task_wall import WallState

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
    status = header.statuses.get("training") if header is not None else None
    value = status.value if status is not None else None
    if live and isinstance(value, dict) and value.get("iteration") == row.index:
        return Step("Learn", "running", int(value["step"]), int(value["steps"]))
    asked = header is not None and header.settings.learn_last
    if row.index + 1 >= body.planned and not asked:
        return Step("Learn", "skipped")  # nothing comes after it that could use what is learned
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
    overall = "" if not seconds else f"{rate(row.candidates / seconds)} overall"
    none = f"{of(row.candidates - row.programs, row.candidates)} replies held none"
    lines = [
        ("candidates", count(row.candidates), overall),
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
