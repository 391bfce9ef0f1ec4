"""Work on a real cluster of several processes: the same answers, and none lost with a node."""

import asyncio

import pytest

from engine.arc.load import load_tasks
from engine.archive.reader import RunReader
from engine.cluster.connection import ClusterError
from engine.cluster.policy import ClusterPolicy
from engine.cluster.sandbox import ClusterSandbox
from engine.cluster.stations import Stations
from engine.config import PolicyConfig, SandboxConfig, override, preset, save_settings
from engine.control import launch
from engine.control.folder import SETTINGS_NAME
from engine.policies.grammar import GrammarPolicy
from engine.policies.open import SHIPPED
from engine.programs.sandbox import Sandbox
from tests.faults.ground import recorded, wait_for_end, wait_until

SANDBOX, POLICY = SandboxConfig(workers=1), PolicyConfig(workers=1)
RUN = override(
    preset("cpu"),
    {
        "tasks": "sample:6",
        "seed": 5,
        "search.samples": 60,
        "search.wave": 10,
        "search.refinements": 60,
        "search.perfect_stop": 1000,
        "search.agree_stop": 0,
        "policy.workers": 1,
        "sandbox.workers": 1,
    },
)
BUDGET = 6 * 120
ENDLESS = 6


def finish(folder, settings, when=0, then=lambda: None):
    """Run a folder's engine to its end; do something once so many candidates are archived."""
    folder.mkdir()
    save_settings(settings, folder / SETTINGS_NAME)
    launch(folder)
    with RunReader(folder) as reader:
        wait_until(lambda: sum(row.candidates for row in reader.iterations()) >= when, 120)
    then()
    wait_for_end(folder, 200)
    return recorded(folder)


async def until_there_are(number, stations):
    async with asyncio.timeout(150):
        while len(stations.statuses) < number:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.05)


def test_a_run_finishes_with_the_same_votes_when_a_node_is_killed(tmp_path, cluster, add_node):
    alone = finish(tmp_path / "alone", RUN)
    _, second = add_node(), add_node()

    def kill():
        cluster.remove_node(second, allow_graceful=False)

    settings = override(RUN, {"cluster.address": cluster.address})
    together = finish(tmp_path / "together", settings, BUDGET // 3, kill)
    assert len(together[0]) == BUDGET
    assert together == alone
    log = (tmp_path / "together" / "logs" / "engine.log").read_text()
    assert log.count("cores, sandbox") >= 2  # both were there, or nothing was shown
    assert "is lost, its" in log


async def test_programs_under_way_on_a_lost_node_are_run_on_another(cluster, add_node):
    task = load_tasks("sample:1").tasks[0].without_truth()
    add_node()
    second = add_node()
    async with Stations(cluster.address, SANDBOX, POLICY) as stations:
        policy, sandbox = ClusterPolicy(stations), ClusterSandbox(stations)
        programs = [each.source for each in await policy.sample(task, 20, 3)]
        await until_there_are(2, stations)
        new = [[f"{source}\n# {number}" for source in programs] for number in range(60)]
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(sandbox.run(sources, task.inputs)) for sources in new]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.to_thread(cluster.remove_node, second, allow_graceful=False)
        async with Sandbox(SANDBOX) as ordinary:
            expected = await ordinary.run(programs, task.inputs)
        assert [each.result() for each in asked] == [expected] * len(new)
        assert sandbox.status.queued == 0 and len(stations.statuses) == 1


async def test_a_node_that_joins_later_has_the_checkpoint_and_proposes_the_same(cluster, add_node):
    task = load_tasks("sample:1").tasks[0]
    first = add_node()
    async with Stations(cluster.address, SANDBOX, POLICY) as stations:
        policy = ClusterPolicy(stations)
        await policy.load(SHIPPED)
        before = await policy.sample(task, 12, 7)
        add_node()  # Ray insists on the main thread
        await until_there_are(2, stations)
        await asyncio.to_thread(cluster.remove_node, first, allow_graceful=False)
        after = await policy.sample(task, 12, 7)
    async with GrammarPolicy(POLICY) as ordinary:
        await ordinary.load(SHIPPED)
        expected = await ordinary.sample(task, 12, 7)
    assert before == after == expected


async def test_a_cancelled_call_leaves_nothing_behind(cluster, add_node):
    """The node drops what it had not begun, which else it would run to its time limit."""
    task = load_tasks("sample:1").tasks[0]
    add_node()
    endless = "def transform(grid):\n    while True:\n        pass\n"
    good = "def transform(grid):\n    return grid\n"
    async with Stations(cluster.address, SANDBOX, POLICY) as stations:
        sandbox = ClusterSandbox(stations)

        async def until_the_node_is(busy):
            async with asyncio.timeout(150):
                while bool(stations.statuses[0].queued) != busy:
                    (results,) = await sandbox.run([good], task.inputs)
                    assert len(results) == len(task.inputs)

        call = asyncio.create_task(sandbox.run([endless] * ENDLESS, task.inputs))
        await until_the_node_is(busy=True)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until_the_node_is(busy=False)
        assert stations.statuses[0].kills.get("timeout", 0) < ENDLESS
        assert sandbox.status.queued == 0


async def test_a_cluster_without_a_free_cpu_is_refused_with_the_reason(cluster, monkeypatch):
    monkeypatch.setattr("engine.cluster.stations.START_SECONDS", 5.0)
    with pytest.raises(ClusterError, match="can be used after 5 s: the cluster has no node with a"):
        async with Stations(cluster.address, SANDBOX, POLICY):
            pass
