"""Learning from several runs: nobody's ids mix, everything knows its run, no truth gets out."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from engine.arc import load_tasks
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import LearnConfig, VoteConfig
from engine.learning.gather import gather
from engine.learning.learn import example_rows
from engine.learning.pooling import PoolingError, open_pool, own_candidates
from tests.app.recorded import pulls_of, record, settings

TASKS = load_tasks("sample:4").tasks


async def record_training(folder):
    """Record a run that has searched its tasks to learn from them with their truth."""
    import random

    folder.mkdir()
    writer = ArchiveWriter(folder)
    writer.put_tasks(TASKS, len(TASKS))
    writer.begin_iteration(0, "train", "grammar", "untrained", range(len(TASKS)))
    for index, task in enumerate(TASKS):
        for pull, candidates in pulls_of(task, 0, index, random.Random(index)):
            writer.put_pull(pull, candidates)
    await writer.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """`own` has three tasks, `other` four as targets, `school` four to learn from."""
    home = tmp_path_factory.mktemp("runs")
    asyncio.run(record(home / "own", chosen=settings("sample:3")))
    asyncio.run(record(home / "other", chosen=settings("sample:4"), seed=7))
    asyncio.run(record_training(home / "school"))
    return home


def targets(reader):
    return [(i, task.without_truth()) for i, task in enumerate(reader.tasks())]


def gathered(runs, *others):
    with (
        RunReader(runs / "own") as reader,
        open_pool(
            runs / "own", reader, (0, 1), targets(reader), [str(runs / other) for other in others]
        ) as pool,
    ):
        found = gather(pool.tasks, pool.candidates, LearnConfig(samples=400), VoteConfig(), seed=1)
        return [pool.at_home(data) for data in found], pool.tasks


def test_candidates_of_all_runs_stand_side_by_side_with_their_parents(runs):
    with (
        RunReader(runs / "own") as reader,
        RunReader(runs / "other") as other,
        open_pool(runs / "own", reader, (0, 1), targets(reader), [str(runs / "other")]) as pool,
    ):
        for index, task in pool.tasks:
            pooled = pool.candidates(index)
            own = own_candidates(reader, (0, 1), index) if index < 3 else []
            foreign = own_candidates(other, (0, 1), other.task_index(task.id))
            assert len({candidate.id for candidate in pooled}) == len(own) + len(foreign)
            assert pooled[: len(own)] == own
            known = {candidate.id for candidate in pooled}
            assert all(c.parent is None or c.parent in known for c in pooled)


def test_every_example_and_every_rejection_knows_its_run_and_candidate(runs):
    data, tasks = gathered(runs, "other", "school")
    assert len(tasks) == 4
    named = Counter()
    with (
        RunReader(runs / "own") as own,
        RunReader(runs / "other") as other,
        RunReader(runs / "school") as school,
    ):
        readers = {None: own, "other": other, "school": school}
        for one in data:
            for example in one.samples:
                named[example.run] += 1
                detail = readers[example.run].candidate(example.candidate)
                assert detail.candidate.source == example.source
            for rejection in one.rejections:
                readers[rejection.run].candidate(rejection.candidate)
            rows = list(example_rows(1, dict(tasks)[one.task], one))
            assert {row.run for row in rows} <= {None, "other", "school"}
    assert min(named[run] for run in readers) > 0


def test_truth_is_given_only_where_it_may_be_used(runs):
    _, tasks = gathered(runs, "school")
    with_truth = [index for index, task in tasks if task.truth is not None]
    assert with_truth == [3]  # ours are targets; the fourth only the school has, to learn from
    _, tasks = gathered(runs, "school", "other")
    assert all(task.truth is None for _, task in tasks)


def test_without_other_runs_nothing_changes(runs):
    data, tasks = gathered(runs)
    with RunReader(runs / "own") as reader:
        alone = list(
            gather(
                targets(reader),
                lambda index: own_candidates(reader, (0, 1), index),
                LearnConfig(samples=400),
                VoteConfig(),
                seed=1,
            )
        )
    assert [[e.candidate for e in d.samples] for d in data] == [
        [e.candidate for e in d.samples] for d in alone
    ]
    assert [index for index, _ in tasks] == [0, 1, 2]


@pytest.mark.parametrize("named", [("own",), ("other", "other")])
def test_a_run_is_not_pooled_twice(runs, named):
    with pytest.raises(PoolingError, match=r"learn\.runs.*twice"):
        gathered(runs, *named)


def test_another_task_of_the_same_id_is_refused(runs, tmp_path):
    wrong = replace(TASKS[1], id=TASKS[0].id)
    asyncio.run(record(tmp_path / "wrong", chosen=settings("sample:1"), tasks=(wrong,)))
    with pytest.raises(PoolingError, match=f"wrong: its task {wrong.id}"):
        gathered(runs, str(tmp_path / "wrong"))
