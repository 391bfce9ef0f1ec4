"""The star is on what was submitted, whatever formula one looks through."""

import csv
import io

import pytest

from engine.archive.reader import RunReader
from soar_tui.open_run import OpenRun
from soar_tui.screens.patterns import FORMULAS, ranked
from soar_tui.screens.votes import VotesQuestion
from tests.app.recorded import make_folder, record, settings
from tests.app.stage import opened, settled, text
from tests.app.test_screens_live import Engine

TASKS = 6


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings(f"sample:{TASKS}"))


def submitted_in(folder, task, iteration=1):
    with RunReader(folder) as reader:
        recorded = reader.votes(iteration, task).ranked
    return {row.pattern for row in recorded if row.rank <= 2}


def starred(ranking):
    return {pattern.id for pattern in ranking.patterns if pattern.submitted}


def test_every_formula_stars_what_was_submitted(folder):
    run = OpenRun(folder)
    moved = 0
    for task in range(TASKS):
        submitted = submitted_in(folder, task)
        for formula in FORMULAS:
            ranking = VotesQuestion(1, task, formula, pooled=False).answer(run).ranking
            assert ranking.recorded and starred(ranking) == submitted
            moved += {p.id for p in ranking.patterns if p.rank <= 2} != submitted
    assert moved, "some formula would have submitted something else"
    run.close()


def test_a_vote_over_all_iterations_submitted_nothing(folder):
    run = OpenRun(folder)
    ranking = ranked(run, (0, 1), 0, "sum")
    assert not ranking.recorded
    assert [pattern.submitted for pattern in ranking.patterns[:3]] == [True, True, False]
    run.close()


async def test_what_is_exported_names_what_was_submitted(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        for _ in FORMULAS:
            await pilot.press("f")
            await settled(app, pilot)
            assert "★ submitted" in text(app)
            [written] = app.current_place.exported().values()
            rows = list(csv.DictReader(io.StringIO(written)))
            named = {int(row["pattern"]) for row in rows if row["submitted"] == "True"}
            assert named == submitted_in(folder, 0)
        await pilot.press("a")
        await settled(app, pilot)
        assert "★ leading" in text(app)
        [written] = app.current_place.exported().values()
        assert written.startswith("rank,pattern,count,weight,leading,right")


async def test_before_a_search_has_voted_two_lead(home):
    folder = make_folder(home / "runs" / "live", settings("sample:2", iterations=1))
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="votes") as (app, _pilot):
            assert "★ leading" in text(app)
