"""The embedded policy learns: decisions out of examples, weights out of decisions, files of both."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arc.load import load_tasks
from engine.learning.dataset import write_dataset
from engine.learning.example import Example
from engine.learning.trainers.grammar.decisions import (
    decisions,
    edit_between,
    edit_counts,
    edit_shares,
)
from engine.learning.trainers.grammar.fit import train
from engine.learning.trainers.grammar.regress import regress_roles
from engine.learning.trainers.grammar.trainer import GrammarTrainer
from engine.learning.trainers.protocol import TrainingError
from engine.policies.grammar.checkpoint import CheckpointError, load_weights, save_weights
from engine.policies.grammar.language import PRIMITIVES
from engine.policies.grammar.model import EDITS, Context, Untrained
from engine.policies.grammar.problem import problem_of
from engine.policies.grammar.proposing import Proposer
from engine.policies.grammar.source import parse
from engine.policies.grammar.trained import Trained
from engine.policies.grammar.traits import ROLES, TRAITS, roles, traits

TASKS = load_tasks("sample:12").tasks


@pytest.fixture(scope="module")
def examples():
    """Correct programs where sampling finds them, hindsight examples of the rest."""
    found = []
    proposer = Proposer()
    for task in TASKS:
        chains = proposer.sample_chains(task.without_truth(), 20, 1)
        for number, (chain, proposal) in enumerate(
            zip(chains, proposer.sample(task, 20, 1), strict=True)
        ):
            if proposal.source is not None and chain.left.solved:
                found.append(Example("correct", task.without_truth(), proposal.source, number))
    assert len(found) >= 5
    return found


@pytest.fixture(scope="module")
def checkpoint(examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    write_dataset(examples, folder / "data.jsonl.zst")
    train(folder / "data.jsonl.zst", folder / "checkpoint", lambda *_: None)
    return folder / "checkpoint"


def probability(model, example):
    """The probability a model gives the first primitive of an example's program."""
    weights = model.primitive_weights(Context(problem_of(example.task)))
    first = parse(example.source)[0].primitive.name
    return weights[list(PRIMITIVES).index(first)] / weights.sum()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_traits_and_roles_are_shares(task):
    vector, parts = traits(problem_of(task)), roles(problem_of(task))
    assert vector.shape == (len(TRAITS) + 1,)
    assert parts.shape == (10, len(ROLES))
    assert vector.min() >= 0
    assert max(vector.max(), parts.max()) <= 1
    assert len(set(TRAITS)) == len(TRAITS)


def test_every_step_of_an_example_is_one_decision_and_tasks_weigh_the_same(examples):
    found = list(decisions(examples))
    assert len(found) == sum(len(parse(example.source)) for example in examples)
    by_task = {example.task.id for example in examples}
    firsts = sum(d.weight for d in found if d.inputs[-3] == 1)
    assert firsts == pytest.approx(len(by_task))


def test_programs_of_another_language_take_no_weight_from_ours(examples):
    ours = [decision.weight for decision in decisions(examples)]
    theirs = "def transform(grid):\n    return [row[::-1] for row in grid]\n"
    mixed = []
    for number, example in enumerate(examples):
        foreign = Example("correct", example.task, theirs, 1000 + number)
        mixed += [foreign, example, foreign]
    assert [decision.weight for decision in decisions(mixed)] == ours


@given(st.floats(0.003, 50), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_the_fewer_decisions_the_nearer_a_colours_weights_stay_to_where_they_start(penalty, seed):
    rng = np.random.default_rng(seed)
    parts = rng.random((50, 10, len(ROLES))).astype(np.float32)
    chosen = [(str(colour),) for colour in rng.integers(0, 10, 50)]
    start = rng.normal(0, 2, len(ROLES)).astype(np.float32)
    moved = regress_roles(parts, chosen, np.ones(50), start, penalty)[:, 0] - start
    # No step of the likelihood is longer than sqrt(2), nor may the penalty's own be.
    assert np.linalg.norm(moved) <= 10 / penalty


def test_what_was_learned_becomes_likelier_than_untrained(examples, checkpoint):
    trained, untrained = Trained(load_weights(checkpoint)), Untrained()
    before = [np.log(probability(untrained, example)) for example in examples]
    after = [np.log(probability(trained, example)) for example in examples]
    assert np.mean(after) > np.mean(before) + 0.5


def test_nothing_that_applies_is_out_of_reach(checkpoint):
    trained, untrained = Trained(load_weights(checkpoint)), Untrained()
    for task in TASKS:
        context = Context(problem_of(task))
        assert np.array_equal(
            trained.primitive_weights(context) > 0, untrained.primitive_weights(context) > 0
        )


def test_the_same_data_gives_the_same_checkpoint_whatever_the_workers(examples, tmp_path):
    write_dataset(examples, tmp_path / "data.jsonl.zst")
    for workers in (1, 2):
        train(
            tmp_path / "data.jsonl.zst", tmp_path / str(workers), lambda *_: None, workers=workers
        )
    one, two = load_weights(tmp_path / "1"), load_weights(tmp_path / "2")
    assert np.array_equal(one.steps.weights, two.steps.weights)
    assert one.slots.keys() == two.slots.keys()


def test_a_checkpoint_survives_its_file(checkpoint, tmp_path):
    weights = load_weights(checkpoint)
    save_weights(weights, tmp_path / "again")
    again = load_weights(tmp_path / "again")
    assert np.array_equal(weights.steps.weights, again.steps.weights)
    assert weights.edits == again.edits
    assert weights.meta == again.meta


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken"])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(CheckpointError, match="bad"):
        load_weights(tmp_path / "bad")
    with pytest.raises(CheckpointError, match="No such file"):
        load_weights(tmp_path / "missing")


def test_trained_proposals_are_reproducible(checkpoint):
    first, second = (
        Proposer(Trained(load_weights(checkpoint))).sample(TASKS[0], 10, 3) for _ in range(2)
    )
    assert first == second
    assert first != Proposer().sample(TASKS[0], 10, 3)


def test_edits_are_told_by_what_they_leave():
    task = TASKS[0]
    chains = [c for c in Proposer().sample_chains(task, 300, 2) if c.steps]
    firsts = Counter(c.steps[0].primitive.name for c in chains)
    chain = next(
        c
        for c in chains
        if len(c.steps) >= 2
        and firsts[c.steps[0].primitive.name] > 1
        and c.steps[0].primitive is not c.steps[1].primitive
        and any(
            d.steps[0].primitive is c.steps[0].primitive and d.steps[0].text != c.steps[0].text
            for d in chains
        )
    )
    one, two = chain.steps[:2]
    assert edit_between((one,), (one, two)) == "append"
    assert edit_between((two,), (one, two)) == "insert"
    assert edit_between((one, two), (two,)) == "delete"
    assert edit_between((one, two), (one,)) == "delete"
    other = next(c.steps[0] for c in chains if c.steps[0].primitive is not one.primitive)
    assert edit_between((one, two), (other, two)) == "replace"
    # The new step fitted the demonstrations, so the second was never carried out.
    assert edit_between((one, two), (other,)) == "replace"
    same = next(
        c.steps[0]
        for c in chains
        if c.steps[0].primitive is one.primitive and c.steps[0].text != one.text
    )
    assert edit_between((one, two), (same, two)) == "reparameterise"
    assert edit_shares(edit_counts([])) == dict.fromkeys(EDITS, 1 / len(EDITS))


async def test_the_training_job_reports_and_writes(examples, tmp_path):
    write_dataset(examples, tmp_path / "data.jsonl.zst")
    losses = []
    made = await GrammarTrainer(tmp_path / "train.log", workers=1).train(
        tmp_path / "data.jsonl.zst",
        None,
        tmp_path / "checkpoint",
        lambda progress: losses.append(progress.loss),
    )
    assert load_weights(made.path).meta["examples"] == len(examples)
    assert losses == list(made.losses)
    assert losses[-1] < losses[0]


async def test_programs_of_another_language_are_counted_as_left_out(examples, tmp_path):
    foreign = Example("correct", TASKS[0].without_truth(), "def transform(grid):\n    return 1", 1)
    write_dataset([*examples, foreign, foreign], tmp_path / "data.jsonl.zst")
    made = await GrammarTrainer(tmp_path / "train.log", workers=1).train(
        tmp_path / "data.jsonl.zst", None, tmp_path / "checkpoint", lambda progress: None
    )
    assert (made.rows, made.dropped) == (len(examples), 2)


HOLDER = """
import asyncio, sys
from pathlib import Path
from engine.learning.trainers.grammar.trainer import GrammarTrainer

folder = Path(sys.argv[1])
asyncio.run(
    GrammarTrainer(folder / "train.log", workers=2).train(
        folder / "data.jsonl.zst", None, folder / "checkpoint", lambda progress: None
    )
)
"""


def test_the_job_and_its_workers_end_with_an_engine_that_is_killed(examples, tmp_path):
    os.mkfifo(tmp_path / "data.jsonl.zst")  # nobody writes to it, so that the job waits
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], start_new_session=True
    ) as holder:
        deadline = time.monotonic() + 60
        while not (jobs := working_on(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert jobs
        holder.kill()
    while working_on(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not working_on(tmp_path)


def working_on(folder):
    """Processes whose command line names a folder, those that have ended left out."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in command and b"grammar.fit" in command:
            found.append(int(place.name))
    return found


async def test_a_dataset_without_our_programs_is_an_error_that_says_so(tmp_path):
    foreign = Example(
        "correct", TASKS[0].without_truth(), "def transform(grid):\n    return grid", 1
    )
    write_dataset([foreign], tmp_path / "data.jsonl.zst")
    with pytest.raises(TrainingError, match="no example holds a program of this language"):
        await GrammarTrainer(tmp_path / "train.log", workers=1).train(
            tmp_path / "data.jsonl.zst", None, tmp_path / "checkpoint", lambda progress: None
        )
    assert not (tmp_path / "checkpoint").exists()


def test_the_job_speaks_lines_of_json(examples, tmp_path):
    write_dataset(examples, tmp_path / "data.jsonl.zst")
    command = [sys.executable, "-m", "engine.learning.trainers.grammar.fit"]
    ended = subprocess.run(
        [*command, tmp_path / "data.jsonl.zst", tmp_path / "out"],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ,
        check=True,
    )
    events = [json.loads(line)["event"] for line in ended.stdout.splitlines()]
    assert events == ["step"] * 30 + ["done"]
