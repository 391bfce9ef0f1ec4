"""A run's settings changed while it is looked at: they are seen, and none is lost or breaks the app."""

import shutil

import pytest

from engine.archive.reader import RunReader
from engine.config import load_settings, override, save_settings
from engine.control import SETTINGS_NAME, engine_alive, launch
from soar_tui.screens.train import Train
from tests.app.recorded import make_folder, record, settings
from tests.app.stage import opened, settled, text, until
from tests.app.test_screens_keys import toasts


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "once", chosen=settings("sample:2", iterations=1))


def change(folder, **changes):
    path = folder / SETTINGS_NAME
    save_settings(override(load_settings(path), changes), path)


def spoil(folder):
    (folder / SETTINGS_NAME).write_text("iterations = \n")


async def test_an_iteration_more_is_seen_wherever_it_was_asked_for(home, folder):
    async with opened(folder, desk=home) as (app, _):
        assert "✓ finished" in text(app) and "iteration 1/1" in text(app)
        assert "– Learn" in text(app)
        change(folder, iterations=2)
        await until(lambda: "iteration 1/2" in text(app), "the header counts with it")
        await until(lambda: "– Learn" not in text(app), "learning is to come")
        assert "■ stopped" in text(app)


async def test_settings_that_cannot_be_read_for_a_while_leave_the_last_ones(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        spoil(folder)
        await pilot.press("4")
        await settled(app, pilot)
        assert "submitted" in text(app) and "iteration 1/1" in text(app)
        save_settings(settings("sample:2", iterations=3), folder / SETTINGS_NAME)
        await until(lambda: "iteration 1/3" in text(app), "the mended ones are read")


async def test_the_training_menu_begins_with_the_settings_as_they_are(home, folder):
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        change(folder, **{"learn.samples": 7})
        await pilot.press("T")
        await until(lambda: isinstance(app.screen, Train), "the menu is open")
        assert app.screen.query_one("#field-learn-samples").value == "7"


async def test_the_training_menu_says_why_it_cannot_begin(home, folder):
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        spoil(folder)
        await pilot.press("T")
        await pilot.pause()
        assert not isinstance(app.screen, Train)
        assert any("run.toml: not TOML" in told for told in toasts(app))


@pytest.mark.parametrize("harm", [spoil, shutil.rmtree])
async def test_going_round_once_more_without_settings_is_refused_with_the_reason(
    home, folder, harm
):
    async with opened(folder, desk=home) as (app, pilot):
        harm(folder)
        await pilot.press("r")
        await pilot.pause()
        assert "Go round once more" in text(app)
        await pilot.press("end", "enter")
        await pilot.pause()
        assert any("run.toml: " in told for told in toasts(app))
        assert app.is_running and "Go round once more" not in text(app)


async def test_learning_after_another_round_leaves_the_run_its_iterations(home):
    short = {"search.samples": 40, "search.refinements": 8, "policy.workers": 1}
    folder = make_folder(home / "runs" / "round", settings("sample:2", iterations=1, **short))
    launch(folder)
    async with opened(folder, desk=home) as (app, pilot):
        await until(lambda: app.header.state.state == "finished", "the search is through")
        await pilot.press("r")
        await pilot.pause()
        await pilot.press("end", "enter")
        await until(lambda: "iteration 2/2" in text(app), "it goes round once more")
        await until(lambda: app.header.state.state == "finished", "that is through too")
        await pilot.press("6")
        await settled(app, pilot)
        await pilot.press("T")
        await until(lambda: isinstance(app.screen, Train), "the menu is open")
        await pilot.press("ctrl+s")
        await until(lambda: len(checkpoints(folder)) == 2, "both iterations are learned from")
        await until(lambda: not engine_alive(folder), "the engine has ended")
        await until(lambda: "iteration 2/2" in text(app), "the header still counts both")
    assert load_settings(folder / SETTINGS_NAME).iterations == 2


def checkpoints(folder):
    with RunReader(folder) as reader:
        return reader.checkpoints()
