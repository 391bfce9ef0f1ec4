"""Runs that learn from other tasks first: each iteration has its own part of the run's tasks."""

import random

import pytest

from engine.arc import load_tasks
from engine.archive.writer import ArchiveWriter
from engine.search.vote import Tallies, rank
from soar_tui.widgets.task_wall import TaskWall
from tests.app.recorded import make_folder, pulls_of, put_statuses, settings
from tests.app.stage import opened, settled, text

TRAINING, TARGETS = 4, 3


@pytest.fixture
async def folder(home):
    """Iteration 0 is through on four tasks to learn from, iteration 1 on one of three targets."""
    tasks = load_tasks(f"sample:{TRAINING + TARGETS}").tasks
    changes = {"train_tasks": f"sample:{TRAINING}", "iterations": 1}
    folder = make_folder(home / "runs" / "both", settings("sample:7", **changes))
    rng = random.Random(2)
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks, TRAINING)
    parts = (range(TRAINING), range(TRAINING, TRAINING + TARGETS))
    for iteration, (phase, part) in enumerate(zip(("train", "test"), parts, strict=True)):
        writer.begin_iteration(iteration, phase, "grammar", f"m{iteration}", part)
        for index in part[: TRAINING if iteration == 0 else 1]:
            tallies = Tallies()
            for pull, candidates in pulls_of(tasks[index], iteration, index, rng, pulls=2):
                writer.put_pull(pull, candidates)
                for candidate in candidates:
                    tallies.add(candidate)
            ranked = [(t.pattern, w, t.count) for t, w in rank(tallies.all(), "sum", 1000.0)]
            writer.put_vote(iteration, index, "sum", ranked, 1.0)
        if iteration == 0:
            writer.end_iteration(0, 9.0)
    put_statuses(writer, iteration=1)
    await writer.flush()
    await writer.close()
    return folder


PLACES = ("runs", "overview", "task", "arms", "votes", "candidates", "learn", "analysis", "system")


@pytest.mark.parametrize("index", [0, TRAINING - 1, TRAINING, TRAINING + TARGETS - 1, 99])
async def test_any_task_can_be_looked_at_in_any_iteration(folder, home, index):
    async with opened(folder, desk=home) as (app, pilot):
        for iteration in (None, 0, 1):
            app.look(iteration=iteration, task=index, candidate=None)
            for place in PLACES:
                app.go(place)
                await settled(app, pilot)
        assert app.is_running


async def test_a_task_is_shown_as_of_the_iteration_that_searched_it(folder, home):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        app.look(task=1)
        await settled(app, pilot)
        assert "task 2 of 7 · iteration 1 of 2" in text(app)
        app.look(task=TRAINING)
        await settled(app, pilot)
        assert f"task {TRAINING + 1} of 7 · iteration 2 of 2" in text(app)
        app.go("overview")
        await settled(app, pilot)
        assert "tasks of iteration 2" in text(app)


async def test_the_list_of_runs_counts_what_the_latest_iteration_has_solved(folder, home):
    async with opened(folder, desk=home, place="runs") as (app, _):
        [line] = [line for line in text(app).splitlines() if line.startswith("both")]
        assert "1 of 3  1 of 3" in line
        assert line.count("▃") == 1 and "█" not in line


async def test_the_wall_stands_on_the_task_that_is_opened_from_it(folder, home):
    async with opened(folder, desk=home) as (app, pilot):
        wall = app.current_place.query_one("#wall", TaskWall)
        app.look(task=1)
        app.go("task")
        await settled(app, pilot)
        assert "task 2 of 7" in text(app)
        await pilot.press("1")
        await settled(app, pilot)
        assert "tasks of iteration 2" in text(app) and wall.selected.index == TRAINING
        await pilot.press("2")
        await settled(app, pilot)
        assert f"task {TRAINING + 1} of 7" in text(app)
