"""Arms (3): REX live. What the bandit believes of each program it may repair, as it believes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widgets import Static

from engine.archive.rows import ArmRow, CandidateRow
from engine.figures.numbers import count, percent
from engine.programs.candidate import split_candidate_id
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.screens.of_task import Subject, TaskPlace, subject_of
from soar_tui.screens.put import entitle, put
from soar_tui.screens.task import file_stem
from soar_tui.widgets.arm_table import Arm, ArmTable
from soar_tui.widgets.line_view import LineView
from soar_tui.widgets.posterior_strip import posterior

_LIT_SECONDS: Final = 3.0
"""An arm is shown as being pulled for so long after a pull of it was recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class ArmsBody:
    """A search's arms, and what is known of the children of the selected one.

    `lit` are those being pulled; `newest` is the one pulled last, None when the search is over.
    """

    subject: Subject
    arms: tuple[Arm, ...]
    lit: frozenset[int]
    newest: int | None
    bandit: str
    c: float
    children: tuple[CandidateRow, ...]


@dataclass(frozen=True, slots=True)
class ArmsQuestion:
    """A task's arms in an iteration (None: the latest); `selected` is an arm's candidate."""

    iteration: int | None
    task: int
    selected: int | None

    def answer(self, run: OpenRun) -> ArmsBody | None:
        """Read it; None before the first iteration."""
        subject = subject_of(run, self.iteration, self.task)
        if subject is None:
            return None
        search = run.settings.search
        version = (subject.row.candidates, subject.iteration, subject.index)
        pairs = len(subject.task.train)

        def read() -> tuple[list[ArmRow], tuple[Arm, ...]]:
            rows = run.reader.arms(subject.iteration, subject.index, search.c)
            return rows, tuple(_arm(row, pairs) for row in rows)

        rows, arms = run.keep("arms", version, read)
        known = self.selected is not None and any(arm.id == self.selected for arm in arms)
        return ArmsBody(
            subject=subject,
            arms=arms,
            lit=_lit(run, subject, rows),
            newest=_newest(subject, rows),
            bandit=search.bandit,
            c=search.c,
            children=tuple(run.reader.children(self.selected))
            if known and self.selected is not None
            else (),
        )


def _arm(row: ArmRow, pairs: int) -> Arm:
    return Arm(
        id=row.candidate,
        number=split_candidate_id(row.candidate)[2],
        parent=None if row.parent is None else split_candidate_id(row.parent)[2],
        right=round(row.accuracy * pairs),
        pairs=pairs,
        pulls=row.pulls,
        alpha=row.alpha,
        beta=row.beta,
        children=row.children,
        best_child=row.best_child,
        draw=row.last_draw,
        island=row.island,
    )


def _lit(run: OpenRun, subject: Subject, rows: list[ArmRow]) -> frozenset[int]:
    """Return the arms whose pulls came in just now, at most as many as are in flight."""
    active = subject.row.active
    if subject.row.state != "searching" or active is None or time.time() - active > _LIT_SECONDS:
        return frozenset()
    pulled = sorted((row for row in rows if row.last_pull is not None), key=_last_pull)
    return frozenset(row.candidate for row in pulled[-run.settings.search.in_flight :])


def _newest(subject: Subject, rows: list[ArmRow]) -> int | None:
    """Return the arm that was pulled last by a search that goes on."""
    last = max(rows, key=_last_pull, default=None)
    if subject.row.state != "searching" or last is None or last.last_pull is None:
        return None
    return last.candidate


def _last_pull(row: ArmRow) -> int:
    return -1 if row.last_pull is None else row.last_pull


def belief(body: ArmsBody, arm: Arm | None) -> Text:
    """Return what the bandit knows of one arm, in words."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if arm is None:
        text.append("no arm is selected")
        return text
    mean = arm.alpha / (arm.alpha + arm.beta)
    spread = (mean * (1 - mean) / (arm.alpha + arm.beta + 1)) ** 0.5
    text.append(f"arm #{arm.number}", style="bold")
    text.append(f"  right on {arm.right} of {arm.pairs}")
    text.append("" if arm.parent is None else f", refined from #{arm.parent}")
    text.append(f"\nBeta({arm.alpha:.4g}, {arm.beta:.4g})  mean {mean:.3f} ± {spread:.3f}")
    text.append(f"\nN = {count(arm.pulls)} completions")
    text.append("" if arm.draw is None else f", last draw {arm.draw:.3f}")
    better = sum((child.accuracy or 0) > arm.right / arm.pairs for child in body.children)
    worse = sum((child.accuracy or 0) < arm.right / arm.pairs for child in body.children)
    same = len(body.children) - better - worse
    if body.children:
        text.append(f"\nchildren: {better} better, {same} alike, {worse} worse")
    else:
        text.append("\nnever pulled" if not arm.pulls else "\nno children recorded")
    best = max((child.accuracy or 0 for child in body.children), default=None)
    text.append("" if best is None else f"\nbest child {percent(best)}")
    return text


class Belief(LineView, can_focus=False):
    """The selected arm's posterior, large."""

    DEFAULT_CSS = """
    Belief { scrollbar-gutter: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._arm: Arm | None = None
        self._lines: list[Strip] = []

    def show(self, arm: Arm | None) -> None:
        """Show an arm's posterior (None: nothing)."""
        self._arm = arm
        if self.is_mounted:
            self._draw()

    def fit_to_size(self) -> None:
        self._draw()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        if self.is_mounted:
            self._draw()

    def draw_line(self, y: int, width: int) -> Strip:
        """Return a line of the curve."""
        return self._lines[y]

    def _draw(self) -> None:
        arm, size = self._arm, self.area
        self._lines = (
            []
            if arm is None or not size.width
            else posterior(
                arm.alpha, arm.beta, size.width, self.palette, draw=arm.draw, height=size.height
            )
        )
        self.set_extent(len(self._lines))
        self.redraw()


class Arms(TaskPlace):
    """All arms of the task; beneath them the selected one, large."""

    place = "arms"
    every = 2.0  # an arm is lit for a while, whether or not anything follows its pull
    BINDINGS: ClassVar[list[BindingType]] = bindings("arms")

    def __init__(self) -> None:
        super().__init__()
        self._body: ArmsBody | None = None
        self._selected: int | None = None
        self._following = False

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="subject", markup=False)
            yield ArmTable(id="arms", classes="pane")
            with Horizontal(id="one"):
                yield Static("", id="belief", markup=False)
                yield Belief(id="posterior")

    def question(self) -> ArmsQuestion:
        return ArmsQuestion(self.view.iteration, self.view.task, self._selected)

    def forget_run(self) -> None:
        super().forget_run()
        self._selected = None

    def forget_answer(self) -> None:
        self._body = self.subject = None

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nArms are programs that may be refined.")
            return
        assert isinstance(body, ArmsBody)
        self._body = body
        self.show_subject(body.subject)
        table = self.query_one("#arms", ArmTable)
        if not body.arms:
            table.show(())
            self.say(
                "This task has no arms.\n\n"
                "An arm is a program that ran and is not right on every demonstration.\n"
                "[ and ] go to other tasks, 1 shows all of them."
            )
            return
        entitle(table, f"arms, drawn by {body.bandit}, C = {body.c:g}")
        table.show(body.arms, body.lit)
        if self._following and body.newest is not None:
            for line, arm in enumerate(table.arms_shown):
                if arm.id == body.newest:
                    table.cursor = line
        self.focus_first(table)
        self._show_one()

    @on(ArmTable.Moved, "#arms")
    def _move(self) -> None:
        self._show_one()

    def _show_one(self) -> None:
        body, arm = self._body, self._arm()
        if body is None:
            return
        known = arm is not None and arm.id == self._selected
        self.query_one("#posterior", Belief).show(arm)
        if arm is not None and not known:
            self._selected = arm.id
            self.soar.ask()
        put(self.query_one("#belief", Static), belief(body, arm))

    def _arm(self) -> Arm | None:
        return self.query_one("#arms", ArmTable).selected if self._shown else None

    @on(ArmTable.Chosen, "#arms")
    def _open(self) -> None:
        arm = self._arm()
        if arm is not None:
            self.soar.look(candidate=arm.id)
            self.soar.go("chain")

    @property
    def candidate(self) -> int | None:
        arm = self._arm()
        return self.view.candidate if arm is None else arm.id

    def why_not(self, key: str) -> str | None:
        arm = self._arm()
        if key == "children":
            if arm is None:
                return "no arm is selected"
            if not arm.pulls:
                return "this arm has not been pulled yet, so it has no children"
        return super().why_not(key)

    def do_children(self) -> None:
        """Show the candidates refined from this arm."""
        arm, subject = self._arm(), self.subject
        assert arm is not None and subject is not None
        self.soar.look(
            task=subject.index, parent=arm.id, pattern=None, whole_run=False, marked=False
        )
        self.soar.go("candidates")

    def do_follow(self) -> None:
        """Keep the arm that was pulled last selected, or stop."""
        self._following = not self._following
        self.soar.tell("following the pulled arm" if self._following else "not following")

    def copied(self) -> tuple[str, str] | None:
        body, arm = self._body, self._arm()
        return None if body is None or arm is None else ("arm.txt", belief(body, arm).plain)

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None or not body.arms:
            return None
        head = "number,parent,island,right,pairs,pulls,alpha,beta,children,best_child,last_draw"
        lines = [head]
        for arm in body.arms:
            cells = (
                arm.number,
                arm.parent,
                arm.island,
                arm.right,
                arm.pairs,
                arm.pulls,
                arm.alpha,
                arm.beta,
                arm.children,
                arm.best_child,
                arm.draw,
            )
            lines.append(",".join("" if cell is None else str(cell) for cell in cells))
        return {f"arms-{file_stem(body.subject.task)}.csv": "\n".join(lines) + "\n"}


PLACE = Arms
