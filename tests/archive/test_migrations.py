"""An older file is brought forward whole or not at all, and read only once it has been."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from engine.archive import ArchiveError
from engine.archive.database import open_to_read, open_to_write
from engine.archive.reader import RunReader
from engine.archive.schema import ARCHIVE, Schema
from engine.archive.writer import ArchiveWriter

FIRST = "CREATE TABLE shelf (book TEXT) STRICT;\nINSERT INTO shelf VALUES ('a; b')"
SECOND = "ALTER TABLE shelf ADD COLUMN pages INTEGER;\nUPDATE shelf SET pages = 7"
BROKEN = "UPDATE shelf SET pages = 8;\nINSERT INTO nowhere VALUES (1)"


def rows(folder, schema):
    with closing(open_to_read(folder, schema)) as sql:
        return sql.execute("SELECT * FROM shelf").fetchall()


def test_an_older_file_is_migrated_forward_and_keeps_what_it_holds(tmp_path):
    old, new = Schema("shelf.db", (FIRST,)), Schema("shelf.db", (FIRST, SECOND))
    open_to_write(tmp_path, old).close()
    with pytest.raises(ArchiveError, match="older version"):
        open_to_read(tmp_path, new)
    assert rows(tmp_path, old) == [("a; b",)]
    open_to_write(tmp_path, new).close()
    assert rows(tmp_path, new) == [("a; b", 7)]
    with pytest.raises(ArchiveError, match="version 2, written by a newer version"):
        open_to_write(tmp_path, old)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    good = Schema("shelf.db", (FIRST, SECOND))
    open_to_write(tmp_path, good).close()
    with pytest.raises(ArchiveError, match="no such table: nowhere"):
        open_to_write(tmp_path, Schema("shelf.db", (FIRST, SECOND, BROKEN)))
    assert rows(tmp_path, good) == [("a; b", 7)]


def test_every_file_of_a_run_says_whose_it_is(tmp_path):
    open_to_write(tmp_path, Schema("shelf.db", (FIRST,))).close()
    with closing(sqlite3.connect(tmp_path / "shelf.db")) as sql:
        assert sql.execute("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"SOAR"
        assert sql.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


OLD_RUN = (
    "INSERT INTO meta VALUES ('training_tasks', '0')",
    "INSERT INTO task VALUES (0, 'one', 1, 1, x'010105010105', x'010105', NULL)",
    "INSERT INTO iteration VALUES (0, 'test', 'openai:m', 'untrained', 0, 1, 1.0, 2.0, 1.0)",
    "INSERT INTO search (iteration, task, pulls, candidates, tokens_in, tokens_out, active) "
    "VALUES (0, 0, 1, 1, 100, 20, 1.5)",
    "INSERT INTO pull VALUES (1, 0, 0, 0, 'sample', 0, NULL, NULL, 7, 1.0, 0.5, 0, 1)",
    "INSERT INTO candidate VALUES (0, 1, NULL, NULL, NULL, NULL, NULL, 'stop', 100, 20)",
)


def test_a_run_from_before_costs_were_recorded_opens_with_none(tmp_path):
    with closing(open_to_write(tmp_path, Schema(ARCHIVE.file, ARCHIVE.migrations[:1]))) as sql:
        for statement in OLD_RUN:
            sql.execute(statement)
    asyncio.run(ArchiveWriter(tmp_path).close())
    with RunReader(tmp_path) as reader:
        ((_, (candidate,)),) = reader.pulls(0, 0)
        (row,) = reader.candidate_rows(0, 0)
        (total,) = reader.iterations()
    assert (candidate.tokens_in, candidate.tokens_out) == (100, 20)
    assert (candidate.tokens_cached, candidate.cost, candidate.weights) == (0, 0.0, None)
    assert (row.tokens_out, row.cost, row.weights) == (20, 0.0, None)
    assert (total.tokens_in, total.tokens_cached, total.cost) == (100, 0, 0.0)
