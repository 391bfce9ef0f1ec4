"""kill -9 of the engine at random moments: nothing acknowledged is lost, nothing is doubled."""

import os
import random
import signal
import time

import pytest

from engine.archive.reader import RunReader
from engine.config import load_settings, override, preset, save_settings
from engine.control import RunFolderError, engine_alive, engine_process, launch, run_state
from engine.control.folder import SETTINGS_NAME

KILLS = int(os.environ.get("FAULTS", "20"))
SETTINGS = override(
    preset("cpu"),
    {
        "tasks": "sample:8",
        "seed": 11,
        "tasks_in_flight": 3,
        "search.samples": 60,
        "search.wave": 20,
        "search.refinements": 60,
        "search.perfect_stop": 1000,
    },
)
BUDGET = 8 * 120


def new_run(folder):
    folder.mkdir()
    save_settings(SETTINGS, folder / SETTINGS_NAME)
    return folder


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the engine did not get there"
        time.sleep(0.005)


def finish(folder):
    if not engine_alive(folder):
        launch(folder)
    wait_until(lambda: not engine_alive(folder), 120)


def recorded(folder):
    """All candidates the archive acknowledges, by id, and all votes."""
    candidates, votes = {}, {}
    with RunReader(folder) as reader:
        for index in range(len(reader.tasks())):
            for pull, found in reader.pulls(0, index):
                for c in found:
                    assert c.id not in candidates
                    candidates[c.id] = (pull.number, pull.parent, c.source, c.evaluation)
            vote = reader.votes(0, index)
            votes[index] = None if vote is None else [(v.outputs, v.weight) for v in vote.ranked]
    return candidates, votes


def state(folder):
    with RunReader(folder) as reader:
        return run_state(folder, reader, load_settings(folder / SETTINGS_NAME).iterations)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = new_run(tmp_path_factory.mktemp("faults") / "undisturbed")
    finish(folder)
    candidates, votes = recorded(folder)
    assert len(candidates) == BUDGET
    assert state(folder).state == "finished"
    return candidates, votes


def test_killed_at_random_moments_it_finishes_as_if_it_had_not_been(tmp_path, undisturbed):
    dice = random.Random(KILLS)
    folder = new_run(tmp_path / "killed")
    acknowledged = {}
    for moment in sorted(dice.randrange(BUDGET) for _ in range(KILLS)):
        launch(folder)
        with RunReader(folder) as reader:
            wait_until(
                lambda moment=moment, reader=reader: (
                    sum(row.candidates for row in reader.iterations()) >= moment
                    or not engine_alive(folder)
                )
            )
        process = engine_process(folder)
        if process is not None:
            os.kill(process, signal.SIGKILL)
            wait_until(lambda: not engine_alive(folder))
            assert state(folder).state in ("crashed", "finished")
        now, _ = recorded(folder)
        assert acknowledged.items() <= now.items(), "an acknowledged candidate is lost or changed"
        acknowledged = now
    finish(folder)
    assert recorded(folder) == undisturbed
    assert state(folder).state == "finished"


def test_a_drained_engine_is_stopped_and_goes_on(tmp_path, undisturbed):
    folder = new_run(tmp_path / "drained")
    process = launch(folder)
    with RunReader(folder) as reader:
        wait_until(lambda: any(row.candidates > 50 for row in reader.iterations()))
    os.kill(process, signal.SIGTERM)
    wait_until(lambda: not engine_alive(folder))
    assert state(folder).state == "stopped"
    finish(folder)
    assert recorded(folder) == undisturbed


def test_two_engines_on_one_folder_are_refused(tmp_path):
    folder = new_run(tmp_path / "one")
    process = launch(folder)
    with pytest.raises(RunFolderError, match="running already"):
        launch(folder)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: not engine_alive(folder))
