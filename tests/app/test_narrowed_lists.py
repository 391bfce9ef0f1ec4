"""What a list or a key is about is what the screen says it is about."""

import pytest

from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.programs.candidate import candidate_id, split_candidate_id
from soar_tui.screens.note import Note
from soar_tui.widgets.candidate_list import CandidateList
from tests.app.recorded import record, settings
from tests.app.stage import desk_at, opened, settled, text, until

FILTERS = {"operator": "sample", "status": "fails", "accuracy": "0", "filter": "identity"}


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings("sample:3", iterations=3))


# Few candidates, listed whole


def assert_no_filter_is_claimed(app):
    seen = text(app)
    for claim in ("by: both", "status: all", "right: any", "filter: any"):
        assert claim in seen, claim
    assert "that hold" not in seen and app.current_place.filtered == ""


async def test_the_children_of_an_arm_are_listed_without_the_filters_set_before(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        app.look(**FILTERS, text="step_3")
        app.go("arms")
        await settled(app, pilot)
        await until(lambda: app.current_place.candidate is not None, "an arm is selected")
        arms = app.current_place.query_one("#arms")
        for line, arm in enumerate(arms.arms_shown):
            if arm.pulls:
                arms.cursor = line
        chosen = arms.selected
        await pilot.press("o")
        await settled(app, pilot)
        assert_no_filter_is_claimed(app)
        with RunReader(folder) as reader:
            count = len(reader.children(chosen.id))
        assert f"of {count} candidates" in text(app)
        await pilot.press("escape")
        await settled(app, pilot)
        seen = text(app)
        assert "status: fails" in seen and "that hold “step_3”" in seen


async def test_bookmarks_are_listed_without_the_filters_set_before(home, folder):
    desk_at(home).bookmark(folder, candidate_id(2, 1, 4), on=True)
    async with opened(folder, desk=home) as (app, pilot):
        app.look(**FILTERS, text="step_3", pattern=7)
        app.go("candidates")
        await settled(app, pilot)
        await pilot.press("m")
        await settled(app, pilot)
        assert_no_filter_is_claimed(app)
        assert "1 of 1 candidates" in text(app) and "of one pattern" not in text(app)
        await pilot.press("escape")
        await settled(app, pilot)
        assert not app.view.marked and "status: fails" in text(app)


# Task: what is shown is what keys act on


async def test_the_highlighted_first_candidate_is_opened_at_once(home, folder):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        first = app.current_place.query_one("#candidates", CandidateList).selected
        assert app.view.candidate is None and first is not None
        await pilot.press("enter")
        await settled(app, pilot)
        assert (app.current_mode, app.view.candidate) == ("chain", first.id)


@pytest.mark.parametrize("left_over", [None, candidate_id(2, 0, 3)])
@pytest.mark.parametrize(("key", "place"), [("c", "chain"), ("d", "diff"), ("v", "prompt")])
async def test_keys_act_on_the_candidate_that_is_shown(home, folder, key, place, left_over):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        app.look(task=1, candidate=left_over)
        await settled(app, pilot)
        shown = app.current_place._body.detail.candidate.id
        assert f"best so far #{split_candidate_id(shown)[2]}" in text(app)
        await pilot.press(key)
        await settled(app, pilot)
        assert (app.current_mode, app.view.candidate) == (place, shown)


async def test_the_candidate_that_is_shown_is_the_one_bookmarked(home, folder):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        shown = app.current_place._body.detail.candidate.id
        await pilot.press("b")
        await until(lambda: isinstance(app.screen, Note), "a note is asked for")
        await pilot.press("enter")
        await until(lambda: app.bookmarks() == {shown}, "it is marked")


async def test_looking_at_what_keys_could_do_selects_nothing(home, folder):
    async with opened(folder, desk=home, place="task") as (app, _pilot):
        list(app.get_system_commands(app.screen))
        assert app.view.candidate is None


# A pattern of a vote over all iterations


async def test_what_stands_behind_a_pooled_pattern_is_listed_whole(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        await pilot.press("a")
        await settled(app, pilot)
        pattern = app.current_place._body.ranking.patterns[0]
        await pilot.press("enter")
        await settled(app, pilot)
        with RunReader(folder) as reader:
            of_one = CandidateQuery(iteration=2, task=0, pattern=pattern.id)
            of_all = CandidateQuery(task=0, pattern=pattern.id)
            one, every = (
                len(reader.candidates(query, limit=1000).rows) for query in (of_one, of_all)
            )
        assert every > one and f"of {every} candidates" in text(app)
        assert "of one pattern, over all iterations" in text(app)
        await pilot.press("escape")
        await settled(app, pilot)
        assert "44 candidates" in text(app) and "iteration 3 of 3" in text(app)
