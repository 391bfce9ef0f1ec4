"""The app beside an engine that writes, stops, dies and comes back; and beside another app."""

import asyncio
import random
import time

import pytest

from engine.arc import load_tasks
from engine.archive import commands
from engine.archive.writer import ArchiveWriter
from engine.control.lock import EngineLock
from engine.programs.candidate import Candidate, Pull, candidate_id
from soar_tui.sanitise import one_line
from soar_tui.screens import candidate_pages
from tests.app.recorded import (
    NOW,
    pulls_of,
    put_statuses,
    record_hostile,
    settings,
)
from tests.app.screen import screen_lines
from tests.app.stage import opened, settled, text, until
from tests.app.test_screens_keys import ALL, toasts


class Engine:
    """Stands for an engine: it holds the lock, writes its heartbeat and, when asked, a pull."""

    def __init__(self, folder, *, tasks="sample:2"):
        self.folder = folder
        self.lock = EngineLock(folder)
        self.writer = None
        self.paused = False
        self._pulls = {}
        self._tasks = load_tasks(tasks).tasks

    async def __aenter__(self):
        self.lock.__enter__()
        self.writer = ArchiveWriter(self.folder)
        self.writer.put_tasks(self._tasks)
        self.writer.put_event("info", "start", "engine 4711 started")
        self.writer.begin_iteration(0, "test", "grammar", "untrained")
        await self.beat()
        return self

    async def __aexit__(self, *error):
        if self.writer is not None:
            await self.die()

    async def beat(self):
        put_statuses(self.writer, heartbeat=time.time(), paused=self.paused)
        await self.writer.flush()

    async def pull(self, task=0):
        if task not in self._pulls:
            self._pulls[task] = pulls_of(self._tasks[task], 0, task, random.Random(task), pulls=200)
        pull, candidates = next(self._pulls[task])
        self.writer.put_pull(pull, candidates)
        await self.beat()
        return len(candidates)

    async def die(self):
        await self.writer.close()
        self.writer = None
        self.lock.__exit__(None, None, None)


@pytest.fixture
def folder(home):
    from tests.app.recorded import make_folder

    return make_folder(home / "runs" / "live", settings("sample:2", iterations=1))


async def test_what_the_engine_writes_is_on_the_screen(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home) as (app, _pilot):
            assert "● running" in text(app) and "10 candidates" in text(app)
            await engine.pull()
            await until(lambda: "20 candidates" in text(app), "the header counts")
            await until(lambda: "▸ 1 searching" in text(app) or "● 1 fits" in text(app), "the wall")


async def test_the_arm_that_is_pulled_is_lit_and_counts(home, folder):
    async with Engine(folder) as engine:
        for _ in range(2):
            await engine.pull()
        async with opened(folder, desk=home, place="arms") as (app, _pilot):
            assert "0 completions" in text(app)
            await engine.pull()
            await until(lambda: "4 completions" in text(app), "N has grown")
            await until(lambda: " 1 now" in text(app), "the arm is lit")


async def test_votes_move_while_programs_arrive(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="votes") as (app, _pilot):
            before = app.current_place._body.ranking.programs
            await engine.pull()
            await until(
                lambda: app.current_place._body.ranking.programs > before, "more programs vote"
            )
            assert "leading" in text(app)


async def test_freezing_holds_the_view_and_not_the_header(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="votes") as (app, pilot):
            await pilot.press("space")
            await settled(app, pilot)
            body = screen_lines(app)[2:]
            await engine.pull()
            await until(lambda: "20 candidates" in text(app), "the header counts on")
            assert screen_lines(app)[2:] == body and "view frozen" in text(app)
            await pilot.press("space")
            await until(lambda: screen_lines(app)[2:] != body, "the view goes on")


async def test_pausing_rings_the_bell_and_tells_the_answer(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home) as (app, pilot):
            await pilot.press("p")
            await until(lambda: bool(commands.recent(folder)), "the command is queued")
            [command] = commands.poll(folder)
            assert command.name == "pause"
            commands.accept(folder, command.id)
            engine.paused = True
            await engine.beat()
            commands.finish(folder, command.id, "paused; pulls under way finish")
            await until(lambda: "pause: paused" in "\n".join(toasts(app)), "the answer is told")
            await until(lambda: "‖ paused" in text(app), "the state is shown")
            await pilot.press("p")
            await until(lambda: commands.recent(folder)[0].name == "resume", "it is resumed")


async def test_stopping_asks_for_the_runs_name(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home) as (_app, pilot):
            await pilot.press("X", *"yes", "enter")
            await pilot.pause()
            assert commands.recent(folder) == []
            await pilot.press(*["backspace"] * 3, *"live", "enter")
            await until(lambda: bool(commands.recent(folder)), "the command is queued")
            assert commands.recent(folder)[0].name == "stop"


async def test_a_killed_engine_is_told_and_its_successor_too(home, folder):
    engine = Engine(folder)
    async with engine:
        await engine.pull()
        async with opened(folder, desk=home, place="arms") as (app, _pilot):
            await engine.die()
            await until(lambda: "✗ crashed" in text(app), "the crash is told")
            await until(lambda: "r starts it again" in text(app), "and the way on")
            successor = Engine(folder)
            async with successor:
                await until(lambda: "● running" in text(app), "the successor is seen")


async def test_two_apps_on_one_run_show_the_same(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with (
            opened(folder, desk=home, place="candidates") as (one, _),
            opened(folder, desk=home / "second", place="overview") as (two, _),
        ):
            await engine.pull()
            await until(lambda: "20 candidates" in text(one), "the first app sees the pull")
            await until(lambda: "20 candidates" in text(two), "the second app sees it too")
            await until(lambda: "of 20 candidates" in text(one), "and its list has grown")


async def test_nothing_is_painted_while_nothing_happens(home, folder):
    async with Engine(folder) as engine:
        engine.paused = True
        await engine.pull()
        async with opened(folder, desk=home, place="votes") as (app, pilot):
            await pilot.pause()
            app.paints = 0
            for _ in range(5):
                await engine.beat()  # a heartbeat is no news
                await asyncio.sleep(0.2)
            assert app.paints == 0


async def test_hidden_places_are_told_nothing(home, folder):
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="votes") as (app, pilot):
            votes = app.current_place
            app.go("arms")
            await settled(app, pilot)
            held = votes._body
            await engine.pull()
            await until(lambda: "20 candidates" in text(app), "the pull is seen")
            assert votes._body is held


@pytest.mark.parametrize("size", [(120, 40), (60, 18)], ids=["120x40", "60x18"])
async def test_hostile_strings_reach_no_terminal(home, size):
    folder = await record_hostile(home / "runs" / "hostile [/b]")
    async with opened(folder, desk=home, size=size) as (app, pilot):
        for place in ALL:
            app.look(candidate=0)
            app.go(place)
            await settled(app, pilot)
            if place == "candidates":
                await pilot.press("y", "e", "question_mark", "escape")
                await settled(app, pilot)
            for line in screen_lines(app):
                assert line == one_line(line), (place, line)
        assert app.is_running


async def test_over_ssh_the_feed_looks_twice_a_second(home, folder, monkeypatch):
    from soar_tui.feed import Feed

    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    feed = Feed(lambda frame: None, lambda error: None, lambda job: None)
    assert feed._seconds >= 0.5


async def test_the_steps_of_an_engine_that_is_gone_are_not_shown_to_go_on(home, folder):
    engine = Engine(folder)
    async with engine:
        await engine.pull()
        async with opened(folder, desk=home) as (app, pilot):
            assert "● Sample" in text(app)
            await engine.die()
            await until(lambda: "✗ crashed" in text(app), "the crash is told")
            await until(lambda: "○ Sample" in text(app), "and no step is under way")
            await settled(app, pilot)
            assert not any("left" in line or "/s  " in line for line in screen_lines(app)[2:5])


async def refined(engine, order, parent):
    """Write a pull of an arm; its reply held no program, so it makes no arm."""
    pull = Pull(0, 0, order, "refine", 0, parent, 0.5, order, NOW, 0.2)
    number = candidate_id(0, 0, 10 * order)
    engine.writer.put_pull(pull, [Candidate(number, "refine", order, 0, parent, None, None)])
    await engine.beat()


async def test_the_arm_pulled_last_is_followed_whichever_came_last_into_being(home, folder):
    async with Engine(folder) as engine:
        for _ in range(2):
            await engine.pull()
        async with opened(folder, desk=home, place="arms") as (app, pilot):
            await pilot.press("F")
            table = app.current_place.query_one("#arms")
            older, newer = sorted(arm.id for arm in table.arms_shown)[:2]
            for order, parent in enumerate((newer, older, newer, older), 2):
                await refined(engine, order, parent)
                await until(lambda parent=parent: table.selected.id == parent, "it is followed")


async def test_an_arm_is_no_longer_lit_when_nothing_follows_its_pull(home, folder):
    async with Engine(folder) as engine:
        for _ in range(2):
            await engine.pull()
        async with opened(folder, desk=home, place="arms") as (app, _pilot):
            await engine.pull()
            await until(lambda: " 1 now" in text(app), "the arm is lit")
            await until(lambda: " 1 now" not in text(app), "it goes out")


def numbered(listed):
    """Return (task, number) of the rows that a list holds, in its order."""
    return [(row.task, row.number) for row in listed._rows]


async def test_a_list_of_the_whole_run_gains_what_any_task_gains(home, folder):
    async with Engine(folder) as engine:
        await engine.pull(1)
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press("a", "down", "down")
            await settled(app, pilot)
            listed = app.current_place.query_one("#list")
            chosen = listed.selected
            assert chosen.task == 1
            for task in (0, 1, 0):
                await engine.pull(task)
            await until(lambda: "of 40 candidates" in text(app), "the list has grown")
            await until(lambda: len(numbered(listed)) == 40, "all of them are listed")
            assert numbered(listed) == [(task, n) for task in (0, 1) for n in range(20)]
            assert listed.selected == chosen and app.view.candidate == chosen.id
            await until(lambda: "23 of 40 candidates" in text(app), "the place is told")


async def test_the_newest_candidate_of_the_whole_run_is_followed_from_task_to_task(home, folder):
    async with Engine(folder) as engine:
        await engine.pull(1)
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press("a", "F")
            await settled(app, pilot)
            for task, number in ((0, 9), (1, 19), (0, 19)):
                await engine.pull(task)
                newest = candidate_id(0, task, number)
                await until(lambda newest=newest: app.view.candidate == newest, "it is followed")


@pytest.mark.parametrize("whole", [False, True], ids=["task", "run"])
async def test_much_that_comes_at_once_leaves_no_gap(home, folder, whole, monkeypatch):
    monkeypatch.setattr(candidate_pages, "_PULLS", 2)
    async with Engine(folder) as engine:
        await engine.pull()
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press(*("a" * whole), "space")
            await settled(app, pilot)
            for order in range(1, 6):
                pull = Pull(0, 0, order, "sample", 0, None, None, order, NOW, 0.2)
                first = 10 + 500 * (order - 1)
                ids = [candidate_id(0, 0, number) for number in range(first, first + 500)]
                engine.writer.put_pull(
                    pull, [Candidate(i, "sample", order, 0, None, None, None) for i in ids]
                )
            await engine.beat()
            await until(lambda: "2,510 candidates" in text(app), "the header counts")
            await pilot.press("space")
            listed = app.current_place.query_one("#list")
            await until(lambda: listed.rows == 2510, "all of them are listed")
            assert numbered(listed) == [(0, n) for n in range(2510)]


async def test_a_list_that_fell_far_behind_is_read_anew_where_one_is(home, folder, monkeypatch):
    monkeypatch.setattr(candidate_pages, "_BEHIND", 3)
    async with Engine(folder) as engine:
        await engine.pull(1)
        async with opened(folder, desk=home, place="candidates") as (app, pilot):
            await pilot.press("a", "down", "space")
            await settled(app, pilot)
            chosen = app.view.candidate
            for task in (0, 1) * 3:
                await engine.pull(task)
            await until(lambda: "52 candidates" in text(app), "the header counts")
            await pilot.press("space")
            listed = app.current_place.query_one("#list")
            await until(lambda: listed.rows == 52, "all of them are listed")
            await settled(app, pilot)
            assert listed.selected.id == app.view.candidate == chosen
