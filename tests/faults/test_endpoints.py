"""A policy server that hangs, drips, refuses, talks garbage or dies: the search goes on."""

import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from engine.config import override
from engine.control import engine_alive, launch
from tests.faults.ground import TINY, count, finish, new_run, recorded, state, wait_until
from tests.policies.llm import imitation
from tests.policies.llm.imitation import Imitation

BUDGET = 2 * 64
FAULTS = ("gone", "drip", "busy", 500, 503, "garbage", "reset", "truncated", "abort", "one choice")


def settings(url):
    endpoint = {"url": url, "model": "base", "server": "sglang", "capacity": 8}
    return override(
        TINY,
        {
            "tasks": "sample:2",
            "tasks_in_flight": 2,
            "search.samples": 32,
            "search.wave": 4,
            "search.refinements": 32,
            "policy.kind": "openai",
            "policy.endpoints": [endpoint],
            "policy.decoding.request_seconds": 1.0,
        },
    )


def whole(folder):
    """Assert that a run is through and has each of its candidates exactly once."""
    candidates, votes = recorded(folder)
    assert len(candidates) == count(folder) == BUDGET
    assert len(votes) == 2
    assert state(folder).state == "finished"


def test_whatever_a_server_does_wrong_costs_only_that_request(tmp_path):
    dice = random.Random(5)
    faults = [None] * 20
    for fault in FAULTS:
        faults.insert(dice.randrange(len(faults)), fault)
    with Imitation(faults=faults) as server:
        folder = new_run(tmp_path / "run", settings(server.url))
        finish(folder)
        assert not server.faults
    whole(folder)


def test_a_server_that_refuses_ends_the_engine_with_the_reason_and_it_goes_on_later(tmp_path):
    with Imitation(faults=[None] * 4 + [401] * 20) as server:
        folder = new_run(tmp_path / "run", settings(server.url))
        launch(folder)
        wait_until(lambda: not engine_alive(folder))
        shown = state(folder)
        assert shown.state == "crashed"
        assert server.url in shown.reason and "401" in shown.reason
        before, _ = recorded(folder)
        server.faults.clear()
        finish(folder)
    whole(folder)
    assert before.items() <= recorded(folder)[0].items()


@pytest.fixture
def serving(tmp_path):
    """Starts and kills a server process, each time on the same port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = tmp_path / "model"
    model.mkdir()
    command = [sys.executable, imitation.__file__, "--model-path", str(model), "--port", str(port)]

    @contextmanager
    def server():
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: _answers(port))
            yield
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    return server, f"http://127.0.0.1:{port}/v1"


def _answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_server_killed_at_random_moments_costs_only_what_was_in_flight(tmp_path, serving):
    server, url = serving
    folder, dice = new_run(tmp_path / "run", settings(url)), random.Random(9)
    before = {}
    for moment in sorted(dice.randrange(BUDGET) for _ in range(3)):
        with server():
            if not engine_alive(folder):
                launch(folder)
            wait_until(lambda moment=moment: count(folder) >= moment)
        now, _ = recorded(folder)
        assert before.items() <= now.items()
        assert state(folder).state in ("running", "finished")
        before = now
    with server():
        finish(folder)
    whole(folder)
    assert before.items() <= recorded(folder)[0].items()
