"""The app beside a real engine: started by it, killed, gone on with, and outliving its terminal."""

import asyncio
import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.control import engine_alive, engine_process, launch
from engine.control.launch import READY_SECONDS
from tests.app.recorded import make_folder, recorded, settings
from tests.app.stage import desk_at, opened, settled, text, until

pytestmark = pytest.mark.usefixtures("no_engine_left")

PATIENCE = 150.0

LONG = {
    "search.samples": 3000,
    "search.perfect_stop": 3000,
    "search.agree_stop": 0,
    "policy.workers": 1,
}
"""A search that is not through before a test is."""


async def test_one_key_begins_the_demo(home):
    async with opened(None, desk=home) as (app, pilot):
        await pilot.press("D")
        await until(lambda: app.folder is not None, "the demo has begun")
        await until(lambda: "● running" in text(app), "its engine is seen to run")


async def test_two_apps_tell_the_truth_of_an_engine_that_dies_and_comes_back(home):
    chosen = settings("sample:6", iterations=1, **LONG)
    folder = make_folder(home / "runs" / "kept", chosen)
    await asyncio.to_thread(launch, folder)
    async with opened(folder, desk=home) as (app, pilot):
        await until(lambda: "● running" in text(app), "its engine is seen to run")
        async with opened(folder, desk=home / "second", place="arms") as (other, _):
            os.kill(engine_process(folder), signal.SIGKILL)
            for one in (app, other):
                await until(lambda one=one: "✗ crashed" in text(one), "the crash is told")
            await asyncio.to_thread(launch, folder)
            for one in (app, other):
                await until(lambda one=one: "● running" in text(one), "the successor is seen")
        os.kill(engine_process(folder), signal.SIGKILL)
        await until(lambda: "✗ crashed" in text(app), "the second crash is told")
        await pilot.press("0")
        await settled(app, pilot)
        await pilot.press("r")
        await until(lambda: app.current_mode == "overview", "it is looked at")
        await until(lambda: "● running" in text(app), "the third engine is seen")
        await pilot.press("X")
        await until(lambda: f"Type {folder.name}" in text(app), "the run's name is asked for")
        await pilot.press(*folder.name, "enter")
        await until(lambda: "■ stopped" in text(app), "it is stopped")
        assert not engine_alive(folder)


async def test_a_save_that_never_comes_to_its_turn_is_made_up_for_at_the_end(home):
    folder = make_folder(home / "runs" / "kept", settings("sample:3"))
    free = threading.Event()
    async with opened(folder, desk=home) as (app, _):
        executor = ThreadPoolExecutor(1)
        executor.submit(free.wait, PATIENCE)
        asyncio.get_running_loop().set_default_executor(executor)
        app.look(task=2)
        await until(lambda: any(work.group == "save" for work in app.workers), "it is to be saved")
    free.set()
    assert desk_at(home).view(folder)["task"] == 2


class Terminal:
    """The app in a terminal that can be hung up; `deaf` to the signal of that, as under nohup."""

    def __init__(self, folder, *, deaf=False):
        self._main, side = pty.openpty()
        opener = (
            "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
            * deaf
            + "import sys; from pathlib import Path; from soar_tui.opening import open_app;"
            f"sys.exit(open_app(Path({str(folder)!r})))"
        )
        size = {"COLUMNS": "100", "LINES": "30"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", opener],
            stdin=side,
            stdout=side,
            stderr=side,
            env={**os.environ, "TERM": "xterm-256color", **size},
            start_new_session=True,
        )
        os.close(side)

    def read_until(self, done, patience=PATIENCE):
        seen = b""
        deadline = time.monotonic() + patience
        while not done(seen):
            if select.select([self._main], [], [], 0.05)[0]:
                seen += os.read(self._main, 65536)
            assert time.monotonic() < deadline, seen[-2000:]

    def press(self, key):
        os.write(self._main, key.encode())

    def close(self):
        os.close(self._main)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)
        self.process.wait(timeout=PATIENCE)
        os.close(self._main)


def test_leaving_does_not_wait_for_an_engine_that_is_yet_to_be_ready(home):
    tasks = home / "tasks.json"
    os.mkfifo(tasks)  # its engine waits for as long as nobody writes
    folder = make_folder(home / "runs" / "slow", settings(str(tasks)))
    terminal = Terminal(folder)
    try:
        terminal.read_until(lambda seen: b"Overview" in seen)
        terminal.press("r")
        terminal.read_until(lambda seen: b"Start the engine" in seen)
        terminal.press("\r")
        terminal.read_until(lambda _: engine_process(folder) is not None)
        terminal.press("q")
        with contextlib.suppress(OSError):  # the end of a terminal that nobody holds
            terminal.read_until(lambda _: terminal.process.poll() is not None, READY_SECONDS / 2)
        assert terminal.process.wait(timeout=PATIENCE) == 0
        assert engine_process(folder) is not None, "the engine goes on starting"
    finally:
        terminal.process.kill()


async def test_why_an_engine_does_not_start_is_shown(home):
    folder = make_folder(home / "runs" / "lost", settings(str(home / "nowhere.json")))
    async with opened(folder, desk=home, place="runs") as (app, pilot):
        await pilot.press("r")
        await until(lambda: "the engine did not start" in text(app), "it is told")
        assert "nowhere.json: no such file" in text(app)


def test_a_hang_up_ends_neither_the_engine_nor_where_one_was(home):
    chosen = settings("sample:6", iterations=1, **LONG)
    folder = recorded(home / "runs" / "kept", chosen=chosen, searched=0)
    process = launch(folder)
    first = Terminal(folder)
    first.read_until(lambda seen: b"Overview" in seen)
    first.press("4")
    first.read_until(lambda _: desk_at(home).view(folder).get("place") == "votes")
    first.press("]")
    first.read_until(lambda _: desk_at(home).view(folder).get("task") == 1)
    first.hang_up()
    assert engine_process(folder) == process, "the engine goes on"
    second = Terminal(folder)
    second.read_until(lambda seen: b"task 2 of 6" in seen or b"2 of 6" in seen)
    assert desk_at(home).view(folder)["place"] == "votes"
    second.hang_up()
    assert engine_process(folder) == process


def test_an_app_that_ignores_hang_ups_ends_with_its_terminal(home):
    folder = recorded(home / "runs" / "kept", chosen=settings("sample:3"), searched=1)
    terminal = Terminal(folder, deaf=True)
    try:
        terminal.read_until(lambda seen: b"Overview" in seen)
        terminal.press("4")
        terminal.read_until(lambda _: desk_at(home).view(folder).get("place") == "votes")
        terminal.close()
        assert terminal.process.wait(timeout=PATIENCE) == 128 + signal.SIGHUP
    finally:
        terminal.process.kill()
    assert desk_at(home).view(folder)["place"] == "votes"


@pytest.mark.parametrize("so_far", [b"", b"\x1b[?1049h"])
def test_a_terminal_gone_while_the_app_starts_ends_it_as_a_hang_up_does(home, so_far):
    folder = recorded(home / "runs" / "kept", chosen=settings("sample:3"), searched=1)
    for _ in range(5):
        terminal = Terminal(folder, deaf=True)
        try:
            terminal.read_until(lambda seen: so_far in seen)
            terminal.close()
            assert terminal.process.wait(timeout=PATIENCE) == 128 + signal.SIGHUP
        finally:
            terminal.process.kill()


def test_the_app_opens_only_where_it_can_be_drawn(tmp_path):
    main, side = pty.openpty()
    told = tmp_path / "told"
    asks = (
        "from pathlib import Path; from soar_tui.opening import on_terminal;"
        f"Path({str(told)!r}).write_text(str(on_terminal()))"
    )
    environment = {**os.environ, "TERM": "xterm-256color"}
    for errors, answer in ((side, "True"), (subprocess.DEVNULL, "False")):
        command = [sys.executable, "-c", asks]
        subprocess.run(command, stdin=side, stdout=side, stderr=errors, env=environment, check=True)
        assert told.read_text() == answer
    os.close(side)
    os.close(main)
