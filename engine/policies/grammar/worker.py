"""What runs inside a worker process: one proposer per checkpoint, kept between calls."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from engine.arc import Task
from engine.policies.grammar.checkpoint import load_weights
from engine.policies.grammar.proposing import Proposer
from engine.policies.grammar.trained import Trained
from engine.policies.protocol import Proposal


# Two, for calls begun before a new checkpoint was loaded end after it.
@lru_cache(maxsize=2)
def _proposer(checkpoint: Path | None) -> Proposer:
    return Proposer(None if checkpoint is None else Trained(load_weights(checkpoint)))


def sample(checkpoint: Path | None, task: Task, n: int, seed: int) -> list[Proposal]:
    """Proposer.sample in this process, under a checkpoint (None: untrained)."""
    return _proposer(checkpoint).sample(task, n, seed)


def refine(checkpoint: Path | None, task: Task, parent: str, n: int, seed: int) -> list[Proposal]:
    """Proposer.refine in this process, under a checkpoint (None: untrained)."""
    return _proposer(checkpoint).refine(task, parent, n, seed)
