"""The form of a new run: what it refuses can be mended in it."""

import pytest
from textual.widgets import Input

from engine.config import load_settings
from engine.control import SETTINGS_NAME, run_folders
from soar_tui.screens.new_run import NewRun
from tests.app.recorded import record, settings
from tests.app.stage import opened, settled, text, until

pytestmark = pytest.mark.usefixtures("no_engine_left")


@pytest.mark.parametrize(
    ("name", "why"), [("my run", "is no run name"), ("taken", "a run of that name already")]
)
async def test_a_name_that_is_refused_leaves_the_form_as_it_was_filled_in(home, name, why):
    await record(home / "runs" / "taken", chosen=settings("sample:2"))
    async with opened(None, desk=home, size=(100, 40)) as (app, pilot):
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, NewRun), "the form is open")
        form = app.screen
        for field, value in (("#field-tasks", "sample:2"), ("#field-seed", "41"), ("#name", name)):
            form.query_one(field, Input).value = value
        form.query_one("#name", Input).focus()
        await pilot.press("enter")
        await until(lambda: why in text(app), "the reason is shown")
        assert app.screen is form and form.query_one("#field-seed", Input).value == "41"
        form.query_one("#name", Input).value = "mine"
        await pilot.press("enter")
        await until(lambda: app.folder is not None, "the run is made and looked at")
        await settled(app, pilot)
        assert {folder.name for folder in run_folders()} == {"taken", "mine"}
        assert load_settings(app.folder / SETTINGS_NAME).seed == 41
