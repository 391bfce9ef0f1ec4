"""The order of a run's iterations: with which checkpoint each searches, and what a resume skips."""

import asyncio
from pathlib import Path

import pytest

from engine.archive.writer import ArchiveWriter
from engine.config import Settings, override
from engine.learning.lesson import plan
from engine.loop import Past, Progress, run_iterations
from engine.policies import PolicyStatus
from tests.search.test_effort import Judge
from tests.search.test_task_search import TASK, CountingPolicy

SETTINGS = override(Settings(), {"iterations": 3, "search.samples": 4, "search.refinements": 0})
START = Path("start")


class Noting(CountingPolicy):
    """Notes what it loads, and that it rests, among what else happens."""

    status = PolicyStatus("counting", "untrained", 0, ready=True)

    def __init__(self, happened):
        super().__init__()
        self.happened = happened

    async def load(self, checkpoint):
        self.happened.append(checkpoint.name)


def happens(folder, *, ended=(), known=(), learns=True):
    """Run three iterations of which some are through and some have been learned from."""
    happened = []
    folder.mkdir()

    async def learn(stage):
        happened.append(f"learn {stage.index}")
        return Path(f"learned {stage.index}") if learns else None

    async def may_start():
        return True

    async def on_ready():
        happened.append("ready")

    async def run():
        writer = ArchiveWriter(folder)
        writer.put_tasks([TASK])
        await writer.flush()
        through = await run_iterations(
            [TASK],
            plan(SETTINGS, 1, 0),
            SETTINGS,
            Noting(happened),
            judge=Judge(),
            memory=writer,
            learn=learn,
            may_start=may_start,
            past=Past(
                ended,
                {index: Path(f"learned {index}") for index in known},
                lambda iteration: (),
                lambda iteration, task: iter(()),
                lambda identifier: None,
            ),
            progress=Progress(),
            start=START,
            on_ready=on_ready,
        )
        await writer.close()
        assert through

    asyncio.run(run())
    return happened


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ({}, ["start", "learn 0", "learned 0", "learn 1", "learned 1"]),
        ({"learns": False}, ["start", "learn 0", "start", "learn 1", "start"]),
        ({"ended": [0]}, ["learn 0", "learned 0", "learn 1", "learned 1"]),
        ({"ended": [0], "learns": False}, ["learn 0", "start", "learn 1", "start"]),
        ({"ended": [0], "known": [0]}, ["learned 0", "learn 1", "learned 1"]),
        # After a repair an earlier search goes on, with what it began with.
        ({"ended": [1, 2], "known": [0, 1]}, ["start"]),
        ({"ended": [2], "known": [0, 1]}, ["start", "learned 0"]),
        ({"ended": [0, 1, 2], "known": [0, 1]}, []),
    ],
)
def test_each_iteration_searches_with_what_the_one_before_it_taught(tmp_path, past, expected):
    happened = happens(tmp_path / "run", **past)
    assert [what for what in happened if what != "ready"] == expected


@pytest.mark.parametrize(
    "past", [{}, {"ended": [0]}, {"ended": [0], "known": [0]}, {"ended": [0, 1, 2]}]
)
def test_it_is_ready_once_the_policy_has_loaded_or_learning_begins(tmp_path, past):
    happened = happens(tmp_path / "run", **past)
    first = happened.index("ready")
    assert first == (1 if happened[0].startswith(("start", "learned")) else 0)
