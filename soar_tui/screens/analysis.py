"""Analysis (7): the run's curves over its iterations and its budget, beside another run's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.archive.rows import IterationRow, TaskRow
from soar_tui.feed import OpenRun
from soar_tui.keys import bindings
from soar_tui.numbers import count, duration, percent
from soar_tui.sanitise import one_line
from soar_tui.screens.curves import solved_curves
from soar_tui.screens.of_task import task_rows
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.curve import Axes, CurveView, Series


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisBody:
    """A run's iterations and its tasks in the latest of them; `beside`: those of another run."""

    name: str
    iterations: Sequence[IterationRow]
    rows: Sequence[TaskRow]
    beside: str
    other: Sequence[IterationRow]
    trouble: str | None


@dataclass(frozen=True, slots=True)
class AnalysisQuestion:
    """The run, and the folder of another one to lay beside it ("": none)."""

    beside: str

    def answer(self, run: OpenRun) -> AnalysisBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        searched = run.task_range(rows[-1])
        trouble, other = None, []
        if self.beside:
            try:
                with RunReader(Path(self.beside)) as reader:
                    other = reader.iterations()
            except ArchiveError as error:
                trouble = str(error)
        return AnalysisBody(
            name=run.folder.name,
            iterations=rows,
            rows=task_rows(run, rows[-1].index)[searched.start : searched.stop],
            beside=Path(self.beside).name,
            other=other,
            trouble=trouble,
        )


def _share(part: int | None, known: int) -> float:
    return float("nan") if part is None or not known else part / known


def by_iteration(body: AnalysisBody) -> tuple[tuple[Series, ...], Axes]:
    """Return solved, oracle and partial credit per iteration, as shares of the known tasks."""
    series = _per_iteration(body.iterations, "")
    if body.other:
        points = _points(body.other, lambda row: _share(row.solved, row.known))
        series = (*series, Series(f"solved, {body.beside}", points, "warn"))
    return series, Axes(low=0, high=1, percent=True, x_name="iteration")


def _per_iteration(rows: Sequence[IterationRow], note: str) -> tuple[Series, ...]:
    return (
        Series(f"oracle{note}", _points(rows, lambda r: _share(r.oracle, r.known)), "muted"),
        Series(
            f"partial credit{note}",
            _points(rows, lambda r: float("nan") if r.partial_credit is None else r.partial_credit),
            "primary",
        ),
        Series(f"solved{note}", _points(rows, lambda r: _share(r.solved, r.known)), "good"),
    )


def _points(
    rows: Sequence[IterationRow], value: Callable[[IterationRow], float]
) -> tuple[tuple[float, float], ...]:
    return tuple((row.index + 1.0, value(row)) for row in rows)


def by_tasks(body: AnalysisBody) -> tuple[tuple[Series, ...], Axes]:
    """Return how many tasks were solved as more of them were voted on."""
    row = body.iterations[-1]
    return solved_curves(body.iterations, row, body.rows), Axes(
        low=0, high=row.known or row.tasks, x_name="tasks voted on"
    )


def by_budget(body: AnalysisBody) -> tuple[tuple[Series, ...], Axes]:
    """Return the tasks solved against the candidates spent, the cheapest tasks first.

    A point (x, y) says: y tasks were solved by searches of at most x candidates each.
    """
    spent = sorted(row.candidates for row in body.rows if row.vote_right)
    fits = sorted(row.candidates for row in body.rows if row.perfect)

    def cumulated(values: Sequence[int]) -> tuple[tuple[float, float], ...]:
        return ((0.0, 0.0), *((float(x), float(y)) for y, x in enumerate(values, 1)))

    series = (
        Series("some program fits", cumulated(fits), "primary"),
        Series("solved", cumulated(spent), "good"),
    )
    return series, Axes(low=0, x_name="candidates of a task's search")


def accuracy(body: AnalysisBody) -> tuple[tuple[Series, ...], Axes]:
    """Return the tasks' best accuracies, in order."""
    best = sorted((row.best for row in body.rows if row.best is not None), reverse=True)
    points = tuple((float(place), value) for place, value in enumerate(best, 1))
    return (Series("best accuracy", points, "accent"),), Axes(
        low=0, high=1, percent=True, x_name="tasks, the best first"
    )


def speed(body: AnalysisBody) -> tuple[tuple[Series, ...], Axes]:
    """Return candidates per second of engine time per iteration."""

    def rate(row: IterationRow) -> float:
        return float("nan") if not row.seconds else row.candidates / row.seconds

    return (Series("candidates/s", _points(body.iterations, rate), "accent"),), Axes(
        low=0, x_name="iteration"
    )


CURVES: Final[tuple[tuple[str, Callable[[AnalysisBody], tuple[tuple[Series, ...], Axes]]], ...]] = (
    ("solved per iteration", by_iteration),
    ("solved as tasks were voted on", by_tasks),
    ("solved against candidates per task", by_budget),
    ("best accuracy of each task", accuracy),
    ("candidates per second", speed),
)


class Analysis(Place):
    """One curve at a time, large; the figures it stands on beneath."""

    place = "analysis"
    BINDINGS: ClassVar[list[BindingType]] = bindings("analysis")

    def __init__(self) -> None:
        super().__init__()
        self._body: AnalysisBody | None = None

    def compose_place(self) -> ComposeResult:
        with Vertical():
            with Horizontal(id="both"):
                yield Rows((Column("curve"),), id="curves", classes="pane")
                yield CurveView(id="curve", classes="pane")
            yield Rows(
                (
                    Column("iteration", "right"),
                    Column("phase", drop=4),
                    Column("policy", drop=5),
                    Column("solved", "right"),
                    Column("oracle", "right"),
                    Column("partial", "right", drop=2),
                    Column("candidates", "right"),
                    Column("fit", "right", drop=1),
                    Column("failed", "right", drop=3),
                    Column("time", "right", drop=1),
                ),
                id="table",
                classes="pane",
            )
            yield Static("", id="note", markup=False)

    def question(self) -> AnalysisQuestion:
        return AnalysisQuestion(self.view.beside)

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nCurves appear with the first votes.")
            return
        assert isinstance(body, AnalysisBody)
        self._body = body
        names = self.query_one("#curves", Rows)
        entitle(names, "curves")
        names.show([Row(place, ((name, "text"),)) for place, (name, _) in enumerate(CURVES)])
        names.set_reactive(Rows.cursor, self.view.curve)
        if self.focused is None:
            names.focus()
        self._show_curve()
        table = self.query_one("#table", Rows)
        entitle(table, "iterations")
        table.show([_iteration_row(row, "") for row in body.iterations])
        if body.other:
            rows = [_iteration_row(row, f"{one_line(body.beside)} ") for row in body.other]
            table.show([_iteration_row(row, "") for row in body.iterations] + rows)
        note = body.trouble or (
            "" if body.iterations[-1].known else "The truth of these tasks is unknown."
        )
        put(self.query_one("#note", Static), one_line(note))

    def _show_curve(self) -> None:
        if self._body is None:
            return
        name, make = CURVES[self.view.curve % len(CURVES)]
        series, axes = make(self._body)
        curve = self.query_one("#curve", CurveView)
        entitle(curve, name)
        curve.show(series, axes)

    def on_line_list_moved(self) -> None:
        """Show the curve under the cursor."""
        cursor = self.query_one("#curves", Rows).cursor
        if cursor != self.view.curve:
            self.soar.look(curve=cursor)
            self._show_curve()

    def do_next_curve(self) -> None:
        """Show the next curve."""
        names = self.query_one("#curves", Rows)
        names.cursor = (names.cursor + 1) % len(CURVES)

    def why_not(self, key: str) -> str | None:
        if key == "compare" and not self.view.beside:
            return "no other run is laid beside this one: 0, then c on two runs"
        return None

    def do_compare(self) -> None:
        """Take the other run away again."""
        self.soar.look(beside="")

    def copied(self) -> tuple[str, str] | None:
        files = self.exported()
        return None if not files else next(iter(files.items()))

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None:
            return None
        files = {}
        for name, make in CURVES:
            series, axes = make(body)
            lines = [f"series,{axes.x_name or 'x'},y"]
            lines += [f'"{one.name}",{x:g},{y:g}' for one in series for x, y in one.points]
            files[f"{name.replace(' ', '-')}.csv"] = "\n".join(lines) + "\n"
        return files


def _iteration_row(row: IterationRow, prefix: str) -> Row:
    return Row(
        (prefix, row.index),
        (
            (f"{prefix}{row.index + 1}", "text"),
            (row.phase, "muted"),
            (f"{one_line(row.policy)}, {one_line(Path(row.checkpoint).name)}", "muted"),
            (_of(row.solved, row), "good"),
            (_of(row.oracle, row), "text"),
            (percent(row.partial_credit), "text"),
            (count(row.candidates), "text"),
            (count(row.perfect), "text"),
            (count(row.errors), "muted"),
            (duration(row.seconds), "muted"),
        ),
    )


def _of(part: int | None, row: IterationRow) -> str:
    return (
        "?" if part is None or not row.known else f"{percent(part / row.known)} {part}/{row.known}"
    )


PLACE = Analysis
