"""Programs of others become a run: run again, never believed, gone on with where they were cut off."""

import asyncio
import json
import os
import signal
import subprocess
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from engine.arc.document import save_task
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import override, preset
from engine.control import run_tasks
from engine.intake.rows import look_at
from engine.intake.taking import Intake, take_in
from tests.cli.program import PROGRAM, SECONDS, Ask, environment, spawn
from tests.exports.runs import RIGHT, SOURCES, record_run, task

LOOP = "def transform(grid):\n    while True:\n        pass\n"
QUICK = ("--set", "sandbox.cpu=0.1", "--set", "sandbox.fast_cpu=0.05", "--set", "sandbox.workers=1")


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks"
    folder.mkdir()
    for name in ("a", "b"):
        save_task(task(name), folder / f"{name}.json")
    return folder


def rows_of(run: Path) -> list[tuple[int, str, str | None, tuple[bool, ...] | None]]:
    """Every candidate of a run: its id, program, filter, and what it got right."""
    with RunReader(run) as reader:
        return [
            (c.id, c.source, c.evaluation.filter, c.evaluation.right)
            for index in range(len(reader.tasks()))
            for _, found in reader.pulls(0, index)
            for c in found
        ]


def test_rows_are_run_again_and_what_is_wrong_with_others_is_counted(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    lines = [
        {"task_id": "a", "code": RIGHT, "correct_train_input": [True, True, True]},
        {"task": "b", "source": SOURCES[2]},
        {"task_id": "a", "code": SOURCES[3], "correct_train_input": [True, True, True]},
        {"task_id": "a", "code": "def transform(grid):\n    return '\ud800'\n"},
        {"task_id": "c", "code": RIGHT},
        {"task_id": "a"},
        {"task_id": 7, "code": RIGHT},
        {"task_id": "a", "code": "print('hello')"},
        {"task_id": "a", "code": RIGHT + "#" * 100_000},
        ["a", RIGHT],
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n\n{broken\n"
    path = tmp_path / "theirs.jsonl"
    path.write_text(text)
    said = ask("import", str(path), "--tasks", str(tasks), *QUICK, "--json").document
    assert said["refused"] == [
        {"reason": "its task is not in the task set", "count": 1, "first": 5},
        {"reason": "no text in 'code' or 'source'", "count": 1, "first": 6},
        {"reason": "no text in 'task_id' or 'task'", "count": 1, "first": 7},
        {"reason": "defines no transform", "count": 1, "first": 8},
        {"reason": "longer than 100,000 characters", "count": 1, "first": 9},
        {"reason": "not a JSON object", "count": 1, "first": 10},
        {"reason": "not JSON", "count": 1, "first": 12},
    ]
    assert (said["programs"], said["perfect"], said["tasks"]) == (4, 1, 2)
    assert (said["claims"], said["denied"]) == (2, 1)
    assert (said["solved"], said["known"]) == (1, 2)
    assert [row[1:] for row in rows_of(Path(said["folder"]))] == [
        (RIGHT, None, (True, True, True)),
        (SOURCES[3], None, (False, True, True)),
        ("def transform(grid):\n    return '?'\n", "invalid", (False, False, False)),
        (SOURCES[2], "invalid", (False, False, False)),
    ]


def test_an_import_is_a_finished_run_that_is_shown_and_exported(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"task_id": "a", "code": RIGHT}) + "\n")
    ask("import", str(path), "--tasks", str(tasks), "--name", "theirs", *QUICK)
    status = ask("status", "theirs", "--json").document
    assert (status["state"], status["finished"], status["solved"]) == ("finished", 2, 1)
    shown = ask("show", "theirs", "a", "--json").document
    assert shown["candidate"]["source"] == RIGHT
    assert shown["submissions"] == [[[[2, 1, 0]]]]
    again = tmp_path / "again.parquet"
    assert ask("export", "programs", "theirs", "--out", str(again)).code == 0
    assert ask("export", "dataset", "theirs", "--out", "-").out.count('"origin": "correct"') == 1
    second = ask("import", str(again), "--tasks", str(tasks), *QUICK, "--json").document
    assert (second["run"], second["programs"], second["denied"]) == ("again", 1, 0)
    taken = ask("import", str(path), "--tasks", str(tasks), "--name", "theirs")
    assert (taken.code, "already" in taken.err) == (2, True)


def test_what_one_run_exports_another_takes_in_unchanged(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    record_run(tmp_path / "home" / "runs" / "ours", [task("a"), task("b")])
    out = tmp_path / "ours.parquet"
    ask("export", "programs", "ours", "--out", str(out), "--which", "all")
    packed = tmp_path / "packed.jsonl.zst"
    ask("export", "programs", "ours", "--out", str(tmp_path / "x.jsonl"), "--which", "all")
    packed.write_bytes(zstandard.compress((tmp_path / "x.jsonl").read_bytes()))
    said = [
        ask("import", str(path), "--tasks", str(tasks), "--name", name, *QUICK, "--json").document
        for path, name in ((out, "one"), (packed, "two"))
    ]
    assert [document["denied"] for document in said] == [0, 0]
    assert rows_of(Path(said[0]["folder"])) == rows_of(Path(said[1]["folder"]))
    assert {row[1] for row in rows_of(Path(said[0]["folder"]))} == {
        source.replace("\ud800", "?") for source in SOURCES
    }


def test_training_tasks_are_marked_as_such_and_a_task_may_be_bounded(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.jsonl"
    row = {"task_id": "a", "code": RIGHT}
    path.write_text("".join(json.dumps(row) + "\n" for _ in range(5)))
    said = ask(
        "import", str(path), "--tasks", str(tasks), "--train", "--per-task", "3", *QUICK, "--json"
    ).document
    assert said["programs"] == 3
    assert said["refused"][0]["count"] == 2
    with RunReader(Path(said["folder"])) as reader:
        assert [row.phase for row in reader.iterations()] == ["train"]
        assert reader.training_tasks() == 2


def test_what_was_imported_to_learn_from_gives_training_data_by_its_truth(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    rows = [{"task_id": name, "code": code} for name in "ab" for code in (RIGHT, SOURCES[3])]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ask("import", str(path), "--tasks", str(tasks), "--train", *QUICK)
    # Its iteration to learn from is through, the one after it can be gone on to.
    assert ask("status", "p", "--json").document["state"] == "stopped"
    lines = ask("export", "dataset", "p", "--out", "-").out.splitlines()
    chats = [(row["task_id"], row["origin"]) for row in map(json.loads, lines)]
    assert sorted(chats) == [
        ("a", "correct"), ("a", "hindsight"), ("b", "correct"), ("b", "hindsight")
    ]  # fmt: skip


def test_a_settings_files_training_tasks_let_no_truth_of_imported_ones_be_used(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    school = tmp_path / "school"
    school.mkdir()
    save_task(task("c"), school / "c.json")
    config = tmp_path / "old.toml"
    config.write_text(
        f"tasks = 'sample'\ntrain_tasks = '{school}'\n[learn]\nstrategy = 'greedy'\nsamples = 1\n"
    )
    # Right on the demonstrations only, and shorter: the truth alone says that the other is better.
    seems = "def transform(g):\n return [r[::-1] if r[0] else r for r in g]\n"
    right = (
        "import numpy as np\n\n\ndef transform(grid):\n"
        "    mirrored = np.fliplr(np.array(grid))\n    return mirrored.tolist()\n"
    )
    path = tmp_path / "p.jsonl"
    rows = [{"task_id": "a", "code": code} for code in (right, seems)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    chosen = {}
    for name, options in (("targets", ()), ("lessons", ("--train",))):
        said = ask(
            *("import", str(path), "--tasks", str(tasks), "--config", str(config)),
            *("--name", name, *options, *QUICK, "--json"),
        )
        assert (said.document["programs"], said.document["perfect"]) == (2, 2)
        (chat,) = ask("export", "dataset", name, "--out", "-").out.splitlines()
        chosen[name] = "np.fliplr" in json.loads(chat)["completion"][0]["content"]
    assert chosen == {"targets": False, "lessons": True}
    folder = tmp_path / "home" / "runs" / "targets"
    assert "train_tasks" not in tomllib.loads((folder / "run.toml").read_text())
    with RunReader(folder) as reader:
        assert [row.phase for row in reader.iterations()] == ["test"]
        assert [one.id for one in reader.tasks()] == ["a", "b"]


def test_training_tasks_as_an_assignment_are_refused_and_the_option_named(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"task_id": "a", "code": RIGHT}) + "\n")
    said = ask("import", str(path), "--tasks", str(tasks), "--set", f"train_tasks={tasks}")
    assert (said.code, "--train" in said.err) == (2, True)
    assert not (tmp_path / "home" / "runs" / "p").exists()


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("p.csv", b"", ".parquet"),
        ("p.parquet", b"PAR1 or not", "p.parquet"),
        ("p.jsonl.zst", b"{}", "not zstd"),
        ("p.jsonl.zst", zstandard.compress(b"{}\n" * 9000)[:-4], "cut off"),
        ("none.jsonl", None, "none.jsonl"),
    ],
)
def test_a_file_that_is_none_is_refused(
    ask: Ask, tasks: Path, tmp_path: Path, name: str, content: bytes | None, named: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = ask("import", str(path), "--tasks", str(tasks), *QUICK)
    assert said.code in (1, 2)
    assert named in said.err


def test_a_table_without_the_columns_is_refused_with_those_it_has(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"task_id": ["a"], "program": [RIGHT]}), path)
    said = ask("import", str(path), "--tasks", str(tasks), *QUICK)
    assert said.code == 2
    assert "'code' or 'source' among program, task_id" in said.err


def test_tasks_that_are_not_there_leave_the_name_free(
    ask: Ask, tasks: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"task_id": "a", "code": RIGHT}) + "\n")
    said = ask("import", str(path), "--tasks", str(tasks / "typo"), *QUICK)
    assert (said.code, "typo" in said.err) == (2, True)
    assert not (tmp_path / "home" / "runs").exists()


def test_an_import_that_was_cut_off_counts_the_time_it_took_before(
    tasks: Path, tmp_path: Path
) -> None:
    path, folder = tmp_path / "p.jsonl", tmp_path / "run"
    path.write_text("".join(json.dumps({"task_id": k, "code": RIGHT}) + "\n" for k in "ab"))
    folder.mkdir()
    settings = override(preset("cpu"), {"tasks": str(tasks), "sandbox.workers": 1})

    async def take(*, stop: bool) -> None:
        def on_progress(intake: Intake) -> None:
            if stop and intake.run:
                taking.cancel()

        loaded, seen = run_tasks(settings), look_at(path)
        taking = asyncio.create_task(
            take_in(folder, path, settings, *loaded, seen=seen, on_progress=on_progress)
        )
        await taking

    async def an_hour_later() -> None:
        writer = ArchiveWriter(folder)
        writer.put_status("import", {"seconds": 3600.0})
        await writer.close()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(take(stop=True))
    with RunReader(folder) as reader:
        assert reader.statuses()["import"].value["seconds"] > 0
    asyncio.run(an_hour_later())
    asyncio.run(take(stop=False))
    with RunReader(folder) as reader:
        (row,) = reader.iterations()
    assert row.candidates == 2
    assert row.seconds > 3600


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_import_cut_off_goes_on_and_ends_as_if_it_had_not_been(
    tasks: Path, tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "many.jsonl"
    lines = [
        {"task_id": "ab"[k % 2], "code": SOURCES[k % 4].replace("\ud800", "") + f"# {k}\n"}
        for k in range(600)
    ]
    lines[450:450] = [{"task_id": "a", "code": LOOP + f"# {k}\n"} for k in range(4)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    home = tmp_path / "home"
    arguments = ("import", str(path), "--tasks", str(tasks), "--name", "r", *QUICK)
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env=environment(home), stderr=subprocess.PIPE, text=True
    )
    folder = home / "runs" / "r"
    while process.poll() is None and _candidates(folder) < 100:
        os.sched_yield()
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert ("goes on from there" in err) == (number == signal.SIGINT)
    assert not (folder / "run.toml").exists()
    kept = _candidates(folder)
    assert 100 <= kept < len(lines)
    if number == signal.SIGKILL:
        other = tmp_path / "other.jsonl"
        other.write_text(path.read_text() + "\n")
        changed = spawn(home, "import", str(other), *arguments[2:])
        assert (changed.code, "not the file" in changed.err) == (2, True)
    again = spawn(home, *arguments, "--json")
    assert again.document["programs"] == len(lines)
    assert again.document["run_now"] == len(lines) - kept
    rows = rows_of(folder)
    assert [row[1] for row in rows] == [
        line["code"] for name in "ab" for line in lines if line["task_id"] == name
    ]
    assert {row[2] for row in rows if "while True" in row[1]} == {"invalid"}
    numbers = [row[0] & 0xFFFFFF for row in rows if row[0] >> 24 & 0xFFFF == 0]
    assert numbers == list(range(len(numbers)))


def _candidates(folder: Path) -> int:
    """How many candidates an archive holds, 0 where there is none yet."""
    if not (folder / "archive.db").exists():
        return 0
    try:
        with RunReader(folder) as reader:
            return sum(row.candidates for row in reader.iterations())
    except RuntimeError:
        return 0
