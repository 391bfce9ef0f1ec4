"""Replies come back as they were, though their program is stored once; dictionaries follow growth."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid
from engine.archive.integrity import blob_faults
from engine.archive.packing import pack_reply, unpack_reply
from engine.archive.reader import RunReader
from engine.archive.schema import ARCHIVE
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import Candidate, Pull, candidate_id
from tests.archive.drawn import texts

GRID = as_grid([[1, 2], [3, 4]])
TASK = Task("task", (Pair(GRID, GRID),), (GRID,), None)
PROGRAMS, WAVE = 11_000, 100


@given(texts, texts, texts)
def test_a_reply_comes_back_whole_with_its_program_in_it(before, source, after):
    reply = before + source + after
    assert unpack_reply(pack_reply(reply, source), source) == reply
    assert unpack_reply(pack_reply(reply, None), None) == reply


@given(texts, st.none() | texts)
def test_a_reply_that_does_not_hold_its_program_comes_back_too(reply, source):
    assert unpack_reply(pack_reply(reply, source), source) == reply


def source_of(number):
    names = ("grid", "rows", "cells", "mask", "shape", "colour", "background", "outline")
    lines = [f"    {names[(number + k) % 8]} = {names[(number * k) % 8]}[{number * k % 97}:]"
             for k in range(1, 9)]  # fmt: skip
    return "\n".join(["def transform(grid):", *lines, f"    return grid  # {number}", ""])


async def record(folder, first, last):
    writer = ArchiveWriter(folder)
    writer.put_tasks([TASK])
    writer.begin_iteration(0, "test", "openai", "untrained")
    for number in range(first, last, WAVE):
        wave = number // WAVE
        writer.put_pull(
            Pull(0, 0, wave, "sample", 0, None, None, 1, 1.0, 1.0),
            [
                Candidate(candidate_id(0, 0, n), "sample", wave, 0, None, source_of(n), None,
                          reply=f"I see.\n```python\n{source_of(n)}```\n")
                for n in range(number, number + WAVE)
            ],
        )  # fmt: skip
        await writer.ready()
    await writer.close()


async def test_the_dictionary_is_learned_again_as_programs_grow_and_all_can_be_read(tmp_path):
    await record(tmp_path, 0, PROGRAMS // 2)
    await record(tmp_path, PROGRAMS // 2, PROGRAMS)
    with closing(sqlite3.connect(tmp_path / ARCHIVE.file)) as sql:
        assert sql.execute("SELECT count(*) FROM dictionary").fetchone() == (2,)
        early, late, reply = sql.execute(
            "SELECT avg(length(source)) FILTER (WHERE id < 900), "
            "avg(length(source)) FILTER (WHERE id > 10100), "
            "(SELECT avg(length(text)) FROM reply) FROM program"
        ).fetchone()
    assert late < early / 2
    assert reply < 30
    assert not list(blob_faults(tmp_path, lambda rows: None))
    with RunReader(tmp_path) as reader:
        for _, candidates in reader.pulls(0, 0):
            for candidate in candidates:
                source = source_of(candidate.id & 0xFFFFFF)
                assert candidate.source == source
                assert candidate.reply == f"I see.\n```python\n{source}```\n"
        rows = reader.table("reply", ("candidate", "text"), ("candidate",), None, 10)
    assert rows[3][1].decode() == f"I see.\n```python\n{source_of(3)}```\n"
