"""Going round again, learning now, and choosing what new runs start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.archive.reader import RunReader
from tests.cli.program import BUDGET, Ask, Searched, spawn


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A run of two iterations, with one checkpoint between them."""
    home = tmp_path_factory.mktemp("home")
    said = spawn(
        home,
        "run",
        "--tasks",
        "sample:3",
        "--iterations",
        "2",
        "--name",
        "twice",
        *BUDGET,
        "--json",
    )
    assert said.code == 0, said.err
    return Searched(home, "twice", said)


def test_a_second_iteration_starts_from_what_the_first_taught(learned: Searched) -> None:
    first, second = learned.said.document["iterations"]
    assert (first["index"], second["index"]) == (0, 1)
    assert learned.said.document["state"] == "finished"
    shipped, only = spawn(learned.home, "checkpoints", "--json").document["checkpoints"]
    assert (shipped["checkpoint"], shipped["in_use"]) == ("shipped", True)
    assert (only["checkpoint"], only["in_use"]) == ("twice:1", False)
    assert only["examples"] > 0


def test_a_newcomer_starts_learned_unless_told_otherwise(learned: Searched) -> None:
    def start(name: str, *options: str) -> str:
        said = spawn(learned.home, "run", "--tasks", "sample:1", "--name", name, *BUDGET, *options)
        assert said.code == 0, said.err
        return (learned.home / "runs" / name / "run.toml").read_text()

    assert 'checkpoint = "shipped"' in start("learned")
    assert "checkpoint" not in start("scratch", "--from-scratch")


@pytest.mark.parametrize(("options", "learned"), [((), True), (("--from-scratch",), False)])
def test_one_task_is_searched_from_the_same_checkpoint(
    tmp_path: Path, options: tuple[str, ...], learned: bool
) -> None:
    said = spawn(tmp_path, "solve", "sample/blue-frame", "--name", "one", *BUDGET, *options)
    assert said.code == 0, said.err
    settings = (tmp_path / "runs" / "one" / "run.toml").read_text()
    assert ('checkpoint = "shipped"' in settings) is learned


def test_training_tasks_come_first_and_targets_are_reported(learned: Searched) -> None:
    said = spawn(
        learned.home,
        "run",
        *("--train-tasks", "arc1-train:2", "--tasks", "sample:2", "--name", "both"),
        *BUDGET,
        *("--set", "train_samples=3", "--set", "train_refinements=0"),
        "--json",
    )
    assert said.code == 0, said.err
    train, test = said.document["iterations"]
    assert (train["phase"], train["tasks"], train["candidates"]) == ("train", 2, 2 * 3)
    assert (test["phase"], test["tasks"]) == ("test", 2)
    assert test["candidates"] > 2 * 3


def test_a_run_learns_from_what_others_found_too(learned: Searched) -> None:
    said = spawn(learned.home, "run", "--tasks", "sample:2", "--name", "later", *BUDGET)
    assert said.code == 0, said.err
    alone = spawn(learned.home, "train", "later", "--dry-run", "--json").document
    told = spawn(learned.home, "train", "later", "--from", "twice", "--dry-run", "--json").document
    assert (len(alone["tasks"]), len(told["tasks"])) == (2, 3)
    assert told["used"] > alone["used"]
    said = spawn(learned.home, "train", "later", "--from", "twice", "--json")
    assert said.code == 0, said.err
    with RunReader(learned.home / "runs" / "later") as reader:
        used = [example for _, example in reader.examples(0) if example.rejected is None]
    assert {example.run for example in used} == {None, "twice"}
    assert len(used) == told["used"]
    said = spawn(learned.home, "train", "later", "--from", "later", "--dry-run")
    assert said.code != 0 and "learn.runs" in said.err


def test_a_dry_run_tells_what_training_then_learns_from_once(learned: Searched) -> None:
    dry = spawn(learned.home, "train", "twice", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    said = spawn(learned.home, "train", "twice", "--json")
    assert said.code == 0, said.err
    assert dry.document["iteration"] == 2 and dry.document["used"] > 0
    assert dry.document["used"] == sum(t["samples"] + t["repairs"] for t in dry.document["tasks"])
    with RunReader(learned.home / "runs" / "twice") as reader:
        counted = {
            (entry.kind, entry.label, entry.rejected): entry.count
            for entry in reader.example_counts(1)
        }
    told = {
        (entry["trains"], entry["label"], entry["rejected"]): entry["examples"]
        for entry in dry.document["counts"]
    }
    assert told == counted
    chosen = spawn(learned.home, "train", "twice", "--dry-run", "--set", "learn.samples=1")
    assert "would use 3 examples of 3 tasks" in chosen.out
    again = spawn(learned.home, "train", "twice")
    assert again.code == 1
    assert "has been learned from" in again.err


def test_a_training_that_the_engine_refuses_leaves_the_run_as_it_was(learned: Searched) -> None:
    said = spawn(learned.home, "run", "--tasks", "sample:1", "--name", "odd", *BUDGET)
    assert said.code == 0, said.err
    settings = learned.home / "runs" / "odd" / "run.toml"
    before = settings.read_bytes()
    refused = spawn(
        learned.home,
        *("train", "odd", "--set", "learn.embedding.model=none"),
        *("--set", "learn.embedding.python=/no/such/python"),
    )
    assert refused.code == 2 and "learn.embedding.python" in refused.err
    assert settings.read_bytes() == before
    assert spawn(learned.home, "train", "odd").code == 0


def test_only_a_run_that_is_through_goes_round_again(learned: Searched) -> None:
    folder = learned.home / "runs" / "stopped"
    shutil.copytree(learned.home / "runs" / "twice", folder)
    settings = folder / "run.toml"
    settings.write_text(settings.read_text().replace("iterations = 2", "iterations = 3"))
    before = settings.read_bytes()
    said = spawn(learned.home, "iterate", "stopped")
    assert (said.code, settings.read_bytes()) == (1, before)
    assert "soar-tui resume stopped" in said.err


def test_a_checkpoint_in_use_is_known_where_the_home_is_a_link(
    learned: Searched, tmp_path: Path
) -> None:
    home = tmp_path / "link"
    home.symlink_to(learned.home)
    assert spawn(home, "checkpoints", "--use", "twice:1").code == 0
    rows = spawn(home, "checkpoints", "--json").document["checkpoints"]
    assert [row["checkpoint"] for row in rows if row["in_use"]] == ["twice:1"]
    assert spawn(home, "checkpoints", "--back").code == 0


def test_a_checkpoint_is_chosen_and_taken_back(learned: Searched) -> None:
    def in_use() -> list[str]:
        rows = spawn(learned.home, "checkpoints", "--json").document["checkpoints"]
        return [row["checkpoint"] for row in rows if row["in_use"]]

    assert spawn(learned.home, "checkpoints", "--use", "twice:1").code == 0
    assert in_use() == ["twice:1"]
    said = spawn(learned.home, "run", "--tasks", "sample:1", "--name", "next", *BUDGET, "--json")
    assert said.code == 0, said.err
    settings = (learned.home / "runs" / "next" / "run.toml").read_text()
    assert "checkpoints/iteration-0" in settings
    assert spawn(learned.home, "checkpoints", "--back").code == 0
    assert in_use() == ["shipped"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--checkpoint", "nowhere"), "no run 'nowhere'"),
        (("run", "--checkpoint", "x", "--from-scratch"), "contradict each other"),
        (("checkpoints", "--use", "x", "--back"), "give one of them"),
        (("checkpoints", "--back"), "nothing to go back to"),
        (("iterate", "nowhere"), "no run 'nowhere'"),
        (("run", "--train-iterations", "3"), "--train-iterations: needs --train-tasks"),
        (("run", "--set", "train_samples=9"), "--set train_samples=9: needs --train-tasks"),
        (("doctor", "--model", "x"), "--model: with --gpu only"),
        (("run", "--train-tasks", "sample:2", "--tasks", "sample:3"), "nothing held out"),
    ],
)
def test_what_cannot_be_is_refused(ask: Ask, arguments: tuple[str, ...], says: str) -> None:
    said = ask(*arguments)
    assert said.code == 2
    assert says in said.err
