"""What the archive's reader returns and its writer takes, beside tasks, pulls and candidates.

Times are Unix seconds, durations seconds; an accuracy is the share of demonstration pairs
reproduced, 0..1. Where the truth is unknown, what depends on it is None, never False.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.programs.candidate import Candidate, FilterName, Operator, Pull

SearchState: TypeAlias = Literal["untouched", "searching", "finished"]
CommandState: TypeAlias = Literal["queued", "accepted", "done", "rejected"]


@dataclass(frozen=True, slots=True)
class IterationRow:
    """One iteration and what it has achieved so far.

    `tasks` counts the iteration's tasks, `finished` the searches that are over, `known` the tasks whose
    truth is known; `solved` and `oracle` count among those, and `partial_credit` is the mean over
    them of the share of test inputs that either submission matches (SOAR §1), tasks not voted on
    yet counting 0. All three are None when no truth is known. `tokens_cached` are those of
    `tokens_in` that servers had in their caches; `cost` is in the currency of the price tables.
    """

    index: int
    phase: str
    policy: str
    checkpoint: str
    started: float
    ended: float | None
    seconds: float | None
    tasks: int
    finished: int
    known: int
    solved: int | None
    oracle: int | None
    partial_credit: float | None
    pulls: int
    candidates: int
    programs: int
    errors: int
    filtered: int
    perfect: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskRow:
    """How the search of one task stands, in one iteration or over all of them.

    `programs` counts candidates that held a program, `errors` those that gave no valid output at
    all, `filtered` those a filter bars, `perfect` the unfiltered ones right on every demonstration;
    `best` is the best accuracy of an unfiltered one. `vote_right`: one of the two submissions is
    right on every test input (None: truth unknown, or no vote yet). `oracle`: some candidate is.
    """

    index: int
    id: str
    state: SearchState
    pulls: int
    candidates: int
    programs: int
    errors: int
    filtered: int
    perfect: int
    best: float | None
    vote_right: bool | None
    oracle: bool | None
    active: float | None
    seconds: float | None
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class TallyRow:
    """What stands behind one pattern: unfiltered candidates, duplicates counted (SOAR §6).

    `outputs` are packed grids, one per test input; `accuracy_sum` is Σ a, whole pairs summed;
    `shortest` the fewest characters of a source; `prior_sum` Σ exp(prior) over distinct programs
    that have a prior; `right` one mark per test input, or None.
    """

    pattern: int
    outputs: tuple[bytes, ...]
    count: int
    accuracy_sum: float
    shortest: int
    prior_sum: float
    right: tuple[bool, ...] | None


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One pattern of a task's vote; ranks count from 1, and 1 and 2 are submitted."""

    rank: int
    pattern: int
    outputs: tuple[bytes, ...]
    weight: float
    count: int
    right: tuple[bool, ...] | None


@dataclass(frozen=True, slots=True)
class VoteResult:
    """A task's finished vote: by which formula, when, after how many seconds of search."""

    formula: str
    finished: float
    seconds: float
    ranked: tuple[VoteRow, ...]


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A candidate as lists show it, without source, results and reply.

    `length` is of the source, in characters (None: the reply held no program); `runs` says whether
    it gave a valid output on some input; `right` whether its pattern is right on every test input
    (None: unknown truth, or no pattern).
    """

    id: int
    iteration: int
    task: int
    number: int
    operator: Operator
    pull: int
    island: int
    parent: int | None
    created: float
    length: int | None
    accuracy: float | None
    filter: FilterName | None
    runs: bool | None
    pattern: int | None
    right: bool | None
    prior: float | None
    finish: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    cost: float = 0.0
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """Which candidates of a run to list; None leaves a field open.

    `iteration` and `task` are indexes; `program` asks whether the reply held one, `runs` whether
    it gave a valid output on some input, `filter` names the filter that fired ("" for none),
    `accuracy` is a closed interval, `perfect` means right on every demonstration and unfiltered,
    `right` that the pattern is known to be right on every test input, `pattern` is a pattern's id,
    `text` is looked for in the source, letter case ignored.
    """

    iteration: int | None = None
    task: int | None = None
    operator: Operator | None = None
    island: int | None = None
    program: bool | None = None
    runs: bool | None = None
    filter: FilterName | Literal[""] | None = None
    accuracy: tuple[float, float] | None = None
    perfect: bool | None = None
    right: bool | None = None
    pattern: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """One page of a filtered list of candidates, in the order asked for.

    `next` is where to go on (pass it as `after`), or None when there is nothing more. A page may
    hold fewer rows than asked for, even none, and still have a next one: a call looks at a bounded
    number of candidates, so that a rare match among millions never blocks its caller.
    """

    rows: tuple[CandidateRow, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class CandidateDetail:
    """A candidate whole, with its pull and what is known of its outputs."""

    candidate: Candidate
    pull: Pull
    pattern: int | None
    right: tuple[bool, ...] | None


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm of a task's bandit: a distinct program of an island that may be refined (SOAR §5).

    It ran on some input, is not right on every demonstration, and no filter but `invalid` fired.

    `candidate` is the first that had this program, refined from `parent` (None: sampled); `pulls` is N, the completions drawn from it in
    recorded pulls; α = 1 + C·a and β = 1 + C·(1 - a) + N; `children` counts the programs among
    them, `best_child` the best accuracy of one that no filter bars; `last_draw` is the θ that won
    its last pull, whose number is `last_pull`.
    """

    candidate: int
    parent: int | None
    program: int
    island: int
    accuracy: float
    pulls: int
    alpha: float
    beta: float
    children: int
    best_child: float | None
    last_draw: float | None
    last_pull: int | None


@dataclass(frozen=True, slots=True)
class PullRow:
    """A pull as the live view tails it: ids grow in commit order.

    `first` is its first candidate's id; `best` is the best accuracy of an unfiltered candidate and
    `perfect` how many of these are right on every demonstration.
    """

    id: int
    pull: Pull
    first: int
    count: int
    best: float | None
    perfect: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the run's journal."""

    id: int
    time: float
    level: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One point of a curve; `value` may be NaN (a diverged loss)."""

    id: int
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What an iteration's learning produced: where, from what base, from how many examples."""

    iteration: int
    path: str
    policy: str
    base: str
    examples: int
    seconds: float
    created: float


@dataclass(frozen=True, slots=True)
class Example:
    """One candidate weighed up for learning (SOAR §7).

    `kind` is the operator it trains; `label` says as what it counts ("correct", "hindsight", an
    accuracy bin of the parent); `run` is the folder name of the run it comes from (None: this one),
    where `candidate` and `parent` are ids. `rejected` says why it was left out (None: it was used).
    """

    iteration: int
    kind: Literal["sample", "refine"]
    label: str
    candidate: int
    parent: int | None = None
    weight: float = 1.0
    run: str | None = None
    rejected: str | None = None


@dataclass(frozen=True, slots=True)
class ExampleCount:
    """How many examples share a kind, a label and a reason of rejection (None: used)."""

    kind: Literal["sample", "refine"]
    label: str
    rejected: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """One thing's present state: `value` is plain JSON data."""

    key: str
    value: object
    updated: float


@dataclass(frozen=True, slots=True)
class Command:
    """One command to the engine and what became of it; `payload` is plain JSON data."""

    id: int
    name: str
    payload: object
    state: CommandState
    reply: str | None
    sent: float
    answered: float | None
