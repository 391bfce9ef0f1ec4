"""An engine of its own against the simulated servers of `served.py`, watched from outside.

What the benchmarks `saturation` and `paper_size` share: starting both, and what they use.
"""

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import psutil

from engine.archive.reader import RunReader
from engine.config import PRESETS, Settings, load_settings, override, save_settings
from engine.control import create_run, launch
from engine.control.folder import SETTINGS_NAME
from tests.benchmarks.curve import PREFILL

QUEUE = 2.0
"""Completions asked for at once per sequence a server decodes: a request keeps its places until its
longest completion is through, and the server's queue must not run dry."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What had been done and used at one moment, since the engine's start.

    `engine` and `sandbox` are CPU seconds, `resident` the engine's bytes of memory and
    `sandbox_resident` that of its children; `stats` is what the servers say of themselves.
    """

    seconds: float
    candidates: int
    refined: int
    finished: int
    engine: float
    sandbox: float
    resident: int
    sandbox_resident: int
    disk: int
    stats: dict


@contextlib.contextmanager
def servers(
    folder: Path, tasks: str, *, count: int, sequences: int, rate: float, prefill: float = PREFILL
) -> Iterator[list[str]]:
    """Run simulated servers and yield their URLs; `prefill` is prompt tokens read per second."""
    command = [sys.executable, "-m", "tests.benchmarks.served", "--tasks", tasks]
    command += ["--corpus", str(folder / "corpus.json"), "--servers", str(count)]
    command += ["--sequences", str(sequences), "--rate", str(rate), "--prefill", str(prefill)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ports = json.loads(process.stdout.readline())["ports"]
            yield [f"http://127.0.0.1:{port}/v1" for port in ports]
        finally:
            process.terminate()


def settings_for(
    tasks: str, urls: list[str], sequences: int, changes: dict[str, object]
) -> Settings:
    """Return the preset `paper` on the tasks, with the servers as its policy.

    A task does not end early: programs here are perfect as often as the embedded policy's.
    """
    endpoints = [
        {"url": url, "server": "sglang", "capacity": int(QUEUE * sequences)} for url in urls
    ]
    always = {
        "tasks": tasks,
        "policy.kind": "openai",
        "policy.endpoints": endpoints,
        "search.perfect_stop": 10**9,
    }
    return override(PRESETS["paper"], always | changes)


def open_run(folder: Path, settings: Settings) -> Path:
    """Return the run folder below `folder`: the one that is there with its budgets, or a new one.

    The servers' ports are new each time, so they are always the settings' own.
    """
    os.environ["SOAR_HOME"] = str(folder)
    run = folder / "runs" / "run"
    if not run.exists():
        return create_run(settings, name="run", day=datetime.datetime.now().astimezone().date())
    changes = {"policy.endpoints": msgspec.to_builtins(settings.policy.endpoints)}
    save_settings(override(load_settings(run / SETTINGS_NAME), changes), run / SETTINGS_NAME)
    return run


def watch(run: Path, url: str, every: float, limit: float) -> Iterator[Moment]:
    """Start the run's engine and yield a moment every few seconds until it has ended.

    After `limit` seconds it is told to drain, and the iteration ends with it.
    """
    # SystemExit, so that being told to end leaves neither engine nor servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    engine = psutil.Process(launch(run))
    started = time.monotonic()
    told = False
    samples = load_settings(run / SETTINGS_NAME).search.samples
    with (
        contextlib.closing(_Ending(engine)),
        RunReader(run) as reader,
        httpx.Client(timeout=60) as client,
    ):
        while True:
            with contextlib.suppress(psutil.NoSuchProcess):
                yield _moment(reader, run, samples, engine, client, url, time.monotonic() - started)
                if time.monotonic() - started > limit and not told:
                    told = True
                    engine.terminate()
            try:
                engine.wait(every)
            except psutil.TimeoutExpired:
                continue
            return


@dataclass(frozen=True)
class _Ending:
    """An engine would outlive whoever watches it; this one shall not."""

    engine: psutil.Process

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.engine.kill()


def _moment(reader, run, samples, engine, client, url, seconds) -> Moment:
    rows = reader.task_rows()
    used, resident = engine.cpu_times(), 0
    # What a process has used goes to its parent's count of children once it has ended.
    sandbox = used.children_user + used.children_system
    for child in engine.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            sandbox += times.user + times.system + times.children_user + times.children_system
            resident += child.memory_info().rss
    candidates = sum(row.candidates for row in rows)
    return Moment(
        seconds,
        candidates,
        sum(max(0, row.candidates - samples) for row in rows),
        sum(row.state == "finished" for row in rows),
        used.user + used.system,
        sandbox,
        engine.memory_info().rss,
        resident,
        sum(file.stat().st_size for file in run.rglob("*") if file.is_file()),
        client.get(url.removesuffix("/v1") + "/stats").json(),
    )
