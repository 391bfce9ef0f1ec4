"""The JSON documents of the command line: what `--json` prints, as types.

They are a contract, described for readers in docs/json.md: fields are only ever added. A figure
that is not known (the truth of a test input, the end of something under way) is null, never 0 or
false. Grids are lists of rows of ints 0..9. Every field is always there.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Rows: TypeAlias = list[list[int]]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all documents share: frozen, by keyword, nothing beside the described fields."""


def encoded(document: object) -> bytes:
    """Return a document as JSON on one line; a lone surrogate, which UTF-8 cannot hold, is `?`."""
    try:
        return msgspec.json.encode(document) + b"\n"
    except UnicodeEncodeError:
        import json

        plain = msgspec.to_builtins(document)
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"


class ErrorDocument(Document, frozen=True):
    """What stands on stderr when a command with --json fails; stdout is then empty."""

    error: str
    exit_code: int


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


class PairDocument(Document, frozen=True):
    """A demonstration pair."""

    input: Rows
    output: Rows


class TestInputDocument(Document, frozen=True):
    """A test input; `output` is the truth where it is known."""

    input: Rows
    output: Rows | None


class TaskDocument(Document, frozen=True):
    """A task, as `tasks SPEC --show ID` prints it (the shape of ARC's own files, and the id)."""

    id: str
    train: list[PairDocument]
    test: list[TestInputDocument]


class TaskRowDocument(Document, frozen=True):
    """One line of the list of tasks; shapes are [rows, columns]."""

    id: str
    pairs: int
    tests: int
    known: bool
    input_shapes: list[list[int]]
    output_shapes: list[list[int]]


class TasksDocument(Document, frozen=True):
    """What `tasks SPEC` prints."""

    task_set: str
    tasks: list[TaskRowDocument]


class NamedSetDocument(Document, frozen=True):
    """A task set known by name."""

    name: str
    tasks: int
    tests: int
    about: str


class TaskSetsDocument(Document, frozen=True):
    """What `tasks` prints."""

    sets: list[NamedSetDocument]


class ProducedDocument(Document, frozen=True):
    """What a program gave on one input: a grid, or why there is none."""

    output: Rows | None
    error: str | None
    right: bool | None


class CandidateDocument(Document, frozen=True):
    """A candidate in a list; `number` counts the task's candidates within the iteration."""

    id: int
    number: int
    operator: Literal["sample", "refine"]
    parent: int | None
    accuracy: float | None
    filter: str | None
    length: int | None


class CandidateDetailDocument(Document, frozen=True):
    """A candidate with its program, what it gave on each input, and its refinement chain."""

    id: int
    number: int
    operator: Literal["sample", "refine"]
    parent: int | None
    accuracy: float | None
    filter: str | None
    length: int | None
    source: str | None
    train: list[ProducedDocument]
    test: list[ProducedDocument]
    chain: list[CandidateDocument]
    finish: str
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost: float
    weights: str | None


class PatternDocument(Document, frozen=True):
    """A pattern of the vote: the outputs for all test inputs that some programs agree on."""

    rank: int
    outputs: list[Rows]
    count: int
    weight: float
    share: float
    submitted: bool
    right: bool | None


class ShowDocument(Document, frozen=True):
    """One task of a run, as `show RUN TASK` and, inside its own document, `solve` print it."""

    run: str
    task: str
    iteration: int
    finished: bool
    solved: bool | None
    oracle: bool | None
    candidates: int
    train: list[PairDocument]
    test: list[TestInputDocument]
    submissions: list[list[Rows]]
    formula: str
    patterns: list[PatternDocument]
    best: list[CandidateDocument]
    candidate: CandidateDetailDocument | None
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost: float


class SolveDocument(Document, frozen=True):
    """What `solve` prints."""

    run: str
    folder: str
    state: str
    seconds: float
    task: ShowDocument


class ServeDocument(Document, frozen=True):
    """Where `serve` listens; `address` holds the key."""

    address: str
    host: str
    port: int


class ExportDocument(Document, frozen=True):
    """What `export submission` prints; `placeholders` are tasks that have no pattern."""

    run: str
    path: str
    tasks: int
    test_inputs: int
    placeholders: list[str]


class PackageDocument(Document, frozen=True):
    """An installed package."""

    name: str
    version: str


class EnvironmentDocument(Document, frozen=True):
    """An environment for language models; `problem` says why it cannot be used."""

    environment: str
    about: str
    python: str | None
    packages: list[PackageDocument]
    problem: str | None


class EnvironmentsDocument(Document, frozen=True):
    """What `setup` prints without a name."""

    environments: list[EnvironmentDocument]


class SetupDocument(Document, frozen=True):
    """What `setup ENVIRONMENT` prints; with --dry-run nothing is built and no config named."""

    environment: str
    python: str
    built: bool
    config: str | None
    commands: list[str]
    packages: list[PackageDocument]


class FileDocument(Document, frozen=True):
    """A file written; `rows` is null where it holds none."""

    path: str
    rows: int | None
    bytes: int


class CountDocument(Document, frozen=True):
    """How many there are of one kind or for one reason."""

    what: str
    count: int


class WrittenDocument(Document, frozen=True):
    """What the other `export` commands print; `left_out` says what is not in it and why.

    An earlier export of that name had been cut off where it was `begun_anew`, or gone on with:
    `kept_rows` were there already.
    """

    run: str
    path: str
    source: str
    rows: int
    files: list[FileDocument]
    left_out: list[CountDocument]
    seconds: float
    begun_anew: bool
    kept_rows: int


class RefusedDocument(Document, frozen=True):
    """Rows that were not taken in, for one reason; `first` is the number of the first of them."""

    reason: str
    count: int
    first: int


class ImportDocument(Document, frozen=True):
    """What `import` prints.

    `claims` are rows that say what they got right, `denied` those that running did not bear out.
    """

    run: str
    folder: str
    rows: int
    programs: int
    run_now: int
    tasks: int
    perfect: int
    solved: int | None
    known: int
    claims: int
    denied: int
    refused: list[RefusedDocument]
    seconds: float


class TrackDocument(Document, frozen=True):
    """What `track` prints when it ends."""

    run: str
    to: Literal["tensorboard", "trackio", "wandb"]
    place: str
    points: int


class ProgressDocument(Document, frozen=True):
    """How far something long has come: a line on stderr a second with `--json`."""

    what: str
    done: int
    total: int | None
    seconds: float


class CheckDocument(Document, frozen=True):
    """One thing doctor looked at; `needed` things that are missing make it fail."""

    name: str
    state: Literal["ok", "missing", "note", "failed"]
    needed: bool
    detail: str
    hint: str | None


class RunCheckDocument(Document, frozen=True):
    """One thing `doctor RUN` looked at in the run's folder; no faults: it is well."""

    name: str
    detail: str
    faults: list[str]
    repairable: bool
    hint: str | None


class DoctorDocument(Document, frozen=True):
    """What `doctor` prints; `gpu` is filled by --gpu only, `run` where a run is named.

    `repaired` is the folder in which --repair put the files as they were.
    """

    ok: bool
    checks: list[CheckDocument]
    gpu: list[CheckDocument]
    run: list[RunCheckDocument] = []
    repaired: str | None = None


class LitterDocument(Document, frozen=True):
    """How much of one kind a run could do without."""

    kind: str
    count: int
    bytes: int


class GarbageDocument(Document, frozen=True):
    """What `gc` prints; `freed` is how many bytes the run folder has become smaller."""

    dropped: bool
    freed: int
    litter: list[LitterDocument]


class ProgramDocument(Document, frozen=True, forbid_unknown_fields=False):
    """One line that `evaluate` reads; fields beside these are not looked at."""

    id: str | int
    task: str
    source: str


class EvaluatedGridDocument(Document, frozen=True, omit_defaults=True):
    """What a program gave on one input: exactly one of the two is there."""

    output: Rows | None = None
    error: str | None = None


class EvaluationDocument(Document, frozen=True):
    """One line that `evaluate` prints; `results` has one entry per input, demonstrations first."""

    id: str | int
    task: str
    results: list[EvaluatedGridDocument]
    accuracy: float
    filter: str | None
