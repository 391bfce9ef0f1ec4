"""Killed at any moment, a writer leaves every acknowledged unit, none half and none twice."""

import random
import subprocess
import sys

import pytest

from engine.archive.reader import RunReader
from tests.archive.recording_process import PULLS_PER_TASK, unit

ROUNDS = 6


@pytest.fixture
def recording(tmp_path):
    """Starts recording processes, one at a time, and sees that none is left."""
    processes = []

    def start(first):
        command = [sys.executable, "-m", "tests.archive.recording_process", tmp_path, str(first)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_kill_9_at_random_moments_loses_nothing_acknowledged(tmp_path, recording):
    rng = random.Random(7)
    recorded = 0
    for _ in range(ROUNDS):
        process = recording(recorded)
        acknowledged = recorded
        for _ in range(rng.randrange(1, 12)):
            acknowledged = int(process.stdout.readline())
        for _ in range(rng.randrange(20_000)):
            pass  # so that the kill does not always meet the writer at the same step
        process.kill()
        rest = process.stdout.read().split()
        process.wait()
        acknowledged = int(rest[-1]) if rest else acknowledged
        recorded = check(tmp_path, acknowledged)


def check(folder, acknowledged):
    """Compare all that is there with what was put; return how many pulls are there."""
    with RunReader(folder) as reader:
        pulls, tail = [], 0
        while page := reader.pulls_after(tail, 500):
            pulls += [(row.pull.task, row.pull.number) for row in page]
            tail = page[-1].id
        assert pulls == [divmod(number, PULLS_PER_TASK) for number in range(len(pulls))]
        assert len(pulls) >= acknowledged
        votes = 0
        for row in reader.task_rows(0):
            first = row.index * PULLS_PER_TASK
            expected = [unit(number) for number in range(first, min(first + 7, len(pulls)))]
            assert reader.pulls(0, row.index) == expected
            assert (row.pulls, row.candidates) == (len(expected), 3 * len(expected))
            vote = reader.votes(0, row.index)
            assert (vote is not None) == (row.state == "finished") == (row.vote_right is not None)
            votes += vote is not None
        # A vote is put after its task's last pull, so at most one can be missing.
        assert len(pulls) // PULLS_PER_TASK - 1 <= votes <= len(pulls) // PULLS_PER_TASK
    return len(pulls)
