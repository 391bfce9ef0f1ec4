"""Measure what a Ray cluster costs the engine: its CPU time per program and per call, beside a local run.

Nodes are processes of this machine, one CPU each, so programs per second say nothing about a real
cluster; the engine's CPU time per program does, for it bounds how many nodes one engine can feed.

    python -m tests.benchmarks.cluster --nodes 2
"""

import argparse
import asyncio
import time

from ray.cluster_utils import Cluster

from engine.arc.load import load_tasks
from engine.cluster.sandbox import ClusterSandbox
from engine.cluster.stations import Stations
from engine.config import PolicyConfig, SandboxConfig
from engine.policies.grammar.proposing import Proposer
from engine.programs.sandbox import Sandbox

CALLS_AT_ONCE = 32


async def measure(name: str, sandbox, task, sources: list[str], size: int, calls: int) -> None:
    """Run that many calls of `size` programs, none of which was run before, and print figures."""
    numbers = iter(range(calls))
    used, started = time.process_time(), time.perf_counter()

    async def some() -> None:
        for number in numbers:
            named = [f"{sources[i % len(sources)]}\n# {size} {number} {i}" for i in range(size)]
            await sandbox.run(named, task.inputs)

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLS_AT_ONCE):
            group.create_task(some())
    used, seconds = time.process_time() - used, time.perf_counter() - started
    print(
        f"{name:8} {size:3} programs a call: engine's CPU {1000 * used / calls:6.2f} ms a call, "
        f"{1000 * used / calls / size:5.2f} ms a program; {calls * size / seconds:6.0f} programs/s"
    )


async def compare(address: str, nodes: int, calls: int) -> None:
    """Measure a cluster's sandbox and a local one with the same programs."""
    task = load_tasks("arc1-train:1").tasks[0].without_truth()
    sources = [each.source for each in Proposer().sample(task, 50, 1) if each.source is not None]
    async with Stations(address, SandboxConfig(), PolicyConfig(workers=1)) as stations:
        while len(stations.statuses) < nodes:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.1)
        for size in (4, 50):
            await measure("cluster", ClusterSandbox(stations), task, sources, size, calls)
    async with Sandbox(SandboxConfig()) as sandbox:
        for size in (4, 50):
            await measure("local", sandbox, task, sources, size, calls)


def main() -> None:
    """Start a cluster on this machine and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    try:
        for _ in range(arguments.nodes):
            cluster.add_node(num_cpus=1, object_store_memory=1 << 27)
        asyncio.run(compare(cluster.address, arguments.nodes, arguments.calls))
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
