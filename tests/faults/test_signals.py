"""Signals that do not kill: drained, ignored, or stopped in mid-air, and the state shown is true."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from engine.archive.reader import RunReader
from engine.control import RunFolderError, engine_alive, engine_process, launch
from engine.control import state as state_module
from engine.control.folder import LOG_NAME
from tests.faults.ground import count, finish, new_run, recorded, state, wait_for_end, wait_until


@pytest.fixture
def searching(tmp_path):
    """A run whose engine has begun to search."""
    folder = new_run(tmp_path / "run")
    process = launch(folder)
    wait_until(lambda: count(folder) > 20)
    yield folder, process
    if engine_alive(folder):
        os.kill(process, signal.SIGKILL)


def test_an_engine_stopped_in_mid_air_is_stalled_and_goes_on(searching, searched, monkeypatch):
    folder, process = searching
    monkeypatch.setattr(state_module, "STALLED_SECONDS", 2.0)
    os.kill(process, signal.SIGSTOP)
    wait_until(lambda: state(folder).state == "stalled")
    assert state(folder).silent > 2.0
    os.kill(process, signal.SIGCONT)
    wait_until(lambda: state(folder).state in ("running", "finished"))
    finish(folder)
    assert recorded(folder) == searched


def test_a_terminal_that_hangs_up_does_not_end_it(searching, searched):
    folder, process = searching
    for _ in range(3):
        os.kill(process, signal.SIGHUP)
    finish(folder)
    assert recorded(folder) == searched
    with RunReader(folder) as reader:
        assert [event.kind for event in reader.events()].count("start") == 1


def test_a_drained_engine_is_stopped_and_goes_on(searching, searched):
    folder, process = searching
    os.kill(process, signal.SIGTERM)
    wait_for_end(folder)
    assert state(folder).state == "stopped"
    finish(folder)
    assert recorded(folder) == searched
    assert state(folder).state == "finished"


def test_an_engine_told_to_drain_the_moment_it_is_ready_is_stopped(tmp_path):
    folder = new_run(tmp_path / "run")
    os.kill(launch(folder), signal.SIGTERM)
    wait_for_end(folder)
    assert state(folder).state == "stopped"


def test_an_engine_whose_launcher_is_gone_before_it_is_ready_goes_on(tmp_path, searched):
    folder = new_run(tmp_path / "run")
    readable, writable = os.pipe()
    os.close(readable)
    command = [sys.executable, "-m", "engine", str(folder), "--ready-fd", str(writable)]
    subprocess.run(command, pass_fds=[writable], timeout=300, check=True)
    os.close(writable)
    assert recorded(folder) == searched


def test_two_engines_on_one_folder_are_refused(searching):
    folder, process = searching
    with pytest.raises(RunFolderError, match="running already"):
        launch(folder)
    assert engine_process(folder) == process


def test_of_engines_that_start_at_once_one_wins_and_nothing_is_doubled(tmp_path, searched):
    folder = new_run(tmp_path / "run")
    command = [sys.executable, "-P", "-m", "engine", str(folder)]
    engines = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ends = [(engine.communicate(timeout=90)[1], engine.returncode) for engine in engines]
    assert sorted(code for _, code in ends) == [0, 2, 2]
    assert all("running already" in said for said, code in ends if code == 2)
    assert recorded(folder) == searched


def test_after_a_kill_the_log_ends_with_the_engines_own_words(searching):
    """What it had in the system is cleared away without a word: the last line is read as the reason."""
    folder, process = searching
    of_engine = psutil.Process(process).children(recursive=True)
    os.kill(process, signal.SIGKILL)
    _, alive = psutil.wait_procs(of_engine, 60)
    assert not alive
    assert "leaked" not in (folder / LOG_NAME).read_text()
