"""`soar-tui evaluate`: rows in, rows out, in order and as they come; what is refused, and how."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from engine.arc import load_tasks
from soar_tui.cli.documents.tasks import EvaluationDocument
from tests.cli.program import PROGRAM, SECONDS, Ask, environment
from tests.cli.test_documents import decoded
from tests.cli.test_steering import Terminal

QUICK = ("--set", "sandbox.cpu=0.2", "--set", "sandbox.workers=1")
TASK = {
    "train": [{"input": [[1, 2]], "output": [[2, 1]]}, {"input": [[3, 4]], "output": [[4, 3]]}],
    "test": [{"input": [[5, 6]]}],
}
FLIP = "def transform(grid):\n    return [row[::-1] for row in grid]"
SAME = "def transform(grid):\n    return grid"
LOOP = "def transform(grid):\n    while True: pass"
HALF = "def transform(grid):\n    return [[2, 1]] if grid[0][0] == 1 else 1 / 0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "tasks"
    place.mkdir()
    for name in ("flip", "flop"):
        (place / f"{name}.json").write_text(json.dumps(TASK))
    return place


def row(identifier: object, source: str, task: str = "flip") -> str:
    return json.dumps({"id": identifier, "task": task, "source": source}) + "\n"


def start(*arguments: str, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PROGRAM, "evaluate", *arguments, *QUICK],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(home), start_new_session=True,
    )  # fmt: skip


def test_every_row_gets_its_row_in_order(ask: Ask, folder: Path, tmp_path: Path) -> None:
    given = [
        ("loop", LOOP, "flip"), (7, FLIP, "flop"), ("same", SAME, "flip"), ("half", HALF, "flip"),
        ("no program", "1 +", "flop"), ("again", FLIP, "flop"), ("ü\x1b", FLIP, "flip"),
    ]  # fmt: skip
    file = tmp_path / "programs.jsonl"
    file.write_text("\n".join(row(*program) for program in given))  # with blank lines between
    said = ask("evaluate", str(file), "--tasks", str(folder), "--json", *QUICK)
    assert said.code == 0, said.err
    assert said.err == ""
    rows = [decoded(line, EvaluationDocument) for line in said.out.splitlines(keepends=True)]
    assert [(r.id, r.task) for r in rows] == [(i, task) for i, _, task in given]
    assert [r.accuracy for r in rows] == [0, 1, 0, 0.5, 0, 1, 1]
    assert [r.filter for r in rows] == [
        "invalid",
        None,
        "identity",
        "invalid",
        "invalid",
        None,
        None,
    ]
    first = [r.results[0] for r in rows]
    assert first[0].error == "timeout: used up 0.2 s of CPU"
    assert first[1].output == [[2, 1]]
    assert [result.output for result in rows[1].results] == [[[2, 1]], [[4, 3]], [[6, 5]]]
    assert rows[3].results[1].error == "exception: ZeroDivisionError: division by zero"
    assert (first[4].error or "").startswith("refused: SyntaxError")
    keys = {key for line in said.out.splitlines() for key in json.loads(line)["results"][0]}
    assert keys == {"output", "error"}
    assert all(len(result) == 1 for result in json.loads(said.out.splitlines()[3])["results"])


def test_a_row_comes_out_before_the_next_goes_in(folder: Path, tmp_path: Path) -> None:
    process = start("-", "--tasks", str(folder), home=tmp_path)
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(3):
        process.stdin.write(row(number, FLIP).encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == number
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, b"", b"")


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("{", ("not JSON",)),
        ("[1]", ("expected `object`",)),
        ('{"id": 1, "task": "flip"}', ("missing", "`source`")),
        ('{"id": 1, "task": "flip", "source": 5}', ("source:", "expected `str`")),
        ('{"id": null, "task": "flip", "source": ""}', ("id:", "null")),
        ('{"id": 1, "task": "flap", "source": ""}', ("task:", "'flap'", "tasks")),
    ],
)
def test_a_bad_row_of_a_file_is_named_before_anything_runs(
    ask: Ask, folder: Path, tmp_path: Path, bad: str, named: tuple[str, ...]
) -> None:
    file = tmp_path / "programs.jsonl"
    file.write_text(row(1, FLIP) + row(2, FLIP) + bad + "\n" + row(4, FLIP))
    said = ask("evaluate", str(file), "--tasks", str(folder))
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    for word in (str(file), "line 3", *named):
        assert word in said.err


def test_what_came_before_a_bad_row_of_a_pipe_is_printed(folder: Path, tmp_path: Path) -> None:
    process = start("-", "--tasks", str(folder), "--json", home=tmp_path)
    text = "".join(row(number, FLIP) for number in range(200)) + row(200, SAME, "flap")
    out, err = process.communicate((text + row(201, FLIP)).encode(), timeout=SECONDS)
    assert process.returncode == 2
    assert [json.loads(line)["id"] for line in out.splitlines()] == list(range(200))
    error = json.loads(err)
    assert "line 201" in error["error"]
    assert "'flap'" in error["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("nowhere.jsonl", "--tasks", "sample"), 1, "nowhere.jsonl"),
        (("/", "--tasks", "sample"), 1, "directory"),
        ((os.devnull, "--tasks", "nothing"), 2, "nothing"),
        ((os.devnull,), 2, "--tasks"),
        ((os.devnull, "--tasks", "sample", "--set", "sandbox.cpu=0"), 2, "sandbox.cpu"),
    ],
)
def test_what_cannot_be_read_is_refused(
    ask: Ask, arguments: tuple[str, ...], code: int, named: str
) -> None:
    said = ask("evaluate", *arguments)
    assert (said.code, said.out) == (code, "")
    assert named in said.err


def test_a_line_without_end_is_refused(folder: Path, tmp_path: Path) -> None:
    process = start("-", "--tasks", str(folder), home=tmp_path)
    _, err = process.communicate(b'{"id": 1, "source": "' + b"x" * (9 << 20), timeout=SECONDS)
    assert process.returncode == 2
    assert b"line 1: longer than" in err


def test_a_reader_that_leaves_early_is_no_error(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "programs.jsonl"
    file.write_text("".join(row(number, f"{FLIP}\n# {number}") for number in range(3000)))
    process = start(str(file), "--tasks", str(folder), home=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["id"] == 0
    process.stdout.close()
    assert process.wait(SECONDS) == 0
    assert process.stderr.read() == b""


def test_ctrl_c_ends_it_with_whole_rows_and_no_process_left(folder: Path, tmp_path: Path) -> None:
    process = start("-", "--tasks", str(folder), home=tmp_path)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write((row(0, FLIP) + row(1, LOOP) * 9).encode())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 0
    os.killpg(process.pid, signal.SIGINT)  # stdin is still open: it must not be waited for
    out, err = process.stdout.read(), process.stderr.read() if process.stderr else b""
    assert process.wait(SECONDS) == 130
    assert all(json.loads(line)["id"] == 1 for line in out.splitlines())
    assert b"Traceback" not in err
    assert b"Ctrl+C" in err
    process.stdin.close()


def test_on_a_terminal_there_is_a_line_to_read_per_program(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "programs.jsonl"
    file.write_text(row("good", FLIP) + row("bad\x1b[31m", HALF))
    terminal = Terminal(tmp_path, "evaluate", str(file), "--tasks", str(folder), *QUICK)
    assert terminal.end() == 0
    assert "✓   2/2  flip  good" in terminal.shown
    assert "1/2  flip  bad\\x1b[31m  exception: ZeroDivisionError" in terminal.shown
    assert "2 programs in" in terminal.shown


def test_a_program_that_is_a_table_is_right_and_filtered(ask: Ask, tmp_path: Path) -> None:
    task = load_tasks("sample/blue-frame").tasks[0]
    table = {str(pair.input.tolist()): pair.output.tolist() for pair in task.train}
    source = f"TABLE = {table!r}\ndef transform(grid):\n    return TABLE.get(str(grid), [[5]])"
    file = tmp_path / "programs.jsonl"
    file.write_text(row("table", source, "blue-frame"))
    said = ask("evaluate", str(file), "--tasks", "sample", *QUICK)
    assert said.document["accuracy"] == 1
    assert said.document["filter"] == "transduction"
