"""The lock tells the truth about a live engine, also after kill -9."""

import os
import subprocess
import sys

import pytest

from engine.control.lock import (
    EngineLock,
    EngineRunningError,
    engine_alive,
    engine_process,
    last_words,
    tended,
)

HOLDER = """
import sys, pathlib
from engine.control.lock import EngineLock
with EngineLock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_without_engine_is_not_alive(tmp_path):
    assert not engine_alive(tmp_path)
    with EngineLock(tmp_path):
        assert engine_process(tmp_path) == os.getpid()
    assert not engine_alive(tmp_path)
    assert engine_process(tmp_path) is None


def test_a_second_engine_is_refused_and_told_who_holds_it(tmp_path, holder):
    assert engine_alive(tmp_path)
    with pytest.raises(EngineRunningError, match=f"process {holder.pid}"), EngineLock(tmp_path):
        pass
    assert engine_process(tmp_path) == holder.pid


def test_the_last_words_stay_until_the_next_engine(tmp_path):
    with EngineLock(tmp_path) as lock:
        lock.say("OSError: no space left on device, " + "which is a pity " * 3)
    left = last_words(tmp_path)
    assert left[0] == os.getpid() and left[1].endswith("a pity")
    with EngineLock(tmp_path, passing="tidied"):
        assert last_words(tmp_path) == (os.getpid(), None)
    assert last_words(tmp_path) == left
    with EngineLock(tmp_path):
        pass
    assert last_words(tmp_path) == (os.getpid(), None)


def test_a_killed_engine_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert not engine_alive(tmp_path)
    with EngineLock(tmp_path):
        assert engine_alive(tmp_path)


def test_who_holds_it_in_passing_is_no_engine_and_says_what_it_does(tmp_path):
    assert tended(tmp_path) is None
    with EngineLock(tmp_path, passing="tidied"):
        told = f"the run is being tidied by process {os.getpid()}"
        assert tended(tmp_path) == told
        assert not engine_alive(tmp_path) and engine_process(tmp_path) is None
        with pytest.raises(EngineRunningError, match=told), EngineLock(tmp_path):
            pass
    assert tended(tmp_path) is None
    with EngineLock(tmp_path):
        assert tended(tmp_path) is None and engine_alive(tmp_path)
