"""Analysis (7): a run's figures, one at a time, as a curve and a table; beside another run's.

They are computed by engine.analysis in a process beside the app, search by search, and are the
ones that `soar-tui analyze` and `soar-tui compare` print.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from soar_tui.analysis_exchange import Analysed, Asked
from soar_tui.analyst import Analyst, AnalystError, analyst
from soar_tui.feed import OpenRun
from soar_tui.figures.figure import Figure, Heading
from soar_tui.keys import bindings
from soar_tui.numbers import of
from soar_tui.sanitise import one_line
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.curve import Axes, CurveView, Series
from soar_tui.widgets.palette import Role

_GOOD: Final = frozenset({"solved", "✓"})
_ENDING_SECONDS: Final = 10.0
_NOTHING: Final = frozenset({"–", "?", "·", ""})


@dataclass(frozen=True, slots=True)
class AnalysisBody:
    """How far the run has come, and the one beside it: what makes the figures change."""

    folder: Path
    beside: Path | None
    iteration: int | None
    iterations: int
    version: tuple[int, ...]
    trouble: str | None


@dataclass(frozen=True, slots=True)
class AnalysisQuestion:
    """The run, the folder of another one to lay beside it ("": none), and an iteration."""

    beside: str
    iteration: int | None

    def answer(self, run: OpenRun) -> AnalysisBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        version = [len(rows), *(row.finished for row in rows)]
        trouble, other = None, Path(self.beside) if self.beside else None
        if other is not None:
            try:
                with RunReader(other) as reader:
                    version += [row.finished for row in reader.iterations()]
            except ArchiveError as error:
                trouble, other = str(error), None
        return AnalysisBody(run.folder, other, self.iteration, len(rows), tuple(version), trouble)


class FigureTable(Rows):
    """A table of rows under columns that come with them."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__((), id=id, classes=classes)

    def show_table(self, headings: tuple[Heading, ...], rows: tuple[tuple[str, ...], ...]) -> None:
        """Show these rows in place of what was there."""
        self._columns = tuple(
            Column(heading.title, "right" if heading.right else "left", heading.drop)
            for heading in headings
        )
        titles = [heading.title for heading in headings]
        self.show([Row((at, row[:1]), _cells(titles, row)) for at, row in enumerate(rows)])
        self.redraw()


def _cells(titles: list[str], row: tuple[str, ...]) -> tuple[tuple[str, Role], ...]:
    def role(title: str, cell: str) -> Role:
        if cell in _NOTHING:
            return "faint"
        return "good" if title in _GOOD or cell in _GOOD else "text"

    return tuple((cell, role(title, cell)) for title, cell in zip(titles, row, strict=True))


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

    def question(self) -> AnalysisQuestion:
        return AnalysisQuestion(self.view.beside, self.view.iteration)

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
        if self.focused is None:
            self.query_one("#figures", Rows).focus()
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
        beside = None if body.beside is None else str(body.beside)
        asked = Asked(str(body.folder), beside, body.iteration, body.version)
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
            self.run_worker(self._work(), group="analysis", exclusive=True)

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
        curve.display = bool(lines)
        table.display = figure is not None
        if figure is None:
            put(about, "")
            return
        if lines:
            entitle(curve, figure.name)
            high = 1.0 if figure.shares else None
            curve.show(
                [Series(line.name, line.points, line.role) for line in lines],
                Axes(0, high, figure.shares, figure.x_name, figure.log_x),
            )
        entitle(table, figure.name, f"{len(figure.rows):,} rows" if len(figure.rows) > 9 else "")
        table.show_table(figure.headings, figure.rows)
        words = [*(f"! {one_line(one)}" for one in figure.warnings), figure.about]
        if not figure.rows:
            words = [figure.empty, *words]
        put(about, "\n".join(words))

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
        if key == "compare" and not self.view.beside:
            return "no other run is laid beside this one: 0, then c on two runs"
        if key in ("next-iteration", "previous-iteration"):
            body = self._body
            if body is None:
                return "no iteration has begun yet"
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
        """Take the other run away again, and begin at the first figure."""
        self.soar.look(beside="", curve=0)

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
    return (one.folder, one.beside, one.iteration) == (other.folder, other.beside, other.iteration)


def _file(figure: Figure) -> str:
    return figure.name.replace(" ", "-").replace("'", "").replace(",", "").replace("@", "-at-")


def _csv(figure: Figure) -> str:
    """Return a figure's table as CSV; every cell as it is shown."""

    def line(cells: tuple[str, ...]) -> str:
        return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)

    titles = tuple(heading.title for heading in figure.headings)
    return "\n".join(map(line, (titles, *figure.rows))) + "\n"


PLACE = Analysis
