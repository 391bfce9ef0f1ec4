"""What the tests of the command line share: a command line at hand, and one finished run."""

from __future__ import annotations

from pathlib import Path

import pytest

from soar_tui.cli import execute
from tests.cli.program import BUDGET, Ask, Said, Searched, spawn


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ask:
    """Run a command line in this process, with a folder of runs of its own."""
    monkeypatch.setenv("SOAR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: str) -> Said:
        capfd.readouterr()
        code = execute(list(arguments))
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Search two sample tasks once, by a real engine."""
    home = tmp_path_factory.mktemp("home")
    said = spawn(home, "run", "--tasks", "sample:3", "--name", "three", *BUDGET, "--json")
    assert said.code == 0, said.err
    return Searched(home, "three", said)
