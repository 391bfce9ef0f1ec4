"""Pause holds back new work, drain ends it, the archive's back-pressure is waited for."""

import asyncio

from engine.control.valve import Valve


async def room():
    return None


async def settled(task):
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def test_open_lets_work_start():
    assert await Valve(room).may_start()


async def test_paused_waits_for_resume():
    valve = Valve(room)
    valve.pause()
    waiting = asyncio.create_task(valve.may_start())
    assert not await settled(waiting)
    valve.resume()
    assert await waiting


async def test_drain_ends_waiting_and_cannot_be_taken_back():
    valve = Valve(room)
    valve.pause()
    waiting = asyncio.create_task(valve.may_start())
    assert not await settled(waiting)
    valve.drain()
    assert not await waiting
    valve.pause()
    assert not valve.paused
    assert not await valve.may_start()


async def test_back_pressure_is_waited_for():
    free = asyncio.Event()
    valve = Valve(free.wait)
    waiting = asyncio.create_task(valve.may_start())
    assert not await settled(waiting)
    free.set()
    assert await waiting


async def test_a_pause_during_back_pressure_holds():
    free = asyncio.Event()
    valve = Valve(free.wait)
    waiting = asyncio.create_task(valve.may_start())
    assert not await settled(waiting)
    valve.pause()
    free.set()
    assert not await settled(waiting)
    valve.resume()
    assert await waiting
