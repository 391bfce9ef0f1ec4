"""Analysis (7): a run's figures, one at a time, as a curve and a table; beside other runs'.

They are computed by engine.analysis in a process beside the app, search by search, and are the
ones that `soar-tui analyze` and `soar-tui compare` print.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from rich.cells import cell_len
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
_GAP: Final = 2
_LEAST_TITLE: Final = 12
_LEGEND: Final = 12
"""Cells of a curve's name in the legend that are not the name."""


@dataclass(frozen=True, slots=True)
class AnalysisBody:
    """How far the run has come, and those beside it: what makes the figures change."""

    folder: Path
    beside: tuple[Path, ...]
    iteration: int | None
    iterations: int
    version: tuple[int, ...]
    trouble: str | None


@dataclass(frozen=True, slots=True)
class AnalysisQuestion:
    """The run, the folders of others to lay beside it, and an iteration."""

    beside: tuple[str, ...]
    iteration: int | None

    def answer(self, run: OpenRun) -> AnalysisBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        version = [len(rows), *(row.finished for row in rows)]
        readable, troubles = [], []
        for folder in map(Path, self.beside):
            try:
                with RunReader(folder) as reader:
                    version += [row.finished for row in reader.iterations()]
            except ArchiveError as error:
                troubles.append(str(error))
            else:
                readable.append(folder)
        return AnalysisBody(
            run.folder,
            tuple(readable),
            self.iteration,
            len(rows),
            tuple(version),
            " ".join(troubles) or None,
        )


class FigureTable(Rows):
    """A table of rows under columns that come with them; long titles give way to narrow cells."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__((), id=id, classes=classes)
        self._headings: tuple[Heading, ...] = ()

    def show_table(self, headings: tuple[Heading, ...], rows: tuple[tuple[str, ...], ...]) -> None:
        """Show these rows in place of what was there."""
        self._headings = headings
        titles = [heading.title for heading in headings]
        self.show([Row((at, row[:1]), _cells(titles, row)) for at, row in enumerate(rows)])
        self.redraw()

    def _measure(self) -> None:
        held = [
            max((cell_len(row.cells[place][0]) for row in self._rows), default=0)
            for place in range(len(self._headings))
        ]
        titles = _titles(self._headings, held, self.area.width)
        self._columns = tuple(
            Column(title, "right" if heading.right else "left", heading.drop)
            for title, heading in zip(titles, self._headings, strict=True)
        )
        super()._measure()


def _titles(headings: Sequence[Heading], held: Sequence[int], width: int) -> list[str]:
    """Return titles as long as there is room for above cells that are so wide."""
    titles = [cell_len(heading.title) for heading in headings]
    stay = [place for place, heading in enumerate(headings) if not heading.drop]
    room = width - _GAP * (len(stay) - 1) if width else sum(titles) + sum(held)
    while sum(max(titles[place], held[place]) for place in stay) > room:
        longer = [at for at in stay if titles[at] > max(held[at], _LEAST_TITLE)]
        if not longer:
            break
        titles[max(longer, key=titles.__getitem__)] -= 1
    return [shortened(one.title, cells) for one, cells in zip(headings, titles, strict=True)]


def shortened(name: str, cells: int) -> str:
    """Return a name in so many cells: its ends, for runs often differ in their last letters."""
    if cell_len(name) <= cells:
        return name
    head = (cells - 1) // 2
    return f"{name[:head]}…{name[len(name) - (cells - 1 - head) :]}"


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
        beside = tuple(map(str, body.beside))
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
            room = max(_LEAST_TITLE, (curve.size.width or self.size.width) // len(lines) - _LEGEND)
            curve.show(
                [Series(shortened(line.name, room), line.points, line.role) for line in lines],
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
            return "no other run is laid beside this one: 0, then c on two runs or more"
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
        """Take the other runs away again, and begin at the first figure."""
        self.soar.look(beside=(), curve=0)

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
