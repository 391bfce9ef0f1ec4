"""The policy as the engine sees it: real worker processes, killed and orphaned."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from engine.config import PolicyConfig
from engine.policies import PolicyError
from engine.policies.grammar import GrammarPolicy
from engine.policies.grammar.proposing import Proposer
from engine.programs.candidate import Candidate
from tests.policies.grammar.tasks import RECOLOUR, TILE, candidate


async def test_workers_and_order_make_no_difference() -> None:
    calls = [(RECOLOUR, 6, 1), (TILE, 5, 2), (RECOLOUR, 4, 3)]
    alone = Proposer()
    expected = [alone.sample(*call) for call in calls]
    async with GrammarPolicy(PolicyConfig(workers=2)) as policy, asyncio.TaskGroup() as group:
        answers = [group.create_task(policy.sample(*call)) for call in reversed(calls)]
    assert [answer.result() for answer in reversed(answers)] == expected


async def test_refinements_depend_on_the_parents_source_only() -> None:
    parent = next(p.source for p in Proposer().sample(RECOLOUR, 20, 0) if p.prior is None)
    async with GrammarPolicy(PolicyConfig(workers=1)) as policy:
        first = await policy.refine(RECOLOUR, candidate(parent), 8, 5)
        await policy.sample(TILE, 5, 5)
        again = await policy.refine(RECOLOUR, candidate(parent), 8, 5)
    assert first == again == Proposer().refine(RECOLOUR, parent, 8, 5)
    assert len(first) == 8


async def test_a_parent_without_source_is_answered_by_sampling() -> None:
    orphan = Candidate(1, "sample", 0, 0, None, None, None)
    async with GrammarPolicy(PolicyConfig(workers=1)) as policy:
        assert await policy.refine(TILE, orphan, 3, 7) == await policy.sample(TILE, 3, 7)


async def test_a_killed_worker_changes_no_answer() -> None:
    expected = Proposer().sample(RECOLOUR, 80, 11)
    async with GrammarPolicy(PolicyConfig(workers=1)) as policy:
        (worker,) = await policy._pool.warm_up()
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(policy.sample(RECOLOUR, 80, 11))
            await asyncio.sleep(0)  # one turn of the loop hands the call to its worker
            assert policy.status.in_flight == 1
            os.kill(worker, signal.SIGKILL)
        assert answer.result() == expected
        assert await policy._pool.warm_up() != [worker]


async def test_a_cancelled_call_leaves_the_policy_usable() -> None:
    async with GrammarPolicy(PolicyConfig(workers=1)) as policy:
        call = asyncio.create_task(policy.sample(TILE, 100, 0))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert policy.status.in_flight == 0
        assert len(await policy.sample(TILE, 2, 0)) == 2


async def test_a_closed_policy_says_so() -> None:
    policy = GrammarPolicy(PolicyConfig(workers=1))
    await policy.sample(TILE, 1, 0)
    assert policy.status.ready
    under_way = asyncio.create_task(policy.sample(RECOLOUR, 5000, 0))
    await asyncio.sleep(0)
    await policy.close()
    await policy.close()
    with pytest.raises(PolicyError, match="closed"):
        await under_way
    with pytest.raises(PolicyError, match="closed"):
        await policy.sample(TILE, 1, 0)
    assert not policy.status.ready


async def test_an_unknown_checkpoint_is_refused_by_name() -> None:
    policy = GrammarPolicy(PolicyConfig(workers=1))
    with pytest.raises(PolicyError, match="somewhere"):
        await policy.load(Path("somewhere"))
    assert policy.status.checkpoint == "untrained"


def test_workers_end_when_their_parent_is_killed() -> None:
    script = textwrap.dedent(
        """
        import asyncio, sys
        from engine.config import PolicyConfig
        from engine.policies.grammar import GrammarPolicy

        async def main():
            async with GrammarPolicy(PolicyConfig(workers=2)) as policy:
                print(*await policy._pool.warm_up(), flush=True)
                await asyncio.to_thread(sys.stdin.read)

        if __name__ == "__main__":
            asyncio.run(main())
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        handles = [os.pidfd_open(worker) for worker in workers]
        parent.kill()
        parent.wait()
    for handle in handles:
        # A process handle is readable when the process has ended.
        ended, _, _ = select.select([handle], [], [], 20)
        os.close(handle)
        assert ended
