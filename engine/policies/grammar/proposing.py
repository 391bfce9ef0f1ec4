"""Proposals for one task, in this process: what a worker computes, without any parallelism."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from random import Random

from engine.arc import Task, pack
from engine.policies.grammar.bench import Workbench
from engine.policies.grammar.chains import Chain, edit, empty_chain, grow, replay
from engine.policies.grammar.model import Model, Untrained
from engine.policies.grammar.prior import log_prior
from engine.policies.grammar.source import emit, parse
from engine.policies.protocol import Proposal

_BENCHES = 64
"""Workbenches kept at most; a search has as many tasks under way."""
_CELLS = 16_000_000
"""Grid cells all workbenches together remember (128 MB)."""
_EDIT_TRIES = 8
_FRESH_TRIES = 3


class Proposer:
    """Proposes programs; keeps the workbenches of the last few tasks."""

    def __init__(self, model: Model | None = None) -> None:
        self._model = model or Untrained()
        self._benches: OrderedDict[bytes, Workbench] = OrderedDict()

    def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        """Grow `n` programs, distinct where a few tries suffice."""
        return [_proposal(chain) for chain in self.sample_chains(task, n, seed)]

    def refine(self, task: Task, parent: str, n: int, seed: int) -> list[Proposal]:
        """Edit a program of this language `n` times; anything else is answered by sampling."""
        return [_proposal(chain) for chain in self.refine_chains(task, parent, n, seed)]

    def sample_chains(self, task: Task, n: int, seed: int) -> list[Chain]:
        """As `sample`, but the chains themselves; one of no steps where nothing applies."""
        bench = self._bench(task)
        chains: dict[str, Chain] = {}
        grown: list[Chain] = []
        for index in range(n):
            rng = Random(f"sample {seed} {index}")
            chain = empty_chain(bench)
            for _ in range(_FRESH_TRIES):
                chain = grow(bench, rng)
                if chain.text not in chains:
                    break
            chains[chain.text] = chain
            grown.append(chain)
        return grown

    def refine_chains(self, task: Task, parent: str, n: int, seed: int) -> list[Chain]:
        """As `refine`, but the chains themselves; the parent's own where no edit works."""
        bench = self._bench(task)
        steps = parse(parent)
        chain = replay(bench, empty_chain(bench), steps, refit=False) if steps else None
        if chain is None:
            return self.sample_chains(task, n, seed)
        chains = {chain.text: chain}
        edited: list[Chain] = []
        for index in range(n):
            rng = Random(f"refine {seed} {index}")
            changed = chain
            for _ in range(_EDIT_TRIES):
                child = edit(bench, chain, rng)
                if child is None or not child.steps:
                    continue
                changed = child
                if child.text not in chains:
                    break
            chains[changed.text] = changed
            edited.append(changed)
        return edited

    def _bench(self, task: Task) -> Workbench:
        key = task_key(task)
        bench = self._benches.pop(key, None)
        if bench is None:
            bench = Workbench(task, self._model)
        bench.tidy()
        self._benches[key] = bench
        cells = sum(each.cells for each in self._benches.values())
        while len(self._benches) > _BENCHES or (len(self._benches) > 1 and cells > _CELLS):
            _, oldest = self._benches.popitem(last=False)
            cells -= oldest.cells
        return bench


def _proposal(chain: Chain) -> Proposal:
    if not chain.steps:
        return Proposal(None)
    return Proposal(emit(chain.steps), prior=log_prior(chain))


def task_key(task: Task) -> bytes:
    """Return a digest of everything a policy sees of a task; its name does not count."""
    digest = blake2b(digest_size=16)
    for pair in task.train:
        digest.update(pack(pair.input) + pack(pair.output))
    digest.update(b"tests")
    for grid in task.test:
        digest.update(pack(grid))
    return digest.digest()
