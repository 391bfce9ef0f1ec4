"""The Analysis place shows the very figures of the command line, and reads beside the app."""

import os
import signal

import msgspec
import psutil
import pytest

from engine.analysis import analyse
from engine.archive.reader import RunReader
from soar_tui.cli.analysis_documents import AnalysisDocument, ComparisonDocument
from soar_tui.figures.run import run_figures
from tests.analysis import made
from tests.app.stage import opened, settled, text, until


@pytest.fixture
async def folder(home):
    return await made.record(home / "runs" / "base", made.settings(), seed=3)


def readers():
    """Return the processes of ours that read runs."""
    return [
        one
        for one in psutil.Process().children(recursive=True)
        if "soar_tui.analysis_process" in one.cmdline()
    ]


def expected(folder, chosen):
    with RunReader(folder) as reader:
        return analyse(folder.name, reader, chosen)


async def test_it_shows_what_the_command_line_prints(home, folder):
    analysis = expected(folder, made.settings())
    async with opened(folder, desk=home, place="analysis") as (app, pilot):
        place = app.current_place
        assert place.figures[:-1] == run_figures(analysis)
        document = msgspec.json.decode(place.exported()["analysis.json"], type=AnalysisDocument)
        assert document.runs == [analysis]
        for figure in place.figures:
            shown = text(app)
            assert figure.name in shown
            for cell in (figure.rows or [()])[0][:2]:
                assert cell in shown
            await pilot.press("s")
            await settled(app, pilot)
    assert readers() == []


async def test_another_run_is_laid_beside_it(home, folder):
    other = await made.record(
        home / "runs" / "other", made.settings(iterations=1, **{"search.c": 5.0}), seed=4
    )
    async with opened(folder, desk=home, place="analysis") as (app, pilot):
        app.look(beside=str(other), curve=0)
        await settled(app, pilot)
        assert "side by side" in text(app)
        assert "other:1" in text(app)
        saved = app.current_place.exported()["analysis.json"]
        found = msgspec.json.decode(saved, type=ComparisonDocument).comparison
        assert [one.field for one in found.settings] == ["iterations", "search.c"]
        await pilot.press("C")
        await settled(app, pilot)
        assert "side by side" not in text(app)


async def test_figures_of_the_iteration_that_is_looked_at(home, folder):
    analysis = expected(folder, made.settings())
    async with opened(folder, desk=home, place="analysis") as (app, pilot):
        app.look(iteration=0)
        await settled(app, pilot)
        assert app.current_place.figures[:-1] == run_figures(analysis, 0)
        assert run_figures(analysis, 0) != run_figures(analysis)


async def test_a_reader_that_is_killed_is_told_of_and_started_again(home, folder):
    async with opened(folder, desk=home, place="analysis") as (app, pilot):
        (process,) = readers()
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: "the reading process ended" in text(app), "the place says so")
        app.go("overview")
        await settled(app, pilot)
        app.look(iteration=0)
        app.go("analysis")
        await settled(app, pilot)
        assert "the reading process ended" not in text(app)
        assert len(readers()) == 1


async def test_leaving_the_place_stops_the_reading(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        app.go("analysis")
        await until(lambda: app.current_mode == "analysis" and app.current_place.busy, "it reads")
        app.go("overview")
        await settled(app, pilot)
        assert not app.get_screen_stack("analysis")[-1].busy
        app.go("analysis")
        await settled(app, pilot)
        assert app.current_place.figures[0].rows
