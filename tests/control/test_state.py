"""What a run is said to be doing, above all in the moments between two engines."""

import asyncio
import os
import time

import pytest

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.control import run_state
from engine.control.lock import LOCK_NAME, EngineLock
from engine.control.state import STALLED_SECONDS


def said(folder, **engine):
    """Have an engine say something of itself, and take its leave."""

    async def write():
        writer = ArchiveWriter(folder)
        writer.put_event("info", "start", "engine 1 started")
        writer.put_status("engine", {"heartbeat": time.time(), **engine})
        await writer.flush()
        await writer.close()

    asyncio.run(write())


def drained(folder):
    """Have that engine end as it was told to."""

    async def write():
        writer = ArchiveWriter(folder)
        writer.put_event("info", "drained", "engine 1 ended: drained")
        await writer.close()

    asyncio.run(write())


def state(folder):
    with RunReader(folder) as reader:
        return run_state(folder, reader, 1)


@pytest.mark.parametrize("word", ["paused", "draining"])
def test_a_new_engine_is_not_taken_for_what_the_old_one_said(tmp_path, word):
    said(tmp_path, **{word: True})
    with EngineLock(tmp_path):
        # The clock of a file system ticks a few times a second at worst.
        os.utime(tmp_path / LOCK_NAME, (time.time() + 1, time.time() + 1))
        assert state(tmp_path).state == "running"
        os.utime(tmp_path / LOCK_NAME, (time.time() - 1, time.time() - 1))
        said(tmp_path, **{word: True})
        assert state(tmp_path).state == word


def test_an_engine_that_never_says_anything_is_stalled_in_the_end(tmp_path):
    said(tmp_path)
    with EngineLock(tmp_path):
        os.utime(tmp_path / LOCK_NAME, (time.time() + 1, time.time() + 1))
        assert state(tmp_path).silent is None
        long_ago = time.time() - STALLED_SECONDS - 5
        said(tmp_path, heartbeat=long_ago - 1)
        os.utime(tmp_path / LOCK_NAME, (long_ago, long_ago))
        found = state(tmp_path)
        assert found.state == "stalled" and found.silent > STALLED_SECONDS


def test_the_heartbeat_of_the_holder_counts(tmp_path):
    with EngineLock(tmp_path):
        os.utime(tmp_path / LOCK_NAME, (time.time() - 1, time.time() - 1))
        said(tmp_path)
        assert state(tmp_path).state == "running"
    assert state(tmp_path).state == "crashed"


def test_an_engine_that_could_write_nothing_more_is_crashed_for_the_reason_it_left(tmp_path):
    said(tmp_path)
    with EngineLock(tmp_path) as lock:
        lock.say("ArchiveError: the disk is full")
    assert state(tmp_path).state == "crashed"
    assert state(tmp_path).reason == "ArchiveError: the disk is full"
    with EngineLock(tmp_path, passing="tidied"):
        pass
    assert state(tmp_path).reason == "ArchiveError: the disk is full"


def test_a_run_that_is_being_repaired_is_what_its_last_engine_left(tmp_path):
    said(tmp_path)
    long_ago = time.time() - STALLED_SECONDS - 5
    with EngineLock(tmp_path, passing="repaired"):
        os.utime(tmp_path / LOCK_NAME, (long_ago, long_ago))
        found = state(tmp_path)
        told = f"the run is being repaired by process {os.getpid()}"
        assert (found.state, found.reason) == ("crashed", f"its process was killed; {told}")
        drained(tmp_path)
        found = state(tmp_path)
        assert (found.state, found.reason) == ("stopped", told)
    assert state(tmp_path).reason is None
