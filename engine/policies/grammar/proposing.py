"""Proposals for one task, in this process: what a worker computes, without any parallelism."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from random import Random

from engine.arc import Task, pack
from engine.policies.grammar.bench import Workbench
from engine.policies.grammar.chains import Chain, edit, empty_chain, grow, replay
from engine.policies.grammar.language import forget
from engine.policies.grammar.model import Model, Untrained
from engine.policies.grammar.prior import log_prior
from engine.policies.grammar.source import emit, parse
from engine.policies.protocol import Proposal

_BENCHES = 4
_EDIT_TRIES = 8
_FRESH_TRIES = 3


class Proposer:
    """Proposes programs; keeps the workbenches of the last few tasks."""

    def __init__(self, model: Model | None = None) -> None:
        self._model = model or Untrained()
        self._benches: OrderedDict[bytes, Workbench] = OrderedDict()

    def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        """Grow `n` programs, distinct where a few tries suffice."""
        bench = self._bench(task)
        proposals: list[Proposal] = []
        seen: dict[str, None] = {}
        for index in range(n):
            rng = Random(f"sample {seed} {index}")
            source, chain = None, empty_chain(bench)
            for _ in range(_FRESH_TRIES):
                chain = grow(bench, rng)
                source = emit(chain.steps) if chain.steps else None
                if source is not None and source not in seen:
                    break
            proposals.append(_proposal(chain, source))
            if source is not None:
                seen[source] = None
        return proposals

    def refine(self, task: Task, parent: str, n: int, seed: int) -> list[Proposal]:
        """Edit a program of this language `n` times; anything else is answered by sampling."""
        bench = self._bench(task)
        steps = parse(parent)
        chain = replay(bench, empty_chain(bench), steps, refit=False) if steps else None
        if chain is None:
            return self.sample(task, n, seed)
        proposals: list[Proposal] = []
        seen = {parent: None}
        for index in range(n):
            rng = Random(f"refine {seed} {index}")
            changed, source = chain, parent
            for _ in range(_EDIT_TRIES):
                child = edit(bench, chain, rng)
                if child is None or not child.steps:
                    continue
                changed, source = child, emit(child.steps)
                if source not in seen:
                    break
            proposals.append(_proposal(changed, source))
            seen[source] = None
        return proposals

    def _bench(self, task: Task) -> Workbench:
        key = task_key(task)
        bench = self._benches.pop(key, None)
        if bench is None:
            bench = Workbench(task, self._model)
            forget()
        bench.tidy()
        self._benches[key] = bench
        if len(self._benches) > _BENCHES:
            self._benches.popitem(last=False)
        return bench


def _proposal(chain: Chain, source: str | None) -> Proposal:
    return Proposal(source, prior=log_prior(chain) if source is not None else None)


def task_key(task: Task) -> bytes:
    """Return a digest of everything a policy sees of a task; its name does not count."""
    digest = blake2b(digest_size=16)
    for pair in task.train:
        digest.update(pack(pair.input) + pack(pair.output))
    digest.update(b"tests")
    for grid in task.test:
        digest.update(pack(grid))
    return digest.digest()
