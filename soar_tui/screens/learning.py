"""What Learn shows of an iteration's learning, read from the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from engine.archive.catalogue import CatalogueError
from engine.archive.rows import Checkpoint, Example, ExampleCount, MetricPoint
from engine.figures.numbers import count
from engine.programs.candidate import split_candidate_id
from soar_tui.checkpoints import checkpoint_in_use
from soar_tui.open_run import OpenRun
from soar_tui.screens.preview import Preview, preview_of
from soar_tui.screens.training import Training, training_of

LISTED: Final = 1_000
"""Examples listed at most."""


@dataclass(frozen=True, slots=True, eq=False)
class LearnBody:
    """One iteration's learning; `points` is its loss by step.

    `through`: all planned searches are; `in_use`: what new runs start from; `training`: what the
    engine last said it was at, None when it was not learning.
    """

    iteration: int
    iterations: int
    counts: tuple[ExampleCount, ...]
    examples: tuple[tuple[int, Example], ...]
    points: tuple[MetricPoint, ...]
    checkpoints: tuple[Checkpoint, ...]
    preview: Preview | None
    learns: bool
    names: tuple[str, ...]
    through: bool
    in_use: str | None
    training: Training | None


@dataclass(frozen=True, slots=True)
class LearnQuestion:
    """An iteration (None: the one learned from now or last), and the row id of an example."""

    iteration: int | None
    example: int | None

    def answer(self, run: OpenRun) -> LearnBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        checkpoints = tuple(run.reader.checkpoints())
        learned = [made.iteration for made in checkpoints]
        training = training_of(run)
        chosen = self.iteration
        if chosen is None and training is not None:
            chosen = training.iteration
        if chosen is None:
            chosen = learned[-1] if learned else rows[-1].index
        chosen = min(chosen, rows[-1].index)
        version = (chosen, len(checkpoints))
        counts = run.keep("counts", version, lambda: tuple(run.reader.example_counts(chosen)))
        examples = run.keep(
            "examples", version, lambda: tuple(run.reader.examples(chosen, limit=LISTED))
        )
        return LearnBody(
            iteration=chosen,
            iterations=len(rows),
            counts=counts,
            examples=examples,
            points=tuple(run.reader.metrics(f"loss/{chosen}")),
            checkpoints=checkpoints,
            preview=preview_of(run, dict(examples).get(self.example or 0)),
            learns=run.planned > 1,
            names=tuple(task.id for task in run.reader.tasks()),
            through=sum(row.ended is not None for row in rows) >= run.planned,
            in_use=_in_use(),
            training=training,
        )


def _in_use() -> str | None:
    """Return the checkpoint in use, None too where the user's catalogue cannot be read.

    The run's own learning is to be seen all the same; who chooses a checkpoint is told why not.
    """
    try:
        return checkpoint_in_use()
    except CatalogueError:
        return None


def top_line(body: LearnBody) -> Text:
    """Return what was learned from and how many tasks it comes from."""
    text = Text(no_wrap=True, overflow="ellipsis")
    used = sum(entry.count for entry in body.counts if entry.rejected is None)
    left_out = sum(entry.count for entry in body.counts if entry.rejected is not None)
    text.append(f"iteration {body.iteration + 1} of {body.iterations}", style="bold")
    text.append(f"  {count(used)} examples used, {count(left_out)} left out")
    per_task = Counter(
        split_candidate_id(example.candidate)[1]
        for _, example in body.examples
        if example.rejected is None
    )
    if per_task and len(body.examples) < LISTED:
        most = per_task.most_common(1)[0]
        text.append(f" · from {count(len(per_task))} tasks, at most {count(most[1])} of one")
    return text
