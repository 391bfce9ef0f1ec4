"""`doctor RUN` and `gc`: what they tell of a run, and what they do to it."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.archive.reader import RunReader
from engine.archive.schema import ARCHIVE
from engine.archive.writer import ArchiveWriter
from engine.control.lock import EngineLock
from engine.programs.candidate import Candidate, Pull, candidate_id
from soar_tui.cli.documents.care import DoctorDocument, GarbageDocument
from tests.app.recorded import record, settings
from tests.cli.program import Ask
from tests.cli.test_documents import decoded


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of two iterations with a checkpoint, two datasets and a model's replies."""
    folder = asyncio.run(record(tmp_path / "home" / "runs" / "two", chosen=settings(), seed=4))
    for name in ("m0", "m1"):
        (folder / "checkpoints").mkdir(exist_ok=True)
        (folder / "checkpoints" / name).write_bytes(bytes(5000))
        (folder / "datasets").mkdir(exist_ok=True)
        (folder / "datasets" / f"{name}.jsonl.zst").write_bytes(bytes(3000))
    (folder / "checkpoints" / "iteration-1.skills.zst").write_bytes(bytes(700))
    asyncio.run(_reply(folder))
    return folder


async def _reply(folder: Path) -> None:
    writer = ArchiveWriter(folder)
    place = (1, 0, 99)
    sources = [
        "def transform(grid):\n    return grid",
        "def transform(grid):\n    return  grid # x",
        "def transform(grid): # no program",
        "def transform(grid):  # no program",
    ]
    writer.put_pull(
        Pull(1, 0, 8, "sample", 0, None, None, 1, 1.0, 1.0),
        [
            Candidate(candidate_id(*place) + slot, "sample", 8, 0, None, source, None,
                      reply="I think so.\n" * 500)
            for slot, source in enumerate(sources)
        ],
    )  # fmt: skip
    await writer.close()


def test_doctor_finds_nothing_wrong_with_a_whole_run(ask: Ask, run: Path) -> None:
    said = ask("doctor", "two", "--json")
    doctor = decoded(said.out, DoctorDocument)
    assert [check.name for check in doctor.run] == [
        "settings", "pages", "references", "blobs", "counters", "votes", "checkpoints", "engine"
    ]  # fmt: skip
    assert not any(check.faults for check in doctor.run)
    assert "The run is whole." in ask("doctor", "two").out


@pytest.mark.parametrize("table", ["candidate", "search", "vote", "pattern"])
def test_doctor_repairs_a_damaged_run_and_keeps_what_was_there(
    ask: Ask, run: Path, table: str
) -> None:
    with closing(sqlite3.connect(run / ARCHIVE.file)) as sql:
        (page,) = sql.execute(
            "SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)
        ).fetchone()
    damaged = bytearray((run / ARCHIVE.file).read_bytes())
    damaged[(page - 1) * 4096 : page * 4096] = random.Random(1).randbytes(4096)
    (run / ARCHIVE.file).write_bytes(damaged)
    said = ask("doctor", "two")
    assert said.code == 1
    assert "The run is not whole." in said.out and "--repair" in said.out
    assert (run / ARCHIVE.file).read_bytes() == damaged
    said = ask("doctor", "two", "--repair", "--json")
    doctor = decoded(said.out, DoctorDocument)
    assert not any(check.faults for check in doctor.run)
    assert doctor.repaired is not None
    assert (Path(doctor.repaired) / ARCHIVE.file).read_bytes() == damaged


def test_doctor_repairs_nothing_unnamed(ask: Ask) -> None:
    assert ask("doctor", "--repair").code == 2


def test_gc_only_tells_unless_something_is_named(ask: Ask, run: Path) -> None:
    garbage = decoded(ask("gc", "two", "--json").out, GarbageDocument)
    assert not garbage.dropped and garbage.freed == 0
    found = {one.kind: (one.count, one.bytes > 0) for one in garbage.litter}
    assert found.pop("replies") > (2, True)
    assert found == {"checkpoints": (1, True), "datasets": (2, True), "damaged": (0, False)}
    assert "Nothing was dropped" in ask("gc", "two", "--datasets", "--dry-run").out
    assert len(list((run / "datasets").iterdir())) == 2


def test_gc_drops_what_is_named_and_nothing_else(ask: Ask, run: Path) -> None:
    said = ask("gc", "two", "--datasets", "--checkpoints", "--replies", "--yes", "--json")
    assert decoded(said.out, GarbageDocument).freed > 10_000
    kept = {path.name for path in (run / "checkpoints").iterdir()}
    assert kept == {"m1", "iteration-1.skills.zst"}
    assert not list((run / "datasets").iterdir())
    with RunReader(run) as reader:
        assert reader.candidate(candidate_id(1, 0, 99)).candidate.reply is None
        assert reader.checkpoints()
    assert ask("doctor", "two", "--json").document["run"][5]["faults"] == []


def test_gc_merges_sources_that_differ_in_layout_only(ask: Ask, run: Path) -> None:
    before = ask("gc", "two", "--sources", "--json").document["litter"][0]["count"]
    said = ask("gc", "two", "--sources", "--replies", "--yes", "--json")
    assert said.document["litter"][1]["count"] > before
    with RunReader(run) as reader:
        sources = [reader.candidate(candidate_id(1, 0, n)).candidate.source for n in range(99, 103)]
    assert sources[0] == sources[1] == "def transform(grid):\n    return grid"
    assert sources[2] != sources[3], "what does not parse has no twin"


def test_gc_drops_nothing_unasked_or_under_an_engine(ask: Ask, run: Path) -> None:
    assert "--yes" in ask("gc", "two", "--datasets", "--json").err
    with EngineLock(run):
        said = ask("gc", "two", "--datasets", "--yes")
    assert said.code == 2 and "soar-tui stop" in said.err
    assert len(list((run / "datasets").iterdir())) == 2


def test_gc_and_the_state_say_who_is_repairing_a_run(ask: Ask, run: Path) -> None:
    with EngineLock(run, passing="repaired"):
        told = f"the run is being repaired by process {os.getpid()}"
        said = ask("gc", "two", "--datasets", "--yes")
        assert said.code == 2 and told in said.err and "soar-tui stop" not in said.err
        shown = ask("status", "two", "--json").document
        assert (shown["state"], shown["reason"], shown["process"]) == ("finished", told, None)
        engine = ask("doctor", "two", "--json").document["run"][-1]
        assert engine["detail"] == f"the run is finished: {told}" and not engine["faults"]
