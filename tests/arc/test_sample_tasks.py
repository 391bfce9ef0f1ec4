"""The sample tasks: every file follows its rule, and its demonstrations tell it from the others."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.arc import load_tasks, pack, save_task
from tests.sample_rules.listing import LEVELS, listing
from tests.sample_rules.rule import RULES, UnclearError, draw_task

FOLDER = Path(__file__).parents[2] / "sample_tasks"
TASKS = {task.id: task for task in load_tasks("sample").tasks}


def test_every_task_has_a_rule_and_a_line_in_the_list():
    assert set(TASKS) == set(RULES)
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == listing()


def test_there_are_tasks_of_every_level():
    counts = Counter(rule.level for rule in RULES.values())
    assert set(counts) == set(LEVELS.values())
    assert min(counts.values()) >= 12


@pytest.mark.parametrize("name", RULES)
def test_a_task_follows_its_rule(name):
    task, transform = TASKS[name], RULES[name].transform
    expected = [pair.output for pair in task.train] + list(task.truth)
    for source, output in zip(task.inputs, expected, strict=True):
        assert np.array_equal(transform(source), output)


@pytest.mark.parametrize("name", RULES)
def test_a_file_is_what_its_rule_draws(name, tmp_path):
    save_task(draw_task(RULES[name]), tmp_path / "task.json")
    drawn = (tmp_path / "task.json").read_bytes()
    assert (FOLDER / f"{name}.json").read_bytes() == drawn


@pytest.mark.parametrize("name", RULES)
def test_a_task_is_worth_solving(name):
    task = TASKS[name]
    assert 3 <= len(task.train) <= 5
    assert 1 <= len(task.test) <= 2
    assert all(3 <= side <= 20 for grid in task.inputs for side in grid.shape)
    assert len({pack(grid) for grid in task.inputs}) == len(task.inputs)
    assert len({pack(pair.output) for pair in task.train}) > 1
    assert all(pack(pair.input) != pack(pair.output) for pair in task.train)


@pytest.mark.parametrize("name", RULES)
def test_no_rule_of_another_task_explains_the_demonstrations(name):
    others = (rule for rule in RULES.values() if rule.name != name)
    assert [rule.name for rule in others if explains(rule.transform, TASKS[name])] == []


def explains(transform, task):
    try:
        return all(np.array_equal(transform(pair.input), pair.output) for pair in task.train)
    except (UnclearError, ValueError, LookupError):
        return False  # a rule need not apply to another task's grids


def test_an_installed_package_brings_the_sample_tasks(tmp_path):
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(engine.__file__).parent, tmp_path / "engine", ignore=skip)
    shutil.copytree(FOLDER, tmp_path / "soar_tui" / "_data" / "sample_tasks")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from engine.arc import load, load_tasks\n"
        "print(load.__file__, len(load_tasks('sample').tasks))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    assert ran.stdout == f"{tmp_path}/engine/arc/load.py {len(TASKS)}\n"
