"""The write-ahead log stays small, whoever reads meanwhile, and is merged after each phase."""

import itertools
import random
import sqlite3
import threading
from contextlib import closing

import pytest

from engine.arc import Pair, Task, as_grid
from engine.archive.database import LOG_BYTES
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import Candidate, Pull, candidate_id

RNG = random.Random(1)
REPLIES = ["".join(map(chr, RNG.choices(range(0x4E00, 0x9E00), k=133_000))) for _ in range(4)]
GRID = as_grid([[1, 2], [3, 4]])
TASK = Task("task", (Pair(GRID, GRID),), (GRID,), None)
REPLY_BYTES = 266_000  # what zstd leaves of one
BATCH_BYTES = 4 * REPLY_BYTES
PULLS = 130


@pytest.fixture
async def writer(tmp_path):
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks([TASK])
    writer.begin_iteration(0, "test", "grammar", "untrained")
    await writer.flush()
    yield writer
    await writer.close()


def put_pull(writer, number):
    """Put four candidates with replies that cannot be made smaller."""
    pull = Pull(0, 0, number, "sample", 0, None, None, 1, 1.0, 1.0)
    writer.put_pull(
        pull,
        [
            Candidate(
                candidate_id(0, 0, 4 * number + slot), "sample", number, 0, None, None, None,
                reply=reply,
            )
            for slot, reply in enumerate(REPLIES)
        ],
    )  # fmt: skip


class Readers:
    """Two connections that take turns, so that one of them is always inside a transaction."""

    def __init__(self, path):
        self._path = path
        self._ending = threading.Event()
        self._failed = []
        self._thread = threading.Thread(target=self._read)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()
        assert not self._failed

    def _read(self):
        try:
            with closing(self._open()) as one, closing(self._open()) as other:
                for inside, outside in itertools.cycle(((one, other), (other, one))):
                    outside.execute("BEGIN")
                    outside.execute("SELECT max(id) FROM candidate").fetchone()
                    inside.rollback()
                    if self._ending.wait(0.002):
                        return
        except sqlite3.Error as error:
            self._failed.append(error)

    def _open(self):
        uri = f"file:{self._path}?mode=ro"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


async def test_a_long_write_with_readers_always_inside_keeps_its_log_bounded(tmp_path, writer):
    log, largest = tmp_path / "archive.db-wal", 0
    with Readers(tmp_path / "archive.db"):
        for number in range(PULLS):
            put_pull(writer, number)
            await writer.flush()
            largest = max(largest, log.stat().st_size)
    assert PULLS * BATCH_BYTES > 3 * LOG_BYTES
    assert largest < LOG_BYTES + 4 * BATCH_BYTES


async def test_the_log_is_merged_when_a_phase_ends(tmp_path, writer):
    log = tmp_path / "archive.db-wal"
    put_pull(writer, 0)
    await writer.flush()
    assert log.stat().st_size > REPLY_BYTES
    writer.end_iteration(0, 1.0)
    await writer.flush()
    assert log.stat().st_size == 0
