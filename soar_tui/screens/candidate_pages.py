"""Feeding a candidate list: its pages on demand, and the newest rows as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from engine.archive.rows import CandidatePage, CandidateQuery, CandidateRow
from engine.programs.candidate import split_candidate_id
from soar_tui.feed import ROWS, Trouble
from soar_tui.open_run import OpenRun
from soar_tui.screens.put import entitle
from soar_tui.widgets.candidate_list import PAGE, CandidateList, PageRequest
from soar_tui.widgets.candidate_row import RowContext

if TYPE_CHECKING:
    from soar_tui.app import SoarApp


class CandidatePages:
    """Stands between one candidate list and the feed; knows what the list is to hold.

    `on_begun` is called when a list has begun in which the selected candidate is not in view.
    """

    def __init__(
        self, app: SoarApp, view: CandidateList, on_begun: Callable[[], None] | None = None
    ) -> None:
        self._app, self._list, self._on_begun = app, view, on_begun
        self._query: CandidateQuery | None = None
        self._newest: int | None = None
        self._to_the_end = False
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
        if query == self._query and not (
            returned and chosen is not None and not self._list.stand_on(chosen)
        ):
            self._list.set_context(context)
            self._add_newest(total)
            return
        self._query, self._newest, self._to_the_end, self._nothing = query, None, False, False
        self._list.start(context, total, at=None if chosen is None else _begin_at(query, chosen))

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
        if rows:
            self._newest = max(self._newest or 0, rows[-1].id)
        if request.where in ("first", "at", "after"):
            self._to_the_end = page.next is None
        elif request.where == "last":
            self._to_the_end = True
        begun = request.where in ("first", "last") or (request.where == "at" and bool(rows))
        self._list.put_page(request, rows, page.next, _place(self._query, rows))
        self._nothing = not rows and page.next is None and begun
        self.name(self._title)
        if begun:
            # Who goes to the end wants to stand there, wherever the selected candidate is.
            self._select(() if request.where == "last" else rows)

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
        query = self._query
        if query is None or self._adding or not self._to_the_end or self._app.frozen:
            return
        self._adding = True

        def add(page: CandidatePage | Trouble) -> None:
            self._adding = False
            if isinstance(page, Trouble) or query != self._query:
                return
            if page.rows:
                self._newest = page.rows[-1].id
            if page.rows or total is not None:
                self._list.add_newest(page.rows, total)

        after = self._newest
        self._app.feed.fetch(lambda run: run.reader.candidates(query, after=after, limit=ROWS), add)


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
