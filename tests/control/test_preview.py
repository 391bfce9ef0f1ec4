"""A dry run tells what learning would learn from, writes nothing, and ends when it is closed."""

import asyncio
import hashlib
from collections import Counter
from pathlib import Path

import psutil
import pytest

from engine.archive.reader import RunReader
from engine.config import override
from engine.control import DryRunError, DryRunProcess
from engine.learning.gather import gather
from engine.learning.pooling import own_candidates
from tests.app.recorded import make_folder, record, settings
from tests.learning.imitated_embedding import interpreter


@pytest.fixture
def folder(tmp_path):
    return asyncio.run(record(tmp_path / "run", chosen=settings("sample:3")))


def fingerprint(folder: Path):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_it_counts_what_gathering_gives_and_changes_nothing(folder):
    before = fingerprint(folder)
    chosen = settings("sample:3")
    with DryRunProcess(folder, chosen) as process:
        states = list(process)
    last = states[-1]
    assert last.finished and last.iteration == 1 and last.tasks == 3
    with RunReader(folder) as reader:
        tasks = [(i, task.without_truth()) for i, task in enumerate(reader.tasks())]
        expected = list(
            gather(
                tasks,
                lambda task: own_candidates(reader, (0, 1), task),
                chosen.learn,
                chosen.vote,
                chosen.seed + 1,
            )
        )
    origins = sum((data.make_up for data in expected), Counter())
    told = {entry.label: entry.count for entry in last.counts if entry.rejected is None}
    assert told == dict(origins) and last.used == sum(origins.values())
    reasons = Counter(entry.reason for data in expected for entry in data.rejections)
    assert {e.rejected: e.count for e in last.counts if e.rejected is not None} == dict(reasons)
    assert [share.samples for share in last.shares] == [len(data.samples) for data in expected]
    assert fingerprint(folder) == before


def test_examples_are_the_tasks_that_would_be_shown_without_truth(folder):
    with DryRunProcess(folder, settings("sample:3")) as process:
        last = list(process)[-1]
    assert {example.task_index for example in last.examples} == {0, 1, 2}
    assert all(example.task.truth is None for example in last.examples)
    with RunReader(folder) as reader:
        for example in last.examples:
            detail = reader.candidate(example.candidate)
            assert detail.candidate.source == example.source


def test_what_is_chosen_changes_what_it_tells(folder):
    changed = override(settings("sample:3"), {"learn.samples": 2, "learn.pool": False})
    with DryRunProcess(folder, changed) as process:
        last = list(process)[-1]
    assert all(share.samples <= 2 for share in last.shares)
    assert last.used + last.left_out <= 3 * 44  # one iteration's candidates, not both


def test_near_duplicates_are_told_by_the_model_that_is_named(folder, tmp_path):
    python = interpreter(tmp_path / "embeds")

    def duplicates(**changes):
        changed = override(settings("sample:3"), changes)
        with DryRunProcess(folder, changed) as process:
            last = list(process)[-1]
        left = {entry.rejected: entry.count for entry in last.counts if entry.rejected is not None}
        return left.get("duplicate program", 0)

    named = {"learn.embedding.model": "all alike", "learn.embedding.python": python}
    assert duplicates(**named) > duplicates()
    with pytest.raises(DryRunError, match=r"learn\.embedding\.model 'refuses'"):
        duplicates(**named | {"learn.embedding.model": "refuses"})


def test_a_run_that_has_not_begun_is_refused_in_words(tmp_path):
    chosen = settings("sample:1")
    folder = make_folder(tmp_path / "new", chosen)
    asyncio.run(record(folder, chosen=chosen, searched=0))
    with DryRunProcess(folder, chosen) as process, pytest.raises(DryRunError, match="has begun"):
        list(process)


def test_closing_it_ends_its_process(folder):
    before = {child.pid for child in psutil.Process().children()}
    with DryRunProcess(folder, settings("sample:3")) as process:
        states = iter(process)
        next(states)
        process.close()
        for state in states:
            assert not state.finished
    assert {child.pid for child in psutil.Process().children()} == before
