"""Learning from within the app: a dry run, the training itself, and what new runs start from."""

import pytest

from engine.archive.reader import RunReader
from engine.control import launch
from soar_tui.checkpoints import checkpoint_in_use
from soar_tui.screens.dry_run import DryRunScreen
from soar_tui.screens.rows import Rows
from soar_tui.screens.train import Train
from tests.app.recorded import make_folder, record, settings
from tests.app.screen import screen_lines
from tests.app.stage import opened, settled, text, until


def state_of(app):
    with RunReader(app.folder) as reader:
        return reader.checkpoints()


async def dry_run_shown(app, pilot):
    await pilot.press("T")
    await until(lambda: isinstance(app.screen, Train), "the menu is open")
    await pilot.press("enter")
    await until(lambda: isinstance(app.screen, DryRunScreen), "the dry run is shown")
    await until(lambda: app.screen._state is not None and app.screen._state.finished, "it is done")
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_a_dry_run_shows_make_up_and_examples_before_anything_runs(home, snapshot, size):
    folder = await record(home / "runs" / "made", chosen=settings("sample:3"), learned=False)
    async with opened(folder, desk=home, size=size) as (app, pilot):
        await pilot.press("6")
        await settled(app, pilot)
        await dry_run_shown(app, pilot)
        snapshot(app, f"dry-run-{size[0]}x{size[1]}")
        first = app.screen.query_one("#answer")._lines
        await pilot.press("down")
        await pilot.pause()
        assert app.screen.query_one("#answer")._lines != first
        await pilot.press("s")
        await pilot.pause()
        assert app.screen.query_one("#by-task", Rows).display
        assert "what each task gives" in text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, Train)
        assert state_of(app) == []


async def test_what_the_menu_says_is_what_the_dry_run_is_made_of(home):
    folder = await record(home / "runs" / "made", chosen=settings("sample:3"))
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        await pilot.press("T")
        await until(lambda: isinstance(app.screen, Train), "the menu is open")
        app.screen.query_one("#field-learn-samples").value = "1"
        await dry_run_twice(app, pilot)
        assert all(share.samples <= 1 for share in app.screen._state.shares)
        await pilot.press("escape")
        app.screen.query_one("#field-learn-samples").value = "many"
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert isinstance(app.screen, Train)
        assert any("must be a number" in note.message for note in app._notifications)


async def dry_run_twice(app, pilot):
    for turn in range(2):  # there and back leaves the menu as it was
        await pilot.press("ctrl+t")
        await until(
            lambda: isinstance(app.screen, DryRunScreen) and app.screen._state is not None,
            "the dry run has begun",
        )
        if turn == 0:
            await pilot.press("escape")
            await pilot.pause()
    await until(lambda: app.screen._state.finished, "it is done")


async def test_a_run_that_cannot_learn_now_still_gets_its_dry_run(home):
    folder = await record(
        home / "runs" / "half", chosen=settings("sample:3", iterations=3), searched=2
    )
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        await dry_run_shown(app, pilot)
        assert "off: its search is not through" in text(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, DryRunScreen)
        assert any("not through" in note.message for note in app._notifications)


async def test_from_a_dry_run_to_a_checkpoint_in_use_without_leaving_the_app(home):
    chosen = settings(
        "sample:2",
        iterations=1,
        **{"search.samples": 40, "search.refinements": 8, "policy.workers": 1},
    )
    folder = make_folder(home / "runs" / "round", chosen)
    launch(folder)
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        await until(lambda: app.header.state.state == "finished", "the search is through")
        await settled(app, pilot)
        await dry_run_shown(app, pilot)
        used = app.screen._state.used
        await pilot.press("ctrl+s")
        await until(lambda: len(state_of(app)) == 1, "there is a checkpoint")
        await until(lambda: app.header.state.state == "finished", "the engine has ended")
        with RunReader(folder) as reader:
            counted = reader.example_counts(0)
        assert used == sum(entry.count for entry in counted if entry.rejected is None) > 0
        await until(lambda: "examples used" in text(app), "what was learned from is shown")
        await settled(app, pilot)
        before = checkpoint_in_use()
        await pilot.press("A")
        await until(lambda: checkpoint_in_use() != before, "it is in use")
        assert checkpoint_in_use() == str((folder / state_of(app)[0].path).resolve())
        await until(lambda: "★ 1" in text(app), "and it is shown to be")
        await pilot.press("R")
        await until(lambda: checkpoint_in_use() == before, "it is rolled back")
        assert screen_lines(app)
