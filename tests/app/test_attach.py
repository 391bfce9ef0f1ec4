"""From one run to another: what is asked, answered and remembered belongs to the right one."""

import shutil

import pytest

from engine.archive.writer import ArchiveWriter
from soar_tui.app import FrameArrived
from tests.app.recorded import record, settings
from tests.app.stage import CountingApp, desk_at, opened, settled, text, until


@pytest.fixture
async def first(home):
    return await said_so(await record(home / "runs" / "first", chosen=settings("sample:3")), 20)


@pytest.fixture
async def second(home):
    return await said_so(await record(home / "runs" / "second", chosen=settings("sample:2")), 1)


async def said_so(folder, times):
    writer = ArchiveWriter(folder)
    for _ in range(times):
        writer.put_event("info", "note", f"this is the journal of the {folder.name} run")
    await writer.flush()
    await writer.close()
    return folder


async def test_the_place_that_is_shown_asks_for_what_was_looked_at_in_the_other_run(
    home, first, second
):
    async with opened(first, desk=home) as (app, pilot):
        await pilot.press("comma")
        await settled(app, pilot)
        assert "tasks of iteration 1" in text(app)
        app.attach(second)
        await settled(app, pilot)
        assert "tasks of iteration 2" in text(app) and "2 of 2 tasks" in text(app)


async def test_a_late_answer_of_the_run_before_is_not_taken_for_one_of_this(home, first, second):
    arrived = []

    def keep(message):
        if isinstance(message, FrameArrived) and message.frame.answered:
            arrived.append(message.frame)

    app = CountingApp(first, desk=desk_at(home))
    async with app.run_test(size=(120, 40), message_hook=keep) as pilot:
        await settled(app, pilot)
        late = arrived[-1]
        app.attach(second)
        app.post_message(FrameArrived(late))
        await settled(app, pilot)
        assert "journal of the second run" in text(app)
        app.post_message(FrameArrived(late))
        await settled(app, pilot)
        assert "journal of the first run" not in text(app)


async def test_a_list_of_runs_answered_for_the_run_before_is_read_again(home, first, second):
    async with opened(first, desk=home, place="runs") as (app, pilot):
        app.attach(second, place="runs")
        await settled(app, pilot)
        assert app.current_mode == "runs" and "second  ✓ finished" in text(app)


async def test_what_was_looked_at_last_is_kept_when_another_run_is_opened(home, first, second):
    async with opened(first, desk=home, place="task") as (app, pilot):
        app.look(task=2)
        app.attach(second)
        await settled(app, pilot)
        app.attach(first)
        await settled(app, pilot)
        assert app.current_mode == "task" and "task 3 of 3" in text(app)
    assert desk_at(home).view(first)["task"] == 2


async def test_the_place_shown_is_the_one_to_come_back_to(home, first, second):
    async with opened(second, desk=home, place="arms") as (app, pilot):
        app.attach(first)
        await settled(app, pilot)
        app.attach(second, place="overview")
        await settled(app, pilot)
        assert app.current_mode == "overview"
    async with opened(second, desk=home) as (app, _):
        assert app.current_mode == "overview"


async def test_a_run_made_anew_in_its_folder_is_read_anew_when_it_is_opened(home, first):
    async with opened(first, desk=home) as (app, pilot):
        assert "3 of 3 tasks" in text(app)
        await pilot.press("0")
        await settled(app, pilot)
        shutil.rmtree(first)
        await record(first, chosen=settings("sample:5", iterations=1))
        await until(lambda: "5 of 5" in text(app), "it is listed as it is now")
        await pilot.press("enter")
        await settled(app, pilot)
        assert "5 of 5 tasks" in text(app) and "iteration 1/1" in text(app)


async def test_a_run_whose_engine_is_ready_is_looked_at_where_it_was_asked_for(home, first, second):
    async with opened(first, desk=home, place="runs") as (app, pilot):
        assert app.engine_ready(second, app.whereabouts)
        await settled(app, pilot)
        assert app.folder == second and "2 of 2 tasks" in text(app)
        await pilot.press("0")
        await settled(app, pilot)
        assert app.engine_ready(second, app.whereabouts)
        await settled(app, pilot)
        assert app.current_mode == "overview"


@pytest.mark.parametrize("key", ["question_mark", "colon", "slash"])
async def test_no_run_comes_up_while_something_is_open_in_which_one_types(home, first, second, key):
    async with opened(first, desk=home, place="candidates") as (app, pilot):
        asked = app.whereabouts
        await pilot.press(key)
        await pilot.pause()
        opened_there = app.screen_stack[:]
        assert not app.engine_ready(second, asked)
        await pilot.pause()
        assert app.folder == first and app.screen_stack == opened_there
        assert app.current_mode == "candidates"


async def test_no_run_comes_up_for_who_has_gone_on(home, first, second):
    async with opened(first, desk=home) as (app, pilot):
        asked = app.whereabouts
        await pilot.press("4")
        await settled(app, pilot)
        assert not app.engine_ready(second, asked)
        await settled(app, pilot)
        assert (app.folder, app.current_mode) == (first, "votes")


async def test_the_run_one_looks_at_is_read_anew_where_one_is_when_its_engine_is_ready(home, first):
    async with opened(first, desk=home, place="arms") as (app, pilot):
        app.look(task=1)
        await pilot.press("c")
        await settled(app, pilot)
        looked_at = app.view
        shutil.rmtree(first)
        await record(first, chosen=settings("sample:5"))
        assert app.engine_ready(first, (first, "arms"))
        await settled(app, pilot)
        assert app.current_mode == "chain" and app.view == looked_at
        await until(lambda: "5 of 5 tasks" in text(app), "it is read anew")
