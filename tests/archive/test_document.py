"""The SQL that docs/archive.md shows works on a real archive and says what the reader says."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from engine.arc import pack
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from tests.archive.recording_process import GRIDS, TASKS, unit

DOCUMENT = Path(__file__).parents[2] / "docs" / "archive.md"


async def test_the_documents_queries_agree_with_the_reader(tmp_path):
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "train", "grammar", "untrained")
    for number in range(50):
        writer.put_pull(*unit(number))
    writer.put_vote(0, 5, "sum", [(pack(GRIDS[5]), 9.0, 2), (pack(GRIDS[6]), 1.0, 1)], 1.0)
    await writer.close()
    queries = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    with closing(sqlite3.connect(tmp_path / "archive.db")) as sql, RunReader(tmp_path) as reader:
        found = [sql.execute(query).fetchall() for query in queries]
        tasks, solved, perfect, tallies, spent, chain = found
        assert [(row[1] or 0, row[2] or 0) for row in tasks] == [
            (row.candidates, row.perfect) for row in reader.task_rows(0)
        ]
        assert solved == [(0, reader.iterations()[0].solved)] == [(0, 1)]
        rows = reader.candidate_rows(0, 5)
        assert [row[0] for row in perfect] == [r.number for r in rows if r.accuracy == 1]
        assert {row[:3] for row in tallies} == {
            (row.pattern, row.count, row.accuracy_sum) for row in reader.tallies(0, 5)
        }
        costs = [(row.cost, row.tokens_in) for row in reader.task_rows(0) if row.candidates]
        assert sorted(row[1:3] for row in spent) == sorted(costs)
        assert [row[1] for row in spent] == sorted((row[1] for row in spent), reverse=True)
        assert [row[0] for row in chain] == [row.id for row in reader.chain(chain[-1][0])]
        named = {name for (name,) in sql.execute("SELECT name FROM sqlite_schema WHERE sql > ''")}
    described = set(re.findall(r"`([a-z_]+)`", DOCUMENT.read_text()))
    indexes = {"pull_parent", "candidate_perfect", "metric_name", "example_iteration"}
    assert named - indexes - {"sqlite_sequence"} <= described
