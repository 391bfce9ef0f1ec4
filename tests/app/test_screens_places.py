"""Every place in every state it can be in, as text."""

import os
import shutil
import time
from pathlib import Path

import pytest

from engine.archive.writer import ArchiveWriter
from engine.control.lock import EngineLock
from soar_tui.keys import INSIDE, PLACES
from tests.app.recorded import NOW, best_candidate, make_folder, put_statuses, record, settings
from tests.app.stage import desk_at, opened, settled, until

BAR = [name for _, name, _ in PLACES]
SIZES = r" *\d[\d.]* (?:B|kB|MB)\b"
"""Sizes of files, which grow with every setting there is."""
ALL = [*BAR, *(name for _, name, _ in INSIDE)]


@pytest.fixture
def still_clock(monkeypatch):
    """Let every clock on the wall show one moment, in one time zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(time, "time", lambda: NOW)
    free = shutil.disk_usage(".")._replace(free=5_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user of whom nothing is known yet; paths are relative, so that screens can hold them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOAR_HOME", "home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = Path("home")
    (home / "runs").mkdir(parents=True)
    return home


async def walk(app, pilot, snapshot, state, candidate=None):
    if candidate is not None:
        app.look(candidate=candidate)
        await settled(app, pilot)
    for place in BAR if candidate is None else ALL:
        app.go(place)
        await settled(app, pilot)
        snapshot(app, f"{place}-{state}", mask=SIZES)


async def test_full(home, still_clock, snapshot):
    folder = await record(home / "runs" / "full")
    async with opened(folder, desk=home) as (app, pilot):
        await walk(app, pilot, snapshot, "full", best_candidate(folder))


async def test_empty(home, still_clock, snapshot):
    folder = make_folder(home / "runs" / "empty", settings())
    await record(folder, searched=0)
    async with opened(folder, desk=home) as (app, pilot):
        await walk(app, pilot, snapshot, "empty")


async def test_no_run_at_all(home, still_clock, snapshot):
    async with opened(None, desk=home) as (app, pilot):
        await walk(app, pilot, snapshot, "none")


async def test_loading(home, still_clock, snapshot):
    folder = await record(home / "runs" / "slow", chosen=settings("sample:1"))
    candidate = best_candidate(folder)
    async with opened(folder, desk=home) as (app, pilot):
        app.feed.stop()  # from here on no answer comes
        app.look(candidate=candidate)
        for place in [name for name in ALL if name != "overview"]:
            app.go(place)
            await until(lambda: app.current_place.is_current, "the place is there")
            await pilot.pause()
            snapshot(app, f"{place}-loading")


async def test_stale(home, still_clock, snapshot):
    folder = await record(home / "runs" / "stale")
    writer = ArchiveWriter(folder)
    put_statuses(writer, iteration=1, heartbeat=NOW - 42)
    await writer.flush()
    await writer.close()
    with EngineLock(folder):
        (folder / "engine.lock").write_text("4711\n")
        os.utime(folder / "engine.lock", (NOW - 100, NOW - 100))
        async with opened(folder, desk=home) as (app, pilot):
            await until(lambda: app.header.state.state == "stalled", "the run is stalled")
            await walk(app, pilot, snapshot, "stale", best_candidate(folder))


async def test_crashed(home, still_clock, snapshot):
    folder = await record(home / "runs" / "crashed", chosen=settings(iterations=3), searched=2)
    writer = ArchiveWriter(folder)
    writer.put_event("error", "crash", "MemoryError: the machine is full")
    await writer.flush()
    await writer.close()
    (folder / "logs" / "engine.log").write_text("one\ntwo\nMemoryError: the machine is full\n")
    async with opened(folder, desk=home) as (app, pilot):
        await walk(app, pilot, snapshot, "crashed", best_candidate(folder))


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (220, 60)], ids=["small", "80x24", "220x60"])
async def test_sizes(home, still_clock, snapshot, size):
    folder = await record(home / "runs" / "sized")
    async with opened(folder, desk=home, size=size) as (app, pilot):
        name = {60: "small", 80: "80x24", 220: "220x60"}[size[0]]
        await walk(app, pilot, snapshot, name, best_candidate(folder))


async def test_a_run_that_is_gone_is_said_to_be(home):
    folder = await record(home / "runs" / "gone", chosen=settings("sample:1"))
    async with opened(folder, desk=home, place="arms") as (app, pilot):
        shutil.rmtree(folder)
        app.go("votes")
        await pilot.pause()
        app.go("candidates")
        await pilot.pause()
        assert app.is_running


def test_the_desk_survives_a_broken_catalogue(home):
    (home / "catalogue.json").write_text("{not json")
    assert "catalogue.json" in desk_at(home).fault
