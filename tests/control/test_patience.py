"""Waiting with a limit that a stop of the whole process does not use up."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from engine.patience import within

STOPPED = """
import asyncio, os, signal, threading
from engine.patience import within

async def main():
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    def stop_and_answer():
        os.kill(os.getpid(), signal.SIGSTOP)
        loop.call_soon_threadsafe(answer.set_result, "answer")

    threading.Thread(target=stop_and_answer).start()
    print(await within(2.0, answer))

asyncio.run(main())
"""


def test_an_answer_after_a_long_stop_still_counts():
    process = subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, text=True)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    stopped = time.monotonic()
    while time.monotonic() < stopped + 2.5:
        time.sleep(0.1)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=60)
    assert out == "answer\n" and process.returncode == 0


async def test_what_gives_nothing_is_cancelled_when_its_time_is_up():
    silent = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await within(0.01, silent)
    assert silent.cancelled()


async def test_it_is_cancelled_with_the_wait_and_its_error_is_raised():
    loop = asyncio.get_running_loop()
    silent, fails = loop.create_future(), loop.create_future()
    waiting = asyncio.create_task(within(60.0, silent))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert silent.cancelled()
    fails.set_exception(OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        await within(60.0, fails)
