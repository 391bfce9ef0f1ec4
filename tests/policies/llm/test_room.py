"""Room for completions: never more than there are places, in order, and no place is ever lost."""

import asyncio
import random

from engine.policies.llm.room import Room


async def test_requests_of_all_sizes_never_take_more_places_than_there_are():
    room, rng = Room(10), random.Random(1)
    taken = most = 0

    async def request(size):
        nonlocal taken, most
        async with room.take(size):
            taken += size
            most = max(most, taken)
            for _ in range(rng.randrange(5)):
                await asyncio.sleep(0)
            taken -= size

    async with asyncio.TaskGroup() as group:
        for _ in range(300):
            group.create_task(request(rng.randrange(1, 9)))
    assert 0 < most <= 10 and taken == 0


async def test_requests_are_let_in_as_they_come_and_a_large_one_is_not_overtaken():
    room, order = Room(4), []

    async def request(name, size, go):
        async with room.take(size):
            order.append(name)
            await go.wait()

    first, others = asyncio.Event(), asyncio.Event()
    others.set()
    async with asyncio.TaskGroup() as group:
        group.create_task(request("three", 3, first))
        await asyncio.sleep(0)
        group.create_task(request("too large", 9, others))
        group.create_task(request("one", 1, others))
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == ["three"]
        first.set()
    assert order == ["three", "too large", "one"]


async def test_the_lowest_turn_goes_first():
    room, order = Room(2), []

    async def request(turn, go):
        async with room.take(2, turn):
            order.append(turn)
            await go.wait()

    first, others = asyncio.Event(), asyncio.Event()
    others.set()
    async with asyncio.TaskGroup() as group:
        group.create_task(request(9, first))
        await asyncio.sleep(0)
        for turn in (4, 2, 6, 0, 2):
            group.create_task(request(turn, others))
        for _ in range(5):
            await asyncio.sleep(0)
        first.set()
    assert order == [9, 0, 2, 2, 4, 6]


async def test_whoever_is_cancelled_leaves_no_place_behind():
    room, rng = Room(3), random.Random(2)

    async def request():
        async with room.take(rng.randrange(1, 4)):
            await asyncio.sleep(0)

    for _ in range(50):
        tasks = [asyncio.create_task(request()) for _ in range(6)]
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        for task in rng.sample(tasks, 4):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(60), room.take(3):
        pass
