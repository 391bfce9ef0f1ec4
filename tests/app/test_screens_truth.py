"""What is on the screen is of the task it names, and the highlighted line is the one it is of."""

import pytest

from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.programs.candidate import candidate_id, split_candidate_id
from soar_tui.screens.rows import Rows
from soar_tui.widgets.candidate_list import CandidateList
from soar_tui.widgets.task_wall import TaskWall
from tests.app.recorded import make_folder, record, settings
from tests.app.stage import desk_at, opened, settled, text, until
from tests.app.test_screens_live import Engine


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings("sample:3", iterations=3))


def title_of(candidate):
    return f"candidate #{split_candidate_id(candidate)[2]}: right on"


def last_of(folder, task):
    """Return a candidate of the latest iteration that ran on a task."""
    with RunReader(folder) as reader:
        rows = reader.candidates(
            CandidateQuery(iteration=2, task=task, program=True), limit=40
        ).rows
        return rows[-1].id


# A candidate and its task


async def test_a_candidate_chosen_in_the_whole_run_is_shown_on_its_own_task(home, folder):
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("a", "home", "end")
        await settled(app, pilot)
        chosen = app.current_place.query_one("#list", CandidateList).selected
        assert chosen.task == 2
        await pilot.press("2")
        await settled(app, pilot)
        assert "task 3 of 3" in text(app)
        assert f"candidate #{chosen.number}:" in text(app)


async def test_a_pattern_of_one_task_does_not_narrow_the_list_of_another(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        await pilot.press("enter")
        await settled(app, pilot)
        assert "of one pattern" in text(app)
        await pilot.press("a", "end")
        await until(lambda: app.view.task == 2, "a candidate of another task is selected")
        await settled(app, pilot)
        await pilot.press("a")
        await settled(app, pilot)
        assert "task 3 of 3" in text(app) and "44 of 44 candidates" in text(app)


async def test_a_bookmarked_candidate_is_shown_on_its_own_task(home, folder):
    marked = last_of(folder, 1)
    desk_at(home).bookmark(folder, marked, on=True)
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("m")
        await settled(app, pilot)
        assert "task 2 of 3" in text(app)
        await pilot.press("2")
        await settled(app, pilot)
        assert "task 2 of 3" in text(app) and title_of(marked) in text(app)


async def test_an_example_is_shown_on_its_own_task(home, folder):
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        await pilot.press("end", "enter")
        await settled(app, pilot)
        assert app.current_mode == "chain"
        await pilot.press("2")
        await settled(app, pilot)
        assert "task 3 of 3" in text(app)
        assert f"candidate #{split_candidate_id(app.view.candidate)[2]}:" in text(app)


async def test_the_wall_stands_on_the_task_that_was_gone_to_elsewhere(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        wall = app.current_place.query_one("#wall", TaskWall)
        await pilot.press("2")
        await settled(app, pilot)
        await pilot.press("right_square_bracket")
        await settled(app, pilot)
        await pilot.press("down")
        await settled(app, pilot)
        chosen = app.view.candidate
        assert split_candidate_id(chosen)[1] == 1
        await pilot.press("1")
        await settled(app, pilot)
        assert wall.selected.index == 1 and app.view.candidate == chosen
        await pilot.press("enter")
        await settled(app, pilot)
        assert "task 2 of 3" in text(app)
        assert f"candidate #{split_candidate_id(chosen)[2]}:" in text(app)


async def test_a_task_is_never_judged_by_a_candidate_of_another(home, folder):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        app.look(task=1)
        await settled(app, pilot)
        best = text(app)
        assert "best so far #" in best
        app.look(candidate=last_of(folder, 0))
        await settled(app, pilot)
        assert text(app) == best


# The highlighted line


async def test_the_first_example_of_another_run_takes_the_place_of_the_one_shown(home, folder):
    changes = settings("sample:3", iterations=3)
    other = await record(home / "runs" / "other", chosen=changes, seed=4)
    async with opened(folder, desk=home, place="learn", size=(160, 40)) as (app, pilot):
        assert "the program it is to write" in text(app)
        app.go("runs")
        await settled(app, pilot)
        app.attach(other, place="learn")
        await settled(app, pilot)
        attached = text(app)
    async with opened(other, desk=home / "second", place="learn", size=(160, 40)) as (app, pilot):
        assert attached == text(app)


async def test_the_examples_of_an_iteration_begin_at_the_first_which_is_shown(home, folder):
    async with opened(folder, desk=home, place="learn", size=(160, 40)) as (app, pilot):
        listed = app.current_place.query_one("#examples", Rows)
        await pilot.press(*["down"] * 6)
        await settled(app, pilot)
        assert listed.cursor == 6
        await pilot.press("comma")
        await settled(app, pilot)
        assert "iteration 1 of 3" in text(app)
        assert listed.cursor == 0
        assert "the program it is to write, #0" in text(app)


async def test_an_iteration_without_examples_shows_none(home, folder):
    async with opened(folder, desk=home, place="learn", size=(160, 40)) as (app, pilot):
        await pilot.press("down")
        await settled(app, pilot)
        assert "the program it is to write, #1" in text(app) and "demonstration 1" in text(app)
        await pilot.press("full_stop")
        await settled(app, pilot)
        assert "iteration 3 of 3" in text(app) and "0 examples used" in text(app)
        assert "the program it is to write" not in text(app)
        assert "demonstration 1" not in text(app)
        await pilot.press("comma")
        await settled(app, pilot)
        assert "the program it is to write, #0" in text(app)


async def test_following_selects_every_newest_candidate(home):
    folder = make_folder(home / "runs" / "live", settings("sample:2", iterations=1))
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press("F")
            await settled(app, pilot)
            assert app.view.candidate == candidate_id(0, 0, 9)
            for newest in (19, 23, 27):
                await engine.pull()
                await until(
                    lambda number=newest: app.view.candidate == candidate_id(0, 0, number),
                    "the newest candidate is selected",
                )
                await settled(app, pilot)
                assert f"#{newest}  iteration 1" in text(app)
            await pilot.press("y")
            await pilot.pause()
            with RunReader(folder) as reader:
                candidate = reader.candidate(candidate_id(0, 0, 27)).candidate
            assert app.clipboard == (candidate.source or candidate.reply)


async def test_a_candidate_is_looked_into_while_the_list_would_follow(home):
    folder = make_folder(home / "runs" / "live", settings("sample:2", iterations=1))
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press("F")
            await settled(app, pilot)
            listed = app.current_place.query_one("#list", CandidateList)
            await pilot.press("c")
            await settled(app, pilot)
            with RunReader(folder) as reader:
                await engine.pull()
                listed.add_newest(reader.candidates(CandidateQuery(), after=9).rows, 20)
            await pilot.pause()
            assert app.view.candidate == candidate_id(0, 0, 9)
            await pilot.press("5")
            await until(
                lambda: app.view.candidate == candidate_id(0, 0, 19), "it follows the newest again"
            )
            assert listed.follow


async def test_a_frozen_view_follows_nothing(home):
    folder = make_folder(home / "runs" / "live", settings("sample:2", iterations=1))
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press("F")
            await settled(app, pilot)
            listed = app.current_place.query_one("#list", CandidateList)
            await pilot.press("space")
            await settled(app, pilot)
            with RunReader(folder) as reader:
                await engine.pull()
                listed.add_newest(reader.candidates(CandidateQuery(), after=9).rows, 20)
            await until(lambda: "20 candidates" in text(app), "the header counts on")
            assert app.view.candidate == listed.selected.id == candidate_id(0, 0, 9)
            await pilot.press("space")
            await until(
                lambda: app.view.candidate == candidate_id(0, 0, 19), "it follows the newest again"
            )


async def test_a_frozen_list_gets_no_rows_while_it_is_walked(home):
    folder = make_folder(home / "runs" / "live", settings("sample:2", iterations=1))
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            listed = app.current_place.query_one("#list", CandidateList)
            await pilot.press("space")
            await engine.pull()
            await until(lambda: "20 candidates" in text(app), "the header counts on")
            await pilot.press("down", "down")
            await settled(app, pilot)
            assert "#2  iteration 1" in text(app) and listed.rows == 10
            await pilot.press("space")
            await until(lambda: listed.rows == 20, "the new ones come")
            assert app.view.candidate == candidate_id(0, 0, 2)


async def test_an_arm_that_is_filtered_out_is_no_longer_described(home, folder):
    async with opened(folder, desk=home, place="arms") as (app, pilot):
        table = app.current_place.query_one("#arms")
        for _ in range(4):
            await pilot.press("f")
            await settled(app, pilot)
            arm = table.selected
            told = "no arm is selected" if arm is None else f"arm #{arm.number}  right on"
            assert told in text(app), table.which
            app.copy_to_clipboard("")
            await pilot.press("y")
            await pilot.pause()
            if arm is not None:
                assert f"N = {arm.pulls} completions" in app.clipboard
                assert app.clipboard.split("\n")[0] in text(app)
