"""No call of the reader walks a whole table that grows with the candidates."""

import asyncio
import inspect
import re
import sqlite3
from contextlib import closing

import pytest

from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.archive.schema import ARCHIVE
from engine.programs.candidate import candidate_id
from tests.app.recorded import record

GROWING = {"candidate", "pull", "program", "outcome", "pattern", "reply"}
SOME = candidate_id(0, 1, 25)
QUERIES = (
    CandidateQuery(),
    CandidateQuery(perfect=True),
    CandidateQuery(perfect=False, right=True),
    CandidateQuery(iteration=0, task=1, operator="refine", island=0),
    CandidateQuery(task=1, program=True, runs=True, filter=""),
    CandidateQuery(accuracy=(0.1, 0.2), pattern=3),
    CandidateQuery(text="transform"),
)
CALLS = {
    "tasks": [()],
    "training_tasks": [()],
    "task": [(1,)],
    "task_index": [(1,)],
    "statuses": [()],
    "iterations": [()],
    "task_rows": [(), (0,)],
    "finished": [(0,)],
    "tallies": [((0, 1), 1)],
    "votes": [(0, 1)],
    "submissions": [(0, 1)],
    "pulls": [(0, 1)],
    "replay": [(0, 1)],
    "candidate": [(SOME,)],
    "bare_candidate": [(SOME,)],
    "candidates": [(query,) for query in QUERIES],
    "candidate_rows": [(0, 1)],
    "chain": [(SOME,)],
    "children": [(SOME,)],
    "arms": [(0, 1)],
    "programs": [(0, 1)],
    "table": [("candidate", ("id", "accuracy"), ("id",), (SOME,))],
    "searches": [()],
    "search_columns": [(0, 1)],
    "program_sources": [((1, 2),)],
    "pulls_after": [(3,)],
    "last_pull": [()],
    "events": [(), (1,)],
    "last_event": [(), (("start",),)],
    "metric_names": [()],
    "metrics": [("loss/0",)],
    "checkpoints": [()],
    "examples": [(0,)],
    "example_counts": [(0,)],
    "left_over_examples": [(0,)],
}
NO_QUERIES = {"close", "created", "data_version", "settings_text"}
WALKS = {"count"}
"""What an export asks once, to tell how far it is; counting is a walk."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return asyncio.run(record(tmp_path_factory.mktemp("plans") / "run"))


def test_every_call_of_the_reader_is_looked_at():
    public = {name for name, _ in inspect.getmembers(RunReader) if not name.startswith("_")}
    assert public == set(CALLS) | NO_QUERIES | WALKS


@pytest.mark.parametrize("name", CALLS)
def test_a_call_searches_by_key(run, name):
    statements = []
    with RunReader(run) as reader:
        reader.tasks()
        reader._sql.set_trace_callback(statements.append)
        for arguments in CALLS[name]:
            getattr(reader, name)(*arguments)
            if name == "candidates":
                reader.candidates(*arguments, after=SOME)
                reader.candidates(*arguments, after=SOME, backwards=True)
        reader._sql.set_trace_callback(None)
    for statement in {text for text in statements if text.startswith(("SELECT", "WITH"))}:
        assert walked(run, statement) == set(), statement


def test_a_walk_over_a_table_would_be_seen(run):
    assert walked(run, "SELECT c.filter FROM candidate AS c WHERE c.accuracy = 0.5") == {
        "candidate"
    }
    assert walked(run, "SELECT count(*) FROM candidate_view WHERE right") >= {"candidate"}
    assert walked(run, "SELECT id FROM program WHERE length > 7") == {"program"}


def walked(run, statement):
    """Return which of the growing tables a statement's plan goes through from end to end."""
    with closing(sqlite3.connect(f"file:{run / ARCHIVE.file}?mode=ro", uri=True)) as sql:
        sql.create_function("source_has", 2, lambda *_: True)
        views = [text for (text,) in sql.execute("SELECT sql FROM sqlite_schema WHERE type='view'")]
        texts = " ".join([*views, statement])
        table = {short: name for name, short in re.findall(r"(?:FROM|JOIN) (\w+) AS (\w+)", texts)}
        plan = [line for *_, line in sql.execute(f"EXPLAIN QUERY PLAN {statement}")]
    scans = [scan[1] for line in plan if (scan := re.match(r"SCAN (\w+)", line))]
    return {table.get(name, name) for name in scans} & GROWING
