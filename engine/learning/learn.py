"""One iteration's learning: gather from the archive, write the dataset, train, record (SOAR §7)."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.arc import Task
from engine.archive.reader import RunReader
from engine.archive.rows import Checkpoint
from engine.archive.rows import Example as ExampleRow
from engine.archive.writer import ArchiveWriter
from engine.config import Settings
from engine.learning.dataset import write_dataset
from engine.learning.embedding_model import opened_embedding
from engine.learning.example import Example
from engine.learning.gather import TaskData, gather
from engine.learning.pooling import PoolingError, open_pool
from engine.learning.repairs import BINS, accuracy_bin
from engine.learning.skills import (
    credited,
    gathered_skills,
    latest_skills,
    save_skills,
    skills_beside,
)
from engine.learning.trainers.protocol import Progress, Trainer, TrainingError
from engine.policies.open import shows_examples

_DROPPED = 20_000
"""Examples dropped in one commit, so that the write-ahead log stays small."""
EMBEDDING_LOG = "embedding.log"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one iteration learns from.

    `iteration` is the one just searched; `iterations` those whose candidates are pooled; `tasks`
    the tasks by index in the run, those that are not training tasks without their truth.
    """

    iteration: int
    iterations: Sequence[int]
    tasks: Sequence[tuple[int, Task]]


async def learn(
    lesson: Lesson,
    settings: Settings,
    folder: Path,
    *,
    reader: RunReader,
    writer: ArchiveWriter,
    trainer: Trainer | None,
    base: Path | None,
    on_gathered: Callable[[int], None],
) -> Path | None:
    """Learn from a run's archive, and those of `learn.runs`; return the checkpoint's path.

    Without a trainer, for a policy whose weights are not ours to tune, only the skill library is
    made, as far as there is anything to learn from, and None returned.

    The dataset is written to `datasets/`, the checkpoint to `checkpoints/` of the run folder. What
    was weighed up is archived task by task, to count once the checkpoint is; learning that was cut
    off is begun anew, and what it left is dropped. `on_gathered` hears how many tasks are gathered.
    Raises TrainingError; cancelling ends gathering and training.
    """
    started = time.time()
    name = f"iteration-{lesson.iteration}"
    dataset = folder / "datasets" / f"{name}.jsonl.zst"
    dataset.parent.mkdir(exist_ok=True)
    while reader.left_over_examples(lesson.iteration):
        writer.drop_examples(lesson.iteration, _DROPPED)
        await writer.flush()

    async def keep(rows: Sequence[ExampleRow]) -> None:
        if trainer is not None:
            await writer.ready()
            writer.put_examples(rows)

    gathering = _Gathering(lesson, settings, folder, reader, on_gathered, keep=keep)
    try:
        await gathering.write(dataset)
    except PoolingError as error:
        raise TrainingError(str(error)) from error
    out = folder / "checkpoints" / name
    out.parent.mkdir(exist_ok=True)

    async def keep_skills() -> None:
        if settings.learn.skills:
            await asyncio.to_thread(_keep_skills, gathering.best, lesson, settings, reader, out)

    if trainer is None:
        if gathering.count:
            await keep_skills()
        return None
    if not gathering.count:
        raise TrainingError(f"{name}: nothing to learn from, no candidate made an example")
    _clear(out)

    def on_progress(progress: Progress) -> None:
        writer.put_metric(f"loss/{lesson.iteration}", progress.step, progress.loss)
        writer.put_status(
            "training",
            {
                "iteration": lesson.iteration,
                "step": progress.step,
                "steps": progress.steps,
                "loss": progress.loss,
                "tokens": progress.tokens,
                "seconds": progress.seconds,
            },
        )

    checkpoint = await trainer.train(dataset, base, out, on_progress)
    await keep_skills()
    writer.put_checkpoint(
        Checkpoint(
            iteration=lesson.iteration,
            path=str(checkpoint.path.relative_to(folder)),
            policy=settings.policy.kind,
            base=checkpoint.base,
            examples=checkpoint.rows,
            seconds=time.time() - started,
            created=time.time(),
        )
    )
    await writer.flush()
    return checkpoint.path


def _keep_skills(
    best: Sequence[Example], lesson: Lesson, settings: Settings, reader: RunReader, out: Path
) -> None:
    """Write the library; skills of the one before keep their rates, after what showing them did.

    The one before is that of which the iteration just searched was shown skills.
    """
    known = latest_skills(out.parent, range(lesson.iteration))
    if known is not None and shows_examples(settings.policy):
        searches = ((task, reader.replay(lesson.iteration, index)) for index, task in lesson.tasks)
        known = credited(known, searches)
    save_skills(gathered_skills(best, settings.learn.skills, known), skills_beside(out))


class _Gathering:
    """Gathers in a thread, so that the engine's heart goes on beating; ends when cancelled."""

    def __init__(
        self,
        lesson: Lesson,
        settings: Settings,
        folder: Path,
        reader: RunReader,
        on_gathered: Callable[[int], None],
        *,
        keep: Callable[[Sequence[ExampleRow]], Coroutine[Any, Any, None]],
    ) -> None:
        self.count = 0
        self.best: list[Example] = []
        self._lesson = lesson
        self._settings = settings
        self._folder = folder
        self._reader = reader
        self._on_gathered = on_gathered
        self._keep = keep
        self._loop = asyncio.get_running_loop()
        self._cancelled = threading.Event()

    async def write(self, path: Path) -> None:
        """Write the dataset, and hand on the archive's rows of what was weighed up."""
        work = asyncio.create_task(asyncio.to_thread(write_dataset, self._examples(), path))
        try:
            self.count = await asyncio.shield(work)
        except asyncio.CancelledError:
            self._cancelled.set()
            await asyncio.wait([work])
            raise

    def _examples(self) -> Iterator[Example]:
        lesson, settings = self._lesson, self._settings
        with (
            open_pool(
                self._folder, self._reader, lesson.iterations, lesson.tasks, settings.learn.runs
            ) as pool,
            opened_embedding(
                settings, self._folder / "logs" / EMBEDDING_LOG, self._cancelled
            ) as embedding,
        ):
            tasks = dict(pool.tasks)
            gathered = gather(
                pool.tasks,
                pool.candidates,
                settings.learn,
                settings.vote,
                settings.seed + lesson.iteration,
                embedding=embedding,
            )
            for done, found in enumerate(gathered, 1):
                if self._cancelled.is_set():
                    raise TrainingError("gathering was cancelled")
                data = pool.at_home(found)
                rows = list(example_rows(lesson.iteration, tasks[data.task], data))
                asyncio.run_coroutine_threadsafe(self._keep(rows), self._loop).result()
                self._on_gathered(done)
                self.best += data.best
                yield from data.samples
                yield from data.repairs


def example_rows(iteration: int, task: Task, data: TaskData) -> Iterator[ExampleRow]:
    """Yield the archive's rows of one task's data: what is used, then what is left out and why."""
    for example in data.samples:
        yield ExampleRow(iteration, "sample", example.origin, example.candidate, run=example.run)
    for example in data.repairs:
        assert example.parent is not None
        place = accuracy_bin(task, example.parent)
        yield ExampleRow(
            iteration,
            "refine",
            "repair" if place is None else BINS[place],
            example.candidate,
            example.parent.id,
            run=example.run,
        )
    for rejection in data.rejections:
        yield ExampleRow(
            iteration,
            "sample",
            "rejected",
            rejection.candidate,
            run=rejection.run,
            rejected=rejection.reason,
        )


def _clear(out: Path) -> None:
    """Remove a checkpoint that no archive row vouches for: its engine died before the row."""
    if out.is_dir():
        shutil.rmtree(out)
    else:
        out.unlink(missing_ok=True)
