"""Candidates (5): everything that was ever proposed, of a task or the whole run, filtered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar, get_args

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.archive.rows import CandidateDetail, CandidateQuery, CandidateRow
from engine.figures.numbers import count, duration, of, percent
from engine.programs.candidate import Failure, split_candidate_id
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.sanitise import one_line
from soar_tui.screens.candidate_pages import CandidatePages
from soar_tui.screens.narrowing import applied, filters_line, narrowed_to, query_of, total_of
from soar_tui.screens.of_task import Subject, TaskPlace, detail_of, subject_of
from soar_tui.screens.put import entitle, put
from soar_tui.screens.task import file_stem
from soar_tui.view import (
    AccuracyChoice,
    CandidateStatus,
    FilterChoice,
    OperatorChoice,
    View,
)
from soar_tui.widgets.candidate_list import CandidateList
from soar_tui.widgets.candidate_row import RowContext
from soar_tui.widgets.source_view import SourceView

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class CandidatesBody:
    """What is listed, and the candidate under the cursor, whole.

    `total` is how many there are, where that is known without looking at each; `few` are the rows
    themselves where they are the children of an arm or the bookmarked ones.
    """

    subject: Subject
    query: CandidateQuery
    total: int | None
    pairs: dict[int, int]
    names: dict[int, str]
    detail: CandidateDetail | None
    few: tuple[CandidateRow, ...] | None


@dataclass(frozen=True, slots=True)
class CandidatesQuestion:
    """A view's filters; `marks` are the bookmarked candidates."""

    view: View
    marks: frozenset[int]

    def answer(self, run: OpenRun) -> CandidatesBody | None:
        """Read it; None before the first iteration."""
        view = self.view
        subject = subject_of(run, view.iteration, view.task)
        if subject is None:
            return None
        query = query_of(view, subject)
        tasks = run.reader.tasks()
        return CandidatesBody(
            subject=subject,
            query=query,
            total=total_of(run, query, subject),
            pairs={index: len(task.train) for index, task in enumerate(tasks)},
            names={index: task.id for index, task in enumerate(tasks)} if view.whole_run else {},
            detail=detail_of(run, view.candidate),
            few=self._few(run),
        )

    def _few(self, run: OpenRun) -> tuple[CandidateRow, ...] | None:
        if self.view.parent is not None:
            return tuple(run.reader.children(self.view.parent))
        if self.view.marked:
            # A bookmark's candidate ends its own refinement chain; one that is no longer there, for
            # the run was made anew in its folder, has none.
            chains = (run.reader.chain(mark) for mark in sorted(self.marks))
            return tuple(chain[-1] for chain in chains if chain)
        return None


def facts(detail: CandidateDetail, pairs: int) -> Text:
    """Return what is known of a candidate, in a few lines."""
    candidate, pull = detail.candidate, detail.pull
    iteration, _, number = split_candidate_id(candidate.id)
    text = Text()
    text.append(f"#{number}", style="bold")
    text.append(f"  iteration {iteration + 1}, {candidate.operator}, pull {pull.number}")
    if candidate.parent is not None:
        text.append(f", from #{split_candidate_id(candidate.parent)[2]}")
    if pull.draw is not None:
        text.append(f", θ = {pull.draw:.3f}")
    text.append(f", {duration(pull.seconds)}")
    text.append(f", {count(candidate.tokens_out)} tokens\n" if candidate.tokens_out else "\n")
    evaluation = candidate.evaluation
    if evaluation is None:
        text.append(f"no program in the reply ({one_line(candidate.finish)})", style="bold")
    else:
        text.append(f"right on {of(sum(evaluation.right), pairs)} ", style="bold")
        text.append(f"({percent(evaluation.accuracy)})")
        text.append(f", barred as {evaluation.filter}" if evaluation.filter else "")
        if detail.right is not None:
            told = (
                "right"
                if all(detail.right)
                else f"right on {of(sum(detail.right), len(detail.right))}"
            )
            text.append(f", tests: {told}")
        failed = next((r for r in evaluation.results if isinstance(r, Failure)), None)
        text.append(f"\n{failed.kind}: {one_line(failed.text)}" if failed else "")
    return text


class Candidates(TaskPlace):
    """The list, and at the side the source of the candidate under the cursor."""

    place = "candidates"
    BINDINGS: ClassVar[list[BindingType]] = bindings("candidates")
    filters = True

    def __init__(self) -> None:
        super().__init__()
        self._body: CandidatesBody | None = None
        self._pages: CandidatePages | None = None
        self._few: tuple[CandidateRow, ...] | None = None
        self._source: str | None = None

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="subject", markup=False)
            yield Static("", id="filters", markup=False)
            with Horizontal(id="both"):
                yield CandidateList(at_rest=self.at_rest, id="list", classes="pane")
                with Vertical(id="one"):
                    yield Static("", id="facts", markup=False)
                    yield SourceView(keeps_left=True, id="source", classes="pane")

    def question(self) -> CandidatesQuestion:
        return CandidatesQuestion(self.view, self.soar.bookmarks())

    def on_screen_resume(self) -> None:
        if self._pages is not None:
            self._pages.returned()

    def forget_run(self) -> None:
        super().forget_run()
        self._few = None
        if self._pages is not None:
            self._pages.forget()

    def forget_answer(self) -> None:
        self._body = self.subject = None

    def show(self, body: object) -> None:
        if body is None:
            self.say(
                "No iteration has begun yet.\n\nCandidates are the programs a policy proposes."
            )
            return
        assert isinstance(body, CandidatesBody)
        self._body = body
        self.show_subject(body.subject)
        if self.view.whole_run:
            put(self.query_one("#subject", Static), _run_line(body))
        put(self.query_one("#filters", Static), filters_line(self.view))
        view = self.query_one("#list", CandidateList)
        context = RowContext(body.pairs, body.names, self.soar.bookmarks())
        if self._pages is None:
            self._pages = CandidatePages(self.soar, view, self._select)
        if body.few is not None:
            self._pages.forget()
            if body.few != self._few:
                self._few = body.few
                view.start(context, len(body.few))
            else:
                view.set_context(context)
        else:
            self._few = None
            self._pages.hold(body.query, context, body.total)
        self._pages.name(narrowed_to(self.view))
        self._show_detail(body)
        self.focus_first(view)

    def _show_detail(self, body: CandidatesBody) -> None:
        detail = body.detail
        source = self.query_one("#source", SourceView)
        if detail is None:
            put(self.query_one("#facts", Static), "no candidate is selected")
            if self._source is not None:
                self._source = None
                entitle(source, "")
                source.show_text("")
            return
        _, task, number = split_candidate_id(detail.candidate.id)
        put(self.query_one("#facts", Static), facts(detail, body.pairs[task]))
        text = detail.candidate.source
        shown = detail.candidate.reply or "" if text is None else text
        if shown != self._source:
            self._source = shown
            entitle(source, f"#{number}" + ("" if text is not None else ", the reply"))
            source.show_source(shown)
        source.find(applied(self.view).text)

    @on(CandidateList.NeedPage)
    def _page(self, event: CandidateList.NeedPage) -> None:
        assert self._pages is not None
        if self._few is not None:
            self._pages.begin_with(self._few, event.request)
        else:
            self._pages.answer(event.request)

    @on(CandidateList.Moved, "#list")
    def _select(self) -> None:
        row, view = self.query_one("#list", CandidateList).selected, self.view
        if row is not None and row.task != view.task and (view.whole_run or view.marked):
            self.soar.look(candidate=row.id, task=row.task, pattern=None)
        elif row is not None:
            self.soar.look(candidate=row.id)

    @on(CandidateList.Chosen, "#list")
    def _open(self) -> None:
        if self.query_one("#list", CandidateList).selected is not None:
            self._select()
            self.soar.go("chain")

    def why_not(self, key: str) -> str | None:
        if key == "marked" and not self.view.marked and not self.soar.bookmarks():
            return "this run has no bookmarks: b sets one"
        narrowed = ("operator", "status", "accuracy", "filter-name", "filter")
        if key in narrowed and (self.view.parent is not None or self.view.marked):
            return "these are few already: Escape goes back to all candidates"
        return super().why_not(key)

    def do_back(self) -> None:
        """Take off what narrows the list, one after the other, then go back."""
        view = self.view
        if self.filtering:
            self.end_filter()
        elif view.parent is not None:
            self.soar.look(parent=None)
        elif view.marked:
            self.soar.look(marked=False)
        elif view.pattern is not None and not view.whole_run:
            self.soar.look(pattern=None)
        elif view.text:
            self.end_filter(clear=True)
        elif not self.soar.go_back():
            self.soar.tell("this is where you began; q leaves the app")

    def do_whole_run(self) -> None:
        """List the whole run, or one task."""
        self.soar.look(whole_run=not self.view.whole_run, parent=None, marked=False)

    def do_operator(self) -> None:
        """Only samples, only refinements, both."""
        self.soar.look(operator=_next(get_args(OperatorChoice), self.view.operator))

    def do_status(self) -> None:
        """Only those of one status, then the next."""
        self.soar.look(status=_next(get_args(CandidateStatus), self.view.status))

    def do_accuracy(self) -> None:
        """Only those of an interval of accuracy, then the next."""
        self.soar.look(accuracy=_next(get_args(AccuracyChoice), self.view.accuracy))

    def do_filter_name(self) -> None:
        """Only those a filter bars, then the next filter."""
        self.soar.look(filter=_next(get_args(FilterChoice), self.view.filter))

    def do_marked(self) -> None:
        """Only bookmarked ones, or all."""
        self.soar.look(marked=not self.view.marked, parent=None)

    @property
    def filtered(self) -> str:
        return applied(self.view).text

    def step_match(self, step: int) -> None:
        # The list holds nothing but matches; inside the source they are marked.
        focused = self.focused
        if isinstance(focused, SourceView):
            focused.next_match(step)
        else:
            self.query_one("#list", CandidateList).action_move(step)

    def copied(self) -> tuple[str, str] | None:
        detail = self._body.detail if self._body is not None else None
        if self._body is None or detail is None:
            return None
        candidate = detail.candidate
        stem = f"{file_stem(self._body.subject.task)}-{split_candidate_id(candidate.id)[2]}"
        if candidate.source is None:
            return f"{stem}-reply.txt", candidate.reply or ""
        return f"{stem}.py", candidate.source

    def exported(self) -> dict[str, str] | None:
        copied = self.copied()
        return None if copied is None else dict([copied])


def _run_line(body: CandidatesBody) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("all tasks", style="bold")
    if body.query.iteration is None:
        text.append(f"  iterations 1 to {body.subject.iterations}")
    else:
        text.append(f"  iteration {body.query.iteration + 1}")
    return text


def _next(choices: tuple[T, ...], present: T) -> T:
    return choices[(choices.index(present) + 1) % len(choices)]


PLACE = Candidates
