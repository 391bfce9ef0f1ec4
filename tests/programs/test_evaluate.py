"""The evaluator: every program runs once per task, whoever asks and whoever is cancelled."""

import asyncio
from collections import Counter

import pytest

from engine.arc import Pair, Task, as_grid, pack
from engine.programs.candidate import Failure
from engine.programs.evaluate import Evaluator

ONE, TWO = as_grid([[1]]), as_grid([[2]])


def task(name="t"):
    return Task(name, (Pair(ONE, TWO), Pair(TWO, ONE)), (ONE,), truth=(TWO,))


class CountingSandbox:
    """Runs programs that are the colour they answer; waits at its gate, counts its runs."""

    def __init__(self):
        self.runs = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.failure = None
        self.confirmed = []

    async def run(self, sources, inputs, *, confirm=None):
        self.runs.update(sources)
        self.confirmed.append(confirm)
        self.entered.set()
        await self.gate.wait()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return [
            tuple(
                pack(as_grid([[int(source)]])) if source.isdigit() else Failure("refused", source)
                for _ in inputs
            )
            for source in sources
        ]


async def test_evaluations_come_in_the_order_of_the_sources():
    evaluator = Evaluator(CountingSandbox())
    judged = await evaluator.evaluate(task(), ["2", None, "x", "1", "2"])
    assert judged[1] is None
    assert [None if one is None else one.right for one in judged] == [
        (True, False),
        None,
        (False, False),
        (False, True),
        (True, False),
    ]
    assert judged[2].filter == "invalid"
    assert await evaluator.evaluate(task(), []) == []
    assert await evaluator.evaluate(task(), [None]) == [None]


async def test_a_program_runs_once_per_task_and_again_when_forgotten():
    sandbox = CountingSandbox()
    evaluator = Evaluator(sandbox)
    first = await evaluator.evaluate(task(), ["1", "1", "2"])
    again = await evaluator.evaluate(task(), ["2", "1", "3"])
    assert sandbox.runs == {"1": 1, "2": 1, "3": 1}
    assert again[1] is first[0]
    await evaluator.evaluate(task("other"), ["1"])
    assert sandbox.runs["1"] == 2
    evaluator.forget("t")
    evaluator.forget("never seen")
    await evaluator.evaluate(task(), ["1"])
    await evaluator.evaluate(task("other"), ["1"])
    assert sandbox.runs["1"] == 3


async def test_the_sandbox_is_told_what_to_confirm_and_not_the_truth():
    sandbox = CountingSandbox()
    await Evaluator(sandbox).evaluate(task(), ["1"])
    assert sandbox.confirmed == [(pack(TWO), pack(ONE))]


async def test_concurrent_duplicates_share_one_run():
    sandbox = CountingSandbox()
    sandbox.gate.clear()
    evaluator = Evaluator(sandbox)
    async with asyncio.TaskGroup() as group:
        calls = [
            group.create_task(evaluator.evaluate(task(), sources))
            for sources in (["1", "2"], ["2", "3"], ["3", "1"], ["1", "2", "3"])
        ]
        await sandbox.entered.wait()
        sandbox.gate.set()
    assert sandbox.runs == {"1": 1, "2": 1, "3": 1}
    evaluations = {id(one) for call in calls for one in call.result()}
    assert len(evaluations) == 3


@pytest.mark.parametrize("how", ["cancel", "fail"])
async def test_whoever_waits_takes_over_when_the_first_call_ends_early(how):
    sandbox = CountingSandbox()
    sandbox.gate.clear()
    evaluator = Evaluator(sandbox)
    async with asyncio.TaskGroup() as group:
        first = asyncio.ensure_future(evaluator.evaluate(task(), ["1", "2"]))
        await sandbox.entered.wait()
        others = [group.create_task(evaluator.evaluate(task(), ["2", "1"])) for _ in range(3)]
        await asyncio.sleep(0)
        if how == "cancel":
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
        else:
            sandbox.failure = RuntimeError("the sandbox is gone")
            sandbox.gate.set()
            with pytest.raises(RuntimeError, match="the sandbox is gone"):
                await first
        sandbox.gate.set()
    assert sandbox.runs == {"1": 2, "2": 2}
    assert {tuple(one.right for one in other.result()) for other in others} == {
        ((True, False), (False, True))
    }


async def test_a_waiter_that_is_cancelled_disturbs_nobody():
    sandbox = CountingSandbox()
    sandbox.gate.clear()
    evaluator = Evaluator(sandbox)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(evaluator.evaluate(task(), ["1"]))
        await sandbox.entered.wait()
        waiter = asyncio.ensure_future(evaluator.evaluate(task(), ["1"]))
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        sandbox.gate.set()
    assert first.result()[0].right == (False, True)
    assert sandbox.runs == {"1": 1}


async def test_forgetting_a_task_under_way_is_safe():
    sandbox = CountingSandbox()
    sandbox.gate.clear()
    evaluator = Evaluator(sandbox)
    async with asyncio.TaskGroup() as group:
        call = group.create_task(evaluator.evaluate(task(), ["1"]))
        await sandbox.entered.wait()
        evaluator.forget("t")
        sandbox.gate.set()
    assert call.result()[0].right == (False, True)


async def test_the_memory_is_bounded_by_what_was_asked_for_longest_ago():
    sandbox = CountingSandbox()
    evaluator = Evaluator(sandbox, remembered=3)
    await evaluator.evaluate(task(), ["1", "2", "3"])
    await evaluator.evaluate(task(), ["1"])
    await evaluator.evaluate(task(), ["4"])
    await evaluator.evaluate(task(), ["1", "3", "4"])
    assert sandbox.runs == {"1": 1, "2": 1, "3": 1, "4": 1}
    await evaluator.evaluate(task(), ["2"])
    assert sandbox.runs["2"] == 2
    judged = await evaluator.evaluate(task(), [str(n) for n in range(8)])
    assert all(one is not None for one in judged)
