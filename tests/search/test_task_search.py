"""One task's search: budgets, determinism whatever comes back first, replay, draining."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from engine.arc import Pair, Task, as_grid, pack
from engine.config import SearchConfig
from engine.policies import Proposal
from engine.programs.candidate import Evaluation, split_candidate_id
from engine.search.task_search import Place, ReplayError, search_task
from tests.search.kept import Kept

TASK = Task(
    "t",
    tuple(Pair(as_grid([[n]]), as_grid([[n + 1]])) for n in range(4)),
    (as_grid([[7]]),),
)
PLACE = Place(seed=5, iteration=0, task=3)
SETTINGS = SearchConfig(samples=40, wave=10, refinements=60, pull=4, in_flight=3)


class CountingPolicy:
    """Proposes numbers; a program is right on as many pairs as its number's last base-5 digit."""

    def __init__(self, scramble=None, best=3):
        self.scramble = scramble
        self.best = best
        self.calls = []

    async def _propose(self, seed, n, floor):
        if self.scramble is not None:
            for _ in range(self.scramble.randrange(20)):
                await asyncio.sleep(0)
        rng = np.random.default_rng(seed)
        values = rng.integers(floor, self.best + 1, n)
        marks = rng.integers(0, 50, n)
        return [Proposal(f"{value} {mark}") for value, mark in zip(values, marks, strict=True)]

    async def sample(self, task, n, seed):
        self.calls.append(("sample", n, None))
        return await self._propose(seed, n, 0)

    async def refine(self, task, parent, n, seed):
        self.calls.append(("refine", n, parent.id))
        return await self._propose(seed, n, int(parent.source.split()[0]))


async def evaluate(task, sources):
    judged = []
    for source in sources:
        right = int(source.split()[0])
        outputs = tuple(pack(as_grid([[right]])) for _ in range(5))
        judged.append(Evaluation(outputs, tuple(i < right for i in range(4))))
    return judged


async def go_on():
    return True


async def searched(policy, settings=SETTINGS, archived=(), may_start=go_on):
    kept = Kept(archived if isinstance(archived, Sequence) else ())
    tallies = await search_task(
        TASK,
        PLACE,
        settings,
        policy,
        evaluate,
        record=kept.record,
        recall=kept.recall,
        may_start=may_start,
        archived=iter(archived),
    )
    return tallies, kept.pulls


def trace(record):
    return [
        (p.number, p.operator, p.parent, p.draw, p.seed, [(c.id, c.source) for c in candidates])
        for p, candidates in record
    ]


async def test_the_budget_is_spent_to_the_last_program():
    tallies, record = await searched(CountingPolicy())
    spent = Counter()
    for pull, candidates in record:
        spent[pull.operator] += len(candidates)
    assert spent == {"sample": 40, "refine": 60}
    assert sum(tally.count for tally in tallies) == 100
    numbers = [split_candidate_id(c.id) for _, candidates in record for c in candidates]
    assert numbers == [(0, 3, n) for n in range(100)]


async def test_the_same_seed_gives_the_same_search_whatever_comes_back_first():
    _, calm = await searched(CountingPolicy())
    for seed in range(5):
        _, scrambled = await searched(CountingPolicy(random.Random(seed)))
        assert trace(scrambled) == trace(calm)


async def test_refinement_begins_when_all_samples_are_in():
    policy = CountingPolicy(random.Random(1))
    await searched(policy)
    kinds = [kind for kind, _, _ in policy.calls]
    assert kinds == ["sample"] * 4 + ["refine"] * 15


@pytest.mark.parametrize("cut", [0, 1, 3, 5, 12, 19])
async def test_a_search_cut_off_goes_on_as_if_it_had_not_been(cut):
    tallies, whole = await searched(CountingPolicy())
    policy = CountingPolicy(random.Random(2))
    again, rest = await searched(policy, archived=whole[:cut])
    assert trace(rest) == trace(whole[cut:])
    assert again == tallies
    assert len(policy.calls) == len(whole) - cut


async def test_a_replay_reads_no_further_than_it_must_and_lets_others_run():
    _, whole = await searched(CountingPolicy())
    turns, seen = 0, []

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def archived():
        for made in whole:
            seen.append(turns)
            yield made

    beside = asyncio.create_task(others())
    await searched(CountingPolicy(), archived=archived())
    beside.cancel()
    ahead = SETTINGS.in_flight + 1
    assert [at >= number - ahead for number, at in enumerate(seen)] == [True] * len(whole)


async def test_what_was_under_way_is_recorded_while_new_pulls_must_wait():
    _, whole = await searched(CountingPolicy())
    paused, goes_on, begun, kept = asyncio.Event(), asyncio.Event(), 0, Kept()

    async def three_then_wait():
        nonlocal begun
        begun += 1
        if begun > 3:
            paused.set()
            await goes_on.wait()
        return True

    async def search():
        await search_task(
            TASK,
            PLACE,
            SETTINGS,
            CountingPolicy(random.Random(4)),
            evaluate,
            record=kept.record,
            recall=kept.recall,
            may_start=three_then_wait,
            archived=iter(()),
        )

    running = asyncio.create_task(search())
    await paused.wait()
    for _ in range(1000):
        await asyncio.sleep(0)
    assert trace(kept.pulls) == trace(whole[:3])
    goes_on.set()
    await running
    assert trace(kept.pulls) == trace(whole)


async def test_replaying_another_search_is_refused():
    _, whole = await searched(CountingPolicy())
    other = SearchConfig(samples=40, wave=20, refinements=60, in_flight=3)
    with pytest.raises(ExceptionGroup) as caught:
        await searched(CountingPolicy(), other, whole)
    assert caught.group_contains(ReplayError, match="task t, pull 0")


async def test_enough_perfect_programs_end_it():
    settings = SearchConfig(samples=400, wave=10, refinements=400, in_flight=2, perfect_stop=15)
    _, record = await searched(CountingPolicy(best=4), settings)
    perfect = [sum(c.evaluation.perfect for c in candidates) for _, candidates in record]
    assert sum(perfect) >= 15
    # Only the pulls that were under way may come after the last one that was needed.
    assert sum(perfect[: -settings.in_flight]) < 15


async def test_agreement_ends_it_and_disagreement_does_not():
    settings = SearchConfig(samples=200, wave=10, refinements=0, in_flight=1, agree_stop=5)

    class Voters(CountingPolicy):
        """Perfect programs of two patterns in turn, or of one."""

        def __init__(self, patterns):
            super().__init__()
            self.patterns = patterns

        async def _propose(self, seed, n, floor):
            base = 1000 * len(self.calls)
            return [Proposal(f"4 {base + k} {k % self.patterns}") for k in range(n)]

    async def judged(task, sources):
        (perfect,) = {pack(as_grid([[4]]))}
        tests = [pack(as_grid([[int(source.split()[2][:1])]])) for source in sources]
        return [Evaluation((perfect,) * 4 + (test,), (True,) * 4) for test in tests]

    class Echoes(CountingPolicy):
        """One perfect program over and over, in other words beside it."""

        async def _propose(self, seed, n, floor):
            base = 1000 * len(self.calls)
            return [Proposal(f"4, 0, 0  # {base + k}") for k in range(n)]

    async def spent(patterns, stop, policy=None):
        kept = Kept()
        await search_task(
            TASK,
            PLACE,
            SearchConfig(
                **{**msgspec.structs.asdict(settings), "agree_stop": stop, "perfect_stop": 999}
            ),
            policy or Voters(patterns),
            judged,
            record=kept.record,
            recall=kept.recall,
            may_start=go_on,
            archived=iter(()),
        )
        return sum(len(candidates) for _, candidates in kept.pulls)

    assert await spent(1, 5) == 10
    assert await spent(1, 15) == 20
    assert await spent(2, 5) == 200
    assert await spent(1, 0) == 200
    assert await spent(1, 5, Echoes()) == 200


async def test_nothing_to_repair_ends_it_after_the_samples():
    settings = SearchConfig(samples=20, wave=10, refinements=20, perfect_stop=1000)

    class Perfect(CountingPolicy):
        async def _propose(self, seed, n, floor):
            return [Proposal("4 0")] * n

    _, record = await searched(Perfect(), settings)
    assert [pull.operator for pull, _ in record] == ["sample", "sample"]


async def test_draining_finishes_what_is_under_way_and_says_so():
    started = 0

    async def five_pulls():
        nonlocal started
        started += 1
        return started <= 5

    tallies, record = await searched(CountingPolicy(), may_start=five_pulls)
    assert tallies is None
    assert [pull.number for pull, _ in record] == [0, 1, 2, 3, 4]


async def test_islands_are_isolated():
    settings = SearchConfig(samples=40, wave=10, refinements=64, islands=2, in_flight=3)
    _, record = await searched(CountingPolicy(), settings)
    island = {c.id: c.island for _, candidates in record for c in candidates}
    refined = [pull for pull, _ in record if pull.operator == "refine"]
    assert {pull.island for pull in refined} == {0, 1}
    assert all(island[pull.parent] == pull.island for pull in refined)


async def test_cancelling_leaves_no_task_behind():
    before = asyncio.all_tasks()

    class Stuck(CountingPolicy):
        async def sample(self, task, n, seed):
            await asyncio.Event().wait()

    running = asyncio.create_task(searched(Stuck()))
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == before
