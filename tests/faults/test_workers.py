"""A worker of the embedded policy killed in the very midst of its answer is replaced."""

import asyncio
import time

import psutil

from engine.policies.grammar.pool import WorkerPool

ANSWER = 1 << 26


async def test_a_worker_killed_halfway_through_its_answer_is_replaced():
    pool = WorkerPool(1)
    try:
        (first,) = await pool.warm_up()
        worker, ours = psutil.Process(first), psutil.Process()
        read = ours.io_counters().read_chars
        async with asyncio.timeout(120):
            call = asyncio.create_task(pool.run(b"key", bytes, ANSWER))
            while ours.io_counters().read_chars < read + ANSWER // 64:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0)
            worker.kill()
            assert not call.done()
            assert len(await call) == ANSWER
        assert await pool.warm_up() != [first]
    finally:
        await pool.close()


async def test_a_call_that_waits_long_for_its_turn_is_no_sign_of_a_hung_worker():
    pool = WorkerPool(1, hung=5.0)
    try:
        (worker,) = await pool.warm_up()
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for _ in range(7):
                group.create_task(pool.run(b"key", time.sleep, 0.9))
        assert await pool.warm_up() == [worker]
    finally:
        await pool.close()
