"""Examples that learning would choose, as chats: gathered by the very functions that learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.chat_rows import Chat, chat
from engine.exports.output import ExportError
from engine.exports.resuming import digest
from engine.exports.rows import Rows
from engine.exports.stamps import pooled_stamp
from engine.learning.embedding_model import opened_embedding
from engine.learning.gather import gather
from engine.learning.lesson import lesson, plan
from engine.learning.pooling import Pool, PoolingError, open_pool
from engine.learning.trainers.protocol import TrainingError


def gathered(reader: RunReader, folder: Path, settings: Settings, iteration: int) -> Rows[Chat]:
    """Return what learning from an iteration would choose, a portion for each task of the pool.

    Raises ExportError when the run's settings plan no such iteration, or name runs in `learn.runs`
    that cannot be learned from with it, and ArchiveError for one that cannot be read.
    """
    stages = plan(settings, len(reader.tasks()), reader.training_tasks())
    if iteration >= len(stages):
        raise ExportError(
            f"{folder.name}: its settings plan {len(stages)} iterations, so nothing would be "
            f"learned from iteration {iteration + 1}"
        )
    data = lesson(stages[iteration], stages, reader.tasks(), pool=settings.learn.pool)
    begun = {row.index for row in reader.iterations()}
    searched = [index for index in data.iterations if index in begun]
    runs = settings.learn.runs

    def pooled() -> AbstractContextManager[Pool]:
        return open_pool(folder, reader, searched, data.tasks, runs)

    with _refusals(), pooled() as pool:
        tasks = pool.tasks

    def portions(first: int) -> Iterator[Iterator[Chat]]:
        with _refusals(), pooled() as pool, opened_embedding(settings) as embedding:
            for found in gather(
                pool.tasks[first:],
                pool.candidates,
                settings.learn,
                settings.vote,
                settings.seed + iteration,
                embedding=embedding,
            ):
                one = pool.at_home(found)
                yield map(chat, one.samples + one.repairs)

    known = [index for index, task in tasks if task.truth is not None]
    made = [reader.created, *map(_created, runs)]
    return Rows(
        digest("gathered", made, iteration, reader.settings_text, known),
        portions,
        pooled_stamp(reader, tasks, searched, runs),
        "tasks",
        (1,) * len(tasks),
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (PoolingError, TrainingError) as error:
        raise ExportError(str(error)) from error


def _created(run: str) -> float:
    with RunReader(Path(run)) as reader:
        return reader.created
