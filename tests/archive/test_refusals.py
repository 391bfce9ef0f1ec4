"""What cannot be opened or recorded is refused in plain words, and nothing is left half done."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from engine.arc import pack
from engine.archive import ArchiveError
from engine.archive.commands import recent, send
from engine.archive.database import enter_wal
from engine.archive.live import read_statuses
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import Evaluation
from tests.archive.recording_process import GRIDS, TASKS, unit


async def writer_at(folder):
    writer = ArchiveWriter(folder)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "train", "grammar", "untrained")
    return writer


@pytest.fixture
async def recorded(tmp_path):
    """A folder with three recorded pulls, its writer closed."""
    writer = await writer_at(tmp_path)
    for number in range(3):
        writer.put_pull(*unit(number))
    await writer.close()
    return tmp_path


@pytest.mark.parametrize("file", ["archive.db", "live.db", "control.db"])
async def test_a_newer_version_is_refused_and_left_alone(recorded, file):
    send(recorded, "pause")
    with closing(sqlite3.connect(recorded / file)) as sql:
        sql.execute("PRAGMA user_version = 99")
    before = (recorded / file).read_bytes()
    with pytest.raises(ArchiveError, match=rf"{file}: version 99, written by a newer version"):
        if file == "control.db":
            send(recorded, "pause")
        else:
            ArchiveWriter(recorded)
    if file == "archive.db":
        with pytest.raises(ArchiveError, match="newer version"):
            RunReader(recorded)
    assert (recorded / file).read_bytes() == before


def test_files_of_other_programs_are_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "archive.db")) as sql:
        sql.execute("CREATE TABLE holiday (photo)")
    for opening in (ArchiveWriter, RunReader):
        with pytest.raises(ArchiveError, match="some other program"):
            opening(tmp_path)
    (tmp_path / "archive.db").write_bytes(b"no database, but long enough to look at" * 20)
    for opening in (ArchiveWriter, RunReader):
        with pytest.raises(ArchiveError, match="not an SQLite file"):
            opening(tmp_path)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(ArchiveError, match="nowhere: no such folder"):
        ArchiveWriter(tmp_path / "nowhere")
    with pytest.raises(ArchiveError, match=r"no archive\.db there"):
        RunReader(tmp_path)


def test_a_file_system_without_wal_is_refused_with_a_hint(tmp_path):
    # This locking style of SQLite's has no shared memory, like a network folder.
    path = tmp_path / "archive.db"
    with (
        closing(sqlite3.connect(f"file:{path}?vfs=unix-dotfile", uri=True)) as sql,
        pytest.raises(ArchiveError, match="put the run on a local disk"),
    ):
        enter_wal(sql, path)


async def test_other_tasks_are_refused(recorded):
    writer = ArchiveWriter(recorded)
    writer.put_tasks(TASKS)
    for others, complaint in [
        (TASKS[:-1], "holds 500 tasks, not 499"),
        ([*TASKS[:7], replace(TASKS[7], id="else"), *TASKS[8:]], "task 7 is 'task-7' there"),
        ([replace(TASKS[0], test=(GRIDS[5],)), *TASKS[1:]], "task 0 .task-0. has other grids"),
        ([TASKS[0].without_truth(), *TASKS[1:]], "task 0 .task-0. has other truth"),
    ]:
        with pytest.raises(ArchiveError, match=complaint):
            writer.put_tasks(others)
    await writer.close()


async def test_resuming_is_idempotent_but_not_in_another_phase(recorded):
    writer = ArchiveWriter(recorded)
    writer.begin_iteration(0, "train", "grammar", "untrained")
    with pytest.raises(ArchiveError, match="begun in phase 'train'"):
        writer.begin_iteration(0, "test", "grammar", "untrained")
    writer.put_pull(*unit(3))
    await writer.close()
    with RunReader(recorded) as reader:
        assert [pull.number for pull, _ in reader.pulls(0, 0)] == [0, 1, 2, 3]


async def test_a_candidate_recorded_twice_stops_the_writer(recorded):
    writer = ArchiveWriter(recorded)
    writer.put_pull(*unit(3))
    writer.put_pull(*unit(1))
    with pytest.raises(ArchiveError, match="recorded before"):
        await writer.flush()
    with pytest.raises(ArchiveError, match="recorded before"):
        writer.put_event("info", "more", "work")
    with pytest.raises(ArchiveError, match="recorded before"):
        await writer.ready()
    with pytest.raises(ArchiveError, match="recorded before"):
        await writer.close()
    with RunReader(recorded) as reader:  # the batch with the doubled pull is not there in part
        assert [pull.number for pull, _ in reader.pulls(0, 0)] == [0, 1, 2]
        assert reader.task_rows(0)[0].candidates == 9


def altered(**changes):
    pull, candidates = unit(3)
    return pull, [candidates[0], replace(candidates[1], **changes)]


CONTRADICTIONS = [
    ((replace(unit(3)[0], seed=1 << 63), []), "does not fit 63 bits"),
    ((replace(unit(3)[0], draw=float("nan")), []), "draw is not a number"),
    ((replace(unit(3)[0], task=999), []), "no task 999"),
    ((replace(unit(3)[0], iteration=1), []), "iteration 1 has not begun"),
    (altered(id=5), "candidate 5 is out of its place"),
    (altered(parent=None), "says it is of another pull"),
    (altered(prior=float("nan")), "prior that is no number"),
    (altered(evaluation=Evaluation((pack(GRIDS[0]),), (True,))), "has 1 results"),
]


@pytest.mark.parametrize(("given", "complaint"), CONTRADICTIONS)
async def test_contradictions_are_refused_where_they_are_put(recorded, given, complaint):
    writer = ArchiveWriter(recorded)
    with pytest.raises(ArchiveError, match=complaint):
        writer.put_pull(*given)
    writer.put_pull(*unit(3))  # the writer itself is unharmed
    await writer.close()


async def test_patterns_that_do_not_fit_are_refused(recorded):
    writer = ArchiveWriter(recorded)
    for pattern in (b"junk", b"", pack(GRIDS[0]) * 2):
        with pytest.raises(ArchiveError, match="a pattern"):
            writer.put_vote(0, 0, "sum", [(pattern, 1.0, 1)], 1.0)
    await writer.close()


async def test_a_closed_writer_says_so(recorded):
    writer = ArchiveWriter(recorded)
    await writer.close()
    await writer.close()
    with pytest.raises(ArchiveError, match="closed"):
        writer.put_event("info", "late", "")


async def test_a_flush_that_is_cancelled_disturbs_nothing(tmp_path):
    writer = await writer_at(tmp_path)
    cancelled = 0
    for number in range(50):
        writer.put_pull(*unit(number))
        flushing = asyncio.create_task(writer.flush())
        await asyncio.sleep(0)
        if not flushing.cancel():
            continue  # it was through already: the writer's thread was faster
        cancelled += 1
        with pytest.raises(asyncio.CancelledError):
            await flushing
    assert cancelled > 0
    await writer.close()
    with RunReader(tmp_path) as reader:
        assert reader.iterations()[0].pulls == 50


@contextmanager
def mounted(folder, *options):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not allowed here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_stops_the_writer_and_leaves_whole_units(tmp_path):
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=3m", "tmpfs"):
        (tmp_path / "ballast").write_bytes(bytes(1 << 20))
        writer = await writer_at(tmp_path)
        rng = random.Random(1)
        acknowledged = 0
        with pytest.raises(ArchiveError, match="the disk is full"):
            for number in range(3000):
                pull, candidates = unit(number)
                noise = rng.randbytes(3000).decode("latin-1")
                writer.put_pull(pull, [replace(c, reply=noise) for c in candidates])
                await writer.flush()
                acknowledged = number + 1
        with pytest.raises(ArchiveError, match="the disk is full"):
            writer.put_event("info", "more", "work")
        with pytest.raises(ArchiveError, match="the disk is full"):
            await writer.close()
        with RunReader(tmp_path) as reader:
            total = reader.iterations()[0]
            assert (total.pulls, total.candidates) == (acknowledged, 3 * acknowledged)
            assert acknowledged > 10
        (tmp_path / "ballast").unlink()
        writer = ArchiveWriter(tmp_path)  # with space again the run goes on where it was
        writer.put_pull(*unit(acknowledged))
        await writer.close()
        with RunReader(tmp_path) as reader:
            assert reader.iterations()[0].pulls == acknowledged + 1


@contextmanager
def read_only(folder):
    """Make a folder one where nothing can be created, for root too."""
    if os.geteuid() == 0:
        with mounted(folder, "--bind", "-o", "ro", str(folder)):
            yield
        return
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


async def test_a_read_only_folder_is_read_but_not_written(recorded):
    with read_only(recorded):
        with RunReader(recorded) as reader:
            assert reader.pulls(0, 0) == [unit(number) for number in range(3)]
            assert reader.statuses() == {}
        with pytest.raises(ArchiveError, match=r"archive\.db"):
            ArchiveWriter(recorded)


async def test_unmerged_commits_in_a_read_only_folder_are_not_passed_over(recorded, tmp_path):
    writer = ArchiveWriter(recorded)
    writer.put_pull(*unit(3))
    await writer.flush()
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("archive.db", "archive.db-wal"):  # as a killed engine would leave them
        shutil.copy(recorded / name, copy / name)
    await writer.close()
    with read_only(copy), pytest.raises(ArchiveError, match="copy the folder"):
        RunReader(copy)
    with RunReader(copy) as reader:
        assert len(reader.pulls(0, 0)) == 4


def test_a_file_whose_maker_was_killed_at_birth_is_as_good_as_none(tmp_path):
    for file in ("archive.db", "live.db", "control.db"):
        (tmp_path / file).touch()
    assert (read_statuses(tmp_path), recent(tmp_path)) == ({}, [])
    with pytest.raises(ArchiveError, match="nothing in it yet"):
        RunReader(tmp_path)
    assert send(tmp_path, "pause") == 1


async def test_a_folder_whose_name_is_not_utf_8_is_as_good_as_any(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9 100%?#")
    folder.mkdir()
    writer = await writer_at(folder)
    writer.put_pull(*unit(0))
    await writer.close()
    send(folder, "pause")
    with RunReader(folder) as reader:
        assert reader.pulls(0, 0) == [unit(0)]
    assert [command.name for command in recent(folder, 1)] == ["pause"]
