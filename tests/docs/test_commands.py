"""Every command of the README and the docs is carried out, or, with a reason, at least understood.

A command of soar-tui that is not listed below is run as it stands, but for its budget: one that no
longer works, or is new and does not, fails here. Anything else must be listed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from soar_tui.cli import app, execute
from soar_tui.cli.options import settings_from
from tests.cli.program import ROOT, spawn
from tests.docs.pages import Command, commands, spans

BUDGET = (
    *("--samples", "10", "--refinements", "4"),
    *("--set", "policy.workers=1", "--set", "sandbox.workers=1"),
)
SMALLER = {
    "arc1-train:20": "arc1-train:1",
    "arc1-train:100": "arc1-train:1",
    "arc1-train": "arc1-train:1",
    "arc1-eval": "sample:1",
    "sample": "sample:1",
}
"""Instead of the task sets named in the docs, where a command searches."""
SEARCHES = ("run", "solve")

OTHER_RUNS = ("base", "tuned", "small", "large", "soar")
"""Runs that the docs speak of, beside the one that is `last`."""

NOT_RUN = {
    "soar-tui run --set policy.kind=sglang": "needs a GPU and a model",
    "soar-tui run --tasks arc1-train --preset cpu --cluster auto": "needs a Ray cluster",
    "soar-tui run --tasks sample --set policy.kind=module": "run by test_extending",
    "soar-tui import soar_arc_train_5M.parquet": "needs the released dataset",
    "soar-tui run --train-tasks arc1-train --tasks arc1-eval --preset": "the README's circle again",
    "soar-tui run --tasks arc1-train:100 --preset cpu --seed 0 --json": "as the one of cli.md",
    "soar-tui run --name half --train-tasks arc1-train:200": "minutes, for the command after it",
    "make": "would build an environment, or run for minutes; its recipe is expanded instead",
    "python -m pytest tests/policies/llm/test_real_server.py": "needs a running model server",
    "python -m tests.benchmarks.learning_effect": "hours",
    "python -m tests.benchmarks.skill_steps": "minutes",
    "python -m engine.policies.llm.models": "fetches 94 MiB",
    "python -m tests.learning.trainers.across": "an hour, in an environment with torch",
}
"""Beginnings of commands that are only looked at, and why."""

NOT_OURS = {
    "jq": "a filter of what our commands print",
    "pip install 'soar-tui[": "needs the package published; the extra is looked up",
    "ray start": "Ray's own",
    "sqlite3 -readonly archive.db": "SQLite's own shell",
}
"""Beginnings of other programs' commands, and why they are no claim of ours."""


def reason(command: Command) -> str | None:
    """Return why a command is not run here, or None."""
    listed = NOT_RUN | NOT_OURS
    return next((why for head, why in listed.items() if command.text.startswith(head)), None)


ALL = commands()
RUN = [command for command in ALL if reason(command) is None]
LOOKED_AT = [command for command in ALL if reason(command) is not None]


def named(command: Command) -> str:
    return f"{command.page}: {command.text}"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Search a task three times over, and keep the run under every name the docs use."""
    home = tmp_path_factory.mktemp("docs")
    said = spawn(
        home,
        *("run", "--tasks", "arc1-train:1", "--iterations", "3", "--name", OTHER_RUNS[0]),
        *(*BUDGET, "--seed", "0", "--json"),
    )
    assert said.code == 0, said.err
    for name in (*OTHER_RUNS[1:], "first-look"):
        shutil.copytree(home / "runs" / OTHER_RUNS[0], home / "runs" / name)
    return home


@pytest.fixture
def newcomer(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder with those runs, programs, a settings file and the sample tasks."""
    home, here = tmp_path / "home", tmp_path / "here"
    shutil.copytree(searched, home)
    shutil.copytree(ROOT / "sample_tasks", here / "sample_tasks")
    program = {"id": 1, "task": "007bbfb7", "source": "def transform(grid):\n    return grid\n"}
    (here / "programs.jsonl").write_text(json.dumps(program) + "\n")
    (here / "plan.toml").write_text("seed = 3\n")
    monkeypatch.chdir(here)
    monkeypatch.setenv("SOAR_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("COLUMNS", raising=False)
    return here


def affordable(words: Sequence[str]) -> list[str]:
    """Return soar-tui's words with smaller task sets and budgets, and without side effects."""
    command = words[0] if words else ""
    if command == "setup":
        return [*words, "--dry-run"]
    if command not in SEARCHES:
        return list(words)
    return [*(SMALLER.get(word, word) for word in words), *BUDGET]


@pytest.mark.parametrize("command", RUN, ids=named)
def test_a_command_of_the_docs_does_what_it_says(
    command: Command, newcomer: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command.words[0] == "soar-tui", f"not listed, and not ours: {command.text}"
    assert not command.changes, "a variable set before a command that is run is not provided for"
    code = execute(affordable(command.words[1:]))
    out, err = capfd.readouterr()
    # doctor's 1 means that this machine lacks something, which it names.
    allowed = {0, 1} if command.words[1:2] == ("doctor",) else {0}
    assert code in allowed, f"{out}{err}"
    assert out or err
    if "--json" in command.words:
        json.loads(out)


@pytest.mark.parametrize("command", LOOKED_AT, ids=named)
def test_a_command_that_cannot_be_run_here_is_at_least_understood(command: Command) -> None:
    words = command.words
    if words[0] == "soar-tui":
        understand(words[1:])
    elif words[0] == "make":
        done = subprocess.run(
            ["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
    elif words[0] == "python":
        assert words[1] == "-m"
        assert find_spec(words[2]) is not None
        for word in words[3:]:
            assert not word.startswith("tests/") or (ROOT / word).exists(), word
        if words[2] != "pytest":
            offered = subprocess.run(
                [sys.executable, *words[1:3], "--help"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            for word in words[3:]:
                assert not word.startswith("--") or word in offered, word
    elif words[0] == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        for name in re.findall(r"soar-tui\[(\w+)\]", command.text):
            assert name in extras["optional-dependencies"]


def understand(words: Sequence[str]) -> None:
    """Parse a command line as soar-tui would, and its settings, without running it."""
    group, name = found(words)
    context = group.make_context(name, list(words[len(name.split()) :]), resilient_parsing=False)
    assignments = context.params.get("assignments") or context.params.get("sets") or []
    settings_from(context.params.get("preset"), None, list(assignments), {})


def found(words: Sequence[str]) -> tuple[Any, str]:
    """Return the command of a command line, and its name, one word or two."""
    command: Any = get_command(app)
    name: list[str] = []
    for word in words:
        inner = getattr(command, "commands", {})
        if not inner:
            break
        assert word in inner, f"no command {' '.join([*name, word])!r}"
        command = inner[word]
        name.append(word)
    return command, " ".join(name)


SPANS = sorted({text for _, text in spans()})


@pytest.mark.parametrize("text", SPANS)
def test_what_the_prose_calls_a_command_is_one(text: str) -> None:
    words = re.sub(r"'[^']*'|…", " ", text).split()[1:]
    if words and words[0].isupper():
        return  # `soar-tui COMMAND --help`
    command, _ = found([word for word in words if not word.startswith("-")])
    offered = {option for param in command.params for option in param.opts} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in offered, f"{text}: no option {word}"


def test_no_reason_is_left_for_what_the_docs_no_longer_say() -> None:
    texts = [command.text for command in ALL]
    unused = [
        head for head in (NOT_RUN | NOT_OURS) if not any(text.startswith(head) for text in texts)
    ]
    assert not unused
