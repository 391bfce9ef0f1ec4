"""Following and steering real engines: Ctrl+C, pause, resume, stop, a kill."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.control import engine_alive, engine_process
from tests.cli.program import PROGRAM, SECONDS, Said, environment, spawn

QUICK = ("--set", "search.wave=10", "--set", "tasks_in_flight=2", "--set", "policy.workers=1")
"""Short pulls, few at once: an engine drains as soon as they are through."""
LONG = ("--tasks", "sample", "--samples", "3000", "--refinements", "3000", *QUICK)


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs, whose engines are ended with the test."""
    yield tmp_path
    for folder in (tmp_path / "runs").glob("*"):
        process = engine_process(folder)
        if process is not None:
            os.killpg(process, signal.SIGKILL)


class Terminal:
    """A command in a terminal of its own, 80 columns wide, and what it has shown so far."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.shown = ""
        self._leader, follower = pty.openpty()
        self._process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            env=environment(home, TERM="xterm-256color", COLUMNS="80", LINES="24"),
        )
        os.close(follower)

    def wait_for(self, text: str) -> None:
        """Read until the terminal has shown a text."""
        deadline = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), f"{text!r} was never shown: {self.shown}"

    def interrupt(self) -> None:
        """Press Ctrl+C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + SECONDS
        while self._read():
            assert time.monotonic() < deadline, self.shown
        os.close(self._leader)
        return self._process.wait(SECONDS)

    def _read(self) -> bool:
        if not select.select([self._leader], [], [], SECONDS)[0]:
            return False
        data = b""
        with contextlib.suppress(OSError):
            data = os.read(self._leader, 65536)
        self.shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode(errors="replace"))
        return bool(data)


def state(home: Path, name: str) -> str:
    return str(spawn(home, "status", name, "--json").document["state"])


def test_ctrl_c_drains_and_resume_finishes(home: Path) -> None:
    folder = home / "runs" / "mine"
    budget = ("--samples", "60", "--refinements", "20", *QUICK)
    terminal = Terminal(home, "run", "--tasks", "sample:2", "--name", "mine", *budget)
    terminal.wait_for(" candidates · ")
    terminal.interrupt()
    assert terminal.end() == 130
    assert "soar-tui resume mine" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert not engine_alive(folder)
    assert state(home, "mine") == "stopped"

    resumed = spawn(home, "resume", "mine", "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.document["state"] == "finished"
    assert resumed.document["finished"] == 2
    again = spawn(home, "attach", "mine")
    assert again.code == 0
    assert "finished" in again.out


def test_a_second_ctrl_c_leaves_the_engine_to_itself(home: Path) -> None:
    folder = home / "runs" / "mine"
    launched = spawn(home, "run", *LONG, "--name", "mine", "--detach", "--json")
    assert launched.code == 0, launched.err
    assert launched.document["process"] == engine_process(folder)
    assert spawn(home, "pause", "mine", "--json").document["state"] == "paused"

    terminal = Terminal(home, "attach", "mine", "--plain")
    terminal.wait_for("paused")
    terminal.interrupt()
    terminal.wait_for("Ctrl+C again")
    terminal.interrupt()
    assert terminal.end() == 130
    until(lambda: not engine_alive(folder), "the engine has drained")
    assert state(home, "mine") == "stopped"


def test_pause_resume_stop_and_kill(home: Path) -> None:
    folder = home / "runs" / "mine"
    assert spawn(home, "run", *LONG, "--name", "mine", "--detach").code == 0

    paused = spawn(home, "pause", "mine", "--json")
    assert paused.code == 0
    assert (paused.document["command"], paused.document["state"]) == ("pause", "paused")
    woken = spawn(home, "resume", "mine")
    assert woken.code == 0
    assert "attach mine" in woken.out
    assert state(home, "mine") == "running"

    refused = spawn(home, "run", *LONG, "--name", "mine")
    assert refused.code == 2
    assert "mine" in refused.err

    stopped = spawn(home, "stop", "mine", "--now", "--wait", "--json")
    assert stopped.code == 0, stopped.err
    assert stopped.document["state"] == "stopped"
    assert not engine_alive(folder)

    for command in ("pause", "stop"):
        nobody = spawn(home, command, "mine")
        assert nobody.code == 1
        assert "soar-tui resume mine" in nobody.err

    assert spawn(home, "resume", "mine", "--detach", "--json").document["state"] == "running"
    process = engine_process(folder)
    assert process is not None
    os.killpg(process, signal.SIGKILL)
    until(lambda: not engine_alive(folder), "the kernel has given the lock back")
    crashed = spawn(home, "status", "mine")
    assert crashed.code == 0
    assert "crashed" in crashed.out
    assert "killed" in crashed.out
    assert "soar-tui resume mine" in crashed.out
    followed = spawn(home, "attach", "mine", "--json")
    assert followed.code == 1
    assert followed.document["state"] == "crashed"


def test_an_engine_that_does_not_start_shows_why(home: Path) -> None:
    said: Said = spawn(
        home, "run", "--tasks", "sample:1", "--set", "policy.checkpoint=/nonexistent"
    )
    assert said.code == 2
    assert "/nonexistent" in said.err
    assert said.err.startswith("soar-tui: ")


PRESSES = """
import signal, sys
from soar_tui.cli.follow import Interrupts

def pressed_at(step, interrupts):
    seen = 0
    def trace(frame, event, _):
        nonlocal seen
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == step:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return trace
    sys.settrace(trace)
    try:
        interrupts.wait(0.0)
    finally:
        sys.settrace(None)
    return seen >= step

with Interrupts() as interrupts:
    step = 1
    while pressed_at(step, interrupts):
        step += 1
    print(interrupts.count, step)
"""


def test_ctrl_c_at_any_moment_of_a_wait_is_counted() -> None:
    """The handler runs in the thread it interrupts, between any two of its instructions."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSES], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    count, steps = map(int, done.stdout.split())
    assert count == steps - 1 > 5
