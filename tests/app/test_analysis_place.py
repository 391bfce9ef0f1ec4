"""The Analysis place shows the very figures of the command line, and reads beside the app."""

import asyncio
import os
import re
import signal

import msgspec
import psutil
import pytest

from engine.analysis import analyse
from engine.archive.reader import RunReader
from engine.figures.run import run_figures
from soar_tui.cli.documents.analysis import AnalysisDocument, ComparisonDocument
from soar_tui.sanitise import one_line
from soar_tui.screens.rows import Rows
from soar_tui.view import View, from_document
from tests.analysis import made
from tests.app.recorded import make_folder
from tests.app.screen import screen_lines
from tests.app.stage import opened, settled, text, until
from tests.cli.program import spawn
from tests.exports.runs import HOSTILE, record_run, task


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


@pytest.fixture
async def three(home, folder):
    """The run and two others, one of them on fewer of its tasks."""
    how = ({"iterations": 1, "search.c": 5.0}, {"tasks": "sample:8", "seed": 7})
    others = [
        await made.record(home / "runs" / name, made.settings(**changes), seed=seed)
        for name, changes, seed in zip(("other", "small"), how, (4, 5), strict=True)
    ]
    return (folder, *others)


def printed(home, *runs):
    """Return what `compare` prints of runs: its JSON, and the cells of its tables by figure."""
    said = spawn(home, "compare", *runs, COLUMNS="400")
    document = spawn(home, "compare", *runs, "--json").out
    assert said.code == 0, said.err
    tables = {}
    for block in said.out.strip().split("\n\n"):
        name, _, *lines = block.split("\n")
        tables[name] = [re.split(r" {2,}", line.strip()) for line in lines]
    return document, tables


async def test_runs_are_laid_beside_it_as_the_command_line_does(home, three):
    names = [one.name for one in three]
    async with opened(three[0], desk=home, place="analysis", size=(200, 60)) as (app, pilot):
        for count in (2, 3):
            app.look(beside=tuple(map(str, three[1:count])), curve=0)
            await settled(app, pilot)
            place = app.current_place
            document, tables = printed(home, *names[:count])
            assert place.exported()["analysis.json"] == document
            compared = [one for one in place.figures if one.name in tables]
            assert len(compared) == len(tables) == 6
            for figure in compared:
                rows = [[cell for cell in row if cell] for row in figure.rows]
                headings = [heading.title for heading in figure.headings]
                assert tables[figure.name] == [headings, *rows], figure.name
        for figure in compared:
            app.look(curve=place.figures.index(figure))
            await settled(app, pilot)
            seen = text(app)
            for row in figure.rows[:3]:
                assert all(cell in seen for cell in row), (figure.name, row)
        found = msgspec.json.decode(document, type=ComparisonDocument).comparison
        assert [side.run for side in found.sides] == names
        assert len(found.tasks) == 8
        assert len(found.tests) == 3
        assert [one.field for one in found.settings] == ["tasks", "seed", "iterations", "search.c"]
        await pilot.press("C")
        await settled(app, pilot)
        assert "side by side" not in text(app)


@pytest.mark.parametrize("begun", [True, False])
async def test_a_run_without_votes_is_compared_by_its_settings(home, folder, begun):
    chosen = made.settings(iterations=1, seed=9)
    if begun:
        await made.record(home / "runs" / "empty", chosen, seed=4, voted=0)
    else:
        make_folder(home / "runs" / "empty", chosen)
    document, tables = printed(home, "base", "empty")
    async with opened(folder, desk=home, place="analysis") as (app, pilot):
        app.look(beside=(str(home / "runs" / "empty"),), curve=0)
        await settled(app, pilot)
        place = app.current_place
        figure, *own = place.figures
        headings = [heading.title for heading in figure.headings]
        assert tables == {"changed settings": [headings, *map(list, figure.rows)]}
        assert figure.rows == (("seed", "0", "9"), ("iterations", "2", "1"))
        assert "no task of empty has been voted on yet. Only settings are." in text(app)
        assert place.exported()["analysis.json"] == document
        assert tuple(own[:-1]) == run_figures(expected(folder, made.settings()))


async def test_marks_choose_the_runs_that_are_compared(home, three):
    async with opened(None, desk=home) as (app, pilot):
        runs = app.current_place

        async def compare(name):
            app.go("runs")
            await settled(app, pilot)
            table = app.screen.query_one("#runs", Rows)
            table.select(home / "runs" / name)
            await pilot.press("c")
            await settled(app, pilot)
            return [folder.name for folder in runs.marks]

        assert "◆" not in text(app)
        assert await compare("base") == ["base"]
        assert app.current_mode == "runs"
        assert "◆ base" in text(app) and "c on another run compares the two" in text(app)
        assert await compare("other") == ["base", "other"]
        assert (app.current_mode, app.folder) == ("analysis", three[0])
        assert "base:2" in text(app) and "other:1" in text(app)
        assert await compare("small") == ["base", "other", "small"]
        assert app.current_mode == "analysis"
        assert all(label in text(app) for label in ("base:2", "other:1", "small:2"))
        assert await compare("base") == ["other", "small"]
        assert (app.current_mode, app.folder) == ("runs", three[1])
        assert "7 shows 2 side by side" in text(app)
        assert "◆ other" in text(app) and "◆ small" in text(app) and "◆ base" not in text(app)
        await pilot.press("7")
        await settled(app, pilot)
        assert "side by side" in text(app) and "base:2" not in text(app)
        assert await compare("small") == ["other"]
        await pilot.press("C")
        await settled(app, pilot)
        assert runs.marks == ()
        assert "◆" not in text(app)


async def test_long_names_leave_room_for_the_figures_of_three_runs(home):
    names = [f"2026-11-2{day}-arc1-train-grammar-{day}" for day in (1, 2, 3)]
    folders = [
        await made.record(home / "runs" / name, made.settings(iterations=1), seed=seed)
        for seed, name in enumerate(names)
    ]
    async with opened(folders[0], desk=home, place="analysis", size=(80, 24)) as (app, pilot):
        app.look(beside=tuple(map(str, folders[1:])), curve=1)
        await settled(app, pilot)
        figure = app.current_place.figures[1]
        assert figure.name == "solved at equal budget"
        title, *lines = text(app)[text(app).index("candidates  ") :].split("\n")
        assert re.findall(r"(\S+)…(\S+)", title) == [
            (f"2026-11-2{day}", f"rammar-{day}:1") for day in (1, 2, 3)
        ]
        for row, line in zip(figure.rows[:3], lines, strict=False):
            assert re.split(r" {2,}", line.strip()) == list(row)


async def test_what_hostile_runs_are_called_reaches_no_terminal(home):
    tasks = [task("a"), task(f"\x1b[2J{HOSTILE}")]
    folders = [home / "runs" / name for name in ("one\x1b[31m", "two\u202e[bold]")]
    for folder in folders:
        await asyncio.to_thread(record_run, folder, tasks, iterations=1)
    async with opened(folders[0], desk=home, place="analysis", size=(200, 40)) as (app, pilot):
        app.look(beside=(str(folders[1]),), curve=0)
        await settled(app, pilot)
        place = app.current_place
        assert [one.name for one in place.figures[:4]] == [
            "side by side", "solved at equal budget", "McNemar's test", "task by task",
        ]  # fmt: skip
        for _ in place.figures:
            for line in screen_lines(app):
                assert line == one_line(line)
            assert "two\\u202e[bold]" in text(app) or place.view.curve > 3
            await pilot.press("s")
            await settled(app, pilot)
        for name, written in place.exported().items():
            if name.endswith(".csv"):
                assert all(line == one_line(line) for line in written.splitlines())


async def test_a_comparison_is_there_again_when_the_app_is(home, three):
    async with opened(three[0], desk=home, place="analysis") as (app, pilot):
        app.look(beside=tuple(map(str, three[1:])))
        await settled(app, pilot)
    async with opened(three[0], desk=home) as (app, pilot):
        assert app.view.beside == tuple(map(str, three[1:]))
        await settled(app, pilot)
        assert "small:2" in text(app)


def test_a_view_saved_when_two_runs_were_the_most_is_a_fresh_one():
    assert from_document({"place": "analysis", "beside": "runs/other"}) == View()


async def test_runs_in_which_no_engine_has_run_are_compared_by_their_settings(home):
    for name, seed in (("one", 1), ("two", 2)):
        make_folder(home / "runs" / name, made.settings(seed=seed))
    async with opened(None, desk=home) as (app, pilot):
        for name in ("one", "two"):
            app.screen.query_one("#runs", Rows).select(home / "runs" / name)
            await pilot.press("c")
            await settled(app, pilot)
        assert (app.current_mode, app.folder) == ("analysis", home / "runs" / "one")
        (figure,) = app.current_place.figures
        assert figure.rows == (("seed", "1", "2"),)
        assert "no task of one and two has been voted on yet" in " ".join(text(app).split())
        assert text(app).startswith(" one")
        for key in ("comma", "full_stop"):
            await pilot.press(key)
        assert any("no iteration is shown yet" in one.message for one in app._notifications)
        await pilot.press("C")
        await settled(app, pilot)
        assert "no engine has run in it" in " ".join(text(app).split())


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
