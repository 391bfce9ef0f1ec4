"""Exports as a user asks for them: where they go, what they refuse, what they say."""

import json
import os
import signal
import subprocess
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import zstandard

from engine.config import LearnConfig, Settings
from engine.learning.example import Example
from tests.cli.program import PROGRAM, Ask, environment
from tests.exports.runs import SOURCES, record_learned, record_run, task


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return record_run(tmp_path / "home" / "runs" / "two", [task("a"), task("b", known=False)])


def test_programs_go_to_a_file_whole_with_a_count_of_what_is_left_out(
    ask: Ask, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.parquet"
    said = ask("export", "programs", "two", "--out", str(out), "--json")
    document = said.document
    assert document["rows"] == pq.read_metadata(out).num_rows == 4
    assert document["files"] == [{"path": str(out), "rows": 4, "bytes": out.stat().st_size}]
    assert sum(reason["count"] for reason in document["left_out"]) == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "p.parquet"]


def test_stdout_takes_lines_of_json(ask: Ask, run: Path) -> None:
    lines = ask("export", "programs", "two", "--out", "-").out.splitlines()
    assert {json.loads(line)["task_id"] for line in lines} == {"a", "b"}
    chats = ask("export", "dataset", "two", "--out", "-").out.splitlines()
    assert all(json.loads(line)["prompt"] for line in chats)


def test_chats_are_of_all_the_runs_that_learning_would_pool(
    ask: Ask, run: Path, tmp_path: Path
) -> None:
    pooling = Settings(iterations=2, learn=LearnConfig(runs=(str(run),)))
    record_run(tmp_path / "home" / "runs" / "ours", [task("a")], settings=pooling)
    lines = ask("export", "dataset", "ours", "--out", "-").out.splitlines()
    assert {json.loads(line)["task_id"] for line in lines} == {"a", "b"}
    assert len(lines) == ask("train", "ours", "--dry-run", "--json").document["used"]


@pytest.mark.parametrize(
    ("others", "code", "named"),
    [(("ours",), 2, "learn.runs: "), (("two", "two"), 2, "twice"), (("gone",), 1, "gone")],
)
def test_runs_that_cannot_be_pooled_are_named(
    ask: Ask, run: Path, tmp_path: Path, others: tuple[str, ...], code: int, named: str
) -> None:
    runs = tmp_path / "home" / "runs"
    pooling = Settings(iterations=2, learn=LearnConfig(runs=tuple(str(runs / o) for o in others)))
    record_run(runs / "ours", [task("a")], settings=pooling)
    said = ask("export", "dataset", "ours", "--out", str(tmp_path / "c.jsonl"), "--json")
    assert (said.code, said.out) == (code, "")
    assert named in json.loads(said.err)["error"]


@pytest.mark.parametrize(("damage", "says"), [(b"no zstd", "not a dataset"), (b"", "line 1")])
def test_a_damaged_dataset_is_said_in_one_sentence(
    ask: Ask, tmp_path: Path, damage: bytes, says: str
) -> None:
    searched = task("a", known=False)
    data = [Example("correct", searched, SOURCES[0], 1)]
    folder = record_learned(tmp_path / "home" / "runs" / "learned", searched, data)
    packed = folder / "datasets" / "iteration-0.jsonl.zst"
    packed.write_bytes(damage or zstandard.compress(b'{"origin": "correct"\n'))
    out = tmp_path / "c.jsonl"
    said = ask("export", "dataset", "learned", "--out", str(out), "--json")
    assert (said.code, said.out) == (1, "")
    error = json.loads(said.err.splitlines()[-1])["error"]
    assert "iteration-0.jsonl.zst" in error and says in error
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_report_lays_several_side_by_side(ask: Ask, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.html"
    said = ask("export", "report", "two:1", "two:2", "--out", str(out), "--json")
    assert (said.document["run"], said.document["rows"]) == ("two", 2)
    page = out.read_text(encoding="utf-8")
    assert "<h1>two:1 · two:2</h1>" in page
    assert "McNemar" in page
    assert ask("export", "report", "two", "--out", str(out), "--force").code == 0
    assert "McNemar" not in out.read_text(encoding="utf-8")


def test_what_is_there_is_replaced_only_with_force(ask: Ask, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    out.write_text("mine")
    said = ask("export", "programs", "two", "--out", str(out))
    assert (said.code, out.read_text()) == (2, "mine")
    assert "--force" in said.err
    assert ask("export", "programs", "two", "--out", str(out), "--force").code == 0
    assert json.loads(out.read_text().splitlines()[0])["task_id"] == "a"


def test_a_folder_of_tables_never_takes_the_place_of_other_files(
    ask: Ask, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "tables"
    assert ask("export", "tables", "two", "--out", str(out)).code == 0
    query = (
        f"SELECT t.id, c.number FROM '{out}/candidate.parquet' c "
        f"JOIN '{out}/task.parquet' t USING (task) WHERE c.iteration = 1 AND c.right ORDER BY ALL"
    )
    # Two of task a's candidates are right; the truth of b is not known.
    assert duckdb.sql(query).fetchall() == [("a", 2), ("a", 4)]
    assert ask("export", "tables", "two", "--out", str(out)).code == 2
    assert ask("export", "tables", "two", "--out", str(out), "--force").code == 0
    (out / "thesis.tex").write_text("years of work")
    said = ask("export", "tables", "two", "--out", str(out), "--force")
    assert (said.code, (out / "thesis.tex").read_text()) == (2, "years of work")
    assert "thesis.tex" in said.err


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("programs", "data.parquet"),
        ("dataset", "data.jsonl"),
        ("report", "page.html"),
        ("submission", "answers.json"),
    ],
)
def test_a_file_never_takes_the_place_of_a_folder(
    ask: Ask, run: Path, tmp_path: Path, command: str, name: str
) -> None:
    out = tmp_path / name
    out.mkdir()
    (out / "part-0.parquet").write_text("hours of work")
    said = ask("export", command, "two", "--out", str(out), "--force")
    assert said.code == 2
    assert f"{out}: there is a folder of that name" in said.err
    assert (out / "part-0.parquet").read_text() == "hours of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["home", name])


def test_a_folder_of_tables_never_takes_the_place_of_a_file(
    ask: Ask, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "tables"
    out.write_text("mine")
    said = ask("export", "tables", "two", "--out", str(out), "--force")
    assert (said.code, out.read_text()) == (2, "mine")
    assert f"{out}: there is a file of that name" in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "tables"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("programs", "two", "--out", "p.csv"), ".parquet"),
        (("programs", "two", "--out", "p.jsonl", "--iteration", "3"), "--iteration 3"),
        (("dataset", "two", "--out", "c.jsonl", "--iteration", "3"), "iteration 3"),
        (("dataset", "two", "--out", "-", "--json"), "stdout"),
        (("tables", "none", "--out", "t"), "'none'"),
        (("tables", "two", "--out", "-"), "folder"),
        (("report", "two:1", "--out", "r.html"), "RUN:I"),
        (("report", "two", "two:3", "--out", "r.html"), "no task of two:3 has been voted on"),
        (("report", "plan.toml", "--out", "r.html"), "`soar-tui compare small.toml large.toml`"),
        (("report", "two", "plan.toml", "--out", "r.html"), "plan.toml: No such file"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(
    ask: Ask, run: Path, tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    os.chdir(tmp_path)
    said = ask("export", *arguments)
    assert said.code == 2
    assert named in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_killed_export_leaves_its_place_free_and_is_begun_anew(
    ask: Ask, run: Path, tmp_path: Path
) -> None:
    out, part = tmp_path / "p.jsonl", tmp_path / "p.jsonl.part"
    # An export that waits for its stdin in the middle of writing, so that it can be killed there.
    program = (
        "import sys; from pathlib import Path; from engine.exports.output import new_file\n"
        "with new_file(Path(sys.argv[1]), force=False) as file:\n"
        "    file.write(b'half'); file.flush(); print('writing', flush=True); sys.stdin.read()\n"
    )
    writing = subprocess.Popen(
        [PROGRAM[0], "-c", program, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert writing.stdout is not None
    assert writing.stdout.readline() == b"writing\n"
    said = ask("export", "programs", "two", "--out", str(out))
    assert (said.code, "another export" in said.err) == (2, True)
    writing.send_signal(signal.SIGKILL)
    writing.communicate()
    assert (part.read_bytes(), out.exists()) == (b"half", False)
    said = ask("export", "programs", "two", "--out", str(out))
    assert (said.code, part.exists()) == (0, False)
    assert "cut off" in said.err
    assert len(out.read_text().splitlines()) == 4


def test_a_cut_off_export_is_gone_on_with_by_the_same_command(
    ask: Ask, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.jsonl"
    # The command's own export in small pieces, which is killed after the first task.
    program = (
        "import sys; from collections import Counter; from pathlib import Path\n"
        "from engine.archive.reader import RunReader\n"
        "from engine.exports.programs import PROGRAMS, program_records\n"
        "from engine.exports.rows import write_rows\n"
        "def seen(done, whole):\n"
        "    if done > 12: print('writing', flush=True); sys.stdin.read()\n"
        "with RunReader(Path(sys.argv[1])) as reader:\n"
        "    rows = program_records(reader, 'unfiltered', Counter())\n"
        "    write_rows(rows, PROGRAMS, Path(sys.argv[2]), force=False, on_progress=seen,\n"
        "        on_found=print, every=1)\n"
    )
    writing = subprocess.Popen(
        [PROGRAM[0], "-c", program, str(run), str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert writing.stdout is not None
    assert b"writing\n" in iter(writing.stdout.readline, b"")
    writing.send_signal(signal.SIGKILL)
    writing.communicate()
    assert not out.exists()
    said = ask("export", "programs", "two", "--out", str(out), "--json").document
    assert (said["rows"], said["kept_rows"], said["begun_anew"]) == (4, 2, False)
    whole = ask("export", "programs", "two", "--out", str(tmp_path / "w.jsonl"), "--json").document
    assert said["left_out"] == whole["left_out"]
    assert out.read_bytes() == (tmp_path / "w.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "p.jsonl", "w.jsonl"]


def test_progress_says_how_much_there_is_in_all(
    ask: Ask, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soar_tui.cli.progress.JSON_SECONDS", 0.0)
    for command, what, total in (
        ("programs", "candidates", 24),
        ("dataset", "tasks", 2),
        ("tables", "rows", None),
        ("report", "steps", 8),
        ("submission", "tasks", 2),
    ):
        name = {"tables": "t", "report": "r.html", "submission": "s.json"}.get(command, command)
        out = tmp_path / (f"{name}.jsonl" if name == command else name)
        said = ask("export", command, "two", "--out", str(out), "--json")
        assert said.code == 0, said.err
        lines = [json.loads(line) for line in said.err.splitlines()]
        assert {line["what"] for line in lines} == {what}
        wholes = {line["total"] for line in lines}
        assert wholes == {total or said.document["rows"]}
        assert [line["done"] for line in lines] == sorted(line["done"] for line in lines)
