"""Votes (4): the patterns of a task as the vote weighs them, live, by any formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from engine.config import Formula
from engine.figures.numbers import count
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.screens.of_task import Subject, TaskPlace, subject_of
from soar_tui.screens.patterns import FORMULAS, Ranking, ranked
from soar_tui.screens.put import entitle, put
from soar_tui.screens.task import file_stem
from soar_tui.screens.task_text import grid_text
from soar_tui.widgets.vote_bars import Pattern, VoteBars, VoteGrids

_GRIDS: Final = 12
"""Patterns whose grids are shown beside each other."""


@dataclass(frozen=True, slots=True, eq=False)
class VotesBody:
    """A task's ranking, and whether it is pooled over all iterations."""

    subject: Subject
    ranking: Ranking
    pooled: bool


@dataclass(frozen=True, slots=True)
class VotesQuestion:
    """A task's vote in an iteration (None: the latest), or pooled over all; None: as the run is set."""

    iteration: int | None
    task: int
    formula: Formula | None
    pooled: bool

    def answer(self, run: OpenRun) -> VotesBody | None:
        """Read it; None before the first iteration."""
        subject = subject_of(run, self.iteration, self.task)
        if subject is None:
            return None
        several = tuple(row.index for row in run.iterations()) if self.pooled else ()
        ranking = ranked(
            run,
            several or (subject.iteration,),
            subject.index,
            self.formula or run.settings.vote.formula,
        )
        return VotesBody(subject, ranking, self.pooled)


def formulas_line(body: VotesBody) -> Text:
    """Return where each formula puts the right pattern, and what the star means."""
    ranking = body.ranking
    text = Text(no_wrap=True, overflow="ellipsis")
    known = any(pattern.right is not None for pattern in ranking.patterns)
    text.append("right one", style="dim")
    for formula in FORMULAS:
        here = formula == ranking.formula
        place = ranking.right_ranks[formula]
        where = "?" if not known else "none" if place is None else f"#{place}"
        text.append(" ")
        text.append(f" {formula} ", style="reverse bold" if here else "dim")
        style = "" if not known else "green" if place is not None and place <= 2 else "red"
        text.append(where, style=style)
    state = "submitted" if ranking.recorded else "leading"
    text.append(f"  ★ {state}", style="dim")
    return text


def patterns_title(body: VotesBody) -> str:
    """Return what is listed, and what is not."""
    hidden = body.ranking.total - len(body.ranking.patterns)
    return (
        "patterns"
        + (", pooled over all iterations" if body.pooled else "")
        + (f", {count(hidden)} lighter ones not listed" if hidden else "")
    )


class Votes(TaskPlace):
    """Bars on top, the outputs themselves beneath, in the order of the vote."""

    place = "votes"
    BINDINGS: ClassVar[list[BindingType]] = bindings("votes")

    def __init__(self) -> None:
        super().__init__()
        self._body: VotesBody | None = None

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="subject", markup=False)
            yield Static("", id="formulas", markup=False)
            yield VoteBars(id="bars", classes="pane")
            yield VoteGrids(id="grids", classes="pane")

    def question(self) -> VotesQuestion:
        view = self.view
        return VotesQuestion(view.iteration, view.task, view.formula, view.pooled)

    def forget_answer(self) -> None:
        self._body = self.subject = None

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nPatterns are what programs make of the tests.")
            return
        assert isinstance(body, VotesBody)
        self._body = body
        self.show_subject(body.subject)
        bars = self.query_one("#bars", VoteBars)
        if not body.ranking.patterns:
            bars.show((), body.ranking.formula)
            self.say(
                "Nothing to vote on yet.\n\n"
                "A pattern is one answer to all test inputs; it needs a program\n"
                "that gives an output for each and that no filter bars.\n"
                "[ and ] go to other tasks."
            )
            return
        put(self.query_one("#formulas", Static), formulas_line(body))
        entitle(bars, patterns_title(body))
        bars.show(body.ranking.patterns, body.ranking.formula)
        self._show_grids()
        self.focus_first(bars)

    def _show_grids(self) -> None:
        """Show the grids of the heaviest patterns, or those from the cursor on when it is past."""
        body = self._body
        if body is None:
            return
        bars, grids = self.query_one("#bars", VoteBars), self.query_one("#grids", VoteGrids)
        patterns = body.ranking.patterns
        first = max(0, min(bars.cursor, len(patterns) - 1))
        grids.show(patterns[first : first + _GRIDS])
        tests = len(body.subject.task.test)
        inputs = "1 test input" if tests == 1 else f"{tests} test inputs"
        entitle(grids, f"their outputs for {inputs}, from #{first + 1} on")

    @on(VoteBars.Moved, "#bars")
    def _move(self) -> None:
        self._show_grids()

    @on(VoteBars.Chosen, "#bars")
    def _open(self) -> None:
        pattern = self._pattern()
        body = self._body
        if pattern is not None and body is not None:
            self.soar.look(
                pattern=pattern.id,
                parent=None,
                whole_run=False,
                marked=False,
                iteration=self.view.iteration,
            )
            self.soar.go("candidates")

    def _pattern(self) -> Pattern | None:
        return self.query_one("#bars", VoteBars).selected if self._shown else None

    def why_not(self, key: str) -> str | None:
        if key == "pool" and self.subject is not None and self.subject.iterations < 2:
            return "there is only one iteration so far"
        return super().why_not(key)

    def do_formula(self) -> None:
        """Rank by the next formula."""
        present = self._body.ranking.formula if self._body is not None else FORMULAS[0]
        following = FORMULAS[(FORMULAS.index(present) + 1) % len(FORMULAS)]
        self.soar.look(formula=following)

    def do_pool(self) -> None:
        """Vote over all iterations together, or over one."""
        self.soar.look(pooled=not self.view.pooled)

    def copied(self) -> tuple[str, str] | None:
        pattern = self._pattern()
        if pattern is None:
            return None
        return "pattern.txt", "\n\n".join(grid_text(grid) for grid in pattern.outputs) + "\n"

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None or not body.ranking.patterns:
            return None
        starred = "submitted" if body.ranking.recorded else "leading"
        lines = [f"rank,pattern,count,weight,{starred},right"]
        for pattern in body.ranking.patterns:
            right = "" if pattern.right is None else str(all(pattern.right))
            lines.append(
                f"{pattern.rank},{pattern.id},{pattern.count},{pattern.weight},"
                f"{pattern.submitted},{right}"
            )
        name = f"vote-{file_stem(body.subject.task)}-{body.ranking.formula}.csv"
        return {name: "\n".join(lines) + "\n"}


PLACE = Votes
