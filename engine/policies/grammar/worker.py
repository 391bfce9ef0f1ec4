"""What runs inside a worker process: one proposer per process, kept between calls."""

from __future__ import annotations

from functools import cache

from engine.arc import Task
from engine.policies.grammar.proposing import Proposer
from engine.policies.protocol import Proposal


@cache
def _proposer() -> Proposer:
    return Proposer()


def sample(task: Task, n: int, seed: int) -> list[Proposal]:
    """Proposer.sample in this process."""
    return _proposer().sample(task, n, seed)


def refine(task: Task, parent: str, n: int, seed: int) -> list[Proposal]:
    """Proposer.refine in this process."""
    return _proposer().refine(task, parent, n, seed)
