"""The joint of the house: what the search asks of any policy, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.arc import Task
from engine.programs.candidate import Candidate


class PolicyError(RuntimeError):
    """A policy that cannot propose at all (its process or server is gone for good)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposed program.

    `source` is the Python source, or None when the reply held none; `reply` is a language
    model's whole text where there was one; `prior` is a log-weight the policy gives its own
    program; `finish` says how the reply ended: "stop", "length", "abort" (no reply came), or
    "refused" (the prompt does not fit the model's context). Of a request's prompt tokens, those
    in the server's cache and its cost, each of its completions bears an equal share; `weights`
    is the version of the weights that wrote it, where the server says so.
    """

    source: str | None
    reply: str | None = None
    prior: float | None = None
    finish: str = "stop"
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: float = 0.0
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """What a policy says of itself: its name, its checkpoint, calls under way, whether it is up.

    `capacity` is how many proposals it has room for at once; 0 where it does not know. `servers`
    says of each server it asks, by its URL, how that one stands.
    """

    name: str
    checkpoint: str
    in_flight: int
    ready: bool
    capacity: int = 0
    servers: Mapping[str, str] = field(default_factory=dict)


class Policy(Protocol):
    """Proposes programs for a task; does not know who asks or what becomes of them.

    Calls may run concurrently. With the same arguments and checkpoint the embedded policy
    returns the same proposals; a language model need not. Each call returns exactly `n`
    proposals. Raises PolicyError when it cannot go on.
    """

    async def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        """Propose `n` programs from the task alone."""
        ...

    async def refine(self, task: Task, parent: Candidate, n: int, seed: int) -> list[Proposal]:
        """Propose `n` repairs of `parent`, whose evaluation says what it got wrong."""
        ...

    async def load(self, checkpoint: Path | None) -> None:
        """Switch to a checkpoint; None is the untrained policy."""
        ...

    async def rest(self) -> None:
        """Give a trainer room (a server's GPU memory) until the next `load`."""
        ...

    async def close(self) -> None:
        """Give back every process and connection. Safe to call twice."""
        ...

    @property
    def status(self) -> PolicyStatus: ...
