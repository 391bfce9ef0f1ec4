"""What commands on tasks and programs print: tasks, show, solve, evaluate."""

from __future__ import annotations

from typing import Literal

from soar_tui.cli.documents import Document, Rows


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
