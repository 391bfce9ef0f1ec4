"""A checkpoint appears whole or not at all, and no process stays behind."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from engine.config import ConfigError, Settings, TrainConfig, override
from engine.learning.dataset import write_dataset
from engine.learning.example import Example
from engine.learning.trainers.open import base_model, open_trainer
from engine.learning.trainers.protocol import TrainingError
from engine.learning.trainers.subprocess_trainer import SubprocessTrainer
from tests.policies.llm.chat import RIGHT, TASK, parent

EXAMPLES = [
    Example("correct", TASK.without_truth(), RIGHT, 1),
    Example("repair", TASK.without_truth(), RIGHT, 2, parent()),
]


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "dataset.jsonl"
    write_dataset(EXAMPLES, path)
    return path


@pytest.fixture
def trainer(tmp_path):
    python = tmp_path / "python"
    script = Path(__file__).with_name("imitation_python.py")
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    python.chmod(0o755)

    def make(base="good", **fields):
        config = TrainConfig(python=str(python), **fields)
        return SubprocessTrainer(config, base, tmp_path / "logs" / "train.log")

    return make


async def test_a_checkpoint_is_put_in_place_with_its_story(trainer, dataset, tmp_path):
    progress = []
    checkpoint = await trainer().train(dataset, None, tmp_path / "1", progress.append)
    assert checkpoint.path == tmp_path / "1" and (checkpoint.path / "merged" / "weights").exists()
    assert (checkpoint.base, checkpoint.rows, checkpoint.losses) == ("good", 2, (1.5, 0.5))
    assert [(step.step, step.steps, step.loss) for step in progress] == [(1, 2, 1.5)]
    assert "a banner" in (tmp_path / "logs" / "train.log").read_text()


async def test_the_job_is_given_the_settings_and_the_rows(trainer, dataset, tmp_path):
    await trainer(rank=8, epochs=2).train(dataset, None, tmp_path / "1", print)
    job = json.loads((tmp_path / "1" / "lora_job.json").read_text())
    assert (job["rank"], job["epochs"], job["alpha"], job["learning_rate"]) == (8, 2, 32, 5e-5)
    rows = (tmp_path / "1" / "rows.jsonl").read_text().splitlines()
    assert sum("not solve it yet" in row for row in rows) == 1


async def test_a_gguf_base_gives_a_gguf_checkpoint(trainer, dataset, tmp_path):
    checkpoint = await trainer("model.gguf").train(dataset, None, tmp_path / "1", print)
    assert (checkpoint.path / "model.gguf").exists()
    assert not (checkpoint.path / "base").exists()


def checkpoint_at(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}")
    return folder


WHOLE = ("merged/config.json", "merged/model.safetensors")


@pytest.mark.parametrize("base", ["good", "model.gguf"])
async def test_a_run_that_started_from_a_checkpoint_tunes_the_base_model(
    trainer, dataset, tmp_path, base
):
    start = checkpoint_at(tmp_path / "start", "checkpoint.json", "model.gguf", *WHOLE)
    checkpoint = await trainer(base).train(dataset, start, tmp_path / "1", lambda step: None)
    assert checkpoint.base == base
    job = json.loads((checkpoint.path / "lora_job.json").read_text())
    assert job["base"] == (base if base == "good" else str(tmp_path / "1.new" / "base"))


@pytest.mark.parametrize(
    ("files", "tuned"),
    [
        (WHOLE, "merged"),
        (("model.gguf", *WHOLE), "merged"),
        (("model.gguf", "merged/tokenizer.json"), "model.gguf"),
        (("config.json", "model.safetensors"), ""),
    ],
)
async def test_without_a_base_model_the_weights_of_the_checkpoint_are_tuned(
    trainer, dataset, tmp_path, files, tuned
):
    start = checkpoint_at(tmp_path / "start", *files)
    checkpoint = await trainer(None).train(dataset, start, tmp_path / "1", lambda step: None)
    assert checkpoint.base == str(start / tuned)
    assert (checkpoint.path / "model.gguf").exists() == (tuned == "model.gguf")


async def test_a_checkpoint_that_holds_nothing_to_tune_is_named(trainer, dataset, tmp_path):
    start = checkpoint_at(tmp_path / "start", "adapter/adapter_model.safetensors")
    with pytest.raises(TrainingError, match="start: no merged weights"):
        await trainer(None).train(dataset, start, tmp_path / "1", print)


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("dies", "CUDA out of memory"),
        ("refuses", "nothing was learned"),
        ("chatters", "loss is 3"),
        ("stops early", "exit code 0"),
    ],
)
async def test_a_training_that_fails_says_why_and_leaves_nothing(
    trainer, dataset, tmp_path, base, words
):
    with pytest.raises(TrainingError, match=words):
        await trainer(base).train(dataset, None, tmp_path / "1", lambda step: None)
    assert not list(tmp_path.glob("1*"))


async def test_a_training_that_falls_silent_is_ended(trainer, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("SOAR_TEST_PID", str(tmp_path / "process"))
    with pytest.raises(TrainingError, match="said nothing for 2 s"):
        await trainer("hangs", silence_seconds=2.0).train(
            dataset, None, tmp_path / "1", lambda step: None
        )
    assert gone((tmp_path / "process").read_text())


async def test_cancelling_ends_the_process_and_leaves_nothing(
    trainer, dataset, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOAR_TEST_PID", str(tmp_path / "process"))
    started = asyncio.Event()
    training = asyncio.create_task(
        trainer("hangs").train(dataset, None, tmp_path / "1", lambda step: started.set())
    )
    await started.wait()
    training.cancel()
    with pytest.raises(asyncio.CancelledError):
        await training
    assert not (tmp_path / "process").exists() or gone((tmp_path / "process").read_text())
    assert not list(tmp_path.glob("1*"))


async def test_what_a_killed_training_left_is_no_hindrance(trainer, dataset, tmp_path):
    (tmp_path / "1.new" / "merged").mkdir(parents=True)
    checkpoint = await trainer().train(dataset, None, tmp_path / "1", lambda step: None)
    assert checkpoint.path.exists() and not (tmp_path / "1.new").exists()


async def test_a_checkpoint_is_never_overwritten(trainer, dataset, tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(TrainingError, match="there already"):
        await trainer().train(dataset, None, tmp_path / "1", print)


async def test_an_empty_dataset_is_refused(trainer, tmp_path):
    write_dataset([], tmp_path / "empty.jsonl")
    with pytest.raises(TrainingError, match="holds no examples"):
        await trainer().train(tmp_path / "empty.jsonl", None, tmp_path / "1", print)


async def test_a_base_model_must_be_named(trainer, dataset, tmp_path):
    with pytest.raises(TrainingError, match=r"train\.model"):
        await trainer(None).train(dataset, None, tmp_path / "1", print)


def test_a_run_with_nothing_to_tune_is_refused_before_its_search(tmp_path):
    servers = [{"url": "http://127.0.0.1:30000/v1", "server": "sglang"}]
    settings = override(Settings(), {"policy.kind": "sglang", "policy.endpoints": servers})
    with pytest.raises(ConfigError, match=r"train\.model"):
        open_trainer(settings, tmp_path)


def test_a_model_in_the_home_folder_is_tuned_where_it_is_served_from(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = override(Settings(), {"policy.kind": "local", "serve.model": "~/models/m.gguf"})
    assert base_model(settings) == str(tmp_path / "models" / "m.gguf")
    assert base_model(override(settings, {"train.model": "Qwen/Qwen3-8B"})) == "Qwen/Qwen3-8B"


def gone(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"
