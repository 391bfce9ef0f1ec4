"""Candidates that are remembered and no longer there: the run was made anew in its folder."""

import pytest

from engine.archive import ArchiveError
from engine.programs.candidate import candidate_id
from soar_tui.open_run import OpenRun
from soar_tui.screens.inside import LineageQuestion
from soar_tui.view import View, to_document
from tests.app.recorded import record, settings
from tests.app.stage import desk_at, opened, settled, text

GONE = candidate_id(1, 1, 12)
THERE = candidate_id(0, 1, 3)


@pytest.fixture
async def folder(home):
    """A run of one iteration, in whose folder there was one of more."""
    return await record(home / "runs" / "anew", chosen=settings("sample:3", iterations=1))


def test_a_lineage_that_is_not_there_is_a_reason(folder):
    run = OpenRun(folder)
    with pytest.raises(ArchiveError, match="#12 is not in this run any more"):
        LineageQuestion(GONE).answer(run)
    run.close()


async def test_bookmarks_of_what_is_gone_are_left_out(home, folder):
    for candidate in (GONE, THERE):
        desk_at(home).bookmark(folder, candidate, on=True)
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("m")
        await settled(app, pilot)
        assert "1 of 1 candidates" in text(app)
    async with opened(folder, desk=home) as (app, pilot):
        assert app.current_mode == "candidates" and app.view.marked


@pytest.mark.parametrize("place", ["chain", "diff", "prompt"])
async def test_a_place_inside_a_candidate_that_is_gone_says_so(home, folder, place):
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=GONE, task=1)
        app.go(place)
        await settled(app, pilot)
        assert "is not in this run any more" in text(app)


@pytest.mark.parametrize("place", ["task", "candidates"])
async def test_a_saved_selection_that_is_gone_gives_way_to_what_is_there(home, folder, place):
    desk_at(home).save_view(folder, to_document(View(place=place, task=1, candidate=GONE)))
    async with opened(folder, desk=home) as (app, _pilot):
        assert app.current_mode == place
        assert "task 2 of 3" in text(app) and "44 candidates" in text(app)
        assert app.current_place.candidate != GONE
