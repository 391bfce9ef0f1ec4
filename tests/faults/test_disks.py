"""Disks that are full, read-only or strange, and clocks that jump: told truly, and gone on from."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest

from engine.archive.live import encode_status, open_live, write_statuses
from engine.archive.reader import RunReader
from engine.control import LaunchError, engine_alive, engine_process, launch
from engine.control.lock import EngineLock
from engine.control.state import STALLED_SECONDS, boot_id
from tests.faults.ground import (
    LEARNED,
    children,
    command_of,
    count,
    finish,
    new_run,
    recorded,
    state,
    wait_for_end,
    wait_until,
)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this user may not mount: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def full(disk):
    """Fill a disk to its last byte, for as long as this lasts."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()


def begins_to_learn(folder):
    below = children(engine_process(folder) or 0)
    return any("-m engine.learning.trainers" in command_of(one) for one in below)


@pytest.mark.parametrize("phase", ["search", "learn", "search again"])
def test_a_disk_that_fills_up_ends_the_engine_with_the_reason(small_disk, learned, phase):
    folder = new_run(small_disk / "run", LEARNED)
    launch(folder)
    reached = {
        "search": lambda: count(folder) > 5,
        "learn": lambda: begins_to_learn(folder),
        "search again": lambda: count(folder) > 45,
    }[phase]
    wait_until(lambda: reached() or not engine_alive(folder))
    acknowledged, _ = recorded(folder)
    with full(small_disk):
        wait_for_end(folder)
        shown = state(folder)
        assert shown.state == "crashed"
        assert "disk is full" in shown.reason or "No space left" in shown.reason
        assert acknowledged.items() <= recorded(folder)[0].items()
    finish(folder)
    assert recorded(folder) == learned
    assert state(folder).state == "finished"


def test_on_a_full_disk_no_engine_starts_and_nothing_is_half_made(small_disk, learned):
    folder = new_run(small_disk / "run", LEARNED)
    (folder / "logs").mkdir()
    with full(small_disk), pytest.raises((LaunchError, OSError), match=r"full|[Nn]o space"):
        launch(folder)
    finish(folder)
    assert recorded(folder) == learned


@pytest.fixture
def read_only(small_disk, tmp_path):
    """The small disk once more, as one that nobody may write."""
    place = tmp_path / "read-only"
    place.mkdir()
    subprocess.run(["mount", "--bind", str(small_disk), str(place)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_folder_that_became_read_only_is_read_and_refused_for_writing(small_disk, read_only):
    finish(new_run(small_disk / "run"))
    before, folder = recorded(small_disk / "run"), read_only / "run"
    assert recorded(folder) == before
    assert state(folder).state == "finished"
    with pytest.raises((LaunchError, OSError), match=r"[Rr]ead-only"):
        launch(folder)


def test_a_copied_run_goes_on_elsewhere(tmp_path, learned):
    folder = new_run(tmp_path / "run", LEARNED)
    launch(folder)
    wait_until(lambda: count(folder) > 15)
    os.kill(engine_process(folder), 9)
    wait_for_end(folder)
    shutil.copytree(folder, tmp_path / "copy")
    finish(tmp_path / "copy")
    assert recorded(tmp_path / "copy") == learned


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    folder = new_run(tmp_path_factory.mktemp("clocks") / "run")
    finish(folder)
    return folder


@pytest.mark.parametrize("jump", [-86400.0, 0.0, 86400.0])
@pytest.mark.parametrize(("silence", "shown"), [(0.0, "running"), (60.0, "stalled")])
def test_a_clock_that_jumps_does_not_change_the_state(through, jump, silence, shown):
    folder = through
    with EngineLock(folder):
        live = open_live(folder)
        beat = {
            "process": os.getpid(),
            "heartbeat": time.time() - silence + jump,
            "monotonic": time.monotonic() - silence,
            "boot": boot_id(),
            "iteration": 0,
            "iteration_seconds": 1.0,
        }
        write_statuses(live, {"engine": encode_status(beat)}, time.time())
        live.close()
        assert STALLED_SECONDS < 60
        assert state(folder).state == shown
        with RunReader(folder) as reader:
            assert reader.iterations()
