"""Servers we start: ready or a reason, restarted, reloaded, and never left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import DecodingConfig, EndpointConfig, ServeConfig, Settings, override
from engine.policies.llm import leash
from engine.policies.llm.client import ChatClient
from engine.policies.llm.errors import ModelError, ReloadError, StartError
from engine.policies.llm.policy import LanguageModelPolicy
from engine.policies.llm.pool import EndpointPool
from engine.policies.llm.process import Probes
from engine.policies.llm.sglang_server import SglangServer, command_line, reload_weights
from engine.policies.open import open_policy
from tests.policies.llm import imitation
from tests.policies.llm.chat import TASK

DECODING = DecodingConfig()


async def until(condition):
    async with asyncio.timeout(150):
        while not condition():  # noqa: ASYNC110 - the condition is another process's doing
            await asyncio.sleep(0.01)


def starts(folder):
    file = folder / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


def alive(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def model(tmp_path):
    return checkpoint_at(tmp_path / "base")


def checkpoint_at(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    return folder


@pytest.fixture
def python(tmp_path):
    """An interpreter whose sglang is the imitation."""
    path = tmp_path / "python"
    path.write_text(
        '#!/bin/sh\n[ "$1" = -I ] && exit 0  # asked what it lacks: nothing\nshift 2\n'
        f'exec {sys.executable} {imitation.__file__} "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


@pytest.fixture
async def serve(model, python, tmp_path):
    servers = []

    async def make(**probes):
        config = ServeConfig(model=str(model))
        limits = {"start_seconds": 60, "poll_seconds": 0.02, "first_rest": 0.01} | probes
        log_file = tmp_path / "logs" / "serve.log"
        probes = Probes("/ready", "/health", **limits)
        server = SglangServer(config, DECODING, log_file, python=python, probes=probes)
        servers.append(server)
        await server.load(None)
        return server

    yield make
    for server in servers:
        await server.close()


async def asked(server):
    async with ChatClient(server.endpoint, DECODING, first_wait=0.01) as client:
        reply = await client.complete([{"role": "user", "content": "?"}], 1, 10)
    return reply.completions[0].weights


async def test_it_is_up_when_it_is_ready_and_gone_when_closed(serve, model):
    server = await serve()
    await server.ready()
    assert server.up
    assert await asked(server) == "base"
    process = int((model / "pid").read_text())
    await server.close()
    await server.close()
    assert not server.up and not alive(process)


async def test_a_start_that_fails_is_tried_again(serve, model):
    (model / "fails").write_text("2")
    server = await serve()
    await server.ready()
    assert starts(model) == 3


async def test_a_server_that_never_starts_shows_its_log(serve, model):
    (model / "fails").write_text("99")
    server = await serve()
    with pytest.raises(StartError, match="exit code 1") as failure:
        await server.ready()
    assert "CUDA out of memory" in str(failure.value)
    assert starts(model) == 4 and not server.up


async def test_a_server_that_is_not_ready_in_time_is_ended(serve, model):
    (model / "never-ready").touch()
    server = await serve(start_seconds=4.0, restarts=0)
    with pytest.raises(StartError, match=r"not ready within 4 s"):
        await server.ready()
    assert not alive(int((model / "pid").read_text()))


async def test_a_server_whose_log_cannot_be_written_is_given_up_with_the_reason(serve, tmp_path):
    (tmp_path / "logs").write_text("in the way")
    server = await serve()
    async with asyncio.timeout(150):
        with pytest.raises(StartError, match=r"cannot be started.*logs"):
            await server.ready()
    assert not server.up


async def test_a_restart_that_the_system_denies_is_tried_again(serve, model, tmp_path, caplog):
    server = await serve(first_rest=0.05, restarts=30)
    await server.ready()
    log = tmp_path / "logs" / "serve.log"
    log.rename(tmp_path / "old.log")
    log.mkdir()
    os.kill(int((model / "pid").read_text()), signal.SIGKILL)
    await until(lambda: "cannot be started" in caplog.text)
    log.rmdir()
    async with asyncio.timeout(150):
        await server.ready()
    assert await asked(server) == "base"


async def test_a_server_that_dies_is_started_again(serve, model):
    server = await serve()
    await server.ready()
    os.kill(int((model / "pid").read_text()), signal.SIGKILL)
    await until(lambda: starts(model) == 2)
    await server.ready()
    assert await asked(server) == "base"


async def test_a_server_that_hangs_is_started_again(serve, model):
    server = await serve(health_every=0.02, misses=2)
    await server.ready()
    (model / "unwell").touch()
    await until(lambda: starts(model) == 2)
    (model / "unwell").unlink()
    await server.ready()
    assert await asked(server) == "base"


async def test_new_weights_are_loaded_in_place_and_kept_by_a_restart(serve, model, tmp_path):
    server = await serve()
    await server.ready()
    tuned = checkpoint_at(tmp_path / "tuned")
    await server.load(tuned)
    assert (starts(model), starts(tuned)) == (1, 0)
    assert await asked(server) == "tuned"
    os.kill(int((model / "pid").read_text()), signal.SIGKILL)
    await until(lambda: starts(tuned) == 1)
    await server.ready()
    assert await asked(server) == "tuned"
    await server.load(None)
    assert await asked(server) == "base"


async def test_a_server_makes_room_for_training_and_comes_back_tuned(serve, model, tmp_path):
    server = await serve()
    await server.ready()
    process = int((model / "pid").read_text())
    await server.rest()
    assert not server.up and not alive(process)
    with pytest.raises(StartError, match="not been started"):
        await server.ready()
    tuned = checkpoint_at(tmp_path / "tuned")
    await server.load(tuned)
    await server.ready()
    assert (starts(model), starts(tuned)) == (1, 1)
    assert await asked(server) == "tuned"
    await server.rest()
    await server.load(tuned)
    await server.ready()
    assert await asked(server) == "tuned"


@pytest.mark.parametrize("fault", ["bad", "keeps-version", "mute", "says-nothing"])
async def test_weights_that_do_not_load_in_place_are_loaded_by_a_restart(serve, tmp_path, fault):
    server = await serve()
    await server.ready()
    tuned = checkpoint_at(tmp_path / "tuned")
    (tuned / fault).touch()
    await server.load(tuned)
    assert starts(tuned) == 1
    assert await asked(server) == "tuned"


async def test_a_checkpoint_without_whole_weights_is_refused(serve, tmp_path):
    server = await serve()
    (tmp_path / "adapter-only").mkdir()
    with pytest.raises(ReloadError, match="no merged weights"):
        await server.load(tmp_path / "adapter-only")
    await server.ready()
    assert await asked(server) == "base"


async def test_a_server_elsewhere_keeps_its_weights_when_a_path_is_bad(tmp_path):
    with imitation.Imitation() as server:
        endpoint = EndpointConfig(url=server.url, server="sglang")
        with pytest.raises(ReloadError, match="HTTP 400"):
            await reload_weights(endpoint, str(tmp_path / "nothing"), "1")
        assert server.version == "default"


async def test_no_proxy_is_told_the_weights_and_the_key_of_a_server_on_this_machine(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("MODEL_KEY", "sk-very-secret")
    tuned = checkpoint_at(tmp_path / "tuned")
    with imitation.Imitation() as server, imitation.Imitation() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.setenv("all_proxy", proxy.url.removesuffix("/v1"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        endpoint = EndpointConfig(url=server.url, server="sglang", key_env="MODEL_KEY")
        await reload_weights(endpoint, str(tuned), "1")
    assert server.version == "1" and proxy.requests == []


async def test_no_part_of_a_key_is_in_what_a_failed_reload_says(tmp_path, monkeypatch):
    monkeypatch.setenv("MODEL_KEY", "sk-very-secret")
    tuned = checkpoint_at(tmp_path / "tuned")
    for name in ("bad", "tells-key"):
        (tuned / name).touch()
    with imitation.Imitation() as server:
        endpoint = EndpointConfig(url=server.url, server="sglang", key_env="MODEL_KEY")
        with pytest.raises(ReloadError) as failure:
            await reload_weights(endpoint, str(tuned), "1")
    assert "Bearer …" in str(failure.value) and "sk-" not in str(failure.value)


async def test_work_in_flight_is_done_by_the_restarted_server(serve, model):
    server = await serve()
    pool = EndpointPool(
        [ChatClient(server.endpoint, DECODING, first_wait=0.01)], rest=0.01, ready=server.ready
    )
    policy = LanguageModelPolicy("imitation", pool, DECODING, server=server)
    await server.ready()
    os.kill(int((model / "pid").read_text()), signal.SIGKILL)
    proposals = await policy.sample(TASK, 8, 1)
    assert [proposal.finish for proposal in proposals] == ["stop"] * 8
    await policy.close()


def test_the_command_line_says_what_is_configured():
    serve = ServeConfig(model="m", tp=2, dp=4, quantization="fp8", flags=("--enable-metrics",))
    command = command_line(serve, DECODING, python="py", model="m", port=7, version="base")
    text = " ".join(command)
    assert text.startswith("py -m sglang.launch_server --model-path m ")
    for part in ("--tp-size 2", "--dp-size 4", "--quantization fp8", "--context-length 30000"):
        assert part in text
    assert text.endswith("--enable-metrics")


def test_what_is_on_a_leash_ends_with_whoever_holds_it(tmp_path):
    told = tmp_path / "process"
    command = leash.leashed(
        ["sh", "-c", f"sleep 600 & echo $! > {told}.new; mv {told}.new {told}; wait"]
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, json.dumps(command)], stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"started\n"
    while not told.exists():
        assert holder.poll() is None
    process = int(told.read_text())
    assert alive(process)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    asyncio.run(until(lambda: not alive(process)))


HOLDER = """
import json, subprocess, sys
leash = subprocess.Popen(json.loads(sys.argv[1]), stdin=subprocess.PIPE, start_new_session=True)
print("started", flush=True)
leash.wait()
"""


def test_a_leashed_command_gives_its_exit_code():
    with subprocess.Popen(leash.leashed(["sh", "-c", "exit 7"]), stdin=subprocess.PIPE) as run:
        assert run.wait() == 7


async def test_a_run_changes_nothing_but_its_kind(python, model, tmp_path):
    with imitation.Imitation() as server:
        endpoints = [{"url": server.url, "model": "m", "server": "sglang"}]
        kinds = {
            "openai": {"policy.endpoints": endpoints},
            "sglang": {"serve.model": str(model), "serve.python": python},
        }
        for kind, changes in kinds.items():
            settings = override(Settings(), {"policy.kind": kind, **changes})
            async with open_policy(settings, tmp_path) as policy:
                await policy.load(None)
                assert len(await policy.sample(TASK, 3, 1)) == 3
                assert starts(model) == (kind == "sglang")
                assert policy.status.name.startswith(kind) and policy.status.ready


async def test_a_model_that_is_not_named_is_asked_for(python, tmp_path):
    settings = override(Settings(), {"policy.kind": "sglang", "serve.python": python})
    with pytest.raises(ModelError, match=r"serve\.model"):
        async with open_policy(settings, tmp_path):
            pass


@pytest.mark.parametrize(("kind", "environment"), [("sglang", "serve"), ("local", "local")])
async def test_an_interpreter_without_the_server_is_refused_with_what_helps(
    tmp_path, kind, environment
):
    changes = {"policy.kind": kind, "serve.python": sys.executable, "serve.model": "m"}
    with pytest.raises(ModelError, match=f"soar-tui setup {environment}"):
        async with open_policy(override(Settings(), changes), tmp_path):
            pass
