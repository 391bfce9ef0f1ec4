"""The sandbox as a whole: sharing, cancelling, losing workers, refusing, closing."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from engine.arc import as_grid, pack
from engine.config import SandboxConfig
from engine.programs.candidate import Failure
from engine.programs.sandbox import Sandbox, SandboxError
from engine.programs.sandbox.status import level_of, refusal

GRID = as_grid([[1, 2], [3, 4]])
SMALL = SandboxConfig(workers=1, cpu=0.3, memory_mb=512)
SAME = "def transform(grid):\n    return grid"
LOOP = "def transform(grid):\n    while True: pass"
NO_CORE = 4000
"""More than any machine here has."""


def colour(n: int) -> str:
    return f"def transform(grid):\n    return [[{n % 10}] for _ in range({n % 30} + 1)]"


def expected(n: int) -> bytes:
    return pack(as_grid([[n % 10]] * (n % 30 + 1)))


OTHERS: set[psutil.Process] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """Note which processes other tests have left to this one, so that only ours are counted."""
    OTHERS.clear()
    OTHERS.update(psutil.Process().children(recursive=True))


def descendants() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if p not in OTHERS]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(150):
        while not condition():  # noqa: ASYNC110 - the status is a value, not an event
            await asyncio.sleep(0.001)


async def test_many_calls_at_once_each_get_their_own_results():
    async with Sandbox(SandboxConfig(workers=2, cpu=0.3)) as sandbox:
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(
                    sandbox.run(
                        [colour(7 * n + k) for k in range(4 + n % 20)], [GRID] * (1 + n % 3)
                    )
                )
                for n in range(64)
            ]
        for n, call in enumerate(calls):
            assert call.result() == [
                (expected(7 * n + k),) * (1 + n % 3) for k in range(4 + n % 20)
            ]
        status = sandbox.status
        assert status.programs == sum(4 + n % 20 for n in range(64))
        assert (status.queued, status.mismatches, status.restarts) == (0, 0, 0)
        assert not status.kills


async def test_perfect_programs_are_confirmed_in_a_process_of_their_own():
    right = [pack(GRID)]
    async with Sandbox(SMALL) as sandbox:
        results = await sandbox.run([SAME, colour(3)], [GRID, GRID], confirm=right)
        assert results == [(pack(GRID),) * 2, (expected(3),) * 2]
        assert sandbox.status.mismatches == 0
        assert sandbox.status.programs == 2


async def test_a_cancelled_call_leaves_the_sandbox_working():
    async with Sandbox(SMALL) as sandbox:
        call = asyncio.create_task(sandbox.run([LOOP] * 20, [GRID]))
        await until(lambda: sandbox.status.queued > 0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(60):
            assert await sandbox.run([SAME], [GRID]) == [(pack(GRID),)]
            await until(lambda: sandbox.status.queued == 0)


async def test_a_killed_worker_is_started_again_and_loses_no_program():
    async with Sandbox(SMALL) as sandbox:
        call = asyncio.create_task(sandbox.run([colour(n) for n in range(300)] + [LOOP], [GRID]))
        await until(lambda: sandbox.status.programs > 0)
        for process in descendants():
            if process.is_running():
                os.kill(process.pid, signal.SIGKILL)
        async with asyncio.timeout(150):
            results = await call
        assert results[:300] == [(expected(n),) for n in range(300)]
        assert isinstance(results[300][0], Failure)
        assert sandbox.status.restarts > 0


async def test_closing_fails_what_still_waits_and_leaves_no_process():
    async with Sandbox(SMALL) as sandbox:
        call = asyncio.create_task(sandbox.run([LOOP] * 3, [GRID]))
        await until(lambda: sandbox.status.queued > 0)
    with pytest.raises(SandboxError, match="closed"):
        await call
    assert descendants() == []
    with pytest.raises(SandboxError, match="closed"):
        await sandbox.run([SAME], [GRID])


ENDLESS = f"""
import asyncio, psutil
from engine.arc import as_grid
from engine.config import SandboxConfig
from engine.programs.sandbox import Sandbox
async def main():
    async with Sandbox(SandboxConfig(workers=2, cpu=600, fast_cpu=600)) as sandbox:
        asyncio.get_running_loop().call_later(0.5, lambda: print(
            *(p.pid for p in psutil.Process().children(recursive=True)), flush=True))
        await sandbox.run([{LOOP!r}] * 4, [as_grid([[1]])])
asyncio.run(main())
"""


async def test_killing_the_engine_ends_every_process_of_the_sandbox():
    engine = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENDLESS, stdout=asyncio.subprocess.PIPE
    )
    assert engine.stdout is not None
    async with asyncio.timeout(150):
        pids = [int(pid) for pid in (await engine.stdout.readline()).split()]
    assert len(pids) >= 4
    engine.kill()
    await engine.wait()
    await until(lambda: not any(map(runs, pids)))


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_sandbox_that_was_not_opened_says_so():
    with pytest.raises(SandboxError, match="not open"):
        await Sandbox(SMALL).run([SAME], [GRID])


async def test_an_error_inside_the_block_closes_the_sandbox():
    with pytest.raises(ZeroDivisionError):
        async with Sandbox(SMALL):
            raise ZeroDivisionError
    assert descendants() == []


async def test_the_status_names_every_layer():
    async with Sandbox(SMALL) as sandbox:
        status = sandbox.status
    assert {"seccomp", "landlock", "namespaces", "rlimits", "no_new_privs", "pdeathsig", "uid",
            "probe", "gate", "clean_memory"} <= set(status.layers)  # fmt: skip
    assert status.level == level_of(status.layers, as_root=os.getuid() == 0)
    assert all(state for state in status.layers.values())


ALL = dict.fromkeys(
    ["seccomp", "rlimits", "no_new_privs", "probe", "landlock", "namespaces", "uid", "pdeathsig"],
    "on",
)


@pytest.mark.parametrize(
    ("off", "as_root", "level"),
    [
        ([], True, "strong"),
        (["uid"], False, "strong"),
        (["uid"], True, "reduced"),
        (["landlock"], True, "strong"),
        (["namespaces"], True, "strong"),
        (["landlock", "namespaces"], True, "reduced"),
        (["seccomp"], True, "weak"),
        (["rlimits"], True, "weak"),
        (["probe"], True, "weak"),
    ],
)
def test_levels(off, as_root, level):
    reached = ALL | dict.fromkeys(off, "missing here")
    assert level_of(reached, as_root=as_root) == level
    assert refusal(level, reached, level) is None


@pytest.mark.parametrize(
    ("off", "level", "minimum", "named", "said"),
    [
        (["seccomp", "landlock"], "weak", "reduced", ["seccomp"], "a container whose profile"),
        (["rlimits"], "weak", "reduced", ["rlimits"], "virtual machine"),
        (["landlock", "namespaces"], "reduced", "strong", ["landlock", "namespaces"], "Linux 5.13"),
        (["uid", "landlock"], "reduced", "strong", ["uid"], "an ordinary user"),
    ],
)
def test_a_refusal_says_what_is_missing_and_what_to_allow(off, level, minimum, named, said):
    reason = refusal(level, ALL | dict.fromkeys(off, "missing here"), minimum)
    assert reason is not None
    assert [layer for layer in ALL if f"{layer}: missing here, needs " in reason] == named
    assert said in reason
    assert f'sandbox.minimum = "{level}"' in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("denied", "level"),
    [
        ("unshare", "strong"),
        ("unshare landlock_create_ruleset", "reduced"),
        ("seccomp landlock_create_ruleset", "weak"),
    ],
)
async def test_on_a_machine_that_denies_layers_programs_run_or_the_sandbox_refuses(denied, level):
    refused, allowed = await asyncio.gather(deprived(denied, "strong"), deprived(denied, level))
    if level == "strong":
        assert refused["level"] == "strong"
    else:
        assert f"level '{level}'" in refused["error"]
        assert f'sandbox.minimum = "{level}"' in refused["error"]
    assert allowed["level"] == level
    assert allowed["kinds"] == ["bytes", "timeout", "exception", "memory"]
    assert all(allowed["layers"][layer] != "on" for layer in allowed["off"])


async def deprived(denied: str, minimum: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.sandbox.deprived", minimum, *denied.split(),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(150):
        output, _ = await process.communicate()
    return json.loads(output)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins processes")
async def test_opening_goes_on_without_workers_that_cannot_start(monkeypatch, caplog):
    """As where a core is taken away between the engine's look at them and the worker's start."""
    core = min(os.sched_getaffinity(0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {core, NO_CORE})
    config = SandboxConfig(workers=2, pin=True, cpu=0.2)
    reason = "goes on without one of its workers: OSError: [Errno 22]"
    async with asyncio.timeout(150), Sandbox(config) as sandbox:
        results = await sandbox.run([SAME, LOOP], [GRID])
        assert results == [(pack(GRID),), (Failure("timeout", "used up 0.2 s of CPU"),)]
        await until(lambda: caplog.text.count(reason) == 2)  # one of each lane
        assert sandbox.status.workers == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins processes")
async def test_opening_fails_in_words_when_no_worker_can_start(monkeypatch, caplog):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {NO_CORE})
    async with asyncio.timeout(150):
        with pytest.raises(SandboxError, match="no worker of the sandbox starts: OSError"):
            await Sandbox(SandboxConfig(workers=2, pin=True)).__aenter__()
    assert not caplog.records
    assert descendants() == []


async def test_a_worker_that_is_refused_does_not_count_for_the_level():
    async with Sandbox(SMALL) as sandbox:
        before = sandbox.status
        with pytest.raises(SandboxError, match="seccomp: missing here"):
            sandbox._learn_layers(before.layers | {"seccomp": "missing here"})
        sandbox._learn_layers(before.layers)
        assert sandbox.status.level == before.level


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins processes")
async def test_pinned_workers_keep_to_a_core_each() -> None:
    async with Sandbox(SandboxConfig(workers=2, pin=True)) as sandbox:
        await sandbox.run([SAME] * 50, [GRID])
        kept = [tuple(process.cpu_affinity()) for process in descendants()]
    cores = sorted(os.sched_getaffinity(0))[:2]
    assert set(kept) == {(core,) for core in cores}
