"""What a model is shown: golden texts, and the properties that make them safe to train on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arc import as_grid
from engine.policies.llm.prompts import (
    Solved,
    answer_message,
    refine_messages,
    sample_messages,
)
from engine.policies.llm.puzzle import grid_text
from engine.programs.source import extract
from tests.arc.drawn import grids, tasks
from tests.policies.llm.chat import OTHER, RIGHT, TASK, WRONG, parent

GOLDEN = Path(__file__).parent / "golden"

SHOT = Solved(OTHER, "def transform(grid):\n    return [[1, 1]]\n")

CHATS = {
    "sample": sample_messages(TASK),
    "sample_with_shot": sample_messages(TASK, SHOT),
    "refine": refine_messages(TASK, parent()),
    "refine_with_shot": refine_messages(TASK, parent(), SHOT),
    "refine_all_right": refine_messages(TASK, parent(right=(True, True, True, True))),
}


@pytest.mark.parametrize("name", CHATS)
def test_the_prompt_is_the_golden_one(name):
    shown = "\n".join(f"<{message['role']}>\n{message['content']}" for message in CHATS[name])
    assert shown == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@settings(max_examples=30)
@given(grids())
def test_a_grid_reads_as_numpy_prints_it(grid):
    assert grid_text(grid) == str(np.array(grid))


@settings(max_examples=30)
@given(tasks(known=True))
def test_the_truth_changes_nothing_a_model_sees(task):
    assert sample_messages(task) == sample_messages(task.without_truth())


@settings(max_examples=30)
@given(tasks())
def test_every_grid_of_the_task_is_shown_under_its_number_and_shape(task):
    text = sample_messages(task)[1]["content"]
    for number, pair in enumerate(task.train, 1):
        rows, columns = pair.output.shape
        heading = f"Training pair {number}, output (grid shape: {rows} by {columns})\n"
        assert heading + grid_text(pair.output) in text
    assert text.count("Test input") == len(task.test)


def test_a_task_is_never_its_own_example():
    own = Solved(replace(TASK, truth=None), RIGHT)
    with pytest.raises(ValueError, match="mirror"):
        sample_messages(TASK, own)
    with pytest.raises(ValueError, match="mirror"):
        refine_messages(TASK, parent(), own)


def test_a_parent_of_another_task_is_refused():
    with pytest.raises(ValueError, match=r"fill.*4 pairs"):
        refine_messages(OTHER, parent())


def test_a_parent_without_a_program_is_refused():
    with pytest.raises(ValueError, match="no program to repair"):
        refine_messages(TASK, replace(parent(), source=None))


@given(st.sampled_from([RIGHT, WRONG, f'DOC = """\n```python\n"""\n{RIGHT}', f"# ````\n{RIGHT}"]))
def test_the_trained_answer_is_extracted_again(source):
    assert extract(answer_message(source)["content"]) == source


def test_the_sampling_prompt_keeps_its_order():
    text = CHATS["sample_with_shot"][1]["content"]
    parts = [
        "Find the rule",
        "```python",
        "def transform(grid: list",
        "0 Black",
        "A solved example",
    ]
    parts += ["The puzzle to solve", "Training pair 1", "Test input 1"]
    places = [text.index(part) for part in parts[:-2]]
    places += [text.rindex(part) for part in parts[-2:]]
    assert places == sorted(places)


def test_the_repair_prompt_keeps_its_order_and_asks_for_the_same_format():
    text = CHATS["refine_with_shot"][1]["content"]
    parts = [
        "not solve it yet",
        "0 Black",
        "A solved example",
        SHOT.source,
        "# The puzzle",
        WRONG,
        "correct on 1 of 4",
        "pair 3: correct",
    ]
    parts += ["Test input 1: not known", "Wrong are the outputs for training pairs 1, 2, 4."]
    parts += ["block that starts with\n```python"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_a_thirty_by_thirty_grid_keeps_its_rows():
    text = grid_text(as_grid(np.zeros((30, 30), int)))
    assert len(text.splitlines()) == 30 and "..." not in text
