"""docs/extending.md as written: its two modules are installed and searched with."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from engine.archive.reader import RunReader
from tests.cli.program import ROOT, spawn
from tests.docs.pages import blocks

SOLVABLE = ("mirror-left-right", "half-turn", "rows-become-columns")
BUDGET = ("--samples", "20", "--refinements", "8", "--seed", "0", "--json")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page's modules into a folder, each under the name its first line says."""
    folder = tmp_path_factory.mktemp("modules")
    for text in blocks(ROOT / "docs" / "extending.md", "python"):
        named = re.match(r'"""(\w+\.py): ', text)
        assert named is not None, text
        (folder / named[1]).write_text(text, encoding="utf-8")
    return folder


def path(folder: Path) -> str:
    return os.pathsep.join([str(folder), str(ROOT)])


def test_the_modules_are_as_short_as_a_newcomer_is_told(modules: Path) -> None:
    for module in modules.glob("*.py"):
        lines = [line for line in module.read_text().splitlines() if line.strip()]
        assert len(lines) <= 40, module.name


def test_policy_and_trainer_search_learn_and_search_on(modules: Path, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for name in SOLVABLE:
        shutil.copy(ROOT / "sample_tasks" / f"{name}.json", tasks)
    said = spawn(
        tmp_path,
        *("run", "--tasks", str(tasks), "--name", "mine", "--iterations", "2", *BUDGET),
        *("--set", "policy.kind=module", "--set", "policy.module=turns_trained"),
        PYTHONPATH=path(modules),
    )
    assert said.code == 0, said.err
    assert said.document["solved"] == len(SOLVABLE)
    assert len(said.document["iterations"]) == 2
    (checkpoint,) = (tmp_path / "runs" / "mine" / "checkpoints").glob("iteration-0")
    counts = json.loads(checkpoint.read_text())
    assert counts["g.T"] > 1, "the step that solves rows-become-columns was not learned from"


def test_a_module_without_a_trainer_goes_on_untuned(modules: Path, tmp_path: Path) -> None:
    said = spawn(
        tmp_path,
        *("run", "--tasks", "sample:2", "--name", "plain", "--iterations", "2", *BUDGET),
        *("--set", "policy.kind=module", "--set", "policy.module=turns"),
        PYTHONPATH=path(modules),
    )
    assert said.code == 0, said.err
    assert not (tmp_path / "runs" / "plain" / "checkpoints" / "iteration-0").exists()
    with RunReader(tmp_path / "runs" / "plain") as reader:
        texts = [event.text for event in reader.events()]
    assert any("its module has no open_trainer" in text for text in texts)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ((), "policy.module: the kind module needs the name of a Python module"),
        (("policy.module=nowhere_to_be_found",), "No module named 'nowhere_to_be_found'"),
        (("policy.module=json",), "policy.module: json defines no open_policy(settings, logs)"),
        (("policy.module=not a name",), "policy.module"),
    ],
)
def test_a_module_that_cannot_be_used_is_refused_in_a_sentence(
    settings: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    changes = [word for each in ("policy.kind=module", *settings) for word in ("--set", each)]
    said = spawn(tmp_path, "run", "--tasks", "sample:1", *changes)
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err
