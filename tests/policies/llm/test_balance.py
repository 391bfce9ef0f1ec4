"""Several servers share the work: a task keeps to its own, but not while another is idle."""

import asyncio

from engine.config import DecodingConfig, EndpointConfig
from engine.policies.llm.client import ChatClient
from engine.policies.llm.pool import EndpointPool
from engine.policies.llm.prompts import sample_messages
from tests.policies.llm.chat import TASK
from tests.policies.llm.imitation import Imitation

MESSAGES = sample_messages(TASK)


def pool_of(*servers, capacity=8):
    endpoints = [EndpointConfig(url=server.url, capacity=capacity) for server in servers]
    return EndpointPool([ChatClient(each, DecodingConfig()) for each in endpoints])


async def test_a_task_asks_its_own_server_again_while_that_has_room():
    with Imitation() as first, Imitation() as second:
        pool = pool_of(first, second)
        for _ in range(6):
            await pool.complete("task", MESSAGES, 2, 64)
        await pool.close()
    used = [len(each.asked("/v1/chat/completions")) for each in (first, second)]
    assert sorted(used) == [0, 6]


async def test_one_task_alone_fills_all_servers():
    with Imitation() as first, Imitation() as second:
        pool = pool_of(first, second)
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(pool.complete("task", MESSAGES, 2, 64))
        await pool.close()
    used = [len(each.asked("/v1/chat/completions")) for each in (first, second)]
    assert sum(used) == 8 and min(used) >= 3


async def test_room_is_counted_in_completions_not_in_requests():
    # The two wait for each other; were one request of n = 8 all there is room for, in vain.
    with Imitation(faults=("meet", "meet")) as server:
        pool = pool_of(server, capacity=8)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(pool.complete("task", MESSAGES, 4, 64))
        await pool.close()
    assert server.most_at_once == 2
