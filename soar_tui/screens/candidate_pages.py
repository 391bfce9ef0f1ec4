"""Feeding a candidate list: its pages on demand, and the newest rows as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from engine.archive.rows import CandidatePage, CandidateQuery, CandidateRow
from engine.programs.candidate import candidate_id, split_candidate_id
from soar_tui.feed import ROWS, Trouble
from soar_tui.open_run import OpenRun
from soar_tui.screens.of_task import task_rows
from soar_tui.screens.put import entitle
from soar_tui.widgets.candidate_list import PAGE, CandidateList, PageRequest
from soar_tui.widgets.candidate_row import RowContext

if TYPE_CHECKING:
    from soar_tui.app import SoarApp


_PULLS: Final = 100
"""Pulls whose candidates are read in one go."""
_BEHIND: Final = 2_000
"""Pulls after which a list of the whole run is begun anew rather than brought up to date."""


@dataclass(frozen=True, slots=True)
class _News:
    """Rows that came into being since a mark, the newest last, and the mark to go on from.

    `more`: there is more to read right away. `rows` None: too much has come to be added row by row.
    """

    rows: tuple[CandidateRow, ...] | None
    mark: int
    more: bool


class CandidatePages:
    """Stands between one candidate list and the feed; knows what the list is to hold.

    `on_begun` is called when a list has begun in which the selected candidate is not in view.
    """

    def __init__(
        self, app: SoarApp, view: CandidateList, on_begun: Callable[[], None] | None = None
    ) -> None:
        self._app, self._list, self._on_begun = app, view, on_begun
        self._query: CandidateQuery | None = None
        self._context = RowContext()
        self._mark: int | None = None
        self._adding = False
        self._returned = False
        self._title, self._nothing = "candidates", False

    def name(self, title: str) -> None:
        """Set the list's title."""
        self._title = title
        nothing = "nothing matches these filters" if self._nothing else ""
        entitle(self._list, title, nothing)

    def returned(self) -> None:
        """With the next answer go to the selected candidate, which may be another one by now."""
        self._returned = True

    def hold(self, query: CandidateQuery, context: RowContext, total: int | None) -> None:
        """Have the list hold what a query asks for; the same query only brings its newest rows."""
        returned, self._returned = self._returned, False
        chosen = self._app.view.candidate
        self._context = context
        if query == self._query and not (
            returned and chosen is not None and not self._list.stand_on(chosen)
        ):
            self._list.set_context(context)
            self._add_newest(total)
        else:
            self._begin(query, total, chosen)

    def _begin(self, query: CandidateQuery, total: int | None, chosen: int | None) -> None:
        self._query, self._mark, self._nothing = query, None, False

        def mark(end: int | Trouble) -> None:
            if not isinstance(end, Trouble) and query == self._query:
                self._mark = end

        # Before the first page, so that what comes meanwhile is on one or the other.
        self._app.feed.fetch(partial(_end, query=query), mark)
        at = None if chosen is None else _begin_at(query, chosen)
        self._list.start(self._context, total, at=at)

    def forget(self) -> None:
        """Begin anew with the next query."""
        self._query, self._adding = None, False

    def answer(self, request: PageRequest) -> None:
        """Read the page a list asks for."""
        query = self._query
        if query is None:
            return
        self._app.feed.fetch(
            partial(_page, query=query, request=request), partial(self._put, request)
        )

    def _put(self, request: PageRequest, page: CandidatePage | Trouble) -> None:
        if isinstance(page, Trouble):
            self._app.tell(page.text, severity="error")
            return
        rows = page.rows
        if request.where in ("last", "before"):
            rows = rows[::-1]
        begun = request.where in ("first", "last") or (request.where == "at" and bool(rows))
        self._list.put_page(request, rows, page.next, _place(self._query, rows))
        self._nothing = not rows and page.next is None and begun
        self.name(self._title)
        if begun:
            # Who goes to the end wants to stand there, wherever the selected candidate is.
            self._select(() if request.where == "last" or self._list.follow else rows)

    def begin_with(self, rows: Sequence[CandidateRow], request: PageRequest) -> None:
        """Answer the only request of a list of few rows."""
        self._list.put_page(request, rows, None)
        self._select(rows)

    def _select(self, rows: Sequence[CandidateRow]) -> None:
        chosen = [place for place, row in enumerate(rows) if row.id == self._app.view.candidate]
        if chosen:
            self._list.cursor = chosen[0]
        elif self._on_begun is not None:
            self._on_begun()

    def _add_newest(self, total: int | None) -> None:
        query, mark = self._query, self._mark
        if query is None or mark is None or self._adding or self._app.frozen:
            return
        self._adding = True

        def add(news: _News | Trouble) -> None:
            self._adding = False
            if isinstance(news, Trouble) or query != self._query:
                return
            if news.rows is None:
                selected = self._list.selected
                self._begin(query, total, None if selected is None else selected.id)
                return
            self._mark = news.mark
            self._nothing = self._nothing and not news.rows
            if news.rows or total is not None:
                self._list.add_newest(news.rows, total)
            if news.more:
                self._add_newest(total)

        self._app.feed.fetch(partial(_news, query=query, mark=mark), add)


def _end(run: OpenRun, query: CandidateQuery) -> int:
    """Return the mark after which news begins: the last candidate of a task, pull of a whole run.

    Ids order the candidates of a run by task, and many tasks are searched at once.
    """
    if query.task is None:
        return run.reader.last_pull()
    iteration = run.latest() if query.iteration is None else query.iteration
    counts = (row.candidates for row in task_rows(run, iteration) if row.index == query.task)
    return candidate_id(iteration, query.task, next(counts, 0)) - 1


def _news(run: OpenRun, query: CandidateQuery, mark: int) -> _News:
    """Read what a query asks for of what came into being after a mark."""
    end = _end(run, query)
    if query.task is not None:
        page = run.reader.candidates(query, after=mark, limit=ROWS)
        more = page.next is not None
        return _News(page.rows, max(mark, end) if page.next is None else page.next, more)
    if end - mark > _BEHIND:
        return _News(None, end, more=False)
    pulls = run.reader.pulls_after(mark, _PULLS)
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    for row in pulls:
        place = row.pull.iteration, row.pull.task
        if query.iteration in (None, row.pull.iteration):
            # Put behind the others, for the newest row is to be the last.
            first, _ = spans.pop(place, (row.first, 0))
            spans[place] = first, row.first + row.count - 1
    rows: list[CandidateRow] = []
    for (iteration, task), (first, last) in spans.items():
        rows += _between(run, replace(query, iteration=iteration, task=task), first, last)
    return _News(tuple(rows), pulls[-1].id if pulls else mark, len(pulls) == _PULLS)


def _between(run: OpenRun, query: CandidateQuery, first: int, last: int) -> list[CandidateRow]:
    """Return all that a query asks for from one id to another."""
    rows: list[CandidateRow] = []
    after: int | None = first - 1
    while after is not None and after < last:
        page = run.reader.candidates(query, after=after, limit=last - after)
        rows += [row for row in page.rows if row.id <= last]
        after = page.next
    return rows


def _begin_at(query: CandidateQuery, chosen: int) -> int | None:
    """Return the selected candidate if the list can hold it, but not on its first page."""
    iteration, task, number = split_candidate_id(chosen)
    if query.iteration not in (None, iteration) or query.task not in (None, task):
        return None
    return None if query.task is not None and number < PAGE else chosen


def _place(query: CandidateQuery | None, rows: Sequence[CandidateRow]) -> int | None:
    """Return how many rows are before these, where every candidate of a search is listed."""
    if not rows or query is None or query.task is None:
        return None
    plain = query == CandidateQuery(iteration=query.iteration, task=query.task)
    return rows[0].number if plain else None


def _page(run: OpenRun, query: CandidateQuery, request: PageRequest) -> CandidatePage:
    backwards = request.where in ("last", "before")
    after = request.key
    if request.where == "at" and after is not None:
        after -= 1  # ids are whole numbers: so the page begins with that candidate
    return run.reader.candidates(query, after=after, limit=request.limit, backwards=backwards)
