"""What commands on runs print: run, status, attach, runs, checkpoints, train, serve, track."""

from __future__ import annotations

from typing import Literal

from soar_tui.cli.documents import Document


class IterationDocument(Document, frozen=True):
    """One iteration of a run; `phase` is train or test, `partial_credit` a mean, 0..1."""

    index: int
    phase: str
    tasks: int
    known: int
    finished: int
    solved: int | None
    oracle: int | None
    partial_credit: float | None
    candidates: int
    seconds: float
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost: float


class TaskResultDocument(Document, frozen=True):
    """How one task stands in the last iteration."""

    task: str
    finished: bool
    solved: bool | None
    oracle: bool | None
    candidates: int
    best_accuracy: float | None
    vote_share: float | None
    shortest_perfect: int | None


class RunDocument(Document, frozen=True):
    """A run: what `run`, `attach`, `resume` and `status` print."""

    run: str
    folder: str
    state: str
    reason: str | None
    task_set: str
    policy: str
    seed: int
    tasks: int
    known: int
    finished: int
    solved: int | None
    oracle: int | None
    candidates: int
    seconds: float
    process: int | None
    silent: float | None
    iterations: list[IterationDocument]
    results: list[TaskResultDocument]
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost: float


class RunRowDocument(Document, frozen=True):
    """One line of the list of runs."""

    run: str
    folder: str
    state: str
    reason: str | None
    task_set: str
    policy: str
    tasks: int
    known: int
    finished: int
    iteration: int | None
    iterations: int
    solved: int | None
    candidates: int
    seconds: float
    started: float | None
    bytes: int


class RunsDocument(Document, frozen=True):
    """What `runs` prints; `problems` are runs that are known but cannot be read, and why."""

    home: str
    runs: list[RunRowDocument]
    problems: list[str]


class CommandDocument(Document, frozen=True):
    """What `pause`, `stop` and `resume` (of an engine that lives) print."""

    run: str
    command: Literal["pause", "resume", "drain", "stop"]
    reply: str
    state: str


class LaunchDocument(Document, frozen=True):
    """What `run --detach` and `resume --detach` print once the engine is ready."""

    run: str
    folder: str
    state: str
    process: int


class DryRunCountDocument(Document, frozen=True):
    """How many candidates share what they train, as what they count, and why they are left out."""

    trains: Literal["sample", "refine"]
    label: str
    rejected: str | None
    examples: int


class DryRunTaskDocument(Document, frozen=True):
    """What one task gives to learn from."""

    task: str
    samples: int
    repairs: int
    left_out: int


class DryRunDocument(Document, frozen=True):
    """What `train --dry-run` prints."""

    run: str
    iteration: int
    used: int
    left_out: int
    counts: list[DryRunCountDocument]
    tasks: list[DryRunTaskDocument]


class CheckpointDocument(Document, frozen=True):
    """A checkpoint; figures are null for the shipped one."""

    checkpoint: str
    path: str
    policy: str
    examples: int | None
    seconds: float | None
    created: float | None
    in_use: bool


class CheckpointsDocument(Document, frozen=True):
    """What `checkpoints` prints."""

    checkpoints: list[CheckpointDocument]


class ServeDocument(Document, frozen=True):
    """Where `serve` listens; `address` holds the key."""

    address: str
    host: str
    port: int


class TrackDocument(Document, frozen=True):
    """What `track` prints when it ends."""

    run: str
    to: Literal["tensorboard", "trackio", "wandb"]
    place: str
    points: int
