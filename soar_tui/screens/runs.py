"""Runs (0): every known run, how it stands and why; new ones, old ones resumed, some compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from engine.config import override, preset
from engine.control import LOG_NAME, log_tail
from engine.figures.numbers import age, count, of, size
from soar_tui import steering
from soar_tui.actions import ALIVE
from soar_tui.keys import bindings
from soar_tui.sanitise import one_line
from soar_tui.screens.chrome import state_parts
from soar_tui.screens.place import Place, Say
from soar_tui.screens.put import put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.screens.run_lines import Known, RunLine, RunsQuestion
from soar_tui.widgets.line_list import LineList

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def short_path(folder: Path) -> str:
    """Return a folder as a user would write it from where the app was started."""
    roots = [(Path.home(), "~/")]
    with suppress(OSError):  # that folder may be gone
        roots.insert(0, (Path.cwd(), ""))
    for root, name in roots:
        if folder.is_relative_to(root):
            return f"{name}{folder.relative_to(root)}"
    return str(folder)


def spark(values: Sequence[int], most: int) -> str:
    """Return values as a line of blocks, `most` being the full height, also of what is above it."""
    full = max(1, most)
    return "".join(_BLOCKS[math.ceil(8 * min(value, full) / full)] for value in values)


class Runs(Place):
    """The list of runs, and beneath it what can be said of the one under the cursor."""

    place = "runs"
    every = 2.0
    needs_run = False
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs")
    filters = True

    def __init__(self) -> None:
        super().__init__()
        self._known = Known()
        self._lines: tuple[RunLine, ...] = ()
        self._first: Path | None = None
        self._text = ""

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="held", markup=False)
            yield Rows(
                (
                    Column("run", most=44),
                    Column("state"),
                    Column("policy", drop=5),
                    Column("tasks", drop=6, most=24),
                    Column("iteration", "right", drop=3),
                    Column("searched", "right", drop=2),
                    Column("solved", "right", drop=1),
                    Column("over time", drop=7),
                    Column("candidates", "right", drop=4),
                    Column("begun", "right", drop=8),
                    Column("disk", "right", drop=5),
                ),
                id="runs",
            )
            yield Static("", id="marks", markup=False)
            yield Say(id="about")

    def question(self) -> RunsQuestion:
        elsewhere = tuple(self.soar.desk.known_runs())
        return RunsQuestion(elsewhere, self._known)

    def show(self, body: object) -> None:
        assert isinstance(body, tuple)
        self._lines = body
        shown = [
            line for line in self._lines if self._text.casefold() in line.folder.name.casefold()
        ]
        if not self._lines:
            self.say(
                "There is no run yet.\n\n"
                "D  start the demo: 45 sample tasks, the embedded policy, no GPU\n"
                "n  set up a run of your own\n"
                "?  all keys"
            )
            return
        rows = self.query_one("#runs", Rows)
        first = rows.selected is None
        marks = self.marks
        rows.show([self._row(line, marks) for line in shown])
        self._say_held(len(shown))
        self._say_marks(marks)
        if first and self.soar.folder is not None:
            rows.select(self.soar.folder.absolute())
        self.focus_first(rows)
        self._about()

    def _row(self, line: RunLine, marks: Sequence[Path]) -> Row:
        mark = "" if not marks else "◆ " if line.folder in marks else "  "
        name = (mark + one_line(line.folder.name), "primary" if self._is_open(line) else "text")
        if line.state is None:
            cells: list[Any] = [name, ("? unreadable", "bad"), *[("", "muted")] * 8]
        else:
            row = line.row
            truth = row is not None and row.known
            cells = [
                name,
                state_parts(line.state.state),
                (line.policy, "muted"),
                (one_line(Path(line.tasks).name), "muted"),
                ("–" if row is None else f"{row.index + 1} of {line.iterations}", "text"),
                ("–" if row is None else of(row.finished, row.tasks), "text"),
                (of(row.solved, row.known) if row is not None and truth else "?", "good"),
                (spark(line.solved_over_time, row.known if row else 0), "good"),
                (count(line.candidates), "text"),
                (age(line.started), "muted"),
            ]
        return Row(line.folder, (*cells, (size(line.bytes), "muted")))

    @property
    def marks(self) -> tuple[Path, ...]:
        """The runs to compare: those that lie side by side, else the one that was marked first."""
        if self.soar.folder is not None and (self.view.beside or self.view.files):
            return (self.soar.folder.absolute(), *map(Path, self.view.beside))
        return () if self._first is None else (self._first,)

    def _say_held(self, shown: int) -> None:
        line = self.query_one("#held", Static)
        line.display = bool(self._text)
        said = f" {of(shown, len(self._lines))} runs hold “{one_line(self._text)}” (esc: all)"
        put(line, Text(said, no_wrap=True, overflow="ellipsis"))

    def _say_marks(self, marks: Sequence[Path]) -> None:
        files = [short_path(Path(file)) for file in self.view.files]
        names = ", ".join(map(one_line, (*(folder.name for folder in marks), *files)))
        said = f" ◆ c on another run compares the two, C unmarks: {names}"
        if len(marks) + len(files) > 1:
            many = len(marks) + len(files)
            said = f" ◆ 7 shows {many} side by side, c adds or removes one, C all: {names}"
        line = self.query_one("#marks", Static)
        line.display = bool(marks)
        put(line, Text(said, no_wrap=True, overflow="ellipsis"))

    def _is_open(self, line: RunLine) -> bool:
        return self.soar.folder is not None and line.folder == self.soar.folder.absolute()

    @property
    def selected(self) -> RunLine | None:
        """The run under the cursor."""
        row = self.query_one("#runs", Rows).selected
        return next((line for line in self._lines if row and line.folder == row.key), None)

    @on(LineList.Moved)
    def _about(self) -> None:
        line = self.selected
        text = ""
        if line is not None:
            text = short_path(line.folder)
            if line.trouble:
                text += f"\n{line.trouble}"
            elif line.state is not None and line.state.state == "crashed":
                tail = log_tail(line.folder / LOG_NAME, lines=3)
                text += f"\ncrashed: {line.state.reason}. r resumes it where it was.\n{tail}"
            elif line.state is not None and line.state.state == "stopped":
                text += "\nstopped before its iterations were through: r resumes it."
            elif line.state is not None and line.state.state == "finished":
                text += "\nfinished. Enter opens it; r starts one more iteration inside."
        put(self.query_one("#about", Say), "\n".join(map(one_line, text.split("\n"))))

    @on(LineList.Chosen, "#runs")
    def _open(self) -> None:
        line = self.selected
        if line is None:
            return
        if line.trouble:
            self.soar.tell(line.trouble, severity="error")
        elif line.state is not None and line.state.state == "new":
            self.soar.tell("no engine has run here yet: r starts one", severity="warning")
        else:
            self.soar.attach(line.folder)

    # Keys

    def why_not(self, key: str) -> str | None:
        if key == "resume-run":
            line = self._selected_or_none()
            if line is None:
                return "no run is selected: D starts the demo, n sets one up"
            if line.trouble:
                return line.trouble
            if line.state is not None and line.state.state in ALIVE:
                return f"its engine is {line.state.state} already: Enter attaches to it"
            if line.state is not None and line.state.state == "finished":
                return "all its iterations are through: open it, r there goes round once more"
        if key == "compare":
            return self._why_not_compare()
        if key == "compare-file":
            return self._why_not_compare_file()
        if key == "alone" and not (self.is_mounted and self.marks):
            return "no run is marked to compare: c marks one"
        if key == "bookmark":
            return "runs are listed anyway; bookmarks are for candidates (5)"
        return None

    def _why_not_compare(self) -> str | None:
        line = self._selected_or_none()
        if line is not None and line.folder in self.marks:
            return None
        if len(self._lines) < 2 or line is None:
            return "it takes two runs to compare; f compares one with a settings file"
        return line.trouble

    def _why_not_compare_file(self) -> str | None:
        if self.is_mounted and self.marks:
            return None
        line = self._selected_or_none()
        return (
            "no run is selected: D starts the demo, n sets one up" if line is None else line.trouble
        )

    def _selected_or_none(self) -> RunLine | None:
        return self.selected if self.is_mounted else None

    def do_new_run(self) -> None:
        """Open the form of a new run."""
        from soar_tui.screens.new_run import NewRun

        self.soar.push_screen(NewRun(self._lines))

    def do_demo(self) -> None:
        """Start the demo right away."""
        settings = override(preset("demo"), {"tasks": "sample"})
        steering.start_new(self.soar, settings)

    def do_resume_run(self) -> None:
        """Start the selected run's engine again."""
        line = self.selected
        assert line is not None
        steering.start(self.soar, line.folder)

    def do_compare(self) -> None:
        """Mark this run and, from the second on, show them side by side; or take its mark away."""
        line = self.selected
        assert line is not None
        marks = self.marks
        if line.folder in marks:
            self._mark(tuple(one for one in marks if one != line.folder), self.view.files)
            return
        self._mark((*marks, line.folder), self.view.files if marks else ())
        if marks:
            self.soar.go("analysis")

    def do_compare_file(self) -> None:
        """Ask for a settings file and show it beside the marked runs, else beside this one."""
        from soar_tui.screens.settings_file import SettingsFile

        line = self.selected
        runs = self.marks or (() if line is None else (line.folder,))
        files = self.view.files if self.marks else ()

        def lay(path: Path | None) -> None:
            if path is not None:
                self._mark(runs, tuple(dict.fromkeys((*files, str(path)))))
                self.soar.go("analysis")

        self.soar.push_screen(SettingsFile([folder.name for folder in runs]), lay)

    def do_alone(self) -> None:
        """Take all marks away."""
        self._mark((), ())

    def _mark(self, marks: tuple[Path, ...], files: tuple[str, ...]) -> None:
        """Lay runs and settings files side by side, the first of the runs being the one open."""
        alone = len(marks) + len(files) < 2 or not marks
        self._first = marks[0] if marks and alone else None
        if not alone:
            if self.soar.folder is None or self.soar.folder.absolute() != marks[0]:
                self.soar.attach(marks[0], place="runs")
            self.soar.look(beside=tuple(map(str, marks[1:])), files=files, curve=0)
        elif self.view.beside or self.view.files:
            self.soar.look(beside=(), files=(), curve=0)
        self.show(self._lines)

    def copied(self) -> tuple[str, str] | None:
        line = self._selected_or_none()
        return None if line is None else ("run.txt", str(line.folder))

    @property
    def filtered(self) -> str:
        return self._text

    def filter(self, text: str) -> None:
        self._text = text
        self.show(self._lines)

    def step_match(self, step: int) -> None:
        self.query_one("#runs", Rows).action_move(step)


PLACE = Runs
