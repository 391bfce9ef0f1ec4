"""Learning across policies: a small language model before and after the embedded policy's lessons.

    SOAR_LLM_PYTHON=… python -m tests.learning.trainers.across FOLDER

searches a fixed list of easy sample tasks with the embedded policy, then with SmolLM2-135M, tunes
that on what both found, searches again, and prints a table. The lessons are on the same tasks:
this measures what pooling hands from one policy to another, and not generalisation.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from engine.arc import load_tasks
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, override, save_settings
from engine.control.folder import SETTINGS_NAME
from engine.learning.learn import Lesson, learn
from engine.learning.trainers.open import open_trainer
from engine.policies.open import open_policy
from engine.programs.sandbox import Sandbox
from engine.programs.score import right_tests
from tests.learning.trainers.circle import iterate

TASKS = (
    "blue-frame",
    "double-size",
    "half-turn",
    "kaleidoscope",
    "mirror-left-right",
    "one-to-the-right",
    "quarter-turn-right",
    "rows-become-columns",
)
"""The sample tasks of at most 500 cells that the embedded policy solves in 320 characters or fewer."""


async def main(folder):
    python = os.environ["SOAR_LLM_PYTHON"]
    tasks = tuple(task for task in load_tasks("sample").tasks if task.id in TASKS)
    embedded = override(Settings(), {"search.samples": 400, "search.refinements": 200})
    model = override(
        embedded,
        {
            "policy.kind": "local",
            "policy.decoding": {"context": 4096, "sample_tokens": 160, "refine_tokens": 160},
            "policy.few_shot": False,
            "search.samples": 8,
            "search.refinements": 8,
            "tasks_in_flight": 2,
            "learn.samples": 4,
            "learn.repairs": 2,
            "serve.python": python,
            "serve.threads": 1,
            "train": {"trainer": "hf", "python": python, "cpu": True, "rank": 64, "epochs": 8}
            | {"accumulation": 4, "learning_rate": 5e-4, "max_length": 1800},
        },
    )
    folder.mkdir()
    save_settings(model, folder / SETTINGS_NAME)
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks, len(tasks))
    await writer.flush()
    trainer = open_trainer(model, folder / "logs")
    async with Sandbox(model.sandbox) as sandbox:
        async with open_policy(embedded, folder / "logs") as policy:
            await iterate(0, tasks, embedded, policy, sandbox, writer)
        report(folder, tasks, 0)
        async with open_policy(model, folder / "logs") as policy:
            await policy.load(None)
            await iterate(1, tasks, model, policy, sandbox, writer)
            report(folder, tasks, 1)
        started = time.monotonic()
        with RunReader(folder) as reader:
            checkpoint = await learn(
                Lesson(1, [0, 1], list(enumerate(tasks))),
                model,
                folder,
                reader=reader,
                writer=writer,
                trainer=trainer,
                base=None,
                on_gathered=lambda count: None,
            )
        print(f"learning: {time.monotonic() - started:.0f} s, {checkpoint}", flush=True)
        print((checkpoint / "checkpoint.json").read_text(), flush=True)
        async with open_policy(model, folder / "logs") as policy:
            await policy.load(checkpoint)
            await iterate(2, tasks, model, policy, sandbox, writer, checkpoint)
        report(folder, tasks, 2)
    await writer.close()


def report(folder, tasks, iteration):
    """Print what an iteration found: per operator, and how many tasks are solved by any program."""
    solved = set()
    found = {"sample": [0] * 4, "refine": [0] * 4}
    tokens = seconds = 0
    with RunReader(folder) as reader:
        row = reader.iterations()[iteration]
        for index, task in enumerate(tasks):
            for pull, candidates in reader.pulls(iteration, index):
                seconds += pull.seconds
                for candidate in candidates:
                    evaluation = candidate.evaluation
                    right = evaluation is not None and evaluation.perfect
                    counts = found[candidate.operator]
                    counts[0] += 1
                    counts[1] += candidate.source is not None
                    counts[2] += evaluation is not None and evaluation.runs
                    counts[3] += right
                    tokens += candidate.tokens_out
                    if right and all(right_tests(task, evaluation)):
                        solved.add(task.id)
    print(f"iteration {iteration}: {row.policy}, {row.checkpoint}")
    for operator, (asked, programs, runs, perfect) in found.items():
        print(f"  {operator}: {asked} asked, {programs} programs, {runs} run, {perfect} perfect")
    print(f"  {tokens} tokens written in {seconds:.0f} s of pulls")
    print(f"  solved {len(solved)} of {len(tasks)}: {', '.join(sorted(solved))}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
