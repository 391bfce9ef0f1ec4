"""The process of a dry run: gathers what an iteration would learn from and says it line by line.

`python -m engine.control.dry_run FOLDER` reads settings as JSON from stdin. It prints a `Begun`,
then a `Gathered` per task, each a line of JSON; what makes it impossible goes to stderr. Nothing
is written. See engine.control.preview for the side that starts it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.arc.document import task_document
from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.archive.rows import Example as ExampleRow
from engine.config import ConfigError, Settings
from engine.control.preview import Begun, Counted, Gathered, Shown
from engine.learning.embedding_model import opened_embedding
from engine.learning.example import Example
from engine.learning.gather import gather
from engine.learning.learn import example_rows
from engine.learning.lesson import lesson, plan
from engine.learning.pooling import PoolingError, open_pool
from engine.learning.trainers.protocol import TrainingError

UNUSABLE = 2
"""Exit code when there is nothing to gather from."""


def gathered(
    folder: Path, reader: RunReader, settings: Settings, iteration: int | None
) -> Iterator[Begun | Gathered]:
    """Yield what learning from an iteration (None: the latest begun) would learn from.

    Raises ConfigError when there is no such iteration, and as open_pool and gather do.
    """
    tasks = reader.tasks()
    stages = plan(settings, len(tasks), reader.training_tasks())
    begun = [row.index for row in reader.iterations() if row.index < len(stages)]
    if not begun:
        raise ConfigError("no iteration has begun yet: there is nothing to learn from")
    index = begun[-1] if iteration is None else iteration
    if index not in begun:
        raise ConfigError(f"there is no iteration {index + 1}, only {len(begun)}")
    data = lesson(stages[index], stages, tasks, pool=settings.learn.pool)
    searched = [other for other in data.iterations if other in begun]
    with (
        open_pool(folder, reader, searched, data.tasks, settings.learn.runs) as pool,
        opened_embedding(settings) as embedding,
    ):
        yield Begun(index, len(pool.tasks))
        given = dict(pool.tasks)
        for found in gather(
            pool.tasks,
            pool.candidates,
            settings.learn,
            settings.vote,
            settings.seed + index,
            embedding=embedding,
        ):
            one = pool.at_home(found)
            rows = list(example_rows(index, given[one.task], one))
            counts = Counter((row.kind, row.label, row.rejected) for row in rows)
            yield Gathered(
                one.task,
                given[one.task].id,
                tuple(Counted(*key, count) for key, count in counts.items()),
                tuple(_shown(rows, (*one.samples, *one.repairs))),
            )


def _shown(rows: list[ExampleRow], examples: tuple[Example, ...]) -> Iterator[Shown]:
    """Yield the first example of each label; the rows of what is used come in their order."""
    seen: set[tuple[str, str]] = set()
    for row, example in zip(rows, examples, strict=False):
        if (row.kind, row.label) not in seen:
            seen.add((row.kind, row.label))
            yield Shown(
                row.kind,
                row.label,
                row.candidate,
                row.parent,
                {"id": example.task.id, **task_document(example.task)},
                example.source,
            )


def main() -> int:
    """Gather for the folder of the command line and the settings on stdin; return the exit code."""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)
    try:
        folder = Path(sys.argv[1])
        with RunReader(folder) as reader:
            for line in gathered(folder, reader, settings, None):
                sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
                sys.stdout.buffer.flush()
    except (ArchiveError, ConfigError, PoolingError, TrainingError) as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
