"""The line of `/`: Escape closes it, then takes the filter off, and only then leaves the place."""

import pytest

from tests.app.recorded import make_folder, record, settings
from tests.app.stage import opened, settled, text
from tests.app.test_screens_keys import toasts


@pytest.fixture
async def folder(home):
    for name in ("apples", "oranges"):
        make_folder(home / "runs" / name, settings("sample:2"))
    return await record(home / "runs" / "pears", chosen=settings("sample:2", iterations=1))


def line_of(app):
    return app.current_place.query_one("#filter")


def beginnings(app):
    """Return the first words of each line; further on there are ages."""
    return [line.split()[:3] for line in text(app).splitlines()]


@pytest.mark.parametrize("place", ["runs", "candidates"])
@pytest.mark.parametrize("typed", ["", "def"])
async def test_escape_closes_the_line_and_leaves_all_as_it_was(home, folder, place, typed):
    async with opened(folder, desk=home, place=place) as (app, pilot):
        before = beginnings(app)
        await pilot.press("slash", *typed)
        await settled(app, pilot)
        assert line_of(app).display
        await pilot.press("escape")
        await settled(app, pilot)
        assert (app.current_mode, beginnings(app)) == (place, before)
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.current_mode == "overview"


async def test_escape_closes_the_line_where_one_began(home, folder):
    async with opened(None, desk=home) as (app, pilot):
        await pilot.press("slash", "escape", "q")
        await pilot.pause()
        assert not app.is_running


async def test_escape_keeps_the_filter_that_was_set_and_a_second_one_takes_it_off(home, folder):
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("slash", *"step_3", "enter")
        await settled(app, pilot)
        filtered = text(app)
        await pilot.press("slash", *"45", "escape")
        await settled(app, pilot)
        assert text(app) == filtered and "that hold “step_3”" in filtered
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.current_mode == "candidates" and "that hold" not in text(app)


async def test_a_filter_of_candidates_holds_no_one_in_runs(home, folder):
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("slash", *"step_3", "enter")
        await settled(app, pilot)
        await pilot.press("0")
        await settled(app, pilot)
        await pilot.press("slash")
        await pilot.pause()
        assert line_of(app).value == ""
        await pilot.press("escape", "N")
        await pilot.pause()
        assert any("nothing is being looked for" in told for told in toasts(app))
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.current_mode == "candidates" and "that hold “step_3”" in text(app)


async def test_a_filter_of_runs_is_shown_changed_stepped_through_and_taken_off(home, folder):
    async with opened(None, desk=home) as (app, pilot):
        before = beginnings(app)
        await pilot.press("slash", "P", "enter")
        await settled(app, pilot)
        assert "2 of 3 runs hold “P” (esc: all)" in text(app)
        assert "apples" in text(app) and "oranges" not in text(app)
        assert "runs/apples" in text(app)
        await pilot.press("down")
        await settled(app, pilot)
        assert "runs/pears" in text(app)
        await pilot.press("N")
        await settled(app, pilot)
        assert "runs/apples" in text(app)
        await pilot.press("slash")
        await pilot.pause()
        assert line_of(app).value == "P"
        await pilot.press("backspace", *"no such run", "enter")
        await settled(app, pilot)
        assert "0 of 3 runs hold “no such run” (esc: all)" in text(app)
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.current_mode == "runs" and beginnings(app)[:6] == before[:6]
