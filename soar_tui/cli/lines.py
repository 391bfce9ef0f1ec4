"""Lines in and out of pipes and files while other things go on: nothing here waits in a read or write.

A thread blocked in a read would outlive Ctrl+C, and a loop blocked in a write would not hear its
workers; so descriptors are asked first.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import AsyncIterator, Callable

from soar_tui.cli.errors import InputError, OutcomeError

CHUNK = 1 << 16
LONGEST_LINE = 8 << 20
"""Bytes; a program of the longest allowed fits, however its JSON is written."""


async def read_lines(descriptor: int, name: str) -> AsyncIterator[list[tuple[int, bytes]]]:
    """Yield what has come in, as numbered lines (from 1) without their ends, until the end.

    Raises InputError for a line of more than LONGEST_LINE bytes, OutcomeError when reading fails.
    """
    loop = asyncio.get_running_loop()
    number, rest = 0, bytearray()
    while True:
        await asyncio.sleep(0)  # a file is always ready: let others, and Ctrl+C, have their turn
        await _ready(descriptor, select.POLLIN, loop.add_reader, loop.remove_reader)
        try:
            chunk = os.read(descriptor, CHUNK)
        except OSError as error:
            raise OutcomeError(f"{name}: {error.strerror}") from error
        rest += chunk
        if b"\n" in chunk or not chunk:
            *whole, last = bytes(rest).split(b"\n")
            if not chunk:
                whole, last = [*whole, last], b""
            yield list(enumerate(whole, number + 1))
            number += len(whole)
            rest = bytearray(last)
        if not chunk:
            return
        if len(rest) > LONGEST_LINE:
            raise InputError(f"{name}, line {number + 1}: longer than {LONGEST_LINE:,} bytes")


async def write_all(descriptor: int, data: bytes) -> None:
    """Write everything. Raises OSError, BrokenPipeError when the reader has gone."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(data), select.PIPE_BUF):  # as much as a ready pipe surely takes
        await _ready(descriptor, select.POLLOUT, loop.add_writer, loop.remove_writer)
        left = memoryview(data)[start : start + select.PIPE_BUF]
        while left:
            left = left[os.write(descriptor, left) :]


async def _ready(
    descriptor: int,
    event: int,
    add: Callable[[int, Callable[[], None]], None],
    remove: Callable[[int], bool],
) -> None:
    """Wait until the descriptor can be read or written, or its other end is gone."""
    poll = select.poll()
    poll.register(descriptor, event)
    if poll.poll(0):
        return  # as ever for a regular file, which a loop cannot wait for
    ready = asyncio.Event()
    add(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        remove(descriptor)
