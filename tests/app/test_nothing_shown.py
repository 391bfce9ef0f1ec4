"""Keys act on what is on the screen: where a place has nothing to show, there is nothing to act on."""

import pytest

from soar_tui.app import FrameArrived
from soar_tui.feed import Frame, Trouble
from soar_tui.keys import PLACES
from soar_tui.screens.rows import Rows
from soar_tui.screens.train import Train
from tests.app.recorded import make_folder, record, settings
from tests.app.stage import opened, settled, text, until
from tests.app.test_screens_keys import toasts
from tests.app.test_screens_live import Engine

OF_RUN = [name for _, name, _ in PLACES if name not in ("runs", "analysis")]
STEPS = ("comma", "full_stop", "left_square_bracket", "right_square_bracket")


@pytest.fixture
async def searched(home):
    return await record(home / "runs" / "searched", chosen=settings("sample:3", iterations=3))


@pytest.fixture
async def fresh(home):
    """A run of which no iteration has begun."""
    folder = make_folder(home / "runs" / "fresh", settings("sample:3"))
    return await record(folder, searched=0)


async def visited(app, pilot):
    for place in OF_RUN:
        app.go(place)
        await settled(app, pilot)
    app.look(task=1, iteration=1)
    for place in OF_RUN:
        app.go(place)
        await settled(app, pilot)


async def opened_from_the_list(app, pilot, folder):
    await pilot.press("0")
    await settled(app, pilot)
    app.screen.query_one("#runs", Rows).select(folder)
    await pilot.press("enter")
    await settled(app, pilot)
    assert app.folder == folder


def unread(app, why):
    """Return what the feed says when the question of the shown place cannot be answered."""
    asked = app.current_place.begin()
    return Frame(app.folder, app.header, asked, answered=True, body=Trouble(why))


def written(folder):
    return sorted(path.name for path in (folder / "exports").glob("*"))


async def test_nothing_of_one_run_is_copied_or_exported_in_another(home, searched, fresh):
    async with opened(searched, desk=home) as (app, pilot):
        await visited(app, pilot)
        await opened_from_the_list(app, pilot, fresh)
        for place in [name for name in OF_RUN if name != "system"]:
            app.go(place)
            await settled(app, pilot)
            assert "reading …" not in text(app)
            app.clear_notifications()
            await pilot.press("e", "y")
            await pilot.pause()
            assert written(fresh) == [] and app.clipboard == "", place
            told = toasts(app)
            assert "there is nothing to export here yet" in told, place
            assert "nothing is selected to copy here" in told, place


async def test_a_run_without_an_iteration_is_not_stepped_through_by_the_numbers_of_another(
    home, searched, fresh
):
    async with opened(searched, desk=home) as (app, pilot):
        await visited(app, pilot)
        await opened_from_the_list(app, pilot, fresh)
        for place in [name for name in OF_RUN if name != "system"]:
            app.go(place)
            await settled(app, pilot)
            await pilot.press(*STEPS)
            await settled(app, pilot)
            assert (app.view.iteration, app.view.task) == (None, 0), place


async def test_no_run_is_trained_with_the_settings_of_another(home, searched, fresh):
    async with opened(searched, desk=home, place="learn") as (app, pilot):
        await settled(app, pilot)
        app.feed.stop()  # from here on no answer comes
        app.attach(fresh, place="overview")
        app.go("learn")
        await until(lambda: "reading …" in text(app), "the place waits for its answer")
        await pilot.press("T")
        await pilot.pause()
        assert not isinstance(app.screen, Train)
        assert app.current_place.why_not("train") is not None


@pytest.mark.parametrize("place", OF_RUN)
async def test_nothing_is_exported_or_stepped_through_while_a_run_cannot_be_read(
    home, searched, place
):
    async with opened(searched, desk=home, place=place) as (app, pilot):
        app.look(task=1, iteration=1)
        await settled(app, pilot)
        before = app.view
        trouble = unread(app, "the disk is gone")
        app.feed.stop()  # it would read again
        app.on_frame_arrived(FrameArrived(trouble))
        await until(lambda: "the disk is gone" in text(app), "the trouble is shown")
        await pilot.press("e", "y", *STEPS)
        await pilot.pause()
        assert written(searched) == [] and app.clipboard == ""
        assert (app.view.iteration, app.view.task) == (before.iteration, before.task)


async def test_what_could_not_be_read_for_a_moment_is_shown_again_where_one_was(home, searched):
    async with opened(searched, desk=home, place="arms") as (app, pilot):
        await pilot.press("down", "down")
        await settled(app, pilot)
        seen = text(app)
        trouble = unread(app, "the disk is busy")
        app.on_frame_arrived(FrameArrived(trouble))
        await until(lambda: "the disk is busy" in text(app), "the trouble is shown")
        app.ask()
        await until(lambda: "the disk is busy" not in text(app), "it is over")
        await settled(app, pilot)
        assert text(app) == seen


@pytest.fixture
def live(home):
    return make_folder(home / "runs" / "live", settings("sample:2", iterations=1))


async def test_a_task_without_arms_has_no_arm_to_act_on(home, live):
    async with Engine(live) as engine:
        for _ in range(4):
            await engine.pull()
        async with opened(live, desk=home, place="arms") as (app, pilot):
            assert "arm #" in text(app)
            await pilot.press("right_square_bracket")
            await settled(app, pilot)
            assert "This task has no arms" in text(app)
            app.clear_notifications()
            for key in ("o", "c", "b", "y"):
                await pilot.press(key)
                await pilot.pause()
                assert app.current_mode == "arms" and len(app.screen_stack) == 1, key
            assert (app.view.parent, app.view.candidate, app.clipboard) == (None, None, "")
            assert "no arm is selected" in toasts(app)
            await pilot.press("left_square_bracket")
            await settled(app, pilot)
            assert "arm #" in text(app)


async def test_a_task_without_patterns_has_none_to_copy(home, live):
    async with Engine(live) as engine:
        await engine.pull()
        async with opened(live, desk=home, place="votes") as (app, pilot):
            assert "#1" in text(app)
            await pilot.press("right_square_bracket")
            await settled(app, pilot)
            assert "Nothing to vote on yet" in text(app)
            await pilot.press("y")
            await pilot.pause()
            assert app.clipboard == ""
            await pilot.press("left_square_bracket")
            await settled(app, pilot)
            assert "#1" in text(app)


async def test_the_children_of_an_arm_are_listed_under_its_own_task(home, searched):
    async with opened(searched, desk=home, place="arms") as (app, pilot):
        arm = app.current_place.query_one("#arms").selected
        app.feed.stop()  # the answer about the next task never comes
        await pilot.press("right_square_bracket", "o")
        await until(lambda: app.current_mode == "candidates", "the children are asked for")
        assert (app.view.parent, app.view.task) == (arm.id, 0)


@pytest.mark.parametrize("place", ["chain", "diff", "prompt"])
async def test_without_a_selected_candidate_nothing_of_the_last_one_is_acted_on(
    home, searched, place
):
    async with opened(searched, desk=home, place="candidates") as (app, pilot):
        app.go(place)
        await settled(app, pilot)
        assert app.current_place.copied() is not None
        app.look(candidate=None)
        await settled(app, pilot)
        assert "No candidate is selected" in text(app)
        assert app.current_place.copied() is None
        assert app.current_place.why_not("parent") is not None
