"""Training examples: what a policy is shown, the program it should have written, and whence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.arc import Task
from engine.programs.candidate import Candidate

Origin: TypeAlias = Literal["correct", "hindsight", "repair"]
Reason: TypeAlias = Literal[
    "no program",
    "no output",
    "filtered",
    "blank",
    "constant",
    "identity",
    "transduction",
    "duplicate outputs",
    "duplicate program",
    "not chosen",
]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One training example.

    `task` is what the policy is given: the true task for a correct program and for a repair, the
    synthetic task of its own outputs for a hindsight program; never with truth. `source` is the
    answer. `candidate` is the id of the candidate the answer comes from, in the run whose folder is
    called `run` (None: the one that learns). A `repair` also has the `parent` it repairs, any other
    has None.
    """

    origin: Origin
    task: Task
    source: str
    candidate: int
    parent: Candidate | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a candidate (of `run`, see Example) did not become an example."""

    candidate: int
    reason: Reason
    run: str | None = None
