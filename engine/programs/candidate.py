"""A candidate: one proposed program on one task, with what running it showed (SOAR §2, §4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["sample", "refine"]
FailureKind: TypeAlias = Literal["exception", "timeout", "memory", "invalid", "crash", "refused"]
FilterName: TypeAlias = Literal["invalid", "blank", "constant", "identity", "transduction"]

_NUMBER_BITS, _TASK_BITS = 24, 16


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a program gave no output on one grid: its kind and one line of at most 300 characters.

    `exception` is the program's own; `timeout` and `memory` are limits; `invalid` is an output
    that is no grid; `crash` is a process that died; `refused` is a program that did not compile
    or defines no `transform`.
    """

    kind: FailureKind
    text: str


Result: TypeAlias = bytes | Failure
"""What a program gave on one grid: a packed grid (engine.arc.grid.pack) or a failure."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A program's results on a task's inputs, and what they are worth.

    `results` has one entry per input, demonstrations first; `right` one bool per demonstration
    pair; `filter` names the filter of SOAR §4 that keeps the program out of votes and arms, and
    out of training as an answer to this task, or None.
    """

    results: tuple[Result, ...]
    right: tuple[bool, ...]
    filter: FilterName | None = None

    @property
    def accuracy(self) -> float:
        """Share of demonstration pairs reproduced exactly, 0..1 (SOAR §4, `a`)."""
        return sum(self.right) / len(self.right)

    @property
    def perfect(self) -> bool:
        """Whether every demonstration pair is reproduced and no filter fired."""
        return all(self.right) and self.filter is None

    @property
    def runs(self) -> bool:
        """Whether the program gave a valid output on at least one input (it may be an arm)."""
        return any(isinstance(result, bytes) for result in self.results)

    @property
    def pattern(self) -> bytes | None:
        """The packed outputs for ALL test inputs joined, or None when one is missing (SOAR §6)."""
        outputs = [r for r in self.results[len(self.right) :] if isinstance(r, bytes)]
        if len(outputs) < len(self.results) - len(self.right):
            return None
        return b"".join(outputs)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed program and its evaluation.

    `id` is candidate_id(iteration, task, number); `number` counts the task's candidates within
    an iteration from 0, so the same seed gives the same ids. `source` and `evaluation` are None
    when the proposal held no program. `prior` is a log-weight the policy itself gives the
    program (None: it has none). Tokens and cost are those of a language model, else 0: of its
    request's prompt tokens, those of them in the server's cache and its cost an equal share each;
    `weights` is the version of the weights that wrote it, where the server says so.
    """

    id: int
    operator: Operator
    pull: int
    island: int
    parent: int | None
    source: str | None
    evaluation: Evaluation | None
    prior: float | None = None
    reply: str | None = None
    finish: str = "stop"
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: float = 0.0
    weights: str | None = None


def prior_weight(prior: float) -> float:
    """Return exp(prior), what a program's prior weighs in a vote; priors above 700 count as 700."""
    return math.exp(min(prior, 700.0))


def candidate_id(iteration: int, task: int, number: int) -> int:
    """Join an iteration's index, a task's index in the run and a candidate's number to one id.

    Ids of one task in one iteration are consecutive, so the archive keeps them together.
    Raises ValueError when a part does not fit (iteration < 2²³, task < 2¹⁶, number < 2²⁴).
    """
    if not (0 <= iteration < 1 << 23 and 0 <= task < 1 << _TASK_BITS):
        raise ValueError(f"iteration {iteration} or task {task} does not fit a candidate id")
    if not 0 <= number < 1 << _NUMBER_BITS:
        raise ValueError(f"candidate number {number} does not fit a candidate id")
    return ((iteration << _TASK_BITS) | task) << _NUMBER_BITS | number


def split_candidate_id(identifier: int) -> tuple[int, int, int]:
    """Return (iteration, task index, number) of a candidate id."""
    number = identifier & ((1 << _NUMBER_BITS) - 1)
    task = identifier >> _NUMBER_BITS & ((1 << _TASK_BITS) - 1)
    return identifier >> (_NUMBER_BITS + _TASK_BITS), task, number


@dataclass(frozen=True, slots=True)
class Pull:
    """One call of a policy and what it was for: a sampling wave, or one REX draw of an arm.

    `number` counts the task's pulls within an iteration from 0, over all islands; `parent` is
    the refined arm's candidate id (None for a wave); `draw` is the winning Thompson draw θ (None
    for a wave); `created` is Unix time and `seconds` how long proposing and running took.
    """

    iteration: int
    task: int
    number: int
    operator: Operator
    island: int
    parent: int | None
    draw: float | None
    seed: int
    created: float
    seconds: float
