"""Pages of candidates: every filter equals a filter over raw candidates, page by page, both ways."""

import asyncio

import pytest

from engine.arc import pack
from engine.archive import ArchiveError, pages
from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.archive.writer import ArchiveWriter
from tests.archive.recording_process import TASKS, unit


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")

    async def record():
        writer = ArchiveWriter(path)
        writer.put_tasks(TASKS)
        writer.begin_iteration(0, "test", "grammar", "untrained")
        for number in range(200):
            writer.put_pull(*unit(number))
        await writer.close()

    asyncio.run(record())
    return path


EVERY = [
    (pull, candidate) for number in range(200) for pull, cs in [unit(number)] for candidate in cs
]


def right(pull, candidate):
    return candidate.evaluation.pattern == b"".join(map(pack, TASKS[pull.task].truth))


QUERIES = [
    (CandidateQuery(), lambda p, c: True),
    (CandidateQuery(task=3), lambda p, c: p.task == 3),
    (CandidateQuery(iteration=0, task=5), lambda p, c: p.task == 5),
    (CandidateQuery(iteration=4), lambda p, c: False),
    (CandidateQuery(operator="refine"), lambda p, c: p.operator == "refine"),
    (CandidateQuery(island=0), lambda p, c: True),
    (CandidateQuery(program=False), lambda p, c: False),
    (CandidateQuery(runs=True), lambda p, c: c.evaluation.runs),
    (CandidateQuery(filter="blank"), lambda p, c: False),
    (CandidateQuery(filter=""), lambda p, c: c.evaluation.filter is None),
    (CandidateQuery(accuracy=(0.5, 1.0)), lambda p, c: c.evaluation.accuracy >= 0.5),
    (CandidateQuery(perfect=True), lambda p, c: c.evaluation.perfect),
    (CandidateQuery(perfect=False), lambda p, c: not c.evaluation.perfect),
    (CandidateQuery(right=True), right),
    (CandidateQuery(task=2, right=False), lambda p, c: p.task == 2 and not right(p, c)),
    (CandidateQuery(text="RETURN 17\n"), lambda p, c: "return 17\n" in c.source),
]


@pytest.mark.parametrize(("query", "wanted"), QUERIES)
@pytest.mark.parametrize("look_at", [7, 20_000])
@pytest.mark.parametrize("backwards", [False, True])
def test_pages_join_to_the_filtered_whole(folder, monkeypatch, query, wanted, look_at, backwards):
    monkeypatch.setattr(pages, "_LOOK_AT", look_at)
    monkeypatch.setattr(pages, "_LOOK_INTO", look_at)
    found, after, calls = [], None, 0
    with RunReader(folder) as reader:
        while calls == 0 or after is not None:
            page = reader.candidates(query, after=after, limit=13, backwards=backwards)
            assert len(page.rows) <= 13
            found += [row.id for row in page.rows]
            after = page.next
            calls += 1
    expected = [candidate.id for pull, candidate in EVERY if wanted(pull, candidate)]
    assert found == (expected[::-1] if backwards else expected)


def test_rows_say_what_the_candidates_are(folder):
    with RunReader(folder) as reader:
        rows = [row for task in range(29) for row in reader.candidate_rows(0, task)]
        assert len(rows) == len(EVERY)
        for row, (pull, candidate) in zip(rows, EVERY, strict=True):
            assert (row.id, row.iteration, row.task, row.pull) == (
                candidate.id,
                0,
                pull.task,
                pull.number,
            )
            assert (row.operator, row.island, row.parent) == (pull.operator, 0, pull.parent)
            assert (row.length, row.created) == (len(candidate.source), pull.created)
            assert (row.accuracy, row.runs) == (candidate.evaluation.accuracy, True)
            pattern = candidate.evaluation.pattern
            assert row.right == (None if pattern is None else right(pull, candidate))
            detail = reader.candidate(row.id)
            assert (detail.candidate, detail.pull, detail.pattern) == (candidate, pull, row.pattern)
            assert detail.right == (None if pattern is None else (row.right,))


def test_a_pattern_leads_to_the_candidates_behind_it(folder):
    with RunReader(folder) as reader:
        for tally in reader.tallies(0, 6):
            page = reader.candidates(CandidateQuery(task=6, pattern=tally.pattern))
            assert len(page.rows) == tally.count


def test_what_is_not_there_is_named(folder):
    with RunReader(folder) as reader:
        with pytest.raises(ArchiveError, match="no candidate 77"):
            reader.candidate(77)
        with pytest.raises(ArchiveError, match="no task 500"):
            reader.arms(0, 500)
        with pytest.raises(ArchiveError, match="no task 'else' among its 500"):
            reader.task("else")
        assert reader.task("task-7").id == reader.task(7).id == "task-7"
        assert reader.votes(0, 3) is None
        assert reader.chain(77) == reader.children(77) == []
