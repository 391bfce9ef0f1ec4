"""A dry run: what learning would learn from, by kind, reason and task, before anything runs.

Gathering reads every candidate of the run, so it is done in a process of its own
(engine.control.dry_run): whoever watches stays quick, and closing it costs nothing. Nothing is
written, and it may be done while an engine is on the run.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from engine.arc import Task
from engine.arc.document import parse_task
from engine.archive.rows import ExampleCount
from engine.config import Settings

Kind: TypeAlias = Literal["sample", "refine"]

SECONDS_BETWEEN = 0.2
"""Time between two states of a dry run under way."""


class DryRunError(RuntimeError):
    """A dry run that could not be made; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class DryExample:
    """One example: the task the policy is shown (of hindsight a synthetic one), and the answer.

    `task_index` is the task's place in the run; `candidate` and `parent` (of a repair) are ids.
    """

    kind: Kind
    label: str
    candidate: int
    parent: int | None
    task_index: int
    task: Task
    source: str


@dataclass(frozen=True, slots=True)
class TaskShare:
    """How many examples one task gives, and how many candidates it gives none of."""

    index: int
    id: str
    samples: int
    repairs: int
    left_out: int


@dataclass(frozen=True, slots=True, eq=False)
class DryRun:
    """How far a dry run has come: `gathered` of `tasks`, and what they give to learn from.

    `iteration` is the index of the one that is learned from. `examples` holds one of each label
    of each task, `counts` counts all.
    """

    iteration: int
    tasks: int
    gathered: int = 0
    counts: tuple[ExampleCount, ...] = ()
    shares: tuple[TaskShare, ...] = ()
    examples: tuple[DryExample, ...] = ()

    @property
    def used(self) -> int:
        """How many examples would be trained on."""
        return sum(entry.count for entry in self.counts if entry.rejected is None)

    @property
    def left_out(self) -> int:
        """How many candidates would not."""
        return sum(entry.count for entry in self.counts if entry.rejected is not None)

    @property
    def finished(self) -> bool:
        """Whether every task has been gathered from."""
        return self.gathered == self.tasks


class Begun(msgspec.Struct, frozen=True):
    """From which iteration, by index, and how many tasks there are to gather from."""

    iteration: int
    tasks: int


class Counted(msgspec.Struct, frozen=True):
    """How many examples of one task share a kind, a label and a reason of rejection."""

    kind: Kind
    label: str
    rejected: str | None
    count: int


class Shown(msgspec.Struct, frozen=True):
    """One example whole; `task` is what the policy is shown, in ARC's JSON form."""

    kind: Kind
    label: str
    candidate: int
    parent: int | None
    task: dict[str, Any]
    source: str


class Gathered(msgspec.Struct, frozen=True):
    """What one task (by index and id) gives to learn from, with an example of each label."""

    task: int
    id: str
    counts: tuple[Counted, ...]
    examples: tuple[Shown, ...]


class DryRunProcess:
    """A dry run of a folder's latest iteration with some settings, under way while it is entered.

    Iterating yields its state a few times a second, the last time when it is finished. `close`
    may be called from another thread and ends it at once; iterating then ends, too.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._closed = False
        self._open = contextlib.ExitStack()

    def __enter__(self) -> DryRunProcess:
        with contextlib.ExitStack() as opening:
            self._errors = opening.enter_context(tempfile.TemporaryFile())
            self._process = opening.enter_context(
                subprocess.Popen(
                    [sys.executable, "-P", "-m", "engine.control.dry_run", str(self._folder)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                )
            )
            opening.callback(self.close)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._open.close()

    def close(self) -> None:
        """End it; what it has found so far is what there is."""
        self._closed = True
        self._process.kill()

    def __iter__(self) -> Iterator[DryRun]:
        """Yield how far it has come. Raises DryRunError when it cannot be made."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(msgspec.json.encode(self._settings))
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already; its exit code and its last words say why
        first = self._process.stdout.readline()
        if first:
            begun = msgspec.json.decode(first, type=Begun)
            state = DryRun(begun.iteration, begun.tasks)
            yield state
            told, parts = 0.0, _Parts()
            for line in self._process.stdout:
                if not line.endswith(b"\n"):
                    break  # it was killed while it wrote
                parts.add(msgspec.json.decode(line, type=Gathered))
                if time.monotonic() - told >= SECONDS_BETWEEN or len(parts.shares) == begun.tasks:
                    yield parts.state(begun.iteration, begun.tasks)
                    told = time.monotonic()
        code = self._process.wait()
        if code and not self._closed:
            self._errors.seek(0)
            words = self._errors.read().decode(errors="replace").strip().splitlines()
            raise DryRunError(words[-1] if words else f"it ended with exit code {code}")


class _Parts:
    """What the tasks gathered so far add up to."""

    def __init__(self) -> None:
        self.shares: list[TaskShare] = []
        self._counts: dict[tuple[Kind, str, str | None], int] = {}
        self._examples: list[DryExample] = []

    def add(self, gathered: Gathered) -> None:
        for entry in gathered.counts:
            key = (entry.kind, entry.label, entry.rejected)
            self._counts[key] = self._counts.get(key, 0) + entry.count
        used = [entry for entry in gathered.counts if entry.rejected is None]
        self.shares.append(
            TaskShare(
                gathered.task,
                gathered.id,
                sum(entry.count for entry in used if entry.kind == "sample"),
                sum(entry.count for entry in used if entry.kind == "refine"),
                sum(entry.count for entry in gathered.counts if entry.rejected is not None),
            )
        )
        self._examples += [_example(gathered.task, shown) for shown in gathered.examples]

    def state(self, iteration: int, tasks: int) -> DryRun:
        counts = tuple(ExampleCount(*key, count) for key, count in self._counts.items())
        shares, examples = tuple(self.shares), tuple(self._examples)
        return DryRun(iteration, tasks, len(shares), counts, shares, examples)


def _example(index: int, shown: Shown) -> DryExample:
    task = parse_task(shown.task, shown.task["id"], "dry run")
    return DryExample(
        shown.kind, shown.label, shown.candidate, shown.parent, index, task, shown.source
    )
