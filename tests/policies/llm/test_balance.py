"""Several servers share the work: a task keeps to its own, but not while another is idle."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import httpx
import pytest

from engine.arc import Task
from engine.config import DecodingConfig, EndpointConfig
from engine.policies.llm.client import ChatClient
from engine.policies.llm.errors import BusyError, ReplyError
from engine.policies.llm.policy import LanguageModelPolicy
from engine.policies.llm.pool import EndpointPool
from engine.policies.llm.process import free_port
from engine.policies.llm.prompts import sample_messages
from tests.policies.llm import imitation
from tests.policies.llm.chat import TASK
from tests.policies.llm.imitation import Imitation

MESSAGES = sample_messages(TASK)
DECODING = DecodingConfig()


def pool_of(*servers, capacity=8, **pool):
    endpoints = [EndpointConfig(url=server.url, capacity=capacity) for server in servers]
    clients = [ChatClient(each, DECODING, first_wait=0.01) for each in endpoints]
    return EndpointPool(clients, **pool)


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
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(pool.complete("task", MESSAGES, 4, 64))
        await pool.close()
    assert server.most_at_once == 2


async def test_tasks_that_ask_as_often_get_as_much_whichever_server_is_their_own():
    # What one server has no room for goes to the other, and is not a newcomer there.
    done, spreads = Counter(), []
    with Imitation() as first, Imitation() as second:
        pool = pool_of(first, second)
        names = [f"task {number}" for number in range(100)]
        here, there = [[name for name in names if pool.own(name) is each] for each in pool.clients]
        tasks = here[:9] + there[:3]

        async def search(task):
            for _ in range(20):
                async with asyncio.TaskGroup() as group:
                    for _ in range(4):
                        group.create_task(pool.complete(task, MESSAGES, 2, 64))
                done[task] += 1
                spreads.append(
                    max(done[each] for each in tasks) - min(done[each] for each in tasks)
                )

        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(search(task))
        await pool.close()
    assert max(spreads) <= 2


def answers(url):
    try:
        return httpx.get(f"{url.removesuffix('/v1')}/v1/loads").json()["loads"][0]
    except httpx.TransportError:
        return None


def requests_of(url):
    return httpx.get(f"{url.removesuffix('/v1')}/requests").json()


@pytest.fixture
def processes(tmp_path):
    """Two servers in processes of their own, which keep requests waiting until told otherwise."""
    started = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "holds").touch()
        port = free_port()
        command = [sys.executable, imitation.__file__, "--model-path", folder, "--port", str(port)]
        server = SimpleNamespace(folder=folder, url=f"http://127.0.0.1:{port}/v1")
        server.process = subprocess.Popen(command)
        started.append(server)
    for server in started:
        while answers(server.url) is None:
            assert server.process.poll() is None
    yield started
    for server in started:
        server.process.kill()
        server.process.wait()


async def test_a_server_that_dies_costs_only_what_it_was_at_work_on(processes):
    clients = [
        ChatClient(EndpointConfig(url=server.url, server="sglang"), DECODING, first_wait=0.01)
        for server in processes
    ]
    policy = LanguageModelPolicy("two", EndpointPool(clients), DECODING)
    first, second = processes
    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(policy.sample(Task(f"{n}", TASK.train, TASK.test), 8, n))
            for n in range(12)
        ]
        busy = [0, 0]
        while sum(busy) < 12:
            loads = [await asyncio.to_thread(answers, server.url) for server in processes]
            busy = [load["num_running_reqs"] for load in loads]
        first.process.send_signal(signal.SIGKILL)
        (second.folder / "holds").unlink()
    told = policy.status.servers
    await policy.close()
    assert min(busy) > 0
    assert told[first.url].startswith("rests for") and told[second.url].startswith("up, 0 of 64")
    finishes = [proposal.finish for task in asked for proposal in task.result()]
    assert finishes == ["stop"] * 12 * 8
    # Every request of the dead one was asked again, once, and none of the other's was.
    requests = await asyncio.to_thread(requests_of, second.url)
    assert len(requests) == 12 and {request["n"] for request in requests} == {8}


async def test_a_prompt_that_needs_no_counting_says_nothing_of_its_server():
    with Imitation(faults=[503] * 5) as server:
        pool = pool_of(server, patience=0.0, rest=60.0)
        with pytest.raises(BusyError):
            await pool.complete("task", MESSAGES, 2, 64)
        assert await pool.fits("task", MESSAGES, 20_000) is None
        told = pool.servers[server.url]
        await pool.close()
    assert told.startswith("rests for")


async def test_requests_wait_as_long_as_any_server_answers():
    with Imitation() as good, Imitation(faults=[503] * 500) as bad:
        pool = pool_of(good, bad, patience=0.0, rest=0.01)
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(pool.complete(f"task {number}", MESSAGES, 2, 64))
                for number in range(20)
            ]
        assert len(bad.asked("/v1/chat/completions")) > 0
        await pool.close()
    assert [len(each.result().completions) for each in asked] == [2] * 20


async def test_a_server_with_an_error_page_for_everyone_is_waited_for():
    with Imitation(faults=["garbage", "error body"] * 3) as server:
        policy = LanguageModelPolicy("one", pool_of(server, rest=0.01), DECODING)
        proposals = await policy.sample(TASK, 4, 1)
        await policy.close()
    assert [proposal.finish for proposal in proposals] == ["stop"] * 4


async def test_a_server_that_goes_on_with_it_ends_the_search_with_what_it_says():
    with Imitation(faults=["error body"] * 500) as server:
        pool = pool_of(server, patience=0.0, rest=0.01)
        policy = LanguageModelPolicy("one", pool, DECODING)
        with pytest.raises(ReplyError, match="upstream is down for maintenance"):
            await policy.sample(TASK, 4, 1)
        await policy.close()


async def test_a_server_that_is_back_is_tried_with_one_request_before_it_is_trusted():
    with Imitation() as good, Imitation(faults=[503] * 3) as back:
        pool = pool_of(good, back, rest=0.0, capacity=1024)
        tasks = [f"task {number}" for number in range(40)]
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(pool.complete(task, MESSAGES, 2, 64))
        before = len(back.asked("/v1/chat/completions"))
        for task in tasks:
            await pool.complete(task, MESSAGES, 2, 64)
        await pool.close()
    assert not back.faults and len(back.asked("/v1/chat/completions")) > before
