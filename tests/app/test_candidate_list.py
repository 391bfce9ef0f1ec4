"""The candidate list over a fake archive of millions of rows, by key as the real one."""

import pytest
from textual.pilot import Pilot

from soar_tui.widgets import candidate_list
from soar_tui.widgets.candidate_list import CandidateList
from soar_tui.widgets.candidate_row import RowContext
from tests.app.screen import Stage, listening, screen_lines
from tests.app.values import HOSTILE, candidate_row


class Archive(Stage):
    """Answers page requests from rows 0 … size-1, made as they are asked for."""

    def __init__(self, view, size):
        super().__init__(view)
        self.view, self.size_of_archive, self.asked = view, size, []

    def on_candidate_list_need_page(self, message):
        self.asked.append(message.request)
        self.view.put_page(message.request, *self.page(message.request))

    def page(self, request):
        size, limit = self.size_of_archive, request.limit
        first = {
            "first": 0,
            "last": max(0, size - limit),
            "at": request.key or 0,
            "after": (request.key or 0) + 1,
            "before": max(0, (request.key or 0) - limit),
        }[request.where]
        end = request.key if request.where == "before" else min(size, first + limit)
        rows = [candidate_row(number) for number in range(first, end)]
        if request.where in ("first", "at", "after"):
            return rows, end - 1 if end < size else None
        return rows, first if first > 0 else None


async def settle(pilot: Pilot) -> None:
    for _ in range(3):
        await pilot.pause()


@pytest.fixture
def view():
    made = CandidateList()
    made.start(RowContext(pairs={0: 3}), total=5_000_000)
    return made


async def test_five_million_rows_open_with_a_page_or_two(view, snapshot):
    app = Archive(view, 5_000_000)
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        assert screen_lines(app)[0].startswith("1 of 5,000,000 candidates")
        assert len(app.asked) <= 2
        snapshot(app, "widget-candidates")


async def test_walking_down_and_up_again_shows_every_row_in_order(view, monkeypatch):
    monkeypatch.setattr(candidate_list, "WINDOW", 600)
    app = Archive(view, 1_000)
    async with app.run_test(size=(80, 62)) as pilot:
        await settle(pilot)
        seen = [view.selected.number]
        while seen[-1] < 999:
            await pilot.press("pagedown")
            await settle(pilot)
            assert seen[-1] < view.selected.number <= seen[-1] + view.page
            seen.append(view.selected.number)
            assert view.rows <= 600
        assert screen_lines(app)[0].startswith("1,000 of ")
        assert view.rows == 600
        while seen[-1] > 0:
            await pilot.press("pageup")
            await settle(pilot)
            assert seen[-1] > view.selected.number >= seen[-1] - view.page
            seen.append(view.selected.number)
        assert screen_lines(app)[0].startswith("1 of ")
        assert view.rows == 600


async def test_the_last_row_is_one_key_away(view):
    app = Archive(view, 5_000_000)
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        await pilot.press("end")
        await settle(pilot)
        assert view.selected.number == 4_999_999
        assert len(app.asked) <= 5
        await pilot.press("pageup", "home")
        await settle(pilot)
        assert view.selected.number == 0


async def test_following_stays_on_the_newest_until_one_moves_up(view):
    app = Archive(view, 500)
    async with app.run_test(size=(80, 20), message_hook=listening(app)) as pilot:
        await settle(pilot)
        await pilot.press("F")
        await settle(pilot)
        assert view.selected.number == 499
        view.add_newest([candidate_row(500), candidate_row(501)], total=502)
        await settle(pilot)
        assert view.selected.number == 501
        assert app.heard(CandidateList.Moved)[-1].line == view.cursor
        assert "following" in screen_lines(app)[0]
        await pilot.press("k")
        view.add_newest([candidate_row(502)], total=503)
        await settle(pilot)
        assert view.selected.number == 500
        assert not view.follow


async def test_pages_without_a_match_are_followed_up_and_old_answers_ignored(view):
    app = Archive(view, 10)
    answers = {"n": 0}

    def page(request):
        answers["n"] += 1
        if answers["n"] < 4:
            return [], answers["n"] * 100
        return [candidate_row(7)], None

    app.page = page
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        assert [request.where for request in app.asked] == ["first", "after", "after", "after"]
        assert view.rows == 1
        stale = app.asked[0]
        view.put_page(stale, [candidate_row(1)], None)
        assert view.rows == 1


async def test_rows_name_their_task_and_bookmark_safely(view):
    view.start(RowContext(tasks={0: HOSTILE}, bookmarks={candidate_row(0).id}))
    app = Archive(view, 3)
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        assert screen_lines(app)[2].startswith("★")
        assert "\\x1b[31m" in screen_lines(app)[2]
        assert "3 candidates" in screen_lines(app)[0]


async def test_a_list_begins_at_a_candidate_far_down_and_goes_on_both_ways():
    view = CandidateList()
    view.start(RowContext(pairs={0: 3}), total=5_000_000, at=3_000_000)
    app = Archive(view, 5_000_000)
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        assert view.selected.number == 3_000_000
        await pilot.press("up")
        await settle(pilot)
        assert view.selected.number == 2_999_999
        await pilot.press("down", "down")
        assert view.selected.number == 3_000_001
        assert view.stand_on(2_999_990) and view.selected.number == 2_999_990
        assert not view.stand_on(17)


async def test_a_list_that_is_to_begin_behind_its_end_shows_its_end():
    view = CandidateList()
    view.start(RowContext(pairs={0: 3}), at=900)
    app = Archive(view, 500)
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        assert view.selected.number == 499


async def test_rows_that_come_anywhere_move_neither_cursor_nor_what_is_in_view():
    view = CandidateList()
    view.start(RowContext(pairs={0: 3}), total=900, at=400)
    app = Archive(view, 900)
    app.page = lambda request: even(Archive.page(app, request))
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        await pilot.press("down", "down", "down", "down")
        await settle(pilot)
        chosen, line = view.selected, view.cursor - view.scroll_offset.y
        view.add_newest([candidate_row(403), candidate_row(401), candidate_row(871)], total=903)
        await settle(pilot)
        assert view.selected == chosen and view.cursor - view.scroll_offset.y == line
        assert [row.number for row in view._rows if 399 < row.number < 406] == [
            *(400, 401, 402, 403, 404)
        ]
        await pilot.press("end")
        await settle(pilot)
        assert view.selected.number == 898


def even(answer):
    rows, more = answer
    return [row for row in rows if row.number % 2 == 0], more


async def test_a_row_beyond_the_window_is_followed_by_beginning_there(view):
    app = Archive(view, 5_000_000)
    async with app.run_test(size=(80, 20), message_hook=listening(app)) as pilot:
        await settle(pilot)
        await pilot.press("F")
        await settle(pilot)
        assert view.selected.number == 4_999_999
        view.add_newest([candidate_row(9), candidate_row(17)], total=5_000_002)
        await settle(pilot)
        assert view.selected.number == 17 and "following" in screen_lines(app)[0]
        await pilot.press("up")
        await settle(pilot)
        assert view.selected.number == 16 and not view.follow
