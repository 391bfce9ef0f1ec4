"""What runs on a node answers as the same policy here would: it needs no cluster to be tried."""

import asyncio
from dataclasses import replace

from engine.arc.load import load_tasks
from engine.cluster.station import Station
from engine.config import PolicyConfig, SandboxConfig
from engine.policies.grammar import GrammarPolicy
from engine.policies.grammar.checkpoint import load_weights, save_weights
from engine.policies.open import SHIPPED

SANDBOX, POLICY = SandboxConfig(workers=1), PolicyConfig(workers=1)


async def test_a_later_checkpoint_of_the_same_name_is_the_one_that_is_used(tmp_path):
    shipped = load_weights(SHIPPED)
    other = replace(shipped, steps=replace(shipped.steps, weights=-shipped.steps.weights))
    (first, second) = (tmp_path / name / "iteration-0" for name in ("start", "own"))
    for file, weights in ((first, shipped), (second, other)):
        file.parent.mkdir()
        save_weights(weights, file)
    task = load_tasks("sample").tasks[0].without_truth()
    expected = []
    async with GrammarPolicy(POLICY) as policy:
        for file in (first, second):
            await policy.load(file)
            expected.append(await policy.sample(task, 8, 3))
    assert expected[0] != expected[1]
    station, answered = Station(), []
    async with asyncio.TaskGroup() as group:
        group.create_task(station.serve(SANDBOX, POLICY))
        await station.greet()
        for file in (first, second):
            await station.load(file.read_bytes(), "iteration-0")
            answered.append(await station.sample(task, 8, 3))
        await station.end()
    assert answered == expected
