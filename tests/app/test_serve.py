"""`soar-tui serve`: a real server, asked over HTTP and a websocket as a browser would."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.app.recorded import recorded, settings

PROGRAM = (sys.executable, "-c", "from soar_tui.cli import main; main()")
ROOT = Path(__file__).parents[2]
PATIENCE = 150.0


def start(home, *arguments):
    return subprocess.Popen(
        [*PROGRAM, "serve", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SOAR_HOME": str(home), "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def served(home):
    recorded(home / "runs" / "shown", chosen=settings("sample:2", iterations=1))
    process = start(home, "shown", "--port", "0")
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


async def seen_until(websocket, wanted):
    """Read what a terminal in the browser would draw until something is in it."""
    seen = b""
    async with asyncio.timeout(PATIENCE):
        async for message in websocket:
            seen += message.data if isinstance(message.data, bytes) else b""
            if wanted in seen:
                return
    raise AssertionError(f"{wanted!r} never came: {seen[-2000:]!r}")


async def test_the_app_comes_over_a_websocket_and_takes_keys(served):
    process, where = served
    root = f"http://{where['host']}:{where['port']}"
    # A browser keeps cookies of addresses too.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(where["address"]) as page:
            assert page.status == 200
            html = await page.text()
            assert f"ws://{where['host']}:{where['port']}/ws" in html
            assert "fonts.googleapis" not in page.headers["Content-Security-Policy"]
        async with browser.get(f"{root}/static/js/textual.js") as script:
            assert script.status == 200
        async with browser.ws_connect(f"{root}/ws?width=100&height=30") as websocket:
            await seen_until(websocket, b"Overview")
            await websocket.send_json(["stdin", "4"])
            await seen_until(websocket, b"pattern")
            apps = psutil.Process(process.pid).children(recursive=True)
            assert apps
        gone, alive = await asyncio.to_thread(psutil.wait_procs, apps, PATIENCE)
        assert gone and not alive, "closing the window ends its app"
    process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(process.wait, PATIENCE) == 0


async def test_who_does_not_know_the_key_gets_nothing(served):
    _, where = served
    root = f"http://{where['host']}:{where['port']}"
    async with aiohttp.ClientSession() as stranger:
        for path in ("/", "/?key=guessed", "/static/js/textual.js", "/ws"):
            async with stranger.get(root + path) as answer:
                assert answer.status == 403, path
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.ws_connect(f"{root}/ws")


def test_a_taken_port_is_said_to_be(home, served):
    _, where = served
    second = start(home, "--port", str(where["port"]))
    out, err = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1 and out == ""
    assert f"port {where['port']} of 127.0.0.1 is taken" in json.loads(err)["error"]


def test_without_the_package_it_says_what_to_install(home, monkeypatch, capsys):
    from soar_tui.cli import execute

    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "soar_tui.browser", raising=False)
    assert execute(["serve"]) == 2
    assert "pip install 'soar-tui[browser]'" in capsys.readouterr().err
