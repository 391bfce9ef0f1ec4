"""Runs beside settings files: the key, what its dialog refuses, and the same table everywhere."""

import pytest

from soar_tui.screens.rows import Rows
from soar_tui.screens.settings_file import SettingsFile
from tests.analysis import made
from tests.app.recorded import make_folder
from tests.app.stage import opened, settled, text, until
from tests.app.test_analysis_place import printed
from tests.cli.program import spawn
from tests.exports.test_pages import rows_of

PLAN = 'tasks = "sample:12"\nseed = 3\n[search]\nsamples = 600\n'


@pytest.fixture
async def folder(home):
    return await made.record(home / "runs" / "base", made.settings(), seed=3)


@pytest.fixture
def plan(home):
    (home / "plan.toml").write_text(PLAN)
    return home / "plan.toml"


async def lay(app, pilot, path):
    """Lay a settings file beside what is marked, else beside the run under the cursor."""
    app.go("runs")
    await settled(app, pilot)
    await pilot.press("f")
    await pilot.pause()
    await pilot.press(*str(path), "enter")
    await until(lambda: app.current_mode == "analysis", "the file is taken")
    await settled(app, pilot)


def table(figure):
    return [[heading.title for heading in figure.headings], *map(list, figure.rows)]


async def test_app_command_and_report_show_the_same_of_a_settings_file(
    home, folder, plan, snapshot
):
    document, tables = printed(home, "base", str(plan))
    said = spawn(home, "export", "report", "base", str(plan), "--out", "-")
    assert said.code == 0, said.err
    async with opened(None, desk=home) as (app, pilot):
        await lay(app, pilot, plan)
        figure = app.current_place.figures[0]
        assert table(figure) == tables["changed settings"]
        assert table(figure) == rows_of(said.out)[: len(figure.rows) + 1]
        assert figure.about in said.out
        assert app.current_place.exported()["analysis.json"] == document
        assert ("search.samples", "100", "600") in figure.rows
        snapshot(app, "analysis-settings-file")
        assert "solved per iteration" in text(app)
        await pilot.press("C")
        await settled(app, pilot)
        assert "changed settings" not in text(app)


async def test_files_lie_beside_all_marked_runs_and_are_there_again_with_the_app(
    home, folder, plan
):
    (home / "more").mkdir()
    (home / "more" / "plan.toml").write_text("seed = 5\n")
    make_folder(home / "runs" / "new", made.settings(seed=9))
    async with opened(None, desk=home) as (app, pilot):
        app.screen.query_one("#runs", Rows).select(folder)
        await lay(app, pilot, plan)
        app.go("runs")
        await settled(app, pilot)
        assert "◆ base" in text(app) and "7 shows 2 side by side" in text(app)
        app.screen.query_one("#runs", Rows).select(home / "runs" / "new")
        await pilot.press("c")
        await settled(app, pilot)
        await lay(app, pilot, home / "more" / "plan.toml")
        names = ["base", "new", f"{home.name}/plan.toml", "more/plan.toml"]
        assert table(app.current_place.figures[0])[0] == ["setting", *names]
        assert ("seed", "0", "9", "3", "5") in app.current_place.figures[0].rows
    async with opened(folder, desk=home, place="analysis") as (app, pilot):
        assert table(app.current_place.figures[0])[0] == ["setting", *names]
        plan.unlink()
        app.go("runs")
        await settled(app, pilot)
        app.go("analysis")
        await settled(app, pilot)
        assert "plan.toml: No such file" in text(app)
        assert table(app.current_place.figures[0])[0] == ["setting", "base", "new", "plan.toml"]
        app.go("runs")
        await settled(app, pilot)
        await pilot.press("C")
        await settled(app, pilot)
        assert app.view.files == () and "◆" not in text(app)


async def test_a_file_that_cannot_be_used_is_told_of_in_the_dialog(home, folder, plan, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    (home / "odd.toml").write_text("[search]\nsamples = -1\n")
    (home / "broken.toml").write_text("samples = [\n")
    async with opened(None, desk=home, size=(80, 24)) as (app, pilot):
        await pilot.press("f")
        await pilot.pause()
        for path, reasons in (
            ("missing.toml", ("missing.toml: No such file",)),
            ("odd.toml", ("odd.toml: search.samples: ", ">= 0")),
            ("broken.toml", ("broken.toml: not TOML",)),
            ("runs", ("runs: not a file",)),
            ("~nobody-of-that-name/a", ("home directory",)),
        ):
            await pilot.press("home", "ctrl+k", *path, "enter")
            for reason in reasons:
                await until(
                    lambda wanted=reason: wanted.replace(" ", "") in squeezed(app),
                    f"{path}: {reason}",
                )
            assert isinstance(app.screen, SettingsFile)
        await pilot.press("escape")
        await pilot.pause()
        assert app.current_mode == "runs" and app.view.files == ()
        await lay(app, pilot, "~/plan.toml")
        assert app.view.files == (str(plan),)


def squeezed(app):
    """Return what is on the screen, put together again where a long path is wrapped."""
    return "".join(text(app).replace("│", "").split())


async def test_without_a_run_there_is_nothing_to_lay_a_file_beside(home):
    async with opened(None, desk=home) as (app, pilot):
        await pilot.press("f")
        await pilot.pause()
        assert any("no run is selected" in one.message for one in app._notifications)
