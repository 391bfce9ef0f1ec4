"""Environments are built whole or not at all, noted where runs find them, and kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from engine.config import PolicyConfig, TrainConfig
from engine.policies.llm.environments import ENVIRONMENTS, serving_python, training_python
from soar_tui.cli.errors import InputError
from soar_tui.cli.user_config import note
from tests.cli.program import PROGRAM, ROOT, Ask, environment
from tests.cli.wheels import requirements, wheel


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a user who has a configuration already."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config" / "soar-tui" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('# mine\n[keys]\npause = "P"  # easier\n')
    return path


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    wheel(tmp_path / "wheels", "xllamacpp", "2026.10.1")
    return requirements(tmp_path, "xllamacpp")


def test_the_packages_are_those_of_the_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, one in ENVIRONMENTS.items():
        listed = [entry.partition(";") for entry in extras["optional-dependencies"][name]]
        assert list(one.requirements) == [requirement for requirement, _, _ in listed]
        assert one.linux_x86_64 == all("x86_64" in marker for _, _, marker in listed)


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_an_environment_is_built_noted_and_kept(
    ask: Ask, config: Path, wanted: Path, tmp_path: Path, tool: str
) -> None:
    if shutil.which(tool) is None and tool == "uv":
        pytest.skip("there is no uv on the PATH")
    arguments = ("setup", "local", "--from", str(wanted), "--into", str(tmp_path / "e"))
    arguments = (*arguments, "--with", tool, "--json")
    built = ask(*arguments)
    assert built.code == 0, built.err
    python = Path(built.document["python"])
    assert built.document["built"] and python.is_relative_to(tmp_path / "e")
    assert built.document["packages"] == [{"name": "xllamacpp", "version": "2026.10.1"}]
    subprocess.run([python, "-I", "-c", "import xllamacpp"], check=True)
    assert config.read_text() == (
        f'# mine\n[keys]\npause = "P"  # easier\n\n[environments]\nlocal = "{python}"\n'
    )
    made = python.stat().st_ctime_ns
    again = ask(*arguments)
    assert not again.document["built"] and python.stat().st_ctime_ns == made
    assert "xllamacpp 2026.10.1" in ask("setup").out


def test_a_run_takes_the_noted_interpreters_unless_it_names_its_own(config: Path) -> None:
    config.write_text('[environments]\nserve = "/s"\ntrain = "/t"\ntrain-hf = "/h"\nlocal = "/l"\n')
    assert serving_python(PolicyConfig(kind="sglang"), None) == "/s"
    assert serving_python(PolicyConfig(kind="local"), None) == "/l"
    assert serving_python(PolicyConfig(kind="local"), "/own") == "/own"
    assert training_python(TrainConfig()) == "/t"
    assert training_python(TrainConfig(trainer="hf")) == "/h"
    assert training_python(TrainConfig(python="/own")) == "/own"
    config.unlink()
    assert training_python(TrainConfig()) == sys.executable


@pytest.mark.parametrize(
    ("listed", "said"),
    [("nonexistent-package", "nonexistent-package"), ("other", "holds no xllamacpp")],
)
def test_a_build_that_fails_says_why_and_leaves_nothing(
    ask: Ask, config: Path, tmp_path: Path, listed: str, said: str
) -> None:
    wheel(tmp_path / "wheels", "other", "1.0")
    before = config.read_text()
    wanted = requirements(tmp_path, listed)
    into = tmp_path / "e"
    failed = ask("setup", "local", "--from", str(wanted), "--into", str(into), "--with", "pip")
    assert failed.code == 1 and said in failed.err and ".log" in failed.err
    assert not [path for path in into.iterdir() if path.is_dir()]
    assert config.read_text() == before


def test_what_a_killed_build_left_is_no_hindrance(
    ask: Ask, config: Path, wanted: Path, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    (marks / "slow").touch()
    slow = tmp_path / "python"
    slow.write_text(
        f'#!/bin/sh\nif [ "$1" = -m ] && [ -e {marks}/slow ]; then mkdir -p "$3/half" && '
        f"echo $$ > {marks}/process.new && mv {marks}/process.new {marks}/process && "
        f'exec sleep 600; fi\nexec {sys.executable} "$@"\n'
    )
    slow.chmod(0o755)
    into = tmp_path / "e"
    arguments = ["setup", "local", "--from", str(wanted), "--into", str(into), "--with", "pip"]
    arguments += ["--python", str(slow)]
    building = subprocess.Popen([*PROGRAM, *arguments], env=environment(tmp_path / "home"))
    while not (marks / "process").exists():
        assert building.poll() is None
    beside = ask(*arguments)
    assert beside.code == 1 and "another process is building" in beside.err
    building.send_signal(signal.SIGKILL)
    building.wait()
    process = int((marks / "process").read_text())
    while _alive(process):  # it is on a leash, and ends by itself
        pass
    assert list(into.glob("*/half"))
    (marks / "slow").unlink()
    assert ask(*arguments).code == 0
    assert not list(into.glob("*/half"))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_dry_run_prints_the_commands_and_does_nothing(
    ask: Ask, config: Path, tmp_path: Path
) -> None:
    before = config.read_text()
    said = ask("setup", "serve", "--dry-run", "--with", "pip", "--into", str(tmp_path / "e"))
    make, install = said.out.splitlines()
    assert make.startswith(f"{sys.executable} -m venv {tmp_path}/e/serve-")
    assert install.endswith(" sglang==0.5.23")
    assert not (tmp_path / "e").exists() and config.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "serve, train, train-hf, local"),
        (("local", "--with", "conda"), "must be uv or pip"),
        (("local", "--with", "pip", "--python", "/no/python"), "/no/python"),
        (("local", "--from", "/no/file"), "/no/file"),
    ],
)
def test_what_cannot_be_built_is_refused(
    ask: Ask, config: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = ask("setup", *arguments)
    assert refused.code == 2 and said in refused.err


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[t]\na = "1"\n'),
        ("x = 1", 'x = 1\n\n[t]\na = "1"\n'),
        ("[t] # here\nb = 2\n[u]\na = 3\n", '[t] # here\na = "1"\nb = 2\n[u]\na = 3\n'),
        ('[t]\n# old\na = "0"\n[u]\n', '[t]\n# old\na = "1"\n[u]\n'),
        ("[t]", '[t]\na = "1"\n'),
    ],
)
def test_one_entry_is_changed_and_the_rest_left(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(before)
    assert note(path, "t", "a", "1")
    assert path.read_text() == after
    assert not note(path, "t", "a", "1")


@pytest.mark.parametrize("text", ['t = {a = "0"}\n', 't.a = "0"\n', "t = 3\n", "not toml", "[t\n"])
def test_a_file_that_cannot_be_changed_is_left(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"config\.toml"):
        note(path, "t", "a", "1")
    assert path.read_text() == text
