"""Searching one task: sampling waves, then REX refinements, until the budget or enough perfect.

The search is a function of its seed: every pull has a seed of its own, and pull k is chosen from
what pulls 0 … k - in_flight showed, whatever the order in which they come back. Hence a search cut
off anywhere goes on by replaying its archived pulls through the same code.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arc import Task
from engine.config import SearchConfig
from engine.policies import Policy, Proposal
from engine.programs.candidate import Candidate, Evaluation, Operator, Pull, candidate_id
from engine.programs.source import SourceError, normal_hash, source_hash
from engine.search.rex import Draw, Population
from engine.search.vote import Tallies, Tally

Evaluate = Callable[[Task, Sequence[str | None]], Awaitable[list[Evaluation | None]]]
Record = Callable[[Pull, Sequence[Candidate]], None]
MayStart = Callable[[], Awaitable[bool]]
RecallArm = Callable[[int], Awaitable[Candidate]]
Made = tuple[Pull, Sequence[Candidate]]
"""A pull and its candidates, in order."""


class ReplayError(RuntimeError):
    """Archived pulls that this search would not have made: its settings or seed have changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search belongs: the run's seed, the iteration's index, the task's index in the run."""

    seed: int
    iteration: int
    task: int


@dataclass(frozen=True, slots=True)
class _Plan:
    number: int
    operator: Operator
    island: int
    draw: Draw | None
    first: int
    size: int
    seed: int

    @property
    def parent(self) -> int | None:
        return None if self.draw is None else self.draw.arm


def pull_seed(place: Place, task_id: str, number: int) -> int:
    """Return the seed of one pull, 63 bits, a function of run seed, iteration, task and number."""
    text = f"{place.seed}/{place.iteration}/{task_id}/{number}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


async def search_task(
    task: Task,
    place: Place,
    settings: SearchConfig,
    policy: Policy,
    evaluate: Evaluate,
    *,
    record: Record,
    recall: RecallArm,
    may_start: MayStart,
    archived: Iterator[Made],
    extra: int = 0,
) -> list[Tally] | None:
    """Search one task and return what stands behind each pattern, for the vote.

    Returns None when it was told not to go on before it was through.

    `record` is called once per new pull, in pull order; `recall` returns a recorded candidate by its
    id, to be refined (engine.search.recall); `may_start` is awaited before each new pull and says
    whether to go on (it may block: pause, back-pressure); pulls under way are always finished and
    recorded, meanwhile too. `archived` are the pulls of an earlier process in
    their order, of which a few are held at a time; they are replayed, not made again, and others
    get their turn in between. `extra` refinements follow those of the settings. Raises ReplayError
    when the archived pulls cannot be of this search.
    """
    search = _TaskSearch(task, place, settings, extra)
    waiting: deque[tuple[_Plan, Made | asyncio.Task[Sequence[Candidate]]]] = deque()
    known = next(archived, None)
    recorded: asyncio.Event | None = None
    going = True

    async def make(
        plan: _Plan, before: asyncio.Event | None, done: asyncio.Event
    ) -> Sequence[Candidate]:
        pull, candidates = await _perform(
            plan, task, place, policy, evaluate=evaluate, recall=recall
        )
        if before is not None:
            await before.wait()
        record(pull, candidates)
        done.set()
        return candidates

    async with asyncio.TaskGroup() as group:
        while True:
            while going and len(waiting) < settings.in_flight:
                plan = search.next_pull(under_way=len(waiting))
                if plan is None:
                    break
                if known is not None and plan.number == known[0].number:
                    waiting.append((plan, known))
                    known = next(archived, None)
                elif await may_start():
                    before, recorded = recorded, asyncio.Event()
                    waiting.append((plan, group.create_task(make(plan, before, recorded))))
                else:
                    going = False
            if not waiting:
                break
            plan, made = waiting.popleft()
            if isinstance(made, asyncio.Task):
                search.merge(plan, await made)
            else:
                _check_replay(plan, *made, task.id)
                search.merge(plan, made[1])
                await asyncio.sleep(0)
    return search.tallies.all() if going else None


class _TaskSearch:
    """What the search of one task knows: its arms by island, its budget, its tallies."""

    def __init__(self, task: Task, place: Place, settings: SearchConfig, extra: int) -> None:
        self.tallies = Tallies()
        self._task = task
        self._place = place
        self._settings = settings
        self._extra = extra
        self._islands = [Population(settings.bandit, settings.c) for _ in range(settings.islands)]
        self._pulls = self._launched = self._merged = 0
        self._sampled = self._refined = self._perfect = 0
        self._behind: defaultdict[bytes | None, set[bytes]] = defaultdict(set)

    def next_pull(self, under_way: int) -> _Plan | None:
        """Plan the next pull from what has been merged; None: nothing to start (now)."""
        settings = self._settings
        if self._perfect >= settings.perfect_stop or self._agreed():
            return None
        if self._sampled < settings.samples:
            size = min(settings.wave, settings.samples - self._sampled)
            self._sampled += size
            return self._plan("sample", size, None)
        if self._merged < settings.samples:
            return None  # refinement chooses among all samples, so the last waves come in first
        budget = settings.refinements
        if self._refined >= budget:
            budget += self._extra  # only now, so that the last pull before it is as large as ever
        if self._refined >= budget:
            return None
        population = self._islands[self._pulls % settings.islands]
        if len(population) == 0:
            # An empty island passes its turn for good only when nothing can still bring an arm.
            if under_way or not any(map(len, self._islands)):
                return None
            self._pulls += 1
            return self.next_pull(under_way)
        size = min(settings.pull, budget - self._refined)
        self._refined += size
        seed = pull_seed(self._place, self._task.id, self._pulls)
        return self._plan("refine", size, population.draw(size, np.random.default_rng(seed)))

    def _agreed(self) -> bool:
        """Whether more search could hardly change the answer (the setting `agree_stop`)."""
        if not self._settings.agree_stop:
            return False
        first, second, *_ = [*sorted(map(len, self._behind.values()), reverse=True), 0, 0]
        return first - second >= self._settings.agree_stop

    def _plan(self, operator: Operator, size: int, draw: Draw | None) -> _Plan:
        number, first = self._pulls, self._launched
        self._pulls += 1
        self._launched += size
        seed = pull_seed(self._place, self._task.id, number)
        return _Plan(number, operator, number % self._settings.islands, draw, first, size, seed)

    def merge(self, plan: _Plan, candidates: Sequence[Candidate]) -> None:
        """Take in a finished pull: its programs become arms of its island at once."""
        self._merged += len(candidates)
        for candidate in candidates:
            self.tallies.add(candidate)
            source, evaluation = candidate.source, candidate.evaluation
            if source is not None and evaluation is not None and evaluation.perfect:
                self._perfect += 1
                self._behind[evaluation.pattern].add(_normal(source))
            self._islands[plan.island].add(candidate)


async def _perform(
    plan: _Plan,
    task: Task,
    place: Place,
    policy: Policy,
    *,
    evaluate: Evaluate,
    recall: RecallArm,
) -> tuple[Pull, Sequence[Candidate]]:
    created, started = time.time(), time.monotonic()
    if plan.draw is None:
        proposals = await policy.sample(task, plan.size, plan.seed)
    else:
        parent = await recall(plan.draw.arm)
        proposals = await policy.refine(task, parent, plan.size, plan.seed)
    evaluations = await evaluate(task, [proposal.source for proposal in proposals])
    candidates = [
        _candidate(plan, place, slot, proposal, evaluation)
        for slot, (proposal, evaluation) in enumerate(zip(proposals, evaluations, strict=True))
    ]
    pull = Pull(
        iteration=place.iteration,
        task=place.task,
        number=plan.number,
        operator=plan.operator,
        island=plan.island,
        parent=plan.parent,
        draw=None if plan.draw is None else plan.draw.value,
        seed=plan.seed,
        created=created,
        seconds=time.monotonic() - started,
    )
    return pull, candidates


def _candidate(
    plan: _Plan, place: Place, slot: int, proposal: Proposal, evaluation: Evaluation | None
) -> Candidate:
    return Candidate(
        id=candidate_id(place.iteration, place.task, plan.first + slot),
        operator=plan.operator,
        pull=plan.number,
        island=plan.island,
        parent=plan.parent,
        source=proposal.source,
        evaluation=evaluation,
        prior=proposal.prior,
        reply=proposal.reply,
        finish=proposal.finish,
        tokens_in=proposal.tokens_in,
        tokens_out=proposal.tokens_out,
        tokens_cached=proposal.tokens_cached,
        cost=proposal.cost,
        weights=proposal.weights,
    )


def _normal(source: str) -> bytes:
    """Return what tells programs apart that differ in more than comments and layout."""
    try:
        return normal_hash(source)
    except SourceError:  # of a newer Python than the engine's
        return source_hash(source)


def _check_replay(plan: _Plan, pull: Pull, candidates: Sequence[Candidate], task_id: str) -> None:
    expected = (plan.operator, plan.parent, plan.seed, plan.size)
    found = (pull.operator, pull.parent, pull.seed, len(candidates))
    if expected != found:
        raise ReplayError(
            f"task {task_id}, pull {plan.number}: the archive holds {found}, this search would "
            f"make {expected} (operator, parent, seed, size); its settings have changed"
        )
