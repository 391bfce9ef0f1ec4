"""The whole circle on a CPU, with a real model: serve, search, learn, serve the tuned model.

Needs an environment of its own (torch, transformers, peft, trl, gguf, xllamacpp) and SmolLM2 in
the cache: `make test-llm` builds and fetches both.
"""

import json
import os

import pytest

from engine.arc import load_tasks
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, override, save_settings
from engine.control.folder import SETTINGS_NAME
from engine.learning.learn import Lesson, learn
from engine.learning.trainers.open import open_trainer
from engine.policies.llm import models
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.errors import ModelError
from engine.policies.open import open_policy
from engine.programs.sandbox import Sandbox
from tests.learning.trainers.circle import iterate
from tests.policies.llm.logprob import answer_logprobs

TASKS = ("blue-frame",)

NEEDED = ("torch", "transformers", "peft", "trl", "datasets", "gguf", "xllamacpp")


@pytest.fixture
def python():
    named = os.environ.get("SOAR_LLM_PYTHON")
    if named is None:
        pytest.skip("SOAR_LLM_PYTHON names no interpreter; `make test-llm` builds one")
    lacking = missing_packages(named, NEEDED)
    if lacking:
        pytest.skip(f"{named} lacks {', '.join(lacking)}")
    try:
        models.find(models.SMOLLM2)
    except ModelError as error:
        pytest.skip(str(error))
    return named


@pytest.mark.slow
async def test_a_tuned_model_finds_its_lesson_more_likely(python, tmp_path):
    tasks = tuple(task for task in load_tasks("sample").tasks if task.id in TASKS)
    settings = override(
        Settings(),
        {
            "search.samples": 4,
            "search.wave": 4,
            "search.refinements": 4,
            "learn.samples": 1,
            "learn.repairs": 0,
            "serve.python": python,
            "serve.slots": 4,
            "serve.threads": 1,
            "policy.decoding": {"context": 4096, "sample_tokens": 48, "refine_tokens": 48, "n": 4},
            "train": {"trainer": "hf", "python": python, "cpu": True, "rank": 64, "steps": 2}
            | {"accumulation": 1, "warmup": 0.0, "learning_rate": 2e-4, "max_length": 2000},
        },
    )
    embedded = override(settings, {"search.samples": 200, "search.wave": 50})
    model = override(settings, {"policy.kind": "local"})
    save_settings(model, tmp_path / SETTINGS_NAME)
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks(tasks, len(tasks))
    await writer.flush()
    trainer = open_trainer(model, tmp_path / "logs")

    async with Sandbox(settings.sandbox) as sandbox:
        async with open_policy(embedded, tmp_path / "logs") as policy:
            await iterate(0, tasks, embedded, policy, sandbox, writer)
        async with open_policy(model, tmp_path / "logs") as policy:
            await policy.load(None)
            await iterate(1, tasks, model, policy, sandbox, writer)
            with RunReader(tmp_path) as reader:
                checkpoint = await learn(
                    Lesson(1, [0, 1], list(enumerate(tasks))),
                    model,
                    tmp_path,
                    reader=reader,
                    writer=writer,
                    trainer=trainer,
                    base=None,
                    on_gathered=lambda count: None,
                )
            rows = [json.loads(line) for line in (checkpoint / "rows.jsonl").open()]
            base = [await mean_logprob(policy, row) for row in rows]
            await policy.load(checkpoint)
            tuned = [await mean_logprob(policy, row) for row in rows]
            await iterate(2, tasks, model, policy, sandbox, writer, checkpoint)
    await writer.close()

    print("mean log-probability of an answer's token:", base, "→", tuned)
    assert len(rows) == 1
    # The base is served in 4 bits, the tuned projections in 16: that alone moves a mean by less.
    assert all(after > before + 0.05 for before, after in zip(base, tuned, strict=True))
    with RunReader(tmp_path) as reader:
        policies = [(row.policy, row.checkpoint) for row in reader.iterations()]
        replies = [
            candidate
            for iteration in (1, 2)
            for task in range(len(tasks))
            for _, candidates in reader.pulls(iteration, task)
            for candidate in candidates
        ]
    assert policies[1:] == [
        ("local:smollm2-135m", "untrained"),
        ("local:smollm2-135m", checkpoint.name),
    ]
    assert len(replies) >= 8
    assert all(reply.tokens_out > 0 for reply in replies if reply.finish != "abort")


async def mean_logprob(policy, row):
    (client,) = policy._pool.clients
    found = await answer_logprobs(client.endpoint.url, row)
    return sum(found) / len(found)
