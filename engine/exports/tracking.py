"""A run's curves for experiment trackers: read from the archive, so nothing here can hurt an engine.

One small port, Tracker, with a kind for TensorBoard's event files and one for trackio and W&B, whose
calls are the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from engine.archive.reader import RunReader
from engine.exports.output import ExportError

TrackerKind: TypeAlias = Literal["tensorboard", "trackio", "wandb"]

EVENTS = "events.out.tfevents.soar-tui"
"""The event file's name; always the same, so that tracking a run again replaces what there was."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a curve at a step; `time` is Unix time."""

    name: str
    step: int
    value: float
    time: float


@dataclass(slots=True)
class Seen:
    """What has been told already: the last point of each metric, the votes, the iterations."""

    metrics: dict[str, int] = field(default_factory=dict)
    votes: set[tuple[int, int]] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)


class Tracker(Protocol):
    """Where points go."""

    def put(self, point: Point) -> None:
        """Take a point."""
        ...

    def flush(self) -> None:
        """Make what was put visible."""
        ...

    def close(self) -> None:
        """End; nothing is put after."""
        ...


def new_points(reader: RunReader, seen: Seen) -> Iterator[Point]:
    """Yield what the archive holds beyond `seen`, and note it there.

    Every metric under its own name; `solved/I` and `oracle/I`, counted up task by task in the order
    of votes; and per finished iteration `iteration/…` its figures. Iterations count from 1. What is
    not a number, and what an unknown truth leaves open, is left out.
    """
    for name in reader.metric_names():
        for point in reader.metrics(name, seen.metrics.get(name, 0)):
            seen.metrics[name] = point.id
            if math.isfinite(point.value):
                yield Point(name, point.step, point.value, time.time())
    yield from _votes(reader, seen)
    for row in reader.iterations():
        if row.ended is None or row.index in seen.ended:
            continue
        seen.ended.add(row.index)
        figures = {
            "solved": row.solved,
            "oracle": row.oracle,
            "partial_credit": row.partial_credit,
            "candidates": row.candidates,
            "perfect": row.perfect,
            "errors": row.errors,
            "filtered": row.filtered,
            "tokens_in": row.tokens_in,
            "tokens_out": row.tokens_out,
            "seconds": row.seconds,
        }
        for name, value in figures.items():
            if value is not None:
                yield Point(f"iteration/{name}", row.index + 1, float(value), row.ended)


def _votes(reader: RunReader, seen: Seen) -> Iterator[Point]:
    finished = sorted(
        (row.finished, row.iteration, row.task)
        for row in reader.searches()
        if row.finished is not None
    )
    if len(finished) == len(seen.votes):
        return
    right = {
        (row.index, task.index): (task.vote_right, task.oracle)
        for row in reader.iterations()
        for task in reader.task_rows(row.index)
    }
    counts: dict[int, list[int]] = {}
    for moment, iteration, task in finished:
        solved, oracle = right[iteration, task]
        if solved is None or oracle is None:
            seen.votes.add((iteration, task))
            continue
        count = counts.setdefault(iteration, [0, 0, 0])
        count[0] += 1
        count[1] += solved
        count[2] += oracle
        if (iteration, task) not in seen.votes:
            seen.votes.add((iteration, task))
            yield Point(f"solved/{iteration + 1}", count[0], float(count[1]), moment)
            yield Point(f"oracle/{iteration + 1}", count[0], float(count[2]), moment)


def open_tracker(kind: TrackerKind, run: str, project: str, out: Path) -> Tracker:
    """Return a tracker for a run: event files under `out`, or a run of a project.

    Raises ExportError saying what to install where its package is not there.
    """
    if kind == "tensorboard":
        return EventFile(out / run)
    try:
        if kind == "trackio":
            import trackio as module
        else:
            import wandb as module
    except ImportError as error:
        raise ExportError(f"{kind} is not installed ({error}); pip install {kind}") from error
    return LoggedRun(module, run, project)


class EventFile:
    """TensorBoard's event file, written anew."""

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto import event_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise ExportError(
                f"TensorBoard's files need tensorboard ({error}); pip install 'soar-tui[track]'"
            ) from error
        self._event: Any = event_pb2.Event
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / EVENTS).open("wb")
        self._records: Any = RecordWriter(self._file)
        self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))

    def put(self, point: Point) -> None:
        """Write a point as a scalar summary."""
        event = self._event(wall_time=point.time, step=point.step)
        event.summary.value.add(tag=point.name, simple_value=point.value)
        self._write(event)

    def flush(self) -> None:
        """Let TensorBoard see what was put."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())


class LoggedRun:
    """A run of trackio or W&B; each point carries its own step, for the curves' steps differ."""

    def __init__(self, module: Any, run: str, project: str) -> None:
        self._module = module
        module.init(project=project, name=run)

    def put(self, point: Point) -> None:
        """Log a point with its step beside it."""
        self._module.log({point.name: point.value, f"{point.name}/step": point.step})

    def flush(self) -> None:
        """Both send by themselves."""

    def close(self) -> None:
        """Send what is left and end the run."""
        self._module.finish()
