"""Two recorded runs on the same tasks, with votes by every operator and tasks that are missed."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.analysis import RunAnalysis, RunRecords, read_records, run_analysis
from engine.archive.reader import RunReader
from engine.config import Settings
from tests.analysis import made


@dataclass(frozen=True)
class Held:
    """A recorded run, open, with its figures."""

    folder: Path
    settings: Settings
    reader: RunReader
    records: RunRecords
    analysis: RunAnalysis


def open_recorded(folder, chosen):
    reader = RunReader(folder)
    records = RunRecords()
    for _ in read_records(reader, chosen, records):
        pass
    return Held(folder, chosen, reader, records, run_analysis(folder.name, reader, chosen, records))


def make(folder, chosen, seed, **how):
    asyncio.run(made.record(folder, chosen, seed=seed, **how))
    return open_recorded(folder, chosen)


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A run of two iterations, and one of another seed and bandit, under one home."""
    home = tmp_path_factory.mktemp("analysis") / "runs"
    home.mkdir()
    first = make(home / "first", made.settings(), 3)
    second = make(home / "second", made.settings(iterations=1, **{"search.c": 5.0}), 4)
    yield first, second
    first.reader.close()
    second.reader.close()
