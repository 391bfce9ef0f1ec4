"""Task (2): pairs in → expected → what the selected candidate produced; the two submissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.arc import Task
from engine.arc.grid import Grid, unpack
from engine.archive.rows import CandidateDetail, CandidateQuery
from engine.figures.numbers import of
from engine.programs.candidate import Failure, Result, split_candidate_id
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.screens.candidate_pages import CandidatePages
from soar_tui.screens.of_task import Subject, TaskPlace, detail_of, subject_of
from soar_tui.screens.patterns import submissions
from soar_tui.screens.put import entitle
from soar_tui.screens.task_text import task_text
from soar_tui.widgets.candidate_list import CandidateList
from soar_tui.widgets.candidate_row import RowContext
from soar_tui.widgets.grid_pair import PairRow, PairView, Produced


@dataclass(frozen=True, slots=True, eq=False)
class TaskBody:
    """A task, what the selected candidate gave (None: there is none), and the vote so far.

    `asked` is the candidate that was asked for; `submissions` are the outputs of the best patterns,
    best first; `voted`: they are recorded.
    """

    subject: Subject
    asked: int | None
    detail: CandidateDetail | None
    submissions: Sequence[tuple[Grid, ...]]
    voted: bool


@dataclass(frozen=True, slots=True)
class TaskQuestion:
    """A task in an iteration (None: the latest), and a candidate (None: the best so far).

    The best so far takes the place of a candidate that is not there, and of one of another task,
    which says nothing of this one.
    """

    iteration: int | None
    task: int
    candidate: int | None

    def answer(self, run: OpenRun) -> TaskBody | None:
        """Read it; None before the first iteration."""
        subject = subject_of(run, self.iteration, self.task)
        if subject is None:
            return None
        chosen = self.candidate
        of_another = chosen is not None and split_candidate_id(chosen)[1] != subject.index
        detail = None if of_another else detail_of(run, chosen)
        best, voted = submissions(run, subject.iteration, subject.index)
        return TaskBody(
            subject,
            chosen,
            detail or detail_of(run, best_candidate(run, subject)),
            best,
            voted,
        )


def best_candidate(run: OpenRun, subject: Subject) -> int | None:
    """Return the first candidate with the task's best accuracy, None when none ran."""
    best = subject.row.best
    if best is None:
        return None
    version = (subject.iteration, subject.index, best)

    def find() -> int | None:
        query = CandidateQuery(
            iteration=subject.iteration, task=subject.index, filter="", accuracy=(best, best)
        )
        page = run.reader.candidates(query, limit=1)
        return page.rows[0].id if page.rows else None

    return run.keep("best candidate", version, find)


def pair_rows(body: TaskBody) -> tuple[PairRow, ...]:
    """Return the demonstrations with what the candidate gave, then the tests with submissions."""
    task, detail = body.subject.task, body.detail
    evaluation = None if detail is None else detail.candidate.evaluation
    results: tuple[Result, ...] = () if evaluation is None else evaluation.results
    name = "" if detail is None else f"#{split_candidate_id(detail.candidate.id)[2]}"
    rows = []
    for number, pair in enumerate(task.train):
        produced = _produced(results, number, name)
        rows.append(PairRow(f"demonstration {number + 1}", pair.input, pair.output, produced))
    for number, grid in enumerate(task.test):
        expected = None if task.truth is None else task.truth[number]
        told = "" if expected is not None else ", its output unknown"
        produced = _produced(results, len(task.train) + number, name)
        leading = tuple(
            Produced(f"{'submission' if body.voted else 'leading'} {place}", outputs[number])
            for place, outputs in enumerate(body.submissions, 1)
        )
        rows.append(
            PairRow(f"test input {number + 1}{told}", grid, expected, (*leading, *produced))
        )
    return tuple(rows)


def _produced(results: tuple[Result, ...], place: int, name: str) -> tuple[Produced, ...]:
    if place >= len(results):
        return ()
    result = results[place]
    return (Produced(name, result if isinstance(result, Failure) else unpack(result)),)


class TaskScreen(TaskPlace):
    """The pairs in the middle, the task's candidates at the side."""

    place = "task"
    BINDINGS: ClassVar[list[BindingType]] = bindings("task")

    def __init__(self) -> None:
        super().__init__()
        self._body: TaskBody | None = None
        self._pages: CandidatePages | None = None

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="subject", markup=False)
            with Horizontal():
                yield PairView(id="pairs", classes="pane")
                yield CandidateList(at_rest=self.at_rest, id="candidates", classes="pane")

    def question(self) -> TaskQuestion:
        return TaskQuestion(self.view.iteration, self.view.task, self.view.candidate)

    def on_screen_resume(self) -> None:
        if self._pages is not None:
            self._pages.returned()

    def forget_run(self) -> None:
        super().forget_run()
        if self._pages is not None:
            self._pages.forget()

    def forget_answer(self) -> None:
        self._body = self.subject = None

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nThe engine reads the tasks and warms up.")
            return
        assert isinstance(body, TaskBody)
        self._body = body
        subject, detail = body.subject, body.detail
        self.show_subject(subject)
        pairs = self.query_one("#pairs", PairView)
        entitle(pairs, self._pairs_title(detail))
        pairs.show(pair_rows(body))
        view = self.query_one("#candidates", CandidateList)
        if self._pages is None:
            self._pages = CandidatePages(self.soar, view)
        context = RowContext(
            pairs={subject.index: len(subject.task.train)},
            bookmarks=self.soar.bookmarks(),
        )
        query = CandidateQuery(iteration=subject.iteration, task=subject.index)
        self._pages.hold(query, context, subject.row.candidates)
        self.focus_first(view)

    def _pairs_title(self, detail: CandidateDetail | None) -> str:
        if detail is None:
            return "no candidate has run on this task yet"
        number = split_candidate_id(detail.candidate.id)[2]
        chosen = "candidate" if self.view.candidate == detail.candidate.id else "best so far"
        evaluation = detail.candidate.evaluation
        if evaluation is None:
            return f"{chosen} #{number}: its reply held no program"
        fits = of(sum(evaluation.right), len(evaluation.right))
        barred = f", barred as {evaluation.filter}" if evaluation.filter else ""
        return f"{chosen} #{number}: right on {fits} demonstrations{barred}"

    @on(CandidateList.NeedPage)
    def _page(self, event: CandidateList.NeedPage) -> None:
        if self._pages is not None:
            self._pages.answer(event.request)

    @on(CandidateList.Moved, "#candidates")
    def _select(self) -> None:
        row = self.query_one("#candidates", CandidateList).selected
        if row is not None:
            self.soar.look(candidate=row.id)

    @on(CandidateList.Chosen, "#candidates")
    def _open(self) -> None:
        row = self.query_one("#candidates", CandidateList).selected
        if row is not None:
            self.soar.look(candidate=row.id)
            self.soar.go("chain")

    @property
    def candidate(self) -> int | None:
        body, chosen = self._body, self.view.candidate
        if body is None or body.detail is None or body.asked != chosen:
            return chosen
        return body.detail.candidate.id  # the best so far, for want of a selected one

    def why_not(self, key: str) -> str | None:
        if key == "best" and self.view.candidate is None:
            return "the best candidate so far is selected"
        return super().why_not(key)

    def do_best(self) -> None:
        """Select the best candidate so far, and keep to it."""
        self.soar.look(candidate=None)

    def copied(self) -> tuple[str, str] | None:
        body = self._body
        if body is None or body.detail is None or body.detail.candidate.source is None:
            return None
        task, candidate = body.subject.task, body.detail.candidate
        number = split_candidate_id(candidate.id)[2]
        return f"{file_stem(task)}-{number}.py", candidate.source or ""

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None:
            return None
        stem = file_stem(body.subject.task)
        files = {f"{stem}.txt": task_text(body.subject.task, pair_rows(body))}
        if body.detail is not None and body.detail.candidate.source is not None:
            number = split_candidate_id(body.detail.candidate.id)[2]
            files[f"{stem}-{number}.py"] = body.detail.candidate.source
        return files


def file_stem(task: Task) -> str:
    """Return a task's id as the beginning of a file name."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in task.id)
    return kept.lstrip(".")[:80] or "task"


PLACE = TaskScreen
