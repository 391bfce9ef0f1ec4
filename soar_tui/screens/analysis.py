"""Analysis (7): a run's figures, one at a time, as a curve and a table; beside others'.

They are computed by engine.analysis in a process beside the app, search by search, and are the
ones that `soar-tui analyze` and `soar-tui compare` print.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from engine.figures.figure import Figure
from engine.figures.numbers import of
from soar_tui.analysis_exchange import Analysed, Asked
from soar_tui.analyst import Analyst, AnalystError, analyst
from soar_tui.keys import bindings
from soar_tui.sanitise import one_line
from soar_tui.screens.analysis_question import (
    AnalysisBody,
    AnalysisQuestion,
    ComparisonQuestion,
)
from soar_tui.screens.figure_table import LEAST_TITLE, FigureTable, shortened
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.curve import Axes, CurveView, Series

_ENDING_SECONDS: Final = 10.0
_LEGEND: Final = 12
"""Cells of a curve's name in the legend that are not the name."""


class Analysis(Place):
    """One figure at a time, chosen from a list: its curves large, the table beneath."""

    place = "analysis"
    BINDINGS: ClassVar[list[BindingType]] = bindings("analysis")

    class Read(Message):
        """The reading process has more to show, or why it has not."""

        def __init__(self, analysed: Analysed | None, trouble: str | None = None) -> None:
            super().__init__()
            self.analysed, self.trouble = analysed, trouble

    def __init__(self) -> None:
        super().__init__()
        self._body: AnalysisBody | None = None
        self._analyst: Analyst | None = None
        self._trouble: str | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._reading: Asked | None = None
        self._analysed: Analysed | None = None

    @property
    def busy(self) -> bool:
        """Whether figures are still being read."""
        return self._reading is not None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What there is to show so far."""
        return () if self._analysed is None else self._analysed.figures

    def compose_place(self) -> ComposeResult:
        with Horizontal(id="both"):
            yield Rows((Column("figure"),), id="figures", classes="pane")
            with Vertical(id="figure"):
                yield CurveView(id="curve", classes="pane")
                yield FigureTable(id="table", classes="pane")
                yield Static("", id="about", markup=False)
        yield Static("", id="note", markup=False)

    def question(self) -> AnalysisQuestion | ComparisonQuestion:
        view, folder = self.view, self.soar.folder
        if folder is None or not (view.beside or view.files):
            return AnalysisQuestion(view.iteration)
        return ComparisonQuestion(str(folder), view.beside, view.files, view.iteration)

    def forget_run(self) -> None:
        super().forget_run()
        self._body = self._analysed = None
        self._stop()

    def on_screen_suspend(self) -> None:
        """Read nothing for a place that nobody looks at."""
        self._stop()

    async def on_unmount(self) -> None:
        """Let go of the reading process before the app is gone."""
        self.workers.cancel_group(self, "analysis")
        async with asyncio.timeout(_ENDING_SECONDS):
            await self._idle.wait()

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nFigures appear with the first votes.")
            return
        assert isinstance(body, AnalysisBody)
        self._body = body
        self.focus_first(self.query_one("#figures", Rows))
        self._read()
        self._show_figures()

    # Reading

    def _read(self) -> None:
        """Have read what is not shown yet.

        While a question about the same is being answered, what has come since can wait.
        """
        body = self._body
        if body is None:
            return
        asked = Asked(body.folder, body.beside, body.files, body.iteration, body.version)
        under_way, shown = self._reading, self._analysed
        if under_way is not None and _same_subject(under_way, asked):
            return
        if under_way is None and shown is not None and shown.over and shown.asked == asked:
            return
        if shown is not None and shown.asked.folder != asked.folder:
            self._analysed = None
        self._reading, self._trouble = asked, None
        if self._analyst is not None:
            self._analyst.ask(asked)
        else:
            self._work()

    @work(group="analysis", exclusive=True)
    async def _work(self) -> None:
        """Keep the reading process and pass on what it says, until the place is gone."""
        self._idle.clear()
        try:
            async with analyst() as self._analyst:
                self._analyst.ask(self._reading)
                async for analysed in self._analyst.answers():
                    self.post_message(self.Read(analysed))
        except (AnalystError, OSError) as error:
            self.post_message(self.Read(None, str(error)))
        finally:
            self._analyst = None
            self._idle.set()

    def _stop(self) -> None:
        if self._reading is not None and self._analyst is not None:
            self._analyst.ask(None)
        self._reading = None

    def on_analysis_read(self, event: Read) -> None:
        """Show what has been read so far."""
        if event.analysed is None:
            self._reading, self._trouble = None, event.trouble
        elif event.analysed.asked != self._reading:
            return
        else:
            self._analysed = event.analysed
            if event.analysed.over:
                self._reading = None
                self._read()
        self._show_figures()

    # Showing

    def _show_figures(self) -> None:
        names = self.query_one("#figures", Rows)
        names.show([Row(one.name, ((one.name, "text"),)) for one in self.figures])
        entitle(names, "figures")
        if self.figures:
            names.set_reactive(Rows.cursor, self.view.curve % len(self.figures))
            names.show_line(names.cursor)
            names.redraw()
        self._show_figure()
        said = [self._progress(), self._trouble]
        said += [] if self._body is None else [self._body.trouble]
        said += [None if self._analysed is None else self._analysed.trouble]
        note = self.query_one("#note", Static)
        put(note, " ".join(one_line(one) for one in said if one))
        note.display = any(said)

    def _progress(self) -> str | None:
        if self._reading is None:
            return None
        now = self._analysed
        if now is None or not now.total or now.over:
            return "reading …"
        return f"{now.step}: {of(now.done, now.total)}"

    def _chosen(self) -> Figure | None:
        return self.figures[self.view.curve % len(self.figures)] if self.figures else None

    def _show_figure(self) -> None:
        figure = self._chosen()
        curve, table = self.query_one("#curve", CurveView), self.query_one("#table", FigureTable)
        about = self.query_one("#about", Static)
        lines = () if figure is None else tuple(line for line in figure.lines if line.points)
        curve.set_class(not lines, "-no-lines")  # beside the sizes in which there is no room for it
        table.display = figure is not None
        if figure is None:
            put(about, "")
            return
        if lines:
            entitle(curve, figure.name)
            high = 1.0 if figure.shares else None
            room = max(LEAST_TITLE, (curve.size.width or self.size.width) // len(lines) - _LEGEND)
            curve.show(
                [
                    Series(shortened(one_line(line.name), room), line.points, line.role)
                    for line in lines
                ],
                Axes(0, high, figure.shares, figure.x_name, figure.log_x),
            )
        entitle(table, figure.name, f"{len(figure.rows):,} rows" if len(figure.rows) > 9 else "")
        table.show_table(figure.headings, figure.rows)
        words = [*(f"! {one}" for one in figure.warnings), figure.about]
        if not figure.rows:
            words = [figure.empty, *words]
        put(about, "\n".join(map(one_line, words)))

    def on_line_list_moved(self) -> None:
        """Show the figure under the cursor."""
        names = self.query_one("#figures", Rows)
        if self.figures and names.cursor != self.view.curve % len(self.figures):
            self.soar.look(curve=names.cursor)
            self._show_figure()

    def do_next_curve(self) -> None:
        """Show the next figure."""
        names = self.query_one("#figures", Rows)
        if self.figures:
            names.cursor = (names.cursor + 1) % len(self.figures)

    def why_not(self, key: str) -> str | None:
        if key == "compare" and not (self.view.beside or self.view.files):
            return "nothing is laid beside this run: 0, then c on two runs or more, or f"
        if key in ("next-iteration", "previous-iteration"):
            body = self._body
            if body is None or not body.iterations:
                return "no iteration is shown yet"
            if key == "next-iteration" and self._iteration + 1 >= body.iterations:
                return "this is the latest iteration"
            if key == "previous-iteration" and self._iteration == 0:
                return "this is the first iteration"
        return None

    @property
    def _iteration(self) -> int:
        assert self._body is not None
        latest = self._body.iterations - 1
        return latest if self._body.iteration is None else min(self._body.iteration, latest)

    def do_next_iteration(self) -> None:
        """Look at the iteration after."""
        assert self._body is not None
        after = self._iteration + 1
        self.soar.look(iteration=None if after + 1 == self._body.iterations else after)

    def do_previous_iteration(self) -> None:
        """Look at the iteration before."""
        self.soar.look(iteration=self._iteration - 1)

    def do_compare(self) -> None:
        """Take what lies beside the run away again, and begin at the first figure."""
        self.soar.look(beside=(), files=(), curve=0)

    def copied(self) -> tuple[str, str] | None:
        figure = self._chosen()
        return None if figure is None else (f"{_file(figure)}.csv", _csv(figure))

    def exported(self) -> dict[str, str] | None:
        if not self.figures:
            return None
        files = {f"{_file(figure)}.csv": _csv(figure) for figure in self.figures}
        if self._analysed is not None and self._analysed.document is not None:
            files["analysis.json"] = self._analysed.document
        return files


def _same_subject(one: Asked, other: Asked) -> bool:
    return replace(one, version=()) == replace(other, version=())


def _file(figure: Figure) -> str:
    return figure.name.replace(" ", "-").replace("'", "").replace(",", "").replace("@", "-at-")


def _csv(figure: Figure) -> str:
    """Return a figure's table as CSV; every cell as it is shown."""

    def line(cells: tuple[str, ...]) -> str:
        return ",".join('"' + one_line(cell).replace('"', '""') + '"' for cell in cells)

    titles = tuple(heading.title for heading in figure.headings)
    return "\n".join(map(line, (titles, *figure.rows))) + "\n"


PLACE = Analysis
