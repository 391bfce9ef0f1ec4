"""Rows are the chats of inference, pair by pair shuffled, and nothing else."""

import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.learning.example import Example
from engine.learning.trainers.rows import shuffled, training_row, write_rows
from engine.policies.llm.prompts import refine_messages, sample_messages
from engine.programs.source import extract
from tests.arc.drawn import tasks
from tests.policies.llm.chat import RIGHT, TASK, parent


def test_rows_are_built_by_the_functions_of_inference():
    sample = training_row(Example("hindsight", TASK, RIGHT, 1))
    repair = training_row(Example("repair", TASK, RIGHT, 1, parent()))
    assert sample["prompt"] == sample_messages(TASK.without_truth())
    assert repair["prompt"] == refine_messages(TASK.without_truth(), parent())
    for row in (sample, repair):
        (answer,) = row["completion"]
        assert answer["role"] == "assistant" and extract(answer["content"]) == RIGHT


@settings(max_examples=40)
@given(tasks(), st.integers(0, 2**32))
def test_shuffling_keeps_every_pair(task, seed):
    example = shuffled(Example("correct", task, RIGHT, 1), np.random.default_rng(seed))
    assert {id(pair) for pair in example.task.train} == {id(pair) for pair in task.train}
    assert example.task.test is task.test


@given(st.integers(0, 2**32))
def test_a_repair_is_shuffled_with_what_its_parent_gave(seed):
    before = parent().evaluation
    example = shuffled(Example("repair", TASK, RIGHT, 1, parent()), np.random.default_rng(seed))
    after = example.parent.evaluation
    for pair, right, result in zip(example.task.train, after.right, after.results, strict=False):
        place = next(index for index, other in enumerate(TASK.train) if other is pair)
        assert (right, result) == (before.right[place], before.results[place])
    assert after.results[4:] == before.results[4:]


def test_the_same_seed_writes_the_same_file(tmp_path):
    examples = [Example("hindsight", TASK, f"{RIGHT}# {number}\n", number) for number in range(9)]
    for name in ("a", "b"):
        assert write_rows(examples, tmp_path / name, np.random.default_rng(3)) == 9
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    write_rows(examples, tmp_path / "c", np.random.default_rng(4))
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_the_engines_side_of_training_imports_nothing_heavy():
    heavy = "torch transformers peft trl unsloth datasets gguf xllamacpp"
    code = (
        "import sys, engine.learning.trainers.subprocess_trainer, engine.policies.open; "
        "import engine.policies.llm.local, engine.policies.llm.sglang_server; "
        f"print(set('{heavy}'.split()) & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
