"""An export that was cut off goes on where it was, or is begun anew and says why."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import LearnConfig, Settings, save_settings
from engine.exports.chats import CHATS, LINES, examples
from engine.exports.output import ExportError, locked, new_file, unfinished
from engine.exports.programs import PROGRAMS, program_records
from engine.exports.resuming import LOCK, Found
from engine.exports.rows import write_rows, write_stream
from engine.exports.tables import write_tables
from engine.learning.example import Example
from tests.exports.runs import SOURCES, record_learned, record_run, record_search, task

TASKS = [task("a"), task("b", known=False), task("c")]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_run(tmp_path_factory.mktemp("runs") / "two", TASKS)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    examples = [Example("correct", TASKS[1], SOURCES[i % 4], i) for i in range(2 * LINES + 9)]
    return record_learned(tmp_path_factory.mktemp("runs") / "learned", TASKS[1], examples)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory, run: Path) -> Path:
    """A run of one task that is learned from together with the run of three."""
    pooling = Settings(iterations=1, learn=LearnConfig(runs=(str(run),)))
    folder = tmp_path_factory.mktemp("runs") / "pooled"
    return record_run(folder, TASKS[2:], iterations=1, settings=pooling)


@pytest.mark.parametrize(
    ("what", "sent", "stride"),
    [
        ("programs.jsonl", "SIGKILL", 1),
        ("programs.parquet", "SIGINT", 3),
        ("chats.jsonl", "SIGINT", 2),
        ("chats.parquet", "SIGKILL", 3),
        ("pooled.jsonl", "SIGKILL", 2),
        ("learned.jsonl", "SIGKILL", 2),
        ("learned.parquet", "SIGINT", 5),
        ("tables", "SIGKILL", 29),
    ],
)
def test_stopped_anywhere_an_export_goes_on_and_gives_the_very_same_bytes(
    run: Path, learned: Path, pooled: Path, tmp_path: Path, what: str, sent: str, stride: int
) -> None:
    folder = {"learned": learned, "pooled": pooled}.get(what.partition(".")[0], run)
    done = subprocess.run(
        [sys.executable, "-m", "tests.exports.killed", what, folder, tmp_path, sent, str(stride)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    stopped, kept = map(int, done.stdout.split())
    assert stopped > kept > 1


def stopped_after(run: Path, out: Path, rows: int, **changes: object) -> None:
    """Export programs into `out`, as if Ctrl+C came after so many rows; each task is a piece."""

    def stop(done: int, whole: int) -> None:
        if done >= rows:
            raise KeyboardInterrupt

    with RunReader(run) as reader, pytest.raises(KeyboardInterrupt):
        write(reader, out, stop, **changes)
    assert not out.exists()


def write(reader, out, on_progress, *, which="all", iterations=None, force=False):
    found: list[Found] = []
    records = program_records(reader, which, Counter(), iterations)
    write_rows(
        records,
        PROGRAMS,
        out,
        force=force,
        on_progress=on_progress,
        on_found=found.append,
        every=1,
    )
    return found[0]


def finished(run: Path, out: Path, **changes: object) -> Found:
    """Export programs and hold that all are there."""
    with RunReader(run) as reader:
        found = write(reader, out, lambda *_: None, **changes)
        given = {name: value for name, value in changes.items() if name != "force"}
        fresh = out.with_name(f"fresh-{out.name}")
        write(reader, fresh, lambda *_: None, **given)
    assert out.read_bytes() == fresh.read_bytes()
    fresh.unlink()
    return found


def test_where_it_goes_on_is_told_in_rows_and_in_progress(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.parquet"
    stopped_after(run, out, 20)
    seen: list[tuple[int, int]] = []
    with RunReader(run) as reader:
        found = write(reader, out, lambda *done: seen.append(done))
    # Twelve candidates a task in both iterations together, four programs of which are distinct.
    assert found == Found(kept=8)
    assert seen == [(24, 36), (36, 36)]
    assert pq.read_metadata(out).num_rows == 12
    assert duckdb.sql(f"SELECT count(DISTINCT code) FROM '{out}'").fetchall() == [(4,)]


def test_what_was_left_out_before_is_counted_too(run: Path, tmp_path: Path) -> None:
    out, counts = tmp_path / "p.jsonl", []
    stopped_after(run, out, 20, which="perfect")
    for path in (out, tmp_path / "whole.jsonl"):
        with RunReader(run) as reader:
            records = program_records(reader, "perfect", left_out := Counter())
            write_rows(
                records, PROGRAMS, path, force=False, on_progress=print, on_found=print, every=1
            )
        counts.append(left_out)
    assert counts[0] == counts[1]
    assert counts[0].total() > 0


@pytest.mark.parametrize(
    "changes", [{"which": "perfect"}, {"iterations": [0]}, {"which": "right", "iterations": [1]}]
)
def test_other_options_are_another_export(
    run: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    out = tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    found = finished(run, out, **changes)
    assert (found.kept, "other options" in found.anew) == (0, True)


def test_another_run_is_another_export(run: Path, tmp_path: Path) -> None:
    other = record_run(tmp_path / "other", TASKS)
    stopped_after(run, tmp_path / "p.jsonl", 20)
    assert "another run's" in finished(other, tmp_path / "p.jsonl").anew


@pytest.mark.parametrize("mark", [None, b"", b"\xff", b'{"job": 7}', b'{"job": "x", "rows": []}'])
def test_a_mark_that_says_nothing_keeps_nothing(
    run: Path, tmp_path: Path, mark: bytes | None
) -> None:
    out = tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    file = unfinished(out) / "mark.json"
    file.unlink() if mark is None else file.write_bytes(mark)
    assert "nothing of it was kept" in finished(run, out).anew


def test_a_file_that_lost_bytes_is_refused(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    content = unfinished(out) / "content"
    content.write_bytes(content.read_bytes()[:-1])
    with RunReader(run) as reader, pytest.raises(ExportError, match="shorter"):
        write(reader, out, lambda *_: None)


async def under_way(folder: Path) -> ArchiveWriter:
    """Begin a run in a folder that is there and search its first two tasks."""
    save_settings(Settings(), folder / "run.toml")
    writer = ArchiveWriter(folder)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "test", "m", "untrained")
    for index in range(2):
        record_search(writer, 0, index, TASKS[index])
    await writer.flush()
    return writer


def test_only_a_change_in_what_was_written_begins_it_anew(tmp_path: Path) -> None:
    run, out, table = tmp_path / "run", tmp_path / "p.parquet", tmp_path / "t"
    run.mkdir()

    def stop_tables(reader: RunReader) -> None:
        def stop(done: int, whole: int) -> None:
            if done > 12:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_tables(reader, table, force=False, on_rows=stop, on_found=print, every=1)

    def tables(reader: RunReader) -> Found:
        found: list[Found] = []
        write_tables(reader, table, force=True, on_rows=print, on_found=found.append)
        return found[0]

    async def search() -> None:
        writer = await under_way(run)
        stopped_after(run, out, 12)
        with RunReader(run) as reader:
            stop_tables(reader)
        record_search(writer, 0, 2, TASKS[2])
        await writer.flush()
        # The third task's candidates come after what was written of programs, and before what was
        # written of the tables that refer to them.
        assert finished(run, out) == Found(kept=8)
        with RunReader(run) as reader:
            assert "changed" in tables(reader).anew
            assert pq.read_metadata(table / "candidate.parquet").num_rows == 18
        out.unlink()
        stopped_after(run, out, 12)
        writer.begin_iteration(1, "test", "m", "untrained")
        record_search(writer, 1, 0, TASKS[0])
        await writer.close()
        assert "the run has changed" in finished(run, out).anew

    asyncio.run(search())


def test_chats_of_a_pool_begin_anew_when_another_run_has_changed_in_what_was_written(
    tmp_path: Path,
) -> None:
    other, run, out = tmp_path / "other", tmp_path / "run", tmp_path / "c.jsonl"
    other.mkdir()
    pooling = Settings(iterations=1, learn=LearnConfig(runs=(str(other),)))
    record_run(run, TASKS[:1], iterations=1, settings=pooling)

    def export(stop_after: int) -> Found:
        found: list[Found] = []

        def on_progress(done: int, whole: int) -> None:
            if done == stop_after:
                raise KeyboardInterrupt

        with RunReader(run) as reader:
            rows, _ = examples(reader, run, pooling)
            write_rows(
                rows,
                CHATS,
                out,
                force=False,
                on_progress=on_progress,
                on_found=found.append,
                every=1,
            )
        return found[0]

    async def search() -> None:
        writer = await under_way(other)
        with pytest.raises(KeyboardInterrupt):
            export(stop_after=1)
        record_search(writer, 0, 2, TASKS[2])
        await writer.flush()
        found = export(stop_after=-1)
        assert found.kept > 0 and not found.anew
        out.unlink()
        with pytest.raises(KeyboardInterrupt):
            export(stop_after=2)
        writer.begin_iteration(1, "test", "m", "untrained")
        record_search(writer, 1, 0, TASKS[0])
        await writer.close()
        assert "the run has changed" in export(stop_after=-1).anew

    asyncio.run(search())


def test_programs_that_gc_merges_begin_it_anew(tmp_path: Path) -> None:
    from engine.archive.pruning import merge_twins

    run, out = record_run(tmp_path / "run", TASKS), tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    with RunReader(run) as reader:
        first, second = [row.program.program for row in program_records(reader, "all", Counter())][
            :2
        ]
    merge_twins(run, {second: first})
    assert "the run has changed" in finished(run, out).anew


def test_what_is_there_is_not_replaced_by_going_on(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    out.write_text("mine")
    with RunReader(run) as reader, pytest.raises(ExportError, match="--force"):
        write(reader, out, lambda *_: None)
    assert out.read_text() == "mine"
    assert finished(run, out, force=True) == Found(kept=8)


def test_what_others_put_into_a_folder_meanwhile_is_not_replaced(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables"

    def on_rows(done: int, whole: int) -> None:
        out.mkdir(exist_ok=True)
        (out / "thesis.tex").write_text("years of work")

    with RunReader(run) as reader, pytest.raises(ExportError, match=r"thesis\.tex"):
        write_tables(reader, out, force=True, on_rows=on_rows)
    assert (out / "thesis.tex").read_text() == "years of work"


def test_a_folder_that_is_in_the_way_is_left_alone(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    unfinished(out).mkdir()
    (unfinished(out) / "thesis.tex").write_text("years of work")
    with RunReader(run) as reader, pytest.raises(ExportError, match=r"thesis\.tex"):
        write(reader, out, lambda *_: None)
    with pytest.raises(ExportError, match="in the way"), new_file(out, force=False):
        pass
    assert [path.name for path in unfinished(out).iterdir()] == ["thesis.tex"]


def test_a_file_made_in_one_go_takes_the_place_of_a_part(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    with new_file(out, force=False) as file:
        file.write(b"whole")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [
        ("p.jsonl", b"whole")
    ]


def test_two_exports_never_write_one_file(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    stopped_after(run, out, 20)
    with (
        locked(unfinished(out) / LOCK, out),
        RunReader(run) as reader,
        pytest.raises(ExportError, match="another export"),
    ):
        write(reader, out, lambda *_: None)
    assert finished(run, out) == Found(kept=8)


def test_a_stream_gets_the_lines_of_a_file(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader, (tmp_path / "stream").open("wb") as file:
        records = program_records(reader, "all", Counter())
        seen: list[tuple[int, int]] = []
        assert write_stream(records, PROGRAMS, file, lambda *done: seen.append(done)) == 12
    finished(run, tmp_path / "p.jsonl")
    assert (tmp_path / "stream").read_bytes() == (tmp_path / "p.jsonl").read_bytes()
    assert seen == [(12, 36), (24, 36), (36, 36)]
    assert all(json.loads(line) for line in (tmp_path / "stream").read_bytes().splitlines())
