"""What leaves a run as data can be read back, says what the archive says, and leaks no truth."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arc import pack, unpack
from engine.archive.reader import RunReader
from engine.config import load_settings
from engine.exports.chats import examples, write_chats_jsonl, write_chats_parquet
from engine.exports.parquet import grids_array
from engine.exports.programs import program_records, write_programs_jsonl, write_programs_parquet
from engine.exports.tables import TABLES, write_tables
from engine.programs.candidate import Failure
from tests.arc.drawn import grids
from tests.archive.drawn import record, recorded
from tests.exports.runs import RIGHT, SOURCES, record_run, task

ROOT = Path(__file__).parents[2]
RELEASED = [
    "task_id",
    "code",
    "correct_train_input",
    "correct_test_input",
    "predicted_train_output",
    "predicted_test_output",
    "model",
    "generation",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "two"
    return record_run(folder, [task("a"), task("b", known=False)])


def silent(*_: object) -> None:
    """Show nothing."""


@given(st.lists(st.lists(st.none() | grids(5).map(pack), max_size=3), max_size=6))
def test_packed_grids_become_nested_lists(rows: list[list[bytes | None]]) -> None:
    expected = [[None if grid is None else unpack(grid).tolist() for grid in row] for row in rows]
    assert grids_array(rows).to_pylist() == expected


@settings(max_examples=20, deadline=None)
@given(given=recorded())
def test_programs_are_those_of_the_archive_each_once_per_task(
    given: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    record(folder, given)
    with RunReader(folder) as reader:
        rows = list(program_records(reader, "all", left_out := Counter()))
    expected = {}
    held = 0
    for index in range(len(given.tasks)):
        distinct = set()
        for iteration in range(given.iterations):
            found = [c for c in given.candidates(iteration, index) if c.source is not None]
            held += len({c.source for c in found})
            for candidate in found:
                if candidate.source not in distinct:
                    distinct.add(candidate.source)
                    expected[candidate.id] = candidate
    assert held == len(rows) + left_out.total()
    assert [row.program.candidate for row in rows] == [
        c for i in range(len(given.tasks)) for c in sorted(expected) if c >> 24 & 65535 == i
    ]
    for row in rows:
        candidate = expected[row.program.candidate]
        assert row.program.source == candidate.source
        if candidate.evaluation is not None:
            assert row.program.results == candidate.evaluation.results
            assert row.program.right == candidate.evaluation.right
            assert row.program.filter == candidate.evaluation.filter


def test_both_formats_hold_the_same_rows_in_the_released_columns(run: Path, tmp_path: Path) -> None:
    parquet, lines = tmp_path / "p.parquet", tmp_path / "p.jsonl"
    with RunReader(run) as reader:
        records = list(program_records(reader, "all", Counter()))
    with lines.open("wb") as file:
        assert write_programs_jsonl(records, file, silent) == len(records)
    assert write_programs_parquet(records, parquet, force=False, on_rows=silent) == len(records)
    table = pq.read_table(parquet)
    assert table.column_names[: len(RELEASED)] == RELEASED
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert table.to_pylist() == rows
    by_code = {(row["task_id"], row["code"]): row for row in rows}
    right = by_code["a", RIGHT]
    assert right["correct_train_input"] == [True, True, True]
    assert right["correct_test_input"] == [True]
    assert right["predicted_test_output"] == [[[2, 1, 0]]]
    assert by_code["b", RIGHT]["correct_test_input"] is None
    failed = by_code["a", SOURCES[2]]
    assert failed["predicted_train_output"] == [None] * 3


@pytest.mark.parametrize(
    ("which", "sources"),
    [("unfiltered", {RIGHT, SOURCES[3]}), ("perfect", {RIGHT}), ("right", {RIGHT})],
)
def test_what_is_left_out_is_counted(run: Path, which: str, sources: set[str]) -> None:
    with RunReader(run) as reader:
        rows = list(program_records(reader, which, left_out := Counter()))
    tasks = {"a"} if which == "right" else {"a", "b"}
    assert {(row.task, row.program.source) for row in rows} == {
        (name, source) for name in tasks for source in sources
    }
    # Two tasks with four programs each, all of them again in the second iteration.
    assert len(rows) + left_out.total() == 16
    assert left_out["in an earlier iteration too"] == 8


def test_tables_hold_every_row_and_join(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader:
        counts = write_tables(reader, tmp_path / "t", force=False, on_rows=silent)
        tasks = reader.tasks()
        pulls = [reader.pulls(i, t) for i in range(2) for t in range(2)]
    expected = {c.id: c for found in pulls for _, made in found for c in made}
    table = {
        t.name: pq.read_table(tmp_path / "t" / f"{t.name}.parquet").to_pylist() for t in TABLES
    }
    assert {name: len(rows) for name, rows in table.items()} == counts
    programs = {row["id"]: row["source"] for row in table["program"]}
    outcomes = {row["id"]: row for row in table["outcome"]}
    assert {row["id"] for row in table["candidate"]} == set(expected)
    for row in table["candidate"]:
        candidate = expected[row["id"]]
        assert (row["iteration"], row["task"]) == (row["id"] >> 40, row["id"] >> 24 & 65535)
        if candidate.evaluation is None:
            assert row["outcome"] is None
            continue
        assert candidate.source is not None
        assert programs[row["program"]] == candidate.source.replace("\ud800", "?")
        outcome = outcomes[row["outcome"]]
        assert outcome["right"] == list(candidate.evaluation.right)
        for given_, error, result in zip(
            outcome["outputs"], outcome["errors"], candidate.evaluation.results, strict=True
        ):
            if isinstance(result, Failure):
                assert (given_, error[:10]) == (None, "exception:")
            else:
                assert (given_, error) == (unpack(result).tolist(), None)
    assert {row["candidate"]: row["text"] for row in table["reply"]} == {
        identifier: (candidate.reply or "").replace("\ud800", "?")
        for identifier, candidate in expected.items()
    }
    assert [row["id"] for row in table["task"]] == ["a", "b"]
    assert table["task"][0]["truth"] == [tasks[0].truth[0].tolist()]
    assert table["task"][1]["truth"] is None
    assert [row["value"] for row in table["metric"]] == [2.0, None, 1.0, None]


def test_the_page_lists_every_column_of_every_table() -> None:
    page = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    text = page.split("## Tables")[1].split("\n## ")[0]
    for table in TABLES:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{table.name}` |")]
        assert line.split("|")[2].strip() == ", ".join(f"`{c.name}`" for c in table.columns)


def test_chats_are_the_same_in_both_formats_and_know_no_truth(run: Path, tmp_path: Path) -> None:
    settings_ = load_settings(run / "run.toml")
    lines, parquet = tmp_path / "c.jsonl", tmp_path / "c.parquet"
    with RunReader(run) as reader:
        with lines.open("wb") as file:
            found, _ = examples(reader, run, settings_)
            count = write_chats_jsonl(found, file, silent)
        found, _ = examples(reader, run, settings_)
        assert write_chats_parquet(found, parquet, force=False, on_rows=silent) == count > 0
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    told = json.loads(json.dumps(rows).replace("\\ud800", "?"))
    assert pq.read_table(parquet).to_pylist() == told
    assert {row["task_id"] for row in rows} == {"a", "b"}
    for row in rows:
        assert [message["role"] for message in row["prompt"]] == ["system", "user"]
        assert "def transform" in row["completion"][0]["content"]
        # The test input is [[0 1 2]]; its output must not be told.
        assert "[[2 1 0]]" not in row["prompt"][1]["content"].split("Test input 1")[1]
